//! What `otter-bridge doctor` looks at, in words for the person who runs the bridge.

mod gateway;
mod hub;

use std::fmt;

pub use gateway::look_at_gateway;
pub use hub::look_at_hub;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub subject: &'static str,
    /// Whether it works.
    pub works: bool,
    /// What was found, and what to do about it.
    pub words: String,
}

impl Finding {
    /// Something that works.
    pub fn good(subject: &'static str, words: impl Into<String>) -> Self {
        Self { subject, works: true, words: words.into() }
    }

    /// Something that does not.
    pub fn bad(subject: &'static str, words: impl Into<String>) -> Self {
        Self { subject, works: false, words: words.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.works { "ok  " } else { "FAIL" };
        write!(f, "{mark} {:<8} {}", self.subject, self.words)
    }
}
