//! The judge. It sees what the hub committed and what clients were told, and knows nothing of how they work.

use std::collections::{BTreeMap, BTreeSet};

use otter_proto::catalogue;
use otter_proto::connection::client::{ClientConnection, ListState};
use otter_proto::event::RecordedEvent;
use otter_proto::frame::{Lane, Lanes, Published};
use otter_proto::id::{EntityId, Scope};
use otter_proto::state::ScopeState;
use otter_proto::text::member;
use otter_server::log::{Commit, Reader};
use otter_server::store::ListAsk;

use crate::hub::org;

/// What was recorded and seen.
#[derive(Default)]
pub(crate) struct Oracle {
    /// Every event ever committed, by epoch and seq: also those that a restore took back.
    recorded: BTreeMap<(String, u64), String>,
    /// The last event each client was told of a scope, by its text.
    seen: BTreeMap<(usize, Scope), (u64, String)>,
    /// The same by seq and text, whatever the epoch.
    known: BTreeSet<(u64, String)>,
    /// The first seq of the newest commit.
    first_of_commit: u64,
    /// The state hash of a scope after the last event that one commit wrote in it.
    hashes: BTreeMap<(Scope, u64), u64>,
    /// What the gateways wrote of each answer: each text that was begun anew, as far as it got.
    texts: BTreeMap<EntityId, Vec<String>>,
    /// Who ever wrote in which conversation.
    typed: BTreeSet<(String, Scope)>,
    /// Up to where an instance was told that its events are on the disk, by lane and generation of its outbox.
    acked: BTreeMap<(usize, Lane, u64), u64>,
    /// Clients that know that they may miss something, and whether they are up to date again.
    interrupted: BTreeMap<(usize, Scope), bool>,
}

impl Oracle {
    /// The hub committed this.
    pub(crate) fn recorded(&mut self, commit: &Commit) {
        self.first_of_commit = commit.head + 1 - commit.appended.len() as u64;
        let mut last = BTreeMap::new();
        for event in &commit.appended {
            self.recorded.insert((commit.epoch.to_string(), event.seq), event.text.to_string());
            self.known.insert((event.seq, event.text.to_string()));
            self.hashes.remove(&(event.scope.clone(), event.seq));
            last.insert(&event.scope, event.seq);
        }
        let hashes = last
            .into_iter()
            .filter_map(|(scope, seq)| Some(((scope.clone(), seq), *commit.hashes.get(scope)?)));
        self.hashes.extend(hashes);
    }

    /// An instance was told that the hub has its events up to there.
    pub(crate) fn acked(&mut self, client: usize, answer: &Published) {
        let acked = self.acked.entry((client, answer.lane, answer.producer_epoch)).or_default();
        *acked = answer.up_to.max(*acked);
    }

    /// The hub says what it has, in a run without restores: all that it ever acknowledged.
    pub(crate) fn judge_lanes(&self, client: usize, lanes: &Lanes) {
        for (lane, has) in [(Lane::Main, &lanes.main), (Lane::Bulk, &lanes.bulk)] {
            let acked = self.acked.get(&(client, lane, has.producer_epoch)).copied().unwrap_or(0);
            assert!(has.up_to >= acked, "the hub acknowledged {acked} and has {has:?}");
        }
    }

    pub(crate) fn first_of_commit(&self) -> u64 {
        self.first_of_commit
    }

    /// The state hash that the hub computed when it wrote this event, the last one of its scope in its commit.
    pub(crate) fn hash(&self, scope: &Scope, seq: u64) -> Option<u64> {
        self.hashes.get(&(scope.clone(), seq)).copied()
    }

    /// A gateway writes: this is its text so far.
    pub(crate) fn writes(&mut self, run: &EntityId, text: &str) {
        let versions = self.texts.entry(run.clone()).or_default();
        match versions.last_mut() {
            Some(last) if text.starts_with(last.as_str()) => text.clone_into(last),
            _ => versions.push(text.to_owned()),
        }
    }

    /// Which text of a run the shown one is the beginning of: never an earlier one than before, and of the same one
    /// never less. `None` when there is none.
    pub(crate) fn reached(
        &self,
        run: &EntityId,
        shown: &str,
        before: (usize, usize),
    ) -> Option<(usize, usize)> {
        let versions = self.texts.get(run)?.iter().enumerate();
        let fits = versions.filter(|(_, text)| text.starts_with(shown)).map(|(at, _)| (at, shown.len()));
        fits.filter(|reached| *reached >= before).min()
    }

    /// A person writes in a conversation.
    pub(crate) fn types(&mut self, member: &str, scope: &Scope) {
        self.typed.insert((member.to_owned(), scope.clone()));
    }

    /// Somebody is said to write: they did.
    pub(crate) fn judge_typing(&self, member: &str, scope: &Scope) {
        assert!(self.typed.contains(&(member.to_owned(), scope.clone())), "{member} never wrote in {scope}");
    }

    /// A client process ended: the next one starts from nothing.
    pub(crate) fn forget(&mut self, client: usize) {
        self.seen.retain(|(of, _), _| *of != client);
        self.interrupted.retain(|(of, _), _| *of != client);
    }

    /// A client knows that it may have missed something, until it is live again.
    pub(crate) fn interrupted(&mut self, client: usize, scope: &Scope, live: bool) {
        self.interrupted.insert((client, scope.clone()), live);
    }

    /// A client was told of an event: it was committed just so, it is new to the client, and nothing between it and
    /// the one before is missing unless the client knows.
    pub(crate) fn applied(&mut self, client: usize, scope: &Scope, seq: u64, text: &str) {
        let event = RecordedEvent::parse(text).expect("an event of the log");
        assert_eq!((event.seq, &event.scope), (seq, scope));
        assert!(
            self.known.contains(&(seq, text.to_owned())),
            "client {client} was told of an event that was never committed: {text}"
        );
        let key = (client, scope.clone());
        let warned = self.interrupted.contains_key(&key);
        if self.interrupted.get(&key) == Some(&true) {
            self.interrupted.remove(&key);
        }
        if let Some((before, _)) = self.seen.insert((client, scope.clone()), (seq, text.to_owned()))
            && !warned
        {
            assert!(seq > before, "client {client} was told of {seq} of {scope} after {before}");
            assert!(
                event.prev <= before,
                "client {client} missed something of {scope} between {before} and {seq}"
            );
        }
    }

    /// The log is one sequence without holes, each scope a chain in it, no event id twice.
    pub(crate) fn judge_log(&self, reader: &Reader) {
        let head = reader.head(&org()).unwrap();
        let mut seqs = BTreeMap::new();
        let mut ids = BTreeSet::new();
        for scope in self.scopes() {
            let mut before = 0;
            let mut fold = ScopeState::new();
            let mut counts = BTreeMap::new();
            for (seq, text) in reader.events_after(&org(), &scope, 0, usize::MAX).unwrap().events {
                let event = RecordedEvent::parse(&text).unwrap();
                fold.apply(&event);
                for effect in &event.effects {
                    let entity = fold.get(&effect.entity).and_then(|entity| message_count(&entity.text));
                    let Some(count) = entity else { continue };
                    let before = counts.insert(effect.entity.clone(), count).unwrap_or(0);
                    assert!(before <= count, "{}: {before} messages, then {count}", effect.entity);
                }
                assert_eq!(event.prev, before, "{scope}: the chain is broken at {seq}");
                assert!(ids.insert(event.id.clone()), "event {} is twice in the log", event.id);
                seqs.insert(seq, scope.clone());
                before = seq;
            }
        }
        let all: Vec<u64> = seqs.keys().copied().collect();
        assert_eq!(all, (1..=head).collect::<Vec<_>>(), "the log has holes");
    }

    fn scopes(&self) -> BTreeSet<Scope> {
        self.recorded.values().map(|text| RecordedEvent::parse(text).unwrap().scope).collect()
    }

    /// The rows a client keeps besides the live ones are the hub's, and its list has no hole.
    pub(crate) fn judge_rows(
        client: &str,
        scope: &Scope,
        machine: &ClientConnection,
        list: Option<&ListState>,
        reader: &Reader,
    ) {
        let ask = ListAsk { entity_type: "message", before: None, limit: usize::MAX, max_bytes: usize::MAX };
        let hub = reader.list_page(&org(), scope, ask).unwrap().rows;
        let state = machine.state(scope).unwrap_or_else(|| panic!("{client} has no state of {scope}"));
        for (key, entity) in state.iter().filter(|(key, _)| key.entity_type() == "message") {
            let row = hub.iter().find(|row| row.key == *key);
            let row =
                row.unwrap_or_else(|| panic!("{client} has {key}, which is gone from {scope}")).row.clone();
            assert_eq!(
                (entity.rev, entity.live, &entity.text),
                (row.rev, row.live, &row.text),
                "{client} {scope} {key}"
            );
        }
        let window = catalogue::entity("message").unwrap().window.rows as usize;
        for (at, row) in hub.iter().enumerate() {
            assert_eq!(row.row.live, at < window, "{scope}: {} is number {at} from the newest", row.key);
        }
        let Some(list) = list else { return };
        assert!(!list.loading, "{client} waits for a page of {scope}");
        for row in &hub {
            let place = (row.row.order.as_str(), row.key.id());
            let reached = list.oldest.as_ref().map(|oldest| (oldest.order.as_str(), oldest.id.as_str()));
            let is_listed = if list.more { reached.is_some_and(|oldest| place >= oldest) } else { true };
            assert!(!is_listed || state.get(&row.key).is_some(), "{client} misses {} in {scope}", row.key);
        }
    }

    /// A client's state of a scope is the hub's, entity by entity, and the fold of the log.
    pub(crate) fn judge_state(client: &str, scope: &Scope, machine: &ClientConnection, reader: &Reader) {
        let read = reader.snapshot_page(&org(), scope, None, usize::MAX).unwrap();
        let hub: Vec<(String, u64, String)> =
            read.rows.iter().map(|row| (row.key.to_string(), row.rev, row.text.to_string())).collect();
        let state = machine.state(scope).unwrap_or_else(|| panic!("{client} has no state of {scope}"));
        let own: Vec<(String, u64, String)> =
            state.live().map(|(key, entity)| (key.to_string(), entity.rev, entity.text.clone())).collect();
        assert_eq!(own, hub, "{client} and the hub differ in {scope}");
        let mut fold = ScopeState::new();
        for (_, text) in reader.events_after(&org(), scope, 0, usize::MAX).unwrap().events {
            fold.apply(&RecordedEvent::parse(&text).unwrap());
        }
        assert_eq!(
            fold.hash(),
            read.last.map_or(0, |last| last.hash),
            "the hub's hash of {scope} is not that of its log"
        );
        let pos = machine.position(scope).map(|position| position.pos);
        let head = read.last.map(|last| last.head);
        assert!(pos >= head, "{client} stands at {pos:?} of {scope}, its head is {head:?}");
    }
}

/// How many messages a conversation has, or a mark says were read.
fn message_count(text: &str) -> Option<u64> {
    member(text, "messageCount")?.parse().ok()
}
