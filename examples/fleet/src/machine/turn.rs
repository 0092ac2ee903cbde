//! One turn of an agent: it starts, uses tools, asks another agent, streams its answer, and ends.

use std::time::Duration;

use anyhow::Result;
use otter_client_native::CommandRequest;
use otter_proto::id::{CommandId, Scope};
use serde_json::json;

use super::room::Room;
use super::{Machine, draft};
use crate::script::{Helper, REPLIES, Thought};

/// A word of an answer appears this often.
const WORD: Duration = Duration::from_millis(45);
/// The whole text is sent again after this many words, for browsers that missed one.
const KEYFRAME_WORDS: usize = 40;

impl Machine {
    /// Answers a person. A message that comes while a turn goes on waits for its end.
    pub(super) async fn reply(&self, room: &Room, request: &CommandRequest) -> Result<()> {
        let said = request.data["text"].as_str().unwrap_or_default().to_owned();
        let thought = self.heard(room, &request.id).await?;
        let answer = thought.answer.replace("{}", &said.replace('\n', "\n> "));
        self.turn(room, thought, &answer, Some(&request.id)).await
    }

    /// Tells how the delivery of a message goes, and waits until the agent is free; says what it will do.
    pub(super) async fn heard(&self, room: &Room, command: &CommandId) -> Result<&'static Thought> {
        self.delivered(room, command, if room.running.borrow().is_some() { "queued" } else { "taken" })
            .await?;
        let mut session = room.session.lock().await;
        let thought = REPLIES.get(session.asked % REPLIES.len()).or(REPLIES.first());
        session.asked += 1;
        drop(session);
        self.delivered(room, command, "delivered").await?;
        thought.ok_or_else(|| anyhow::anyhow!("there are replies"))
    }

    async fn delivered(&self, room: &Room, command: &CommandId, state: &str) -> Result<()> {
        let message = format!("{}:{command}:user", self.id);
        let data = json!({ "delivery": { "state": state } });
        let event =
            draft("message.deliveryChanged", &message, Some(&room.id), &data)?.caused_by(command.clone());
        self.client.publish(event).await?;
        Ok(())
    }

    /// A whole turn, unless somebody stops it. The run of a dispatched task is named after its command.
    pub(super) async fn turn(
        &self,
        room: &Room,
        thought: &Thought,
        answer: &str,
        cause: Option<&CommandId>,
    ) -> Result<()> {
        let mut session = room.session.lock().await;
        session.turns += 1;
        let run = match cause {
            Some(command) => format!("{}:{command}", self.id),
            None => self.fresh("run", session.turns),
        };
        room.running.send_replace(Some(run.clone()));
        self.tell_session(room, "running", session.used).await?;
        self.status(room.agent, "busy", Some(room.conversation.title)).await?;
        self.start(room, &run, None, cause).await?;
        let shown = self.work(room, &run, thought, answer).await?;
        self.end(room, &run, answer, shown.as_deref()).await?;
        room.running.send_replace(None);
        self.status(room.agent, "idle", None).await?;
        session.used += 2_300 + answer.len() as u64;
        self.compact(room, &mut session).await?;
        self.tell_session(room, if shown.is_some() { "killed" } else { "done" }, session.used).await
    }

    async fn start(
        &self,
        room: &Room,
        run: &str,
        parent: Option<&str>,
        cause: Option<&CommandId>,
    ) -> Result<()> {
        let mut data = json!({
            "conversationId": room.id, "agentId": self.agent(room.agent), "state": "running", "model": room.agent.model,
            "startedAt": self.client.now().to_string(),
        });
        if let Some(parent) = parent {
            data["parentRunId"] = parent.into();
        }
        let started = draft("run.started", run, Some(&room.id), &data)?;
        self.client
            .publish(match cause {
                Some(command) => started.caused_by(command.clone()),
                None => started,
            })
            .await?;
        Ok(())
    }

    /// Tools, help, then words; returns the text so far when somebody stopped it.
    async fn work(&self, room: &Room, run: &str, thought: &Thought, answer: &str) -> Result<Option<String>> {
        for (n, step) in thought.steps.iter().enumerate() {
            if !self.step(room, run, n, step).await? {
                return Ok(Some(String::new()));
            }
        }
        if let Some(helper) = &thought.helper
            && !self.help(room, run, helper).await?
        {
            return Ok(Some(String::new()));
        }
        Ok(self.stream(room, run, answer).await)
    }

    /// A sub-agent at work: a run under this one, and a task that moves; returns whether the run goes on.
    async fn help(&self, room: &Room, parent: &str, helper: &Helper) -> Result<bool> {
        let run = format!("{parent}:helper");
        self.start(room, &run, Some(parent), None).await?;
        let task = self.begin_task(room, &run, helper.task).await?;
        let goes_on = self.step(room, &run, 0, &helper.step).await? && {
            let stopped = tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(2)) => false,
                () = room.stopped(parent) => true,
            };
            !stopped
        };
        let (kind, state) = if goes_on { ("run.completed", "completed") } else { ("run.aborted", "aborted") };
        let data = json!({ "state": state, "endedAt": self.client.now().to_string() });
        self.publish(kind, &run, Some(&room.id), &data).await?;
        let (status, summary) = if goes_on { ("done", helper.answer) } else { ("cancelled", "stopped") };
        self.move_task(&task, status, summary).await?;
        Ok(goes_on)
    }

    /// The answer, word by word; returns the text so far when somebody stopped it.
    async fn stream(&self, room: &Room, run: &str, answer: &str) -> Option<String> {
        let scope = Scope::Conversation(room.id.clone());
        let mut shown = String::new();
        for (at, word) in answer.split_inclusive(' ').enumerate() {
            if room.stop.borrow().as_deref() == Some(run) {
                return Some(shown);
            }
            let offset = shown.encode_utf16().count();
            shown.push_str(word);
            let data = if at % KEYFRAME_WORDS == 0 {
                json!({ "runId": run, "offset": 0, "text": shown })
            } else {
                json!({ "runId": run, "offset": offset, "text": word })
            };
            self.client.signal(scope.clone(), "message.delta", &data);
            tokio::time::sleep(WORD).await;
        }
        None
    }

    /// The answer and the end of the run, in one local transaction.
    async fn end(&self, room: &Room, run: &str, answer: &str, stopped: Option<&str>) -> Result<()> {
        let text = stopped.unwrap_or(answer);
        let ended_at = self.client.now().to_string();
        let mut events = Vec::new();
        if !text.is_empty() {
            let author = json!({ "type": "agent", "id": self.agent(room.agent), "name": room.agent.name });
            let status = if stopped.is_some() { "aborted" } else { "complete" };
            let data = json!({ "conversationId": room.id, "author": author, "text": text, "status": status, "runId": run });
            events.push(draft("message.created", &format!("{run}:answer"), Some(&room.id), &data)?);
        }
        let (kind, data) = if stopped.is_some() {
            ("run.aborted", json!({ "state": "aborted", "endedAt": ended_at }))
        } else {
            (
                "run.completed",
                json!({ "state": "completed", "endedAt": ended_at, "usage": { "input": 9_000, "output": text.len() / 4 } }),
            )
        };
        events.push(draft(kind, run, Some(&room.id), &data)?);
        self.client.publish_all(events).await?;
        Ok(())
    }
}
