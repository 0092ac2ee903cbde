//! What each command does in the transaction that accepts it.

use otter_proto::UnixMillis;
use otter_proto::catalogue::{Executor, Offline};
use otter_proto::error::{ErrorBody, ErrorCode};
use otter_proto::frame::{Principal, PrincipalType};
use otter_proto::id::{CommandId, ConversationId, EntityKey, InstanceId, Scope};
use otter_proto::kind::CommandStage;
use otter_proto::limits::MAX_OPEN_COMMANDS;
use otter_proto::predict::predict;
use otter_proto::text;

use super::{Checked, Denied, Kind, Verdict};
use crate::ledger::fact::entity_id;
use crate::ledger::json::{self, Object};
use crate::ledger::write::Ledger;
use crate::ledger::{CommandRow, EntityRow, StoreError};

/// The longest text of a `message.send`, in bytes.
const MAX_TEXT: usize = 200 << 10;
/// How long a command that does not wait for an offline instance may wait to be attempted, in milliseconds.
const PROMPT_MS: u64 = 60_000;

/// Where a command goes.
struct Target {
    instance: InstanceId,
    conversation: ConversationId,
    address: Option<String>,
}

/// Checks what the payload's type cannot say.
pub(super) fn check_size(kind: &Kind, data: &str) -> Result<(), ErrorBody> {
    if kind.name != "message.send" {
        return Ok(());
    }
    match json::string(data, "text").map_or(0, |text| text.len()) {
        0 => Err(ErrorBody::new(ErrorCode::InvalidData, "a message needs a text").at("/data/text")),
        len if len > MAX_TEXT => {
            let message = format!("the text has {len} bytes; send at most {MAX_TEXT}");
            Err(ErrorBody::new(ErrorCode::TooLarge, message).at("/data/text"))
        }
        _ => Ok(()),
    }
}

impl Ledger<'_> {
    pub(super) fn accept(&mut self, command: &Checked<'_>) -> Verdict<()> {
        match command.kind.executor {
            Executor::Hub => self.cancel(command),
            Executor::Instance => self.accept_for_instance(command),
        }
    }

    fn accept_for_instance(&mut self, command: &Checked<'_>) -> Verdict<()> {
        let target = match self.target(command)? {
            Ok(target) => target,
            Err(denied) => return Ok(Err(denied)),
        };
        let attached = command.attached.contains(&target.instance);
        if !attached && command.kind.offline == Offline::Refuse {
            let message = "the OpenClaw instance is offline; try again when it is back";
            return Ok(Err(Denied::new(ErrorCode::InstanceOffline, message, &[Scope::Org])));
        }
        let open = self.rows.count_open_commands(&target.instance)?;
        if open >= u64::try_from(MAX_OPEN_COMMANDS).unwrap_or(u64::MAX) {
            let message =
                "too many commands wait for this instance; cancel some or wait until it has caught up";
            return Ok(Err(Denied::new(ErrorCode::TooManyOpen, message, &[Scope::Org])));
        }
        self.write_predicted(command, &target)?;
        let ttl = match command.kind.offline {
            Offline::Refuse => PROMPT_MS,
            Offline::Queue { ttl_ms } => ttl_ms,
        };
        let row = CommandRow {
            kind: command.kind.name.to_owned(),
            data: command.data.clone(),
            by: author(command),
            instance: Some(target.instance.clone()),
            address: target.address,
            stage: CommandStage::Accepted,
            sent: attached,
            cancel: false,
            seq: self.next_seq(),
            issued_at: self.now,
            expires_at: UnixMillis(self.now.0 + ttl),
        };
        let entity = Object::default()
            .string("conversationId", target.conversation.as_str())
            .string("expiresAt", &row.expires_at.to_string())
            .string("instanceId", target.instance.as_str())
            .optional("runId", json::string(&command.data, "runId").as_deref());
        let entity = if attached { entity.raw("sent", "true") } else { entity };
        self.write_command(command.id, &row, entity)?;
        self.rows.put_command(command.id, &row)?;
        if attached {
            let dispatch = self.dispatch_of(command.id, &row);
            self.dispatch.push((target.instance, dispatch));
        }
        Ok(Ok(()))
    }

    /// Finds what a command names.
    fn target(&mut self, command: &Checked<'_>) -> Verdict<Target> {
        let missing = |what: &str, pointer: &str, scope: Scope| {
            let message = format!("there is no such {what}; it may have been removed");
            Ok(Err(Denied::new(ErrorCode::NotFound, &message, &[scope]).at(pointer)))
        };
        let id = json::string(&command.data, "conversationId").unwrap_or_default();
        let Some((conversation, row)) = self.conversation(&id)? else {
            return missing("conversation", "/data/conversationId", Scope::Org);
        };
        let instance = json::string(&row.text, "instanceId").and_then(|id| InstanceId::new(&id).ok());
        let Some(instance) = instance else {
            return missing("conversation", "/data/conversationId", Scope::Org);
        };
        let agent = json::string(&row.text, "agentId").unwrap_or_default();
        if self.org_entity("agent", &agent)?.is_none() {
            return missing("agent", "/data/conversationId", Scope::Org);
        }
        if let Some(run) = json::string(&command.data, "runId") {
            let scope = Scope::Conversation(conversation.clone());
            let row = match EntityKey::new("run", &run) {
                Ok(key) => self.rows.entity(&scope, &key)?,
                Err(_) => None,
            };
            let Some(row) = row else { return missing("run", "/data/runId", scope) };
            if json::string(&row.text, "state").as_deref() != Some("running") {
                let denied = Denied::new(ErrorCode::AlreadyEnded, "this run has ended", &[scope]);
                return Ok(Err(denied.at("/data/runId")));
            }
        }
        let address = text::member(&row.text, "address").map(ToOwned::to_owned);
        Ok(Ok(Target { instance, conversation, address }))
    }

    fn conversation(&mut self, id: &str) -> Result<Option<(ConversationId, EntityRow)>, StoreError> {
        let Ok(conversation) = ConversationId::new(id) else { return Ok(None) };
        Ok(self.org_entity("conversation", id)?.map(|row| (conversation, row)))
    }

    fn org_entity(&mut self, entity_type: &str, id: &str) -> Result<Option<EntityRow>, StoreError> {
        match EntityKey::new(entity_type, id) {
            Ok(key) => self.rows.entity(&Scope::Org, &key),
            Err(_) => Ok(None),
        }
    }

    /// Writes what a client predicts, by the same function.
    fn write_predicted(&mut self, command: &Checked<'_>, target: &Target) -> Result<(), StoreError> {
        let by = Principal {
            principal_type: PrincipalType::Member,
            id: command.actor.id.to_string(),
            org: self.org().clone(),
            name: command.actor.name.clone(),
            role: None,
        };
        for row in predict(command.kind.name, &command.data, command.id, &by, &target.instance) {
            let kind = format!("{}.created", row.key.entity_type());
            self.write_own_text(&kind, row.key.id(), row.scope, Some(command.id), row.text)?;
        }
        Ok(())
    }

    /// Writes the first `command.updated`.
    fn write_command(&mut self, id: &CommandId, row: &CommandRow, more: Object) -> Result<(), StoreError> {
        let data = more
            .raw("by", row.by.clone())
            .string("issuedAt", &row.issued_at.to_string())
            .string("kind", &row.kind)
            .string("stage", row.stage.as_str());
        self.write_own("command.updated", id.as_str(), Scope::Org, Some(id), data)
    }

    /// `command.cancel`: before the target was sent the hub ends it, later it asks the instance to.
    fn cancel(&mut self, command: &Checked<'_>) -> Verdict<()> {
        let id = json::string(&command.data, "commandId").unwrap_or_default();
        let target = CommandId::new(&id).ok();
        let row = match &target {
            Some(id) => self.rows.command(id)?,
            None => None,
        };
        let (Some(target), Some(row)) = (target, row) else {
            let message = "there is no such command; it may have ended long ago";
            let denied = Denied::new(ErrorCode::NotFound, message, &[Scope::Org]);
            return Ok(Err(denied.at("/data/commandId")));
        };
        if row.stage.is_final() {
            let denied = Denied::new(ErrorCode::AlreadyEnded, "this command has ended", &[Scope::Org]);
            return Ok(Err(denied.at("/data/commandId")));
        }
        if row.sent {
            self.ask_to_cancel(&target, row, command)?;
        } else {
            self.end_unsent(&target, row, CommandStage::Cancelled, Some(command.id))?;
        }
        let own = CommandRow {
            kind: command.kind.name.to_owned(),
            data: command.data.clone(),
            by: author(command),
            instance: None,
            address: None,
            stage: CommandStage::Completed,
            sent: false,
            cancel: false,
            seq: self.next_seq(),
            issued_at: self.now,
            expires_at: self.now,
        };
        self.write_command(command.id, &own, Object::default())?;
        self.rows.put_command(command.id, &own)?;
        Ok(Ok(()))
    }

    fn ask_to_cancel(
        &mut self,
        id: &CommandId,
        mut row: CommandRow,
        command: &Checked<'_>,
    ) -> Result<(), StoreError> {
        row.cancel = true;
        let data = Object::default().raw("cancelRequested", "true").string("stage", row.stage.as_str());
        self.write_own("command.updated", id.as_str(), Scope::Org, Some(command.id), data)?;
        self.rows.put_command(id, &row)?;
        if let Some(instance) = row.instance.clone().filter(|id| command.attached.contains(id)) {
            let dispatch = self.dispatch_of(id, &row);
            self.dispatch.push((instance, dispatch));
        }
        Ok(())
    }
}

/// The message that a `message.send` makes.
pub(super) fn user_message(instance: &InstanceId, command: &CommandId) -> Option<String> {
    entity_id(&[instance.as_str(), command.as_str(), "user"]).map(String::from)
}

fn author(command: &Checked<'_>) -> String {
    Object::default()
        .string("id", command.actor.id.as_str())
        .optional("name", command.actor.name.as_deref())
        .string("type", "member")
        .build()
}
