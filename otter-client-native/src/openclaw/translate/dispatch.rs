//! Tasks of people that a message carried to an agent: moved by what becomes of their run.

use otter_proto::id::EntityId;
use serde_json::{Value, json};

use crate::openclaw::observed::{DispatchState, Observed};
use crate::openclaw::time::{Now, UnixMillis};
use crate::openclaw::translate::run::{End, LOST};
use crate::openclaw::translate::{Publish, head_of_chars};

/// A run has begun: an agent works on the task.
pub(super) fn begun(observed: &Observed, run: &str, at: UnixMillis, now: Now) -> Vec<Publish> {
    let data = json!({
        "status": "inProgress",
        "runId": observed.names.entity(run),
        "startedAt": observed.corrected(at),
        "summary": null,
        "endedAt": null,
    });
    let works = observed.dispatched_to(run).into_iter();
    works.map(|(command, task)| moved(&command, task, data.clone(), now)).collect()
}

/// A run has ended, and with it the work on the task.
pub(super) fn ended(
    observed: &mut Observed,
    run: &str,
    (end, text): (&End, &str),
    at: UnixMillis,
    now: Now,
) -> Vec<Publish> {
    let data = outcome(observed, run, (end, text), at);
    let is_lost = matches!(end, End::Failed { code: Some(LOST), .. });
    let state = if is_lost { DispatchState::Lost } else { DispatchState::Ended };
    let mut events = Vec::new();
    for (command, task) in observed.dispatched_to(run) {
        observed.move_dispatch(&command, state);
        events.push(moved(&command, task, data.clone(), now));
    }
    events
}

/// What the end of a run says about the task that it worked on.
fn outcome(observed: &Observed, run: &str, (end, text): (&End, &str), at: UnixMillis) -> Value {
    let said = Some(text.trim()).filter(|text| !text.is_empty());
    let (status, summary) = match end {
        // Who is done without a word has to be looked after.
        End::Completed => (if said.is_some() { "done" } else { "review" }, said),
        End::Aborted => ("cancelled", said),
        // The gateway may go on with it by itself; until then somebody has to look at what was done.
        End::Failed { code: Some(LOST), .. } => ("review", Some(WENT_DOWN)),
        End::Failed { message, .. } => ("failed", Some(message.as_str())),
    };
    json!({
        "status": status,
        "runId": observed.names.entity(run),
        "summary": summary.map(|text| head_of_chars(text, MAX_SUMMARY)),
        "endedAt": at,
    })
}

/// The gateway took the turn of this message up again by itself, which was lost with an earlier boot.
pub(super) fn taken_up(observed: &mut Observed, turn: &str, run: &str, now: Now) -> Vec<Publish> {
    let data = json!({"status": "inProgress", "runId": observed.names.entity(run), "summary": null, "endedAt": null});
    let works = observed.take_up(turn, run).into_iter();
    works.map(|(command, task)| moved(&command, task, data.clone(), now)).collect()
}

/// The turn of this message was lost, taken up by another run, and is over with that one.
pub(super) fn over(
    observed: &mut Observed,
    turn: &str,
    run: &str,
    end: (&End, &str),
    at: UnixMillis,
    now: Now,
) -> Vec<Publish> {
    let data = outcome(observed, run, end, at);
    let mut events = Vec::new();
    for (command, task) in observed.lost_with(turn, run) {
        observed.move_dispatch(&command, DispatchState::Ended);
        events.push(moved(&command, task, data.clone(), now));
    }
    events
}

/// The message that carried the task never reached the agent.
pub(super) fn undelivered(observed: &mut Observed, command: &str, reason: &str, now: Now) -> Option<Publish> {
    let link = observed.sent.get(command)?.task.as_ref().filter(|link| link.state != DispatchState::Ended)?;
    let task = link.task.clone();
    observed.move_dispatch(command, DispatchState::Ended);
    let summary = format!("The message did not reach the agent: {reason}.");
    let data = json!({"status": "failed", "summary": head_of_chars(&summary, MAX_SUMMARY), "endedAt": observed.wall(now)});
    Some(moved(command, task, data, now))
}

fn moved(command: &str, task: EntityId, data: Value, now: Now) -> Publish {
    Publish {
        kind: "task.upserted",
        subject: task,
        conversation: None,
        caused_by: Some(command.to_owned()),
        observed_at: Some(now.wall),
        data,
    }
}

const WENT_DOWN: &str = "The gateway was restarted during the work on this.";
const MAX_SUMMARY: usize = 1_000;
