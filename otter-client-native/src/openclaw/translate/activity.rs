//! Runs of scheduled jobs, told when they have finished.

use serde_json::{Value, json};

use crate::openclaw::ids::SessionKey;
use crate::openclaw::json::Fields as _;
use crate::openclaw::observed::Observed;
use crate::openclaw::text;
use crate::openclaw::time::{Now, UnixMillis};
use crate::openclaw::translate::{Output, Publish, grouped, head, head_of_chars, org, without_nulls};

/// A `cron` frame.
pub(super) fn translate(observed: &mut Observed, payload: &Value, now: Now) -> Vec<Output> {
    grouped(finished(observed, payload, now).into_iter().collect())
}

/// Publishes those of the gateway's list, which comes newest first, that are new.
pub(crate) fn jobs(observed: &mut Observed, entries: &[Value], now: Now) -> Vec<Output> {
    grouped(entries.iter().rev().filter_map(|entry| finished(observed, entry, now)).collect())
}

fn finished(observed: &mut Observed, entry: &Value, now: Now) -> Option<Publish> {
    let job = entry.text("jobId").filter(|_| entry.text("action") == Some("finished"))?;
    let key = entry.text("sessionKey").map(SessionKey::new);
    let agent = entry.field("job").owned("agentId").or_else(|| key.as_ref()?.agent().map(str::to_owned));
    let home = SessionKey::new(&format!("agent:{}:cron:{job}", agent.as_deref().unwrap_or_default()));
    if !observed.uploads(key.as_ref().unwrap_or(&home)) {
        return None;
    }
    let name = entry.field("job").text("name").or(entry.text("jobName"));
    if is_heartbeat(name, agent.as_deref()) {
        return None;
    }
    let started_at = entry.int("runAtMs").or(entry.int("ts"))?;
    // Frame and list agree on these two; a run that the schedule began may have no name of its own.
    let run = entry.owned("runId").unwrap_or_else(|| format!("{job}:{started_at}"));
    if !observed.note_job(&run) {
        return None;
    }
    let duration = entry.int("durationMs");
    let status = match entry.text("status") {
        Some("ok") => Some("completed"),
        Some("error") => Some("failed"),
        _ => None,
    };
    let said = entry.text("error").or(entry.text("summary")).map(text::visible);
    let known = key.filter(|key| observed.sessions.get(key).is_some_and(|seen| seen.conversation.is_some()));
    let data = without_nulls(json!({
        "title": head_of_chars(name.unwrap_or(UNNAMED), MAX_TITLE),
        "category": "cron",
        "detail": said.filter(|text| !text.trim().is_empty()).map(|text| head(&text, MAX_DETAIL)),
        "status": status,
        "instanceId": observed.instance(),
        "agentId": agent.map(|agent| observed.names.entity(&agent)),
        "conversationId": known.map(|key| observed.conversation(&key)),
        "durationMs": duration,
        "occurredAt": observed.corrected(UnixMillis(started_at + duration.unwrap_or_default())),
    }));
    Some(org("activity.recorded", observed.names.entity(&format!("cron:{run}")), now.wall, data))
}

/// Whether a job is the one with which the gateway wakes an agent: heartbeats are shown nowhere.
pub(super) fn is_heartbeat(name: Option<&str>, agent: Option<&str>) -> bool {
    let of = name.and_then(|name| name.strip_prefix("heartbeat-"));
    of.is_some_and(|of| agent.is_none_or(|agent| agent == of))
}

const UNNAMED: &str = "Scheduled job";
const MAX_TITLE: usize = 300;
const MAX_DETAIL: usize = 4 << 10;
