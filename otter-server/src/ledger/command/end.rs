//! Commands that the hub ends: only those that were never handed to a socket.

use otter_proto::id::{CommandId, ConversationId, EntityId, Scope};
use otter_proto::kind::CommandStage;

use super::conversation::user_message;
use crate::ledger::json::{self, Object};
use crate::ledger::write::Ledger;
use crate::ledger::{CommandRow, StoreError};

impl Ledger<'_> {
    /// Ends commands that waited too long, at most `limit`; returns how many there were.
    pub fn expire(&mut self, limit: usize) -> Result<usize, StoreError> {
        let overdue = self.rows.overdue_commands(self.now, limit)?;
        let count = overdue.len();
        for (id, row) in overdue {
            self.end_unsent(&id, row, CommandStage::Expired, None)?;
        }
        Ok(count)
    }

    /// Ends a command that was not sent, and with it the message it made.
    pub(in crate::ledger) fn end_unsent(
        &mut self,
        id: &CommandId,
        mut row: CommandRow,
        stage: CommandStage,
        caused_by: Option<&CommandId>,
    ) -> Result<(), StoreError> {
        let caused_by = Some(caused_by.unwrap_or(id));
        let (code, message) = match stage {
            CommandStage::Expired => ("expired", "the OpenClaw instance was offline for too long"),
            _ => ("cancelled", "it was called off before it was sent"),
        };
        let error = Object::default().string("code", code).string("message", message).build();
        let data = Object::default().raw("error", error).string("stage", stage.as_str());
        self.write_own("command.updated", id.as_str(), Scope::Org, caused_by, data)?;
        row.stage = stage;
        self.rows.put_command(id, &row)?;
        self.undo(id, &row)?;
        self.fail_message(id, &row, code, caused_by)
    }

    /// Says that it is not known what became of a command that was sent: nobody is left who could tell.
    pub(in crate::ledger) fn end_unknown(
        &mut self,
        id: &CommandId,
        mut row: CommandRow,
        code: &str,
        message: &str,
    ) -> Result<(), StoreError> {
        let error = Object::default().string("code", code).string("message", message).build();
        let data =
            Object::default().raw("error", error).string("stage", CommandStage::OutcomeUnknown.as_str());
        self.write_own("command.updated", id.as_str(), Scope::Org, Some(id), data)?;
        row.stage = CommandStage::OutcomeUnknown;
        self.rows.put_command(id, &row)?;
        self.undo(id, &row)?;
        self.fail_message(id, &row, code, Some(id))
    }

    /// Ends the delivery of the message that a command made.
    fn fail_message(
        &mut self,
        id: &CommandId,
        row: &CommandRow,
        code: &str,
        caused_by: Option<&CommandId>,
    ) -> Result<(), StoreError> {
        let conversation =
            json::string(&row.data, "conversationId").and_then(|id| ConversationId::new(&id).ok());
        let message = row.instance.as_ref().and_then(|instance| user_message(instance, id));
        let (Some(conversation), Some(message)) = (conversation, message) else { return Ok(()) };
        if !matches!(row.kind.as_str(), "message.send" | "task.dispatch") {
            return Ok(());
        }
        let delivery = Object::default().string("reason", code).string("state", "failed").build();
        let data = Object::default().raw("delivery", delivery);
        let scope = Scope::Conversation(conversation);
        self.write_own("message.deliveryChanged", &message, scope, caused_by, data)
    }

    /// Takes back what accepting a command changed, once it has ended without being carried out.
    pub(in crate::ledger) fn undo(&mut self, id: &CommandId, row: &CommandRow) -> Result<(), StoreError> {
        let named = |key| json::string(&row.data, key).and_then(|id| EntityId::new(&id).ok());
        match row.kind.as_str() {
            "approval.decide" => named("approvalId").map_or(Ok(()), |approval| self.reopen(&approval, id)),
            "task.dispatch" => named("taskId").map_or(Ok(()), |task| self.take_back(&task, id)),
            _ => Ok(()),
        }
    }
}
