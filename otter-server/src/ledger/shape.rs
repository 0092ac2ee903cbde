//! What the hub makes of a payload before it is stored: times it sets, states that never go back, text that is cut.

use otter_proto::UnixMillis;
use otter_proto::catalogue::{self, EntityRow as EntityType};
use otter_proto::error::ErrorCode;
use otter_proto::id::{CommandId, EntityKey, Scope, belongs_to};
use otter_proto::kind::{ApprovalState, CommandStage, DeliveryState, TaskStatus};
use otter_proto::limits::TEXT_HEAD_BYTES;
use otter_proto::text;

use crate::ledger::command::PEOPLES;
use crate::ledger::fact::{Fact, Refusal, Source};
use crate::ledger::json::{self, Object};
use crate::ledger::write::{Ledger, result};
use crate::ledger::{End, EntityRow, StoreError};

/// A clock that is less ahead than this is not corrected.
const AHEAD_MS: u64 = 60_000;

/// A payload that is ready to be stored.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shaped {
    /// The event's data.
    pub(super) data: String,
    /// The entity it leaves.
    pub(super) entity: String,
    /// The whole of a text that was cut.
    pub(super) whole: Option<String>,
    /// Whether the whole of an earlier, longer text is not needed any more.
    pub(super) forget_whole: bool,
}

impl Ledger<'_> {
    /// Completes the data of a fact about an entity; `None` when the fact must not change it.
    pub(super) fn shape(
        &mut self,
        mut fact: Fact,
        existing: Option<&EntityRow>,
    ) -> Result<Option<Fact>, StoreError> {
        let text = existing.map_or("", |row| row.text.as_str());
        self.keep_from_the_future(&mut fact, text);
        match fact.kind.name {
            "message.created" => fact.data = self.timed(&fact.scope, &fact.data)?,
            // Said again, it is what it was.
            "agent.statusChanged" if result(existing.map(|row| row.text.as_str()), &fact.data) != text => {
                let since = Object::default().string("statusAt", &self.now.to_string()).build();
                fact.data = text::merge(&fact.data, &since);
            }
            "conversation.upserted" if existing.is_none() => {
                let seen = Object::default().string("firstSeenAt", &self.now.to_string()).build();
                fact.data = text::merge(&fact.data, &seen);
            }
            "run.completed" | "run.failed" | "run.aborted"
                if json::string(text, "state").as_deref() != Some("running") =>
            {
                return Ok(None);
            }
            "approval.decided" | "approval.resolved" | "approval.expired" if approval_ended(text) => {
                return Ok(None);
            }
            "task.upserted" if fact.is_late_for(text) => return Ok(None),
            "message.deliveryChanged" if delivery(&fact.data) <= delivery(text) => return Ok(None),
            "command.updated" if existing.is_some() && !stage_follows(text, &fact.data) => return Ok(None),
            "instance.updated" => {
                if let (Some(old), Some(new)) =
                    (text::member(text, "gateway"), text::member(&fact.data, "gateway"))
                {
                    fact.data = Object::default().raw("gateway", json::replacing(old, new)).over(&fact.data);
                }
            }
            _ => {}
        }
        Ok(Some(fact))
    }

    /// What happened did not happen later than now: a machine whose clock is ahead would stand before everybody's news
    /// until that day.
    fn keep_from_the_future(&self, fact: &mut Fact, existing: &str) {
        let Some(entity_type) = catalogue::entity(fact.kind.entity_type) else { return };
        let is_ahead = |at: UnixMillis| at.0 > self.now.0.saturating_add(AHEAD_MS);
        if fact.source == Source::Hub || !instant(&fact.data, entity_type.order_key).is_some_and(is_ahead) {
            return;
        }
        // A task was made once, however often that is said.
        let earlier = instant(existing, entity_type.order_key).filter(|_| fact.kind.name == "task.upserted");
        let at = earlier.unwrap_or(self.now).to_string();
        fact.data = text::merge(&fact.data, &Object::default().string(entity_type.order_key, &at).build());
    }

    /// Sets `sentAt` of a new message. One that has it is history: not later than now, and after the row it names.
    /// Every other one is newer than all the conversation has.
    fn timed(&mut self, scope: &Scope, data: &str) -> Result<String, StoreError> {
        let sent_at = if let Some(given) = instant(data, "sentAt") {
            let earliest = match json::string(data, "after") {
                Some(row) => self.sent_at(scope, &row)?.map_or(0, |at| at.0 + 1),
                None => 0,
            };
            UnixMillis(given.0.min(self.now.0).max(earliest))
        } else {
            let newest = self.rows.live(scope, "message", false, End::Newest, 1)?;
            let newest = newest.first().and_then(|(_, row)| UnixMillis::parse(&row.order));
            UnixMillis(newest.map_or(0, |at| at.0 + 1).max(self.now.0))
        };
        let patch = Object::default().raw("after", "null").string("sentAt", &sent_at.to_string()).build();
        Ok(text::merge(data, &patch))
    }

    fn sent_at(&mut self, scope: &Scope, message: &str) -> Result<Option<UnixMillis>, StoreError> {
        let Ok(key) = EntityKey::new("message", message) else { return Ok(None) };
        Ok(self.rows.entity(scope, &key)?.and_then(|row| instant(&row.text, "sentAt")))
    }
}

/// Whether an approval is in a final state.
fn approval_ended(text: &str) -> bool {
    json::string(text, "state")
        .and_then(|state| ApprovalState::parse(&state))
        .is_some_and(|state| matches!(state, ApprovalState::Resolved | ApprovalState::Expired))
}

impl Fact {
    /// Whether an instance speaks too late about a task: it had ended, or, when it is a person's, the person has it
    /// back or handed it over anew. The events of a dispatch are caused by its command.
    fn is_late_for(&self, text: &str) -> bool {
        if self.source == Source::Hub || text.is_empty() {
            return false;
        }
        let status = |object| TaskStatus::parse(&json::string(object, "status")?);
        let (before, after) = (status(text), status(&self.data));
        let has_ended = before.is_some_and(|status| !status.is_open());
        if !belongs_to(self.subject.as_str(), PEOPLES) {
            return has_ended && after.is_some_and(TaskStatus::is_open);
        }
        let command = json::string(text, "commandId");
        let is_of_dispatch =
            command.is_some() && command.as_deref() == self.caused_by.as_ref().map(CommandId::as_str);
        !is_of_dispatch || (has_ended && after.is_some() && after != before)
    }
}

pub(super) fn instant(object: &str, path: &str) -> Option<UnixMillis> {
    UnixMillis::parse(&json::string(object, path)?)
}

/// How far a delivery got; the two ends are equal, so the first one stays.
fn delivery(object: &str) -> Option<u8> {
    let state = json::string(object, "delivery.state")?;
    Some(match DeliveryState::parse(&state)? {
        DeliveryState::Pending => 0,
        DeliveryState::Taken => 1,
        DeliveryState::Queued => 2,
        DeliveryState::Delivered | DeliveryState::Failed => 3,
    })
}

/// Whether `data` may change a command that is as in `text`: never back, and nothing after a final stage.
fn stage_follows(text: &str, data: &str) -> bool {
    let stage = |object| CommandStage::parse(&json::string(object, "stage")?);
    let (Some(old), Some(new)) = (stage(text), stage(data)) else { return false };
    !old.is_final() && (new == old || rank(new) > rank(old))
}

const fn rank(stage: CommandStage) -> u8 {
    match stage {
        CommandStage::Accepted => 0,
        CommandStage::Received => 1,
        CommandStage::Started => 2,
        CommandStage::Completed
        | CommandStage::Failed
        | CommandStage::Rejected
        | CommandStage::Cancelled
        | CommandStage::Expired
        | CommandStage::OutcomeUnknown => 3,
    }
}

/// Makes the entity fit its limit by cutting its text to a head, when it has one.
pub(super) fn cut(
    entity_type: &EntityType,
    existing: Option<&str>,
    data: String,
    limit: usize,
) -> Result<Shaped, Refusal> {
    let was_cut = existing.is_some_and(|text| text::member(text, "truncated") == Some("true"));
    let new_text = entity_type.cut.filter(|name| text::member(&data, name).is_some());
    let data = match new_text {
        Some(_) if was_cut && text::member(&data, "truncated").is_none() => {
            Object::default().raw("truncated", "null").over(&data)
        }
        _ => data,
    };
    let entity = result(existing, &data);
    if entity.len() <= limit {
        return Ok(Shaped { data, entity, whole: None, forget_whole: was_cut && new_text.is_some() });
    }
    let too_large = |name: Option<&str>| {
        Refusal::at(
            ErrorCode::EntityTooLarge,
            name.map_or_else(|| "/data".to_owned(), |name| format!("/data/{name}")),
        )
    };
    let Some((name, whole)) = new_text.and_then(|name| Some((name, json::string(&data, name)?))) else {
        return Err(too_large(None));
    };
    let part = head(&whole, TEXT_HEAD_BYTES.min(limit / 2));
    let patch = Object::default().raw("truncated", "true").string(name, part).build();
    let data_cut = text::merge(&data, &patch);
    let entity = result(existing, &data_cut);
    if entity.len() > limit {
        return Err(too_large(Some(name)));
    }
    Ok(Shaped { data: data_cut, entity, whole: Some(whole.into_owned()), forget_whole: false })
}

/// The longest head of `text`, on a character boundary, whose JSON form has at most `bytes`.
pub(crate) fn head(text: &str, bytes: usize) -> &str {
    let mut json = 0;
    for (at, character) in text.char_indices() {
        json += match character {
            '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
            '\0'..='\u{1f}' => 6,
            _ => character.len_utf8(),
        };
        if json > bytes {
            return text.get(..at).unwrap_or_default();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use otter_proto::catalogue;
    use pretty_assertions::assert_eq;

    use super::*;

    fn message() -> &'static EntityType {
        catalogue::entity("message").unwrap()
    }

    #[test]
    fn a_long_text_is_cut_on_a_character_and_the_whole_kept() {
        let whole = "😀".repeat(10_000);
        let data = Object::default().string("text", &whole).build();
        let shaped = cut(message(), None, data, 32 << 10).unwrap();
        let want = Object::default().string("text", &"😀".repeat(4_096)).raw("truncated", "true").build();
        assert_eq!(
            shaped,
            Shaped { data: want.clone(), entity: want, whole: Some(whole), forget_whole: false }
        );
    }

    #[test]
    fn a_head_of_control_characters_still_fits() {
        let data = Object::default().string("text", &"\u{1}".repeat(20_000)).build();
        assert!(cut(message(), None, data, 32 << 10).unwrap().entity.len() <= (16 << 10) + 64);
    }

    #[test]
    fn an_edit_that_fits_forgets_the_cut() {
        let existing = r#"{"author":{"type":"agent"},"text":"head","truncated":true}"#;
        let shaped = cut(message(), Some(existing), r#"{"text":"short"}"#.to_owned(), 32 << 10).unwrap();
        let want = Shaped {
            data: r#"{"text":"short","truncated":null}"#.to_owned(),
            entity: r#"{"author":{"type":"agent"},"text":"short"}"#.to_owned(),
            whole: None,
            forget_whole: true,
        };
        assert_eq!(shaped, want);
    }

    #[test]
    fn what_cannot_be_cut_is_refused() {
        let data = Object::default().string("other", &"x".repeat(40_000)).string("text", "y").build();
        let refusal = cut(message(), None, data, 32 << 10).unwrap_err();
        assert_eq!(refusal, Refusal::at(ErrorCode::EntityTooLarge, "/data/text"));
        let agent = catalogue::entity("agent").unwrap();
        let data = Object::default().string("name", &"x".repeat(9_000)).build();
        assert_eq!(
            cut(agent, None, data, 8 << 10).unwrap_err(),
            Refusal::at(ErrorCode::EntityTooLarge, "/data")
        );
    }

    #[test]
    fn stages_never_go_back() {
        let at = |stage: &str| format!(r#"{{"stage":"{stage}"}}"#);
        assert!(stage_follows(&at("accepted"), &at("received")));
        assert!(stage_follows(&at("accepted"), &at("completed")));
        assert!(stage_follows(&at("received"), &at("received")));
        assert!(!stage_follows(&at("started"), &at("received")));
        assert!(!stage_follows(&at("completed"), &at("failed")));
        assert!(!stage_follows(&at("expired"), &at("expired")));
    }
}
