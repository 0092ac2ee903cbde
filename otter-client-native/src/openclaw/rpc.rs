//! Requests the bridge makes of a gateway, and what comes back.

use std::time::Duration;

use serde_json::{Value, json};

use crate::openclaw::ids::SessionKey;
use crate::openclaw::json::Fields;

/// Names a request on the wire; never used twice by one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RpcId(pub u64);

/// The payload of a response, or why there is none.
pub type RpcResult = Result<Value, RpcError>;

/// A request. Each side effect carries the idempotency key under which it may be sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RpcCall {
    /// The agents of the gateway.
    AgentsList,
    /// Turns on the session events of this connection.
    SessionsSubscribe,
    /// One page of session rows, newest first.
    SessionsList {
        /// Rows to skip.
        offset: u64,
        /// Rows to return.
        limit: u64,
    },
    /// The newest rows of a transcript.
    ChatHistory {
        /// The session.
        session: SessionKey,
        /// Rows to return, at most 1,000.
        limit: u64,
        /// Characters after which a row is cut, at most 500,000.
        max_chars: u64,
        /// Newer rows to skip.
        offset: Option<u64>,
    },
    /// One row of a transcript as a whole.
    ChatMessage {
        /// The session.
        session: SessionKey,
        /// Id of the row.
        id: String,
    },
    /// Says something to an agent, steering a run that is under way.
    ChatSend {
        /// The session.
        session: SessionKey,
        /// What to say.
        message: String,
        /// Idempotency key and run id of the turn.
        key: String,
    },
    /// Stops one run.
    ChatAbort {
        /// The session.
        session: SessionKey,
        /// The gateway's id of the run.
        run: String,
    },
    /// Empties a session. Needs the right `admin`.
    SessionsReset {
        /// The session.
        session: SessionKey,
    },
    /// The newest tasks.
    TasksList {
        /// Rows to return, at most 500.
        limit: u64,
    },
    /// The newest runs of scheduled jobs.
    CronRuns {
        /// Rows to return.
        limit: u64,
    },
    /// The newest feed items, from the feed plugin.
    FeedList,
    /// The approvals that wait.
    ApprovalList,
    /// What became of approvals, newest first.
    ApprovalHistory {
        /// Items to return, at most 100.
        limit: u64,
        /// Where the page before this one ended.
        cursor: Option<String>,
    },
    /// Answers an approval of a command; the same answer again is taken, too.
    ExecApprovalResolve {
        /// The gateway's id of the approval.
        id: String,
        /// The answer.
        decision: String,
    },
    /// Answers an approval of another kind; the first answer wins.
    ApprovalResolve {
        /// The gateway's id of the approval.
        id: String,
        /// The gateway's word for what is approved.
        kind: String,
        /// The answer.
        decision: String,
    },
}

impl RpcCall {
    /// Name of the method.
    #[must_use]
    pub fn method(&self) -> &'static str {
        match self {
            Self::AgentsList => "agents.list",
            Self::SessionsSubscribe => "sessions.subscribe",
            Self::SessionsList { .. } => "sessions.list",
            Self::ChatHistory { .. } => "chat.history",
            Self::ChatMessage { .. } => "chat.message.get",
            Self::ChatSend { .. } => "chat.send",
            Self::ChatAbort { .. } => "chat.abort",
            Self::SessionsReset { .. } => "sessions.reset",
            Self::TasksList { .. } => "tasks.list",
            Self::CronRuns { .. } => "cron.runs",
            Self::FeedList => FEED_LIST,
            Self::ApprovalList => "exec.approval.list",
            Self::ApprovalHistory { .. } => "approval.history",
            Self::ExecApprovalResolve { .. } => "exec.approval.resolve",
            Self::ApprovalResolve { .. } => "approval.resolve",
        }
    }

    /// Parameters as the gateway wants them.
    #[must_use]
    pub fn params(&self) -> Value {
        match self {
            Self::AgentsList | Self::SessionsSubscribe | Self::ApprovalList | Self::FeedList => json!({}),
            Self::SessionsList { offset, limit } => {
                json!({"limit": limit, "offset": offset, "includeDerivedTitles": true})
            }
            Self::ChatHistory { session, limit, max_chars, offset } => {
                let params = json!({"sessionKey": session.as_str(), "limit": limit, "maxChars": max_chars});
                with("offset", offset.map(Value::from), params)
            }
            Self::ChatMessage { session, id } => json!({"sessionKey": session.as_str(), "messageId": id}),
            Self::ChatSend { session, message, key } => json!({
                "sessionKey": session.as_str(),
                "message": message,
                "idempotencyKey": key,
                "queueMode": "steer",
            }),
            Self::ChatAbort { session, run } => json!({"sessionKey": session.as_str(), "runId": run}),
            Self::SessionsReset { session } => json!({"key": session.as_str(), "reason": "reset"}),
            Self::ApprovalHistory { limit, cursor } => {
                with("cursor", cursor.clone().map(Value::from), json!({"limit": limit}))
            }
            Self::TasksList { limit } | Self::CronRuns { limit } => json!({"limit": limit}),
            Self::ExecApprovalResolve { id, decision } => json!({"id": id, "decision": decision}),
            Self::ApprovalResolve { id, kind, decision } => {
                json!({"id": id, "kind": kind, "decision": decision})
            }
        }
    }
}

/// Adds a parameter that is there only sometimes: gateways refuse null.
fn with(name: &str, value: Option<Value>, mut params: Value) -> Value {
    if let Some(value) = value {
        params[name] = value;
    }
    params
}

/// The method of the feed plugin that lists its items; a gateway that has it has the plugin.
pub const FEED_LIST: &str = "otter.feed.list";

/// Why a request has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RpcError {
    /// The gateway refused it.
    #[error("{message}")]
    Refused {
        /// The gateway's error code, such as `INVALID_REQUEST`.
        code: String,
        /// The gateway's words.
        message: String,
        /// Whether the gateway says that trying again can help.
        retryable: bool,
        /// The pause the gateway asks for.
        retry_after: Option<Duration>,
        /// Further fields, different for each error.
        details: Value,
    },
    /// No answer came in time; the request may have been carried out.
    #[error("the gateway did not answer in time")]
    Timeout,
    /// The connection ended first; the request may have been carried out.
    #[error("the connection to the gateway ended before its answer")]
    Disconnected,
}

impl RpcError {
    /// Reads the `error` field of a response frame.
    pub(crate) fn from_wire(error: &Value) -> Self {
        let details = error.field("details");
        let retry_after = error.int("retryAfterMs").or_else(|| details.int("retryAfterMs"));
        Self::Refused {
            code: error.owned("code").unwrap_or_else(|| "UNKNOWN".into()),
            message: error.owned("message").unwrap_or_else(|| "the gateway gave no reason".into()),
            retryable: error.flag("retryable").unwrap_or(false) || error.text("code") == Some("UNAVAILABLE"),
            retry_after: retry_after.map(Duration::from_millis),
            details: details.clone(),
        }
    }

    /// The finest code the gateway gave, such as `MISSING_SCOPE` or `INVALID_REQUEST`.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Refused { code, details, .. } => details.text("code").unwrap_or(code),
            Self::Timeout => "TIMEOUT",
            Self::Disconnected => "DISCONNECTED",
        }
    }

    /// Whether the gateway may have carried the request out although no result came.
    #[must_use]
    pub fn is_uncertain(&self) -> bool {
        matches!(self, Self::Timeout | Self::Disconnected)
    }
}
