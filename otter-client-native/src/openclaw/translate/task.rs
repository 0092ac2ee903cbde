//! Tasks of the gateway: sub-agents, runs of jobs, runs of the command line. They move by themselves.

use serde_json::{Value, json};

use crate::openclaw::ids::SessionKey;
use crate::openclaw::json::Fields as _;
use crate::openclaw::observed::{Observed, TaskSeen};
use crate::openclaw::time::{Now, UnixMillis};
use crate::openclaw::translate::{Output, Publish, Want, grouped, head_of_chars, org, session};

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
    grouped(events)
}

fn remove(observed: &mut Observed, id: &str, now: Now) -> Option<Publish> {
    let subject = observed.names.entity(id);
    observed.forget_task(id).then(|| org("task.removed", subject, now.wall, json!({})))
}

fn upsert(observed: &mut Observed, row: &Value, now: Now) -> Vec<Publish> {
    let (Some(id), Some(status)) = (row.text("id"), row.text("status").and_then(status)) else {
        return Vec::new();
    };
    // The gateway keeps book of turns that it takes up by itself under the words of its own prompt.
    if row.text("title").is_some_and(|title| title.starts_with(INTERNAL)) {
        return Vec::new();
    }
    let keys =
        ["childSessionKey", "sessionKey", "ownerKey"].map(|field| row.text(field).map(SessionKey::new));
    let place = keys[0].clone().or_else(|| keys[1].clone());
    let job = row.text("sourceId").filter(|_| row.text("runtime") == Some("cron"));
    let job = job
        .map(|job| SessionKey::new(&format!("agent:{}:cron:{job}", row.text("agentId").unwrap_or_default())));
    let is_placeless = keys.iter().all(Option::is_none) && job.is_none();
    let is_private = keys.iter().flatten().chain(&job).any(|key| !observed.uploads(key));
    if is_private || is_placeless && !observed.may_leave(None) {
        return Vec::new();
    }
    let is_open = matches!(status, "queued" | "inProgress");
    let mut events = Vec::new();
    let agent = row.text("agentId");
    let conversation = place.filter(|key| {
        // The sessions of old tasks may be gone; a task that goes on shows where.
        if is_open {
            events.extend(session::touch(observed, key, agent, now));
        }
        observed.sessions.get(key).is_some_and(|seen| seen.conversation.is_some())
    });
    let conversation = conversation.map(|key| observed.conversation(&key).to_string());
    // The gateway gives runs of jobs a name of their own, under which no run is known.
    let run = row.text("runId").filter(|run| job.is_none() && (is_open || observed.is_known(run)));
    let summaries = ["terminalSummary", "error", "progressSummary"];
    let seen = TaskSeen {
        status: status.to_owned(),
        title: head_of_chars(row.text("title").unwrap_or(UNTITLED), MAX_TITLE),
        summary: summaries
            .into_iter()
            .find_map(|field| row.text(field))
            .map(|text| head_of_chars(text, MAX_SUMMARY)),
        conversation,
        run: run.map(|run| observed.names.entity(run).to_string()),
        seen_at: observed.tasks.get(id).map_or(now.wall, |known| known.seen_at),
    };
    if observed.tasks.get(id) == Some(&seen) {
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
