//! Random schedules of commits, fan-out, reads and lost frames, against the client's rules in forty lines.
//!
//! The oracle: a client applies every event of a scope once and in order, a loss ends in `resync`, and nothing is ever
//! called a loss that is none.

use std::collections::{BTreeMap, VecDeque};

use super::scope as named;
use super::*;
use crate::event::RecordedEvent;
use crate::frame::{Events, HubFrame, SubscribedMode};

const SCOPES: [&str; 3] = ["org", "conversation/a", "conversation/b"];

/// xorshift64*
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap() % limit
    }

    fn one_in(&mut self, limit: usize) -> bool {
        self.below(limit) == 0
    }
}

/// A log with a fan-out that lags behind it.
#[derive(Default)]
struct Log {
    /// `(seq, scope)` of all committed events.
    committed: Vec<(u64, usize)>,
    /// How many of them reached the fan-out.
    fanned: usize,
}

impl Log {
    fn watermark(&self) -> u64 {
        self.fanned as u64
    }

    fn seqs(&self, scope: usize, upto: usize) -> impl DoubleEndedIterator<Item = u64> {
        self.committed.iter().take(upto).filter(move |(_, of)| *of == scope).map(|(seq, _)| *seq)
    }

    fn fanned_head(&self, scope: usize) -> u64 {
        self.seqs(scope, self.fanned).next_back().unwrap_or(0)
    }

    fn stored_head(&self, scope: usize) -> u64 {
        self.seqs(scope, self.committed.len()).next_back().unwrap_or(0)
    }

    /// Frames after a position: from the ring what was fanned out, from the log everything.
    fn after(&self, scope: usize, after: u64, upto: usize, limit: usize) -> (Vec<Piece>, bool) {
        let mut prev = self.seqs(scope, upto).take_while(|seq| *seq <= after).last().unwrap_or(0);
        let mut rest = self.seqs(scope, upto).filter(|seq| *seq > after).peekable();
        let mut pieces = Vec::new();
        while let Some(seq) = rest.next_if(|_| pieces.len() < limit) {
            pieces.push(frame_of(scope, prev, seq));
            prev = seq;
        }
        let more = rest.peek().is_some();
        (pieces, more)
    }
}

fn frame_of(scope: usize, prev: u64, seq: u64) -> Piece {
    let of = SCOPES[scope];
    let event = format!(
        r#"{{"seq":{seq},"prev":{prev},"id":"ev_{seq}","at":"2026-11-22T14:00:00.000Z","scope":"{of}","kind":"k","source":{{}},"effects":[],"data":{{}}}}"#
    );
    let mut text = String::new();
    let events = vec![event.as_str()];
    Events { scope: named(of), epoch: Epoch::new("e1").unwrap(), events, hash: None }.write(&mut text);
    Piece { prev, last: seq, frame: Arc::from(text) }
}

/// What a client knows of a scope.
#[derive(Default)]
struct Held {
    sub: u64,
    answered: bool,
    live: bool,
    pos: u64,
    applied: Vec<u64>,
    lost: bool,
}

struct Client {
    held: BTreeMap<Scope, Held>,
    frames: u64,
    next_sub: u64,
    resyncs: usize,
    say: Vec<String>,
}

impl Client {
    fn subscribe(&mut self, scope: &Scope) {
        self.next_sub += 1;
        let held = self.held.entry(scope.clone()).or_default();
        *held = Held { sub: self.next_sub, ..Held::default() };
        self.say.push(format!(r#"{{"type":"subscribe","scope":"{scope}","sub":{}}}"#, self.next_sub));
    }

    fn resync(&mut self, scope: &Scope, dice_lost_something: bool) {
        assert!(dice_lost_something, "{scope} was called lost, and nothing was");
        self.resyncs += 1;
        self.subscribe(scope);
    }

    fn take(&mut self, frame: &str, log: &Log) {
        match HubFrame::decode(frame).unwrap() {
            HubFrame::Subscribed(answer) => {
                let held = self.held.get_mut(&answer.scope).unwrap();
                if answer.sub == held.sub {
                    held.answered = true;
                    held.live = answer.mode == SubscribedMode::Resumed;
                }
            }
            HubFrame::Snapshot(page) => {
                self.frames += 1;
                let held = self.held.get_mut(&page.scope).unwrap();
                if held.answered && page.is_last() {
                    let of = SCOPES.iter().position(|name| named(name) == page.scope).unwrap();
                    held.applied =
                        log.seqs(of, log.committed.len()).filter(|seq| *seq <= page.as_of).collect();
                    (held.live, held.pos) = (true, page.as_of);
                }
            }
            HubFrame::Events(events) => {
                self.frames += 1;
                let held = self.held.get_mut(&events.scope).unwrap();
                if !held.live {
                    return;
                }
                for text in events.events {
                    let event = RecordedEvent::parse(text).unwrap();
                    if event.seq <= held.pos {
                        continue;
                    }
                    if event.prev > held.pos {
                        let (scope, lost) = (event.scope, held.lost);
                        return self.resync(&scope, lost);
                    }
                    held.pos = event.seq;
                    held.applied.push(event.seq);
                }
            }
            HubFrame::Ping(ping) => {
                self.say.push(r#"{"type":"pong","pos":{}}"#.to_owned());
                let behind: Vec<_> = self
                    .held
                    .iter()
                    .filter(|(scope, held)| {
                        held.live && ping.heads.0.get(scope).is_some_and(|head| *head > held.pos)
                    })
                    .map(|(scope, held)| (scope.clone(), held.lost))
                    .collect();
                for (scope, lost) in behind {
                    self.resync(&scope, lost);
                }
                for held in self.held.values_mut().filter(|held| held.live) {
                    held.pos = held.pos.max(ping.pos);
                }
            }
            other => panic!("{other:?}"),
        }
    }
}

struct Sim {
    dice: Dice,
    log: Log,
    conn: ServerConnection,
    client: Client,
    wire: VecDeque<String>,
    /// Reads of the log that are under way; each sees the log as it is when it runs.
    reads: Vec<Need>,
    /// Heads at which snapshots were read.
    pages: [u64; 3],
    losses: bool,
    now: u64,
}

impl Sim {
    fn new(seed: u64, losses: bool) -> Self {
        let mut config = config();
        config.limits.window_bytes = 1_000;
        config.frames_per_second = 1_000_000;
        config.frame_burst = 1_000_000;
        let client = Client { held: BTreeMap::new(), frames: 0, next_sub: 0, resyncs: 0, say: Vec::new() };
        Self {
            dice: Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            log: Log::default(),
            conn: open_with(config, PrincipalType::Member),
            client,
            wire: VecDeque::new(),
            reads: Vec::new(),
            pages: [0; 3],
            losses,
            now: 0,
        }
    }

    fn of(scope: &Scope) -> usize {
        SCOPES.iter().position(|name| named(name) == *scope).unwrap()
    }

    fn step(&mut self) {
        self.now += 10;
        match self.dice.below(10) {
            0 | 1 => self.commit(),
            2 | 3 => self.fan_out(),
            4 | 5 => self.deliver(),
            6 => self.read(),
            7 => self.ack(),
            8 if self.dice.one_in(3) => {
                let scope = named(SCOPES[self.dice.below(3)]);
                self.client.subscribe(&scope);
            }
            8 => self.say(),
            _ => self.beat(),
        }
        self.answer();
    }

    fn commit(&mut self) {
        let seq = self.log.committed.len() as u64 + 1;
        self.log.committed.push((seq, self.dice.below(3)));
    }

    fn fan_out(&mut self) {
        if let Some((_, of)) = self.log.committed.get(self.log.fanned) {
            self.log.fanned += 1;
            self.conn.handle_news(&named(SCOPES[*of]));
        }
    }

    fn deliver(&mut self) {
        for _ in 0..self.dice.below(4) {
            let Some(frame) = self.wire.pop_front() else { return };
            if self.losses && frame.starts_with(r#"{"type":"events""#) && self.dice.one_in(6) {
                let HubFrame::Events(events) = HubFrame::decode(&frame).unwrap() else { continue };
                self.client.held.get_mut(&events.scope).unwrap().lost = true;
                // The browser counted it, then its handler lost it.
                self.client.frames += 1;
                continue;
            }
            self.client.take(&frame, &self.log);
        }
    }

    fn say(&mut self) {
        for text in std::mem::take(&mut self.client.say) {
            self.conn.handle_message(&text, Instant(self.now));
        }
    }

    fn ack(&mut self) {
        let text = format!(r#"{{"type":"ack","frames":{}}}"#, self.client.frames);
        self.conn.handle_message(&text, Instant(self.now));
    }

    fn beat(&mut self) {
        self.now += config().heartbeat_ms;
        self.conn.handle_control(Instant(self.now));
        self.conn.handle_timeout(Instant(self.now));
    }

    /// Finishes a read of the log that is under way.
    fn read(&mut self) {
        if self.reads.is_empty() {
            return;
        }
        let at = self.dice.below(self.reads.len());
        match self.reads.swap_remove(at) {
            Need::Subscribe { ticket, scope, .. } => {
                let head = self.log.stored_head(Self::of(&scope));
                self.conn.subscribed(ticket, Start::Snapshot { head, reason: None });
            }
            Need::Events { ticket, scope, after, .. } => {
                let all = self.log.committed.len();
                let (pieces, more) = self.log.after(Self::of(&scope), after, all, 2);
                self.conn.provide_events(ticket, &pieces, more);
            }
            Need::Snapshot { ticket, scope, .. } => {
                let of = Self::of(&scope);
                // A page that was read for somebody else a while ago is as good.
                if self.dice.one_in(2) {
                    self.pages[of] = self.log.stored_head(of);
                }
                let head = self.pages[of];
                let end = Some(SnapshotEnd { head, hash: None });
                self.conn.provide_snapshot(ticket, &SnapshotRead { rows: &[], as_of: head, end });
            }
            other => panic!("{other:?}"),
        }
    }

    fn answer(&mut self) {
        while let Some(need) = self.conn.poll_event() {
            match need {
                Need::Events { ticket, ref scope, after, .. } if self.dice.one_in(2) => {
                    let (pieces, more) = self.log.after(Self::of(scope), after, self.log.fanned, 4);
                    self.conn.provide_events(ticket, &pieces, more);
                }
                Need::Subscribe { .. } | Need::Events { .. } | Need::Snapshot { .. } => self.reads.push(need),
                Need::Heads { scopes } => {
                    let watermark = self.log.watermark();
                    // Commits go on between reading the watermark and reading the heads.
                    for _ in 0..self.dice.below(3) {
                        self.fan_out();
                    }
                    let head = |scope: Scope| {
                        let head = self.log.fanned_head(Self::of(&scope));
                        (scope, head)
                    };
                    let heads: Vec<_> = scopes.into_iter().map(head).collect();
                    self.conn.provide_heads(watermark, &heads);
                }
                Need::Signals { .. } | Need::Unsubscribed { .. } | Need::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
        for frame in drain(&mut self.conn) {
            self.wire.push_back(frame);
        }
    }

    /// No more faults or commits: everything must arrive within a few heartbeats.
    fn settle(&mut self) {
        self.losses = false;
        for _ in 0..400 {
            self.say();
            self.ack();
            self.fan_out();
            self.read();
            self.deliver();
            self.beat();
            self.answer();
        }
    }

    fn check(&self, seed: u64) {
        assert!(self.conn.is_open());
        for (scope, held) in &self.client.held {
            let all: Vec<_> = self.log.seqs(Self::of(scope), self.log.committed.len()).collect();
            assert!(held.live, "seed {seed}: {scope} is not live");
            assert_eq!(held.applied, all, "seed {seed}: {scope} at {}", held.pos);
        }
    }
}

fn run(seed: u64, losses: bool) -> usize {
    let mut sim = Sim::new(seed, losses);
    for name in SCOPES {
        sim.client.subscribe(&named(name));
    }
    sim.say();
    for _ in 0..300 {
        sim.step();
    }
    sim.settle();
    sim.check(seed);
    sim.client.resyncs
}

#[test]
fn nothing_is_lost_twice_or_out_of_order_whatever_the_schedule() {
    for seed in 0..200 {
        assert_eq!(run(seed, false), 0);
    }
}

#[test]
fn every_lost_frame_is_found_within_a_heartbeat_and_healed() {
    let resyncs: usize = (0..200).map(|seed| run(seed, true)).sum();
    assert!(resyncs > 150, "the losses were not found: {resyncs}");
}
