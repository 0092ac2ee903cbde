//! One turn of an agent: it starts, uses tools, streams its answer, and ends.

use std::time::Duration;

use anyhow::Result;
use otter_client_native::CommandRequest;
use otter_proto::id::{CommandId, Scope};
use serde_json::json;

use super::{Machine, Room, draft};
use crate::script::REPLIES;

/// A word of an answer appears this often.
const WORD: Duration = Duration::from_millis(45);
/// A tool takes so long.
const STEP: Duration = Duration::from_millis(1_400);
/// The whole text is sent again after this many words, for browsers that missed one.
const KEYFRAME_WORDS: usize = 40;

impl Machine {
    /// Answers a person. A message that comes while a turn goes on waits for its end.
    pub(super) async fn reply(&self, conversation: &str, request: CommandRequest) -> Result<()> {
        let Some(room) = self.rooms.get(conversation) else { return Ok(()) };
        let said = request.data["text"].as_str().unwrap_or_default().to_owned();
        self.delivered(room, &request.id, if room.running.borrow().is_some() { "queued" } else { "taken" })
            .await?;
        let answer = {
            let turns = room.busy.lock().await;
            REPLIES
                .get(usize::try_from(*turns)? % REPLIES.len())
                .copied()
                .unwrap_or_default()
                .replace("{}", &said.replace('\n', "\n> "))
        };
        self.delivered(room, &request.id, "delivered").await?;
        self.turn(room, &[("read", "what was said before")], &answer, Some(&request.id)).await
    }

    async fn delivered(&self, room: &Room, command: &CommandId, state: &str) -> Result<()> {
        let message = format!("{}:{command}:user", self.id);
        let data = json!({ "delivery": { "state": state } });
        let event =
            draft("message.deliveryChanged", &message, Some(&room.id), &data)?.caused_by(command.clone());
        self.client.publish(event).await?;
        Ok(())
    }

    /// A whole turn, unless somebody stops it.
    pub(super) async fn turn(
        &self,
        room: &Room,
        steps: &[(&str, &str)],
        answer: &str,
        cause: Option<&CommandId>,
    ) -> Result<()> {
        let mut turns = room.busy.lock().await;
        *turns += 1;
        let run = format!("{}:run-{}", room.id, uuid_like(&self.client.now().to_string(), *turns));
        room.running.send_replace(Some(run.clone()));
        self.session(room, "running", 12_000 + *turns * 2_300).await?;
        let data = json!({
            "conversationId": room.id, "agentId": self.agent(room.agent), "state": "running", "model": room.agent.model,
            "startedAt": self.client.now().to_string(),
        });
        let started = draft("run.started", &run, Some(&room.id), &data)?;
        self.client
            .publish(match cause {
                Some(command) => started.caused_by(command.clone()),
                None => started,
            })
            .await?;
        let shown = self.stream(room, &run, steps, answer).await;
        self.end(room, &run, answer, shown.as_deref()).await?;
        room.running.send_replace(None);
        self.session(room, if shown.is_some() { "killed" } else { "done" }, 13_000 + *turns * 2_300).await
    }

    /// Tools, then words; returns the text so far when somebody stopped it.
    async fn stream(&self, room: &Room, run: &str, steps: &[(&str, &str)], answer: &str) -> Option<String> {
        let scope = Scope::Conversation(room.id.clone());
        let stopped = || room.stop.borrow().as_deref() == Some(run);
        for (tool, title) in steps {
            let data = json!({ "runId": run, "phase": "tool", "tool": tool, "title": title });
            self.client.signal(scope.clone(), "run.progress", &data);
            tokio::time::sleep(STEP).await;
            if stopped() {
                return Some(String::new());
            }
        }
        let mut shown = String::new();
        for (at, word) in answer.split_inclusive(' ').enumerate() {
            if stopped() {
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

/// Distinguishes the runs of a room, also over restarts.
fn uuid_like(now: &str, turn: u64) -> String {
    let digits: String = now.chars().filter(char::is_ascii_digit).collect();
    format!("{digits}-{turn}")
}
