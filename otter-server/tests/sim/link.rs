//! One WebSocket between a client and the hub: in order in each direction, slow, and breakable.

use crate::rng::Rng;

/// Names a socket; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LinkId(pub(crate) u64);

/// How a link behaves at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weather {
    /// Everything arrives.
    Fine,
    /// Nothing arrives any more, and nobody is told.
    Blackhole,
}

/// A link.
#[derive(Debug)]
pub(crate) struct Link {
    /// The index of its client.
    pub(crate) client: usize,
    /// Whether anything still arrives.
    pub(crate) weather: Weather,
    slowest_ms: u64,
    up_at: u64,
    down_at: u64,
}

impl Link {
    pub(crate) fn new(client: usize, slowest_ms: u64) -> Self {
        Self { client, weather: Weather::Fine, slowest_ms, up_at: 0, down_at: 0 }
    }

    /// When something sent now towards the hub arrives; `None` when it never does.
    pub(crate) fn up(&mut self, now: u64, rng: &mut Rng) -> Option<u64> {
        self.up_at = self.up_at.max(now + rng.range(1, self.slowest_ms));
        (self.weather == Weather::Fine).then_some(self.up_at)
    }

    /// When something sent now towards the client arrives; `None` when it never does.
    pub(crate) fn down(&mut self, now: u64, rng: &mut Rng) -> Option<u64> {
        self.down_at = self.down_at.max(now + rng.range(1, self.slowest_ms));
        (self.weather == Weather::Fine).then_some(self.down_at)
    }
}
