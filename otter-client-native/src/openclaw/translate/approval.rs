//! Approvals: shown while the gateway waits for one, ended only by the gateway's record.

use serde_json::{Value, json};

use crate::openclaw::ids::SessionKey;
use crate::openclaw::json::Fields as _;
use crate::openclaw::observed::{ApprovalEnd, ApprovalOutcome, ApprovalSeen, Observed};
use crate::openclaw::time::{Now, UnixMillis};
use crate::openclaw::translate::{EXCLUDED, Output, Publish, Want, org, session, without_nulls};

/// `exec.approval.requested`.
pub(super) fn requested(observed: &mut Observed, payload: &Value, now: Now) -> Vec<Output> {
    group(ask(observed, payload, now))
}

/// `exec.approval.resolved`. Without a decision only the record says what came of it.
pub(super) fn resolved(observed: &mut Observed, payload: &Value, now: Now) -> Vec<Output> {
    let Some(id) = payload.text("id") else { return Vec::new() };
    let key = payload.field("request").text("sessionKey").map(SessionKey::new);
    if !observed.may_leave(key.as_ref()) {
        return Vec::new();
    }
    let Some(decision) = payload.text("decision") else { return vec![Output::Rpc(Want::Approvals)] };
    let mut resolver = payload.owned("resolvedBy");
    let mut reason = None;
    let outcome = if decision != DENY {
        ApprovalOutcome::Allowed
    } else if resolver.as_deref() == Some(SCOPE_CLOSED) {
        // Nobody denied it: the run that waited was stopped. The gateway's history calls it so.
        (resolver, reason) = (None, Some(RUN_ABORTED.to_owned()));
        ApprovalOutcome::Cancelled
    } else {
        ApprovalOutcome::Denied
    };
    let decision = (outcome != ApprovalOutcome::Cancelled).then(|| decision.to_owned());
    let record = Record { end: ApprovalEnd { outcome, decision }, resolver, reason, at: at(payload, "ts") };
    group(end(observed, id, record, now).map(|event| vec![event]))
}

/// Publishes those of the gateway's list that are new, and ends those that nobody may see any more.
pub(crate) fn approvals(observed: &mut Observed, rows: &[Value], now: Now) -> Vec<Output> {
    let mut outputs = Vec::new();
    for row in rows {
        let key = row.field("request").text("sessionKey").map(SessionKey::new);
        let known = row.text("id").filter(|id| observed.approvals.contains_key(*id));
        outputs.extend(match known.filter(|_| !observed.may_leave(key.as_ref())) {
            Some(id) => group(end(observed, id, Record::excluded(), now).map(|event| vec![event])),
            None => group(ask(observed, row, now)),
        });
    }
    outputs
}

/// Ends approvals that the gateway does not list any more, as its history says; one that it does not have is
/// forgotten. With `all`, what the history knows of others is said, too.
pub(crate) fn forgotten(
    observed: &mut Observed,
    history: &[Value],
    missing: &[String],
    all: bool,
    now: Now,
) -> Vec<Output> {
    let mut events = Vec::new();
    for item in history {
        let Some(id) = item.text("id") else { continue };
        let key = item.field("source").text("sessionKey").map(SessionKey::new);
        let is_asked = missing.iter().any(|missing| missing == id);
        let record = if observed.may_leave(key.as_ref()) {
            record(item).filter(|_| is_asked || all)
        } else {
            is_asked.then(Record::excluded)
        };
        events.extend(record.and_then(|record| end(observed, id, record, now)));
    }
    for id in missing.iter().filter(|id| !history.iter().any(|item| item.text("id") == Some(id))) {
        events.extend(end(observed, id, Record::forgotten(), now));
    }
    if events.is_empty() { Vec::new() } else { vec![Output::Publish(events)] }
}

/// Publishes what the history says of one approval: its end, or that it is forgotten. Nothing while it still waits.
pub(crate) fn approval_end(
    observed: &mut Observed,
    id: &str,
    history: &[Value],
    now: Now,
) -> (Option<Publish>, Option<ApprovalEnd>) {
    let item = history.iter().find(|item| item.text("id") == Some(id));
    let record = item.map_or(Some(Record::forgotten()), record);
    let said = record.as_ref().map(|record| record.end.clone());
    (record.and_then(|record| end(observed, id, record, now)), said)
}

/// What the gateway accepted from us, as its record will have it.
pub(crate) fn accepted(observed: &mut Observed, id: &str, decision: &str, now: Now) -> Option<Publish> {
    let outcome = if decision == DENY { ApprovalOutcome::Denied } else { ApprovalOutcome::Allowed };
    let end_ = ApprovalEnd { outcome, decision: Some(decision.to_owned()) };
    end(observed, id, Record { end: end_, resolver: None, reason: None, at: None }, now)
}

/// An end as the gateway tells it.
struct Record {
    end: ApprovalEnd,
    resolver: Option<String>,
    reason: Option<String>,
    at: Option<UnixMillis>,
}

impl Record {
    /// The session that waits for it was taken out of everybody's sight.
    fn excluded() -> Self {
        let end = ApprovalEnd { outcome: ApprovalOutcome::Cancelled, decision: None };
        Self { end, resolver: None, reason: Some(EXCLUDED.to_owned()), at: None }
    }

    fn forgotten() -> Self {
        let end = ApprovalEnd { outcome: ApprovalOutcome::Expired, decision: None };
        Self { end, resolver: None, reason: None, at: None }
    }
}

/// Reads an item of `approval.history`; none while it waits.
fn record(item: &Value) -> Option<Record> {
    let outcome = match item.text("status")? {
        "allowed" => ApprovalOutcome::Allowed,
        "denied" => ApprovalOutcome::Denied,
        "cancelled" => ApprovalOutcome::Cancelled,
        "expired" => ApprovalOutcome::Expired,
        _ => return None,
    };
    let resolver = item.field("resolver");
    Some(Record {
        end: ApprovalEnd { outcome, decision: item.owned("decision") },
        resolver: resolver.owned("id").filter(|_| resolver.text("kind") != Some("system")),
        reason: item.owned("reason"),
        at: at(item, "resolvedAtMs"),
    })
}

fn ask(observed: &mut Observed, row: &Value, now: Now) -> Option<Vec<Publish>> {
    let (id, request) = (row.text("id")?, row.field("request"));
    let key = request.text("sessionKey").map(SessionKey::new);
    let is_known = observed.approvals.contains_key(id);
    if is_known || !observed.shows_approvals || !observed.may_leave(key.as_ref()) {
        return None;
    }
    let agent = request.text("agentId");
    let touched = key.as_ref().map(|key| session::touch(observed, key, agent, now));
    let run = request.text("runId").filter(|run| !observed.is_hidden(run));
    let command = request.text("command").or_else(|| request.text("title")).unwrap_or(NO_COMMAND);
    let shown = show(command, request);
    let data = without_nulls(json!({
        "instanceId": observed.instance(),
        "conversationId": key.as_ref().map(|key| observed.conversation(key)),
        "runId": run.map(|run| observed.names.entity(run)),
        "agentId": agent.map(|agent| observed.names.entity(agent)),
        "command": shown.command,
        "host": request.text("host"),
        "warning": shown.warning,
        "state": "pending",
        "allowedDecisions": shown.decisions,
        "requestedAt": observed.corrected(at(row, "createdAtMs").unwrap_or(now.wall)),
        "expiresAt": at(row, "expiresAtMs").map(|at| observed.corrected(at)),
    }));
    let seen = ApprovalSeen {
        kind: row.owned("approvalKind").unwrap_or_else(|| "exec".into()),
        run: request.owned("runId"),
        tool_call: request.owned("toolCallId"),
        asked: None,
        end: None,
        seen_at: now.wall,
    };
    observed.note_approval(id, seen, now);
    let mut events = touched.unwrap_or_default();
    events.push(org("approval.requested", observed.names.entity(id), now.wall, data));
    Some(events)
}

/// What people see of a request.
struct Shown {
    command: String,
    warning: Option<String>,
    decisions: Vec<String>,
}

/// A command that cannot be shown whole, or not as it is, may only be denied here: nobody allows what they cannot see.
fn show(command: &str, request: &Value) -> Shown {
    let head = head(command, MAX_COMMAND);
    let (is_cut, is_veiled) = (head.len() < command.len(), command.chars().any(is_unseen));
    let allowed = request.items("allowedDecisions").iter().filter_map(Value::as_str);
    let mut decisions: Vec<String> =
        allowed.filter(|word| DECISIONS.contains(word)).map(str::to_owned).collect();
    if decisions.is_empty() {
        decisions = vec!["allow-once".into(), DENY.into()];
    }
    if is_cut || is_veiled {
        decisions = vec![DENY.into()];
    }
    let analysis = request.field("commandAnalysis").items("warningLines");
    let notes = [is_cut.then_some(IS_CUT), is_veiled.then_some(IS_VEILED), request.text("warningText")];
    let lines: Vec<&str> =
        notes.into_iter().flatten().chain(analysis.iter().filter_map(Value::as_str)).collect();
    let warning = lines.join("\n");
    let warning = self::head(&warning, MAX_WARNING).to_owned();
    Shown {
        command: if is_veiled { unveiled(head) } else { head.to_owned() },
        warning: Some(warning).filter(|warning| !warning.is_empty()),
        decisions,
    }
}

/// Characters that change what a text looks like without being seen: controls, and marks of writing direction.
fn is_unseen(char: char) -> bool {
    let is_mark = matches!(char, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    is_mark || char.is_control() && !matches!(char, '\n' | '\t' | '\r')
}

fn unveiled(text: &str) -> String {
    let show = |char: char| if is_unseen(char) { char.escape_unicode().to_string() } else { char.into() };
    let shown: String = text.chars().map(show).collect();
    head(&shown, MAX_COMMAND).to_owned()
}

/// The longest start of `text` that takes at most `limit` bytes as JSON.
fn head(text: &str, limit: usize) -> &str {
    let mut bytes = 0;
    let fits = |char: char| {
        bytes += match char {
            '"' | '\\' | '\n' | '\t' | '\r' => 2,
            char if char.is_control() => 6,
            char => char.len_utf8(),
        };
        bytes <= limit
    };
    let mut fits = fits;
    text.char_indices()
        .find(|(_, char)| !fits(*char))
        .map_or(text, |(at, _)| text.get(..at).unwrap_or_default())
}

fn end(observed: &mut Observed, id: &str, record: Record, now: Now) -> Option<Publish> {
    let was_asked = observed.approvals.get(id).and_then(|seen| seen.asked.clone());
    let Record { end, resolver, reason, at } = record;
    if !observed.end_approval(id, end.clone(), now) {
        return None;
    }
    observed.watch_approvals(now);
    let resolved_at = at.map_or_else(|| observed.wall(now), |at| observed.corrected(at));
    let outcome = match end.outcome {
        ApprovalOutcome::Allowed => "allowed",
        ApprovalOutcome::Denied => "denied",
        ApprovalOutcome::Cancelled => "cancelled",
        ApprovalOutcome::Expired => {
            let data = json!({"state": "expired", "resolvedAt": resolved_at});
            return Some(org("approval.expired", observed.names.entity(id), now.wall, data));
        }
    };
    // The gateway knows every decision of this bridge under the bridge's own name; who it was, the hub knows.
    let resolver = resolver.filter(|_| was_asked.is_none() || was_asked != end.decision);
    let data = without_nulls(json!({
        "state": "resolved",
        "outcome": outcome,
        "decision": end.decision.filter(|word| DECISIONS.contains(&word.as_str())),
        "resolvedBy": resolver,
        "reason": reason,
        "resolvedAt": resolved_at,
    }));
    Some(org("approval.resolved", observed.names.entity(id), now.wall, data))
}

fn at(value: &Value, field: &str) -> Option<UnixMillis> {
    value.int(field).map(UnixMillis)
}

fn group(events: Option<Vec<Publish>>) -> Vec<Output> {
    events.map(Output::Publish).into_iter().collect()
}

const DENY: &str = "deny";
const DECISIONS: [&str; 3] = ["allow-once", "allow-always", DENY];
/// In whose name the gateway denies what a stopped run waited for.
const SCOPE_CLOSED: &str = "approval-scope-closed";
const RUN_ABORTED: &str = "run-aborted";
const NO_COMMAND: &str = "(the gateway names no command)";
const IS_CUT: &str = "The command is too long to be shown whole, so it can only be denied here.";
const IS_VEILED: &str = "The command has characters that do not show, so it can only be denied here.";
/// As JSON; leaves room for the other fields below the 8 KiB of an entity.
const MAX_COMMAND: usize = 6 << 10;
const MAX_WARNING: usize = 1 << 10;
