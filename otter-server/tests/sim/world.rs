//! The world: one hub, its clients, the links between them, and a clock that jumps from happening to happening.

use std::collections::BTreeMap;

use otter_proto::Instant;

use crate::client::Client;
use crate::faults::Faults;
use crate::hub::Hub;
use crate::link::{Link, LinkId, Weather};
use crate::mutants::Mutant;
use crate::oracle::Oracle;
use crate::rng::Rng;
use crate::signals::Absence;

/// How long faults happen, in virtual milliseconds.
const STORM_MS: u64 = 120_000;
/// How long everybody has to arrive afterwards. Longer than two heartbeats and the longest backoff together.
const CALM_MS: u64 = 240_000;

/// More than any run needs.
const MAX_HAPPENINGS: u64 = 3_000_000;

/// Something that happens at a time.
#[derive(Debug)]
pub(crate) enum Happening {
    /// A socket reaches the hub.
    Arrives(LinkId),
    /// The client learns that its socket is open.
    Opened(LinkId),
    /// A message reaches the hub.
    Up(LinkId, String),
    /// A message reaches the client.
    Down(LinkId, String),
    /// The hub learns that the socket is gone.
    GoneAtHub(LinkId),
    /// The client learns that the socket is gone.
    GoneAtClient(LinkId, u16, String),
    /// A timer of a client's machine.
    ClientTimer(usize),
    /// A timer of the hub's end of a socket.
    HubTimer(LinkId),
    /// The hub's disk has written what was gathered, of this process run of the hub.
    Synced(u64),
    /// What the hub read from its disk for a connection is ready.
    Read(LinkId, u64, crate::reads::Answer),
    /// Somebody is away for some time, of this process run of the hub.
    Absent(u64, Absence),
    /// A person closes the browser for good.
    Leaves(usize),
    /// Bridges tell the texts of running answers once more.
    TellsAll,
    /// A client does something of its own accord.
    Acts(usize),
    /// A process that was killed starts again.
    StartsClient(usize),
    /// The hub starts again.
    StartsHub,
    /// Something breaks.
    Fault,
}

/// What a run saw.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Outcome {
    pub(crate) events: u64,
    pub(crate) crashes: u64,
    pub(crate) cuts: u64,
    pub(crate) blackholes: u64,
    pub(crate) restores: u64,
    pub(crate) resumed: u64,
    pub(crate) snapshots: u64,
    pub(crate) snapshot_pages: u64,
    pub(crate) answers: u64,
    pub(crate) resyncs: u64,
    pub(crate) restated: u64,
    pub(crate) pages: u64,
    pub(crate) decided: u64,
    pub(crate) reopened: u64,
    pub(crate) tasks: u64,
    pub(crate) marks: u64,
    pub(crate) lost_frames: u64,
    pub(crate) signals: u64,
    pub(crate) texts: u64,
    pub(crate) feed: u64,
    pub(crate) accepted: u64,
    pub(crate) delivered: u64,
    pub(crate) evicted: u64,
}

impl Outcome {
    pub(crate) fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.crashes += other.crashes;
        self.cuts += other.cuts;
        self.blackholes += other.blackholes;
        self.restores += other.restores;
        self.resumed += other.resumed;
        self.snapshots += other.snapshots;
        self.snapshot_pages += other.snapshot_pages;
        self.answers += other.answers;
        self.resyncs += other.resyncs;
        self.restated += other.restated;
        self.pages += other.pages;
        self.decided += other.decided;
        self.reopened += other.reopened;
        self.tasks += other.tasks;
        self.marks += other.marks;
        self.lost_frames += other.lost_frames;
        self.signals += other.signals;
        self.texts += other.texts;
        self.feed += other.feed;
        self.accepted += other.accepted;
        self.delivered += other.delivered;
        self.evicted += other.evicted;
    }
}

pub(crate) struct World {
    pub(crate) now: u64,
    pub(crate) rng: Rng,
    pub(crate) trace: bool,
    pub(crate) hub: Hub,
    pub(crate) clients: Vec<Client>,
    pub(crate) links: BTreeMap<LinkId, Link>,
    pub(crate) oracle: Oracle,
    pub(crate) outcome: Outcome,
    /// What is done wrong in this run.
    pub(crate) mutant: Option<Mutant>,
    pub(crate) faults: Faults,
    queue: BTreeMap<(u64, u64), Happening>,
    tie: u64,
    next_link: u64,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let faults = Faults::swarm(&mut rng);
        let instances = rng.range(1, 2) as usize;
        let members = rng.range(1, 3) as usize;
        let mut world = Self::with(rng, faults, instances, members);
        for at in 0..world.clients.len() {
            let delay = world.rng.range(0, 500);
            world.after(delay, Happening::StartsClient(at));
            world.after(delay + 100, Happening::Acts(at));
        }
        world.after(2_000, Happening::Fault);
        if members > 1 {
            let last = world.clients.len() - 1;
            world.at(STORM_MS + CALM_MS / 2, Happening::Leaves(last));
        }
        if faults.lossy {
            // A text that was lost on a socket that goes on is whole again with the next keyframe.
            world.at(STORM_MS + CALM_MS - 10_000, Happening::TellsAll);
        }
        world
    }

    /// Plants a mutant.
    pub(crate) fn mutated(mut self, mutant: Mutant) -> Self {
        self.mutant = Some(mutant);
        self.hub.engine.mutant = Some(mutant);
        self
    }

    pub(crate) fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    /// True once in `n` times in a run with this mutant.
    pub(crate) fn errs(&mut self, mutant: Mutant, n: u64) -> bool {
        self.is(mutant) && self.rng.one_in(n)
    }

    /// A tab that nobody looks at, of an org with some history, cut once a minute for a day. Returns what was seen
    /// after its first load.
    pub(crate) fn idle_day(seed: u64) -> Outcome {
        let mut world = Self::with(Rng::new(seed), Faults::none(), 1, 1);
        let (instance, tab) = (0, 1);
        world.after(0, Happening::StartsClient(instance));
        world.run_to(2_000);
        for _ in 0..20 {
            world.client_acts_once(instance);
            world.run_to(world.now + 500);
        }
        world.client_starts(tab);
        world.run_to(world.now + 30_000);
        let loaded = world.outcome;
        assert!(loaded.snapshots > 0 && loaded.snapshot_pages > 0, "it loads once: {loaded:?}");
        for _ in 0..24 * 60 {
            if let Some(link) = world.clients[tab].link {
                world.outcome.cuts += 1;
                world.cut(link);
            }
            world.run_to(world.now + 60_000);
        }
        world.judge();
        let mut after = world.outcome;
        after.snapshots -= loaded.snapshots;
        after.snapshot_pages -= loaded.snapshot_pages;
        after.answers -= loaded.answers;
        after.resumed -= loaded.resumed;
        after
    }

    fn with(rng: Rng, faults: Faults, instances: usize, members: usize) -> Self {
        let mut rng = rng;
        let mut clients: Vec<Client> = (0..instances).map(|at| Client::instance(at, rng.next())).collect();
        clients.extend((0..members).map(|at| Client::member(at, instances, rng.next())));
        let mut world = Self {
            now: 1_000,
            hub: Hub::new(rng.next()),
            trace: false,
            clients,
            links: BTreeMap::new(),
            oracle: Oracle::default(),
            outcome: Outcome::default(),
            mutant: None,
            faults,
            queue: BTreeMap::new(),
            tie: 0,
            next_link: 0,
            rng,
        };
        world.hub_starts();
        world
    }

    /// Lets everything happen up to a time.
    fn run_to(&mut self, end: u64) {
        while let Some(entry) = self.queue.first_entry()
            && entry.key().0 <= end
        {
            let ((time, _), what) = entry.remove_entry();
            self.now = time;
            self.happens(what);
        }
        self.now = end;
    }

    pub(crate) fn instant(&self) -> Instant {
        Instant(self.now)
    }

    pub(crate) fn after(&mut self, ms: u64, what: Happening) {
        self.at(self.now + ms, what);
    }

    pub(crate) fn at(&mut self, time: u64, what: Happening) {
        self.tie += 1;
        self.queue.insert((time.max(self.now), self.tie), what);
    }

    pub(crate) fn stormy(&self) -> bool {
        self.now < STORM_MS
    }

    /// Runs the storm and the calm, and judges.
    pub(crate) fn run(mut self) -> Outcome {
        let mut happened = 0_u64;
        while let Some(((time, _), what)) = self.queue.pop_first() {
            if time > STORM_MS + CALM_MS {
                break;
            }
            happened += 1;
            assert!(happened < MAX_HAPPENINGS, "it goes in circles");
            self.now = time;
            if self.trace {
                println!("{time:>7} {what:?}");
            }
            self.happens(what);
        }
        self.judge();
        self.outcome
    }

    fn happens(&mut self, what: Happening) {
        match what {
            Happening::Arrives(link) => self.hub_accepts(link),
            Happening::Opened(link) => self.client_opened(link),
            Happening::Up(link, text) => self.hub_message(link, &text),
            Happening::Down(link, text) => self.client_message(link, &text),
            Happening::GoneAtHub(link) => self.hub_lost(link),
            Happening::GoneAtClient(link, code, reason) => self.client_lost(link, code, &reason),
            Happening::ClientTimer(at) => self.client_timer(at),
            Happening::HubTimer(link) => self.hub_timer(link),
            Happening::Synced(run) => self.hub_synced(run),
            Happening::Read(link, run, answer) => self.hub_read(link, run, answer),
            Happening::Absent(run, absence) => self.hub_absent(run, absence),
            Happening::Leaves(at) => self.client_leaves(at),
            Happening::TellsAll => self.instances_tell_all(),
            Happening::Acts(at) => self.client_acts(at),
            Happening::StartsClient(at) => self.client_starts(at),
            Happening::StartsHub => self.hub_starts(),
            Happening::Fault => self.breaks(),
        }
    }

    /// A client opens a socket; whether somebody is there shows later.
    pub(crate) fn connect(&mut self, client: usize) -> LinkId {
        self.next_link += 1;
        let id = LinkId(self.next_link);
        let slowest = self.faults.slowest_ms;
        let mut link = Link::new(client, slowest);
        let arrival = link.up(self.now, &mut self.rng);
        self.links.insert(id, link);
        if let Some(time) = arrival {
            self.at(time, Happening::Arrives(id));
        }
        id
    }

    /// Sends towards the client.
    pub(crate) fn send_down(&mut self, id: LinkId, what: Happening) {
        let now = self.now;
        if let Some(time) = self.links.get_mut(&id).and_then(|link| link.down(now, &mut self.rng)) {
            self.at(time, what);
        }
    }

    /// Sends towards the hub.
    pub(crate) fn send_up(&mut self, id: LinkId, what: Happening) {
        let now = self.now;
        if let Some(time) = self.links.get_mut(&id).and_then(|link| link.up(now, &mut self.rng)) {
            self.at(time, what);
        }
    }

    /// Whether this message is lost on a socket that goes on, as a defect of the hub or of a proxy would do.
    pub(crate) fn loses(&mut self, text: &str) -> bool {
        let lost = self.stormy()
            && self.faults.lossy
            && text.starts_with("{\"type\":\"events\"")
            && self.rng.one_in(40);
        self.outcome.lost_frames += u64::from(lost);
        lost
    }

    /// The network drops a socket: what is on its way is lost, both ends learn of it.
    pub(crate) fn cut(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(&id) {
            link.weather = Weather::Blackhole;
        }
        self.queue.retain(|_, what| !matches!(what, Happening::Up(link, _) | Happening::Down(link, _) | Happening::Arrives(link) | Happening::Opened(link) if *link == id));
        let (up, down) = (self.rng.range(0, 200), self.rng.range(0, 200));
        self.after(up, Happening::GoneAtHub(id));
        self.after(down, Happening::GoneAtClient(id, 1006, String::new()));
    }

    fn breaks(&mut self) {
        if !self.stormy() {
            self.clear_weather();
            return;
        }
        self.break_something(self.faults);
        let pause = self.rng.range(200, self.faults.pause_ms);
        self.after(pause, Happening::Fault);
    }

    /// The storm is over: nothing is blackholed any more, everybody who is down starts.
    fn clear_weather(&mut self) {
        let holes: Vec<LinkId> = self
            .links
            .iter()
            .filter(|(_, link)| link.weather == Weather::Blackhole)
            .map(|(id, _)| *id)
            .collect();
        for id in holes {
            self.cut(id);
        }
    }
}
