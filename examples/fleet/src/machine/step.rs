//! One tool call of a run.

use std::time::Duration;

use anyhow::Result;
use otter_proto::UnixMillis;
use otter_proto::id::Scope;
use serde_json::json;

use super::Machine;
use super::approval::Verdict;
use super::room::Room;
use crate::script::Step;

/// A tool takes so long.
const TIME: Duration = Duration::from_millis(1_400);

impl Machine {
    /// Carries a tool call out; returns whether the run goes on.
    pub(super) async fn step(&self, room: &Room, run: &str, n: usize, step: &Step) -> Result<bool> {
        let id = format!("{run}:step-{n}");
        let began = self.client.now();
        let phase = |phase: &str| {
            let data = json!({ "runId": run, "phase": phase, "tool": step.tool, "title": step.title });
            self.client.signal(Scope::Conversation(room.id.clone()), "run.progress", &data);
        };
        let approval = format!("{run}:approval-{n}");
        if let Some(ask) = step.asks {
            phase("approval");
            let status = match self.ask(room, run, &approval, step, ask).await? {
                Verdict::Allowed => None,
                Verdict::Denied => Some("denied"),
                Verdict::Stopped => Some("aborted"),
            };
            if let Some(status) = status {
                self.record(room, run, &id, step, began, status).await?;
                return Ok(status == "denied");
            }
        }
        phase("tool");
        let began = self.client.now();
        tokio::select! {
            () = tokio::time::sleep(TIME) => {}
            () = room.stopped(run) => {
                self.record(room, run, &id, step, began, "aborted").await?;
                return Ok(false);
            }
        }
        let status = if step.exit_code == 0 { "completed" } else { "failed" };
        self.record(room, run, &id, step, began, status).await?;
        phase("thinking");
        Ok(true)
    }

    async fn record(
        &self,
        room: &Room,
        run: &str,
        id: &str,
        step: &Step,
        began: UnixMillis,
        status: &str,
    ) -> Result<()> {
        let now = self.client.now();
        let mut data = json!({
            "conversationId": room.id, "runId": run, "name": step.tool, "title": step.title, "status": status,
            "startedAt": began.to_string(), "endedAt": now.to_string(), "durationMs": now.0.saturating_sub(began.0),
        });
        if matches!(status, "completed" | "failed") {
            if step.tool == "exec" {
                data["exitCode"] = step.exit_code.into();
            }
            if !step.output.is_empty() {
                data["outputHead"] = step.output.into();
            }
        }
        if step.asks.is_some() {
            data["approvalId"] = id.replace(":step-", ":approval-").into();
        }
        self.publish("step.recorded", id, Some(&room.id), &data).await
    }
}
