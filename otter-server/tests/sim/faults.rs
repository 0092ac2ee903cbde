//! What breaks: every run draws which faults it has and how often.

use crate::link::{LinkId, Weather};
use crate::rng::Rng;
use crate::world::{Happening, World};

/// The faults of one run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Faults {
    pub(crate) slowest_ms: u64,
    pub(crate) pause_ms: u64,
    cut: bool,
    blackhole: bool,
    hub_crash: bool,
    client_crash: bool,
    restore: bool,
    disk: bool,
    pub(crate) lossy: bool,
    /// The longest pause between two things that somebody does.
    pub(crate) idle_ms: u64,
}

impl Faults {
    /// Nothing breaks by itself.
    pub(crate) const fn none() -> Self {
        Self {
            slowest_ms: 50,
            pause_ms: 20_000,
            cut: false,
            blackhole: false,
            hub_crash: false,
            client_crash: false,
            restore: false,
            disk: false,
            lossy: false,
            idle_ms: 4_000,
        }
    }

    pub(crate) fn swarm(rng: &mut Rng) -> Self {
        Self {
            slowest_ms: *rng.pick(&[5, 50, 400, 3_000]),
            pause_ms: *rng.pick(&[1_000, 5_000, 20_000]),
            cut: !rng.one_in(4),
            blackhole: rng.one_in(2),
            hub_crash: !rng.one_in(3),
            client_crash: rng.one_in(2),
            restore: rng.one_in(3),
            disk: rng.one_in(4),
            lossy: rng.one_in(3),
            idle_ms: *rng.pick(&[1_200, 4_000, 4_000, 4_000]),
        }
    }
}

impl World {
    pub(crate) fn break_something(&mut self, faults: Faults) {
        match self.rng.range(0, 9) {
            0..=3 if faults.cut => {
                if let Some(id) = self.some_link() {
                    self.outcome.cuts += 1;
                    self.cut(id);
                }
            }
            4 | 5 if faults.blackhole => {
                let id = self.some_link();
                if let Some(link) = id.and_then(|id| self.links.get_mut(&id)) {
                    self.outcome.blackholes += 1;
                    link.weather = Weather::Blackhole;
                }
            }
            6 | 7 if faults.hub_crash => self.crash_hub(faults),
            8 | 9 if faults.client_crash => {
                let at = self.rng.range(0, self.clients.len() as u64 - 1) as usize;
                self.outcome.crashes += 1;
                self.client_crashes(at);
                if faults.disk {
                    self.instance_disk_fails(at);
                }
                let down = self.rng.range(10, 8_000);
                self.after(down, Happening::StartsClient(at));
            }
            _ => {}
        }
    }

    fn crash_hub(&mut self, faults: Faults) {
        if !self.hub.is_up() {
            return;
        }
        self.outcome.crashes += 1;
        self.hub_crashes();
        if faults.restore && self.rng.one_in(3) {
            self.outcome.restores += u64::from(self.hub_restores());
        }
        let down = self.rng.range(10, 5_000);
        self.after(down, Happening::StartsHub);
    }

    fn some_link(&mut self) -> Option<LinkId> {
        let open: Vec<LinkId> =
            self.links.iter().filter(|(_, link)| link.weather == Weather::Fine).map(|(id, _)| *id).collect();
        (!open.is_empty()).then(|| *self.rng.pick(&open))
    }
}
