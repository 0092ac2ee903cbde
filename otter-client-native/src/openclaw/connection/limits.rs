//! How long the dialogue waits for what.

use std::time::Duration;

/// How long one attempt may take in each of its steps. A gateway whose event loop is blocked answers late, and
/// every further attempt would add to its load.
pub(super) const PATIENCE: Duration = Duration::from_mins(2);
/// A step that takes longer is shown as a gateway that wakes up.
pub(super) const SLOW: Duration = Duration::from_secs(5);
/// Silence after which a link is given up, until the gateway has said how often it ticks.
pub(super) const SILENCE: Duration = Duration::from_mins(1);
/// A link that lasted this long starts its retries from the shortest pause.
pub(super) const STABLE: Duration = Duration::from_secs(30);
/// Pause between looks at a pairing; an earlier attempt would replace the request that someone is approving.
pub(super) const PAIRING_PAUSE: Duration = Duration::from_secs(30);
pub(super) const REFUSED_PAUSE: Duration = Duration::from_secs(150);
pub(super) const REFUSALS: usize = 5;
pub(super) const REFUSAL_WINDOW: Duration = Duration::from_mins(10);
/// Longest pause while a gateway starts, which takes it a minute on a slow machine, or while nothing listens there,
/// which an attempt burdens least of all.
pub(super) const WAKING_PAUSE: Duration = Duration::from_secs(5);
