use std::collections::BTreeSet;

use otter_proto::catalogue::Role;
use otter_proto::event::RecordedEvent;
use otter_proto::frame::{Command, Lane, Publish, Published, Rejection, Reply};
use otter_proto::id::{BootId, CommandId, EntityKey, Epoch, EventId, InstanceId, MemberId, OrgId, Scope};
use otter_proto::publish::lane_of;
use otter_proto::wire::Json;
use otter_proto::{UnixMillis, hash};

use crate::ledger::{Actor, Ledger, StoreError};
use crate::log::Commit;
use crate::store::memory::MemoryStore;
use crate::store::{Reads, Store};

mod approvals;
mod bridge;
mod commands;
mod contract;
mod instances;
mod promises;
mod publishing;
mod refusals;
mod removal;
mod tasks;
mod unread;
mod vendor;
mod windows;

pub(super) const T0: u64 = 1_795_000_000_000;
pub(super) const CONVERSATION: &str = "in_1:c";

/// A hub's ledger over a store in memory, one instance `in_1`.
pub(super) struct World {
    pub(super) store: MemoryStore,
    pub(super) org: OrgId,
    pub(super) epoch: Epoch,
    pub(super) now: u64,
    pub(super) attached: BTreeSet<InstanceId>,
    next_n: [u64; 2],
    next_id: u64,
}

pub(super) fn instance() -> InstanceId {
    InstanceId::new("in_1").unwrap()
}

pub(super) fn conversation() -> Scope {
    Scope::parse(&format!("conversation/{CONVERSATION}")).unwrap()
}

/// The scope of the person who commands.
pub(super) fn own_scope() -> Scope {
    Scope::parse("member/mb_1").unwrap()
}

pub(super) fn command_id(n: u64) -> CommandId {
    CommandId::new(&format!("01900000-0000-7000-8000-{n:012}")).unwrap()
}

impl World {
    /// An empty org.
    pub(super) fn empty() -> Self {
        let mut world = Self {
            store: MemoryStore::new(),
            org: OrgId::new("org_1").unwrap(),
            epoch: Epoch::new("e1").unwrap(),
            now: T0,
            attached: BTreeSet::new(),
            next_n: [1, 1],
            next_id: 1,
        };
        world.start("e1");
        world
    }

    /// An org with an agent and a conversation.
    pub(super) fn with_conversation() -> Self {
        let mut world = Self::empty();
        world.one("agent.upserted", "in_1:main", r#"{"instanceId":"in_1","name":"Main"}"#);
        world.one(
            "conversation.upserted",
            CONVERSATION,
            r#"{"instanceId":"in_1","agentId":"in_1:main","address":{"kind":"session","sessionKey":"k"}}"#,
        );
        world
    }

    /// A new writer takes the org over.
    pub(super) fn start(&mut self, epoch: &str) {
        self.epoch = Epoch::new(epoch).unwrap();
        let epoch = self.epoch.clone();
        self.store.transaction(&self.org, &mut |rows| Ledger::start(rows, &epoch)).unwrap();
    }

    pub(super) fn transact<T>(
        &mut self,
        work: impl FnOnce(&mut Ledger<'_>) -> Result<T, StoreError>,
    ) -> Result<(T, Commit), StoreError> {
        let (org, epoch, now) = (self.org.clone(), self.epoch.clone(), UnixMillis(self.now));
        let (mut work, mut result) = (Some(work), None);
        self.store.transaction(&self.org, &mut |rows| {
            let mut ledger = Ledger::open(rows, &org, &epoch, now)?;
            let value = work.take().unwrap()(&mut ledger)?;
            result = Some((value, ledger.finish()?));
            Ok(())
        })?;
        Ok(result.unwrap())
    }

    pub(super) fn publish(&mut self, frame: &Publish) -> (Published, Commit) {
        self.transact(|ledger| ledger.publish(&instance(), frame)).unwrap()
    }

    /// Publishes one event on its lane, which must be accepted.
    pub(super) fn one(&mut self, kind: &str, subject: &str, data: &str) -> Commit {
        let (published, commit) = self.try_one(kind, subject, data);
        assert_eq!((published.error, published.rejected), (None, vec![]), "{kind}");
        commit
    }

    pub(super) fn try_one(&mut self, kind: &str, subject: &str, data: &str) -> (Published, Commit) {
        let event = self.event(kind, subject, data);
        self.try_event(kind, &event)
    }

    pub(super) fn try_event(&mut self, kind: &str, event: &str) -> (Published, Commit) {
        let lane = lane_of(kind).unwrap_or(Lane::Main);
        let first = self.next_n[usize::from(lane == Lane::Main)];
        self.next_n[usize::from(lane == Lane::Main)] += 1;
        self.publish(&publish(lane, 1, first, &[event.to_owned()]))
    }

    pub(super) fn event(&mut self, kind: &str, subject: &str, data: &str) -> String {
        self.next_id += 1;
        let in_conversation = ["message.", "run.", "step."].iter().any(|family| kind.starts_with(family));
        let conversation =
            if in_conversation { format!(r#""conversation":"{CONVERSATION}","#) } else { String::new() };
        format!(
            r#"{{"id":"ev_{}","kind":"{kind}","subject":"{subject}",{conversation}"data":{data}}}"#,
            self.next_id
        )
    }

    pub(super) fn command(&mut self, n: u64, kind: &str, data: &str) -> (Reply, Commit) {
        self.command_as(Role::Member, n, kind, data)
    }

    pub(super) fn command_as(&mut self, role: Role, n: u64, kind: &str, data: &str) -> (Reply, Commit) {
        let actor = Actor { id: MemberId::new("mb_1").unwrap(), name: Some("Ada".to_owned()), role };
        let command = Command { id: command_id(n), kind: kind.to_owned(), data: Json::new(data).unwrap() };
        let attached = self.attached.clone();
        self.transact(|ledger| ledger.command(&actor, &command, &attached)).unwrap()
    }

    pub(super) fn entity(&mut self, scope: &Scope, key: &str) -> Option<(String, bool)> {
        let key = EntityKey::parse(key).unwrap();
        let (row, _) = self.transact(|ledger| ledger.rows.entity(scope, &key)).unwrap();
        row.map(|row| (row.text, row.live))
    }

    /// The stored hash of a scope.
    pub(super) fn hash(&mut self, scope: &Scope) -> u64 {
        self.transact(|ledger| ledger.rows.scope(scope)).unwrap().0.hash
    }

    /// The hash that the live entities of a scope have.
    pub(super) fn hash_of_live(&self, scope: &Scope) -> u64 {
        let page = self.store.snapshot_page(&self.org, scope, None, usize::MAX).unwrap();
        page.rows.iter().fold(0, |sum: u64, row| sum.wrapping_add(hash::entity(&row.key, row.rev, &row.text)))
    }

    pub(super) fn live(&self, scope: &Scope) -> Vec<String> {
        let page = self.store.snapshot_page(&self.org, scope, None, usize::MAX).unwrap();
        page.rows.iter().map(|row| row.key.to_string()).collect()
    }
}

pub(super) fn publish(lane: Lane, producer_epoch: u64, first: u64, events: &[String]) -> Publish {
    Publish {
        lane,
        producer_epoch,
        first,
        events: events.iter().map(|event| Json::new(event).unwrap()).collect(),
        rejected_seen: None,
    }
}

pub(super) fn boots(names: &[&str]) -> Vec<BootId> {
    names.iter().map(|name| BootId::new(name).unwrap()).collect()
}

/// The events of a commit, one line each: scope, kind, effects, data.
pub(super) fn lines(commit: &Commit) -> Vec<String> {
    commit.appended.iter().map(|event| line(&event.text)).collect()
}

pub(super) fn line(text: &str) -> String {
    let event = RecordedEvent::parse(text).unwrap();
    let effects: Vec<String> = event
        .effects
        .iter()
        .map(|effect| {
            let value = effect.value.map(|value| format!("={value}")).unwrap_or_default();
            format!("{} {}{value}", effect.op, effect.entity)
        })
        .collect();
    format!("{} {} [{}] {}", event.scope, event.kind, effects.join(", "), event.data)
}

pub(super) fn rejection(
    n: u64,
    id: Option<&str>,
    code: otter_proto::error::ErrorCode,
    pointer: &str,
) -> Rejection {
    Rejection {
        n,
        id: id.map(|id| EventId::new(id).unwrap()),
        code,
        pointer: Some(pointer.to_owned()).filter(|pointer| !pointer.is_empty()),
    }
}
