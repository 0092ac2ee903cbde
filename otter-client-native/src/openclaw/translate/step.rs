//! Tool calls of a run: each published once, when all of its end was told.

use std::time::Duration;

use serde_json::{Value, json};

use crate::openclaw::history::{History, ToolResult};
use crate::openclaw::json::Fields as _;
use crate::openclaw::observed::{ApprovalOutcome, ItemEnd, Observed, OpenStep, OutputEnd};
use crate::openclaw::time::{Now, UnixMillis, later};
use crate::openclaw::translate::run::{self, Seat};
use crate::openclaw::translate::{Output, Publish, without_nulls};

/// Takes what an `agent` frame of an open run says about its tool calls.
pub(super) fn translate(
    observed: &mut Observed,
    id: &str,
    stream: &str,
    data: &Value,
    now: Now,
) -> Vec<Publish> {
    let is_end = data.text("phase") == Some("end");
    match stream {
        "item" if data.text("kind") == Some("tool") => item(observed, id, data, now),
        "command_output" if is_end => output(observed, id, data, now),
        "tool" => {
            note_child(observed, id, data);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// `session.tool`, which tells of runs that others began what `agent` frames tell of our own.
pub(super) fn spawned(observed: &mut Observed, payload: &Value) -> Vec<Output> {
    if let Some(id) = payload.text("runId") {
        note_child(observed, id, payload.field("data"));
    }
    Vec::new()
}

/// Publishes tool calls that waited in vain for the rest of their end.
pub(super) fn overdue(observed: &mut Observed, now: Now) -> Vec<Output> {
    let due = |step: &OpenStep| step.due_at.is_some_and(|at| at <= now.at);
    let runs = observed.runs.iter();
    let steps = runs.flat_map(|(run, open)| open.steps.iter().map(move |(call, step)| (run, call, step)));
    let late: Vec<(String, String)> =
        steps.filter(|(_, _, step)| due(step)).map(|(run, call, _)| (run.clone(), call.clone())).collect();
    let events: Vec<Publish> =
        late.iter().filter_map(|(run, call)| publish(observed, run, call, now)).collect();
    if events.is_empty() { Vec::new() } else { vec![Output::Publish(events)] }
}

/// The tool calls that a run leaves behind when it ends.
pub(super) fn unfinished(observed: &mut Observed, id: &str, now: Now) -> Vec<Publish> {
    let Some(open) = observed.runs.get(id) else { return Vec::new() };
    let calls: Vec<String> = open.steps.keys().cloned().collect();
    calls.iter().filter_map(|call| publish(observed, id, call, now)).collect()
}

/// Takes the results of tool calls from a transcript, for open runs whose frames were missed.
pub(super) fn recover(observed: &mut Observed, history: &History, now: Now) -> Vec<Publish> {
    history.results.iter().filter_map(|result| recover_one(observed, result, now)).collect()
}

fn recover_one(observed: &mut Observed, result: &ToolResult, now: Now) -> Option<Publish> {
    let ToolResult { run, asked_at, row } = result;
    let (call, step) = step(observed, run, row)?;
    step.name = step.name.take().or_else(|| row.owned("toolName"));
    step.started_at = step.started_at.or(*asked_at);
    if step.started_at.is_none() {
        observed.runs.get_mut(run)?.steps.remove(&call);
        return None;
    }
    let status = if row.flag("isError") == Some(true) { "failed" } else { "completed" };
    let (text, _) = crate::openclaw::text::content(row);
    let error = text.starts_with(DENIED).then(|| text.clone());
    let ended_at = row.int("timestamp").map(UnixMillis);
    step.item.get_or_insert(ItemEnd { status: status.into(), error, ended_at });
    step.output.get_or_insert_with(|| output_end(&text, row.field("details")));
    publish(observed, run, &call, now)
}

fn item(observed: &mut Observed, id: &str, data: &Value, now: Now) -> Vec<Publish> {
    let Some((call, step)) = step(observed, id, data) else { return Vec::new() };
    step.title = data.owned("title").or(step.title.take());
    step.started_at = data.int("startedAt").map(UnixMillis).or(step.started_at);
    let mut is_done = false;
    if data.text("phase") == Some("end") {
        let status = data.owned("status").unwrap_or_else(|| "completed".into());
        let ended_at = data.int("endedAt").map(UnixMillis);
        step.item = Some(ItemEnd { status, error: data.owned("error"), ended_at });
        // Of a command, the output is told in a frame of its own.
        is_done = step.output.is_some() || data.flag("commandBearing") != Some(true);
        step.due_at = Some(later(now.at, PATIENCE));
    }
    observed.touch_run(id);
    if is_done { publish(observed, id, &call, now).into_iter().collect() } else { Vec::new() }
}

fn output(observed: &mut Observed, id: &str, data: &Value, now: Now) -> Vec<Publish> {
    let Some((call, step)) = step(observed, id, data) else { return Vec::new() };
    step.output = Some(output_end(data.text("output").unwrap_or_default(), data));
    let is_done = step.item.is_some();
    step.due_at = Some(later(now.at, PATIENCE));
    observed.touch_run(id);
    if is_done { publish(observed, id, &call, now).into_iter().collect() } else { Vec::new() }
}

fn output_end(output: &str, data: &Value) -> OutputEnd {
    let head = output.get(..output.floor_char_boundary(MAX_OUTPUT)).unwrap_or_default();
    OutputEnd {
        status: data.owned("status"),
        is_cut: head.len() < output.len(),
        head: head.to_owned(),
        exit_code: data.field("exitCode").as_i64(),
        duration_ms: data.int("durationMs"),
        cwd: data.owned("cwd"),
    }
}

/// The tool call of a frame. One that was published is not begun again.
fn step<'a>(observed: &'a mut Observed, id: &str, data: &Value) -> Option<(String, &'a mut OpenStep)> {
    let call = data.owned("toolCallId")?;
    let open = observed.runs.get_mut(id)?;
    let is_full = open.steps.len() >= MAX_OPEN && !open.steps.contains_key(&call);
    if is_full || open.told_steps.contains(&call) {
        return None;
    }
    let step = open.steps.entry(call.clone()).or_default();
    step.name = data.owned("name").or(step.name.take());
    Some((call, step))
}

fn publish(observed: &mut Observed, id: &str, call: &str, now: Now) -> Option<Publish> {
    let open = observed.runs.get_mut(id)?;
    let step = open.steps.remove(call)?;
    open.told_steps.push_back(call.to_owned());
    while open.told_steps.len() > MAX_TOLD {
        open.told_steps.pop_front();
    }
    let nested = format!("tool_search_code:{call}:");
    let is_wrapper = open.told_steps.iter().any(|told| told.starts_with(&nested));
    let (session, agent) = (open.session.clone(), open.agent.clone());
    observed.touch_run(id);
    if is_wrapper {
        // The gateway's catalogue call around a tool: the tool itself was told.
        return None;
    }
    let started = step.started_at.unwrap_or(now.wall);
    let status = status(observed, id, call, &step);
    let ended = step.item.as_ref().and_then(|item| item.ended_at);
    let approval = observed.approval_of(id, call).map(|(id, _)| id.clone());
    let waited = approval.is_some();
    let (output, error) = (step.output.as_ref(), step.item.as_ref().and_then(|item| item.error.as_deref()));
    let spent = ended.filter(|_| !waited).map(|ended| ended.0.saturating_sub(started.0));
    let cwd = output.and_then(|output| output.cwd.as_deref());
    // The gateway repeats the reason of a refusal as the output of the command that did not run.
    let head = output.filter(|output| Some(output.head.as_str()) != error && !output.head.is_empty());
    let data = without_nulls(json!({
        "conversationId": observed.conversation(&session),
        "runId": observed.names.entity(id),
        "name": step.name.as_deref().unwrap_or("tool"),
        "title": step.title.as_deref().map(|title| without_folder(title, cwd)),
        "status": status,
        "exitCode": output.and_then(|output| output.exit_code),
        "outputHead": head.map(|output| &output.head),
        "outputTruncated": head.filter(|output| output.is_cut).map(|_| true),
        "error": error.map(|error| without_folder(cut(error, MAX_ERROR), cwd)),
        "startedAt": observed.corrected(started),
        "endedAt": ended.map(|ended| observed.corrected(ended)),
        "durationMs": output.and_then(|output| output.duration_ms).or(spent),
        "approvalId": approval.map(|approval| observed.names.entity(&approval)),
    }));
    let seat = Seat { run: id, session: &session, agent: agent.as_deref() };
    let subject = observed.names.entity(&format!("{id}:{call}"));
    Some(Publish { subject, ..run::event(observed, "step.recorded", seat, now.wall, data) })
}

fn status(observed: &Observed, id: &str, call: &str, step: &OpenStep) -> &'static str {
    let item = step.item.as_ref();
    let told = item.map(|item| item.status.as_str());
    let told = told.or_else(|| step.output.as_ref().and_then(|output| output.status.as_deref()));
    let decided = observed.approval_of(id, call).and_then(|(_, seen)| seen.end.as_ref());
    match (told, decided.map(|end| end.outcome)) {
        (Some("completed"), _) => "completed",
        (Some(_), Some(ApprovalOutcome::Denied)) => "denied",
        (_, Some(ApprovalOutcome::Cancelled)) | (None | Some("running"), _) => "aborted",
        (Some(_), _) => {
            let error = item.and_then(|item| item.error.as_deref()).unwrap_or_default();
            if error.starts_with(DENIED) { "denied" } else { "failed" }
        }
    }
}

/// Notes the run that a tool call began.
fn note_child(observed: &mut Observed, parent: &str, data: &Value) {
    if let Some(child) = begun(data).text("runId") {
        observed.note_spawned(child, parent);
    }
}

/// The session that a tool call began.
pub(super) fn spawned_session(data: &Value) -> Option<&str> {
    begun(data).text("childSessionKey")
}

/// What a tool call that began a sub-agent says of it.
fn begun(data: &Value) -> &Value {
    let is_begun = data.text("name") == Some(SPAWN) && data.text("phase") == Some("result");
    if is_begun { data.field("result").field("details") } else { &Value::Null }
}

/// A text without the folder that the agent works in, which is nobody's business outside of the machine.
fn without_folder(text: &str, folder: Option<&str>) -> String {
    match folder.filter(|folder| folder.len() > 1) {
        Some(folder) => text.replace(&format!("{folder}/"), "").replace(folder, "."),
        None => text.to_owned(),
    }
}

fn cut(text: &str, limit: usize) -> &str {
    text.get(..text.floor_char_boundary(limit)).unwrap_or_default()
}

const SPAWN: &str = "sessions_spawn";
/// How the gateway begins the reason why a command did not run.
const DENIED: &str = "Exec denied";
/// How long one half of an end waits for the other.
const PATIENCE: Duration = Duration::from_secs(2);
const MAX_OUTPUT: usize = 4 << 10;
const MAX_ERROR: usize = 1 << 10;
const MAX_OPEN: usize = 64;
const MAX_TOLD: usize = 128;
