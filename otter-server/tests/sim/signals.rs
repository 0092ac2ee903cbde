//! The hub's driver of signals: the real keeper of what is in force, and the times at which people and instances that
//! went away are given up.

use std::collections::BTreeMap;

use otter_proto::catalogue::Role;
use otter_proto::frame::{PrincipalType, Signal};
use otter_proto::id::{InstanceId, MemberId, Scope};
use otter_proto::text::member;
use otter_proto::wire::Json;
use otter_server::log::{Appended, Commit};
use otter_server::signals::{Departure, Moment, QueuedSignal, Sender};

use crate::engine::Request;
use crate::hub::Peer;
use crate::link::LinkId;
use crate::mutants::Mutant;
use crate::world::{Happening, World};

/// How long a person may be away before others hear of it.
const PERSON_MS: u64 = 5_000;
/// How long an instance may be away before it is recorded as offline.
const INSTANCE_MS: u64 = 10_000;
/// And before its texts are forgotten.
const TEXTS_MS: u64 = 60_000;

/// Somebody went away some time ago.
#[derive(Debug)]
pub(crate) enum Absence {
    Person(MemberId, Departure),
    Instance(InstanceId),
    Texts(InstanceId),
}

impl World {
    /// A signal arrives at the hub.
    pub(crate) fn hub_signal(&mut self, id: LinkId, signal: &Signal) {
        let at = Moment { now: self.instant(), unix: self.unix() };
        let shifted = self.is(Mutant::ShiftsText).then(|| shifted(signal));
        let signal = shifted.as_ref().unwrap_or(signal);
        let Some(peer) = self.hub.peers.get_mut(&id) else { return };
        let signals = &mut self.hub.signals;
        let accepted = match peer.principal.principal_type {
            PrincipalType::Instance => {
                let instance = InstanceId::new(&peer.principal.id).unwrap();
                signals.accept(Sender::Instance(&instance), signal, at)
            }
            PrincipalType::Member => {
                let member = MemberId::new(&peer.principal.id).unwrap();
                let follows = peer.scopes.contains(&signal.scope);
                signals.accept(Sender::Member { id: &member, role: Role::Member, follows }, signal, at)
            }
        };
        match accepted {
            Ok(queued) => self.pass_on(queued),
            Err(error) => panic!("a signal of {} was refused: {error:?}", peer.principal.id),
        }
    }

    /// Tells a signal to those who follow its scope.
    pub(crate) fn pass_on(&mut self, signal: Option<QueuedSignal>) {
        let Some(signal) = signal else { return };
        self.outcome.signals += 1;
        let follows = |peer: &Peer| peer.scopes.contains(&signal.scope);
        let told: Vec<LinkId> =
            self.hub.peers.iter().filter(|(_, peer)| follows(peer)).map(|(id, _)| *id).collect();
        for id in told {
            if let Some(peer) = self.hub.peers.get_mut(&id) {
                peer.machine.signal(&signal.scope, &signal.key, signal.frame.clone());
            }
            self.drive_peer(id);
        }
    }

    /// What durable events settle: the texts of runs that ended.
    pub(crate) fn settle_signals(&mut self, commit: &Commit) -> Vec<QueuedSignal> {
        let now = self.unix();
        let mut by_scope: BTreeMap<&Scope, Vec<&Appended>> = BTreeMap::new();
        for event in &commit.appended {
            by_scope.entry(&event.scope).or_default().push(event);
        }
        by_scope
            .into_iter()
            .flat_map(|(scope, events)| self.hub.signals.settle(scope, &events, now))
            .collect()
    }

    /// What a newcomer of a scope has to hear at once.
    pub(crate) fn hub_signals_of(&mut self, id: LinkId, scope: &Scope) {
        if self.is(Mutant::WelcomesInSilence) {
            return;
        }
        let current = self.hub.signals.current(scope, self.instant());
        let Some(peer) = self.hub.peers.get_mut(&id) else { return };
        for current in current {
            peer.machine.signal(scope, &current.key, current.frame);
        }
    }

    pub(crate) fn hub_latest_signal(&mut self, id: LinkId, scope: &Scope, key: &str) {
        let latest = self.hub.signals.latest(scope, key, self.instant());
        if let (Some(peer), Some(current)) = (self.hub.peers.get_mut(&id), latest) {
            peer.machine.signal(scope, key, current.frame);
        }
    }

    /// A person was welcomed.
    pub(crate) fn hub_person_came(&mut self, id: LinkId) {
        let now = self.unix();
        let Some(peer) = self.hub.peers.get_mut(&id) else { return };
        peer.is_present = true;
        let member = MemberId::new(&peer.principal.id).unwrap();
        let queued = self.hub.signals.came(&member, peer.principal.name.as_deref(), now);
        self.pass_on(queued);
    }

    /// A socket is gone: what follows from it comes after the grace time.
    pub(crate) fn hub_socket_gone(&mut self, peer: &Peer) {
        let run = self.hub.run();
        if peer.principal.principal_type == PrincipalType::Instance {
            let instance = InstanceId::new(&peer.principal.id).unwrap();
            self.after(INSTANCE_MS, Happening::Absent(run, Absence::Instance(instance.clone())));
            self.after(TEXTS_MS, Happening::Absent(run, Absence::Texts(instance)));
        } else if peer.is_present {
            let member = MemberId::new(&peer.principal.id).unwrap();
            if let Some(departure) = self.hub.signals.left(&member) {
                let grace = if peer.is_silent { 0 } else { PERSON_MS };
                self.after(grace, Happening::Absent(run, Absence::Person(member, departure)));
            }
        }
    }

    pub(crate) fn hub_absent(&mut self, run: u64, absence: Absence) {
        if run != self.hub.run() || !self.hub.is_up() {
            return;
        }
        match absence {
            Absence::Person(..) if self.is(Mutant::KeepsPerson) => {}
            Absence::Person(member, departure) => {
                let queued = self.hub.signals.gone(&member, departure, self.unix());
                self.pass_on(queued);
            }
            Absence::Instance(instance) if !self.hub.engine.is_attached(&instance) => {
                self.ask(Request::Disconnected(instance));
            }
            Absence::Texts(instance) if !self.hub.engine.is_attached(&instance) => {
                self.hub.signals.forget(&instance);
            }
            Absence::Instance(_) | Absence::Texts(_) => {}
        }
    }
}

/// The same one place earlier.
fn shifted(signal: &Signal) -> Signal {
    let offset = member(signal.data.as_str(), "offset").and_then(|offset| offset.parse().ok());
    let Some(offset @ 2_u64..) = offset else { return signal.clone() };
    let (from, to) = (format!("\"offset\":{offset}"), format!("\"offset\":{}", offset - 1));
    Signal { data: Json::trusted(signal.data.as_str().replacen(&from, &to, 1)), ..signal.clone() }
}
