//! The JSON text of a drain.

use otter_proto::Instant;
use otter_proto::connection::client::{
    ClientConnection, CommandState, ConnectionStatus, ListState, Phase, ScopePhase,
};
use otter_proto::error::ErrorBody;
use otter_proto::id::{CommandId, EntityKey, Scope};
use otter_proto::overlay::Local;
use otter_proto::text::{self, write_string, write_u64};
use otter_proto::wire::{Json, Wire};

use super::{Changes, SignalNews, SlotNews};

impl Changes {
    /// Everything since the last call, as JSON text of a `Drain`; empty when there is nothing. `unix_of` places the
    /// machine's clock on the wall clock.
    pub(crate) fn take(&mut self, connection: &ClientConnection, unix_of: impl Fn(Instant) -> u64) -> String {
        let mut out = String::new();
        if self.is_empty() {
            return out;
        }
        if let Some(status) = self.connection.take() {
            part(&mut out, "connection");
            write_status(&mut out, &status, &unix_of);
        }
        if let Some(principal) = self.principal.take() {
            part(&mut out, "self");
            principal.write(&mut out);
        }
        if let Some(offset) = self.offset_ms.take() {
            part(&mut out, "serverOffsetMs");
            out.push_str(if offset < 0 { "-" } else { "" });
            write_u64(&mut out, offset.unsigned_abs());
        }
        list(&mut out, "reset", &std::mem::take(&mut self.reset), &mut |out, scope| scope.write(out));
        self.write_entities(&mut out, connection);
        list(&mut out, "slots", &std::mem::take(&mut self.slots), &mut write_slot);
        list(&mut out, "signals", &std::mem::take(&mut self.signals), &mut write_signal);
        self.write_scopes(&mut out);
        let texts = [
            ("lists", &mut self.lists),
            ("texts", &mut self.texts),
            ("commands", &mut self.commands),
            ("events", &mut self.events),
        ];
        for (name, texts) in texts {
            list(&mut out, name, &std::mem::take(texts), &mut |out, text| out.push_str(text));
        }
        out.push('}');
        out
    }

    fn write_entities(&mut self, out: &mut String, connection: &ClientConnection) {
        let changed = std::mem::take(&mut self.entities);
        let (mut gone, mut there, mut local) = (Vec::new(), Vec::new(), Vec::new());
        for (scope, key) in changed.iter().flat_map(|(scope, keys)| keys.iter().map(move |key| (scope, key)))
        {
            let view = connection.entity(scope, key);
            let known = self.told.local.iter().position(|told| told == key);
            match (view.as_ref().and_then(|view| view.local), known) {
                (Some(of), known) => {
                    local.push((key, Some(of)));
                    if known.is_none() {
                        self.told.local.push(key.clone());
                    }
                }
                (None, Some(at)) => {
                    self.told.local.swap_remove(at);
                    local.push((key, None));
                }
                (None, None) => {}
            }
            match view {
                Some(view) => there.push((scope, key, view)),
                None => gone.push((scope, key)),
            }
        }
        list(out, "drop", &gone, &mut |out, (scope, key)| {
            write_place(out, scope, key);
            out.push(']');
        });
        list(out, "put", &there, &mut |out, (scope, key, view)| {
            write_place(out, scope, key);
            out.push(',');
            write_u64(out, view.rev);
            out.push_str(if view.live { ",true," } else { ",false," });
            out.push_str(&view.text);
            out.push(']');
        });
        map(out, "local", &local, &mut |out, (key, local)| {
            key.write(out);
            out.push(':');
            write_local(out, *local);
        });
    }

    fn write_scopes(&mut self, out: &mut String) {
        map(out, "scopes", &std::mem::take(&mut self.scopes), &mut |out, (scope, phase, reason)| {
            scope.write(out);
            out.push_str(match phase {
                ScopePhase::Loading => ":{\"phase\":\"loading\",\"reason\":",
                ScopePhase::Live => ":{\"phase\":\"live\",\"reason\":",
                ScopePhase::Stale => ":{\"phase\":\"stale\",\"reason\":",
                ScopePhase::Denied => ":{\"phase\":\"denied\",\"reason\":",
            });
            reason.write(out);
            out.push('}');
        });
    }
}

/// Starts a member of the drain.
fn part(out: &mut String, name: &str) {
    out.push(if out.is_empty() { '{' } else { ',' });
    write_string(out, name);
    out.push(':');
}

fn list<T>(out: &mut String, name: &str, items: &[T], write: &mut dyn FnMut(&mut String, &T)) {
    collection(out, name, items, ["[", "]"], write);
}

fn map<T>(out: &mut String, name: &str, items: &[T], write: &mut dyn FnMut(&mut String, &T)) {
    collection(out, name, items, ["{", "}"], write);
}

/// A member with items; nothing when there are none.
fn collection<T>(
    out: &mut String,
    name: &str,
    items: &[T],
    [open, close]: [&str; 2],
    write: &mut dyn FnMut(&mut String, &T),
) {
    if items.is_empty() {
        return;
    }
    part(out, name);
    for (at, item) in items.iter().enumerate() {
        out.push_str(if at == 0 { open } else { "," });
        write(out, item);
    }
    out.push_str(close);
}

fn write_status(out: &mut String, status: &ConnectionStatus, unix_of: &dyn Fn(Instant) -> u64) {
    out.push_str("{\"phase\":\"");
    out.push_str(match status.phase {
        Phase::Connecting => "connecting",
        Phase::Online => "online",
        Phase::Waiting => "waiting",
        Phase::SignedOut => "signedOut",
        Phase::Idle | Phase::Stopped => "stopped",
    });
    out.push_str("\",\"reason\":");
    status.reason.write(out);
    out.push_str(",\"code\":");
    status.code.map(u64::from).write(out);
    out.push_str(",\"since\":");
    write_u64(out, unix_of(status.since));
    out.push_str(",\"attempt\":");
    write_u64(out, status.attempt.into());
    out.push_str(",\"nextRetryAt\":");
    status.retry_at.map(unix_of).write(out);
    out.push_str(",\"roundTripMs\":");
    status.round_trip_ms.write(out);
    out.push('}');
}

/// `["scope","key"`, to be gone on with.
fn write_place(out: &mut String, scope: &Scope, key: &EntityKey) {
    out.push('[');
    scope.write(out);
    out.push(',');
    key.write(out);
}

fn write_slot(out: &mut String, slot: &SlotNews) {
    out.push('[');
    if let Scope::Conversation(conversation) = &slot.scope {
        conversation.write(out);
    } else {
        slot.scope.write(out);
    }
    out.push(',');
    slot.run.write(out);
    out.push(',');
    write_u64(out, slot.from);
    out.push(',');
    slot.text.write(out);
    out.push(']');
}

fn write_signal(out: &mut String, signal: &SignalNews) {
    out.push('[');
    signal.scope.write(out);
    out.push(',');
    write_string(out, &signal.kind);
    out.push(',');
    write_string(out, &signal.key);
    out.push(',');
    signal.data.write(out);
    out.push(']');
}

/// `[scope,type,loading,hasMore,oldest,error]`.
pub(super) fn list_text(scope: &Scope, entity_type: &str, state: &ListState) -> String {
    let mut out = String::from("[");
    scope.write(&mut out);
    out.push(',');
    write_string(&mut out, entity_type);
    write_flag(&mut out, state.loading);
    write_flag(&mut out, state.more);
    out.push(',');
    state.oldest.write(&mut out);
    out.push(',');
    state.error.write(&mut out);
    out.push(']');
    out
}

/// `[key,first,part,done,error]`.
pub(super) fn part_text(
    key: &EntityKey,
    first: bool,
    part: Option<&Json>,
    done: bool,
    error: Option<&ErrorBody>,
) -> String {
    let mut out = String::from("[");
    key.write(&mut out);
    write_flag(&mut out, first);
    out.push(',');
    write_or_null(&mut out, part);
    write_flag(&mut out, done);
    out.push(',');
    write_or_null(&mut out, error);
    out.push(']');
    out
}

fn write_or_null(out: &mut String, value: Option<&impl Wire>) {
    match value {
        Some(value) => value.write(out),
        None => out.push_str("null"),
    }
}

fn write_flag(out: &mut String, flag: bool) {
    out.push(',');
    flag.write(out);
}

fn write_local(out: &mut String, local: Option<Local<'_>>) {
    let Some(local) = local else { return out.push_str("null") };
    out.push_str("{\"commandId\":");
    local.command.write(out);
    out.push_str(",\"stage\":");
    local.stage.write(out);
    if let Some(error) = local.error {
        out.push_str(",\"error\":");
        error.write(out);
    }
    out.push('}');
}

/// `[event,replayed]`.
pub(super) fn event_text(event: &str, replayed: bool) -> String {
    let mut out = String::with_capacity(event.len() + 8);
    out.push('[');
    out.push_str(event);
    write_flag(&mut out, replayed);
    out.push(']');
    out
}

pub(super) fn command_text(id: &CommandId, state: &CommandState) -> String {
    let mut out = String::from("{\"id\":");
    id.write(&mut out);
    out.push_str(",\"state\":\"");
    match state {
        CommandState::Held => out.push_str("held\""),
        CommandState::Sent => out.push_str("sent\""),
        CommandState::Accepted => out.push_str("accepted\""),
        CommandState::Refused(error) => {
            out.push_str("refused\",\"error\":");
            error.write(&mut out);
        }
        CommandState::Stage { stage, entity } => {
            out.push_str(stage);
            out.push('"');
            for name in ["error", "result"] {
                if let Some(value) = text::member(entity, name) {
                    part(&mut out, name);
                    out.push_str(value);
                }
            }
        }
    }
    out.push('}');
    out
}
