//! What history says: ends of runs that said nothing, messages that were missed, deliveries.

use crate::openclaw::history::{History, Mark, Row, RowKind, RunEnd};
use crate::openclaw::json::Fields as _;
use crate::openclaw::observed::{Delivery, Observed, Position, Sent};
use crate::openclaw::time::{Now, UnixMillis};
use crate::openclaw::translate::run::{self, End, Ending, Seat};
use crate::openclaw::translate::{Output, Publish, dispatch, message, session, step};

/// Publishes what a history read tells. `judged` are the runs that were open when the read was asked for: of a run
/// that began since, the answer says nothing.
pub(crate) fn history(
    observed: &mut Observed,
    history: &History,
    judged: &[String],
    now: Now,
) -> Vec<Output> {
    if !observed.uploads(&history.session) {
        return Vec::new();
    }
    let steps = step::recover(observed, history, now);
    let mut outputs: Vec<Output> =
        (!steps.is_empty()).then_some(Output::Publish(steps)).into_iter().collect();
    for run in judged {
        outputs.extend(judge(observed, history, run, now));
    }
    outputs.extend(unseen(observed, history, now));
    outputs.extend(adopt(observed, history, now));
    let mut events = import(observed, history, now);
    for row in &history.rows {
        events.extend(message::delivered(observed, row, now));
    }
    for pending in &history.pending {
        if pending.cancelled {
            events.extend(message::failed_delivery(observed, &pending.run, "cancelled", now));
        } else {
            events.extend(message::delivery(observed, &pending.run, Delivery::Queued, None, now));
        }
    }
    events.extend(lost_messages(observed, history, now));
    if !events.is_empty() {
        let mut group = session::touch(observed, &history.session, None, now);
        group.append(&mut events);
        outputs.push(Output::Publish(group));
    }
    outputs
}

/// Messages that an earlier boot of the gateway took and that its transcript does not have.
fn lost_messages(observed: &mut Observed, history: &History, now: Now) -> Vec<Publish> {
    let boot = observed.meta.boot.clone();
    let is_here = |key: &str| {
        history.rows.iter().any(|row| row.sent_key() == Some(key))
            || history.pending.iter().any(|p| p.run == key)
    };
    let is_lost = |(key, sent): &(&String, &Sent)| {
        let is_taken = matches!(sent.delivery, Delivery::Taken | Delivery::Queued);
        let has_restarted = sent.boot.is_some() && boot.is_some() && sent.boot != boot;
        sent.session == history.session && is_taken && has_restarted && !is_here(key)
    };
    let lost: Vec<String> = observed.sent.iter().filter(is_lost).map(|(key, _)| key.clone()).collect();
    lost.iter().flat_map(|key| message::failed_delivery(observed, key, "lost", now)).collect()
}

/// Turns that were taken up, and runs of handed tasks that began while nobody listened: these are told from their
/// beginning, because the task waits for their end.
fn unseen(observed: &mut Observed, history: &History, now: Now) -> Vec<Output> {
    let mut outputs = Vec::new();
    for (at, row) in history.rows.iter().enumerate().filter(|(_, row)| row.resumes) {
        let turn = turn_of(observed, history, at).filter(|_| !observed.is_hidden(&row.run));
        let Some(turn) = turn else { continue };
        let events = if observed.is_closed(&row.run) {
            over(observed, history, (&turn, &row.run), now)
        } else {
            dispatch::taken_up(observed, &turn, &row.run, now)
        };
        outputs.extend((!events.is_empty()).then_some(Output::Publish(events)));
    }
    for run in observed.awaited_runs(&history.session) {
        let prompt = history.rows.iter().find(|row| row.sent_key() == Some(&run));
        let Some(RowKind::Prompt { into_run: None, .. }) = prompt.map(|row| &row.kind) else { continue };
        let seat = Seat { run: &run, session: &history.session, agent: history.info.text("agentId") };
        let at = prompt.and_then(|row| row.at);
        outputs.push(Output::Publish(run::start(observed, seat, at, now)));
        outputs.extend(judge(observed, history, &run, now));
    }
    outputs
}

/// The message whose turn the gateway's own prompt at `at` takes up, unless a later one takes it up once more.
fn turn_of(observed: &Observed, history: &History, at: usize) -> Option<String> {
    let (before, after) = (history.rows.get(..at)?, history.rows.get(at + 1..)?);
    if after.iter().take_while(|row| !row.begins_turn()).any(|row| row.resumes) {
        return None;
    }
    if let Some(turn) = before.iter().rev().find(|row| row.begins_turn()) {
        return turn.sent_key().map(str::to_owned);
    }
    // Of a long turn only the end was read: it is the last one that was seen, unless that one stands here.
    let is_here = |turn: &String| history.rows.iter().any(|row| row.sent_key() == Some(turn));
    observed.last_turn(&history.session).filter(|turn| history.has_more && !is_here(turn))
}

/// A turn that was taken up, told and over before anybody knew that its first run was lost: what was lost with that one
/// ends as this one did.
fn over(observed: &mut Observed, history: &History, (turn, run): (&str, &str), now: Now) -> Vec<Publish> {
    let end = match history.end(run) {
        Some(RunEnd::Completed) => End::Completed,
        Some(RunEnd::Aborted) => End::Aborted,
        Some(RunEnd::Failed(message)) => End::Failed { code: None, message },
        None => return Vec::new(),
    };
    let ended_at = history.rows_of(run).filter_map(|row| row.at).next_back();
    let ended_at = ended_at.map_or(observed.wall(now), |at| observed.corrected(at));
    dispatch::over(observed, turn, run, (&end, &history.answer(run)), ended_at, now)
}

/// Decides about one open run.
fn judge(observed: &mut Observed, history: &History, id: &str, now: Now) -> Vec<Output> {
    let Some(open) = observed.runs.get(id).filter(|run| run.session == history.session).cloned() else {
        return Vec::new();
    };
    let has_restarted = observed.is_of_earlier_boot(id);
    let is_active = if open.stop_refused { history.names(id) } else { history.is_active(id) };
    if !has_restarted && is_active {
        return catch_up(observed, history, id, now).into_iter().collect();
    }
    let end = match (history.end(id), has_restarted) {
        (Some(RunEnd::Completed), _) => End::Completed,
        (Some(RunEnd::Aborted), _) => End::Aborted,
        (Some(RunEnd::Failed(message)), _) => End::Failed { code: None, message },
        (None, true) => {
            End::Failed { code: Some(run::LOST), message: "the gateway was restarted during the run".into() }
        }
        (None, false) => match history.info.text("status") {
            Some("killed") => End::Aborted,
            Some("failed") => End::Failed { code: None, message: failure(history) },
            Some("timeout") => End::Failed { code: Some("timeout"), message: "the run took too long".into() },
            _ if open.stop_refused => End::Aborted,
            _ => End::Completed,
        },
    };
    let mut text = history.answer(id);
    if end != End::Completed && text.len() < open.text.len() || text.is_empty() {
        text.clone_from(&open.text);
    }
    let last = history.rows_of(id).filter_map(|row| row.at).next_back();
    let sent_at = last.map_or(open.seen_at, |at| observed.corrected(at));
    let prompt = history.rows.iter().find(|row| row.sent_key() == Some(id));
    let after = prompt.map(|row| observed.names.entity(row.prompt_rest()).to_string());
    let at = history.info.int("endedAt").map(UnixMillis).filter(|_| !has_restarted).or(last);
    let seat = Seat { run: id, session: &history.session, agent: None };
    let events = run::end(observed, seat, Ending { end, text, at, placed: Some((sent_at, after)) }, now);
    vec![Output::Publish(events)]
}

/// Sends the text of a run that goes on, when the gateway tells more than was streamed.
fn catch_up(observed: &mut Observed, history: &History, id: &str, now: Now) -> Option<Output> {
    let in_flight = history.in_flight.as_ref().filter(|in_flight| in_flight.run == id)?;
    let shown = observed.runs.get(id).map_or(0, |run| run.text.len());
    if in_flight.text.len() < shown {
        return None;
    }
    run::stream(observed, id, in_flight.text.clone(), true, now)
}

/// Takes up a run that began while nobody listened. Heartbeats are not marked here, so it needs the prompt of a
/// person; any other run is taken up by its next frame.
fn adopt(observed: &mut Observed, history: &History, now: Now) -> Vec<Output> {
    let Some(in_flight) = &history.in_flight else { return Vec::new() };
    let id = in_flight.run.as_str();
    let is_asked = |row: &Row| {
        row.sent_key() == Some(id) && matches!(row.kind, RowKind::Prompt { sender: Some(_), into_run: None })
    };
    let is_new = !observed.runs.contains_key(id) && !observed.is_closed(id) && !observed.is_hidden(id);
    if !is_new || !history.rows.iter().any(is_asked) {
        return Vec::new();
    }
    let seat = Seat { run: id, session: &history.session, agent: history.info.text("agentId") };
    let mut outputs = vec![Output::Publish(run::start(observed, seat, in_flight.started_at, now))];
    outputs.extend(run::stream(observed, id, in_flight.text.clone(), true, now));
    outputs
}

/// The messages of rows that were not published yet, each after the one before it.
fn import(observed: &mut Observed, history: &History, now: Now) -> Vec<Publish> {
    let known = observed.sessions.get(&history.session).and_then(|seen| seen.position.clone());
    let same = |position: &&Position| Some(&position.session_id) == history.session_id.as_ref();
    let covered = known.as_ref().filter(same).map(|position| position.raw_seq);
    let is_new =
        |row: &Row| row.raw_seq.is_none_or(|raw_seq| covered.is_none_or(|covered| raw_seq > covered));
    let (mut events, mut before, mut pending) = (Vec::new(), None, None);
    if let (Some(raw_seq), Some(first)) = (history.hole, history.rows.first()) {
        let session_id = history.session_id.clone().unwrap_or_default();
        let known = Position { session_id, raw_seq };
        let line = message::hole(observed, &history.session, &known, first, now);
        before = Some(line.subject.to_string());
        events.push(line);
    }
    for (index, row) in history.rows.iter().enumerate() {
        let placed = row.at.map(|at| (observed.corrected(at), before.clone()));
        let event = match row.kind {
            RowKind::Prompt { .. } => message::prompt(observed, &history.session, row, placed, now),
            RowKind::Answer { .. } if is_last_of_run(history, index) => {
                let goes_on = goes_on(observed, history, row);
                pending = pending.or_else(|| first_of_run(history, row).filter(|_| goes_on));
                (!goes_on).then(|| old_answer(observed, history, row, placed, now)).flatten()
            }
            RowKind::Marker(mark) => {
                events.extend(marker(observed, history, row, (mark, before.clone()), now));
                None
            }
            RowKind::Answer { .. } | RowKind::Other => None,
        };
        let Some(event) = event else { continue };
        before = Some(event.subject.to_string());
        events.extend(is_new(row).then_some(event));
    }
    let position = history.position();
    let seen = observed.session(&history.session);
    seen.marker = history.last_marker().max(seen.marker);
    seen.import_pending = pending.is_some();
    let is_later = |at: &Position| {
        position.as_ref().is_some_and(|end| end.session_id == at.session_id && end.raw_seq < at.raw_seq)
    };
    seen.cut.retain(|cut| is_later(&cut.at));
    // Rows of a run that goes on are read again after its end, so the position stays before them.
    let end = |raw_seq: u64| {
        pending.map_or(raw_seq, |first| raw_seq.min(first.saturating_sub(1)).max(covered.unwrap_or_default()))
    };
    if let Some(position) = position {
        seen.position = Some(Position { raw_seq: end(position.raw_seq), ..position });
    }
    events
}

/// Where the rows of the run of this row begin.
fn first_of_run(history: &History, row: &Row) -> Option<u64> {
    history.rows_of(&row.run).filter_map(|row| row.raw_seq).min()
}

/// A place where the context was emptied or shortened. Rows after it may have been seen live, so marks have a position
/// of their own.
fn marker(
    observed: &Observed,
    history: &History,
    row: &Row,
    (mark, after): (Mark, Option<String>),
    now: Now,
) -> Vec<Publish> {
    let told = observed.sessions.get(&history.session).and_then(|seen| seen.marker);
    if row.raw_seq.is_some_and(|raw_seq| told.is_some_and(|told| raw_seq <= told)) {
        return Vec::new();
    }
    message::marker(observed, &history.session, row, (mark, after), now)
}

/// The answer of a run that ended before anybody listened, or before that was forgotten.
fn old_answer(
    observed: &Observed,
    history: &History,
    row: &Row,
    placed: Option<(UnixMillis, Option<String>)>,
    now: Now,
) -> Option<Publish> {
    if observed.is_told(&row.run) || observed.runs.contains_key(&row.run) {
        return None;
    }
    if !history.is_whole(&row.run) {
        return None;
    }
    let text = history.answer(&row.run);
    let shown = history.rows_of(&row.run).any(|row| row.is_shown(observed));
    if text.trim().is_empty() || !shown {
        return None;
    }
    let end = match history.end(&row.run) {
        Some(RunEnd::Completed) => End::Completed,
        Some(RunEnd::Aborted) => End::Aborted,
        Some(RunEnd::Failed(message)) => End::Failed { code: None, message },
        None => End::Failed { code: None, message: String::new() },
    };
    let seat = Seat { run: &row.run, session: &history.session, agent: history.info.text("agentId") };
    Some(run::answer(observed, seat, &Ending { end, text, at: None, placed }, false, now.wall))
}

/// Whether the run of a row may still say more, so that its answer must wait.
fn goes_on(observed: &Observed, history: &History, row: &Row) -> bool {
    if observed.is_closed(&row.run) || observed.runs.contains_key(&row.run) {
        return false;
    }
    if history.info.flag("hasActiveRun") != Some(true) {
        return false;
    }
    let is_other = |other: &&Row| other.run != row.run && matches!(other.kind, RowKind::Answer { .. });
    let is_last = !history.rows.iter().rev().take_while(|other| *other != row).any(|other| is_other(&other));
    let may_continue = match history.end(&row.run) {
        None => true,
        // A message may have been taken into it after its last words.
        Some(RunEnd::Completed) => is_steered(history, row),
        Some(RunEnd::Aborted | RunEnd::Failed(_)) => false,
    };
    history.names(&row.run) || is_last && may_continue
}

fn is_steered(history: &History, row: &Row) -> bool {
    let into =
        |other: &Row| matches!(&other.kind, RowKind::Prompt { into_run: Some(run), .. } if *run == row.run);
    !history.pending.is_empty() || history.rows.iter().any(into)
}

fn is_last_of_run(history: &History, index: usize) -> bool {
    let Some(row) = history.rows.get(index) else { return false };
    let rest = history.rows.get(index + 1..).unwrap_or_default();
    !rest.iter().any(|other| other.run == row.run && matches!(other.kind, RowKind::Answer { .. }))
}

fn failure(history: &History) -> String {
    history.info.text("lastRunError").unwrap_or("the run failed").to_owned()
}
