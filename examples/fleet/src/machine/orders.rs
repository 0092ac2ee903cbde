//! What people ask of a machine.

use std::sync::Arc;

use anyhow::Result;
use otter_client_native::{Client, CommandHandler, CommandOutcome, CommandRequest, HandlerFuture};
use otter_proto::id::EntityKey;
use serde_json::json;

use super::room::Room;
use super::{Machine, Scripted, draft};

impl CommandHandler for Scripted {
    fn handle(&self, _client: Client, request: CommandRequest) -> HandlerFuture<'_> {
        Box::pin(async move {
            match self.0.get() {
                Some(machine) => carry_out(machine, request).await,
                None => failed("starting", "try again in a moment"),
            }
        })
    }
}

/// Carries a command out, or says why not. What takes longer than a moment goes on beside it.
async fn carry_out(machine: &Arc<Machine>, request: CommandRequest) -> CommandOutcome {
    let word = |key: &str| request.data[key].as_str().unwrap_or_default().to_owned();
    match request.kind.as_str() {
        "approval.decide" if machine.questions.answer(&word("approvalId"), &word("decision")) => {
            CommandOutcome::completed()
        }
        "approval.decide" => CommandOutcome::answered("alreadyEnded"),
        "agent.ping" => {
            let known = machine.script.agents.iter().any(|agent| machine.agent(agent) == word("agentId"));
            if known { CommandOutcome::answered("reachable") } else { unknown("agent") }
        }
        "x.demo.deploy" => outcome(machine.deploy(&request).await),
        kind => match machine.rooms.get(&word("conversationId")) {
            Some(room) => in_room(machine, room, kind, &word("runId"), &request).await,
            None if kind.starts_with("x.") => CommandOutcome::unsupported(kind),
            None => unknown("conversation"),
        },
    }
}

async fn in_room(
    machine: &Arc<Machine>,
    room: &Room,
    kind: &str,
    run: &str,
    request: &CommandRequest,
) -> CommandOutcome {
    match kind {
        "message.send" | "task.dispatch" => {
            tokio::spawn(work_beside(Arc::clone(machine), room.id.to_string(), request.clone()));
            CommandOutcome::completed()
        }
        "session.reset" => outcome(machine.reset(room).await.map(|()| None)),
        "run.abort" if room.running.borrow().as_deref().is_some_and(|open| run.starts_with(open)) => {
            room.stop.send_replace(room.running.borrow().clone());
            CommandOutcome::completed()
        }
        "run.abort" => CommandOutcome::answered("alreadyEnded"),
        other => CommandOutcome::unsupported(other),
    }
}

/// The turn that a command leads to; the command itself is over when the agent has it.
async fn work_beside(machine: Arc<Machine>, room: String, request: CommandRequest) {
    let Some(room) = machine.rooms.get(&room) else { return };
    let done = match request.kind.as_str() {
        "task.dispatch" => machine.dispatched(room, &request).await,
        _ => machine.reply(room, &request).await,
    };
    drop(done);
}

impl Machine {
    /// `x.demo.deploy`: what an integrator's command and entity look like.
    async fn deploy(&self, request: &CommandRequest) -> Result<Option<String>> {
        let version = request.data["version"].as_str().unwrap_or("1.8.0");
        let id = format!("{}:{}", self.id, request.id);
        let data = json!({ "instanceId": self.id, "at": self.client.now().to_string(), "by": request.by, "version": version, "state": "live" });
        let row = EntityKey::new("x.demo.deployment", &id)?;
        let event =
            draft("x.demo.deployment.ended", &id, None, &data)?.put(row).caused_by(request.id.clone());
        self.client.publish(event).await?;
        Ok(Some(format!("{version} is live")))
    }
}

fn outcome(done: Result<Option<String>>) -> CommandOutcome {
    match done {
        Ok(said) => CommandOutcome::Completed(said),
        Err(error) => failed("failed", &error.to_string()),
    }
}

fn unknown(what: &str) -> CommandOutcome {
    CommandOutcome::Rejected { code: "notFound".to_owned(), message: format!("there is no such {what} here") }
}

fn failed(code: &str, message: &str) -> CommandOutcome {
    CommandOutcome::Failed { code: code.to_owned(), message: message.to_owned() }
}
