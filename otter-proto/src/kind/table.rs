//! Which payload belongs to which name, and the check at the hub's door.

use serde::de::DeserializeOwned;

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

fn check<T: DeserializeOwned>(data: &str) -> Result<(), InvalidData> {
    serde_json::from_str::<T>(data).map(|_| ()).map_err(|error| {
        let words = error.to_string();
        let pointer = words
            .split('`')
            .nth(1)
            .filter(|_| words.starts_with("missing field"))
            .map_or_else(String::new, |name| format!("/{name}"));
        InvalidData { pointer, message: words }
    })
}

macro_rules! checks {
    (events: { $($event:literal => $of_event:ident,)* }
     commands: { $($command:literal => $of_command:ident,)* }
     signals: { $($signal:literal => $of_signal:ident,)* }) => {
        /// Checks the payload of a durable kind; `None` when the kind is not known.
        pub fn check_event(kind: &str, data: &str) -> Option<Result<(), InvalidData>> {
            match kind { $($event => Some(check::<kind::$of_event>(data)),)* _ => None }
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
        assert_eq!(check_event("no.such", "{}"), None);
    }
}
