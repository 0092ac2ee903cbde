//! What a signal says, and whether its sender may say it.

use otter_proto::UnixMillis;
use otter_proto::catalogue::{self, Publisher, Role, ScopeRule};
use otter_proto::error::{ErrorBody, ErrorCode};
use otter_proto::frame::Signal;
use otter_proto::id::{EntityId, InstanceId, MemberId, Scope, belongs_to};
use otter_proto::kind::{InstanceHeartbeat, RunProgress};
use otter_proto::limits::SLOT_BYTES;
use otter_proto::slots::Delta;
use otter_proto::text::{Cursor, Numbers, canonicalise};
use otter_proto::wire::Wire;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{DELTA, HEARTBEAT, PROGRESS, TYPING};

/// The longest data of a signal other than a text.
const DATA_BYTES: usize = 8 << 10;

/// Who sends a signal.
#[derive(Debug, Clone, Copy)]
pub enum Sender<'a> {
    /// An instance.
    Instance(&'a InstanceId),
    /// A person.
    Member {
        /// Who.
        id: &'a MemberId,
        /// What they may do.
        role: Role,
        /// Whether the connection follows the scope of the signal.
        follows: bool,
    },
}

/// A signal that its sender may send.
pub(super) enum Checked {
    Delta(Delta),
    Progress(RunProgress),
    Heartbeat(InstanceHeartbeat),
    /// Whether the sender writes. Who that is the hub knows better than the data.
    Typing(bool),
}

impl Checked {
    pub(super) const fn run(&self) -> Option<&EntityId> {
        match self {
            Self::Delta(delta) => Some(&delta.run),
            Self::Progress(progress) => Some(&progress.run_id),
            Self::Heartbeat(_) | Self::Typing(_) => None,
        }
    }
}

/// Reads a signal and refuses what its sender must not say.
pub(super) fn check(sender: Sender<'_>, signal: &Signal) -> Result<Checked, ErrorBody> {
    let unknown = || ErrorBody::new(ErrorCode::UnknownKind, "this hub does not know the signal");
    let row = catalogue::signal(&signal.kind).ok_or_else(unknown)?;
    let publishes = matches!(
        (sender, row.publisher),
        (Sender::Instance(_), Publisher::Instance) | (Sender::Member { .. }, Publisher::Member)
    );
    if !publishes {
        return refused(
            ErrorCode::NotPublisher,
            "others send this signal, see `publishers` in the catalogue",
        );
    }
    let belongs = matches!(
        (row.scope, &signal.scope),
        (ScopeRule::Org, Scope::Org)
            | (ScopeRule::Conversation, Scope::Conversation(_))
            | (ScopeRule::Member, Scope::Member(_))
    );
    if !belongs {
        return refused(ErrorCode::UnknownScope, "this signal does not belong in this scope");
    }
    let checked = decode(signal)?.ok_or_else(unknown)?;
    match sender {
        Sender::Instance(instance) => owned(instance, &signal.scope, &checked)?,
        Sender::Member { role, .. } if row.role.is_some_and(|least| role < least) => {
            return refused(ErrorCode::RoleRequired, "viewers send no such signals");
        }
        Sender::Member { follows: false, .. } => {
            return refused(ErrorCode::NotSubscribed, "subscribe to the scope first");
        }
        Sender::Member { .. } => {}
    }
    Ok(checked)
}

/// An instance speaks for itself, its conversations and its runs.
fn owned(instance: &InstanceId, scope: &Scope, checked: &Checked) -> Result<(), ErrorBody> {
    let owns = |id: &str| belongs_to(id, instance.as_str());
    if let Checked::Heartbeat(heartbeat) = checked
        && heartbeat.instance_id != *instance
    {
        return refused(ErrorCode::NotOwner, "an instance sends its own heartbeat");
    }
    if let Scope::Conversation(id) = scope
        && !owns(id.as_str())
    {
        return refused(ErrorCode::NotOwner, "the conversation belongs to another instance");
    }
    if checked.run().is_some_and(|run| !owns(run.as_str())) {
        return refused(ErrorCode::NotOwner, "the run belongs to another instance");
    }
    Ok(())
}

/// The data as its kind has it; `None` for a kind that no client sends.
fn decode(signal: &Signal) -> Result<Option<Checked>, ErrorBody> {
    let data = signal.data.as_str();
    if signal.kind != DELTA && data.len() > DATA_BYTES {
        return refused(ErrorCode::TooLarge, "send at most 8 KiB of data in such a signal");
    }
    Ok(Some(match signal.kind.as_str() {
        DELTA => Checked::Delta(delta(data)?),
        PROGRESS => Checked::Progress(typed(data)?),
        HEARTBEAT => Checked::Heartbeat(typed(data)?),
        TYPING => Checked::Typing(typed::<TypingSaid>(data)?.active),
        _ => return Ok(None),
    }))
}

/// What counts of a `typing` that a client sends.
#[derive(serde::Deserialize)]
struct TypingSaid {
    active: bool,
}

/// Reads a delta. By far the most frequent signal: without serde, and with half characters repaired on the way.
fn delta(data: &str) -> Result<Delta, ErrorBody> {
    let mut cursor = Cursor::new(data);
    let delta = Delta::read(&mut cursor).map_err(|error| invalid(&error))?;
    if delta.text.len() > SLOT_BYTES {
        return refused(ErrorCode::TooLarge, "send at most 256 KiB of text in one signal");
    }
    Ok(delta)
}

fn typed<T: DeserializeOwned>(data: &str) -> Result<T, ErrorBody> {
    let data = canonicalise(data, Numbers::Rfc8785).map_err(|error| invalid(&error))?;
    serde_json::from_str(&data).map_err(|error| invalid(&error))
}

/// The data in the form in which it travels on.
pub(super) fn printed<T: Serialize>(value: &T) -> Result<String, ErrorBody> {
    serde_json::to_string(value).map_err(|error| invalid(&error))
}

/// A heartbeat with the time at which it was heard here.
pub(super) fn heard(heartbeat: InstanceHeartbeat, now: UnixMillis) -> InstanceHeartbeat {
    InstanceHeartbeat { heard_at: Some(now), ..heartbeat }
}

fn refused<T>(code: ErrorCode, message: &str) -> Result<T, ErrorBody> {
    Err(ErrorBody::new(code, message))
}

fn invalid(error: &dyn std::error::Error) -> ErrorBody {
    ErrorBody::new(ErrorCode::InvalidData, format!("the data does not fit the signal: {error}"))
}
