//! `task.create`, `task.update` and `task.dispatch`: tasks that people make. Those of a gateway move by themselves.

use otter_proto::error::ErrorCode;
use otter_proto::id::{CommandId, EntityId, Scope, belongs_to};
use otter_proto::kind::{TaskCreate, TaskDispatch, TaskStatus, TaskUpdate};

use super::accept::found;
use super::target::missing;
use super::{Checked, Denied, Verdict};
use crate::ledger::StoreError;
use crate::ledger::json::{self, Object};
use crate::ledger::write::Ledger;

/// Where the ids of tasks begin that people make.
pub(in crate::ledger) const PEOPLES: &str = "hub";

impl Ledger<'_> {
    pub(super) fn task_create(&mut self, command: &Checked<'_>, data: &TaskCreate) -> Verdict<()> {
        found!(self.known_agent(data.agent_id.as_ref())?);
        let mut about = Object::default();
        for row in self.predicted(command, None) {
            about = about.string("entity", row.key.as_str());
            let known = Object::default().string("createdAt", &self.now.to_string());
            self.write_predicted(command, row, known)?;
        }
        self.complete(command, about)
    }

    pub(super) fn task_update(&mut self, command: &Checked<'_>, data: &TaskUpdate) -> Verdict<()> {
        found!(self.peoples_task(&data.task_id)?);
        found!(self.known_agent(data.agent_id.as_ref())?);
        for row in self.predicted(command, None) {
            let known = match data.status {
                Some(status) if status.is_open() => Object::default().raw("endedAt", "null"),
                Some(_) => Object::default().string("endedAt", &self.now.to_string()),
                None => Object::default(),
            };
            self.write_predicted(command, row, known)?;
        }
        self.complete(command, Object::default().string("entity", &format!("task/{}", data.task_id)))
    }

    pub(super) fn task_dispatch(&mut self, command: &Checked<'_>, data: &TaskDispatch) -> Verdict<()> {
        let id = data.task_id.as_str();
        let task = found!(self.peoples_task(&data.task_id)?);
        if matches!(status(&task), Some(TaskStatus::Queued | TaskStatus::InProgress)) {
            let denied = Denied::new(ErrorCode::Changed, "an agent has this task already", &[Scope::Org]);
            return Ok(Err(denied.at("/data/taskId")));
        }
        let mut target = found!(self.conversation_target(&data.conversation_id)?);
        found!(self.may_hand_over(command, &target)?);
        let said = data.text.clone().unwrap_or_else(|| words(&task));
        self.write_said(command, &target.instance, &data.conversation_id, &said)?;
        self.read_all(command, &data.conversation_id)?;
        let dispatched = Object::default()
            .optional("agentId", target.agent.as_ref().map(EntityId::as_str))
            .raw("by", command.author())
            .string("commandId", command.id.as_str())
            .string("conversationId", data.conversation_id.as_str())
            .string("dispatchedAt", &self.now.to_string())
            .raw("endedAt", "null")
            .string("instanceId", target.instance.as_str())
            .raw("runId", "null")
            .raw("startedAt", "null")
            .string("status", TaskStatus::Queued.as_str())
            .raw("summary", "null");
        self.write_own("task.dispatched", id, Scope::Org, Some(command.id), dispatched)?;
        target.words = Some(said);
        self.hand_over(command, target, Object::default().string("entity", &format!("task/{id}"))).map(Ok)
    }

    /// Gives a task back when the command that handed it over ended without being carried out.
    pub(super) fn take_back(&mut self, id: &EntityId, command: &CommandId) -> Result<(), StoreError> {
        let Some(row) = self.org_entity("task", id.as_str())? else { return Ok(()) };
        let by_it = json::string(&row.text, "commandId").as_deref() == Some(command.as_str());
        if !by_it || status(&row.text) != Some(TaskStatus::Queued) {
            return Ok(());
        }
        let data = Object::default().raw("commandId", "null").string("status", TaskStatus::Todo.as_str());
        self.write_own("task.upserted", id.as_str(), Scope::Org, Some(command), data)
    }

    fn known_agent(&mut self, agent: Option<&EntityId>) -> Verdict<()> {
        let Some(agent) = agent else { return Ok(Ok(())) };
        let known = self.org_entity("agent", agent.as_str())?.is_some();
        Ok(if known { Ok(()) } else { Err(missing("agent", "/data/agentId", Scope::Org)) })
    }

    /// The text of a task that a person made.
    fn peoples_task(&mut self, id: &EntityId) -> Verdict<String> {
        let Some(row) = self.org_entity("task", id.as_str())? else {
            return Ok(Err(missing("task", "/data/taskId", Scope::Org)));
        };
        if belongs_to(id.as_str(), PEOPLES) {
            return Ok(Ok(row.text));
        }
        let message = "this task belongs to the gateway that runs it; it moves by itself";
        let denied = Denied::new(ErrorCode::NotOwner, message, &[Scope::Org]);
        Ok(Err(denied.at("/data/taskId")))
    }
}

fn status(text: &str) -> Option<TaskStatus> {
    TaskStatus::parse(&json::string(text, "status")?)
}

/// What an agent is told when the person says nothing else.
fn words(task: &str) -> String {
    let title = json::string(task, "title").unwrap_or_default();
    match json::string(task, "description") {
        Some(description) => format!("{title}\n\n{description}"),
        None => title.into_owned(),
    }
}
