//! Signals in force: what a newcomer of a scope has to hear at once, although it is in no log.

mod check;
mod people;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use otter_proto::error::ErrorBody;
use otter_proto::event::RecordedEvent;
use otter_proto::frame::{HubFrame, Signal};
use otter_proto::id::{EntityId, InstanceId, MemberId, Scope, belongs_to};
use otter_proto::limits::MAX_SLOTS;
use otter_proto::slots::{Delta, Slots};
use otter_proto::text::{Cursor, member};
use otter_proto::wire::{Json, Wire};
use otter_proto::{Instant, UnixMillis};

use crate::log::Appended;
use check::{Checked, check, heard, printed};
use people::People;

pub use crate::clock::Moment;
pub use crate::fanout::QueuedSignal;
pub use check::Sender;
pub use people::Departure;

/// Bytes of texts so far per org; the scopes that were quiet for longest lose theirs first.
const TEXT_BYTES: usize = 64 << 20;
/// Runs that are known to be over, so that their late signals are dropped.
const MAX_OVER: usize = 4_096;
/// Conversations of one instance with something in force; the one that was quiet for longest goes.
const MAX_CONVERSATIONS: usize = 1_024;
/// Instances of an org whose heartbeat is kept.
const MAX_HEARTBEATS: usize = 512;

const DELTA: &str = "message.delta";
const PROGRESS: &str = "run.progress";
const HEARTBEAT: &str = "instance.heartbeat";
const TYPING: &str = "typing";
const PRESENCE: &str = "presence";
/// What every event of a member holds.
const MEMBER_EVENT: &str = r#""kind":"member."#;

/// A signal that stands for everything of its key up to `number`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Current {
    /// Its key.
    pub key: String,
    /// The number of the newest signal it stands for.
    pub number: u64,
    /// The encoded frame.
    pub frame: Arc<str>,
}

impl From<QueuedSignal> for Current {
    fn from(signal: QueuedSignal) -> Self {
        Self { key: signal.key, number: signal.number, frame: signal.frame }
    }
}

/// The signals of one org.
#[derive(Debug)]
pub struct Signals {
    text_limit: usize,
    scopes: BTreeMap<Scope, ScopeSignals>,
    people: People,
    over: BTreeSet<String>,
    over_order: VecDeque<String>,
    bytes: usize,
    last_number: u64,
}

#[derive(Debug, Default)]
struct ScopeSignals {
    slots: Slots,
    /// The number of the newest delta of each run with a slot.
    numbers: BTreeMap<EntityId, u64>,
    latest: BTreeMap<String, Current>,
    touched: u64,
}

impl Default for Signals {
    fn default() -> Self {
        Self::new(TEXT_BYTES)
    }
}

impl Signals {
    /// No signals; texts take at most `text_limit` bytes.
    pub fn new(text_limit: usize) -> Self {
        Self {
            text_limit,
            scopes: BTreeMap::new(),
            people: People::default(),
            over: BTreeSet::new(),
            over_order: VecDeque::new(),
            bytes: 0,
            last_number: 0,
        }
    }

    /// Takes a signal. `None` when nobody has to hear of it.
    pub fn accept(
        &mut self,
        sender: Sender<'_>,
        signal: &Signal,
        at: Moment,
    ) -> Result<Option<QueuedSignal>, ErrorBody> {
        let checked = check(sender, signal)?;
        if checked.run().is_some_and(|run| self.over.contains(run.as_str())) {
            return Ok(None);
        }
        let scope = &signal.scope;
        Ok(match checked {
            Checked::Delta(delta) => Some(self.delta(scope, &delta)),
            Checked::Progress(progress) => {
                let key = format!("{PROGRESS} {}", progress.run_id);
                Some(self.value(scope, key, PROGRESS, printed(&progress)?))
            }
            Checked::Heartbeat(heartbeat) => {
                let key = format!("{HEARTBEAT} {}", heartbeat.instance_id);
                Some(self.value(scope, key, HEARTBEAT, printed(&heard(heartbeat, at.unix))?))
            }
            Checked::Typing(active) => {
                let Sender::Member { id, .. } = sender else { return Ok(None) };
                let next = self.next();
                self.people.writes(id, scope, active, at.now, next)
            }
        })
    }

    /// A socket of a person came.
    pub fn came(&mut self, member: &MemberId, name: Option<&str>, now: UnixMillis) -> Option<QueuedSignal> {
        let next = self.next();
        self.people.came(member, name, now, next)
    }

    /// A socket of a person is gone; see [`Self::gone`].
    pub fn left(&mut self, member: &MemberId) -> Option<Departure> {
        self.people.left(member)
    }

    /// The grace time after the departure of a person is over.
    pub fn gone(&mut self, member: &MemberId, departure: Departure, now: UnixMillis) -> Option<QueuedSignal> {
        let next = self.next();
        self.people.gone(member, departure, now, next)
    }

    /// Everything in force in a scope.
    pub fn current(&self, scope: &Scope, now: Instant) -> Vec<Current> {
        let mut current = self.people.current(scope, now);
        if let Some(of) = self.scopes.get(scope) {
            current.extend(of.slots.iter().map(|(run, text)| of.keyframe(scope, run, text)));
            current.extend(of.latest.values().cloned());
        }
        current
    }

    /// What is in force for one key.
    pub fn latest(&self, scope: &Scope, key: &str, now: Instant) -> Option<Current> {
        match key.split_once(' ') {
            Some((kind @ (PRESENCE | TYPING), member)) => self.people.latest(scope, kind, member, now),
            Some((DELTA, run)) => {
                let (of, run) = (self.scopes.get(scope)?, EntityId::new(run).ok()?);
                Some(of.keyframe(scope, &run, of.slots.get(&run)?))
            }
            _ => self.scopes.get(scope)?.latest.get(key).cloned(),
        }
    }

    /// Drops what durable events of a scope settle: the texts and the progress of runs that are over, and people who
    /// were removed. Returns what is to be told because of them.
    pub fn settle(&mut self, scope: &Scope, events: &[&Appended], now: UnixMillis) -> Vec<QueuedSignal> {
        match scope {
            Scope::Conversation(_) => {
                for run in events.iter().filter_map(|event| answered_or_ended(&event.text)) {
                    self.end(scope, &run);
                }
                Vec::new()
            }
            Scope::Org => events.iter().filter_map(|event| self.settle_member(&event.text, now)).collect(),
            Scope::Member(_) => Vec::new(),
        }
    }

    /// Drops everything of an instance.
    pub fn forget(&mut self, instance: &InstanceId) {
        let heartbeat = format!("{HEARTBEAT} {instance}");
        let bytes = &mut self.bytes;
        self.scopes.retain(|scope, of| match scope {
            Scope::Conversation(id) if belongs_to(id.as_str(), instance.as_str()) => {
                *bytes = bytes.saturating_sub(of.slots.bytes());
                false
            }
            Scope::Conversation(_) | Scope::Member(_) => true,
            Scope::Org => {
                of.latest.remove(&heartbeat);
                !of.latest.is_empty()
            }
        });
    }

    const fn next(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    fn delta(&mut self, scope: &Scope, delta: &Delta) -> QueuedSignal {
        let number = self.next();
        self.make_room(scope);
        let of = self.scopes.entry(scope.clone()).or_default();
        of.touched = number;
        let before = of.slots.bytes();
        of.slots.accept(delta);
        let slots = &of.slots;
        of.numbers.insert(delta.run.clone(), number);
        of.numbers.retain(|run, _| slots.get(run).is_some());
        self.bytes = self.bytes + slots.bytes() - before;
        self.shed(scope);
        let mut data = String::new();
        delta.write(&mut data);
        let key = format!("{DELTA} {}", delta.run);
        QueuedSignal { scope: scope.clone(), key, number, frame: frame(scope, DELTA, data) }
    }

    /// Keeps the latest value of a key.
    fn value(&mut self, scope: &Scope, key: String, kind: &str, data: String) -> QueuedSignal {
        let number = self.next();
        self.make_room(scope);
        let of = self.scopes.entry(scope.clone()).or_default();
        of.touched = number;
        let frame = frame(scope, kind, data);
        let most = if *scope == Scope::Org { MAX_HEARTBEATS } else { MAX_SLOTS };
        if of.latest.len() < most || of.latest.contains_key(&key) {
            let current = Current { key: key.clone(), number, frame: Arc::clone(&frame) };
            of.latest.insert(key.clone(), current);
        }
        QueuedSignal { scope: scope.clone(), key, number, frame }
    }

    fn settle_member(&mut self, text: &str, now: UnixMillis) -> Option<QueuedSignal> {
        if !text.contains(MEMBER_EVENT) {
            return None;
        }
        let event = RecordedEvent::parse(text).ok()?;
        let id = MemberId::new(event.effects.first()?.entity.id()).ok()?;
        let next = self.next();
        match event.kind.as_str() {
            "member.removed" => self.people.removed(&id, now, next),
            "member.joined" | "member.updated" => {
                let name = Cursor::new(member(event.data, "name")?).string().ok()?;
                self.people.renamed(&id, &name, next)
            }
            _ => None,
        }
    }

    fn end(&mut self, scope: &Scope, run: &EntityId) {
        if self.over.insert(run.as_str().to_owned()) {
            self.over_order.push_back(run.as_str().to_owned());
            if self.over_order.len() > MAX_OVER
                && let Some(oldest) = self.over_order.pop_front()
            {
                self.over.remove(&oldest);
            }
        }
        let Some(of) = self.scopes.get_mut(scope) else { return };
        let before = of.slots.bytes();
        of.slots.end(run);
        of.numbers.remove(run);
        of.latest.remove(&format!("{PROGRESS} {run}"));
        self.bytes = self.bytes + of.slots.bytes() - before;
        if of.numbers.is_empty() && of.latest.is_empty() {
            self.scopes.remove(scope);
        }
    }

    /// Makes room for a conversation of an instance that has as many as it may.
    fn make_room(&mut self, newcomer: &Scope) {
        let owner = |scope: &Scope| match scope {
            Scope::Conversation(id) => Some(id.as_str().split(':').next().unwrap_or_default().to_owned()),
            Scope::Org | Scope::Member(_) => None,
        };
        let Some(instance) = owner(newcomer).filter(|_| !self.scopes.contains_key(newcomer)) else { return };
        let own = || self.scopes.iter().filter(|(scope, _)| owner(scope).as_ref() == Some(&instance));
        if own().count() < MAX_CONVERSATIONS {
            return;
        }
        let quietest = own().min_by_key(|(_, of)| of.touched).map(|(scope, _)| scope.clone());
        if let Some(of) = quietest.and_then(|scope| self.scopes.remove(&scope)) {
            self.bytes = self.bytes.saturating_sub(of.slots.bytes());
        }
    }

    /// Keeps the texts of the org within their limit.
    fn shed(&mut self, newest: &Scope) {
        while self.bytes > self.text_limit {
            let with_text = self.scopes.iter().filter(|(scope, of)| *scope != newest && of.slots.bytes() > 0);
            let Some((oldest, _)) = with_text.min_by_key(|(_, of)| of.touched) else { return };
            let oldest = oldest.clone();
            if let Some(of) = self.scopes.remove(&oldest) {
                self.bytes = self.bytes.saturating_sub(of.slots.bytes());
            }
        }
    }
}

impl ScopeSignals {
    fn keyframe(&self, scope: &Scope, run: &EntityId, text: &str) -> Current {
        let delta = Delta { run: run.clone(), offset: 0, text: text.to_owned() };
        let mut data = String::new();
        delta.write(&mut data);
        Current {
            key: format!("{DELTA} {run}"),
            number: self.numbers.get(run).copied().unwrap_or(0),
            frame: frame(scope, DELTA, data),
        }
    }
}

fn frame(scope: &Scope, kind: &str, data: String) -> Arc<str> {
    let signal = Signal { scope: scope.clone(), kind: kind.to_owned(), data: Json::trusted(data) };
    let mut text = String::new();
    HubFrame::Signal(signal).encode(&mut text);
    Arc::from(text)
}

/// The run whose text a durable event settles: by its answer or by its end.
fn answered_or_ended(text: &str) -> Option<EntityId> {
    let event = RecordedEvent::parse(text).ok()?;
    let entity = &event.effects.first()?.entity;
    match event.kind.as_str() {
        "message.created" => EntityId::new(entity.id().strip_suffix(":answer")?).ok(),
        "run.completed" | "run.failed" | "run.aborted" => EntityId::new(entity.id()).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
