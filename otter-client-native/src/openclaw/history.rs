//! Transcript rows, live and from history, read by one reader and judged by one filter.

use serde_json::Value;

use crate::openclaw::ids::SessionKey;
use crate::openclaw::json::Fields as _;
use crate::openclaw::observed::{Observed, Position};
use crate::openclaw::text;
use crate::openclaw::time::UnixMillis;

/// One transcript row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) kind: RowKind,
    /// What may be shown of it.
    pub(crate) text: String,
    /// The gateway's id of the run it belongs to.
    pub(crate) run: String,
    /// Its idempotency key, suffix included.
    pub(crate) key: Option<String>,
    pub(crate) raw_seq: Option<u64>,
    pub(crate) at: Option<UnixMillis>,
    pub(crate) truncated: bool,
    pub(crate) usage: Value,
    pub(crate) model: Option<String>,
    /// The gateway's own prompt that takes up a turn which a restart cut off.
    pub(crate) resumes: bool,
}

/// What a transcript row is to people.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RowKind {
    /// Someone said something to the agent.
    Prompt {
        /// Who, as the gateway names them; none when the gateway itself did.
        sender: Option<String>,
        /// The gateway's id of the run that took it while it was under way.
        into_run: Option<String>,
    },
    /// The agent said something.
    Answer {
        stop: Option<String>,
        aborted: bool,
        /// Written without a prompt of its own: heartbeats and announcements.
        turn_boundary: bool,
    },
    /// The context was emptied or shortened here.
    Marker(Mark),
    /// Tool traffic and the like.
    Other,
}

/// What happened to a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Reset,
    Compaction,
}

impl Row {
    /// Reads a row; `id` is its id where the message itself does not carry one.
    pub(crate) fn read(message: &Value, id: Option<&str>) -> Option<Self> {
        let meta = message.field("__openclaw");
        let id = meta.text("id").or(id)?.to_owned();
        let key = message.text("idempotencyKey").or_else(|| meta.text("idempotencyKey")).map(str::to_owned);
        let run =
            meta.owned("runId").or_else(|| key.as_deref().map(run_of_key)).unwrap_or(format!("inject-{id}"));
        let (content, is_plain) = text::content(message);
        let provenance = message.field("provenance");
        let internal = provenance.text("kind") == Some("internal_system");
        let resumes = internal && provenance.text("sourceTool") == Some(RESUMES);
        let kind = match message.text("role") {
            Some("user") => prompt(meta, internal),
            // Prompts of scheduled jobs may carry the role of the agent.
            Some("assistant") if is_plain => prompt(meta, true),
            Some("assistant") => RowKind::Answer {
                stop: message.owned("stopReason"),
                aborted: message.field("openclawAbort").flag("aborted") == Some(true),
                turn_boundary: meta.flag("turnBoundary") == Some(true),
            },
            Some("system") => match meta.text("kind") {
                Some("reset") => RowKind::Marker(Mark::Reset),
                Some("compaction") => RowKind::Marker(Mark::Compaction),
                _ => RowKind::Other,
            },
            _ => RowKind::Other,
        };
        Some(Self {
            kind,
            text: text::visible(&content),
            raw_seq: meta.field("transcriptPosition").int("rawSeq"),
            at: message.int("timestamp").or_else(|| meta.int("recordTimestampMs")).map(UnixMillis),
            truncated: meta.flag("truncated") == Some(true),
            usage: message.field("usage").clone(),
            model: message.owned("model").filter(|model| model != "gateway-injected"),
            resumes,
            id,
            run,
            key,
        })
    }

    /// Whether people may see this row. Every path from the transcript asks here.
    pub(crate) fn is_shown(&self, observed: &Observed) -> bool {
        if self.text.trim().is_empty() || observed.is_hidden(&self.run) {
            return false;
        }
        match &self.kind {
            RowKind::Prompt { .. } | RowKind::Marker(_) => true,
            RowKind::Answer { stop, turn_boundary, .. } => {
                let announced =
                    !turn_boundary || observed.is_known(&self.run) || self.run.starts_with("announce:");
                announced && stop.as_deref() != Some("error")
            }
            RowKind::Other => false,
        }
    }

    /// Whether an agent began a turn with this row, and not the gateway one that it takes up.
    pub(crate) fn begins_turn(&self) -> bool {
        !self.resumes && matches!(self.kind, RowKind::Prompt { into_run: None, .. })
    }

    /// Entity rest of a prompt: the key under which it was sent, else the row id.
    pub(crate) fn prompt_rest(&self) -> &str {
        self.key.as_deref().unwrap_or(&self.id)
    }

    /// The id under which someone sent this prompt.
    pub(crate) fn sent_key(&self) -> Option<&str> {
        self.key.as_deref()?.strip_suffix(":user")
    }
}

/// What `chat.history` answered.
#[derive(Clone, Debug)]
pub(crate) struct History {
    pub(crate) session: SessionKey,
    pub(crate) session_id: Option<String>,
    /// Oldest first.
    pub(crate) rows: Vec<Row>,
    pub(crate) in_flight: Option<InFlight>,
    pub(crate) pending: Vec<PendingInput>,
    /// The session row that came with it.
    pub(crate) info: Value,
    /// Whether older rows were left out.
    pub(crate) has_more: bool,
    /// Where the hole begins, when rows between those known and these were not read.
    pub(crate) hole: Option<u64>,
    /// Results of tool calls.
    pub(crate) results: Vec<ToolResult>,
}

/// The result of a tool call, as the transcript has it.
#[derive(Clone, Debug)]
pub(crate) struct ToolResult {
    /// The gateway's id of the run.
    pub(crate) run: String,
    /// When the agent asked for it.
    pub(crate) asked_at: Option<UnixMillis>,
    pub(crate) row: Value,
}

/// The run that the gateway calls in flight.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct InFlight {
    pub(crate) run: String,
    pub(crate) text: String,
    pub(crate) started_at: Option<UnixMillis>,
}

/// A message that waits for its turn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PendingInput {
    pub(crate) run: String,
    pub(crate) cancelled: bool,
}

/// How the transcript says a run ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RunEnd {
    Completed,
    Aborted,
    Failed(String),
}

impl History {
    pub(crate) fn read(session: &SessionKey, payload: &Value) -> Self {
        let in_flight = payload.field("inFlightRun");
        Self {
            session: session.clone(),
            session_id: payload.owned("sessionId"),
            rows: payload.items("messages").iter().filter_map(|message| Row::read(message, None)).collect(),
            in_flight: in_flight.owned("runId").map(|run| InFlight {
                run,
                text: text::streamable(in_flight.text("text").unwrap_or_default()),
                started_at: in_flight.int("startedAt").map(UnixMillis),
            }),
            pending: payload.field("pendingInputs").items("items").iter().filter_map(pending).collect(),
            info: payload.field("sessionInfo").clone(),
            has_more: payload.flag("hasMore") == Some(true),
            hole: None,
            results: results(payload.items("messages")),
        }
    }

    /// Whether the gateway may be at work on this run, as far as this answer tells.
    pub(crate) fn is_active(&self, run: &str) -> bool {
        self.info.flag("hasActiveRun") == Some(true) || self.names(run)
    }

    /// Whether this answer names the run among those under way.
    pub(crate) fn names(&self, run: &str) -> bool {
        self.info.items("activeRunIds").iter().any(|id| id.as_str() == Some(run))
            || self.in_flight.as_ref().is_some_and(|in_flight| in_flight.run == run)
    }

    pub(crate) fn rows_of<'a>(&'a self, run: &'a str) -> impl DoubleEndedIterator<Item = &'a Row> {
        self.rows.iter().filter(move |row| row.run == run && matches!(row.kind, RowKind::Answer { .. }))
    }

    /// The answer of a run as its final would have said it.
    pub(crate) fn answer(&self, run: &str) -> String {
        let alone = format!("{run}:assistant");
        if let Some(row) = self.rows_of(run).find(|row| row.key.as_deref() == Some(&alone)) {
            return row.text.trim_end().to_owned();
        }
        let failed =
            |row: &&Row| matches!(&row.kind, RowKind::Answer { stop: Some(stop), .. } if stop == "error");
        let texts: Vec<&str> =
            self.rows_of(run).filter(|row| !failed(row)).map(|row| row.text.trim_end()).collect();
        texts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n")
    }

    /// How the run ended, when the rows show an end.
    pub(crate) fn end(&self, run: &str) -> Option<RunEnd> {
        let mut end = None;
        for row in self.rows_of(run) {
            let RowKind::Answer { stop, aborted, .. } = &row.kind else { continue };
            end = match stop.as_deref() {
                _ if *aborted => return Some(RunEnd::Aborted),
                Some("error") => return Some(RunEnd::Failed(row.text.clone())),
                Some("stop" | "length" | "endTurn" | "end_turn") if !row.text.trim().is_empty() => {
                    Some(RunEnd::Completed)
                }
                _ => None,
            };
        }
        end
    }

    /// Whether all rows of a run are here: its prompt is, or a row of something else stands before its first.
    pub(crate) fn is_whole(&self, run: &str) -> bool {
        let is_steered = |row: &&Row| {
            let RowKind::Prompt { into_run: Some(into), .. } = &row.kind else { return false };
            into == run
        };
        let mut before = self.rows.iter().filter(|row| !is_steered(row));
        !self.has_more || before.next().is_some_and(|first| first.run != run || first.sent_key() == Some(run))
    }

    /// The last place where a context was emptied or shortened.
    pub(crate) fn last_marker(&self) -> Option<u64> {
        let markers = self.rows.iter().filter(|row| matches!(row.kind, RowKind::Marker(_)));
        markers.filter_map(|row| row.raw_seq).max()
    }

    /// The last place in the transcript that this answer covers.
    pub(crate) fn position(&self) -> Option<Position> {
        let raw_seq = self.rows.iter().filter_map(|row| row.raw_seq).max()?;
        Some(Position { session_id: self.session_id.clone()?, raw_seq })
    }
}

fn results(messages: &[Value]) -> Vec<ToolResult> {
    let has_call = |message: &Value, call: &str| {
        message
            .items("content")
            .iter()
            .any(|part| part.text("type") == Some("toolCall") && part.text("id") == Some(call))
    };
    let read = |row: &Value| {
        let call = row.text("toolCallId").filter(|_| row.text("role") == Some("toolResult"))?;
        let asked = messages.iter().find(|message| has_call(message, call));
        let asked_at = asked.and_then(|message| message.int("timestamp")).map(UnixMillis);
        Some(ToolResult { run: row.field("__openclaw").owned("runId")?, asked_at, row: row.clone() })
    };
    messages.iter().filter_map(read).collect()
}

fn prompt(meta: &Value, internal: bool) -> RowKind {
    let client = meta.field("transport").items("clients").first();
    let names =
        [meta.text("senderName"), meta.text("senderUsername"), client.and_then(|c| c.text("displayName"))];
    let sender = meta.text("senderId").filter(|_| !internal);
    RowKind::Prompt {
        sender: sender.map(|id| names.into_iter().flatten().next().unwrap_or(id).to_owned()),
        into_run: meta.owned("steerTargetRunId"),
    }
}

fn pending(item: &Value) -> Option<PendingInput> {
    Some(PendingInput { run: item.owned("runId")?, cancelled: item.text("state") == Some("cancelled") })
}

/// In whose name the gateway takes up what its restart cut off.
const RESUMES: &str = "main_session_restart_recovery";

fn run_of_key(key: &str) -> String {
    let suffixes = [":user", ":assistant", ":terminal-error"];
    suffixes.iter().find_map(|suffix| key.strip_suffix(suffix)).unwrap_or(key).to_owned()
}
