//! Which histories an attach reads.

use crate::openclaw::attach::Attachment;
use crate::openclaw::ids::SessionKey;
use crate::openclaw::observed::{Delivery, Observed, Position, SessionSeen};

impl Attachment {
    /// Lets the position of a session wait for its history.
    pub(super) fn note_unread(&self, session: &SessionKey, observed: &mut Observed) {
        // Of a session that began while nobody was there all is news.
        let is_new = observed.meta.imported && !self.before.contains_key(session);
        let seen = observed.session(session);
        seen.import_pending = true;
        if is_new && seen.position.is_none() {
            seen.position = Some(Position::default());
        }
    }

    pub(super) fn worth_reading(&self, observed: &mut Observed) -> Vec<SessionKey> {
        let mut keys = self.changed(observed);
        if observed.meta.imported {
            // What is too much for now is read when it is heard of, or at the next attach.
            for key in &keys {
                self.note_unread(key, observed);
            }
            keys.truncate(MAX_CHANGED);
        } else {
            keys.truncate(FIRST_SESSIONS);
        }
        let undelivered = observed.sent.values().filter(|sent| sent.delivery < Delivery::Delivered);
        let open = observed.runs.values().map(|run| &run.session);
        let with_tasks = observed.sessions_with_tasks();
        for key in open.chain(undelivered.map(|sent| &sent.session)).chain(&with_tasks) {
            if !keys.contains(key) {
                keys.push(key.clone());
            }
        }
        keys.retain(|key| observed.uploads(key));
        keys
    }

    /// The sessions of whose transcripts something may be missing, those first that were at work last.
    fn changed(&self, observed: &Observed) -> Vec<SessionKey> {
        let is_changed = |(key, seen): &(&SessionKey, &SessionSeen)| {
            !observed.meta.imported
                || seen.has_gap()
                || self.before.get(*key).is_none_or(|before| *before != seen.activity_at)
        };
        let is_there =
            |(key, seen): &(&SessionKey, &SessionSeen)| seen.session.is_some() && observed.uploads(key);
        let mut sessions: Vec<_> = observed.sessions.iter().filter(is_there).filter(is_changed).collect();
        sessions.sort_by_key(|(_, seen)| std::cmp::Reverse(seen.activity_at));
        sessions.into_iter().map(|(key, _)| key.clone()).collect()
    }
}

/// Sessions whose history is read at the very first attach, and at a later one.
const FIRST_SESSIONS: usize = 20;
const MAX_CHANGED: usize = 100;
