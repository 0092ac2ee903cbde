//! The hub: real connection machines, the real ledger, a store in memory, and a driver on virtual time.

use std::collections::{BTreeMap, BTreeSet};

use otter_proto::UnixMillis;
use otter_proto::connection::server::{Admission, Need, ServerConfig, ServerConnection, Transmit};
use otter_proto::error::CloseCode;
use otter_proto::frame::{CommandDispatch, Hello, Principal, PrincipalType, ServerInfo};
use otter_proto::id::{InstanceId, OrgId, Scope};
use otter_proto::wire::Positions;
use otter_server::log::Commit;
use otter_server::signals::Signals;

use crate::engine::{Answered, Engine, Request};
use crate::link::LinkId;
use crate::mutants::Mutant;
use crate::reads::Answer;
use crate::signals::Absence;
use crate::world::{Happening, World};

/// How long an instance of an earlier process run may take to come back.
const GRACE_MS: u64 = 10_000;
/// The wall clock of the hub at virtual time 0.
const EPOCH_MS: u64 = 1_795_000_000_000;

/// The hub's end of one socket.
pub(crate) struct Peer {
    pub(crate) machine: ServerConnection,
    pub(crate) principal: Principal,
    pub(crate) scopes: BTreeSet<Scope>,
    /// A person who was welcomed, and whom others see.
    pub(crate) is_present: bool,
    /// It is closed because nothing was heard of it.
    pub(crate) is_silent: bool,
    /// Commands that came before `welcome`: they belong behind the open ones.
    early: Vec<CommandDispatch>,
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
            early: Vec::new(),
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
                    if peer.machine.is_open() {
                        peer.machine.dispatch(command.clone());
                    } else {
                        peer.early.push(command.clone());
                    }
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
                for command in attached.outstanding.into_iter().chain(std::mem::take(&mut peer.early)) {
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
        let Some(peer) = self.hub.peers.get_mut(&id) else { return };
        let principal = peer.principal.clone();
        match need {
            Need::Hello(hello) => self.admit(id, &principal, &hello),
            Need::Unsubscribed { scope } => {
                peer.scopes.remove(&scope);
            }
            Need::Publish(publish) => self.ask(Request::Publish(id, principal, publish)),
            Need::Command(command) => self.ask(Request::Command(id, principal, command)),
            Need::Signals { scope } => self.hub_signals_of(id, &scope),
            Need::LatestSignal { scope, key } => self.hub_latest_signal(id, &scope, &key),
            Need::Signal(signal) => self.hub_signal(id, &signal),
            Need::Closing { code, .. } => peer.is_silent = code == CloseCode::Silent.number(),
            Need::Pong(_) => {}
            Need::Subscribe { ticket, scope, position } => {
                peer.scopes.insert(scope.clone());
                let start = self.start(&scope, position);
                self.reads(id, Answer::Subscribed(ticket, start));
            }
            Need::Events { ticket, scope, after, .. } => {
                let page = self.events(&scope, after);
                self.reads(id, Answer::Events(ticket, page, scope));
            }
            Need::Snapshot { ticket, scope, after } => {
                let read = self.snapshot(&scope, after.as_ref());
                self.reads(id, Answer::Snapshot(ticket, read, scope));
            }
            Need::Page { ticket, scope, id: fetch, ask } => {
                let fetched = self.fetched(&scope, ask);
                self.reads(id, Answer::Fetched(ticket, fetch, fetched));
            }
            Need::Heads { scopes } => {
                let (watermark, heads) = self.heads(scopes);
                self.reads(id, Answer::Heads(watermark, heads));
            }
        }
    }

    fn admit(&mut self, id: LinkId, principal: &Principal, hello: &Hello) {
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
}
