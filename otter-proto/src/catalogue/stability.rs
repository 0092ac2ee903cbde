//! How long a name of the catalogue stays: see docs/versioning.md.

/// What a release promises about a kind, entity type, command or signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stability {
    /// It stays as it is for the whole of v1.
    Stable,
    /// It may change or go with any release; only for peers that named its capability.
    Experimental,
}

impl Stability {
    /// The word in the catalogue.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Experimental => "experimental",
        }
    }
}

/// A name that is not to be used any more. It goes on working for the whole of v1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deprecation {
    /// The kind, entity type, command or signal.
    pub name: &'static str,
    /// The release it was deprecated in.
    pub since: &'static str,
    /// What to use instead.
    pub instead: &'static str,
}

/// Names that may still change.
const EXPERIMENTAL: &[&str] = &[];

/// Names that are not to be used any more.
const DEPRECATED: &[Deprecation] = &[];

/// What is promised about a name.
pub fn stability(name: &str) -> Stability {
    if EXPERIMENTAL.contains(&name) { Stability::Experimental } else { Stability::Stable }
}

/// What to use instead of a name, when it is deprecated.
pub fn deprecation(name: &str) -> Option<Deprecation> {
    DEPRECATED.iter().find(|row| row.name == name).copied()
}
