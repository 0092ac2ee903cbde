//! What happened since the last drain, as a net result.

mod writing;

use otter_proto::UnixMillis;
use otter_proto::connection::client::{ClientConnection, ConnectionEvent, ConnectionStatus, ScopePhase};
use otter_proto::frame::Principal;
use otter_proto::id::{EntityId, EntityKey, Scope};
use otter_proto::text::{self, Cursor};
use otter_proto::wire::{Json, Wire};

use writing::{command_text, event_text, list_text, part_text};

/// Collects what the machine tells, until the package asks for it.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    connection: Option<ConnectionStatus>,
    principal: Option<Principal>,
    offset_ms: Option<i64>,
    reset: Vec<Scope>,
    /// Per scope, sorted, each once.
    entities: Vec<(Scope, Vec<EntityKey>)>,
    slots: Vec<SlotNews>,
    signals: Vec<SignalNews>,
    /// As JSON text.
    lists: Vec<String>,
    /// As JSON text.
    texts: Vec<String>,
    scopes: Vec<(Scope, ScopePhase, Option<String>)>,
    /// As JSON text.
    commands: Vec<String>,
    /// As JSON text.
    events: Vec<String>,
    /// Kinds of events that are handed over; `*` is every kind.
    kinds: Vec<String>,
    told: Told,
}

/// What the package has been told and has to be told the end of.
#[derive(Debug, Default)]
struct Told {
    offset_ms: i64,
    /// Scopes whose state it has.
    states: Vec<Scope>,
    /// Entities with a command they wait for.
    local: Vec<EntityKey>,
    /// Runs with a text so far.
    streaming: Vec<(Scope, EntityId)>,
    /// Runs with a `run.progress`.
    progress: Vec<(Scope, String)>,
    /// People with a `presence`.
    present: Vec<(Scope, String)>,
}

#[derive(Debug)]
struct SlotNews {
    scope: Scope,
    run: EntityId,
    from: u64,
    text: Option<String>,
    /// The length of the shown text afterwards, in UTF-16 code units.
    units: u64,
}

#[derive(Debug)]
struct SignalNews {
    scope: Scope,
    kind: String,
    key: String,
    data: Option<Json>,
}

impl Changes {
    /// Takes in one event of the machine; `unix` is the local wall clock.
    pub(crate) fn take_in(
        &mut self,
        event: ConnectionEvent,
        connection: &ClientConnection,
        unix: UnixMillis,
    ) {
        match event {
            ConnectionEvent::Status(status) => self.connection = Some(status),
            ConnectionEvent::Welcome { principal, server_time, .. } => {
                self.clock(server_time, unix, 0);
                self.principal = Some(principal);
            }
            ConnectionEvent::Clock { server_time } => self.clock(server_time, unix, CLOCK_MS),
            ConnectionEvent::Reset => self.reset(),
            ConnectionEvent::Scope { scope, phase, reason } => {
                let news = (scope, phase, reason);
                match self.scopes.iter_mut().find(|(known, ..)| *known == news.0) {
                    Some(old) => *old = news,
                    None => self.scopes.push(news),
                }
            }
            ConnectionEvent::Changed { scope, key } => self.changed(&scope, key, connection),
            ConnectionEvent::List { scope, entity_type, state } => {
                push_bounded(&mut self.lists, list_text(&scope, &entity_type, &state), MAX_EVENTS);
            }
            ConnectionEvent::Text { key, first, part, done, error, .. } => {
                push_bounded(
                    &mut self.texts,
                    part_text(&key, first, part.as_ref(), done, error.as_ref()),
                    MAX_EVENTS,
                );
            }
            ConnectionEvent::Slot { scope, run, from, text } => self.slot(scope, run, from, text),
            ConnectionEvent::Signal { scope, kind, data } => self.signal(scope, kind, data, connection),
            ConnectionEvent::SignalsOver { scope } => self.presence_over(&scope),
            ConnectionEvent::Event { text, replayed, .. } => self.event(&text, replayed),
            ConnectionEvent::Command { id, state } => {
                push_bounded(&mut self.commands, command_text(&id, &state), MAX_COMMANDS);
            }
            // Only instances get these; a notice is for the log of who wrote the frame, and this program did.
            ConnectionEvent::Dispatch(_) | ConnectionEvent::Published(_) | ConnectionEvent::Notice(_) => {}
        }
    }

    /// Hands over events of these kinds from here on.
    pub(crate) fn listen(&mut self, kinds: Vec<String>) {
        self.kinds = kinds;
    }

    /// The package has forgotten a scope.
    pub(crate) fn forget(&mut self, scope: &Scope) {
        // Its entities are written as gone. What happened before is still news.
        if let Some(at) = self.told.states.iter().position(|of| of == scope) {
            self.told.states.swap_remove(at);
        }
        self.slots.retain(|slot| slot.scope != *scope);
        self.told.streaming.retain(|(of, _)| of != scope);
        self.presence_over(scope);
    }

    /// Whether there is nothing to hand over.
    pub(crate) const fn is_empty(&self) -> bool {
        self.connection.is_none()
            && self.principal.is_none()
            && self.offset_ms.is_none()
            && self.reset.is_empty()
            && self.entities.is_empty()
            && self.slots.is_empty()
            && self.signals.is_empty()
            && self.lists.is_empty()
            && self.texts.is_empty()
            && self.scopes.is_empty()
            && self.commands.is_empty()
            && self.events.is_empty()
    }

    /// The hub's clock at `unix` of the local one. The package is told when it moved by `least` against that.
    fn clock(&mut self, server_time: UnixMillis, unix: UnixMillis, least: u64) {
        let offset = server_time.0.wrapping_sub(unix.0).cast_signed();
        if offset.abs_diff(self.told.offset_ms) >= least {
            self.told.offset_ms = offset;
            self.offset_ms = Some(offset);
        }
    }

    /// Another person signed in: everything goes.
    fn reset(&mut self) {
        self.entities.clear();
        self.slots.clear();
        self.signals.clear();
        self.lists.clear();
        self.texts.clear();
        self.events.clear();
        let told = std::mem::take(&mut self.told);
        self.reset = told.states;
        for (scope, run) in told.streaming {
            self.slots.push(SlotNews { scope, run, from: 0, text: None, units: 0 });
        }
        for (scope, key) in told.progress {
            self.signals.push(SignalNews { scope, kind: PROGRESS.to_owned(), key, data: None });
        }
        for (scope, key) in told.present {
            self.signals.push(SignalNews { scope, kind: PRESENCE.to_owned(), key, data: None });
        }
    }

    fn changed(&mut self, scope: &Scope, key: EntityKey, connection: &ClientConnection) {
        if connection.state(scope).is_some() && !self.told.states.contains(scope) {
            self.told.states.push(scope.clone());
            // The package may have rows of a core that this one replaces.
            for (key, _) in connection.entities(scope) {
                self.note(scope, key.clone());
            }
            self.reset.push(scope.clone());
        }
        if key.entity_type() == "run" {
            self.progress_over(scope, &key, connection);
        }
        self.note(scope, key);
    }

    fn note(&mut self, scope: &Scope, key: EntityKey) {
        let at = self.entities.iter().position(|(of, _)| of == scope).unwrap_or_else(|| {
            self.entities.push((scope.clone(), Vec::new()));
            self.entities.len() - 1
        });
        let Some((_, keys)) = self.entities.get_mut(at) else { return };
        // A swap tells its keys in order.
        let at = if keys.last() < Some(&key) { Err(keys.len()) } else { keys.binary_search(&key) };
        if let Err(at) = at {
            keys.insert(at, key);
        }
    }

    fn slot(&mut self, scope: Scope, run: EntityId, from: u64, text: Option<String>) {
        let streams = self.told.streaming.iter().position(|(_, known)| *known == run);
        match (&text, streams) {
            (Some(_), None) => self.told.streaming.push((scope.clone(), run.clone())),
            (None, Some(at)) => drop(self.told.streaming.swap_remove(at)),
            _ => {}
        }
        let added: usize = text.iter().flat_map(|text| text.chars()).map(char::len_utf16).sum();
        let units = from + added as u64;
        // Deltas between two frames are handed over as one.
        if let (Some(last), Some(more)) = (self.slots.last_mut(), &text)
            && let Some(tail) = &mut last.text
            && last.run == run
            && last.units == from
        {
            tail.push_str(more);
            last.units = units;
            return;
        }
        self.slots.push(SlotNews { scope, run, from, text, units });
    }

    /// Keeps the latest of each kind and key; kinds without a known key are not for the package.
    fn signal(&mut self, scope: Scope, kind: String, data: Json, connection: &ClientConnection) {
        let member = match &*kind {
            PROGRESS => "runId",
            "instance.heartbeat" => "instanceId",
            PRESENCE | TYPING => "memberId",
            _ => return,
        };
        let raw = text::member(data.as_str(), member).map(|raw| Cursor::new(raw).string());
        let Some(Ok(key)) = raw else { return };
        let mut key = key.into_owned();
        match &*kind {
            PROGRESS => {
                let run = EntityKey::new("run", &key).ok();
                if run.is_some_and(|run| is_over(&scope, &run, connection)) {
                    return;
                }
                remember(&mut self.told.progress, &scope, &key, MAX_PROGRESS);
            }
            PRESENCE => remember(&mut self.told.present, &scope, &key, MAX_SIGNALS),
            // A person may write in two places.
            TYPING => {
                key.push(' ');
                scope.write(&mut key);
            }
            _ => {}
        }
        self.put_signal(SignalNews { scope, kind, key, data: Some(data) });
    }

    fn progress_over(&mut self, scope: &Scope, run: &EntityKey, connection: &ClientConnection) {
        let known = self.told.progress.iter().position(|(_, known)| known == run.id());
        let Some(at) = known.filter(|_| is_over(scope, run, connection)) else { return };
        let (scope, key) = self.told.progress.swap_remove(at);
        self.put_signal(SignalNews { scope, kind: PROGRESS.to_owned(), key, data: None });
    }

    /// Who is here is told anew by the hub.
    fn presence_over(&mut self, scope: &Scope) {
        for (scope, key) in self.told.present.extract_if(.., |(of, _)| of == scope).collect::<Vec<_>>() {
            self.put_signal(SignalNews { scope, kind: PRESENCE.to_owned(), key, data: None });
        }
    }

    fn put_signal(&mut self, news: SignalNews) {
        let is_old = |old: &SignalNews| old.key == news.key && old.kind == news.kind;
        if let Some(at) = self.signals.iter().position(is_old) {
            self.signals.remove(at);
        }
        push_bounded(&mut self.signals, news, MAX_SIGNALS);
    }

    fn event(&mut self, event: &str, replayed: bool) {
        let kind = text::member_word(event, "kind").unwrap_or_default();
        if self.kinds.iter().any(|wanted| wanted == "*" || wanted == kind) {
            push_bounded(&mut self.events, event_text(event, replayed), MAX_EVENTS);
        }
    }
}

/// Whether a run is known to have ended.
fn is_over(scope: &Scope, run: &EntityKey, connection: &ClientConnection) -> bool {
    let entity = connection.entity(scope, run);
    entity.is_some_and(|entity| text::member(&entity.text, "state") != Some("\"running\""))
}

fn remember(told: &mut Vec<(Scope, String)>, scope: &Scope, key: &str, most: usize) {
    if !told.iter().any(|(_, known)| known == key) {
        push_bounded(told, (scope.clone(), key.to_owned()), most);
    }
}

/// Appends; drops the oldest when there are `most`. A package that drains never comes near it.
fn push_bounded<T>(list: &mut Vec<T>, item: T, most: usize) {
    if list.len() >= most {
        list.remove(0);
    }
    list.push(item);
}

const PROGRESS: &str = "run.progress";
const PRESENCE: &str = "presence";
const TYPING: &str = "typing";
const MAX_EVENTS: usize = 10_000;
const MAX_COMMANDS: usize = 2_000;
const MAX_SIGNALS: usize = 1_000;
const MAX_PROGRESS: usize = 256;
/// Answers of probes differ by less than this when nobody has set a clock.
const CLOCK_MS: u64 = 1_000;
