//! Commands: accepted or refused in one transaction, with one stored answer.

mod accept;
mod approval;
mod cancel;
mod conversation;
mod dispatch;
mod end;
mod feed;
mod remove;
mod request;
mod target;
mod task;

use std::collections::BTreeSet;

use otter_proto::catalogue::{self, CommandRow as Kind};
use otter_proto::error::{ErrorBody, ErrorCode};
use otter_proto::frame::{Accepted, Command, Reply};
use otter_proto::id::{CommandId, InstanceId, Scope};
use otter_proto::kind::check_command;
use otter_proto::text::{Cursor, Numbers, canonicalise};
use otter_proto::wire::{Positions, Wire};
use sha2::{Digest, Sha256};

use self::request::Request;
pub(super) use self::target::instance_of;
pub(super) use self::task::PEOPLES;
use crate::ledger::json::Object;
use crate::ledger::write::Ledger;
use crate::ledger::{Actor, ReplyRow, StoreError};

/// A command that passed what does not depend on state.
#[derive(Debug)]
struct Checked<'a> {
    id: &'a CommandId,
    /// For instance `message.send`, or `x.acme.deploy`.
    name: &'a str,
    kind: &'static Kind,
    data: String,
    request: Request,
    actor: &'a Actor,
    attached: &'a BTreeSet<InstanceId>,
}

/// Why a command is refused by what the hub knows, and the scopes that was read in.
#[derive(Debug)]
struct Denied {
    error: ErrorBody,
    scopes: Vec<Scope>,
}

type Verdict<T> = Result<Result<T, Denied>, StoreError>;

impl Checked<'_> {
    /// Who asked, as entities show it.
    fn author(&self) -> String {
        Object::default()
            .string("id", self.actor.id.as_str())
            .optional("name", self.actor.name.as_deref())
            .string("type", "member")
            .build()
    }
}

impl Denied {
    fn new(code: ErrorCode, message: &str, scopes: &[Scope]) -> Self {
        Self { error: ErrorBody::new(code, message), scopes: scopes.to_vec() }
    }

    fn at(mut self, pointer: &str) -> Self {
        self.error.pointer = Some(pointer.to_owned());
        self
    }
}

impl Ledger<'_> {
    /// Answers a command. An accepted one is in the log and will be carried out; the same id gets the same answer
    /// again, with other content it is refused. `attached` are the instances that have a socket: commands for them
    /// are recorded as sent and appear in [`crate::log::Commit::dispatch`].
    pub fn command(
        &mut self,
        actor: &Actor,
        command: &Command,
        attached: &BTreeSet<InstanceId>,
    ) -> Result<Reply, StoreError> {
        let (kind, data, request) = match checked(actor, command) {
            Ok(checked) => checked,
            Err(error) => return Ok(refused(&command.id, error)),
        };
        let digest = digest(actor, command, &data);
        if let Some(stored) = self.rows.reply(&command.id)? {
            return repeat(&command.id, &stored, &digest);
        }
        if actor.role < kind.role {
            let message = format!("`{}` needs the role {}", command.kind, kind.role.as_str());
            return Ok(refused(&command.id, ErrorBody::new(ErrorCode::RoleRequired, message)));
        }
        let mark = self.mark();
        let (id, name) = (&command.id, &*command.kind);
        let checked = Checked { id, name, kind, data, request, actor, attached };
        let reply = match self.accept(&checked)? {
            Ok(()) => self.accepted(&command.id, mark),
            Err(denied) => self.denied(&command.id, denied)?,
        };
        let mut text = String::new();
        reply.write(&mut text);
        self.rows.put_reply(&command.id, &ReplyRow { digest, text, at: self.now })?;
        Ok(reply)
    }

    fn accepted(&self, id: &CommandId, mark: usize) -> Reply {
        let mut at = Positions::default();
        for event in self.since(mark) {
            at.0.insert(event.scope.clone(), event.seq);
        }
        let accepted = Accepted { epoch: self.epoch().clone(), at };
        Reply {
            id: id.clone(),
            accepted: Some(accepted),
            refused: None,
            epoch: None,
            at: Positions::default(),
        }
    }

    fn denied(&mut self, id: &CommandId, denied: Denied) -> Result<Reply, StoreError> {
        let mut at = Positions::default();
        for scope in denied.scopes {
            let head = self.scope(&scope)?.head;
            at.0.insert(scope, head);
        }
        let epoch = Some(self.epoch().clone());
        Ok(Reply { id: id.clone(), accepted: None, refused: Some(denied.error), epoch, at })
    }
}

/// What does not depend on state: the answer is not stored, the same id may be used again.
fn checked(actor: &Actor, command: &Command) -> Result<(&'static Kind, String, Request), ErrorBody> {
    if uuid::Uuid::try_parse(command.id.as_str()).is_err() {
        return Err(ErrorBody::new(ErrorCode::BadId, "a command's id is a UUIDv7").at("/id"));
    }
    let Some(kind) = catalogue::command(&command.kind) else {
        let message = format!("there is no command `{}`", command.kind.chars().take(64).collect::<String>());
        return Err(ErrorBody::new(ErrorCode::UnknownCommand, message).at("/kind"));
    };
    let data = canonicalise(command.data.as_str(), Numbers::Rfc8785)
        .map_err(|error| ErrorBody::new(ErrorCode::InvalidData, error.to_string()).at("/data"))?;
    if let Some(Err(invalid)) = check_command(&command.kind, &data) {
        let pointer = format!("/data{}", invalid.pointer);
        return Err(ErrorBody::new(ErrorCode::InvalidData, invalid.message).at(pointer));
    }
    let Some(request) = Request::read(&command.kind, &data) else {
        return Err(ErrorBody::new(ErrorCode::Internal, "the hub cannot carry this command out").at("/kind"));
    };
    request.check_size(&data)?;
    tracing::trace!(member = %actor.id, kind = command.kind, "command");
    Ok((kind, data, request))
}

/// Who asked for what, as bytes that are compared.
fn digest(actor: &Actor, command: &Command, data: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [actor.id.as_str(), &command.kind, data] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().into()
}

fn repeat(id: &CommandId, stored: &ReplyRow, digest: &[u8; 32]) -> Result<Reply, StoreError> {
    if stored.digest != *digest {
        let message = "this id was used for another command; make a new id";
        return Ok(refused(id, ErrorBody::new(ErrorCode::IdempotencyMismatch, message).at("/id")));
    }
    Reply::read(&mut Cursor::new(&stored.text))
        .map_err(|error| StoreError::Broken(format!("the stored reply of {id} is unreadable: {error}")))
}

fn refused(id: &CommandId, error: ErrorBody) -> Reply {
    Reply { id: id.clone(), accepted: None, refused: Some(error), epoch: None, at: Positions::default() }
}
