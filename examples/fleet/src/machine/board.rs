//! Tasks: those of the gateway move by themselves, those of people are worked on when they are handed over.

use std::time::Duration;

use anyhow::Result;
use otter_client_native::CommandRequest;
use otter_proto::UnixMillis;
use serde_json::{Value, json};

use super::room::Room;
use super::{Machine, draft};

/// How long a job takes from one line to the next, and until the next job.
const LINE: Duration = Duration::from_secs(7);
const BETWEEN: Duration = Duration::from_secs(18);

impl Machine {
    /// The gateway works on its jobs, in turn.
    pub(super) async fn work_on_jobs(&self) {
        drop(self.old_jobs().await);
        for n in 0_usize.. {
            let Some(job) = self.script.jobs.get(n % self.script.jobs.len().max(1)) else { return };
            drop(self.job(n, job).await);
            tokio::time::sleep(BETWEEN).await;
        }
    }

    /// What the gateway did before the hub heard of it.
    async fn old_jobs(&self) -> Result<()> {
        let now = self.client.now();
        for (n, job) in (1_u64..).zip(self.script.jobs) {
            let at = |minutes: u64| UnixMillis(now.0.saturating_sub(minutes * 60_000)).to_string();
            let data = json!({
                "instanceId": self.id, "title": job.title, "taskKind": job.kind, "origin": "gateway", "status": if job.ends == "review" { "done" } else { job.ends },
                "summary": job.lines.last(), "createdAt": at(n * 95), "startedAt": at(n * 95), "endedAt": at(n * 95 - 14),
            });
            self.publish("task.upserted", &format!("{}:old-job-{n}", self.id), None, &data).await?;
        }
        Ok(())
    }

    async fn job(&self, n: usize, job: &crate::script::Job) -> Result<()> {
        let task = self.fresh("job", n);
        let data = json!({
            "instanceId": self.id, "title": job.title, "taskKind": job.kind, "origin": "gateway", "status": "queued",
            "createdAt": self.client.now().to_string(),
        });
        self.publish("task.upserted", &task, None, &data).await?;
        tokio::time::sleep(LINE).await;
        let (last, lines) = job.lines.split_last().unwrap_or((&"", &[]));
        for line in lines {
            self.move_task(&task, "inProgress", line).await?;
            tokio::time::sleep(LINE).await;
        }
        self.move_task(&task, job.ends, last).await
    }

    /// A task of a sub-agent; returns its id.
    pub(super) async fn begin_task(&self, room: &Room, run: &str, title: &str) -> Result<String> {
        let task = format!("{run}:task");
        let now = self.client.now().to_string();
        let data = json!({
            "instanceId": self.id, "agentId": self.agent(room.agent), "conversationId": room.id, "runId": run,
            "title": title, "taskKind": "subagent", "origin": "gateway", "status": "inProgress", "createdAt": now,
            "startedAt": now,
        });
        self.publish("task.upserted", &task, None, &data).await?;
        Ok(task)
    }

    pub(super) async fn move_task(&self, task: &str, status: &str, summary: &str) -> Result<()> {
        self.publish("task.upserted", task, None, &self.moved(status, summary)).await
    }

    fn moved(&self, status: &str, summary: &str) -> Value {
        let mut data = json!({ "status": status, "summary": summary });
        if matches!(status, "done" | "failed" | "cancelled") {
            data["endedAt"] = self.client.now().to_string().into();
        }
        data
    }

    /// A person's task that was handed to the agent of a conversation: it begins when the agent is free, and waits for
    /// a look at the end.
    pub(super) async fn dispatched(&self, room: &Room, request: &CommandRequest) -> Result<()> {
        let task = request.data["taskId"].as_str().unwrap_or_default();
        let thought = self.heard(room, &request.id).await?;
        let mut begun = self.moved("inProgress", "on it");
        begun["startedAt"] = self.client.now().to_string().into();
        begun["runId"] = format!("{}:{}", self.id, request.id).into();
        let tell = async |data: &Value| -> Result<()> {
            let event = draft("task.upserted", task, None, data)?.caused_by(request.id.clone());
            self.client.publish(event).await?;
            Ok(())
        };
        tell(&begun).await?;
        let answer = thought.answer.replace("{}", "a task from the board");
        self.turn(room, thought, &answer, Some(&request.id)).await?;
        tell(&self.moved("review", "done; please have a look")).await
    }
}
