//! A run that has begun and not ended.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::openclaw::ids::SessionKey;
use crate::openclaw::json::Fields as _;
use crate::openclaw::observed::OpenStep;
use crate::openclaw::time::{Instant, UnixMillis};

/// A run that has begun and not ended. What is stored is enough to end it with the text people saw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OpenRun {
    pub(crate) session: SessionKey,
    pub(crate) agent: Option<String>,
    /// Boot of the gateway that runs it.
    pub(crate) boot: Option<String>,
    pub(crate) started_at: UnixMillis,
    pub(crate) model: Option<String>,
    /// Text that was streamed, stored with each keyframe.
    pub(crate) text: String,
    /// When something was last heard of it.
    pub(crate) seen_at: UnixMillis,
    #[serde(default)]
    pub(crate) usage: Usage,
    /// When the whole text was last sent.
    #[serde(skip)]
    pub(crate) keyframe_at: Option<Instant>,
    /// Whether text was sent since then.
    #[serde(skip)]
    pub(crate) has_tail: bool,
    #[serde(skip)]
    pub(crate) progress: Option<Progress>,
    /// When to look whether it ended without saying so.
    #[serde(skip)]
    pub(crate) check_at: Option<Instant>,
    /// The gateway was asked to stop it and said that nothing runs.
    #[serde(default)]
    pub(crate) stop_refused: bool,
    /// The end that the lifecycle announced, in gateway time.
    #[serde(skip)]
    pub(crate) ended_at: Option<UnixMillis>,
    /// Tool calls that were not published yet, by the gateway's id.
    #[serde(default)]
    pub(crate) steps: BTreeMap<String, OpenStep>,
    /// Tool calls that were published, newest last: late frames must not begin them anew.
    #[serde(default)]
    pub(crate) told_steps: VecDeque<String>,
}

impl OpenRun {
    /// When a tool call has waited long enough for the rest of its end.
    pub(crate) fn step_due(&self) -> Option<Instant> {
        self.steps.values().filter_map(|step| step.due_at).min()
    }
}

/// What a run is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) phase: String,
    pub(crate) tool: Option<String>,
    pub(crate) title: Option<String>,
}

/// Tokens of a run, added up over its model calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Usage {
    pub(crate) input: u64,
    pub(crate) output: u64,
}

impl Usage {
    /// Adds what one transcript row says about its model call.
    pub(crate) fn add(&mut self, usage: &Value) {
        let read =
            ["input", "cacheRead", "cacheWrite"].iter().filter_map(|field| usage.int(field)).sum::<u64>();
        self.input = self.input.saturating_add(read);
        self.output = self.output.saturating_add(usage.int("output").unwrap_or_default());
    }

    /// The usage as it is published, none when nothing is known.
    pub(crate) fn to_json(self) -> Option<Value> {
        (self != Self::default()).then(|| json!({"input": self.input, "output": self.output}))
    }
}
