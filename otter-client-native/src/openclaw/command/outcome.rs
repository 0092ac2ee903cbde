//! What became of a command, as events.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::openclaw::command::JournalRow;
use crate::openclaw::ids::Names;
use crate::openclaw::observed::Observed;
use crate::openclaw::time::Now;
use crate::openclaw::translate::Publish;

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub(super) enum Outcome {
    Completed { result: Option<String> },
    Failed { code: String, message: String },
    Cancelled,
    Expired,
    Unknown,
}

impl Outcome {
    pub(super) fn refused(code: &str, message: &str) -> Self {
        Self::Failed { code: code.into(), message: message.into() }
    }

    /// The event that ends the command.
    pub(super) fn events(&self, row: &JournalRow, now: Now) -> Vec<Publish> {
        let data = match self {
            Self::Completed { result: None } => json!({"stage": "completed"}),
            Self::Completed { result: Some(result) } => json!({"stage": "completed", "result": result}),
            Self::Failed { code, message } => {
                json!({"stage": "failed", "error": {"code": code, "message": message}})
            }
            Self::Cancelled => json!({"stage": "cancelled"}),
            Self::Expired => json!({"stage": "expired"}),
            Self::Unknown => json!({"stage": "outcomeUnknown"}),
        };
        vec![update(row, data, now)]
    }

    /// Why a message did not reach its agent; none when it did or when nobody knows.
    pub(super) fn undelivered(&self) -> Option<String> {
        match self {
            Self::Completed { .. } | Self::Unknown => None,
            Self::Failed { message, .. } => Some(message.clone()),
            Self::Cancelled => Some("cancelled".into()),
            Self::Expired => Some("expired".into()),
        }
    }
}

/// The event that says the command has arrived.
pub(super) fn received(row: &JournalRow, now: Now) -> Publish {
    update(row, json!({"stage": "received"}), now)
}

/// The event that says a command which is done once was begun.
pub(super) fn started(row: &JournalRow, now: Now) -> Publish {
    update(row, json!({"stage": "started"}), now)
}

/// The event that says a message will not be delivered.
pub(super) fn undelivered(row: &JournalRow, observed: &Observed, reason: &str, now: Now) -> Option<Publish> {
    let said = row.verb.said()?;
    Some(Publish {
        kind: "message.deliveryChanged",
        subject: observed.names.prompt(row.id.as_str()),
        conversation: Some(said.conversation),
        caused_by: Some(row.id.to_string()),
        observed_at: Some(now.wall),
        data: json!({"delivery": {"state": "failed", "reason": reason}}),
    })
}

fn update(row: &JournalRow, data: Value, now: Now) -> Publish {
    Publish {
        kind: "command.updated",
        subject: Names::command(&row.id),
        conversation: None,
        caused_by: Some(row.id.to_string()),
        observed_at: Some(now.wall),
        data,
    }
}
