//! Agents, session rows and the conversations they stand for.

use std::time::Duration;

use otter_proto::id::EntityId;
use serde_json::{Value, json};

use crate::openclaw::ids::SessionKey;
use crate::openclaw::json::Fields as _;
use crate::openclaw::observed::{Observed, SessionSeen};
use crate::openclaw::time::{Instant, Now, UnixMillis, later};
use crate::openclaw::translate::agent::GRACE;
use crate::openclaw::translate::{Output, Publish, Want, descent, org, without_nulls};

pub(super) fn translate(observed: &mut Observed, payload: &Value, now: Now) -> Vec<Output> {
    if payload.text("reason") == Some("delete") {
        return vec![Output::Rpc(Want::Sessions)];
    }
    let mut outputs = row(observed, payload.field("session"), now);
    // The transcript has a mark of it; a row whose counters went to nothing asks for it, too.
    if matches!(payload.text("reason"), Some("reset" | "new" | "compact")) {
        let key = payload.text("sessionKey").map(SessionKey::new);
        outputs.extend(key.map(|key| Output::Rpc(Want::History(key))));
    }
    outputs
}

/// Publishes what differs in a page of session rows.
pub(crate) fn rows(observed: &mut Observed, rows: &[Value], now: Now) -> Vec<Output> {
    let mut outputs = descent::rows(observed, rows, now);
    outputs.extend(rows.iter().flat_map(|session| row(observed, session, now)));
    outputs
}

/// Publishes the agents, who is gone, and a conversation for the main session of each.
pub(crate) fn agents(observed: &mut Observed, payload: &Value, now: Now) -> Vec<Output> {
    let main_key = payload.text("mainKey").unwrap_or("main").to_owned();
    observed.meta.main_key = Some(main_key.clone());
    observed.touch_meta();
    let default = payload.text("defaultId");
    let mut events = Vec::new();
    let mut gone = std::mem::take(&mut observed.meta.agents);
    for agent in payload.items("agents") {
        let Some(id) = agent.text("id") else { continue };
        let model = agent.field("model");
        let data = without_nulls(json!({
            "instanceId": observed.instance(),
            "name": agent.text("name").unwrap_or(id),
            "model": model.text("primary").or_else(|| model.as_str()),
            "isDefault": (default == Some(id)).then_some(true),
        }));
        if gone.remove(id).as_ref() != Some(&data) {
            events.push(org("agent.upserted", observed.names.entity(id), now.wall, data.clone()));
        }
        observed.meta.agents.insert(id.to_owned(), data);
        let key = SessionKey::main(id, &main_key);
        if observed.uploads(&key) {
            events.extend(conversation(observed, &key, Some(id), &Value::Null, now));
        }
    }
    let removed = gone.keys().map(|id| org("agent.removed", observed.names.entity(id), now.wall, json!({})));
    events.extend(removed.collect::<Vec<_>>());
    if events.is_empty() { Vec::new() } else { vec![Output::Publish(events)] }
}

/// Asks for the agents when a health report names others than those known.
pub(super) fn check_agents(observed: &Observed, payload: &Value) -> Vec<Output> {
    let reported = payload.items("agents");
    let is_known = |agent: &Value| {
        let known = agent.text("agentId").and_then(|id| observed.meta.agents.get(id));
        known.is_some_and(|known| agent.text("name").is_none_or(|name| known.text("name") == Some(name)))
    };
    let is_same = reported.len() == observed.meta.agents.len() && reported.iter().all(is_known);
    if reported.is_empty() || is_same { Vec::new() } else { vec![Output::Rpc(Want::Agents)] }
}

/// Makes sure that a conversation exists before anything is said in it.
pub(super) fn touch(
    observed: &mut Observed,
    key: &SessionKey,
    agent: Option<&str>,
    now: Now,
) -> Vec<Publish> {
    if observed.sessions.get(key).is_some_and(|seen| seen.conversation.is_some()) {
        return Vec::new();
    }
    conversation(observed, key, agent, &Value::Null, now)
}

/// A conversation as it was told before that was forgotten.
pub(super) fn retold(observed: &mut Observed, key: &SessionKey, told: Value, now: Now) -> Publish {
    observed.session(key).conversation = Some(told.clone());
    org("conversation.upserted", observed.session_entity(key), now.wall, told)
}

/// A session that the gateway no longer lists.
pub(crate) fn session_ended(observed: &mut Observed, key: &SessionKey, now: Now) -> Vec<Publish> {
    let wall = observed.wall(now);
    let subject = observed.session_entity(key);
    let is_told = |seen: &&SessionSeen| seen.session.is_some() && observed.uploads(key);
    let Some(seen) = observed.sessions.get(key).filter(is_told).cloned() else { return Vec::new() };
    let ended = json!({"status": "ended", "endedAt": wall, "reason": "deleted"});
    let mut events = vec![org("session.ended", subject.clone(), now.wall, ended)];
    observed.held.remove(key);
    let kept = observed.session(key);
    kept.session = None;
    kept.position = None;
    kept.cut.clear();
    kept.marker = None;
    kept.snapshot_at = 0;
    if !is_main(observed, key) && !seen.archived {
        observed.session(key).archived = true;
        events.push(org("conversation.updated", subject, now.wall, json!({"archived": true})));
    }
    events
}

/// Entity id of the agent of a session.
pub(super) fn agent_entity(observed: &Observed, key: &SessionKey, agent: Option<&str>) -> EntityId {
    let seen = observed.sessions.get(key).and_then(|seen| seen.agent.as_deref());
    observed.names.entity(agent.or(seen).or(key.agent()).unwrap_or("main"))
}

/// `author` of what the agent of a session says.
pub(super) fn agent_author(observed: &Observed, key: &SessionKey, agent: Option<&str>) -> Value {
    let seen = observed.sessions.get(key).and_then(|seen| seen.agent.as_deref());
    let id = agent.or(seen).or(key.agent()).unwrap_or("main");
    let name = observed.meta.agents.get(id).and_then(|agent| agent.text("name"));
    without_nulls(json!({"type": "agent", "id": observed.names.entity(id), "name": name}))
}

fn row(observed: &mut Observed, row: &Value, now: Now) -> Vec<Output> {
    let Some(key) = row.text("key").map(SessionKey::new).filter(|key| observed.uploads(key)) else {
        return Vec::new();
    };
    let snapshot_at = row.int("snapshotAt").unwrap_or_default();
    if observed.sessions.get(&key).is_some_and(|seen| is_late(snapshot_at, seen)) {
        return Vec::new();
    }
    let mut events = conversation(observed, &key, row.text("agentId"), row, now);
    let seen = observed.session(&key);
    let is_put_back = snapshot_at < seen.snapshot_at;
    let known_activity = if is_put_back { 0 } else { seen.activity_at };
    seen.snapshot_at = snapshot_at;
    seen.activity_at = activity(row).unwrap_or_default().max(known_activity);
    let data = session_data(observed, &key, row);
    let subject = observed.session_entity(&key);
    let seen = observed.session(&key);
    let before = seen.session.clone();
    let was_emptied = before.as_ref().is_some_and(|before| used(before) > 0) && used(&data) == 0;
    if before.as_ref().is_some_and(|before| steady(before) == steady(&data)) {
        observed.hold(&key, data, later(now.at, HOLD));
    } else {
        observed.held.remove(&key);
        observed.session(&key).session = Some(data.clone());
        events.push(org("session.upserted", subject, now.wall, data));
    }
    let mut outputs: Vec<Output> =
        (!events.is_empty()).then_some(Output::Publish(events)).into_iter().collect();
    if row.flag("hasActiveRun") == Some(false) {
        outputs.extend(settle(observed, &key, snapshot_at, now));
    }
    if was_emptied && !observed.catching_up {
        outputs.push(Output::Rpc(Want::History(key)));
    }
    outputs
}

/// Whether a row is older than the newest one seen. When it seems to be much older, the gateway's clock was put back.
fn is_late(snapshot_at: u64, seen: &SessionSeen) -> bool {
    let late_by = seen.snapshot_at.saturating_sub(snapshot_at);
    late_by > 0 && (snapshot_at == 0 || late_by < STEP_BACK)
}

/// Milliseconds by which no row comes late.
const STEP_BACK: u64 = 60_000;

/// Tokens of the context in use, 0 when nobody knows.
fn used(session: &Value) -> u64 {
    session.field("contextUsed").int("value").unwrap_or_default()
}

/// Publishes the counters and times that waited for newer ones.
pub(super) fn release(observed: &mut Observed, now: Now) -> Vec<Output> {
    let due = |(_, (at, _)): &(&SessionKey, &(Instant, Value))| *at <= now.at;
    let keys: Vec<SessionKey> = observed.held.iter().filter(due).map(|(key, _)| key.clone()).collect();
    let mut outputs = Vec::new();
    for key in keys {
        let Some((_, data)) = observed.held.remove(&key) else { continue };
        if observed.sessions.get(&key).is_some_and(|seen| seen.session.as_ref() == Some(&data)) {
            continue;
        }
        observed.session(&key).session = Some(data.clone());
        let event = org("session.upserted", observed.session_entity(&key), now.wall, data);
        outputs.push(Output::Publish(vec![event]));
    }
    outputs
}

/// A session without what changes all the time.
fn steady(session: &Value) -> Value {
    let mut session = session.clone();
    if let Some(fields) = session.as_object_mut() {
        fields.retain(|name, _| !matches!(name.as_str(), "contextUsed" | "lastActivityAt"));
    }
    session
}

/// How long counters and times wait for newer ones.
const HOLD: Duration = Duration::from_secs(1);

/// Nothing runs in this session: open runs will be looked at, and rows that waited for an end can be read.
fn settle(observed: &mut Observed, key: &SessionKey, snapshot_at: u64, now: Now) -> Option<Output> {
    for run in observed.runs.values_mut().filter(|run| run.session == *key && run.started_at.0 < snapshot_at)
    {
        run.check_at = run.check_at.or(Some(later(now.at, GRACE)));
    }
    let waits = observed.sessions.get(key).is_some_and(SessionSeen::has_gap) && !observed.catching_up;
    waits.then(|| Output::Rpc(Want::History(key.clone())))
}

/// The conversation of a session, when what is known of it changed.
fn conversation(
    observed: &mut Observed,
    key: &SessionKey,
    agent: Option<&str>,
    row: &Value,
    now: Now,
) -> Vec<Publish> {
    let subject = observed.session_entity(key);
    let agent_id = agent_entity(observed, key, agent);
    let before = observed.sessions.get(key).and_then(|seen| seen.conversation.clone()).unwrap_or_default();
    let titles =
        [row.text("derivedTitle"), row.text("label"), row.text("displayName"), before.text("derivedTitle")];
    let main = || is_main(observed, key).then(|| agent_name(observed, agent.or(key.agent())?)).flatten();
    let title = titles.into_iter().flatten().next().map(str::to_owned).or_else(main);
    let data = without_nulls(json!({
        "instanceId": observed.instance(),
        "agentId": agent_id,
        "address": {"kind": "session", "sessionKey": key.as_str()},
        "derivedTitle": title,
    }));
    let mut events = Vec::new();
    let seen = observed.session(key);
    seen.agent = agent.map(str::to_owned).or(seen.agent.take());
    if before != data {
        seen.conversation = Some(data.clone());
        events.push(org("conversation.upserted", subject.clone(), now.wall, data));
    }
    let archived = row.flag("archived").unwrap_or(seen.archived);
    if archived != seen.archived {
        seen.archived = archived;
        events.push(org("conversation.updated", subject, now.wall, json!({"archived": archived})));
    }
    events
}

/// `data` of session.upserted. What the gateway does not say is null: a reset removes it.
fn session_data(observed: &Observed, key: &SessionKey, row: &Value) -> Value {
    let at = |millis: Option<u64>| millis.map(|millis| observed.corrected(UnixMillis(millis)));
    let held = observed.held.get(key).map(|(_, data)| data);
    let before = held.or(observed.sessions.get(key).and_then(|seen| seen.session.as_ref()));
    // Before the first answer the gateway counts nothing and says 0.
    let counted = row.int("totalTokens").filter(|value| *value > 0).map(|value| {
        let fresh = row.flag("totalTokensFresh").unwrap_or(false);
        let known = before.map(|before| before.field("contextUsed"));
        let same =
            known.filter(|known| known.int("value") == Some(value) && known.flag("fresh") == Some(fresh));
        same.cloned()
            .unwrap_or_else(|| json!({"value": value, "at": at(row.int("snapshotAt")), "fresh": fresh}))
    });
    let activity = observed.sessions.get(key).map(|seen| seen.activity_at).filter(|at| *at > 0);
    json!({
        "instanceId": observed.instance(),
        "agentId": agent_entity(observed, key, row.text("agentId")),
        "key": key.as_str(),
        "conversationId": observed.conversation(key),
        "status": status(row),
        "kind": row.text("classification").or(row.text("kind")),
        "channel": row.text("channel"),
        "label": row.text("label").or(row.text("displayName")),
        "model": row.text("model"),
        "contextUsed": counted,
        "contextLimit": row.int("contextTokens"),
        "lastActivityAt": at(activity),
        "sessionId": row.text("sessionId"),
    })
}

fn status(row: &Value) -> &'static str {
    if row.flag("hasActiveRun") == Some(true) {
        return "running";
    }
    match row.text("status") {
        Some("queued") => "queued",
        Some("done") => "done",
        Some("failed") => "failed",
        Some("killed") => "killed",
        Some("timeout") => "timeout",
        // A row that says running while nothing runs was left behind by a crash.
        _ => "idle",
    }
}

fn activity(row: &Value) -> Option<u64> {
    let times = ["updatedAt", "lastActivityAt", "lastInteractionAt", "endedAt"];
    times.into_iter().filter_map(|field| row.int(field)).max()
}

fn is_main(observed: &Observed, key: &SessionKey) -> bool {
    let main_key = observed.meta.main_key.as_deref().unwrap_or("main");
    key.agent().is_some_and(|agent| *key == SessionKey::main(agent, main_key))
}

fn agent_name(observed: &Observed, agent: &str) -> Option<String> {
    observed.meta.agents.get(agent)?.owned("name")
}
