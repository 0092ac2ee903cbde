//! What `otter-bridge doctor` looks at, in words for the person who runs the bridge.

mod facts;
mod gateway;
mod hub;

use std::fmt;

pub use facts::GatewayFacts;
pub use gateway::look_at_gateway;
pub use hub::look_at_hub;

/// How something that was looked at is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It works.
    Good,
    /// It works, with a limit that somebody may want to lift.
    Limited,
    /// It does not work.
    Bad,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub subject: &'static str,
    /// How it is.
    pub health: Health,
    /// What was found, and what to do about it.
    pub words: String,
}

impl Finding {
    /// Something that works.
    pub fn good(subject: &'static str, words: impl Into<String>) -> Self {
        Self { subject, health: Health::Good, words: words.into() }
    }

    /// Something that works with a limit.
    pub fn limited(subject: &'static str, words: impl Into<String>) -> Self {
        Self { subject, health: Health::Limited, words: words.into() }
    }

    /// Something that does not.
    pub fn bad(subject: &'static str, words: impl Into<String>) -> Self {
        Self { subject, health: Health::Bad, words: words.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.health {
            Health::Good => "ok  ",
            Health::Limited => "note",
            Health::Bad => "FAIL",
        };
        write!(f, "{mark} {:<8} {}", self.subject, self.words)
    }
}
