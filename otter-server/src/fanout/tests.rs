use std::collections::BTreeMap as Map;

use otter_proto::connection::server::Piece;
use otter_proto::frame::CommandDispatch;
use otter_proto::id::{BootId, CommandId, Epoch};
use otter_proto::limits::MAX_OPEN_COMMANDS;
use otter_proto::wire::Json;
use pretty_assertions::assert_eq;

use super::*;
use crate::ring::Recent;

fn org() -> OrgId {
    OrgId::new("org_1").unwrap()
}

fn scope(text: &str) -> Scope {
    Scope::parse(text).unwrap()
}

fn instance() -> InstanceId {
    InstanceId::new("in_1").unwrap()
}

fn commit(events: &[(&str, u64, u64)]) -> Commit {
    let event = |&(of, prev, seq): &(&str, u64, u64)| Appended {
        scope: scope(of),
        seq,
        prev,
        text: Arc::from(format!("{{\"seq\":{seq}}}")),
    };
    Commit {
        org: org(),
        epoch: Epoch::new("e1").unwrap(),
        head: events.last().map_or(0, |(_, _, seq)| *seq),
        appended: events.iter().map(event).collect(),
        hashes: Map::new(),
        dispatch: Vec::new(),
        removed: Vec::new(),
    }
}

fn command(n: usize) -> CommandDispatch {
    CommandDispatch {
        id: CommandId::new(&format!("c{n}")).unwrap(),
        kind: "message.send".into(),
        data: Json::trusted("{}".into()),
        by: Json::trusted("{}".into()),
        address: None,
        ttl_ms: 1,
        cancel: false,
    }
}

fn spans(feed: &ScopeFeed, after: u64) -> Option<Vec<(u64, u64)>> {
    match feed.after(after, u64::MAX) {
        Recent::Pieces { pieces, .. } => {
            Some(pieces.iter().map(|Piece { prev, last, .. }| (*prev, *last)).collect())
        }
        Recent::Behind => None,
    }
}

#[test]
fn a_commit_wakes_the_subscribers_of_its_scopes_and_no_others() {
    let fanout = Fanout::new();
    let feed = fanout.org(&org());
    let (here, there) = (Arc::new(Inbox::default()), Arc::new(Inbox::default()));
    let of_org = feed.subscribe(&Scope::Org, 1, &here);
    feed.subscribe(&scope("conversation/c"), 2, &there);
    of_org.raise_head(3);
    fanout.committed(&commit(&[("org", 3, 4), ("conversation/d", 0, 5), ("org", 4, 6)]));
    assert_eq!(here.take().scopes.into_iter().collect::<Vec<_>>(), [Scope::Org]);
    assert!(there.take().scopes.is_empty());
    assert_eq!((feed.watermark(), of_org.head()), (6, Some(6)));
    assert_eq!(spans(&of_org, 3), Some(vec![(3, 6)]));
    assert_eq!(spans(&of_org, 2), None);
}

#[test]
fn orgs_do_not_see_each_other() {
    let fanout = Fanout::new();
    let inbox = Arc::new(Inbox::default());
    let other = fanout.org(&OrgId::new("org_2").unwrap());
    let feed = other.subscribe(&Scope::Org, 1, &inbox);
    fanout.committed(&commit(&[("org", 0, 1)]));
    assert!(inbox.take().scopes.is_empty());
    assert_eq!((feed.head(), other.watermark()), (None, 0));
}

#[test]
fn the_watermark_moves_also_when_nobody_follows_the_scope() {
    let fanout = Fanout::new();
    fanout.committed(&commit(&[("org", 0, 9)]));
    assert_eq!(fanout.org(&org()).watermark(), 9);
}

#[test]
fn a_ring_outlives_its_subscribers_for_a_while() {
    let fanout = Fanout::new();
    let feed = fanout.org(&org());
    let inbox = Arc::new(Inbox::default());
    let of_org = feed.subscribe(&Scope::Org, 1, &inbox);
    feed.unsubscribe(&Scope::Org, 1);
    fanout.committed(&commit(&[("org", 0, 1)]));
    assert!(inbox.take().scopes.is_empty());
    let again = feed.subscribe(&Scope::Org, 2, &inbox);
    assert!(Arc::ptr_eq(&of_org, &again));
    assert_eq!(spans(&again, 0), Some(vec![(0, 1)]));
}

#[test]
fn idle_scopes_go_after_their_time_and_beyond_their_number() {
    let feed = OrgFeed::new();
    let inbox = Arc::new(Inbox::default());
    for n in 0..4_000 {
        let of = scope(&format!("conversation/{n}"));
        feed.subscribe(&of, 1, &inbox);
        feed.unsubscribe(&of, 1);
    }
    feed.subscribe(&Scope::Org, 1, &inbox);
    assert!(locked(&feed.scopes).feeds.len() <= 2 * MAX_IDLE + 1);
    locked(&feed.scopes).sweep(Instant::now() + IDLE);
    assert_eq!(locked(&feed.scopes).feeds.keys().cloned().collect::<Vec<_>>(), [Scope::Org]);
}

#[test]
fn signals_that_do_not_fit_are_kept_as_keys() {
    let inbox = Inbox::default();
    let signal = |key: &str, number, bytes| {
        let frame = Arc::from("x".repeat(bytes));
        Arc::new(QueuedSignal { scope: Scope::Org, key: key.into(), number, frame })
    };
    for number in 0..10 {
        inbox.signal(&signal("a", number, 100 << 10));
    }
    inbox.signal(&signal("a", 10, 1));
    inbox.signal(&signal("b", 11, 1));
    let news = inbox.take();
    let numbers: Vec<_> = news.signals.iter().map(|signal| signal.number).collect();
    assert_eq!(numbers, [0, 1, 11], "what follows a hole of its key waits for the latest");
    assert_eq!(news.stale.into_iter().collect::<Vec<_>>(), [(Scope::Org, "a".to_owned())]);
    inbox.signal(&signal("a", 12, 1));
    assert_eq!(inbox.take().signals.len(), 1);
}

#[test]
fn commands_reach_the_holder_of_the_seat_and_too_many_ask_for_a_reread() {
    let fanout = Fanout::new();
    let inbox = Arc::new(Inbox::default());
    let boot = BootId::new("b1").unwrap();
    let seat = fanout.org(&org()).seat(&instance());
    let dispatch = |n| Commit { dispatch: vec![(instance(), command(n))], ..commit(&[]) };
    fanout.committed(&dispatch(0));
    seat.take(Holder { connection: 7, boot, inbox: Arc::clone(&inbox) });
    for n in 0..=MAX_OPEN_COMMANDS {
        fanout.committed(&dispatch(n));
    }
    let news = inbox.take();
    assert_eq!((news.commands.len(), news.reread), (MAX_OPEN_COMMANDS, true));
}

#[test]
fn a_late_end_of_an_older_connection_leaves_the_newer_one_in_place() {
    let seat = Seat::default();
    let holder = |connection| Holder {
        connection,
        boot: BootId::new("b1").unwrap(),
        inbox: Arc::new(Inbox::default()),
    };
    seat.take(holder(1));
    seat.take(holder(2));
    seat.leave(1);
    assert_eq!(seat.holder().map(|holder| holder.connection), Some(2));
    seat.leave(2);
    assert!(seat.holder().is_none());
}

/// What may happen to a mailbox at any moment.
#[derive(Debug, Clone, Copy)]
enum Happening {
    News,
    Signal,
    Command,
    Probe,
    End,
}

/// One way in which a connection and everybody else take their turns: `true` is the connection's.
fn interleaved(turns: &[bool], happenings: &[Happening]) -> usize {
    let inbox = Inbox::default();
    let mut waiting: Option<std::pin::Pin<Box<dyn Future<Output = ()> + '_>>> = None;
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    let (mut left, mut taken) = (happenings.iter(), 0);
    let mut turn = |is_connection: bool| {
        if !is_connection {
            match left.next() {
                Some(Happening::News) => inbox.news(&Scope::Org),
                Some(Happening::Signal) => {
                    let frame = Arc::from("x");
                    inbox.signal(&Arc::new(QueuedSignal {
                        scope: Scope::Org,
                        key: "k".into(),
                        number: 1,
                        frame,
                    }));
                }
                Some(Happening::Command) => inbox.command(&command(1)),
                Some(Happening::Probe) => drop(inbox.probe()),
                Some(Happening::End) => {
                    inbox.end(End { code: CloseCode::Drain, reason: String::new() });
                }
                None => {}
            }
            return;
        }
        // As the driver's select does: one poll of the wait, then everything is taken. Another branch that was ready
        // drops the wait, which must not lose what it was told.
        let future = waiting.get_or_insert_with(|| Box::pin(inbox.wait()));
        if future.as_mut().poll(&mut cx).is_ready() {
            waiting = None;
            let news = inbox.take();
            taken += news.scopes.len() + news.signals.len() + news.commands.len() + news.probes.len();
            taken += usize::from(news.end.is_some());
        } else if turns.len().is_multiple_of(2) {
            waiting = None;
        }
    };
    for is_connection in turns {
        turn(*is_connection);
    }
    // Everybody else is done; the connection runs until nothing wakes it any more.
    for _ in 0..4 {
        turn(true);
    }
    taken
}

#[test]
fn no_interleaving_of_waiting_and_news_loses_a_wake_up() {
    use Happening::{Command, End, News, Probe, Signal};
    for happenings in [[News, Signal, End], [Command, Probe, End], [End, News, Command], [Probe, End, Signal]]
    {
        for length in 3..=10 {
            for bits in 0_u32..1 << length {
                let turns: Vec<bool> = (0..length).map(|at| bits >> at & 1 == 1).collect();
                if turns.iter().filter(|is_connection| !**is_connection).count() == happenings.len() {
                    assert_eq!(interleaved(&turns, &happenings), 3, "{turns:?} {happenings:?}");
                }
            }
        }
    }
}

#[test]
fn no_wake_up_is_lost_between_threads() {
    let inbox = Arc::new(Inbox::default());
    let (rounds, seen) = (20_000_u64, Arc::new(AtomicU64::new(0)));
    let (producer, done) = (Arc::clone(&inbox), Arc::clone(&seen));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let thread = std::thread::spawn(move || {
        for round in 1..=rounds {
            producer.news(&scope(&format!("conversation/{round}")));
            // The next one only after this was heard: a lost wake-up would be for ever.
            while done.load(Ordering::Acquire) < round {
                std::thread::yield_now();
            }
        }
    });
    runtime.block_on(async {
        while seen.load(Ordering::Acquire) < rounds {
            let woken = tokio::time::timeout(Duration::from_secs(10), inbox.wait()).await;
            assert!(woken.is_ok(), "nobody wakes the connection");
            seen.fetch_add(inbox.take().scopes.len() as u64, Ordering::AcqRel);
        }
    });
    thread.join().unwrap();
}
