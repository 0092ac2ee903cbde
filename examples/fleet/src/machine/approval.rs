//! Questions that an agent asks before it does something, and what becomes of them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use otter_proto::UnixMillis;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::Machine;
use super::room::Room;
use crate::script::{Ask, Step, Then};

/// The questions that wait, by approval.
#[derive(Default)]
pub(super) struct Questions(Mutex<BTreeMap<String, oneshot::Sender<String>>>);

/// Whether the tool may run.
pub(super) enum Verdict {
    Allowed,
    Denied,
    /// Its run is stopped.
    Stopped,
}

impl Questions {
    fn put(&self, id: &str) -> oneshot::Receiver<String> {
        let (answer, answered) = oneshot::channel();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), answer);
        answered
    }

    /// Answers one; whether it still waited.
    pub(super) fn answer(&self, id: &str, decision: &str) -> bool {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        waiting.is_some_and(|answer| answer.send(decision.to_owned()).is_ok())
    }

    fn forget(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

impl Machine {
    /// Asks people, and waits for their word, that of somebody elsewhere, or the end of the gateway's patience.
    pub(super) async fn ask(
        &self,
        room: &Room,
        run: &str,
        id: &str,
        step: &Step,
        ask: Ask,
    ) -> Result<Verdict> {
        let now = self.client.now();
        let shown_s = if ask.then == Then::Expires { ask.patience_s } else { 1_800 };
        let data = json!({
            "instanceId": self.id, "conversationId": room.id, "runId": run, "agentId": self.agent(room.agent),
            "command": step.title, "host": "gateway", "state": "pending",
            "allowedDecisions": ["allow-once", "allow-always", "deny"], "requestedAt": now.to_string(),
            "expiresAt": UnixMillis(now.0 + shown_s * 1_000).to_string(),
        });
        let answered = self.questions.put(id);
        self.publish("approval.requested", id, None, &data).await?;
        let decision = tokio::select! {
            decision = answered => decision.ok(),
            () = room.stopped(run) => Some("stopped".to_owned()),
            () = tokio::time::sleep(Duration::from_secs(ask.patience_s)) => None,
        };
        self.questions.forget(id);
        let at = self.client.now().to_string();
        let resolved = |outcome: &str, more: Value| {
            let mut data = json!({ "state": "resolved", "outcome": outcome, "resolvedAt": at });
            for (key, value) in more.as_object().into_iter().flatten() {
                data[key] = value.clone();
            }
            data
        };
        let (kind, data, verdict) = match decision.as_deref() {
            Some("stopped") => (
                "approval.resolved",
                resolved("cancelled", json!({ "reason": "the run was stopped" })),
                Verdict::Stopped,
            ),
            Some("deny") => {
                ("approval.resolved", resolved("denied", json!({ "decision": "deny" })), Verdict::Denied)
            }
            Some(decision) => {
                ("approval.resolved", resolved("allowed", json!({ "decision": decision })), Verdict::Allowed)
            }
            None if ask.then == Then::Expires => {
                ("approval.expired", json!({ "state": "expired", "resolvedAt": at }), Verdict::Denied)
            }
            None => {
                let more = json!({ "decision": "allow-once", "resolvedBy": "OpenClaw app" });
                ("approval.resolved", resolved("allowed", more), Verdict::Allowed)
            }
        };
        self.publish(kind, id, None, &data).await?;
        Ok(verdict)
    }
}
