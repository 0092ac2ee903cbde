//! `agent` frames: that a run lives, what it does, and hints of its end.

use std::time::Duration;

use serde_json::Value;

use crate::openclaw::ids::SessionKey;
use crate::openclaw::json::Fields as _;
use crate::openclaw::observed::{Observed, Progress};
use crate::openclaw::time::{Now, UnixMillis, later};
use crate::openclaw::translate::run::{self, Seat};
use crate::openclaw::translate::{Output, step};

pub(super) fn translate(observed: &mut Observed, payload: &Value, now: Now) -> Vec<Output> {
    let (Some(id), Some(key)) = (payload.text("runId"), payload.text("sessionKey")) else {
        return Vec::new();
    };
    if payload.flag("isHeartbeat") == Some(true) {
        observed.hide(id);
        return run::abandon(observed, id, now);
    }
    if observed.is_hidden(id) || observed.is_closed(id) {
        return Vec::new();
    }
    let data = payload.field("data");
    let (stream, phase) =
        (payload.text("stream").unwrap_or_default(), data.text("phase").unwrap_or_default());
    let is_over = stream == "lifecycle" && matches!(phase, "finishing" | "end" | "error");
    if is_over && !observed.runs.contains_key(id) {
        return Vec::new();
    }
    let session = SessionKey::new(key);
    let seat = Seat { run: id, session: &session, agent: payload.text("agentId") };
    let at = data.int("startedAt").or_else(|| payload.int("ts")).map(UnixMillis);
    let started = run::start(observed, seat, at, now);
    let mut outputs: Vec<Output> =
        (!started.is_empty()).then_some(Output::Publish(started)).into_iter().collect();
    outputs.extend(match stream {
        "lifecycle" => lifecycle(observed, id, data, now),
        "run_status" => {
            // Only a retry has something to say that the phase does not.
            let title = data.owned("message").filter(|_| phase == "retrying");
            run::progress(observed, id, Progress { phase: phase.to_owned(), tool: None, title })
        }
        "item" => item(observed, id, data),
        _ => None,
    });
    let steps = step::translate(observed, id, stream, data, now);
    outputs.extend((!steps.is_empty()).then_some(Output::Publish(steps)));
    outputs
}

fn lifecycle(observed: &mut Observed, id: &str, data: &Value, now: Now) -> Option<Output> {
    let run = observed.runs.get_mut(id)?;
    match data.text("phase")? {
        "model" => {
            run.model = data.owned("model").or(run.model.take());
            None
        }
        phase @ ("waiting-approval" | "approval-resolved") => {
            let (tool, title) =
                run.progress.as_ref().map(|p| (p.tool.clone(), p.title.clone())).unwrap_or_default();
            let phase = if phase == "waiting-approval" { "waitingApproval" } else { "tool" };
            run::progress(observed, id, Progress { phase: phase.to_owned(), tool, title })
        }
        "end" | "error" => {
            run.ended_at = data.int("endedAt").map(UnixMillis);
            // The chat frame says how it ended; this only makes sure that somebody looks when none comes.
            run.check_at = Some(later(now.at, GRACE));
            None
        }
        _ => None,
    }
}

fn item(observed: &mut Observed, id: &str, data: &Value) -> Option<Output> {
    if data.text("kind") != Some("tool") || !matches!(data.text("phase"), Some("start" | "update")) {
        return None;
    }
    let progress = Progress { phase: "tool".into(), tool: data.owned("name"), title: data.owned("title") };
    run::progress(observed, id, progress)
}

/// How long the chat frame of an end may follow its lifecycle frame.
pub(super) const GRACE: Duration = Duration::from_secs(2);
