//! What is shown beyond the hub's state: the predictions of own commands, and the answers that are being written.

use std::borrow::Cow;

use crate::Instant;
use crate::catalogue::Class;
use crate::connection::client::ClientConnection;
use crate::connection::client::commands::Answer;
use crate::connection::client::event::{CommandState, ConnectionEvent};
use crate::connection::client::link::Link;
use crate::error::{ErrorBody, ErrorCode};
use crate::event::RecordedEvent;
use crate::frame::{Accepted, ClientFrame, Command, Reply, Signal};
use crate::id::{CommandId, ConversationId, EntityId, EntityKey, InstanceId, Scope};
use crate::overlay::{Local, Overlay, Place};
use crate::slots::{Delta, Slots, is_over};
use crate::text::{self, Cursor};
use crate::wire::{Json, Positions, Wire};
use crate::{catalogue, predict};

/// Predictions, and slots per conversation.
#[derive(Debug, Default)]
pub(super) struct Optimistic {
    overlay: Overlay,
    slots: Vec<(ConversationId, Slots)>,
}

/// An entity as it is shown: the hub's with what own commands will do to it, or one that they will create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityView<'a> {
    /// Canonical text.
    pub text: Cow<'a, str>,
    /// The seq of the event that wrote it last; 0 when the hub has none.
    pub rev: u64,
    /// Whether it is in the live window of its type.
    pub live: bool,
    /// The command it waits for.
    pub local: Option<Local<'a>>,
}

impl ClientConnection {
    /// Gives a command: predicted at once, sent when possible and again until it is answered. Its id is a new UUIDv7.
    pub fn command(&mut self, id: CommandId, kind: &str, data: Json, now: Instant) {
        self.restore(id, kind, data, CommandState::Held, now);
    }

    /// Whether a command of a kind may be given now.
    pub(super) fn may_wait(&self, kind: &str) -> Result<(), ErrorBody> {
        let waits = catalogue::command(kind).is_none_or(|row| row.offline_queueable);
        if waits || matches!(self.link, Link::Online { .. }) {
            return Ok(());
        }
        let words = "not connected: this command does not wait; try again when the connection is back";
        Err(ErrorBody::retryable(ErrorCode::Unavailable, words))
    }

    pub(super) fn give(&mut self, command: Command, now: Instant) {
        let id = command.id.clone();
        match self.commands.add(command.clone(), now) {
            Ok(()) => {
                self.emit(ConnectionEvent::Command { id, state: CommandState::Held });
                self.send_commands(now);
            }
            Err(error) => self.refuse(command, error, now),
        }
    }

    pub(super) fn refuse(&mut self, command: Command, error: ErrorBody, now: Instant) {
        let id = command.id.clone();
        self.commands.keep(command, CommandState::Refused(error.clone()), now);
        self.refused(id, error);
    }

    /// Gives a refused command again under a new id, in one step with the end of its rows. Returns whether there was
    /// one.
    pub fn retry(&mut self, id: &CommandId, again: CommandId, now: Instant) -> bool {
        let Some((kind, data)) = self.commands.take_refused(id) else { return false };
        let places = self.optimistic.overlay.remove(id);
        self.show(places);
        self.command(again, &kind, data, now);
        true
    }

    /// Drops a refused command and its rows. Returns whether there was one.
    pub fn dismiss(&mut self, id: &CommandId) -> bool {
        let known = self.commands.take_refused(id).is_some();
        if known {
            let places = self.optimistic.overlay.remove(id);
            self.show(places);
        }
        known
    }

    /// How far a command is that is open or refused.
    pub fn command_state(&self, id: &CommandId) -> Option<&CommandState> {
        self.commands.state(id)
    }

    /// An entity as it is shown, live or not.
    pub fn entity(&self, scope: &Scope, key: &EntityKey) -> Option<EntityView<'_>> {
        let entity = self.state(scope).and_then(|state| state.get(key));
        let base = entity.map(|entity| &*entity.text);
        let (text, local) = self.optimistic.overlay.view(scope, key, base)?;
        let (rev, live) = entity.map_or((0, true), |entity| (entity.rev, entity.live));
        Some(EntityView { text, rev, live, local })
    }

    /// The live entities of a scope in the order of their keys, then predictions in the order they were given.
    pub fn entities(&self, scope: &Scope) -> Vec<(&EntityKey, EntityView<'_>)> {
        let state = self.state(scope);
        let mut keys: Vec<&EntityKey> = Vec::new();
        if let Some(state) = state {
            keys.extend(state.live().map(|(key, _)| key));
        }
        let live = keys.len();
        for row in self.optimistic.overlay.rows(scope) {
            let known = keys.get(live..).is_some_and(|predicted| predicted.contains(&&row.key));
            if !known && state.is_none_or(|state| state.get(&row.key).is_none()) {
                keys.push(&row.key);
            }
        }
        let mut shown = Vec::with_capacity(keys.len());
        for key in keys {
            shown.extend(self.entity(scope, key).map(|view| (key, view)));
        }
        shown
    }

    /// The text so far of a running answer.
    pub fn slot(&self, conversation: &ConversationId, run: &EntityId) -> Option<&str> {
        let (_, slots) = self.optimistic.slots.iter().find(|(id, _)| id == conversation)?;
        slots.get(run)
    }

    /// Writes the commands that are due.
    pub(super) fn send_commands(&mut self, now: Instant) {
        if !matches!(self.link, Link::Online { .. }) {
            return;
        }
        while let Some((command, first)) = self.commands.next_due(now) {
            // This hub may take less than the one for which it was given.
            if let Err(error) = self.commands.fits(&command) {
                self.commands.refuse(&command.id, error.clone());
                self.refused(command.id, error);
                continue;
            }
            if first {
                let places = self.optimistic.overlay.set_sent(&command.id, true);
                self.show(places);
                self.emit(ConnectionEvent::Command { id: command.id.clone(), state: CommandState::Sent });
            }
            self.send(&ClientFrame::Command(command));
        }
    }

    pub(super) fn replied(&mut self, reply: Reply, now: Instant) {
        let id = reply.id.clone();
        let fresh = matches!(self.commands.state(&id), Some(CommandState::Held | CommandState::Sent));
        match self.commands.replied(&reply, now) {
            Answer::None => {}
            Answer::Refused(error) => self.refused(id, error),
            Answer::Accepted => {
                let Some(mut accepted) = reply.accepted else { return };
                let mut scopes: Vec<Scope> = accepted.at.0.keys().cloned().collect();
                scopes.extend(self.optimistic.overlay.scopes_of(&id));
                // The hub has the command now, so its positions hold in the epoch that the hub speaks now, also when
                // the reply was stored in an earlier one.
                if let Some(epoch) = &self.epoch {
                    accepted.epoch = epoch.clone();
                }
                let places = self.optimistic.overlay.accepted(&id, accepted);
                self.show(places);
                if fresh {
                    self.emit(ConnectionEvent::Command { id, state: CommandState::Accepted });
                }
                for scope in &scopes {
                    self.reached(scope);
                }
            }
        }
        self.trim_commands();
    }

    fn refused(&mut self, id: CommandId, error: ErrorBody) {
        let places = self.optimistic.overlay.refused(&id, error.clone());
        self.show(places);
        self.emit(ConnectionEvent::Command { id, state: CommandState::Refused(error) });
        self.trim_commands();
    }

    pub(super) fn trim_commands(&mut self) {
        for gone in self.commands.overflow() {
            let places = self.optimistic.overlay.remove(&gone);
            self.show(places);
        }
    }

    /// Another principal: what the former one asked for is not asked any more.
    pub(super) fn reset_commands(&mut self) {
        self.commands.clear();
        self.optimistic.overlay.clear();
        self.optimistic.slots.clear();
    }

    /// Predicts the commands that were given before it was known who gives them.
    pub(super) fn predict_all(&mut self) {
        for (command, error) in self.commands.predictable() {
            let places = self.predict(&command);
            if let Some(error) = error.filter(|_| !places.is_empty()) {
                self.optimistic.overlay.refused(&command.id, error);
            }
            self.show(places);
        }
    }

    pub(super) fn predict(&mut self, command: &Command) -> Vec<Place> {
        let Some(by) = &self.principal else { return Vec::new() };
        let instance = self.instance_of(command.data.as_str());
        let mut rows =
            predict::predict(&command.kind, command.data.as_str(), &command.id, by, instance.as_ref());
        rows.retain(|row| row.class != Class::Upsert || !self.is_marked(row));
        self.optimistic.overlay.add(&command.id, rows)
    }

    /// Whether a mark stands there already, or further: it never goes back.
    fn is_marked(&self, mark: &predict::Predicted) -> bool {
        let count = |text: &str| Cursor::new(text::member(text, "messageCount")?).u64().ok();
        self.entity(&mark.scope, &mark.key).is_some_and(|view| count(&view.text) >= count(&mark.text))
    }

    /// The instance that runs the conversation of a command: as its entity says, else by the id that it owns.
    fn instance_of(&self, data: &str) -> Option<InstanceId> {
        let conversation = predict::conversation(data)?;
        let key = EntityKey::new("conversation", conversation.as_str()).ok()?;
        let entity = self.state(&Scope::Org).and_then(|state| state.get(&key));
        let told = entity.and_then(|entity| text::member_word(&entity.text, "instanceId"));
        let id = conversation.as_str();
        let owner = text::split_at_byte(id, b':').map_or(id, |(owner, _)| owner);
        InstanceId::new(told.unwrap_or(owner)).ok()
    }

    /// An entity of the hub's state changed.
    pub(super) fn changed(&mut self, scope: &Scope, key: EntityKey) {
        let at = self.find(scope);
        let entity = at.and_then(|at| self.scopes.get(at)).and_then(|(_, of)| of.state().get(&key));
        let followed = match (scope, entity) {
            (Scope::Conversation(conversation), entity) => {
                let slots = self.optimistic.slots.iter_mut().find(|(id, _)| id == conversation);
                if let Some((_, slots)) = slots {
                    slots.settle(&key, entity);
                }
                None
            }
            (Scope::Org, Some(entity)) if key.entity_type() == "command" => {
                CommandId::new(key.id()).ok().map(|id| (id, entity.rev, entity.text.clone()))
            }
            (Scope::Org | Scope::Member(_), _) => None,
        };
        self.emit(ConnectionEvent::Changed { scope: scope.clone(), key });
        self.flush_slots(scope);
        if let Some((id, rev, text)) = followed {
            self.staged(id, rev, &text);
        }
    }

    /// The hub's entity of a command changed. It also answers a command whose reply was lost: what its acceptance
    /// wrote is not after `rev`.
    pub(super) fn staged(&mut self, id: CommandId, rev: u64, entity: &str) {
        let Some(news) = self.commands.entity(&id, entity) else { return };
        if let (Some(data), Some(epoch)) = (news.unanswered, self.epoch.clone()) {
            let mut at = Positions::default();
            for scope in self.optimistic.overlay.scopes_of(&id) {
                at.0.insert(scope, rev);
            }
            if let Some(conversation) = predict::conversation(data.as_str()) {
                at.0.insert(Scope::Conversation(conversation), rev);
            }
            let scopes: Vec<Scope> = at.0.keys().cloned().collect();
            let places = self.optimistic.overlay.accepted(&id, Accepted { epoch, at });
            self.show(places);
            for scope in &scopes {
                self.reached(scope);
            }
        }
        self.emit(ConnectionEvent::Command { id, state: news.state });
    }

    /// An event was applied: predictions of its command leave the entities it wrote.
    pub(super) fn left_overlay(&mut self, event: &RecordedEvent<'_>) {
        let places = self.optimistic.overlay.applied(event);
        self.show(places);
    }

    /// The position of a scope moved, or a reply came.
    pub(super) fn reached(&mut self, scope: &Scope) {
        let places = match (self.scopes.iter().find(|(name, _)| name == scope), &self.epoch) {
            (Some((_, of)), _) => match of.position().filter(|_| of.is_caught_up()) {
                Some(position) => self.optimistic.overlay.reached(scope, &position.epoch, position.pos),
                None => return,
            },
            // Nobody looks: it need not be shown any longer.
            (None, Some(epoch)) => self.optimistic.overlay.reached(scope, epoch, u64::MAX),
            (None, None) => return,
        };
        self.show(places);
    }

    pub(super) fn show(&mut self, places: Vec<Place>) {
        for (scope, key) in places {
            self.emit(ConnectionEvent::Changed { scope, key });
        }
    }

    pub(super) fn signalled(&mut self, signal: Signal) {
        let followed = self.find(&signal.scope).and_then(|at| self.scopes.get(at));
        if !followed.is_some_and(|(_, of)| of.wanted && !of.is_asked() && !of.is_unasked()) {
            return;
        }
        let (Scope::Conversation(conversation), "message.delta") = (&signal.scope, signal.kind.as_str())
        else {
            if let Some(subscription) = self.subscription(&signal.scope) {
                subscription.signalled = Some(subscription.sub);
            }
            let Signal { scope, kind, data } = signal;
            return self.emit(ConnectionEvent::Signal { scope, kind, data });
        };
        let Ok(delta) = Delta::read(&mut Cursor::new(signal.data.as_str())) else {
            self.counters.bad_frames += 1;
            return;
        };
        if self.state(&signal.scope).is_some_and(|state| is_over(state, &delta.run)) {
            return;
        }
        let slots = &mut self.optimistic.slots;
        let at = slots.iter().position(|(id, _)| id == conversation).unwrap_or_else(|| {
            slots.push((conversation.clone(), Slots::new()));
            slots.len() - 1
        });
        if let Some((_, slots)) = slots.get_mut(at) {
            slots.accept(&delta);
        }
        self.flush_slots(&signal.scope);
    }

    /// The state of a scope is complete: slots whose run is not open in it go.
    pub(super) fn caught_up(&mut self, scope: &Scope) {
        let Scope::Conversation(conversation) = scope else { return };
        let followed = self.scopes.iter().find(|(name, _)| name == scope);
        let Some((_, subscription)) = followed.filter(|(_, of)| of.is_caught_up()) else { return };
        if let Some((_, slots)) = self.optimistic.slots.iter_mut().find(|(id, _)| id == conversation) {
            slots.reconcile(subscription.state());
        }
        self.flush_slots(scope);
    }

    /// The stream of deltas is cut, of one scope or of all.
    pub(super) fn suspend_slots(&mut self, scope: Option<&Scope>) {
        for (id, slots) in &mut self.optimistic.slots {
            if scope.is_none_or(|scope| matches!(scope, Scope::Conversation(of) if of == id)) {
                slots.suspend();
            }
        }
    }

    pub(super) fn forget_slots(&mut self, scope: &Scope) {
        if let Scope::Conversation(conversation) = scope {
            let slots = &mut self.optimistic.slots;
            if let Some(at) = slots.iter().position(|(id, _)| id == conversation) {
                slots.swap_remove(at);
            }
        }
    }

    fn flush_slots(&mut self, scope: &Scope) {
        let Scope::Conversation(conversation) = scope else { return };
        let found = self.optimistic.slots.iter_mut().find(|(id, _)| id == conversation);
        let changes = found.map(|(_, slots)| slots.take_changes()).unwrap_or_default();
        for change in changes {
            self.emit(ConnectionEvent::Slot {
                scope: scope.clone(),
                run: change.run,
                from: change.from as u64,
                text: change.text,
            });
        }
    }
}
