//! The sessions that were seen, and which of them are nobody's business.

use std::collections::BTreeSet;

use otter_proto::id::ConversationId;

use crate::openclaw::ids::SessionKey;
use crate::openclaw::observed::{Delivery, Observed, SessionSeen};

impl Observed {
    /// Never lets sessions leave this machine whose key contains one of `patterns`, nor those that they began, and lets
    /// nobody reach them. What is open there ends with [`translate::handle_excluded`](crate::openclaw::translate::handle_excluded).
    pub fn exclude_sessions(&mut self, patterns: Vec<String>) {
        self.excluded = patterns;
    }

    /// Whether frames of this session may leave the machine.
    pub(crate) fn uploads(&self, key: &SessionKey) -> bool {
        self.excluded.is_empty() || !self.descends_from_excluded(key)
    }

    /// Whether there are sessions that never leave this machine.
    pub(crate) fn excludes(&self) -> bool {
        !self.excluded.is_empty()
    }

    /// The session key of a conversation, once something of it was seen; none of a session that is excluded.
    #[must_use]
    pub fn session_of(&self, conversation: &ConversationId) -> Option<SessionKey> {
        self.keys.get(conversation).filter(|key| self.uploads(key)).cloned()
    }

    /// What was seen of a session, to be changed. Of too many sessions the one that was quiet for longest is forgotten;
    /// when it is heard of again, it is told anew.
    pub(crate) fn session(&mut self, key: &SessionKey) -> &mut SessionSeen {
        if !self.sessions.contains_key(key) {
            self.make_room();
            self.keys.insert(self.names.conversation(key), key.clone());
        }
        self.dirty.insert(format!("session/{}", key.as_str()));
        self.sessions.entry(key.clone()).or_default()
    }

    pub(super) fn restore_session(&mut self, key: SessionKey, seen: SessionSeen) {
        self.keys.insert(self.names.conversation(&key), key.clone());
        self.sessions.insert(key, seen);
    }

    fn make_room(&mut self) {
        while self.sessions.len() >= MAX_SESSIONS {
            let undelivered = self.sent.values().filter(|sent| sent.delivery < Delivery::Delivered);
            let with_runs = self.runs.values().map(|run| &run.session);
            let needed: BTreeSet<&SessionKey> =
                with_runs.chain(undelivered.map(|sent| &sent.session)).collect();
            let worth = |(key, seen): &(&SessionKey, &SessionSeen)| {
                (needed.contains(key), seen.session.is_some(), seen.activity_at)
            };
            let Some(key) = self.sessions.iter().min_by_key(worth).map(|(key, _)| key.clone()) else {
                return;
            };
            self.keys.remove(&self.names.conversation(&key));
            self.sessions.remove(&key);
            self.held.remove(&key);
            self.dirty.insert(format!("session/{}", key.as_str()));
        }
    }
}

/// More than a gateway is asked to list.
const MAX_SESSIONS: usize = 8_192;

#[cfg(test)]
mod tests {
    use otter_proto::id::InstanceId;
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::*;
    use crate::openclaw::observed::ObservedRow;

    #[test]
    fn sessions_without_number_do_not_fill_the_memory() {
        let mut observed = Observed::new(InstanceId::new("in_a").unwrap());
        let key = |n: u64| SessionKey::new(&format!("agent:main:dashboard:{n}"));
        for n in 0..MAX_SESSIONS as u64 {
            let seen = observed.session(&key(n));
            (seen.activity_at, seen.session) = (1_000 + n, Some(json!({})));
        }
        // One that has ended goes before one that is quiet.
        observed.session(&key(7)).session = None;
        observed.take_changes();
        observed.session(&key(90_000));
        assert_eq!(observed.sessions.len(), MAX_SESSIONS);
        let gone = ObservedRow { key: "session/agent:main:dashboard:7".to_owned(), value: None };
        assert!(observed.take_changes().contains(&gone));
        let found = |n: u64| observed.session_of(&observed.names.conversation(&key(n)));
        assert_eq!((found(7), found(0), found(90_000)), (None, Some(key(0)), Some(key(90_000))));
    }
}
