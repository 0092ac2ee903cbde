//! Random histories: publishers and people over a hub that crashes, loses answers and is restored from backups.

use std::collections::{BTreeMap, BTreeSet};

use otter_proto::hash;
use otter_proto::kind::CommandStage;
use otter_proto::state::ScopeState;
use pretty_assertions::assert_eq;
use proptest::prelude::*;

use super::*;
use crate::store::SnapshotEnd;
use crate::store::conformance::{Subject, sqlite};

/// What happens next; numbers choose among what is possible.
#[derive(Debug, Clone)]
enum Step {
    /// The instance observes something.
    Observe(u8, u8),
    /// Much of it at once.
    Flood(u8),
    /// It sends what the hub has not acknowledged, from up to this many events earlier.
    Publish { again: u8, fate: Fate },
    /// A person asks for something.
    Ask(u8),
    /// A person sends the same command again.
    AskAgain(u8),
    /// The instance takes its commands.
    Attach,
    /// Browsers catch up.
    Follow,
    /// Time passes.
    Wait(u16),
    /// Somebody copies the file.
    Backup,
    /// The hub is restored from the copy.
    Restore,
    /// The outbox is lost; the bridge begins a new one.
    NewOutbox,
}

#[derive(Debug, Clone, Copy)]
enum Fate {
    Answered,
    AnswerLost,
    CrashBeforeCommit,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let fate = prop_oneof![4 => Just(Fate::Answered), 1 => Just(Fate::AnswerLost), 1 => Just(Fate::CrashBeforeCommit)];
    let step = prop_oneof![
        12 => (any::<u8>(), any::<u8>()).prop_map(|(kind, which)| Step::Observe(kind, which)),
        2 => any::<u8>().prop_map(Step::Flood),
        6 => Just(Step::Follow),
        5 => (0..4_u8, fate).prop_map(|(again, fate)| Step::Publish { again, fate }),
        3 => any::<u8>().prop_map(Step::Ask),
        1 => any::<u8>().prop_map(Step::AskAgain),
        1 => Just(Step::Attach),
        1 => any::<u16>().prop_map(Step::Wait),
        1 => Just(Step::Backup),
        1 => Just(Step::Restore),
        1 => Just(Step::NewOutbox),
    ];
    prop::collection::vec(step, 1..120)
}

/// The bridge's side of the main lane: it keeps every event it still has to answer for.
#[derive(Debug, Default)]
struct Outbox {
    epoch: u64,
    /// Id and text.
    events: Vec<(String, String)>,
    acked: usize,
    /// Events that nothing can make superfluous: each must be in the log once it is acknowledged.
    musts: BTreeSet<String>,
}

/// A browser's copy of one scope, kept by positions.
struct Copy {
    scope: Scope,
    at: Option<(Epoch, u64)>,
    state: ScopeState,
}

struct History {
    world: World,
    outbox: Outbox,
    /// What earlier outboxes got into the log.
    kept: BTreeSet<String>,
    backup: Option<crate::store::memory::Copy>,
    starts: u32,
    asked: Vec<(u64, &'static str, String, Reply)>,
    rows: u32,
    copies: Vec<Copy>,
    /// A second store that is told the same, when there is one.
    twin: Option<Subject>,
}

impl History {
    fn new(twin: Option<Subject>) -> Self {
        let copy = |scope| Copy { scope, at: None, state: ScopeState::new() };
        let mut history = Self {
            world: World::empty(),
            outbox: Outbox { epoch: 1, ..Outbox::default() },
            kept: BTreeSet::new(),
            backup: None,
            starts: 1,
            asked: Vec::new(),
            rows: 0,
            copies: vec![copy(Scope::Org), copy(conversation()), copy(own_scope())],
            twin,
        };
        history.start_twin();
        history.introduce();
        history
    }

    fn introduce(&mut self) {
        self.observe("agent.upserted", "in_1:main", r#"{"instanceId":"in_1","name":"Main"}"#);
        let data = r#"{"instanceId":"in_1","agentId":"in_1:main","address":{"kind":"session"}}"#;
        self.observe("conversation.upserted", CONVERSATION, data);
    }

    fn observe(&mut self, kind: &str, subject: &str, data: &str) -> String {
        let event = self.world.event(kind, subject, data);
        let id = format!("ev_{}", self.world.next_id);
        self.outbox.events.push((id.clone(), event));
        id
    }

    fn run(&mut self, step: &Step) {
        match step {
            Step::Observe(kind, which) => self.observe_any(*kind, u32::from(*which)),
            Step::Flood(which) => {
                for n in 0..25 {
                    self.observe_any(which % 2 * 8, n);
                    let data = r#"{"instanceId":"in_1","agentId":"in_1:main","address":{"kind":"dm"}}"#;
                    self.observe("conversation.upserted", &format!("in_1:c{which}x{n}"), data);
                }
            }
            Step::Publish { again, fate } => self.publish(usize::from(*again), *fate),
            Step::Ask(what) => self.ask(*what),
            Step::AskAgain(which) => self.ask_again(usize::from(*which)),
            Step::Attach => {
                self.both(|ledger| ledger.outstanding(&instance()));
            }
            Step::Wait(seconds) => {
                self.world.now += u64::from(*seconds) * 1_000;
                self.both(|ledger| ledger.expire(100));
            }
            Step::Backup if self.twin.is_none() => self.backup = Some(self.world.store.copy()),
            Step::Restore if self.twin.is_none() => self.restore(),
            Step::Backup | Step::Restore => {}
            Step::NewOutbox => self.new_outbox(),
            Step::Follow => self.follow(),
        }
    }

    fn observe_any(&mut self, kind: u8, which: u32) {
        let time = |second: u32| format!("2026-11-18T10:00:{:02}.000Z", second % 60);
        let message = |text: &str, more: &str| {
            format!(
                r#"{{"conversationId":"{CONVERSATION}","author":{{"type":"agent"}},"text":"{text}","status":"complete"{more}}}"#
            )
        };
        let some = |rows: u32| format!("in_1:m{}", which % rows.max(1));
        match kind % 17 {
            0..=3 => {
                self.rows += 1;
                let more =
                    if kind % 17 == 1 { format!(r#","sentAt":"{}""#, time(which)) } else { String::new() };
                let text = if kind % 17 == 2 { "y".repeat(200 * which as usize) } else { "x".to_owned() };
                let id =
                    self.observe("message.created", &format!("in_1:m{}", self.rows), &message(&text, &more));
                self.outbox.musts.insert(id);
            }
            4 => {
                let data = format!(
                    r#"{{"text":"{}","editedAt":"{}"}}"#,
                    "z".repeat(100 * which as usize),
                    time(which)
                );
                self.observe("message.edited", &some(self.rows), &data);
            }
            5 => drop(self.observe("message.removed", &some(self.rows), "{}")),
            6 => drop(self.observe("message.created", &some(self.rows), &message("again", ""))),
            7 => {
                let data = r#"{"delivery":{"state":"delivered"}}"#;
                self.observe("message.deliveryChanged", &some(self.rows), data);
            }
            8 => {
                let data = format!(
                    r#"{{"conversationId":"{CONVERSATION}","agentId":"in_1:main","state":"running","startedAt":"{}"}}"#,
                    time(which)
                );
                self.observe("run.started", &format!("in_1:r{}", which % 80), &data);
            }
            9 => {
                let (kind, state) =
                    [("run.completed", "completed"), ("run.aborted", "aborted")][which as usize % 2];
                let data = format!(r#"{{"state":"{state}","endedAt":"{}"}}"#, time(which));
                self.observe(kind, &format!("in_1:r{}", which % 80), &data);
            }
            10 => {
                let data = format!(r#"{{"instanceId":"in_1","name":"A{}","model":null}}"#, which % 7);
                self.observe("agent.upserted", &format!("in_1:a{}", which % 5), &data);
            }
            11 => drop(self.observe("agent.removed", &format!("in_1:a{}", which % 5), "{}")),
            12 => drop(self.observe("no.such", "in_1:x", "{}")),
            13 => {
                let data = format!(r#"{{"derivedTitle":"T{}","activeRun":null}}"#, which % 3);
                self.observe("conversation.updated", CONVERSATION, &data);
            }
            14 => {
                let data = format!(r#"{{"gateway":{{"state":"offline","reason":"{which}"}}}}"#);
                let data = if which.is_multiple_of(2) {
                    data
                } else {
                    r#"{"gateway":{"state":"online"}}"#.to_owned()
                };
                self.observe("instance.updated", "in_1", &data);
            }
            15 => self.observe_own(which),
            _ => {
                let command = command_id(u64::from(which) % (self.asked.len() as u64 + 1));
                let stage = CommandStage::ALL[which as usize % CommandStage::ALL.len()];
                self.observe("command.updated", command.as_str(), &format!(r#"{{"stage":"{stage}"}}"#));
            }
        }
    }

    /// An integrator's event about two of its entities.
    fn observe_own(&mut self, which: u32) {
        let op = |n: u32| ["put", "merge", "evict", "delete"][n as usize % 4];
        let effect = |n: u32| format!(r#"{{"op":"{}","entity":"x.acme.t{}/in_1:{}"}}"#, op(n), n % 3, n % 7);
        self.world.next_id += 1;
        let id = format!("ev_{}", self.world.next_id);
        let (one, other, n) = (effect(which), effect(which / 4 + 1), which % 5);
        let effects = if which / 4 + 1 == which { one } else { format!("{one},{other}") };
        let event = format!(
            r#"{{"id":"{id}","kind":"x.acme.b","subject":"in_1:x","data":{{"n":{n},"m":null}},"effects":[{effects}]}}"#
        );
        self.outbox.events.push((id, event));
    }

    fn publish(&mut self, again: usize, fate: Fate) {
        let from = self.outbox.acked.saturating_sub(again);
        let events: Vec<String> = self.outbox.events[from..].iter().map(|(_, text)| text.clone()).collect();
        let mut frame = publish(Lane::Main, self.outbox.epoch, from as u64 + 1, &events);
        frame.rejected_seen = Some(self.outbox.acked as u64);
        if matches!(fate, Fate::CrashBeforeCommit) {
            self.world.store.crash_next(StoreError::Broken("power".to_owned()));
            assert!(self.world.transact(|ledger| ledger.publish(&instance(), &frame)).is_err());
            self.restart();
            return;
        }
        let published = self.both(|ledger| ledger.publish(&instance(), &frame));
        assert_eq!((published.error, published.up_to), (None, self.outbox.events.len() as u64));
        if matches!(fate, Fate::Answered) {
            self.outbox.acked = self.outbox.events.len();
        }
    }

    fn ask(&mut self, what: u8) {
        let n = self.asked.len() as u64;
        let target = command_id(u64::from(what) % (n + 1));
        let (kind, data) = match what % 4 {
            0 | 1 => ("message.send", format!(r#"{{"conversationId":"{CONVERSATION}","text":"q{n}"}}"#)),
            2 => ("command.cancel", format!(r#"{{"commandId":"{target}"}}"#)),
            _ => (
                "run.abort",
                format!(r#"{{"conversationId":"{CONVERSATION}","runId":"in_1:r{}"}}"#, what % 80),
            ),
        };
        if what.is_multiple_of(3) {
            self.world.attached.insert(instance());
        } else {
            self.world.attached.clear();
        }
        let reply = self.command(n, kind, &data);
        self.asked.push((n, kind, data, reply));
    }

    fn ask_again(&mut self, which: usize) {
        if self.asked.is_empty() {
            return;
        }
        let (n, kind, data, reply) = self.asked[which % self.asked.len()].clone();
        let head = self.world.store.org(&self.world.org).unwrap().unwrap().head;
        assert_eq!(self.command(n, kind, &data), reply);
        assert_eq!(self.world.store.org(&self.world.org).unwrap().unwrap().head, head);
    }

    fn command(&mut self, n: u64, kind: &str, data: &str) -> Reply {
        let actor = Actor { id: MemberId::new("mb_1").unwrap(), name: None, role: Role::Member };
        let command = Command { id: command_id(n), kind: kind.to_owned(), data: Json::new(data).unwrap() };
        let attached = self.world.attached.clone();
        self.both(|ledger| ledger.command(&actor, &command, &attached))
    }

    fn restore(&mut self) {
        let Some(backup) = self.backup.clone() else { return };
        self.world.store.restore(backup);
        self.restart();
        let here = self.logged();
        self.kept.retain(|id| here.contains_key(id));
        // Commands the backup lacks are unknown now: their answers are not repeated.
        self.asked.retain(|(n, ..)| {
            let id = command_id(*n);
            self.world.transact(|ledger| ledger.rows.reply(&id)).unwrap().0.is_some()
        });
        self.verify();
    }

    fn new_outbox(&mut self) {
        let here = self.logged();
        self.kept.extend(self.outbox.musts.iter().filter(|id| here.contains_key(*id)).cloned());
        self.outbox = Outbox { epoch: self.outbox.epoch + 1, ..Outbox::default() };
        self.introduce();
        self.welcomed();
    }

    /// A new process of the hub; the bridge connects again.
    fn restart(&mut self) {
        self.starts += 1;
        self.world.start(&format!("e{}", self.starts));
        self.start_twin();
        self.welcomed();
    }

    fn start_twin(&mut self) {
        let (org, epoch) = (self.world.org.clone(), self.world.epoch.clone());
        if let Some(twin) = &mut self.twin {
            twin.store.transaction(&org, &mut |rows| Ledger::start(rows, &epoch)).unwrap();
        }
    }

    /// What a bridge does with `welcome.lanes`.
    fn welcomed(&mut self) {
        let lane = self.both(|ledger| ledger.lanes(&instance())).main;
        assert!(lane.producer_epoch <= self.outbox.epoch, "the hub never knows more than was published");
        if lane.producer_epoch < self.outbox.epoch {
            self.outbox.acked = 0;
            return;
        }
        let up_to = usize::try_from(lane.up_to).unwrap();
        let last = up_to.checked_sub(1).and_then(|at| self.outbox.events.get(at)).map(|(id, _)| id.as_str());
        assert_eq!(lane.last_id.as_ref().map(EventId::as_str), last);
        if self.backup.is_none() {
            assert!(up_to >= self.outbox.acked, "what was acknowledged is on disk");
        }
        self.outbox.acked = up_to;
    }

    /// Runs the same on both stores: they must write the same.
    fn both<T: PartialEq + std::fmt::Debug>(
        &mut self,
        work: impl Fn(&mut Ledger<'_>) -> Result<T, StoreError>,
    ) -> T {
        let (value, commit) = self.world.transact(&work).unwrap();
        let (org, epoch, now) = (&self.world.org, &self.world.epoch, UnixMillis(self.world.now));
        if let Some(twin) = &mut self.twin {
            let mut result = None;
            let transaction = twin.store.transaction(org, &mut |rows| {
                let mut ledger = Ledger::open(rows, org, epoch, now)?;
                result = Some((work(&mut ledger)?, ledger.finish()?));
                Ok(())
            });
            transaction.unwrap();
            let (twins_value, twins_commit) = result.unwrap();
            assert_eq!((&twins_value, &twins_commit), (&value, &commit));
        }
        value
    }

    /// Browsers catch up by their positions, or start over where the hub says so; then they agree with the hub.
    fn follow(&mut self) {
        let reader = crate::log::Reader::new(std::sync::Arc::new(self.world.store.clone()));
        for copy in &mut self.copies {
            let resumed = copy.at.take().filter(|(epoch, pos)| {
                reader.resume(&self.world.org, &copy.scope, epoch, *pos).unwrap() == crate::log::Resume::Hit
            });
            let mut pos = if let Some((_, pos)) = resumed {
                pos
            } else {
                let page = reader.snapshot_page(&self.world.org, &copy.scope, None, usize::MAX).unwrap();
                copy.state = ScopeState::new();
                for row in page.rows {
                    copy.state.load(row.key, row.rev, true, &row.text);
                }
                page.as_of
            };
            for (seq, text) in
                reader.events_after(&self.world.org, &copy.scope, pos, usize::MAX).unwrap().events
            {
                let event = RecordedEvent::parse(&text).unwrap();
                assert!(event.prev <= pos, "no hole after {pos}");
                copy.state.apply(&event);
                pos = seq;
            }
            copy.at = Some((self.world.epoch.clone(), pos));
            let row = self.world.store.scope(&self.world.org, &copy.scope).unwrap();
            assert_eq!(
                (pos, hash::hex(copy.state.hash())),
                (row.head.max(pos), hash::hex(row.hash)),
                "{}",
                copy.scope
            );
        }
    }

    /// How often each event is in the log.
    fn logged(&self) -> BTreeMap<String, u32> {
        let mut ids = BTreeMap::new();
        for copy in &self.copies {
            let page = self.world.store.events_after(&self.world.org, &copy.scope, 0, usize::MAX).unwrap();
            for (_, text) in page.events {
                *ids.entry(RecordedEvent::parse(&text).unwrap().id.to_string()).or_default() += 1;
            }
        }
        ids
    }

    fn verify(&mut self) {
        let ids = self.logged();
        assert!(ids.values().all(|count| *count == 1), "every event once: {ids:?}");
        let acked = self.outbox.events[..self.outbox.acked].iter().map(|(id, _)| id);
        for id in acked.filter(|id| self.outbox.musts.contains(*id)).chain(&self.kept) {
            assert!(ids.contains_key(id), "{id} was acknowledged");
        }
        let mut seqs = Vec::new();
        for copy in &self.copies {
            let page = self.world.store.events_after(&self.world.org, &copy.scope, 0, usize::MAX).unwrap();
            let mut fold = ScopeState::new();
            let mut prev = 0;
            for (seq, text) in &page.events {
                let event = RecordedEvent::parse(text).unwrap();
                assert_eq!((event.seq, event.prev), (*seq, prev));
                let keys: BTreeSet<_> = event.effects.iter().map(|effect| &effect.entity).collect();
                assert_eq!(keys.len(), event.effects.len(), "one effect per entity: {text}");
                fold.apply(&event);
                prev = *seq;
                seqs.push(*seq);
            }
            let rows =
                self.world.store.snapshot_page(&self.world.org, &copy.scope, None, usize::MAX).unwrap();
            assert_eq!(rows.last, Some(SnapshotEnd { head: prev, hash: fold.hash() }));
            let rows: Vec<_> = rows.rows.iter().map(|row| (&row.key, row.rev, &*row.text)).collect();
            let folded: Vec<_> =
                fold.live().map(|(key, entity)| (key, entity.rev, entity.text.as_str())).collect();
            assert_eq!(rows, folded);
            for (key, entity) in fold.iter() {
                let (row, _) = self.world.transact(|ledger| ledger.rows.entity(&copy.scope, key)).unwrap();
                let row = row.map(|row| (row.text, row.rev, row.live));
                assert_eq!(row, Some((entity.text.clone(), entity.rev, entity.live)), "{key}");
            }
            if let Some(twin) = &self.twin {
                let read = |reads: &dyn Reads| {
                    (
                        reads.events_after(&self.world.org, &copy.scope, 0, usize::MAX).unwrap(),
                        reads.snapshot_page(&self.world.org, &copy.scope, None, usize::MAX).unwrap(),
                        reads.scope(&self.world.org, &copy.scope).unwrap(),
                    )
                };
                assert_eq!(read(&self.world.store), read(&*twin.reads));
            }
        }
        seqs.sort_unstable();
        let head = self.world.store.org(&self.world.org).unwrap().unwrap().head;
        assert_eq!(seqs, (1..=head).collect::<Vec<_>>(), "one order without holes");
        self.verify_windows();
    }

    fn verify_windows(&mut self) {
        for (scope, name, rows) in [
            (conversation(), "message", 50),
            (conversation(), "run", 50),
            (Scope::Org, "agent", 500),
            (Scope::Org, "conversation", 200),
        ] {
            let (live, _) = self
                .world
                .transact(|ledger| ledger.rows.live(&scope, name, false, crate::ledger::End::Newest, 9_999))
                .unwrap();
            let (window, _) = self.world.transact(|ledger| ledger.rows.window(&scope, name, false)).unwrap();
            let bytes: usize = live.iter().map(|(_, row)| row.text.len()).sum();
            assert_eq!((window.rows, window.bytes), (live.len() as u64, bytes as u64), "{name}");
            assert!(live.len() <= rows && bytes <= 1 << 20);
        }
    }
}

fn live_through(steps: &[Step], twin: Option<Subject>) {
    let mut history = History::new(twin);
    for step in steps {
        history.run(step);
    }
    history.publish(2, Fate::Answered);
    history.follow();
    history.verify();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_log_keeps_its_promises_through_crashes_and_restores(steps in steps()) {
        live_through(&steps, None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_stores_write_the_same(steps in steps()) {
        live_through(&steps, Some(sqlite()));
    }
}
