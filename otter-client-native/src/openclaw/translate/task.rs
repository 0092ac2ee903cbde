//! Tasks of the gateway: sub-agents, runs of jobs, runs of the command line. They move by themselves.

use serde_json::{Value, json};

use crate::openclaw::ids::SessionKey;
use crate::openclaw::json::Fields as _;
use crate::openclaw::observed::{Observed, TaskSeen};
use crate::openclaw::time::{Now, UnixMillis};
use crate::openclaw::translate::{
    Output, Publish, Want, activity, descent, grouped, head_of_chars, org, session,
};

/// A `task` frame.
pub(super) fn translate(observed: &mut Observed, payload: &Value, now: Now) -> Vec<Output> {
    match payload.text("action") {
        Some("upserted") => grouped(upsert(observed, payload.field("task"), now)),
        Some("deleted") => {
            let gone = payload.text("taskId").and_then(|id| remove(observed, id, now));
            grouped(gone.into_iter().collect())
        }
        Some("restored") => vec![Output::Rpc(Want::Tasks)],
        _ => Vec::new(),
    }
}

/// Publishes what differs in the gateway's list, which comes newest first, and that tasks are gone. `judged` are those
/// that were open when it was asked for.
pub(crate) fn tasks(observed: &mut Observed, payload: &Value, judged: &[String], now: Now) -> Vec<Output> {
    let rows = payload.items("tasks");
    let mut outputs = descent::tasks(observed, rows, now);
    let mut events: Vec<Publish> = rows.iter().rev().flat_map(|row| upsert(observed, row, now)).collect();
    // Of a list that goes on, nothing is known about what it does not name.
    if payload.text("nextCursor").is_none() {
        let is_listed = |id: &str| rows.iter().any(|row| row.text("id") == Some(id));
        for id in judged.iter().filter(|id| !is_listed(id)) {
            events.extend(remove(observed, id, now));
        }
        let closed = observed.tasks.iter().filter(|(id, seen)| !seen.is_open() && !is_listed(id));
        let pruned: Vec<String> = closed.map(|(id, _)| id.clone()).collect();
        for id in pruned {
            observed.forget_task(&id);
        }
    }
    outputs.extend(grouped(events));
    outputs
}

fn remove(observed: &mut Observed, id: &str, now: Now) -> Option<Publish> {
    let subject = observed.names.entity(id);
    observed.forget_task(id).then(|| org("task.removed", subject, now.wall, json!({})))
}

fn upsert(observed: &mut Observed, row: &Value, now: Now) -> Vec<Publish> {
    let (Some(id), Some(status)) = (row.text("id"), row.text("status").and_then(status)) else {
        return Vec::new();
    };
    if is_private(observed, row) {
        return Vec::new();
    }
    let is_open = matches!(status, "queued" | "inProgress");
    let agent = row.text("agentId");
    let (mut events, conversation) = place(observed, row, is_open, now);
    let known = observed.tasks.get(id).cloned();
    // The gateway gives runs of jobs a name of their own, under which no run is known.
    let run = row.text("runId").filter(|run| !is_of_job(row) && (is_open || observed.is_known(run)));
    let run = run.map(|run| observed.names.entity(run).to_string());
    let summaries = ["terminalSummary", "error", "progressSummary"];
    let seen = TaskSeen {
        status: status.to_owned(),
        title: head_of_chars(row.text("title").unwrap_or(UNTITLED), MAX_TITLE),
        summary: summaries
            .into_iter()
            .find_map(|field| row.text(field))
            .map(|text| head_of_chars(text, MAX_SUMMARY)),
        conversation,
        run: run.or_else(|| known.as_ref()?.run.clone()),
        seen_at: known.as_ref().map_or(now.wall, |known| known.seen_at),
    };
    if known.as_ref() == Some(&seen) {
        return events;
    }
    let at = |field: &str| row.int(field).map(|at| observed.corrected(UnixMillis(at)));
    let data = json!({
        "title": seen.title,
        "status": seen.status,
        "origin": "gateway",
        "taskKind": row.text("runtime").or(row.text("kind")),
        "instanceId": observed.instance(),
        "agentId": agent.map(|agent| observed.names.entity(agent)),
        "conversationId": seen.conversation,
        "runId": seen.run,
        "summary": seen.summary,
        "createdAt": at("createdAt").unwrap_or_else(|| observed.wall(now)),
        "startedAt": at("startedAt"),
        "endedAt": at("endedAt"),
    });
    observed.note_task(id, seen);
    events.push(org("task.upserted", observed.names.entity(id), now.wall, data));
    events
}

/// Whether a task must not leave the machine, or is none: the gateway keeps book of turns that it takes up by itself under
/// the words of its own prompt.
fn is_private(observed: &Observed, row: &Value) -> bool {
    if row.text("title").is_some_and(|title| title.starts_with(INTERNAL)) {
        return true;
    }
    if is_of_job(row) && activity::is_heartbeat(row.text("title"), row.text("agentId")) {
        return true;
    }
    let keys =
        ["childSessionKey", "sessionKey", "ownerKey"].map(|field| row.text(field).map(SessionKey::new));
    let agent = row.text("agentId").unwrap_or_default();
    let job = row.text("sourceId").filter(|_| is_of_job(row));
    let job = job.map(|job| SessionKey::new(&format!("agent:{agent}:cron:{job}")));
    let mut keys = keys.iter().flatten().chain(&job).peekable();
    match keys.peek() {
        None => !observed.may_leave(None),
        Some(_) => keys.any(|key| !observed.uploads(key)),
    }
}

fn is_of_job(row: &Value) -> bool {
    row.text("runtime") == Some("cron")
}

/// The conversation where the work can be seen, and what makes sure that there is one.
fn place(observed: &mut Observed, row: &Value, is_open: bool, now: Now) -> (Vec<Publish>, Option<String>) {
    let Some(key) = row.text("childSessionKey").or(row.text("sessionKey")).map(SessionKey::new) else {
        return (Vec::new(), None);
    };
    // The sessions of old tasks may be gone; a task that goes on shows where.
    let events = if is_open { session::touch(observed, &key, row.text("agentId"), now) } else { Vec::new() };
    let is_known = observed.sessions.get(&key).is_some_and(|seen| seen.conversation.is_some());
    (events, is_known.then(|| observed.conversation(&key).to_string()))
}

fn status(word: &str) -> Option<&'static str> {
    match word {
        "queued" => Some("queued"),
        "running" => Some("inProgress"),
        "completed" => Some("done"),
        "failed" | "timed_out" => Some("failed"),
        "cancelled" => Some("cancelled"),
        _ => None,
    }
}

const INTERNAL: &str = "[System]";
const UNTITLED: &str = "Task";
const MAX_TITLE: usize = 300;
const MAX_SUMMARY: usize = 1_000;
