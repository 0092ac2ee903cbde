//! An outage after which the gateway's list of sessions is slow, long, moving or of another time than before.

use otter_client_native::openclaw::{RpcCall, RpcError, RpcResult};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{MAIN, answer_row, attached, history, live_row, session_row, user_row};
use crate::bench::{Bench, World};

/// A prompt and its answer for each of these turns of a session.
fn rows(name: &str, turns: u64) -> Vec<Value> {
    let turn = |n: u64| {
        let key = format!("{name}{n}");
        [user_row(&key, &format!("ask {n}"), 2 * n - 1), answer_row(&key, &format!("say {n}"), "stop", 2 * n)]
    };
    (1..=turns).flat_map(turn).collect()
}

/// The messages of these turns, in their order.
fn turns(name: &str, range: std::ops::RangeInclusive<u64>) -> Vec<String> {
    range.flat_map(|n| [format!("{name}{n}:user"), format!("{name}{n}:answer")]).collect()
}

fn world(turns: u64, at: u64) -> World {
    let mut world = World::new("b1");
    world.sessions = vec![session_row(false, at)];
    world.histories = vec![(MAIN, history(&rows("k", turns), false))];
    world
}

fn told(bench: &Bench) -> Vec<String> {
    bench.of_kind("message.created").into_iter().map(|(id, _)| id).collect()
}

/// A bridge that followed the main session for a turn and was away since.
fn away() -> Bench {
    let mut bench = attached();
    bench.attach(&world(1, 1_795_355_000_001));
    assert_eq!(told(&bench), turns("k", 1..=1));
    let mut bench = bench.restarted();
    bench.tick(1_795_355_950_000);
    bench
}

/// Makes the reads that wait, those of the list with another outcome.
fn read(bench: &mut Bench, world: &World, mut list: impl FnMut(&mut Bench, &RpcCall) -> RpcResult) {
    while let Some((id, call)) = bench.attachment.poll_call(&bench.observed, bench.now) {
        let result = match call {
            RpcCall::SessionsList { .. } => list(bench, &call),
            _ => world.answer(&call).ok_or(RpcError::Timeout),
        };
        let outputs = bench.attachment.handle_response(id, result, &mut bench.observed, bench.now);
        bench.emit(outputs);
    }
}

fn refusal(retryable: bool) -> RpcError {
    RpcError::Refused {
        code: "UNAVAILABLE".into(),
        message: "no".into(),
        retryable,
        retry_after: None,
        details: Value::Null,
    }
}

#[test]
fn a_list_that_does_not_come_is_asked_for_until_it_does_ever_more_rarely() {
    for error in [RpcError::Timeout, refusal(true)] {
        let mut bench = away();
        bench.attachment.handle_ready(Some("b1"), &mut bench.observed);
        let meanwhile = world(2, 1_795_355_940_000);
        let (start, mut asked) = (bench.now.at.0, Vec::new());
        while asked.len() < 8 {
            read(&mut bench, &meanwhile, |bench, _| {
                asked.push((bench.now.at.0 - start) / 1_000);
                Err(error.clone())
            });
            assert_eq!(bench.attachment.is_done(), asked.len() >= 3, "commands wait only so long: {asked:?}");
            let due = bench.attachment.poll_timeout().unwrap();
            bench.tick(due.0);
        }
        assert_eq!(asked, [0, 2, 6, 14, 30, 62, 126, 190]);
        // What is said meanwhile does not hide what was said before.
        bench.event("session.message", &live_row(&rows("k", 3)[4]));
        bench.read(&world(3, 1_795_355_990_000));
        assert!(bench.attachment.is_done());
        let mut all = told(&bench);
        assert_eq!(all.remove(0), "k3:user");
        all.dedup();
        let expected = [turns("k", 2..=2), turns("k", 3..=3)].concat();
        assert_eq!(all, expected);
    }
}

#[test]
fn a_list_that_is_refused_leaves_every_history_to_be_read_later() {
    let mut bench = away();
    bench.attachment.handle_ready(Some("b1"), &mut bench.observed);
    read(&mut bench, &world(2, 1_795_355_940_000), |_, _| Err(refusal(false)));
    assert!(bench.attachment.is_done());
    bench.event("session.message", &live_row(&rows("k", 3)[4]));
    bench.event("sessions.changed", &json!({"session": session_row(true, 1_795_355_945_000)}));
    bench.out.clear();
    let mut bench = bench.restarted();
    bench.attach(&world(3, 1_795_355_945_000));
    assert_eq!(told(&bench), turns("k", 2..=3));
}

#[test]
fn a_list_that_is_refused_at_the_very_first_attach_leaves_the_first_import_to_the_next() {
    let mut bench = Bench::new();
    bench.tick(1_795_355_950_000);
    bench.attachment.handle_ready(Some("b1"), &mut bench.observed);
    read(&mut bench, &world(1, 1_795_355_940_000), |_, _| Err(refusal(false)));
    assert!(bench.attachment.is_done());
    let mut many = world(60, 1_795_355_940_000);
    many.histories[0].1["paged"] = json!(true);
    let calls = bench.attach(&many);
    let limits: Vec<Value> = calls
        .iter()
        .filter(|call| call.method() == "chat.history")
        .map(|call| call.params()["limit"].clone())
        .collect();
    assert_eq!((told(&bench), limits), (turns("k", 36..=60), vec![json!(50)]));
}

fn row(key: &str, at: u64) -> Value {
    json!({"key": key, "agentId": "main", "hasActiveRun": false, "updatedAt": at, "snapshotAt": at, "sessionId": "s1"})
}

fn history_of(key: &str, name: &str, turns: u64) -> Value {
    let mut payload = history(&rows(name, turns), false);
    payload["sessionKey"] = json!(key);
    payload
}

#[test]
fn of_more_changed_sessions_than_are_read_at_once_the_rest_is_read_later() {
    let name = |n: u64| format!("d{n}-");
    let keys: Vec<&'static str> = (0..120).map(|n| &*format!("agent:main:dashboard:{n}").leak()).collect();
    let world = |turns: u64, at: u64| {
        let mut world = World::new("b1");
        world.sessions = (0..).zip(&keys).map(|(n, key)| row(key, at + n)).collect();
        world.histories = (0..).zip(&keys).map(|(n, key)| (*key, history_of(key, &name(n), turns))).collect();
        world
    };
    let mut bench = attached();
    for (n, key) in (0..).zip(&keys) {
        bench.event("sessions.changed", &json!({"session": row(key, 1_000 + n)}));
        let mut message = live_row(&rows(&name(n), 1)[0]);
        message["sessionKey"] = json!(key);
        bench.event("session.message", &message);
    }
    let mut bench = bench.restarted();
    bench.tick(1_795_355_950_000);
    bench.attach(&world(2, 900_000));
    let second = |n: u64| format!("{}2:user", name(n));
    let missing: Vec<u64> = (0..120).filter(|n| !told(&bench).contains(&second(*n))).collect();
    assert_eq!(missing, (0..20).collect::<Vec<u64>>(), "the quietest wait");
    // A live row of one that waits does not hide what was said before it.
    let mut message = live_row(&rows(&name(0), 3)[4]);
    message["sessionKey"] = json!(keys[0]);
    bench.event("session.message", &message);
    // One is read when it is next heard of, the others at the next attach although nothing changed in them.
    bench.event("sessions.changed", &json!({"session": row(keys[1], 901_000)}));
    bench.read(&world(2, 900_000));
    assert!(told(&bench).contains(&second(1)));
    let mut bench = bench.restarted();
    let calls = bench.attach(&world(2, 900_000));
    let reads = calls.iter().filter(|call| call.method() == "chat.history").count();
    let missing: Vec<u64> = (0..20).filter(|n| *n != 1 && !told(&bench).contains(&second(*n))).collect();
    assert_eq!((missing, reads), (vec![], 19));
}

#[test]
fn new_sessions_that_are_too_many_to_read_at_once_are_read_from_their_first_row_later() {
    let keys: Vec<&'static str> = (0..101).map(|n| &*format!("agent:main:dashboard:{n}").leak()).collect();
    let mut world = World::new("b1");
    world.sessions = (0..).zip(&keys).map(|(n, key)| row(key, 900_000 + n)).collect();
    world.histories = keys.iter().map(|key| (*key, history_of(key, key, 0))).collect();
    let mut payload = history_of(keys[0], "k", 150);
    payload["paged"] = json!(true);
    world.histories[0].1 = payload;
    let mut bench = attached();
    bench.attach(&world);
    assert_eq!(told(&bench), Vec::<String>::new());
    bench.attach(&world);
    assert_eq!(told(&bench), turns("k", 1..=150));
}

#[test]
fn a_session_that_moves_between_two_pages_of_the_list_is_not_gone() {
    let moving = "agent:main:dashboard:1";
    let gone = "agent:main:dashboard:2";
    let mut world = World::new("b1");
    world.sessions = vec![row(MAIN, 10), row(moving, 9), row(gone, 8)];
    world.histories = vec![(moving, history_of(moving, "k", 1))];
    let mut bench = attached();
    bench.attach(&world);
    let mut bench = bench.restarted();
    bench.tick(1_795_355_950_000);
    world.histories = vec![(moving, history_of(moving, "k", 2))];
    bench.attachment.handle_ready(Some("b1"), &mut bench.observed);
    read(&mut bench, &world, |bench, call| {
        if call.params()["offset"] == json!(1) {
            // It was second and is first since something was said there; the second page begins with what was first.
            bench.event("sessions.changed", &json!({"session": row(moving, 30)}));
            return Ok(json!({"sessions": [row(MAIN, 20)], "hasMore": false}));
        }
        Ok(json!({"sessions": [row(MAIN, 20)], "hasMore": true, "nextOffset": 1}))
    });
    let ended: Vec<String> = bench.of_kind("session.ended").into_iter().map(|(id, _)| id).collect();
    let conversation = |key: &str| {
        let key = otter_client_native::openclaw::SessionKey::new(key);
        crate::bench::conversation(&key).to_string().replace("in_test:", "")
    };
    assert_eq!((ended, told(&bench)), (vec![conversation(gone)], turns("k", 2..=2)));
}

#[test]
fn histories_are_read_although_the_gateways_clock_was_put_back() {
    let mut bench = away();
    let hour = 3_600_000;
    let mut put_back = world(2, 1_795_355_950_000 - hour);
    put_back.boot = "b2";
    bench.attach(&put_back);
    assert_eq!(told(&bench), turns("k", 2..=2));
    bench.tick(bench.now.at.0 + 1_000);
    let activity =
        |bench: &Bench| bench.of_kind("session.upserted").pop().unwrap().1["lastActivityAt"].clone();
    assert_eq!(activity(&bench), json!("2026-11-22T12:59:10.000Z"));
    // A row that is a moment late is still the older one.
    bench.out.clear();
    let mut late = session_row(true, 1_795_355_950_000 - hour - 1);
    late["model"] = json!("other");
    bench.event("sessions.changed", &json!({"session": late}));
    assert_eq!(bench.published(), []);
}
