//! `chat` frames: the text of runs and their one terminal.

use serde_json::Value;

use crate::openclaw::ids::SessionKey;
use crate::openclaw::json::Fields as _;
use crate::openclaw::observed::{Delivery, Observed, Progress};
use crate::openclaw::text;
use crate::openclaw::time::{Now, UnixMillis};
use crate::openclaw::translate::run::{self, End, Ending, Seat};
use crate::openclaw::translate::{Output, dispatch, message, session};

pub(super) fn translate(observed: &mut Observed, payload: &Value, now: Now) -> Vec<Output> {
    let (Some(id), Some(key)) = (payload.text("runId"), payload.text("sessionKey")) else {
        return Vec::new();
    };
    if observed.is_hidden(id) || observed.is_closed(id) {
        return Vec::new();
    }
    let session = SessionKey::new(key);
    let seat = Seat { run: id, session: &session, agent: payload.text("agentId") };
    match payload.text("state") {
        Some("status") => {
            let phase = payload.text("phase").unwrap_or("working").to_owned();
            run::progress(observed, id, Progress { phase, tool: None, title: None }).into_iter().collect()
        }
        Some("delta") => delta(observed, seat, payload, now),
        Some("final") => group(complete(observed, seat, payload, now)),
        Some("aborted") => group(aborted(observed, seat, payload, now)),
        Some("error") => group(failed(observed, seat, payload, now)),
        _ => Vec::new(),
    }
}

fn group(events: Vec<crate::openclaw::translate::Publish>) -> Vec<Output> {
    if events.is_empty() { Vec::new() } else { vec![Output::Publish(events)] }
}

fn delta(observed: &mut Observed, seat: Seat<'_>, payload: &Value, now: Now) -> Vec<Output> {
    let mut outputs = group(run::start(observed, seat, None, now));
    let (content, _) = text::content(payload.field("message"));
    let replaces = payload.flag("replace") == Some(true);
    outputs.extend(run::stream(observed, seat.run, text::streamable(&content), replaces, now));
    outputs
}

fn complete(
    observed: &mut Observed,
    seat: Seat<'_>,
    payload: &Value,
    now: Now,
) -> Vec<crate::openclaw::translate::Publish> {
    let ending = ending(observed, seat, payload, End::Completed);
    if observed.runs.contains_key(seat.run) {
        return run::end(observed, seat, ending, now);
    }
    if ending.text.trim().is_empty() {
        // The turn was taken into another one, or waits for its turn.
        return message::settled(observed, seat, now);
    }
    // A command of the gateway or a note of an operator: said without a run.
    let mut events = session::touch(observed, seat.session, seat.agent, now);
    events.push(run::answer(observed, seat, &ending, false, now.wall));
    observed.close(seat.run);
    let at = observed.wall(now);
    events.extend(dispatch::ended(observed, seat.run, (&ending.end, &ending.text), at, now));
    events
}

fn aborted(
    observed: &mut Observed,
    seat: Seat<'_>,
    payload: &Value,
    now: Now,
) -> Vec<crate::openclaw::translate::Publish> {
    if observed.runs.contains_key(seat.run) {
        let ending = ending(observed, seat, payload, End::Aborted);
        return run::end(observed, seat, ending, now);
    }
    let reason = if payload.text("stopReason") == Some("superseded") { "superseded" } else { "cancelled" };
    message::failed_delivery(observed, seat.run, reason, now)
}

fn failed(
    observed: &mut Observed,
    seat: Seat<'_>,
    payload: &Value,
    now: Now,
) -> Vec<crate::openclaw::translate::Publish> {
    let message = payload.text("errorMessage").unwrap_or("the run failed").to_owned();
    // A run that fails before its first frame is shown too: nobody else would say why there is no answer.
    let mut events = run::start(observed, seat, None, now);
    let undelivered = observed.sent.get(seat.run).is_some_and(|sent| sent.delivery < Delivery::Taken);
    if undelivered {
        events.extend(message::failed_delivery(observed, seat.run, &message, now));
    }
    let ending = ending(observed, seat, payload, End::Failed { code: None, message });
    events.extend(run::end(observed, seat, ending, now));
    events
}

/// The end as the frame tells it; text that was shown stays when the frame brings none.
fn ending(observed: &Observed, seat: Seat<'_>, payload: &Value, end: End) -> Ending {
    let said = payload.field("message");
    let mut text = text::visible(&text::content(said).0);
    if text.trim().is_empty() {
        text = observed.runs.get(seat.run).map(|run| run.text.clone()).unwrap_or_default();
    }
    Ending { end, text, at: said.int("timestamp").map(UnixMillis), placed: None }
}
