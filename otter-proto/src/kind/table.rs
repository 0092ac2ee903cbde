//! Which payload belongs to which name, and the check at the hub's door.

use serde::de::DeserializeOwned;

use crate::kind::rules;
use crate::{catalogue, kind};

/// Why a payload does not fit its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} at {pointer}")]
pub struct InvalidData {
    /// A JSON pointer to the member at fault; empty for the payload itself.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
}

/// Reads data of a type. One pass; where it goes wrong is looked for in a second one.
fn read<T: DeserializeOwned>(data: &str) -> Result<T, InvalidData> {
    serde_json::from_str(data).map_err(|_| {
        let mut reader = serde_json::Deserializer::from_str(data);
        match serde_path_to_error::deserialize::<_, T>(&mut reader) {
            Ok(_) => InvalidData { pointer: String::new(), message: "more than one value".to_owned() },
            Err(error) => invalid(&error),
        }
    })
}

fn invalid(error: &serde_path_to_error::Error<serde_json::Error>) -> InvalidData {
    use serde_path_to_error::Segment;

    let mut pointer = String::new();
    for segment in error.path() {
        match segment {
            Segment::Seq { index } => pointer.extend(["/", &index.to_string()]),
            Segment::Map { key } => pointer.extend(["/", key]),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    let message = error.inner().to_string();
    let missing = message.split('`').nth(1).filter(|_| message.starts_with("missing field"));
    if let Some(name) = missing {
        pointer.push('/');
        pointer.push_str(name);
    }
    InvalidData { pointer, message }
}

fn check<T: DeserializeOwned>(data: &str) -> Result<(), InvalidData> {
    read::<T>(data).map(|_| ())
}

macro_rules! checks {
    (events: { $($event:literal => $of_event:ident,)* }
     commands: { $($command:literal => $of_command:ident,)* }
     signals: { $($signal:literal => $of_signal:ident,)* }) => {
        /// The payload of a durable kind, typed.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(clippy::large_enum_variant)] // one lives for a moment
        pub enum Payload {
            $(#[doc = concat!("`", $event, "`.")] $of_event(kind::$of_event),)*
        }

        impl Payload {
            /// Reads the payload of a kind; `None` when the kind is not known here. A reader that meets one it does
            /// not know, or one that does not fit, keeps the text and goes on: the effects tell it the state.
            pub fn read(kind: &str, data: &str) -> Option<Result<Self, InvalidData>> {
                match kind { $($event => Some(read(data).map(Self::$of_event)),)* _ => None }
            }

            /// Whether this release knows the kind.
            pub(crate) fn knows(kind: &str) -> bool {
                matches!(kind, $($event)|*)
            }

            /// Reads the payload of a kind that is known.
            pub(crate) fn deserialize<'de, D: serde::Deserializer<'de>>(kind: &str, from: D) -> Result<Self, D::Error> {
                use serde::Deserialize as _;
                match kind {
                    $($event => kind::$of_event::deserialize(from).map(Self::$of_event),)*
                    _ => Err(serde::de::Error::custom("not a kind of this release")),
                }
            }
        }

        /// Checks the payload of a durable kind, canonical text; `None` when the kind is not known.
        pub fn check_event(kind: &str, data: &str) -> Option<Result<(), InvalidData>> {
            let typed = match kind { $($event => check::<kind::$of_event>(data),)* _ => return None };
            Some(typed.and_then(|()| rules::check(kind, data)))
        }

        /// Checks the data of a command; `None` when the command is not known.
        pub fn check_command(kind: &str, data: &str) -> Option<Result<(), InvalidData>> {
            match kind {
                $($command => Some(check::<kind::$of_command>(data)),)*
                _ => catalogue::vendor(kind).map(|_| check::<kind::VendorCommand>(data)),
            }
        }

        /// Checks the data of a signal; `None` when the signal is not known.
        pub fn check_signal(kind: &str, data: &str) -> Option<Result<(), InvalidData>> {
            match kind { $($signal => Some(check::<kind::$of_signal>(data)),)* _ => None }
        }

        #[cfg(test)]
        const EVENTS: &[&str] = &[$($event,)*];
        #[cfg(test)]
        const COMMANDS: &[&str] = &[$($command,)*];
        #[cfg(test)]
        const SIGNALS: &[&str] = &[$($signal,)*];
    };
}

crate::kind::payloads::with_payloads!(checks);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn catalogue_and_payloads_name_the_same_kinds() {
        assert_eq!(EVENTS, catalogue::KINDS.iter().map(|row| row.name).collect::<Vec<_>>());
        assert_eq!(COMMANDS, catalogue::COMMANDS.iter().map(|row| row.name).collect::<Vec<_>>());
        assert_eq!(SIGNALS, catalogue::SIGNALS.iter().map(|row| row.name).collect::<Vec<_>>());
    }

    #[test]
    fn a_missing_member_is_pointed_at() {
        let error = check_event("agent.statusChanged", "{}").unwrap().unwrap_err();
        assert_eq!(error.pointer, "/status");
        let nested = r#"{"conversationId":"c","author":{"type":"ghost"},"text":"","status":"complete"}"#;
        assert_eq!(check_event("message.created", nested).unwrap().unwrap_err().pointer, "/author/type");
        let nested = r#"{"repository":"a","branch":"b","pushedAt":"2026-11-22T14:00:00.123Z","commits":[{"id":"1","title":"t"},{"id":"2"}]}"#;
        assert_eq!(check_event("repo.pushed", nested).unwrap().unwrap_err().pointer, "/commits/1/title");
        assert_eq!(check_event("no.such", "{}"), None);
    }
}
