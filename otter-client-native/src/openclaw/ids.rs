//! Ids: the gateway's words and the entity ids derived from them, always the same for the same fact.

use std::borrow::Cow;

use otter_proto::id::{CommandId, ConversationId, EntityId, InstanceId};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Longest rest of an entity id that is kept as it is.
const MAX_REST: usize = 120;

/// Makes the ids of what an instance publishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names(InstanceId);

impl Names {
    pub(crate) fn new(instance: InstanceId) -> Self {
        Self(instance)
    }

    pub(crate) fn instance(&self) -> &InstanceId {
        &self.0
    }

    /// Entity of something that the gateway calls `rest`; hashed when `rest` is longer than 120 or has characters
    /// that ids may not have.
    pub(crate) fn entity(&self, rest: &str) -> EntityId {
        let plain = (1..=MAX_REST).contains(&rest.len()) && rest.bytes().all(is_id_byte);
        let rest = if plain { Cow::Borrowed(rest) } else { Cow::Owned(short_hash(rest)) };
        entity_id(&format!("{}:{rest}", self.0))
    }

    /// Message that holds the answer of a run.
    pub(crate) fn answer(&self, run: &str) -> EntityId {
        entity_id(&format!("{}:answer", self.entity(run)))
    }

    /// Message that a command made.
    pub(crate) fn prompt(&self, command: &str) -> EntityId {
        self.entity(&format!("{command}:user"))
    }

    /// Message that marks a place in the transcript of a session.
    pub(crate) fn marker(&self, key: &SessionKey, row: &str) -> EntityId {
        self.entity(&format!("{}:{row}", short_hash(key.as_str())))
    }

    /// Entity of a command, which is its id.
    pub(crate) fn command(command: &CommandId) -> EntityId {
        entity_id(command.as_str())
    }

    /// Session of a gateway session key; its conversation has the same id.
    pub(crate) fn session(&self, key: &SessionKey) -> EntityId {
        entity_id(&format!("{}:{}", self.0, short_hash(key.as_str())))
    }

    /// Conversation of a gateway session key.
    #[allow(clippy::expect_used)]
    pub(crate) fn conversation(&self, key: &SessionKey) -> ConversationId {
        ConversationId::new(self.session(key).as_str()).expect(SHORT)
    }
}

#[allow(clippy::expect_used)]
fn entity_id(text: &str) -> EntityId {
    EntityId::new(text).expect(SHORT)
}

const SHORT: &str = "hubs give instances ids of at most 40 characters, rests are checked or hashed";

/// A gateway session key in the form that lists use.
///
/// Live frames of a cron job name each execution (`agent:a:cron:<job>:run:<uuid>`), lists do not; without the cut
/// each tick of a job would be a conversation of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SessionKey(String);

impl SessionKey {
    /// Reads a session key as the gateway writes it anywhere.
    #[must_use]
    pub fn new(key: &str) -> Self {
        let mut parts: Vec<&str> = key.split(':').collect();
        let cron = parts.iter().position(|part| *part == "cron");
        if let Some(cron) = cron.filter(|cron| parts.get(cron + 2) == Some(&"run")) {
            parts.truncate(cron + 2);
        }
        Self(parts.join(":"))
    }

    /// The main session of an agent.
    #[must_use]
    pub fn main(agent: &str, main_key: &str) -> Self {
        Self(format!("agent:{agent}:{main_key}"))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The agent that the gateway wrote into the key, for rows that carry no agent of their own.
    #[must_use]
    pub fn agent(&self) -> Option<&str> {
        self.0.strip_prefix("agent:")?.split(':').next().filter(|agent| !agent.is_empty())
    }
}

fn is_id_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'-')
}

/// The first 26 characters of lowercase base32 of SHA-256: 130 bits.
fn short_hash(text: &str) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let digest = Sha256::digest(text.as_bytes());
    let bit = |index: usize| digest.get(index / 8).map_or(0, |byte| byte >> (7 - index % 8) & 1);
    (0..26)
        .map(|char| (0..5).fold(0, |value, offset| value << 1 | bit(char * 5 + offset)))
        .filter_map(|value| ALPHABET.get(usize::from(value)).copied().map(char::from))
        .collect()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn cron_executions_share_the_key_of_their_job() {
        let live = SessionKey::new("agent:main:cron:6f2a2416:run:b5451d96-ed6e");
        assert_eq!(live, SessionKey::new("agent:main:cron:6f2a2416"));
        assert_eq!(SessionKey::new("agent:main:main").as_str(), "agent:main:main");
        assert_eq!(SessionKey::new("agent:main:subagent:run:x").as_str(), "agent:main:subagent:run:x");
        assert_eq!(live.agent(), Some("main"));
    }

    #[test]
    fn conversation_ids_are_26_characters_of_base32() {
        let names = Names::new(InstanceId::new("in_a").unwrap());
        // python3: base64.b32encode(hashlib.sha256(b"agent:main:main").digest()).decode().lower()[:26]
        assert_eq!(
            names.conversation(&SessionKey::new("agent:main:main")).as_str(),
            "in_a:nwjbp7txy7yr3hgjskvl5anc2c"
        );
    }

    #[test]
    fn only_odd_or_long_rests_are_hashed() {
        let names = Names::new(InstanceId::new("in_a").unwrap());
        assert_eq!(names.entity("b.c_D:1-2").as_str(), "in_a:b.c_D:1-2");
        assert_eq!(names.entity("with space").as_str().len(), 5 + 26);
        assert_eq!(names.entity(&"x".repeat(121)).as_str().len(), 5 + 26);
        assert_eq!(names.answer("r1").as_str(), "in_a:r1:answer");
    }
}
