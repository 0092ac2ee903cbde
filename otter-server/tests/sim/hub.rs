//! The hub: real connection machines, the real ledger, a store in memory, and a driver on virtual time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use otter_proto::connection::server::{
    Admission, Need, PageAsk, Piece, ServerConfig, ServerConnection, SnapshotEnd, SnapshotRead, Start,
    Ticket, Transmit,
};
use otter_proto::error::CloseCode;
use otter_proto::frame::{Principal, PrincipalType, ServerInfo, SnapshotRow};
use otter_proto::id::{InstanceId, OrgId, Scope};
use otter_proto::wire::Positions;
use otter_proto::{UnixMillis, frame};
use otter_server::conn::fetches::{self, Fetched};
use otter_server::log::{Commit, Resume};
use otter_server::signals::Signals;
use otter_server::store;

use crate::engine::{Answered, Engine, Request};
use crate::link::LinkId;
use crate::mutants::Mutant;
use crate::signals::Absence;
use crate::world::{Happening, World};

/// How long an instance of an earlier process run may take to come back.
const GRACE_MS: u64 = 10_000;
/// The wall clock of the hub at virtual time 0.
const EPOCH_MS: u64 = 1_795_000_000_000;

/// What was read for a connection, as it was at the time of reading.
#[derive(Debug)]
pub(crate) enum Answer {
    Subscribed(Ticket, Start),
    Events(Ticket, store::EventPage, Scope),
    Snapshot(Ticket, store::SnapshotRead, Scope),
    Fetched(Ticket, u64, Fetched),
    Heads(u64, Vec<(Scope, u64)>),
}

/// The hub's end of one socket.
pub(crate) struct Peer {
    pub(crate) machine: ServerConnection,
    pub(crate) principal: Principal,
    pub(crate) scopes: BTreeSet<Scope>,
    /// A person who was welcomed, and whom others see.
    pub(crate) is_present: bool,
    /// It is closed because nothing was heard of it.
    pub(crate) is_silent: bool,
    next_timer: u64,
}

pub(crate) struct Hub {
    pub(crate) engine: Engine,
    pub(crate) signals: Signals,
    pub(crate) peers: BTreeMap<LinkId, Peer>,
    up: bool,
    /// Counts process runs, so that what an earlier one had in flight is not heard.
    run: u64,
    waiting: Vec<Request>,
    syncing: bool,
}

impl Hub {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            engine: Engine::new(seed),
            signals: Signals::default(),
            peers: BTreeMap::new(),
            up: false,
            run: 0,
            waiting: Vec::new(),
            syncing: false,
        }
    }

    pub(crate) fn is_up(&self) -> bool {
        self.up
    }

    pub(crate) fn run(&self) -> u64 {
        self.run
    }
}

pub(crate) fn org() -> OrgId {
    OrgId::new("org_sim").unwrap()
}

impl World {
    pub(crate) fn unix(&self) -> UnixMillis {
        UnixMillis(EPOCH_MS + self.now)
    }

    pub(crate) fn hub_starts(&mut self) {
        if self.hub.up {
            return;
        }
        self.hub.up = true;
        self.hub.run += 1;
        let (now, salt) = (self.unix(), self.rng.next());
        self.hub.engine.start(now, salt);
        // Whoever was connected when the last process ended has its grace time to come back.
        for at in 0..self.clients.len() {
            if let Ok(instance) = InstanceId::new(&self.clients[at].id) {
                self.after(GRACE_MS, Happening::Absent(self.hub.run, Absence::Instance(instance)));
            }
        }
    }

    pub(crate) fn hub_crashes(&mut self) {
        self.hub.up = false;
        self.hub.syncing = false;
        self.hub.waiting.clear();
        self.hub.engine.crash();
        self.hub.signals = Signals::default();
        for id in std::mem::take(&mut self.hub.peers).into_keys() {
            self.send_down(id, Happening::GoneAtClient(id, 1006, String::new()));
        }
    }

    pub(crate) fn hub_restores(&mut self) -> bool {
        self.hub.engine.restore(&mut self.rng)
    }

    /// A socket arrives. Nobody listens while the hub is down.
    pub(crate) fn hub_accepts(&mut self, id: LinkId) {
        if !self.hub.up {
            self.send_down(id, Happening::GoneAtClient(id, 1006, "refused".to_owned()));
            return;
        }
        let Some(link) = self.links.get(&id) else { return };
        let principal = self.clients[link.client].principal();
        let config = ServerConfig::new(ServerInfo { name: "sim".to_owned(), version: "0".to_owned() });
        let machine = ServerConnection::new(config, self.instant());
        let peer = Peer {
            machine,
            principal,
            scopes: BTreeSet::new(),
            is_present: false,
            is_silent: false,
            next_timer: 0,
        };
        self.hub.peers.insert(id, peer);
        self.send_down(id, Happening::Opened(id));
        self.drive_peer(id);
    }

    pub(crate) fn hub_message(&mut self, id: LinkId, text: &str) {
        let now = self.instant();
        let Some(peer) = self.hub.peers.get_mut(&id) else { return };
        peer.machine.handle_message(text, now);
        self.drive_peer(id);
    }

    pub(crate) fn hub_lost(&mut self, id: LinkId) {
        let now = self.instant();
        if let Some(peer) = self.hub.peers.get_mut(&id) {
            peer.machine.handle_closed(now);
            self.drive_peer(id);
            if let Some(peer) = self.hub.peers.remove(&id) {
                self.hub.engine.detached(&peer.principal, id);
                self.hub_socket_gone(&peer);
            }
        }
        self.links.remove(&id);
    }

    pub(crate) fn hub_timer(&mut self, id: LinkId) {
        let now = self.instant();
        let Some(peer) = self.hub.peers.get_mut(&id) else { return };
        if peer.next_timer != now.0 {
            return;
        }
        peer.next_timer = 0;
        peer.machine.handle_timeout(now);
        self.drive_peer(id);
    }

    /// What was gathered is on disk: fan it out, then answer.
    pub(crate) fn hub_synced(&mut self, run: u64) {
        if run != self.hub.run || !self.hub.up {
            return;
        }
        self.hub.syncing = false;
        let requests = std::mem::take(&mut self.hub.waiting);
        let (now, salt) = (self.unix(), self.rng.next());
        let (commits, answers) = self.hub.engine.commit(requests, now, salt);
        for commit in &commits {
            self.fan_out(commit);
        }
        for (id, answer) in answers {
            self.answered(id, answer);
        }
    }

    fn fan_out(&mut self, commit: &Commit) {
        self.outcome.events += commit.appended.len() as u64;
        let written = |kind: &str| {
            let member = format!("\"kind\":\"{kind}\"");
            commit.appended.iter().filter(|event| event.text.contains(&member)).count() as u64
        };
        self.outcome.decided += written("approval.decided");
        self.outcome.reopened += written("approval.reopened");
        self.outcome.tasks += written("task.upserted");
        self.outcome.marks += written("mark.updated");
        self.outcome.feed += written("feed.itemUpdated");
        self.outcome.delivered += written("message.deliveryChanged");
        let evicts = commit.appended.iter().filter(|event| event.text.contains("\"op\":\"evict\""));
        self.outcome.evicted += evicts.count() as u64;
        self.oracle.recorded(commit);
        let news = if self.is(Mutant::KeepsText) { Vec::new() } else { self.settle_signals(commit) };
        let (sleeps, keeps) = (self.errs(Mutant::LosesWakeUp, 4), self.errs(Mutant::KeepsCommand, 3));
        for (_, command) in &commit.dispatch {
            self.judge_dispatch(command);
        }
        let touched: BTreeSet<&Scope> = commit.appended.iter().map(|event| &event.scope).collect();
        let mut moved = Vec::new();
        for (id, peer) in &mut self.hub.peers {
            for scope in touched.iter().filter(|scope| !sleeps && peer.scopes.contains(**scope)) {
                peer.machine.handle_news(scope);
            }
            for (instance, command) in commit.dispatch.iter().filter(|_| !keeps) {
                if peer.principal.principal_type == PrincipalType::Instance
                    && peer.principal.id == instance.as_str()
                {
                    peer.machine.dispatch(command.clone());
                }
            }
            moved.push(*id);
        }
        for id in moved {
            self.drive_peer(id);
        }
        for signal in news {
            self.pass_on(Some(signal));
        }
    }

    fn answered(&mut self, id: LinkId, answer: Answered) {
        let early = self.is(Mutant::AnswersTooEarly);
        if let Answered::Attached(Ok(attached)) = &answer {
            for command in &attached.outstanding {
                self.judge_dispatch(command);
            }
        }
        let now = self.instant();
        let (time, epoch) = (self.unix(), self.hub.engine.epoch());
        let Some(peer) = self.hub.peers.get_mut(&id) else { return };
        match answer {
            Answered::Published(frame) => peer.machine.published(frame),
            Answered::Reply(mut frame) => {
                if let Some(accepted) = frame.accepted.as_mut().filter(|_| early) {
                    accepted.at = Positions(accepted.at.0.keys().map(|scope| (scope.clone(), 0)).collect());
                }
                self.outcome.accepted += u64::from(frame.accepted.is_some());
                peer.machine.reply(frame);
            }
            Answered::Nothing => {}
            Answered::Attached(Ok(attached)) => {
                let principal = peer.principal.clone();
                let admission =
                    Admission { principal, server_time: time, epoch, lanes: Some(attached.lanes) };
                peer.machine.welcome(admission, now);
                for command in attached.outstanding {
                    peer.machine.dispatch(command);
                }
            }
            Answered::Attached(Err(error)) => {
                peer.machine.refuse(error, CloseCode::Forked);
            }
        }
        self.drive_peer(id);
    }

    /// Drains a machine: questions first, then what goes to the socket, then its timer.
    pub(crate) fn drive_peer(&mut self, id: LinkId) {
        while let Some(need) = self.hub.peers.get_mut(&id).and_then(|peer| peer.machine.poll_event()) {
            self.hub_need(id, need);
        }
        while let Some(transmit) = self.hub.peers.get_mut(&id).and_then(|peer| peer.machine.poll_transmit()) {
            match transmit {
                Transmit::Message(message) => {
                    let text = message.as_str().to_owned();
                    if self.loses(&text) {
                        continue;
                    }
                    self.send_down(id, Happening::Down(id, text));
                }
                Transmit::Close { code, reason } => {
                    self.send_down(id, Happening::GoneAtClient(id, code, reason));
                    self.after(1, Happening::GoneAtHub(id));
                }
            }
        }
        let Some(peer) = self.hub.peers.get_mut(&id) else { return };
        if let Some(at) = peer.machine.poll_timeout()
            && (peer.next_timer == 0 || at.0 < peer.next_timer)
        {
            let time = at.0.max(self.now + 1);
            peer.next_timer = time;
            self.at(time, Happening::HubTimer(id));
        }
    }

    fn hub_need(&mut self, id: LinkId, need: Need) {
        let (run, delay) = (self.hub.run, self.rng.range(0, 30));
        let (resumes, claims) = (self.is(Mutant::ResumesAlways), self.errs(Mutant::ClaimsUnwritten, 2));
        let leaves_out = self.is(Mutant::LeavesRowOut);
        let silent = self.is(Mutant::WelcomesInSilence);
        let reader = self.hub.engine.reader();
        let Some(peer) = self.hub.peers.get_mut(&id) else { return };
        let principal = peer.principal.clone();
        let answer = match need {
            Need::Hello(hello) => return self.admit(id, &principal, &hello),
            Need::Subscribe { ticket, scope, position } => {
                peer.scopes.insert(scope.clone());
                let head = reader.scope_head(&org(), &scope).unwrap();
                let start = match position {
                    None => Start::Snapshot { head, reason: None },
                    Some(_) if resumes => Start::Resumed { head },
                    Some((epoch, pos)) => match reader.resume(&org(), &scope, &epoch, pos).unwrap() {
                        Resume::Hit => Start::Resumed { head },
                        Resume::Miss(why) => Start::Snapshot { head, reason: Some(why.as_str().to_owned()) },
                    },
                };
                match &start {
                    Start::Resumed { .. } => self.outcome.resumed += 1,
                    Start::Snapshot { .. } | Start::Denied { .. } => self.outcome.snapshots += 1,
                }
                Answer::Subscribed(ticket, start)
            }
            Need::Unsubscribed { scope } => {
                peer.scopes.remove(&scope);
                return;
            }
            Need::Events { ticket, scope, after, .. } => {
                let bytes = if self.rng.one_in(2) { 300 } else { 100_000 };
                Answer::Events(ticket, reader.events_after(&org(), &scope, after, bytes).unwrap(), scope)
            }
            Need::Snapshot { ticket, scope, after } => {
                self.outcome.snapshot_pages += 1;
                let bytes = if self.rng.one_in(2) { 300 } else { 100_000 };
                let read = reader.snapshot_page(&org(), &scope, after.as_ref(), bytes).unwrap();
                Answer::Snapshot(ticket, read, scope)
            }
            Need::Page { ticket, scope, id, mut ask } => {
                if let PageAsk::Rows { limit, .. } = &mut ask {
                    *limit = self.rng.range(1, 12);
                }
                let mut fetched = fetches::read(&reader, &org(), &scope, &ask).unwrap();
                if let Fetched::Rows(read) = &mut fetched
                    && leaves_out
                    && read.rows.len() > 2
                {
                    read.rows.remove(1);
                }
                Answer::Fetched(ticket, id, fetched)
            }
            Need::Heads { scopes } => {
                let watermark = reader.head(&org()).unwrap();
                let heads = scopes
                    .into_iter()
                    .map(|scope| (scope.clone(), reader.scope_head(&org(), &scope).unwrap()));
                let heads = heads.map(|(scope, head)| (scope, if claims { 0 } else { head }));
                Answer::Heads(watermark, heads.collect())
            }
            Need::Publish(publish) => return self.ask(Request::Publish(id, principal, publish)),
            Need::Command(command) => return self.ask(Request::Command(id, principal, command)),
            Need::Signals { .. } if silent => return,
            Need::Signals { scope } => return self.hub_signals_of(id, &scope),
            Need::LatestSignal { scope, key } => return self.hub_latest_signal(id, &scope, &key),
            Need::Signal(signal) => return self.hub_signal(id, &signal),
            Need::Closing { code, .. } => {
                peer.is_silent = code == CloseCode::Silent.number();
                return;
            }
            Need::Pong(_) => return,
        };
        self.after(delay, Happening::Read(id, run, answer));
    }

    fn admit(&mut self, id: LinkId, principal: &Principal, hello: &frame::Hello) {
        let (now, time, epoch) = (self.instant(), self.unix(), self.hub.engine.epoch());
        if principal.principal_type == PrincipalType::Instance {
            // The hub asks the socket of another boot for a sign of life first; here it never has one.
            self.supersedes(id, principal);
            return self.ask(Request::Attach(id, principal.clone(), hello.boots.clone()));
        }
        if let Some(peer) = self.hub.peers.get_mut(&id) {
            let admission = Admission { principal: principal.clone(), server_time: time, epoch, lanes: None };
            peer.machine.welcome(admission, now);
        }
        self.hub_person_came(id);
    }

    /// A newer connection of an instance takes over.
    fn supersedes(&mut self, id: LinkId, principal: &Principal) {
        let older = |(of, peer): &(&LinkId, &Peer)| **of != id && peer.principal.id == principal.id;
        let older: Vec<LinkId> = self.hub.peers.iter().filter(older).map(|(id, _)| *id).collect();
        for older in older {
            if let Some(peer) = self.hub.peers.get_mut(&older).filter(|peer| peer.machine.is_open()) {
                peer.machine.close(CloseCode::Superseded, "a newer connection took over", None);
            }
            self.drive_peer(older);
        }
    }

    /// Puts a request into the writer's queue; what gathers during an fsync is committed together.
    pub(crate) fn ask(&mut self, request: Request) {
        self.hub.waiting.push(request);
        if !self.hub.syncing {
            self.hub.syncing = true;
            let (run, disk) = (self.hub.run, self.rng.range(1, 20));
            self.after(disk, Happening::Synced(run));
        }
    }

    pub(crate) fn hub_read(&mut self, id: LinkId, run: u64, answer: Answer) {
        if run != self.hub.run {
            return;
        }
        let epoch = self.hub.engine.epoch();
        let (skips, newer) = (self.errs(Mutant::SkipsEvent, 8), self.is(Mutant::ClaimsNewer));
        let reader = self.hub.engine.reader();
        let Some(peer) = self.hub.peers.get_mut(&id) else { return };
        match answer {
            Answer::Subscribed(ticket, start) => peer.machine.subscribed(ticket, start),
            Answer::Heads(watermark, heads) => {
                peer.machine.provide_heads(watermark, &heads);
            }
            Answer::Events(ticket, page, scope) => {
                let piece = |(seq, text): &(u64, Arc<str>)| {
                    let events = frame::Events {
                        scope: scope.clone(),
                        epoch: epoch.clone(),
                        events: vec![text],
                        hash: None,
                    };
                    let mut out = String::new();
                    events.write(&mut out);
                    let prev = otter_proto::event::RecordedEvent::parse(text).unwrap().prev;
                    Piece { prev, last: *seq, frame: out.into() }
                };
                let mut pieces: Vec<Piece> = page.events.iter().map(piece).collect();
                if let (true, [.., before, last]) = (skips, pieces.as_mut_slice()) {
                    before.last = last.last;
                    pieces.pop();
                }
                peer.machine.provide_events(ticket, &pieces, page.more);
            }
            Answer::Fetched(ticket, id, fetched) => {
                fetched.with_page(id, |page| peer.machine.provide_page(ticket, page));
            }
            Answer::Snapshot(ticket, read, scope) => {
                let rows: Vec<SnapshotRow<'_>> = read
                    .rows
                    .iter()
                    .map(|row| SnapshotRow {
                        entity: row.key.clone(),
                        rev: row.rev,
                        live: true,
                        value: &row.text,
                    })
                    .collect();
                let as_of = if newer { reader.scope_head(&org(), &scope).unwrap() } else { read.as_of };
                let end = read
                    .last
                    .map(|last| SnapshotEnd { head: last.head, hash: Some(format!("{:016x}", last.hash)) });
                peer.machine.provide_snapshot(ticket, &SnapshotRead { rows: &rows, as_of, end });
            }
        }
        self.drive_peer(id);
    }
}
