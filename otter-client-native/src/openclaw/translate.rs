//! From gateway frames to Otter's events and signals.
//!
//! [`translate`] says each thing once as far as it remembers; where it cannot remember, entity ids made from gateway
//! facts let the hub drop the repetition.

mod activity;
mod agent;
mod approval;
mod chat;
mod descent;
mod dispatch;
mod feed;
mod message;
mod recovery;
mod run;
mod session;
mod step;
mod task;

use std::collections::BTreeSet;

use otter_proto::id::{ConversationId, EntityId};
use serde_json::Value;

use crate::openclaw::frame::GatewayEvent;
use crate::openclaw::ids::SessionKey;
use crate::openclaw::json::Fields as _;
use crate::openclaw::observed::{Observed, OpenRun};
use crate::openclaw::time::{Now, UnixMillis, later};

pub(crate) use activity::jobs;
pub(crate) use approval::{accepted, approval_end, approvals, forgotten};
pub(crate) use feed::feed;
pub(crate) use message::{delivery, failed_delivery, full_message};
pub(crate) use recovery::history;
pub(crate) use run::keyframe_due;
pub(crate) use session::{agents, rows, session_ended};
pub(crate) use task::tasks;

/// What a frame leads to.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Events that have to reach the outbox in one local transaction, in this order.
    Publish(Vec<Publish>),
    /// Something ephemeral.
    Signal(Signal),
    /// Something that has to be read from the gateway, see [`Attachment`](crate::openclaw::Attachment).
    Rpc(Want),
}

/// A durable event without its id.
#[derive(Clone, Debug, PartialEq)]
pub struct Publish {
    /// Kind of the catalogue.
    pub kind: &'static str,
    /// The entity it is about.
    pub subject: EntityId,
    /// The conversation that names the scope, for kinds that live in one.
    pub conversation: Option<ConversationId>,
    /// The command that caused it.
    pub caused_by: Option<String>,
    /// When it was seen, by this machine's clock.
    pub observed_at: Option<UnixMillis>,
    /// The payload of the kind.
    pub data: Value,
}

/// An ephemeral notice in a conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    /// Kind of the catalogue.
    pub kind: &'static str,
    /// The conversation it belongs to.
    pub conversation: ConversationId,
    /// The payload of the kind.
    pub data: Value,
}

/// Something to read from the gateway.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Want {
    /// The agents.
    Agents,
    /// All session rows, to see which are gone.
    Sessions,
    /// The approvals that wait, to see which are gone.
    Approvals,
    /// The tasks, to see which are gone.
    Tasks,
    /// The newest runs of scheduled jobs.
    Jobs,
    /// The newest feed items.
    Feed,
    /// The end of a transcript, to end runs that said nothing and to publish rows that were missed.
    History(SessionKey),
    /// A row that came cut.
    Message(SessionKey, String),
}

/// Translates one event frame.
#[must_use]
pub fn translate(observed: &mut Observed, event: &GatewayEvent, now: Now) -> Vec<Output> {
    let payload = &event.payload;
    let mut outputs = descent::translate(observed, event, now);
    if payload.text("sessionKey").is_some_and(|key| !observed.uploads(&SessionKey::new(key))) {
        return outputs;
    }
    outputs.extend(match event.name.as_str() {
        "chat" => chat::translate(observed, payload, now),
        "agent" => agent::translate(observed, payload, now),
        "session.message" => message::translate(observed, payload, now),
        "sessions.changed" => session::translate(observed, payload, now),
        "exec.approval.requested" => approval::requested(observed, payload, now),
        "exec.approval.resolved" => approval::resolved(observed, payload, now),
        "session.tool" => step::spawned(observed, payload),
        "task" => task::translate(observed, payload, now),
        "cron" => activity::translate(observed, payload, now),
        "plugin.otter.feed" => feed::translate(observed, payload, now),
        "health" => session::check_agents(observed, payload),
        _ => Vec::new(),
    });
    outputs
}

/// Looks after streams that fell silent and runs that may have ended without saying so.
#[must_use]
pub fn handle_timeout(observed: &mut Observed, now: Now) -> Vec<Output> {
    let due = |run: &&mut OpenRun| run.check_at.is_some_and(|at| at <= now.at);
    let mut sessions: Vec<SessionKey> = Vec::new();
    for run in observed.runs.values_mut().filter(due) {
        run.check_at = Some(later(now.at, RECHECK));
        sessions.push(run.session.clone());
    }
    sessions.sort();
    sessions.dedup();
    let silent = |(_, run): &(&String, &OpenRun)| keyframe_due(run).is_some_and(|at| at <= now.at);
    let silent: Vec<String> = observed.runs.iter().filter(silent).map(|(id, _)| id.clone()).collect();
    let keyframes = silent.iter().filter_map(|id| run::keyframe(observed, id, now));
    let mut outputs: Vec<Output> = keyframes.collect();
    outputs.extend(session::release(observed, now));
    outputs.extend(step::overdue(observed, now));
    if observed.take_due_approvals(now) {
        outputs.push(Output::Rpc(Want::Approvals));
    }
    outputs.extend(sessions.into_iter().map(|session| Output::Rpc(Want::History(session))));
    outputs
}

/// The whole text of every stream and what each run is doing, for a hub that may have forgotten it.
#[must_use]
pub fn handle_forgotten(observed: &mut Observed, now: Now) -> Vec<Output> {
    let runs: Vec<String> = observed.runs.keys().cloned().collect();
    let restate = |id: &String| {
        let progress = observed.runs.get_mut(id).and_then(|run| run.progress.take());
        // The store may know less of a text than the hub: after a restart it comes from the gateway first.
        let is_known = |run: &OpenRun| run.keyframe_at.is_some() && !run.text.is_empty();
        let has_text = observed.runs.get(id).is_some_and(is_known);
        let text = if has_text { run::keyframe(observed, id, now) } else { None };
        [text, progress.and_then(|progress| run::progress(observed, id, progress))]
    };
    runs.iter().flat_map(restate).flatten().collect()
}

/// Forgets what was published, and tells of each run that is open that and where it began: the next attach tells the
/// rest anew.
#[must_use]
pub fn handle_restate(observed: &mut Observed, now: Now) -> Vec<Output> {
    let open = observed.runs.iter().filter(|(_, run)| observed.uploads(&run.session));
    let open: Vec<(String, SessionKey)> = open.map(|(id, run)| (id.clone(), run.session.clone())).collect();
    let places: BTreeSet<&SessionKey> = open.iter().map(|(_, session)| session).collect();
    let told = |key: &SessionKey| observed.sessions.get(key).and_then(|seen| seen.conversation.clone());
    let told: Vec<(SessionKey, Option<Value>)> =
        places.into_iter().map(|key| (key.clone(), told(key))).collect();
    observed.forget_published();
    let retold = |(key, told): (SessionKey, Option<Value>)| {
        told.map(|told| session::retold(observed, &key, told, now))
    };
    let mut events: Vec<Publish> = told.into_iter().filter_map(retold).collect();
    events.extend(open.iter().filter_map(|(id, _)| run::started(observed, id, now)));
    grouped(events)
}

/// Ends what is open in sessions that the policy excludes since they were uploaded, without a word of what was said
/// there.
#[must_use]
pub fn handle_excluded(observed: &mut Observed, now: Now) -> Vec<Output> {
    let is_excluded = |session: &SessionKey| !observed.uploads(session);
    let runs = observed.runs.iter().filter(|(_, run)| is_excluded(&run.session));
    let runs: Vec<String> = runs.map(|(id, _)| id.clone()).collect();
    let sent = observed.sent.iter().filter(|(_, sent)| is_excluded(&sent.session));
    let sent: Vec<String> = sent.map(|(id, _)| id.clone()).collect();
    let mut events = Vec::new();
    for run in runs {
        let how = run::End::Failed { code: Some(EXCLUDED), message: NOT_SHOWN.to_owned() };
        events.extend(run::silence(observed, &run, how, now));
    }
    for command in sent {
        events.extend(failed_delivery(observed, &command, EXCLUDED, now));
        events.extend(dispatch::undelivered(observed, &command, EXCLUDED, now));
    }
    grouped(events)
}

/// Why something of a session ended that is not shown any more.
const EXCLUDED: &str = "excluded";
const NOT_SHOWN: &str = "the policy of its machine does not show this session any more";

/// Pause before a look at a run that was found to go on.
const RECHECK: std::time::Duration = std::time::Duration::from_secs(30);

/// An event about something in the org scope.
fn org(kind: &'static str, subject: EntityId, at: UnixMillis, data: Value) -> Publish {
    Publish { kind, subject, conversation: None, caused_by: None, observed_at: Some(at), data }
}

/// The longest start of `text` of at most `limit` bytes; one that was cut ends in an ellipsis.
fn head(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(limit.saturating_sub('…'.len_utf8()));
    format!("{}…", text.get(..end).unwrap_or_default())
}

/// The same, counted in characters.
fn head_of_chars(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some(_) => text.chars().take(limit - 1).chain(['…']).collect(),
    }
}

/// One group of events, none when there are none.
fn grouped(events: Vec<Publish>) -> Vec<Output> {
    if events.is_empty() { Vec::new() } else { vec![Output::Publish(events)] }
}

/// Removes members that are null, for payloads in which absent and null differ.
fn without_nulls(mut data: Value) -> Value {
    if let Some(fields) = data.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    data
}
