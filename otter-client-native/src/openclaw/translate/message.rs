//! `session.message` frames: what people and the gateway itself said to an agent.

use serde_json::{Value, json};

use crate::openclaw::history::{Mark, Row, RowKind};
use crate::openclaw::ids::SessionKey;
use crate::openclaw::json::Fields as _;
use crate::openclaw::observed::{Cut, Delivery, Observed, Position, SessionSeen};
use crate::openclaw::time::{Now, UnixMillis};
use crate::openclaw::translate::run::Seat;
use crate::openclaw::translate::{Output, Publish, Want, dispatch, grouped, org, session, without_nulls};

pub(super) fn translate(observed: &mut Observed, payload: &Value, now: Now) -> Vec<Output> {
    let Some(key) = payload.text("sessionKey") else { return Vec::new() };
    let Some(row) = Row::read(payload.field("message"), payload.text("messageId")) else { return Vec::new() };
    let key = SessionKey::new(key);
    let place = place(&row, payload.text("sessionId"));
    let is_new = !place.as_ref().is_some_and(|place| is_covered(observed, &key, place));
    let is_cut = is_new && row.truncated && matches!(row.kind, RowKind::Prompt { .. });
    if let Some(at) = place.filter(|_| is_new) {
        if is_cut {
            observed.session(&key).note_cut(Cut { id: row.id.clone(), at });
        } else {
            advance(observed, &key, at);
        }
    }
    match row.kind {
        RowKind::Answer { .. } => {
            if let Some(run) = observed.runs.get_mut(&row.run) {
                run.usage.add(&row.usage);
            }
            Vec::new()
        }
        RowKind::Prompt { .. } if is_cut => vec![Output::Rpc(Want::Message(key, row.id))],
        RowKind::Prompt { .. } => {
            let mut events = session::touch(observed, &key, payload.text("agentId"), now);
            events.extend(prompt(observed, &key, &row, None, now).filter(|_| is_new));
            events.extend(delivered(observed, &row, now));
            if let Some(turn) = observed.last_turn(&key).filter(|_| row.resumes) {
                events.extend(dispatch::taken_up(observed, &turn, &row.run, now));
            }
            grouped(events)
        }
        // Marks are read with the history, which a change of the session row asks for.
        RowKind::Marker(_) | RowKind::Other => Vec::new(),
    }
}

/// Publishes a prompt that was read as a whole because its frame had it cut; none when the answer has no message.
pub(crate) fn full_message(
    observed: &mut Observed,
    key: &SessionKey,
    id: &str,
    message: &Value,
    now: Now,
) -> Option<Vec<Output>> {
    if !observed.uploads(key) {
        return Some(Vec::new());
    }
    let row = Row::read(message, Some(id))?;
    observed.session(key).cut.retain(|cut| cut.id != id);
    let mut events = session::touch(observed, key, None, now);
    events.extend(prompt(observed, key, &row, None, now));
    events.extend(delivered(observed, &row, now));
    Some(grouped(events))
}

/// The message of a prompt, placed when it is told late.
pub(super) fn prompt(
    observed: &Observed,
    key: &SessionKey,
    row: &Row,
    placed: Option<(UnixMillis, Option<String>)>,
    now: Now,
) -> Option<Publish> {
    let RowKind::Prompt { sender, .. } = &row.kind else { return None };
    if !row.is_shown(observed) {
        return None;
    }
    let command = row.sent_key().filter(|sent| observed.sent.contains_key(*sent));
    let sent = command.and_then(|command| observed.sent.get(command));
    let author = match (sent.and_then(|sent| sent.author.clone()), sender) {
        (Some(author), _) => author,
        (None, Some(name)) => json!({"type": "external", "name": name}),
        (None, None) => json!({"type": "system"}),
    };
    let is_internal = sent.is_none() && sender.is_none();
    let (sent_at, after) = placed.unzip();
    let data = without_nulls(json!({
        "conversationId": observed.conversation(key),
        "author": author,
        "text": row.text,
        "status": "complete",
        "internal": is_internal.then_some(true),
        "commandId": command,
        "sentAt": sent_at,
        "after": after.flatten(),
    }));
    Some(Publish {
        kind: "message.created",
        subject: observed.names.entity(row.prompt_rest()),
        conversation: Some(observed.conversation(key)),
        caused_by: command.map(str::to_owned),
        observed_at: Some(now.wall),
        data,
    })
}

/// A line in the conversation where its context was emptied or shortened, and the compaction of its session.
pub(super) fn marker(
    observed: &Observed,
    key: &SessionKey,
    row: &Row,
    (mark, after): (Mark, Option<String>),
    now: Now,
) -> Vec<Publish> {
    let at = row.at.map_or_else(|| observed.wall(now), |at| observed.corrected(at));
    let text = match mark {
        Mark::Reset => RESET,
        Mark::Compaction => COMPACTED,
    };
    let mut events = vec![line(observed, key, (&row.id, text), (at, after), now)];
    if mark == Mark::Compaction {
        let session = observed.session_entity(key);
        events.push(org("session.compacted", session, now.wall, json!({"compactedAt": at})));
    }
    events
}

/// A line in the conversation where rows that nobody saw were not read: those after `known`, up to `next`.
pub(super) fn hole(observed: &Observed, key: &SessionKey, known: &Position, next: &Row, now: Now) -> Publish {
    let at = next.at.map_or_else(|| observed.wall(now), |at| observed.corrected(at));
    let id = format!("gap:{}:{}", known.session_id, known.raw_seq);
    line(observed, key, (&id, MISSING), (at, None), now)
}

fn line(
    observed: &Observed,
    key: &SessionKey,
    (id, text): (&str, &str),
    (at, after): (UnixMillis, Option<String>),
    now: Now,
) -> Publish {
    let data = without_nulls(json!({
        "conversationId": observed.conversation(key),
        "author": {"type": "system"},
        "text": text,
        "status": "complete",
        "sentAt": at,
        "after": after,
    }));
    Publish {
        kind: "message.created",
        subject: observed.names.marker(key, id),
        conversation: Some(observed.conversation(key)),
        caused_by: None,
        observed_at: Some(now.wall),
        data,
    }
}

/// The row of a message that we sent is there: it was delivered, perhaps into a run that was under way.
pub(super) fn delivered(observed: &mut Observed, row: &Row, now: Now) -> Option<Publish> {
    let RowKind::Prompt { into_run, .. } = &row.kind else { return None };
    delivery(observed, row.sent_key()?, Delivery::Delivered, into_run.as_deref(), now)
}

/// The turn of a message ended without a run of its own.
pub(super) fn settled(observed: &mut Observed, seat: Seat<'_>, now: Now) -> Vec<Publish> {
    let Some(message) = observed.sent.get(seat.run) else { return Vec::new() };
    if message.delivery < Delivery::Delivered {
        return delivery(observed, seat.run, Delivery::Queued, None, now).into_iter().collect();
    }
    let others = observed.runs_of(seat.session);
    let [into_run] = others.as_slice() else { return Vec::new() };
    delivery(observed, seat.run, Delivery::Delivered, Some(into_run), now).into_iter().collect()
}

/// A message that never reached the agent.
pub(crate) fn failed_delivery(
    observed: &mut Observed,
    command: &str,
    reason: &str,
    now: Now,
) -> Vec<Publish> {
    let waiting = observed.sent.get_mut(command).filter(|sent| sent.delivery < Delivery::Delivered);
    let Some(sent) = waiting else { return Vec::new() };
    sent.delivery = Delivery::Failed;
    observed.touch_sent(command);
    let delivery = json!({"state": Delivery::Failed.as_str(), "reason": reason});
    let message = change(observed, command, &delivery, now);
    let task = dispatch::undelivered(observed, command, reason, now);
    message.into_iter().chain(task).collect()
}

/// A message got further; nothing when it already was there.
pub(crate) fn delivery(
    observed: &mut Observed,
    command: &str,
    state: Delivery,
    into_run: Option<&str>,
    now: Now,
) -> Option<Publish> {
    let sent = observed.sent.get_mut(command)?;
    let is_further = sent.delivery < state;
    let is_news = into_run.is_some() && sent.into_run.as_deref() != into_run && sent.delivery <= state;
    if !is_further && !is_news {
        return None;
    }
    sent.delivery = state;
    sent.into_run = into_run.map(str::to_owned).or(sent.into_run.take());
    let into = sent.into_run.clone().map(|run| observed.names.entity(&run));
    observed.touch_sent(command);
    change(observed, command, &without_nulls(json!({"state": state.as_str(), "intoRun": into})), now)
}

fn change(observed: &Observed, command: &str, delivery: &Value, now: Now) -> Option<Publish> {
    let sent = observed.sent.get(command)?;
    Some(Publish {
        kind: "message.deliveryChanged",
        subject: observed.names.prompt(command),
        conversation: Some(observed.conversation(&sent.session)),
        caused_by: Some(command.to_owned()),
        observed_at: Some(now.wall),
        data: json!({"delivery": delivery}),
    })
}

/// Where a row stands, when the gateway says so.
fn place(row: &Row, session_id: Option<&str>) -> Option<Position> {
    Some(Position { session_id: session_id?.to_owned(), raw_seq: row.raw_seq? })
}

fn is_covered(observed: &Observed, key: &SessionKey, place: &Position) -> bool {
    let position = observed.sessions.get(key).and_then(|seen| seen.position.as_ref());
    position.is_some_and(|known| known.session_id == place.session_id && known.raw_seq >= place.raw_seq)
}

/// Moves the position of a session, unless rows before this one may be missing.
fn advance(observed: &mut Observed, key: &SessionKey, place: Position) {
    if !observed.catching_up && !observed.sessions.get(key).is_some_and(SessionSeen::has_gap) {
        observed.session(key).position = Some(place);
    }
}

const MISSING: &str = "Messages are missing here: more was said while the bridge was away than it reads back. The gateway has them.";
const RESET: &str = "The session was reset: the agent starts over without what was said before.";
const COMPACTED: &str =
    "The context was compacted: the agent goes on with a summary of what was said before.";
