//! What accepting a command does: in one transaction, for commands of the hub and of instances.

use otter_proto::UnixMillis;
use otter_proto::catalogue::Offline;
use otter_proto::error::ErrorCode;
use otter_proto::frame::{Principal, PrincipalType};
use otter_proto::id::{ConversationId, EntityKey, InstanceId, MemberId, Scope};
use otter_proto::kind::CommandStage;
use otter_proto::limits::MAX_OPEN_COMMANDS;
use otter_proto::predict::{Predicted, predict};

use super::request::Request;
use super::target::Target;
use super::{Checked, Denied, Verdict};
use crate::ledger::json::Object;
use crate::ledger::write::Ledger;
use crate::ledger::{CommandRow, StoreError};

/// How long a command that does not wait for an offline instance may wait to be attempted, in milliseconds.
const PROMPT_MS: u64 = 60_000;

/// Unwraps what was found, or returns the refusal.
macro_rules! found {
    ($verdict:expr) => {
        match $verdict {
            Ok(found) => found,
            Err(denied) => return Ok(Err(denied)),
        }
    };
}

pub(super) use found;

impl Ledger<'_> {
    pub(super) fn accept(&mut self, command: &Checked<'_>) -> Verdict<()> {
        match &command.request {
            Request::MessageSend(data) => self.message_send(command, data),
            Request::RunAbort(data) => {
                let target = found!(self.conversation_target(&data.conversation_id)?);
                found!(self.open_run(&data.conversation_id, &data.run_id)?);
                let about = Object::default().string("runId", data.run_id.as_str());
                found!(self.may_hand_over(command, &target)?);
                self.hand_over(command, target, about).map(Ok)
            }
            Request::SessionReset(data) => {
                let target = found!(self.conversation_target(&data.conversation_id)?);
                found!(self.may_hand_over(command, &target)?);
                self.hand_over(command, target, Object::default()).map(Ok)
            }
            Request::AgentPing(data) => {
                let target = found!(self.agent_target(&data.agent_id)?);
                found!(self.may_hand_over(command, &target)?);
                let about = Object::default().string("entity", &format!("agent/{}", data.agent_id));
                self.hand_over(command, target, about).map(Ok)
            }
            Request::ApprovalDecide(data) => self.approval_decide(command, data),
            Request::TaskCreate(data) => self.task_create(command, data),
            Request::TaskUpdate(data) => self.task_update(command, data),
            Request::TaskDispatch(data) => self.task_dispatch(command, data),
            Request::FeedMarkRead(_) => self.feed_mark_read(command),
            Request::FeedArchive(data) => self.feed_archive(command, data),
            Request::ConversationUpdate(data) => self.conversation_update(command, data),
            Request::ConversationMarkRead(data) => self.conversation_mark_read(command, data),
            Request::CommandCancel(data) => self.cancel(command, data),
            Request::InstanceRemove(data) => self.instance_remove(command, data),
            Request::Vendor(data) => {
                let target = found!(self.vendor_target(data)?);
                found!(self.may_hand_over(command, &target)?);
                self.hand_over(command, target, Object::default()).map(Ok)
            }
        }
    }

    /// Refuses a command whose instance is away when it does not wait, or has too much to do.
    pub(super) fn may_hand_over(&mut self, command: &Checked<'_>, target: &Target) -> Verdict<()> {
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
        Ok(Ok(()))
    }

    /// Records a command for its instance, and hands it over when that is there. `about` says in the command's row
    /// what it concerns.
    pub(super) fn hand_over(
        &mut self,
        command: &Checked<'_>,
        target: Target,
        about: Object,
    ) -> Result<(), StoreError> {
        let attached = command.attached.contains(&target.instance);
        let ttl = match command.kind.offline {
            Offline::Refuse => PROMPT_MS,
            Offline::Queue { ttl_ms } => ttl_ms,
        };
        let data = match &target.words {
            Some(words) => Object::default().string("text", words).over(&command.data),
            None => command.data.clone(),
        };
        let row = CommandRow {
            kind: command.name.to_owned(),
            data,
            by: command.author(),
            instance: Some(target.instance.clone()),
            address: target.address,
            stage: CommandStage::Accepted,
            sent: attached,
            cancel: false,
            seq: self.next_seq(),
            issued_at: self.now,
            expires_at: UnixMillis(self.now.0 + ttl),
        };
        let entity = about
            .optional("conversationId", target.conversation.as_ref().map(ConversationId::as_str))
            .string("expiresAt", &row.expires_at.to_string())
            .string("instanceId", target.instance.as_str());
        let entity = if attached { entity.raw("sent", "true") } else { entity };
        self.write_command(command, &row, entity)?;
        self.rows.put_command(command.id, &row)?;
        if attached {
            let dispatch = self.dispatch_of(command.id, &row);
            self.dispatch.push((target.instance, dispatch));
        }
        Ok(())
    }

    /// Records a command that the hub has carried out.
    pub(super) fn complete(&mut self, command: &Checked<'_>, about: Object) -> Verdict<()> {
        let row = CommandRow {
            kind: command.name.to_owned(),
            data: command.data.clone(),
            by: command.author(),
            instance: None,
            address: None,
            stage: CommandStage::Completed,
            sent: false,
            cancel: false,
            seq: self.next_seq(),
            issued_at: self.now,
            expires_at: self.now,
        };
        self.write_command(command, &row, about)?;
        self.rows.put_command(command.id, &row)?;
        Ok(Ok(()))
    }

    /// Writes the first `command.updated`.
    fn write_command(
        &mut self,
        command: &Checked<'_>,
        row: &CommandRow,
        about: Object,
    ) -> Result<(), StoreError> {
        let data = about
            .raw("by", row.by.clone())
            .string("issuedAt", &row.issued_at.to_string())
            .string("kind", &row.kind)
            .string("stage", row.stage.as_str());
        self.write_own("command.updated", command.id.as_str(), Scope::Org, Some(command.id), data)
    }

    /// What a client predicts of a command, by the same function.
    pub(super) fn predicted(&self, command: &Checked<'_>, instance: Option<&InstanceId>) -> Vec<Predicted> {
        let by = Principal {
            principal_type: PrincipalType::Member,
            id: command.actor.id.to_string(),
            org: self.org().clone(),
            name: command.actor.name.clone(),
            role: None,
        };
        predict(command.name, &command.data, command.id, &by, instance)
    }

    /// Writes what was predicted, completed by what only the hub knows.
    pub(super) fn write_predicted(
        &mut self,
        command: &Checked<'_>,
        row: Predicted,
        known: Object,
    ) -> Result<(), StoreError> {
        let data = known.over(&row.text);
        self.write_own_text(row.kind, row.key.id(), row.scope, Some(command.id), data)
    }

    /// A person's mark.
    pub(super) fn mark_of(&mut self, member: &MemberId, id: &str) -> Result<Option<String>, StoreError> {
        let Ok(key) = EntityKey::new("mark", id) else { return Ok(None) };
        Ok(self.rows.entity(&Scope::Member(member.clone()), &key)?.map(|row| row.text))
    }
}
