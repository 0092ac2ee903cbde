//! Runs: their start, their growing text and their one end.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use otter_proto::limits::SLOT_BYTES;
use serde_json::{Value, json};

use crate::openclaw::ids::SessionKey;
use crate::openclaw::observed::{Observed, OpenRun, Progress, Usage};
use crate::openclaw::text::utf16_len;
use crate::openclaw::time::{Instant, Now, UnixMillis, later};
use crate::openclaw::translate::{Output, Publish, Signal, dispatch, session, step, without_nulls};

/// Where and whose a run is, as frames say it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seat<'a> {
    pub(super) run: &'a str,
    pub(super) session: &'a SessionKey,
    pub(super) agent: Option<&'a str>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum End {
    Completed,
    Aborted,
    Failed { code: Option<&'static str>, message: String },
}

/// An end and what belongs to it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ending {
    pub(super) end: End,
    /// The answer, empty when there is none.
    pub(super) text: String,
    /// When, in gateway time.
    pub(super) at: Option<UnixMillis>,
    /// Where the answer belongs when it is told late: its time and the message before it.
    pub(super) placed: Option<(UnixMillis, Option<String>)>,
}

/// Events that begin a run which is not known yet.
pub(super) fn start(
    observed: &mut Observed,
    seat: Seat<'_>,
    at: Option<UnixMillis>,
    now: Now,
) -> Vec<Publish> {
    if observed.runs.contains_key(seat.run) {
        return Vec::new();
    }
    let mut group = too_many(observed, now);
    group.extend(session::touch(observed, seat.session, seat.agent, now));
    let (started_at, wall) = (at.unwrap_or(now.wall), observed.wall(now));
    let known = observed.sessions.get(seat.session);
    let model = known.and_then(|seen| seen.session.as_ref()?.get("model")?.as_str().map(str::to_owned));
    let agent = seat.agent.or(seat.session.agent()).map(str::to_owned);
    let run = OpenRun {
        session: seat.session.clone(),
        agent,
        boot: observed.meta.boot.clone(),
        started_at,
        model,
        text: String::new(),
        seen_at: wall,
        usage: Usage::default(),
        keyframe_at: None,
        has_tail: false,
        progress: None,
        check_at: None,
        stop_refused: false,
        ended_at: None,
        steps: BTreeMap::new(),
        told_steps: VecDeque::new(),
    };
    observed.open(seat.run, run);
    group.extend(started(observed, seat.run, now));
    group.extend(dispatch::begun(observed, seat.run, started_at, now));
    group
}

/// That an open run began.
pub(super) fn started(observed: &Observed, id: &str, now: Now) -> Option<Publish> {
    let run = observed.runs.get(id)?;
    let seat = Seat { run: id, session: &run.session, agent: run.agent.as_deref() };
    let data = without_nulls(json!({
        "conversationId": observed.conversation(seat.session),
        "agentId": session::agent_entity(observed, seat.session, seat.agent),
        "state": "running",
        "startedAt": observed.corrected(run.started_at),
        "model": run.model,
        "parentRunId": observed.parent_of(id).map(|parent| observed.names.entity(parent)),
    }));
    Some(event(observed, "run.started", seat, now.wall, data))
}

/// Ends a run: its answer, when it has one, and then its terminal event, in one group.
pub(super) fn end(observed: &mut Observed, seat: Seat<'_>, ending: Ending, now: Now) -> Vec<Publish> {
    let mut group = step::unfinished(observed, seat.run, now);
    let Some(run) = observed.close(seat.run) else { return Vec::new() };
    let wall = observed.wall(now);
    let ended_at = run.ended_at.or(ending.at).map_or(wall, |at| observed.corrected(at));
    let is_silent = ending.text.trim().is_empty();
    if !is_silent {
        let seat = Seat { agent: run.agent.as_deref(), ..seat };
        group.push(answer(observed, seat, &ending, true, now.wall));
    }
    let tasks = dispatch::ended(observed, seat.run, (&ending.end, &ending.text), ended_at, now);
    let (kind, state) = match &ending.end {
        End::Completed => ("run.completed", "completed"),
        End::Aborted => ("run.aborted", "aborted"),
        End::Failed { .. } => ("run.failed", "failed"),
    };
    let mut data = json!({"state": state, "endedAt": ended_at});
    match ending.end {
        End::Completed => {
            data["empty"] = is_silent.then_some(true).into();
            data["usage"] = run.usage.to_json().into();
            data["model"] = run.model.into();
        }
        End::Aborted => {}
        End::Failed { code, message } => {
            data["error"] = without_nulls(json!({"code": code, "message": message}));
        }
    }
    group.push(event(observed, kind, seat, now.wall, without_nulls(data)));
    group.extend(tasks);
    group
}

/// Ends a run that turned out to be none of anybody's business.
pub(super) fn abandon(observed: &mut Observed, run: &str, now: Now) -> Vec<Output> {
    let events = silence(observed, run, End::Completed, now);
    if events.is_empty() { Vec::new() } else { vec![Output::Publish(events)] }
}

/// Ends a run without a word of what it said or did.
pub(super) fn silence(observed: &mut Observed, run: &str, how: End, now: Now) -> Vec<Publish> {
    let Some(open) = observed.runs.get_mut(run) else { return Vec::new() };
    open.steps.clear();
    let session = open.session.clone();
    let seat = Seat { run, session: &session, agent: None };
    end(observed, seat, Ending { end: how, text: String::new(), at: None, placed: None }, now)
}

/// The end of the oldest run when there is no room for another one.
fn too_many(observed: &mut Observed, now: Now) -> Vec<Publish> {
    let Some(id) = observed.run_too_many() else { return Vec::new() };
    let Some(run) = observed.runs.get(&id) else { return Vec::new() };
    let (session, text) = (run.session.clone(), run.text.clone());
    let seat = Seat { run: &id, session: &session, agent: None };
    let how = End::Failed { code: Some(LOST), message: TOO_MANY.to_owned() };
    end(observed, seat, Ending { end: how, text, at: None, placed: None }, now)
}

/// The message that holds the answer of a run.
pub(super) fn answer(
    observed: &Observed,
    seat: Seat<'_>,
    ending: &Ending,
    is_followed: bool,
    wall: UnixMillis,
) -> Publish {
    let status = match &ending.end {
        End::Completed => "complete",
        End::Aborted => "aborted",
        End::Failed { .. } => "interrupted",
    };
    let (sent_at, after) = ending.placed.clone().unzip();
    let data = without_nulls(json!({
        "conversationId": observed.conversation(seat.session),
        "author": session::agent_author(observed, seat.session, seat.agent),
        "text": ending.text,
        "status": status,
        "runId": is_followed.then(|| observed.names.entity(seat.run)),
        "sentAt": sent_at,
        "after": after.flatten(),
    }));
    Publish {
        subject: observed.names.answer(seat.run),
        ..event(observed, "message.created", seat, wall, data)
    }
}

/// The signal that brings a stream from what was sent to `text`.
pub(super) fn stream(
    observed: &mut Observed,
    id: &str,
    text: String,
    replaces: bool,
    now: Now,
) -> Option<Output> {
    let wall = observed.wall(now);
    let run = observed.runs.get_mut(id).filter(|_| text.len() <= SLOT_BYTES)?;
    run.seen_at = wall;
    if text == run.text && run.keyframe_at.is_some() {
        return None;
    }
    let is_due = run.keyframe_at.is_none_or(|at| later(at, KEYFRAME) <= now.at);
    let grown = text.strip_prefix(run.text.as_str()).filter(|_| !replaces && !is_due);
    let (offset, piece) = match grown {
        Some(piece) => (utf16_len(&run.text), piece.to_owned()),
        None => (0, text.clone()),
    };
    run.text = text;
    run.has_tail = offset != 0;
    if offset == 0 {
        run.keyframe_at = Some(now.at);
        observed.touch_run(id);
    }
    delta(observed, id, offset, &piece)
}

/// When the text of a stream that fell silent is due as a whole.
pub(crate) fn keyframe_due(run: &OpenRun) -> Option<Instant> {
    run.keyframe_at.filter(|_| run.has_tail).map(|at| later(at, KEYFRAME))
}

/// The whole text of a stream.
pub(super) fn keyframe(observed: &mut Observed, id: &str, now: Now) -> Option<Output> {
    let run = observed.runs.get_mut(id)?;
    run.has_tail = false;
    run.keyframe_at = Some(now.at);
    let text = run.text.clone();
    observed.touch_run(id);
    delta(observed, id, 0, &text)
}

fn delta(observed: &Observed, id: &str, offset: u64, text: &str) -> Option<Output> {
    let conversation = observed.conversation(&observed.runs.get(id)?.session);
    let data = json!({"runId": observed.names.entity(id), "offset": offset, "text": text});
    Some(Output::Signal(Signal { kind: "message.delta", conversation, data }))
}

/// The signal that says what a run is doing, when that is news.
pub(super) fn progress(observed: &mut Observed, id: &str, progress: Progress) -> Option<Output> {
    let run = observed.runs.get_mut(id).filter(|run| run.progress.as_ref() != Some(&progress))?;
    let session = run.session.clone();
    let Progress { phase, tool, title } = &progress;
    let data = json!({"runId": observed.names.entity(id), "phase": phase, "tool": tool, "title": title});
    let conversation = observed.names.conversation(&session);
    run.progress = Some(progress);
    Some(Output::Signal(Signal { kind: "run.progress", conversation, data: without_nulls(data) }))
}

pub(super) fn event(
    observed: &Observed,
    kind: &'static str,
    seat: Seat<'_>,
    wall: UnixMillis,
    data: Value,
) -> Publish {
    Publish {
        kind,
        subject: observed.names.entity(seat.run),
        conversation: Some(observed.conversation(seat.session)),
        caused_by: observed.sent.contains_key(seat.run).then(|| seat.run.to_owned()),
        observed_at: Some(wall),
        data,
    }
}

const TOO_MANY: &str = "more runs are open than a bridge follows";
/// Code of a run whose end nobody knows.
pub(super) const LOST: &str = "lost";
/// Time between keyframes of a stream.
const KEYFRAME: Duration = Duration::from_secs(2);
