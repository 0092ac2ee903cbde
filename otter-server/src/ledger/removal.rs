//! An instance that is taken out of the org: everything that only it could end, ends.
//!
//! What it published stays and can be read. Its agents go, so that nothing can be given to them; its conversations are
//! archived. Only live rows are looked at: what has left its window is in nobody's way.

use otter_proto::catalogue;
use otter_proto::id::{CommandId, EntityKey, InstanceId, Scope, belongs_to};
use otter_proto::kind::{ApprovalState, CommandStage, RunState, SessionStatus, TaskStatus};
use otter_proto::text;

use crate::ledger::command::{PEOPLES, instance_of};
use crate::ledger::json::{self, Object};
use crate::ledger::write::Ledger;
use crate::ledger::{End, EntityRow, StoreError};

/// Why what an instance was at has ended.
const REASON: &str = "instanceRemoved";
const WORDS: &str = "the OpenClaw instance was removed";

impl Ledger<'_> {
    /// Takes an instance out of the org; nothing happens when it is gone already. It is not let in again.
    pub fn remove_instance(
        &mut self,
        instance: &InstanceId,
        caused_by: Option<&CommandId>,
    ) -> Result<(), StoreError> {
        if self.is_removed(instance)? {
            return Ok(());
        }
        for (id, row) in self.rows.open_commands(instance)? {
            if row.sent {
                self.end_unknown(&id, row, REASON, WORDS)?;
            } else {
                self.end_unsent(&id, row, CommandStage::Cancelled, caused_by)?;
            }
        }
        let leaver = Leaver { instance, caused_by };
        self.end_approvals(leaver)?;
        self.end_tasks(leaver)?;
        self.end_conversations(leaver)?;
        for (key, _) in self.rows_of(instance, "session", false)? {
            let data = Object::default()
                .string("endedAt", &self.now.to_string())
                .string("reason", REASON)
                .string("status", SessionStatus::Ended.as_str());
            self.write_own("session.ended", key.id(), Scope::Org, caused_by, data)?;
        }
        for (key, _) in self.rows_of(instance, "agent", false)? {
            self.write_own("agent.removed", key.id(), Scope::Org, caused_by, Object::default())?;
        }
        self.write_own("instance.removed", instance.as_str(), Scope::Org, caused_by, Object::default())?;
        // Also one that never connected is known as removed.
        self.rows.put_removed(&Scope::Org, &instance_key(instance)?, self.now)?;
        self.removed.push(instance.clone());
        Ok(())
    }

    /// Whether an instance was taken out of the org.
    pub(super) fn is_removed(&mut self, instance: &InstanceId) -> Result<bool, StoreError> {
        Ok(self.rows.removed_at(&Scope::Org, &instance_key(instance)?)?.is_some())
    }

    /// Nobody can answer these any more; what became of them is not known here.
    fn end_approvals(&mut self, leaver: Leaver<'_>) -> Result<(), StoreError> {
        for (key, _) in self.rows_of(leaver.instance, "approval", true)? {
            let data = Object::default()
                .string("resolvedAt", &self.now.to_string())
                .string("state", ApprovalState::Expired.as_str());
            self.write_own("approval.expired", key.id(), Scope::Org, leaver.caused_by, data)?;
        }
        Ok(())
    }

    /// People get their tasks back; those of the gateway are called off.
    fn end_tasks(&mut self, leaver: Leaver<'_>) -> Result<(), StoreError> {
        for (key, row) in self.rows_of(leaver.instance, "task", true)? {
            let data = if belongs_to(key.id(), PEOPLES) {
                if json::string(&row.text, "status").as_deref() == Some(TaskStatus::Review.as_str()) {
                    continue;
                }
                Object::default()
                    .raw("commandId", "null")
                    .raw("runId", "null")
                    .raw("startedAt", "null")
                    .string("status", TaskStatus::Todo.as_str())
            } else {
                Object::default()
                    .string("endedAt", &self.now.to_string())
                    .string("status", TaskStatus::Cancelled.as_str())
                    .string("summary", WORDS)
            };
            self.write_own("task.upserted", key.id(), Scope::Org, leaver.caused_by, data)?;
        }
        Ok(())
    }

    fn end_conversations(&mut self, leaver: Leaver<'_>) -> Result<(), StoreError> {
        for (key, row) in self.rows_of(leaver.instance, "conversation", false)? {
            if text::member(&row.text, "activeRun").is_some() {
                self.end_runs(leaver, key.id())?;
            }
            if text::member(&row.text, "archived") != Some("true") {
                let data = Object::default().raw("archived", "true");
                self.write_own("conversation.updated", key.id(), Scope::Org, leaver.caused_by, data)?;
            }
        }
        Ok(())
    }

    fn end_runs(&mut self, leaver: Leaver<'_>, conversation: &str) -> Result<(), StoreError> {
        let Ok(scope) = Scope::parse(&format!("conversation/{conversation}")) else { return Ok(()) };
        for (key, row) in self.rows.live(&scope, "run", false, End::Newest, usize::MAX)? {
            if json::string(&row.text, "state").as_deref() != Some(RunState::Running.as_str()) {
                continue;
            }
            let error = Object::default().string("code", "lost").string("message", WORDS).build();
            let data = Object::default()
                .string("endedAt", &self.now.to_string())
                .raw("error", error)
                .string("state", RunState::Failed.as_str());
            self.write_own("run.failed", key.id(), scope.clone(), leaver.caused_by, data)?;
        }
        Ok(())
    }

    /// The live rows of a type that name an instance.
    fn rows_of(
        &mut self,
        instance: &InstanceId,
        entity_type: &str,
        open: bool,
    ) -> Result<Vec<(EntityKey, EntityRow)>, StoreError> {
        debug_assert!(catalogue::entity(entity_type).is_some(), "{entity_type}");
        let mut rows = self.rows.live(&Scope::Org, entity_type, open, End::Newest, usize::MAX)?;
        rows.retain(|(_, row)| instance_of(&row.text).as_ref() == Some(instance));
        Ok(rows)
    }
}

/// Who goes, and by which command.
#[derive(Clone, Copy)]
struct Leaver<'a> {
    instance: &'a InstanceId,
    caused_by: Option<&'a CommandId>,
}

fn instance_key(instance: &InstanceId) -> Result<EntityKey, StoreError> {
    EntityKey::new("instance", instance.as_str())
        .map_err(|error| StoreError::Broken(format!("the id of an instance is malformed: {error}")))
}
