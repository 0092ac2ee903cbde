use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};

use otter_proto::UnixMillis;
use otter_proto::catalogue::Role;
use otter_proto::error::ErrorCode;
use otter_proto::frame::{Command, Lane, Publish, Published};
use otter_proto::id::{BootId, CommandId, Epoch, InstanceId, MemberId, OrgId, Scope};
use otter_proto::wire::Json;
use pretty_assertions::assert_eq;

use super::*;
use crate::ledger::{Actor, StoreError};
use crate::store::Reads as _;
use crate::store::memory::MemoryStore;

/// Records commits; each waits for a permit when there is a gate.
#[derive(Default)]
struct Recorder {
    commits: Mutex<Vec<Commit>>,
    gate: Option<Mutex<Receiver<()>>>,
    entered: Option<SyncSender<()>>,
}

impl FanOut for Recorder {
    fn committed(&self, commit: &Commit) {
        self.commits.lock().unwrap().push(commit.clone());
        if let Some(entered) = &self.entered {
            let _ = entered.send(());
        }
        if let Some(gate) = &self.gate {
            let _ = gate.lock().unwrap().recv();
        }
    }
}

struct Rig {
    log: Log,
    store: MemoryStore,
    recorder: Arc<Recorder>,
    now: Arc<AtomicU64>,
    fatal: Arc<Mutex<Vec<StoreError>>>,
}

fn org() -> OrgId {
    OrgId::new("org_1").unwrap()
}

fn instance() -> InstanceId {
    InstanceId::new("in_1").unwrap()
}

impl Rig {
    fn new(recorder: Recorder) -> Self {
        let (store, recorder) = (MemoryStore::new(), Arc::new(recorder));
        let now = Arc::new(AtomicU64::new(1_795_000_000_000));
        let fatal = Arc::new(Mutex::new(Vec::new()));
        let (clock, errors) = (Arc::clone(&now), Arc::clone(&fatal));
        let config = LogConfig {
            epoch: Epoch::new("e1").unwrap(),
            clock: Arc::new(move || UnixMillis(clock.load(Ordering::Relaxed))),
            fan_out: recorder.clone(),
            fatal: Arc::new(move |error| errors.lock().unwrap().push(error.clone())),
        };
        let log = Log::start(store.clone(), &[org()], config).unwrap();
        Self { log, store, recorder, now, fatal }
    }

    fn seqs(&self) -> Vec<Vec<u64>> {
        let commits = self.recorder.commits.lock().unwrap();
        commits.iter().map(|commit| commit.appended.iter().map(|event| event.seq).collect()).collect()
    }

    async fn agent(&self, n: u64) -> Published {
        self.log.handle().publish(&org(), &instance(), agent(n, "Main")).await
    }

    async fn attach(&self) -> Attached {
        let attach =
            Attach { boots: vec![BootId::new("b").unwrap()], name: None, bridge: None, adopts: false };
        self.log.handle().attach(&org(), &instance(), attach).await.unwrap()
    }

    async fn say(&self, n: u64) {
        let actor = Actor { id: MemberId::new("mb_1").unwrap(), name: None, role: Role::Member };
        let reply = self.log.handle().command(&org(), actor, say(n)).await;
        assert_eq!(reply.refused, None);
    }

    fn dispatched(&self) -> Vec<Vec<CommandId>> {
        let commits = self.recorder.commits.lock().unwrap();
        commits.iter().map(|commit| commit.dispatch.iter().map(|(_, d)| d.id.clone()).collect()).collect()
    }
}

fn agent(n: u64, name: &str) -> Publish {
    event(n, "agent.upserted", &format!("in_1:a{n}"), &format!(r#"{{"instanceId":"in_1","name":"{name}"}}"#))
}

fn event(n: u64, kind: &str, subject: &str, data: &str) -> Publish {
    let event = format!(r#"{{"id":"ev_{n}","kind":"{kind}","subject":"{subject}","data":{data}}}"#);
    Publish {
        lane: Lane::Main,
        producer_epoch: 1,
        first: n,
        events: vec![Json::new(&event).unwrap()],
        rejected_seen: None,
    }
}

fn command(n: u64) -> CommandId {
    CommandId::new(&format!("01900000-0000-7000-8000-{n:012}")).unwrap()
}

fn say(n: u64) -> Command {
    let data = Json::new(r#"{"conversationId":"in_1:c","text":"hi"}"#).unwrap();
    Command { id: command(n), kind: "message.send".to_owned(), data }
}

fn taken(n: u64) -> Published {
    Published { lane: Lane::Main, producer_epoch: 1, up_to: n, rejected: vec![], error: None, expected: None }
}

async fn with_conversation(rig: &Rig) {
    let conversation = r#"{"instanceId":"in_1","agentId":"in_1:a1","address":{"kind":"session"}}"#;
    assert_eq!(rig.agent(1).await, taken(1));
    let frame = event(2, "conversation.upserted", "in_1:c", conversation);
    assert_eq!(rig.log.handle().publish(&org(), &instance(), frame).await, taken(2));
}

#[tokio::test]
async fn an_answer_comes_after_the_commit_was_passed_on() {
    let rig = Rig::new(Recorder::default());
    assert_eq!(rig.agent(1).await, taken(1));
    assert_eq!(rig.seqs(), [vec![1]]);
    assert_eq!(rig.store.org(&org()).unwrap().map(|row| row.head), Some(1));
    assert_eq!(rig.agent(1).await, taken(1));
    assert_eq!(rig.seqs(), [vec![1]], "what writes nothing is not passed on");
}

#[tokio::test]
async fn requests_that_gather_during_a_commit_share_the_next_one() {
    let ((permit, gate), (entered, in_fan_out)) = (sync_channel(16), sync_channel(16));
    let gate = Some(Mutex::new(gate));
    let rig = Rig::new(Recorder { gate, entered: Some(entered), ..Recorder::default() });
    let handle = rig.log.handle();
    let publish = |n| {
        let handle = handle.clone();
        async move { handle.publish(&org(), &instance(), agent(n, "Main")).await }
    };
    let first = tokio::spawn(publish(1));
    tokio::task::spawn_blocking(move || in_fan_out.recv().unwrap()).await.unwrap();
    let rest: Vec<_> = (2..=6).map(|n| tokio::spawn(publish(n))).collect();
    tokio::task::yield_now().await;
    permit.send(()).unwrap();
    assert_eq!(first.await.unwrap(), taken(1));
    permit.send(()).unwrap();
    drop(permit);
    for (n, answer) in (2..).zip(rest) {
        assert_eq!(answer.await.unwrap(), taken(n));
    }
    assert_eq!(rig.seqs(), [vec![1], vec![2, 3, 4, 5, 6]]);
}

#[tokio::test]
async fn the_queue_is_bounded_by_bytes() {
    let ((permit, gate), (entered, in_fan_out)) = (sync_channel(16), sync_channel(16));
    let gate = Some(Mutex::new(gate));
    let rig = Rig::new(Recorder { gate, entered: Some(entered), ..Recorder::default() });
    let handle = rig.log.handle();
    let first = {
        let handle = handle.clone();
        tokio::spawn(async move { handle.publish(&org(), &instance(), agent(1, "Main")).await })
    };
    tokio::task::spawn_blocking(move || in_fan_out.recv().unwrap()).await.unwrap();
    let big = "x".repeat(1 << 20);
    let waiting: Vec<_> = (0..15)
        .map(|_| {
            let (handle, frame) = (handle.clone(), agent(9, &big));
            tokio::spawn(async move { handle.publish(&org(), &instance(), frame).await })
        })
        .collect();
    tokio::task::yield_now().await;
    let refused = handle.publish(&org(), &instance(), agent(9, &big)).await.error.unwrap();
    assert_eq!((refused.code, refused.retryable), (ErrorCode::Overloaded, true));
    drop(permit);
    assert_eq!(first.await.unwrap(), taken(1));
    for answer in waiting {
        assert_eq!(answer.await.unwrap().error.map(|error| error.code), Some(ErrorCode::PublishGap));
    }
    assert_eq!(rig.agent(2).await, taken(2));
}

/// Looks at the queue in the moment of the answer.
struct AtTheAnswer {
    handle: LogHandle,
    saw: Sender<u64>,
}

impl Wake for AtTheAnswer {
    fn wake(self: Arc<Self>) {
        self.saw.send(self.handle.queued_bytes()).unwrap();
    }
}

#[test]
fn what_is_answered_has_left_the_queue() {
    let ((permit, gate), (saw, seen)) = (sync_channel(1), channel());
    let rig = Rig::new(Recorder { gate: Some(Mutex::new(gate)), ..Recorder::default() });
    let handle = rig.log.handle();
    let waker = Waker::from(Arc::new(AtTheAnswer { handle: handle.clone(), saw }));
    let mut answer = Box::pin(rig.agent(1));
    assert!(answer.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert_ne!(handle.queued_bytes(), 0);
    permit.send(()).unwrap();
    assert_eq!(seen.recv().unwrap(), 0);
}

#[tokio::test]
async fn a_full_disk_is_retryable_and_nothing_is_acknowledged() {
    let rig = Rig::new(Recorder::default());
    rig.store.crash_next(StoreError::Full);
    let refused = rig.agent(1).await;
    let error = refused.error.unwrap();
    assert_eq!((error.code, error.retryable), (ErrorCode::StorageFull, true));
    assert_eq!((refused.up_to, refused.expected), (0, Some(1)));
    assert!(rig.seqs().is_empty());
    assert_eq!(rig.agent(1).await, taken(1));
    assert_eq!(rig.fatal.lock().unwrap().clone(), []);
}

#[tokio::test]
async fn a_busy_store_is_told_as_such_to_all_who_waited() {
    let rig = Rig::new(Recorder::default());
    rig.store.refuse_next(StoreError::Busy, 1);
    let refused = rig.agent(1).await;
    let error = refused.error.unwrap();
    assert_eq!(
        (error.code, error.retry_after_ms, &*error.message),
        (ErrorCode::Unavailable, Some(5_000), "the hub's store is busy; nothing was written")
    );
    assert_eq!((refused.up_to, refused.expected), (0, Some(1)));
    assert_eq!(rig.agent(1).await, taken(1));
}

#[tokio::test]
async fn a_broken_store_ends_the_log_without_an_answer() {
    let rig = Rig::new(Recorder::default());
    let broken = StoreError::Broken("fsync".to_owned());
    rig.store.crash_next(broken.clone());
    assert_eq!(rig.agent(1).await.error.map(|error| error.code), Some(ErrorCode::Unavailable));
    assert_eq!(rig.agent(1).await.error.map(|error| error.code), Some(ErrorCode::Unavailable));
    let Rig { log, fatal, recorder, .. } = rig;
    log.stop();
    assert_eq!(fatal.lock().unwrap().clone(), [broken]);
    assert!(recorder.commits.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_writer_that_lost_the_org_ends() {
    let rig = Rig::new(Recorder::default());
    let mut other = rig.store.clone();
    let epoch = Epoch::new("e2").unwrap();
    crate::store::Store::transaction(&mut other, &org(), &mut |rows| {
        crate::ledger::Ledger::start(rows, &epoch)
    })
    .unwrap();
    assert_eq!(rig.agent(1).await.error.map(|error| error.code), Some(ErrorCode::Unavailable));
    let Rig { log, fatal, .. } = rig;
    log.stop();
    assert_eq!(fatal.lock().unwrap().clone(), [StoreError::Fenced]);
}

#[tokio::test]
async fn commands_are_handed_over_while_the_instance_is_attached() {
    let rig = Rig::new(Recorder::default());
    with_conversation(&rig).await;
    rig.say(1).await;
    let first = rig.attach().await;
    let ids: Vec<_> = first.outstanding.iter().map(|dispatch| dispatch.id.clone()).collect();
    assert_eq!(ids, [command(1)]);
    rig.say(2).await;
    let second = rig.attach().await;
    rig.log.handle().detached(&org(), &instance(), first.lease);
    rig.say(3).await;
    rig.log.handle().detached(&org(), &instance(), second.lease);
    rig.say(4).await;
    let handed: Vec<_> = rig.dispatched().into_iter().flatten().collect();
    assert_eq!(handed, [command(2), command(3)], "an old socket's end changes nothing");
}

#[tokio::test]
async fn an_instance_that_came_back_is_not_declared_gone() {
    let rig = Rig::new(Recorder::default());
    let handle = rig.log.handle();
    let first = rig.attach().await;
    let second = rig.attach().await;
    handle.disconnected(&org(), &instance(), first.lease, "lost").await.unwrap();
    handle.disconnect_absent(&org(), "hub restarted").await.unwrap();
    assert_eq!(rig.seqs(), [vec![1]]);
    handle.disconnected(&org(), &instance(), second.lease, "lost").await.unwrap();
    assert_eq!(rig.seqs(), [vec![1], vec![2]]);
}

#[tokio::test]
async fn stopping_commits_what_is_queued() {
    let rig = Rig::new(Recorder::default());
    let handle = rig.log.handle();
    let answer = tokio::spawn(async move { handle.publish(&org(), &instance(), agent(1, "Main")).await });
    tokio::task::yield_now().await;
    let (handle, store) = (rig.log.handle(), rig.store.clone());
    tokio::task::spawn_blocking(move || rig.log.stop()).await.unwrap();
    assert_eq!(answer.await.unwrap(), taken(1));
    assert_eq!(store.scope(&org(), &Scope::Org).unwrap().head, 1);
    let late = handle.publish(&org(), &instance(), agent(2, "Main")).await;
    assert_eq!(late.error.map(|error| error.code), Some(ErrorCode::Unavailable));
}

#[tokio::test]
async fn a_command_that_waited_too_long_is_not_handed_over() {
    let rig = Rig::new(Recorder::default());
    with_conversation(&rig).await;
    rig.say(1).await;
    rig.now.fetch_add(48 * 3_600_000, Ordering::Relaxed);
    let attached = rig.attach().await;
    assert_eq!(attached.outstanding, []);
}

#[tokio::test]
async fn the_sweep_ends_commands_that_waited_too_long() {
    let rig = Rig::new(Recorder::default());
    with_conversation(&rig).await;
    rig.say(1).await;
    let store = rig.store.clone();
    rig.log.stop();
    let recorder = Arc::new(Recorder::default());
    let config = LogConfig {
        epoch: Epoch::new("e2").unwrap(),
        clock: Arc::new(|| UnixMillis(1_795_000_000_000 + 48 * 3_600_000)),
        fan_out: recorder.clone(),
        fatal: Arc::new(|_| {}),
    };
    let mut writer = writer::Writer::new(store, config, Arc::default());
    writer.open(&org()).unwrap();
    writer.sweep().unwrap();
    writer.sweep().unwrap();
    let kinds: Vec<String> = recorder
        .commits
        .lock()
        .unwrap()
        .iter()
        .flat_map(|commit| commit.appended.clone())
        .map(|event| otter_proto::event::RecordedEvent::parse(&event.text).unwrap().kind)
        .collect();
    assert_eq!(kinds, ["command.updated", "message.deliveryChanged"]);
}

#[tokio::test]
async fn in_a_thousand_interleavings_of_coming_and_going_the_newest_attachment_stays() {
    let rig = Rig::new(Recorder::default());
    with_conversation(&rig).await;
    let handle = rig.log.handle();
    let mut dice = 7_u64;
    let mut roll = |sides: usize| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(dice >> 33).unwrap() % sides
    };
    let mut newest = rig.attach().await.lease;
    let mut older = Vec::new();
    for _ in 0..1_000 {
        let late = older.get(roll(older.len().max(1))).copied();
        match (roll(3), late) {
            (0, Some(lease)) => handle.detached(&org(), &instance(), lease),
            (1, Some(lease)) => handle.disconnected(&org(), &instance(), lease, "lost").await.unwrap(),
            _ => older.push(std::mem::replace(&mut newest, rig.attach().await.lease)),
        }
    }
    assert!(older.len() > 100 && !older.contains(&newest));
    rig.say(1).await;
    assert_eq!(rig.dispatched().last(), Some(&vec![command(1)]));
    let page = rig.store.snapshot_page(&org(), &Scope::Org, None, usize::MAX).unwrap();
    let row = page.rows.iter().find(|row| row.key.as_str() == "instance/in_1").unwrap();
    assert!(row.text.contains(r#""connection":"online""#), "{}", row.text);
    handle.disconnected(&org(), &instance(), newest, "lost").await.unwrap();
    let page = rig.store.snapshot_page(&org(), &Scope::Org, None, usize::MAX).unwrap();
    let row = page.rows.iter().find(|row| row.key.as_str() == "instance/in_1").unwrap();
    assert!(row.text.contains(r#""connection":"offline""#), "its own end counts: {}", row.text);
}
