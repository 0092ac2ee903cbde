//! What commands name: found, or refused.

use otter_proto::error::ErrorCode;
use otter_proto::id::{ConversationId, EntityId, EntityKey, InstanceId, Scope};
use otter_proto::kind::VendorCommand;
use otter_proto::text;

use super::{Denied, Verdict};
use crate::ledger::json;
use crate::ledger::write::Ledger;
use crate::ledger::{EntityRow, StoreError};

/// Where a command goes.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) instance: InstanceId,
    /// The conversation it concerns.
    pub(super) conversation: Option<ConversationId>,
    /// That conversation's address, canonical.
    pub(super) address: Option<String>,
    /// Its agent.
    pub(super) agent: Option<EntityId>,
    /// What the agent is told, where the command leaves that to the hub.
    pub(super) words: Option<String>,
}

/// The refusal of what is not there.
pub(super) fn missing(what: &str, pointer: &str, scope: Scope) -> Denied {
    let message = format!("there is no such {what}; it may have been removed");
    Denied::new(ErrorCode::NotFound, &message, &[scope]).at(pointer)
}

impl Ledger<'_> {
    /// The instance and the agent of a conversation.
    pub(super) fn conversation_target(&mut self, id: &ConversationId) -> Verdict<Target> {
        const POINTER: &str = "/data/conversationId";
        let row = self.org_entity("conversation", id.as_str())?;
        let instance = row.as_ref().and_then(|row| instance_of(&row.text));
        let (Some(row), Some(instance)) = (row, instance) else {
            return Ok(Err(missing("conversation", POINTER, Scope::Org)));
        };
        let agent = json::string(&row.text, "agentId").and_then(|id| EntityId::new(&id).ok());
        let known = match &agent {
            Some(agent) => self.org_entity("agent", agent.as_str())?.is_some(),
            None => false,
        };
        if !known {
            return Ok(Err(missing("agent", POINTER, Scope::Org)));
        }
        let address = text::member(&row.text, "address").map(ToOwned::to_owned);
        Ok(Ok(Target { instance, conversation: Some(id.clone()), address, agent, words: None }))
    }

    /// Refuses a run that is not there or has ended.
    pub(super) fn open_run(&mut self, conversation: &ConversationId, run: &EntityId) -> Verdict<()> {
        let scope = Scope::Conversation(conversation.clone());
        let row = match EntityKey::new("run", run.as_str()) {
            Ok(key) => self.rows.entity(&scope, &key)?,
            Err(_) => None,
        };
        let Some(row) = row else { return Ok(Err(missing("run", "/data/runId", scope))) };
        if json::string(&row.text, "state").as_deref() == Some("running") {
            return Ok(Ok(()));
        }
        let denied = Denied::new(ErrorCode::AlreadyEnded, "this run has ended", &[scope]);
        Ok(Err(denied.at("/data/runId")))
    }

    /// The instance of an agent.
    pub(super) fn agent_target(&mut self, agent: &EntityId) -> Verdict<Target> {
        let row = self.org_entity("agent", agent.as_str())?;
        let instance = row.as_ref().and_then(|row| instance_of(&row.text));
        Ok(match instance {
            Some(instance) => {
                let agent = Some(agent.clone());
                Ok(Target { instance, conversation: None, address: None, agent, words: None })
            }
            None => Err(missing("agent", "/data/agentId", Scope::Org)),
        })
    }

    /// The instance that a command of an integrator names, and the conversation of it.
    pub(super) fn vendor_target(&mut self, data: &VendorCommand) -> Verdict<Target> {
        if self.org_entity("instance", data.instance_id.as_str())?.is_none() {
            return Ok(Err(missing("instance", "/data/instanceId", Scope::Org)));
        }
        let row = match &data.conversation_id {
            Some(id) => {
                let row = self.org_entity("conversation", id.as_str())?;
                let row = row.filter(|row| instance_of(&row.text).as_ref() == Some(&data.instance_id));
                if row.is_none() {
                    return Ok(Err(missing("conversation", "/data/conversationId", Scope::Org)));
                }
                row
            }
            None => None,
        };
        Ok(Ok(Target {
            instance: data.instance_id.clone(),
            conversation: data.conversation_id.clone(),
            address: row.and_then(|row| text::member(&row.text, "address").map(ToOwned::to_owned)),
            agent: None,
            words: None,
        }))
    }

    pub(in crate::ledger) fn org_entity(
        &mut self,
        entity_type: &str,
        id: &str,
    ) -> Result<Option<EntityRow>, StoreError> {
        match EntityKey::new(entity_type, id) {
            Ok(key) => self.rows.entity(&Scope::Org, &key),
            Err(_) => Ok(None),
        }
    }
}

/// The instance that an entity names.
pub(in crate::ledger) fn instance_of(text: &str) -> Option<InstanceId> {
    json::string(text, "instanceId").and_then(|id| InstanceId::new(&id).ok())
}
