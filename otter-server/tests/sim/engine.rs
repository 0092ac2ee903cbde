//! The hub's writer on virtual time: the real ledger over the store in memory.

use std::collections::BTreeMap;

use otter_proto::UnixMillis;
use otter_proto::catalogue::Role;
use otter_proto::error::ErrorBody;
use otter_proto::frame::{Command, Principal, Publish, Published, Reply};
use otter_proto::id::{BootId, Epoch, InstanceId, MemberId};
use otter_server::ledger::{Actor, Admitted, Ledger, StoreError};
use otter_server::log::{Commit, Reader};
use std::sync::Arc;

use otter_server::store::Store;
use otter_server::store::memory::{Copy, MemoryStore};

use crate::disk::{Disk, Memory};
use crate::hub::org;
use crate::link::LinkId;
use crate::mutants::Mutant;
use crate::rng::Rng;

/// What the writer is asked.
#[derive(Debug)]
pub(crate) enum Request {
    Publish(LinkId, Principal, Publish),
    Command(LinkId, Principal, Command),
    Attach(LinkId, Principal, Vec<BootId>),
    /// The grace time of an instance is over.
    Disconnected(InstanceId),
}

/// What it answers.
#[derive(Debug)]
pub(crate) enum Answered {
    Published(Published),
    Reply(Reply),
    Attached(Result<Admitted, ErrorBody>),
    Nothing,
}

/// The log of the simulated hub.
pub(crate) struct Engine {
    store: MemoryStore,
    backups: Vec<Copy>,
    epoch: Epoch,
    attached: BTreeMap<InstanceId, LinkId>,
    pub(crate) mutant: Option<Mutant>,
    memory: Memory,
    before_last: Option<Copy>,
}

impl Engine {
    pub(crate) fn new(_seed: u64) -> Self {
        Self {
            store: MemoryStore::default(),
            backups: Vec::new(),
            epoch: Epoch::new("e0").unwrap(),
            attached: BTreeMap::new(),
            mutant: None,
            memory: Memory::default(),
            before_last: None,
        }
    }

    /// A process start: a new epoch over what the disk holds.
    pub(crate) fn start(&mut self, _now: UnixMillis, salt: u64) {
        self.epoch = Epoch::new(&format!("e{salt:016x}")).unwrap();
        let epoch = self.epoch.clone();
        self.store.transaction(&org(), &mut |rows| Ledger::start(rows, &epoch)).unwrap();
        self.attached.clear();
        if self.backups.len() < 8 {
            self.backups.push(self.store.copy());
        }
    }

    /// The process is killed. What was committed is on disk; nothing else was promised.
    pub(crate) fn crash(&mut self) {
        self.attached.clear();
        if let Some(before) = self.before_last.take() {
            self.store.restore(before);
        }
    }

    /// Puts an older copy of the disk back, as an operator does after losing one.
    pub(crate) fn restore(&mut self, rng: &mut Rng) -> bool {
        let at = rng.range(0, self.backups.len() as u64 - 1) as usize;
        self.store.restore(self.backups[at].clone());
        self.backups.truncate(at + 1);
        true
    }

    pub(crate) fn epoch(&self) -> Epoch {
        self.epoch.clone()
    }

    pub(crate) fn reader(&self) -> Reader {
        Reader::new(Arc::new(self.store.clone()))
    }

    pub(crate) fn is_attached(&self, instance: &InstanceId) -> bool {
        self.attached.contains_key(instance)
    }

    /// The socket of an instance is gone.
    pub(crate) fn detached(&mut self, principal: &Principal, link: LinkId) {
        self.attached.retain(|instance, at| instance.as_str() != principal.id || *at != link);
    }

    /// Commits what was gathered in one transaction.
    pub(crate) fn commit(
        &mut self,
        requests: Vec<Request>,
        now: UnixMillis,
        _salt: u64,
    ) -> (Vec<Commit>, Vec<(LinkId, Answered)>) {
        if self.mutant == Some(Mutant::AnswersBeforeSync) {
            self.before_last = Some(self.store.copy());
        }
        let (epoch, attached) = (self.epoch.clone(), &mut self.attached);
        let (mutant, memory) = (self.mutant, &mut self.memory);
        let mut requests = Some(requests);
        let (mut commit, mut answers) = (None, Vec::new());
        self.store
            .transaction(&org(), &mut |rows| {
                let mut disk = Disk { rows, mutant, memory };
                let mut ledger = Ledger::open(&mut disk, &org(), &epoch, now)?;
                ledger.expire(16)?;
                for request in requests.take().into_iter().flatten() {
                    answers.push(answer(&mut ledger, attached, request)?);
                }
                commit = Some(ledger.finish()?);
                Ok(())
            })
            .unwrap();
        (commit.into_iter().collect(), answers)
    }
}

fn answer(
    ledger: &mut Ledger<'_>,
    attached: &mut BTreeMap<InstanceId, LinkId>,
    request: Request,
) -> Result<(LinkId, Answered), StoreError> {
    Ok(match request {
        Request::Publish(link, principal, publish) => {
            let instance = InstanceId::new(&principal.id).unwrap();
            (link, Answered::Published(ledger.publish(&instance, &publish)?))
        }
        Request::Command(link, principal, command) => {
            let actor =
                Actor { id: MemberId::new(&principal.id).unwrap(), name: principal.name, role: Role::Member };
            let there = attached.keys().cloned().collect();
            (link, Answered::Reply(ledger.command(&actor, &command, &there)?))
        }
        Request::Attach(link, principal, boots) => {
            let instance = InstanceId::new(&principal.id).unwrap();
            let admitted = ledger.attach(&instance, &boots, Some("sim"), None)?;
            if admitted.is_ok() {
                attached.insert(instance, link);
            }
            (link, Answered::Attached(admitted))
        }
        Request::Disconnected(instance) => {
            if !attached.contains_key(&instance) {
                ledger.disconnected(&instance, "connectionLost")?;
            }
            (LinkId(0), Answered::Nothing)
        }
    })
}
