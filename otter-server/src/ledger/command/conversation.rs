//! `message.send`, `conversation.update` and `conversation.markRead`.

use otter_proto::id::{CommandId, ConversationId, InstanceId, Scope};
use otter_proto::kind::{ConversationMarkRead, ConversationUpdate, MarkTarget, MessageSend};

use super::accept::found;
use super::target::missing;
use super::{Checked, Verdict};
use crate::ledger::StoreError;
use crate::ledger::fact::entity_id;
use crate::ledger::json::{self, Object};
use crate::ledger::write::Ledger;

impl Ledger<'_> {
    pub(super) fn message_send(&mut self, command: &Checked<'_>, data: &MessageSend) -> Verdict<()> {
        let target = found!(self.conversation_target(&data.conversation_id)?);
        found!(self.may_hand_over(command, &target)?);
        for row in self.predicted(command, Some(&target.instance)) {
            self.write_predicted(command, row, Object::default())?;
        }
        self.read_all(command, &data.conversation_id)?;
        self.hand_over(command, target, Object::default()).map(Ok)
    }

    pub(super) fn conversation_update(
        &mut self,
        command: &Checked<'_>,
        data: &ConversationUpdate,
    ) -> Verdict<()> {
        let id = &data.conversation_id;
        if self.org_entity("conversation", id.as_str())?.is_none() {
            return Ok(Err(missing("conversation", "/data/conversationId", Scope::Org)));
        }
        for row in self.predicted(command, None) {
            self.write_predicted(command, row, Object::default())?;
        }
        self.complete(command, Object::default().string("conversationId", id.as_str()))
    }

    pub(super) fn conversation_mark_read(
        &mut self,
        command: &Checked<'_>,
        data: &ConversationMarkRead,
    ) -> Verdict<()> {
        let id = &data.conversation_id;
        let Some(row) = self.org_entity("conversation", id.as_str())? else {
            return Ok(Err(missing("conversation", "/data/conversationId", Scope::Org)));
        };
        let count = json::integer(&row.text, "messageCount").unwrap_or(0);
        self.mark_conversation(command, id, data.message_count.min(count))?;
        self.complete(command, Object::default().string("conversationId", id.as_str()))
    }

    /// Writes the row of what a person says to an agent by other means than `message.send`.
    pub(super) fn write_said(
        &mut self,
        command: &Checked<'_>,
        instance: &InstanceId,
        conversation: &ConversationId,
        said: &str,
    ) -> Result<(), StoreError> {
        let Some(id) = user_message(instance, command.id) else { return Ok(()) };
        let data = Object::default()
            .raw("author", command.author())
            .string("commandId", command.id.as_str())
            .string("conversationId", conversation.as_str())
            .raw("delivery", Object::default().string("state", "pending").build())
            .string("status", "complete")
            .string("text", said);
        let scope = Scope::Conversation(conversation.clone());
        self.write_own("message.created", &id, scope, Some(command.id), data)
    }

    /// Who says something has read what was said before.
    pub(super) fn read_all(&mut self, command: &Checked<'_>, id: &ConversationId) -> Result<(), StoreError> {
        let row = self.org_entity("conversation", id.as_str())?;
        let count = row.and_then(|row| json::integer(&row.text, "messageCount")).unwrap_or(0);
        self.mark_conversation(command, id, count)
    }

    /// Moves a person's mark forward, never back.
    fn mark_conversation(
        &mut self,
        command: &Checked<'_>,
        id: &ConversationId,
        count: u64,
    ) -> Result<(), StoreError> {
        let mark = self.mark_of(&command.actor.id, id.as_str())?;
        let before = mark.and_then(|mark| json::integer(&mark, "messageCount")).unwrap_or(0);
        if count <= before {
            return Ok(());
        }
        let data = Object::default()
            .raw("messageCount", count.to_string())
            .string("readAt", &self.now.to_string())
            .string("target", MarkTarget::Conversation.as_str());
        let scope = Scope::Member(command.actor.id.clone());
        self.write_own("mark.updated", id.as_str(), scope, Some(command.id), data)
    }
}

/// The message that a `message.send` or a `task.dispatch` makes.
pub(super) fn user_message(instance: &InstanceId, command: &CommandId) -> Option<String> {
    entity_id(&[instance.as_str(), command.as_str(), "user"]).map(String::from)
}
