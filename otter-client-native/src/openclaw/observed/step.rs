//! Tool calls of an open run that were not published yet.

use serde::{Deserialize, Serialize};

use crate::openclaw::time::{Instant, UnixMillis};

/// A tool call that has begun. Two frames tell its end: the item's, and for commands that of their output.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct OpenStep {
    pub(crate) name: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) started_at: Option<UnixMillis>,
    pub(crate) item: Option<ItemEnd>,
    pub(crate) output: Option<OutputEnd>,
    /// When to publish it without the frame that is missing.
    #[serde(skip)]
    pub(crate) due_at: Option<Instant>,
}

/// What the end of the item told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ItemEnd {
    pub(crate) status: String,
    pub(crate) error: Option<String>,
    pub(crate) ended_at: Option<UnixMillis>,
}

/// What the end of the output told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OutputEnd {
    pub(crate) status: Option<String>,
    /// The head of the output, cut between characters.
    pub(crate) head: String,
    pub(crate) is_cut: bool,
    pub(crate) exit_code: Option<i64>,
    pub(crate) duration_ms: Option<u64>,
    /// Folder of the command, to take it out of what people see.
    pub(crate) cwd: Option<String>,
}
