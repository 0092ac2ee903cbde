//! Recorded events with their payload typed, for readers in Rust: one pass over the text, members in any order.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::UnixMillis;
use crate::effect::EffectOp;
use crate::id::{CommandId, EventId, Scope};
use crate::kind::Payload;

/// What an event carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data<'a> {
    /// The payload of a kind that this release knows.
    Known(Box<Payload>),
    /// Of a kind that it does not know: the text as it came.
    Unknown(&'a str),
}

/// An effect, with its value as it came.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TypedEffect<'a> {
    /// The operation; one that is not known here is an error: this program is too old.
    pub op: EffectOp,
    /// `type/id`.
    #[serde(borrow)]
    pub entity: Cow<'a, str>,
    /// What is put or merged; `None` means the event's data.
    #[serde(borrow, default, deserialize_with = "raw")]
    pub value: Option<&'a str>,
}

fn raw<'de, D: Deserializer<'de>>(from: D) -> Result<Option<&'de str>, D::Error> {
    <&RawValue>::deserialize(from).map(|value| Some(value.get()))
}

/// A recorded event, its payload typed. Read it from the text of an event that a frame held: nesting and length were
/// checked there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedEvent<'a> {
    /// Its place in the org's log.
    pub seq: u64,
    /// The seq of the previous event of the same scope.
    pub prev: u64,
    /// Its id.
    pub id: EventId,
    /// When the hub recorded it.
    pub at: UnixMillis,
    /// Its scope.
    pub scope: Scope,
    /// Its kind, known or not.
    pub kind: Cow<'a, str>,
    /// Who published it, as it came.
    pub source: &'a str,
    /// The command that caused it.
    pub caused_by: Option<CommandId>,
    /// What it does to entities.
    pub effects: Vec<TypedEffect<'a>>,
    /// Its payload.
    pub data: Data<'a>,
}

impl<'a> TypedEvent<'a> {
    /// Reads the text of a recorded event. A payload of a known kind that does not fit it is an error; readers that
    /// only keep state use [`super::RecordedEvent`], which does not look into it.
    pub fn read(text: &'a str) -> Result<Self, serde_json::Error> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let event = reader.deserialize_map(Envelope)?;
        reader.end()?;
        Ok(event)
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum Member {
    Seq,
    Prev,
    Id,
    At,
    Scope,
    Kind,
    Source,
    CausedBy,
    Effects,
    Data,
    #[serde(other)]
    Unknown,
}

struct Envelope;

impl<'de> Visitor<'de> for Envelope {
    type Value = TypedEvent<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a recorded event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut seq, mut prev, mut id, mut at, mut scope) = (None, None, None, None, None);
        let (mut kind, mut source, mut caused_by, mut effects): (Option<Cow<'de, str>>, _, _, _) =
            (None, None, None, None);
        let (mut data, mut early): (_, Option<&'de RawValue>) = (None, None);
        while let Some(member) = map.next_key()? {
            match member {
                Member::Seq => seq = Some(map.next_value()?),
                Member::Prev => prev = Some(map.next_value()?),
                Member::Id => id = Some(parsed(&mut map, EventId::new)?),
                Member::At => {
                    at = Some(parsed(&mut map, |text| UnixMillis::parse(text).ok_or("not an instant"))?);
                }
                Member::Scope => scope = Some(parsed(&mut map, Scope::parse)?),
                Member::Kind => kind = Some(map.next_value::<Borrowed<'de>>()?.0),
                Member::Source => source = Some(map.next_value::<&RawValue>()?.get()),
                Member::CausedBy => caused_by = Some(parsed(&mut map, CommandId::new)?),
                Member::Effects => effects = Some(map.next_value()?),
                Member::Data => match &kind {
                    Some(kind) => data = Some(map.next_value_seed(OfKind(kind))?),
                    // The kind comes later: then the text is read twice.
                    None => early = Some(map.next_value()?),
                },
                Member::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let kind = kind.ok_or_else(|| de::Error::missing_field("kind"))?;
        let data = match (data, early) {
            (Some(data), _) => data,
            (None, Some(early)) => OfKind(&kind).deserialize(early).map_err(de::Error::custom)?,
            (None, None) => return Err(de::Error::missing_field("data")),
        };
        Ok(TypedEvent {
            seq: seq.ok_or_else(|| de::Error::missing_field("seq"))?,
            prev: prev.ok_or_else(|| de::Error::missing_field("prev"))?,
            id: id.ok_or_else(|| de::Error::missing_field("id"))?,
            at: at.ok_or_else(|| de::Error::missing_field("at"))?,
            scope: scope.ok_or_else(|| de::Error::missing_field("scope"))?,
            source: source.ok_or_else(|| de::Error::missing_field("source"))?,
            effects: effects.ok_or_else(|| de::Error::missing_field("effects"))?,
            kind,
            caused_by,
            data,
        })
    }
}

/// A string, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Borrowed<'a>(#[serde(borrow)] Cow<'a, str>);

/// Reads a string by its own rule, without a copy of it in between.
fn parsed<'de, A: MapAccess<'de>, T, E: fmt::Display>(
    map: &mut A,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, A::Error> {
    read(&map.next_value::<Borrowed<'de>>()?.0).map_err(de::Error::custom)
}

/// Reads the payload of a kind.
struct OfKind<'k>(&'k str);

impl<'de> DeserializeSeed<'de> for OfKind<'_> {
    type Value = Data<'de>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        if Payload::knows(self.0) {
            return Payload::deserialize(self.0, from).map(|payload| Data::Known(Box::new(payload)));
        }
        <&RawValue>::deserialize(from).map(|text| Data::Unknown(text.get()))
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    const TEXT: &str = r#"{"seq":7,"prev":6,"id":"ev_7","at":"2026-11-22T14:00:00.123Z","scope":"org","kind":"agent.statusChanged","source":{"type":"hub"},"effects":[{"op":"merge","entity":"agent/in_1:a"}],"data":{"status":"busy"}}"#;

    #[test]
    fn members_come_in_any_order_and_unknown_ones_are_ignored() {
        let event = TypedEvent::read(TEXT).unwrap();
        let Data::Known(payload) = &event.data else { panic!("{event:?}") };
        let Payload::AgentStatusChanged(changed) = &**payload else { panic!("{payload:?}") };
        assert_eq!(changed.status, "busy");
        let moved = TEXT.replace(r#","data":{"status":"busy"}}"#, "}").replacen(
            '{',
            r#"{"data":{"status":"busy"},"x":[{}],"#,
            1,
        );
        assert_eq!(TypedEvent::read(&moved).unwrap(), event);
    }

    #[test]
    fn what_is_not_known_is_kept_byte_for_byte() {
        let data = r#"{"b":1.10,"a":[1e-7,"\u00e9"]}"#;
        let text = TEXT.replace("agent.statusChanged", "agent.dreamt").replace(r#"{"status":"busy"}"#, data);
        assert_eq!(TypedEvent::read(&text).unwrap().data, Data::Unknown(data));
    }

    #[test]
    fn a_malformed_payload_of_a_known_kind_is_an_error_and_an_unknown_operation_too() {
        for (from, to) in
            [("\"busy\"", "7"), ("merge", "append"), ("\"seq\":7,", ""), ("\"org\"", "\"planet\"")]
        {
            assert!(TypedEvent::read(&TEXT.replace(from, to)).is_err(), "{to}");
        }
    }

    #[test]
    fn every_fixture_is_read() {
        let folder =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/v1/fixtures/valid/event");
        for entry in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            let event = TypedEvent::read(&text).unwrap();
            assert_eq!(
                matches!(event.data, Data::Unknown(_)),
                event.kind.starts_with("x."),
                "{}",
                event.kind
            );
        }
    }
}
