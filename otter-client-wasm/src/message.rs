//! What the package says to the core.

use otter_proto::connection::client::{CommandState, Wake};
use otter_proto::error::ErrorBody;
use otter_proto::id::{CommandId, EntityKey, Scope};
use otter_proto::text::{Cursor, TextError, TextErrorKind};
use otter_proto::wire::{Json, Wire};

/// One message. `boundary.d.ts` describes each.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ToCore {
    /// Connect; as far as an earlier core knew, for this person.
    Start(Option<Json>),
    Stop,
    Subscribe(Scope),
    Unsubscribe(Scope),
    Forget(Scope),
    Listen(Vec<String>),
    Command {
        id: CommandId,
        kind: String,
        data: Json,
        /// How far an earlier core saw it get.
        state: CommandState,
    },
    Retry {
        id: CommandId,
        again: CommandId,
    },
    Dismiss(CommandId),
    Signal {
        scope: Scope,
        kind: String,
        data: Json,
    },
    /// Older rows of a type.
    More {
        scope: Scope,
        kind: String,
    },
    /// The whole of a cut text.
    Text {
        scope: Scope,
        key: EntityKey,
    },
    Wake(Wake),
}

#[derive(Default)]
struct Members {
    t: Option<String>,
    scope: Option<Scope>,
    kinds: Vec<String>,
    id: Option<CommandId>,
    again: Option<CommandId>,
    kind: Option<String>,
    data: Option<Json>,
    state: Option<CommandState>,
    flag: bool,
}

impl ToCore {
    /// Reads a message.
    pub(crate) fn parse(text: &str) -> Result<Self, TextError> {
        let mut members = Members::default();
        let mut cursor = Cursor::new(text);
        cursor.object(&mut |key, cursor| members.read(key, cursor))?;
        let missing = cursor.error(TextErrorKind::Missing);
        members.into_message().ok_or(missing)
    }
}

impl Members {
    fn read(&mut self, key: &str, cursor: &mut Cursor<'_>) -> Result<(), TextError> {
        match key {
            "t" => self.t = Some(String::read(cursor)?),
            "scope" => self.scope = Some(Scope::read(cursor)?),
            "kinds" => self.kinds = Vec::read(cursor)?,
            "id" => self.id = Some(CommandId::read(cursor)?),
            "as" => self.again = Some(CommandId::read(cursor)?),
            "kind" => self.kind = Some(String::read(cursor)?),
            "data" | "self" => self.data = Some(Json::read(cursor)?),
            "error" => self.state = Some(CommandState::Refused(ErrorBody::read(cursor)?)),
            "stage" => {
                let is_sent = cursor.value()? == "\"sent\"";
                self.state = Some(if is_sent { CommandState::Sent } else { CommandState::Accepted });
            }
            "visible" | "online" | "persisted" => self.flag = cursor.bool()?,
            _ => {
                cursor.value()?;
            }
        }
        Ok(())
    }

    fn into_message(self) -> Option<ToCore> {
        let flag = self.flag;
        Some(match &*self.t? {
            "start" => ToCore::Start(self.data),
            "stop" => ToCore::Stop,
            "subscribe" => ToCore::Subscribe(self.scope?),
            "unsubscribe" => ToCore::Unsubscribe(self.scope?),
            "forget" => ToCore::Forget(self.scope?),
            "listen" => ToCore::Listen(self.kinds),
            "command" => ToCore::Command {
                id: self.id?,
                kind: self.kind?,
                data: self.data?,
                state: self.state.unwrap_or(CommandState::Held),
            },
            "retry" => ToCore::Retry { id: self.id?, again: self.again? },
            "dismiss" => ToCore::Dismiss(self.id?),
            "signal" => ToCore::Signal { scope: self.scope?, kind: self.kind?, data: self.data? },
            "more" => ToCore::More { scope: self.scope?, kind: self.kind? },
            "text" => ToCore::Text { scope: self.scope?, key: EntityKey::parse(&self.kind?).ok()? },
            "visible" => ToCore::Wake(if flag { Wake::Visible } else { Wake::Hidden }),
            "online" => ToCore::Wake(if flag { Wake::Online } else { Wake::Offline }),
            "pageshow" => ToCore::Wake(Wake::PageShow { persisted: flag }),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use otter_proto::error::ErrorCode;

    use super::*;

    const ADA: &str = r#"{"type":"member","id":"mb_1","org":"org_1","name":"Ada","role":"owner"}"#;

    #[test]
    fn messages_are_read() {
        let id = |text: &str| CommandId::new(text).unwrap();
        let table = [
            (r#"{"t":"start"}"#, ToCore::Start(None)),
            (&*format!(r#"{{"t":"start","self":{ADA}}}"#), ToCore::Start(Some(Json::new(ADA).unwrap()))),
            (
                r#"{"t":"command","id":"c","kind":"k","data":{},"stage":"received"}"#,
                ToCore::Command {
                    id: id("c"),
                    kind: "k".to_owned(),
                    data: Json::new("{}").unwrap(),
                    state: CommandState::Accepted,
                },
            ),
            (r#"{"t":"subscribe","scope":"org"}"#, ToCore::Subscribe(Scope::Org)),
            (r#"{"t":"listen","kinds":["*"]}"#, ToCore::Listen(vec!["*".to_owned()])),
            (r#"{"t":"retry","id":"a","as":"b"}"#, ToCore::Retry { id: id("a"), again: id("b") }),
            (
                r#"{"t":"command","id":"c","kind":"message.send","data":{"text":"é"}}"#,
                ToCore::Command {
                    id: id("c"),
                    kind: "message.send".to_owned(),
                    data: Json::new(r#"{"text":"é"}"#).unwrap(),
                    state: CommandState::Held,
                },
            ),
            (
                r#"{"t":"command","id":"c","kind":"k","data":{},"error":{"code":"notFound","message":"m","retryable":false}}"#,
                ToCore::Command {
                    id: id("c"),
                    kind: "k".to_owned(),
                    data: Json::new("{}").unwrap(),
                    state: CommandState::Refused(ErrorBody::new(ErrorCode::NotFound, "m")),
                },
            ),
            (
                r#"{"t":"more","scope":"org","kind":"task"}"#,
                ToCore::More { scope: Scope::Org, kind: "task".to_owned() },
            ),
            (
                r#"{"t":"text","scope":"org","kind":"task/t"}"#,
                ToCore::Text { scope: Scope::Org, key: EntityKey::new("task", "t").unwrap() },
            ),
            (r#"{"t":"visible","visible":false}"#, ToCore::Wake(Wake::Hidden)),
            (r#"{"t":"online","online":true}"#, ToCore::Wake(Wake::Online)),
            (r#"{"t":"pageshow","persisted":true}"#, ToCore::Wake(Wake::PageShow { persisted: true })),
        ];
        for (text, want) in table {
            assert_eq!(ToCore::parse(text), Ok(want), "{text}");
        }
    }

    #[test]
    fn broken_messages_are_errors() {
        for text in ["", "{}", r#"{"t":"x"}"#, r#"{"t":"subscribe"}"#, r#"{"t":"subscribe","scope":"a b"}"#] {
            assert!(ToCore::parse(text).is_err(), "{text}");
        }
    }
}
