//! What was seen of a session, and what became of messages that people sent.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::openclaw::ids::SessionKey;
use crate::openclaw::observed::Dispatched;

/// What was published about a session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct SessionSeen {
    pub(crate) agent: Option<String>,
    /// `data` of the last session.upserted.
    pub(crate) session: Option<Value>,
    /// `data` of the last conversation event.
    pub(crate) conversation: Option<Value>,
    pub(crate) archived: bool,
    /// The gateway's clock when it made the newest row seen.
    pub(crate) snapshot_at: u64,
    pub(crate) activity_at: u64,
    /// Rows up to here have been published.
    pub(crate) position: Option<Position>,
    /// Marks of resets and compactions up to this row have been published.
    pub(crate) marker: Option<u64>,
    /// Whether rows of a running turn were left out of an import.
    pub(crate) import_pending: bool,
    /// Prompts that came cut and whose whole text was not read yet, oldest first.
    pub(crate) cut: Vec<Cut>,
}

impl SessionSeen {
    /// Whether rows after the position may be missing, so that it must not move on.
    pub(crate) fn has_gap(&self) -> bool {
        self.import_pending || !self.cut.is_empty()
    }

    /// Notes a prompt that came cut. Of too many, only the history tells the rest.
    pub(crate) fn note_cut(&mut self, cut: Cut) {
        if self.cut.len() >= MAX_CUT {
            self.import_pending = true;
        } else if !self.cut.contains(&cut) {
            self.cut.push(cut);
        }
    }
}

/// A prompt that came cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Cut {
    /// Id of its row.
    pub(crate) id: String,
    pub(crate) at: Position,
}

const MAX_CUT: usize = 64;

/// A place in a transcript.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Position {
    pub(crate) session_id: String,
    pub(crate) raw_seq: u64,
}

/// A message that a command sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sent {
    pub(crate) session: SessionKey,
    /// `author` as the hub wrote it into the message.
    pub(crate) author: Option<Value>,
    pub(crate) delivery: Delivery,
    /// Boot of the gateway that was asked.
    #[serde(default)]
    pub(crate) boot: Option<String>,
    /// Whether its command ended without the gateway's word that it took it.
    #[serde(default)]
    pub(crate) given_up: bool,
    /// The gateway's id of the run that it was steered into.
    pub(crate) into_run: Option<String>,
    /// The person's task that it carries.
    #[serde(default)]
    pub(crate) task: Option<Dispatched>,
}

/// How far a message has come; it never goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Delivery {
    Pending,
    Taken,
    Queued,
    Delivered,
    Failed,
}

impl Delivery {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Taken => "taken",
            Self::Queued => "queued",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}
