//! Ids: the gateway's words and the entity ids derived from them, always the same for the same fact.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Longest rest of an entity id that is kept as it is.
const MAX_REST: usize = 120;

/// The instance in whose name a bridge publishes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct InstanceId(String);

impl InstanceId {
    /// Wraps the id that the hub gave.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Entity id of something that the gateway calls `rest`; hashed when `rest` is longer than 120 or has
    /// characters that ids may not have.
    #[must_use]
    pub fn entity(&self, rest: &str) -> String {
        let plain = (1..=MAX_REST).contains(&rest.len()) && rest.bytes().all(is_id_byte);
        if plain { format!("{}:{rest}", self.0) } else { format!("{}:{}", self.0, short_hash(rest)) }
    }

    /// Conversation (and session) of a gateway session key.
    #[must_use]
    pub fn conversation(&self, key: &SessionKey) -> ConversationId {
        ConversationId(format!("{}:{}", self.0, short_hash(key.as_str())))
    }

    /// Run entity of a gateway run id.
    #[must_use]
    pub fn run(&self, run: &str) -> RunId {
        RunId(self.entity(run))
    }

    /// Message entity that holds the answer of a run.
    #[must_use]
    pub fn answer(&self, run: &str) -> String {
        format!("{}:answer", self.entity(run))
    }
}

/// Id of a conversation, which is also the id of its session.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ConversationId(String);

impl ConversationId {
    /// Wraps an id that came from the hub.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Entity id of a run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RunId(String);

impl RunId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

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
        let instance = InstanceId::new("in_a");
        // python3: base64.b32encode(hashlib.sha256(b"agent:main:main").digest()).decode().lower()[:26]
        assert_eq!(instance.conversation(&SessionKey::new("agent:main:main")).as_str(), "in_a:nwjbp7txy7yr3hgjskvl5anc2c");
    }

    #[test]
    fn only_odd_or_long_rests_are_hashed() {
        let instance = InstanceId::new("in_a");
        assert_eq!(instance.entity("b.c_D:1-2"), "in_a:b.c_D:1-2");
        assert_eq!(instance.entity("with space").len(), 5 + 26);
        assert_eq!(instance.entity(&"x".repeat(121)).len(), 5 + 26);
        assert_eq!(instance.answer("r1"), "in_a:r1:answer");
    }
}
