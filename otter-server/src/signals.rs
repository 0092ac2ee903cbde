//! Signals in force: what a newcomer of a scope has to hear at once, although it is in no log.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use otter_proto::error::{ErrorBody, ErrorCode};
use otter_proto::event::RecordedEvent;
use otter_proto::frame::{HubFrame, Signal};
use otter_proto::id::{EntityId, InstanceId, Scope, belongs_to};
use otter_proto::kind::{InstanceHeartbeat, Presence, RunProgress, Typing};
use otter_proto::limits::{MAX_SLOTS, SLOT_BYTES};
use otter_proto::slots::{Delta, Slots};
use otter_proto::text::{Cursor, Numbers, canonicalise};
use otter_proto::wire::{Json, Wire};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::fanout::QueuedSignal;
use crate::log::Appended;

/// Bytes of texts so far per org; the scopes that were quiet for longest lose theirs first.
const TEXT_BYTES: usize = 64 << 20;
/// Runs that are known to be over, so that their late signals are dropped.
const MAX_OVER: usize = 4_096;
/// Latest values other than texts per scope.
const MAX_LATEST: usize = 512;

const DELTA: &str = "message.delta";
const PROGRESS: &str = "run.progress";
const HEARTBEAT: &str = "instance.heartbeat";
const TYPING: &str = "typing";
const PRESENCE: &str = "presence";

/// A signal that stands for everything of its key up to `number`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Current {
    /// Its key.
    pub(crate) key: String,
    /// The number of the newest signal it stands for.
    pub(crate) number: u64,
    /// The encoded frame.
    pub(crate) frame: Arc<str>,
}

/// The signals of one org.
#[derive(Debug)]
pub(crate) struct Signals {
    text_limit: usize,
    scopes: BTreeMap<Scope, ScopeSignals>,
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
    pub(crate) const fn new(text_limit: usize) -> Self {
        Self {
            text_limit,
            scopes: BTreeMap::new(),
            over: BTreeSet::new(),
            over_order: VecDeque::new(),
            bytes: 0,
            last_number: 0,
        }
    }

    /// Takes a signal of an instance. `None` when nobody has to hear of it.
    pub(crate) fn accept(
        &mut self,
        instance: &InstanceId,
        signal: &Signal,
    ) -> Result<Option<QueuedSignal>, ErrorBody> {
        let checked = check(instance, signal)?;
        if checked.run().is_some_and(|run| self.over.contains(run.as_str())) {
            return Ok(None);
        }
        self.last_number += 1;
        let number = self.last_number;
        let key = checked.key();
        let frame = frame(&signal.scope, &signal.kind, checked.data());
        let scope = self.scopes.entry(signal.scope.clone()).or_default();
        scope.touched = number;
        match &checked {
            Checked::Delta(delta) => {
                let before = scope.slots.bytes();
                scope.slots.accept(delta);
                let slots = &scope.slots;
                scope.numbers.insert(delta.run.clone(), number);
                scope.numbers.retain(|run, _| slots.get(run).is_some());
                self.bytes = self.bytes + slots.bytes() - before;
                self.shed(&signal.scope);
            }
            Checked::Progress(..) | Checked::Heartbeat(..) => {
                if scope.latest.len() < MAX_LATEST || scope.latest.contains_key(&key) {
                    let current = Current { key: key.clone(), number, frame: Arc::clone(&frame) };
                    scope.latest.insert(key.clone(), current);
                }
            }
        }
        Ok(Some(QueuedSignal { scope: signal.scope.clone(), key, number, frame }))
    }

    /// Everything in force in a scope.
    pub(crate) fn current(&self, scope: &Scope) -> Vec<Current> {
        let Some(of) = self.scopes.get(scope) else { return Vec::new() };
        let texts = of.slots.iter().map(|(run, text)| of.keyframe(scope, run, text));
        texts.chain(of.latest.values().cloned()).collect()
    }

    /// What is in force for one key.
    pub(crate) fn latest(&self, scope: &Scope, key: &str) -> Option<Current> {
        let of = self.scopes.get(scope)?;
        match key.split_once(' ') {
            Some((DELTA, run)) => {
                let run = EntityId::new(run).ok()?;
                Some(of.keyframe(scope, &run, of.slots.get(&run)?))
            }
            _ => of.latest.get(key).cloned(),
        }
    }

    /// Drops what durable events of a scope settle: the texts and the progress of runs that are over.
    pub(crate) fn settle(&mut self, scope: &Scope, events: &[&Appended]) {
        if !matches!(scope, Scope::Conversation(_)) {
            return;
        }
        for run in events.iter().filter_map(|event| answered_or_ended(&event.text)) {
            self.end(scope, &run);
        }
    }

    /// Drops everything of an instance.
    pub(crate) fn forget(&mut self, instance: &InstanceId) {
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

/// A signal that its sender may send, in the form in which it travels on.
enum Checked {
    Delta(Delta),
    Progress(EntityId, String),
    Heartbeat(InstanceId, String),
}

impl Checked {
    const fn run(&self) -> Option<&EntityId> {
        match self {
            Self::Delta(delta) => Some(&delta.run),
            Self::Progress(run, _) => Some(run),
            Self::Heartbeat(..) => None,
        }
    }

    fn key(&self) -> String {
        match self {
            Self::Delta(delta) => format!("{DELTA} {}", delta.run),
            Self::Progress(run, _) => format!("{PROGRESS} {run}"),
            Self::Heartbeat(instance, _) => format!("{HEARTBEAT} {instance}"),
        }
    }

    fn data(&self) -> String {
        match self {
            Self::Delta(delta) => {
                let mut data = String::new();
                delta.write(&mut data);
                data
            }
            Self::Progress(_, data) | Self::Heartbeat(_, data) => data.clone(),
        }
    }
}

fn check(instance: &InstanceId, signal: &Signal) -> Result<Checked, ErrorBody> {
    let refused = |code, message: &str| Err(ErrorBody::new(code, message));
    let checked = match signal.kind.as_str() {
        DELTA => Checked::Delta(delta(signal.data.as_str())?),
        PROGRESS => {
            let progress: RunProgress = typed(signal)?;
            Checked::Progress(progress.run_id.clone(), printed(&progress)?)
        }
        HEARTBEAT => {
            let heartbeat: InstanceHeartbeat = typed(signal)?;
            Checked::Heartbeat(heartbeat.instance_id.clone(), printed(&heartbeat)?)
        }
        TYPING => {
            typed::<Typing>(signal)?;
            return refused(ErrorCode::NotPublisher, "people type, instances do not");
        }
        PRESENCE => {
            typed::<Presence>(signal)?;
            return refused(ErrorCode::NotPublisher, "the hub says who is here");
        }
        _ => return refused(ErrorCode::UnknownKind, "this hub does not know the signal"),
    };
    let owns = |id: &str| belongs_to(id, instance.as_str());
    match (&checked, &signal.scope) {
        (Checked::Heartbeat(of, _), Scope::Org) if of == instance => Ok(checked),
        (Checked::Heartbeat(..), Scope::Org) => {
            refused(ErrorCode::NotOwner, "an instance sends its own heartbeat")
        }
        (Checked::Delta(_) | Checked::Progress(..), Scope::Conversation(id)) => {
            if !owns(id.as_str()) {
                return refused(ErrorCode::NotOwner, "the conversation belongs to another instance");
            }
            if !checked.run().is_some_and(|run| owns(run.as_str())) {
                return refused(ErrorCode::NotOwner, "the run belongs to another instance");
            }
            Ok(checked)
        }
        (Checked::Heartbeat(..), Scope::Conversation(_) | Scope::Member(_))
        | (Checked::Delta(_) | Checked::Progress(..), Scope::Org | Scope::Member(_)) => {
            refused(ErrorCode::UnknownScope, "this signal does not belong in this scope")
        }
    }
}

/// Reads a delta. By far the most frequent signal: without serde, and with half characters repaired on the way.
fn delta(data: &str) -> Result<Delta, ErrorBody> {
    let mut cursor = Cursor::new(data);
    let delta = Delta::read(&mut cursor).map_err(|error| invalid(&error))?;
    if delta.text.len() > SLOT_BYTES {
        let message = "send at most 256 KiB of text in one signal";
        return Err(ErrorBody::new(ErrorCode::TooLarge, message));
    }
    Ok(delta)
}

fn typed<T: DeserializeOwned>(signal: &Signal) -> Result<T, ErrorBody> {
    let data = canonicalise(signal.data.as_str(), Numbers::Rfc8785).map_err(|error| invalid(&error))?;
    serde_json::from_str(&data).map_err(|error| invalid(&error))
}

fn printed<T: Serialize>(value: &T) -> Result<String, ErrorBody> {
    serde_json::to_string(value).map_err(|error| invalid(&error))
}

fn invalid(error: &dyn std::error::Error) -> ErrorBody {
    ErrorBody::new(ErrorCode::InvalidData, format!("the data does not fit the signal: {error}"))
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

/// Slots per scope are bounded by [`Slots`]; their keys are what else a scope may hold.
const _: () = assert!(MAX_SLOTS <= MAX_LATEST);

#[cfg(test)]
mod tests;
