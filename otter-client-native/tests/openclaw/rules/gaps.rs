//! What happened while the bridge was away is read as a whole, or its absence is shown.

use otter_client_native::openclaw::{RpcCall, RpcError};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{MAIN, agent, answer_row, attached, history, live_row, session_row, start, user_row};
use crate::bench::{Bench, World};

/// A world whose main session has so many prompts, each with its answer, and is read in pages.
fn long(turns: u64) -> World {
    let turn = |n: u64| {
        let key = format!("k{n}");
        [user_row(&key, &format!("ask {n}"), 2 * n - 1), answer_row(&key, &format!("say {n}"), "stop", 2 * n)]
    };
    let rows: Vec<Value> = (1..=turns).flat_map(turn).collect();
    let mut payload = history(&rows, false);
    payload["paged"] = json!(true);
    let mut world = World::new("b1");
    world.sessions = vec![session_row(false, 1_795_355_000_000 + turns)];
    world.histories = vec![(MAIN, payload)];
    world
}

fn told(bench: &Bench) -> Vec<String> {
    bench.of_kind("message.created").into_iter().map(|(id, _)| id).collect()
}

/// The messages of these turns, in their order.
fn turns(range: std::ops::RangeInclusive<u64>) -> Vec<String> {
    range.flat_map(|n| [format!("k{n}:user"), format!("k{n}:answer")]).collect()
}

fn offsets(calls: &[RpcCall]) -> Vec<Value> {
    let reads = calls.iter().filter(|call| matches!(call, RpcCall::ChatHistory { .. }));
    reads.map(|call| call.params()["offset"].clone()).collect()
}

/// A bridge that saw the first turn and was away since.
fn away() -> Bench {
    let mut bench = Bench::new();
    bench.tick(1_795_355_000_000);
    bench.attach(&long(1));
    assert_eq!(told(&bench), turns(1..=1));
    bench.restarted()
}

#[test]
fn a_night_of_work_is_read_page_by_page_back_to_what_was_seen() {
    let mut bench = away();
    let calls = bench.attach(&long(700));
    assert_eq!(told(&bench), turns(2..=700));
    assert_eq!(offsets(&calls), [Value::Null, json!(200), json!(700), json!(1200)]);
    // Nothing is read twice.
    bench.out.clear();
    let calls = bench.attach(&long(700));
    assert_eq!((told(&bench), offsets(&calls)), (vec![], vec![]));
}

#[test]
fn a_session_that_began_while_nobody_was_there_is_read_from_its_first_row() {
    let mut bench = attached();
    bench.attach(&long(150));
    assert_eq!(told(&bench), turns(1..=150));
}

#[test]
fn the_first_attach_takes_the_newest_rows_only() {
    let mut bench = Bench::new();
    let calls = bench.attach(&long(150));
    assert_eq!((told(&bench), offsets(&calls)), (turns(126..=150), vec![Value::Null]));
}

#[test]
fn what_is_too_much_to_read_leaves_a_line_that_says_so() {
    let mut bench = away();
    bench.attach(&long(4_000));
    let messages = bench.of_kind("message.created");
    let (line, first) = (&messages[0], &messages[1]);
    assert_eq!((&line.1["author"], &line.1["status"]), (&json!({"type": "system"}), &json!("complete")));
    assert!(line.1["text"].as_str().unwrap().starts_with("Messages are missing here"), "{line:?}");
    assert_eq!(first.1["after"], json!(format!("in_test:{}", line.0)));
    assert_eq!(messages.last().unwrap().0, "k4000:answer");
    assert_eq!(messages.len(), 1 + 4_700, "every row that was read is told");
}

#[test]
fn a_row_that_came_between_two_pages_is_told_once() {
    let mut bench = away();
    bench.attachment.handle_ready(Some("b1"), &mut bench.observed);
    let (before, after) = (long(300), long(301));
    let mut pages = 0;
    while let Some((id, call)) = bench.attachment.poll_call(&bench.observed, bench.now) {
        pages += usize::from(matches!(call, RpcCall::ChatHistory { .. }));
        let payload = if pages > 1 { after.answer(&call) } else { before.answer(&call) };
        let outputs =
            bench.attachment.handle_response(id, Ok(payload.unwrap()), &mut bench.observed, bench.now);
        bench.emit(outputs);
    }
    assert_eq!(told(&bench), turns(2..=300), "the new turn is told by its own frames");
}

#[test]
fn an_import_that_breaks_off_between_two_pages_is_made_at_the_next_attach() {
    let mut bench = away();
    bench.attachment.handle_ready(Some("b1"), &mut bench.observed);
    let world = long(300);
    while let Some((id, call)) = bench.attachment.poll_call(&bench.observed, bench.now) {
        let is_later = call.params()["offset"].is_u64() && call.method() == "chat.history";
        let result = if is_later { Err(RpcError::Disconnected) } else { Ok(world.answer(&call).unwrap()) };
        let outputs = bench.attachment.handle_response(id, result, &mut bench.observed, bench.now);
        bench.emit(outputs);
    }
    assert_eq!(told(&bench), Vec::<String>::new());
    let mut bench = bench.restarted();
    bench.attach(&world);
    assert_eq!(told(&bench), turns(2..=300));
}

#[test]
fn a_gateway_without_pages_is_told_as_far_as_it_goes_with_the_line_of_what_is_missing() {
    let mut bench = away();
    bench.attachment.handle_ready(Some("b1"), &mut bench.observed);
    let world = long(300);
    let refused = RpcError::Refused {
        code: "INVALID_REQUEST".into(),
        message: "unknown property".into(),
        retryable: false,
        retry_after: None,
        details: Value::Null,
    };
    while let Some((id, call)) = bench.attachment.poll_call(&bench.observed, bench.now) {
        let is_later = call.params()["offset"].is_u64() && call.method() == "chat.history";
        let result = if is_later { Err(refused.clone()) } else { Ok(world.answer(&call).unwrap()) };
        let outputs = bench.attachment.handle_response(id, result, &mut bench.observed, bench.now);
        bench.emit(outputs);
    }
    let told = told(&bench);
    assert_eq!(told[1..], turns(201..=300));
    assert_eq!(bench.of_kind("message.created")[0].1["author"], json!({"type": "system"}));
}

fn cut_row(key: &str, raw_seq: u64) -> Value {
    let mut row = user_row(key, "The start of it", raw_seq);
    row["__openclaw"]["truncated"] = json!(true);
    row
}

#[test]
fn a_long_prompt_whose_text_was_not_read_in_time_is_told_after_a_restart() {
    let mut bench = away();
    bench.attach(&long(1));
    bench.event("session.message", &live_row(&cut_row("k2", 3)));
    bench.event("session.message", &live_row(&user_row("k3", "and another thing", 5)));
    // The process dies before the whole text is there.
    let mut bench = bench.restarted();
    let whole = "word ".repeat(2_000);
    let rows = [user_row("k2", &whole, 3), user_row("k3", "and another thing", 5)];
    let mut world = World::new("b1");
    world.sessions = vec![session_row(false, 1_795_355_000_001)];
    world.histories = vec![(MAIN, history(&rows, false))];
    bench.attach(&world);
    let texts: Vec<(String, Value)> =
        bench.of_kind("message.created").into_iter().map(|(id, data)| (id, data["text"].clone())).collect();
    assert_eq!(texts[0], ("k2:user".to_owned(), json!(whole)));
    // Now it is covered.
    bench.out.clear();
    let calls = bench.attach(&world);
    assert_eq!((told(&bench), offsets(&calls)), (vec![], vec![]));
}

#[test]
fn a_long_prompt_is_read_once_and_what_follows_moves_on() {
    let mut bench = away();
    let mut world = long(1);
    bench.attach(&world);
    bench.event("session.message", &live_row(&cut_row("k2", 3)));
    world.message = user_row("k2", &"word ".repeat(2_000), 3);
    let calls = bench.read(&world);
    assert_eq!(calls.iter().map(RpcCall::method).collect::<Vec<_>>(), ["chat.message.get"]);
    bench.event("session.message", &live_row(&user_row("k3", "and another thing", 4)));
    assert_eq!(told(&bench), ["k2:user", "k3:user"]);
    let mut bench = bench.restarted();
    let calls = bench.attach(&world);
    assert_eq!((told(&bench), offsets(&calls)), (vec![], vec![]));
}

#[test]
fn the_first_word_of_a_conversation_may_be_a_long_one() {
    let mut bench = attached();
    let mut row = live_row(&cut_row("k1", 1));
    row["sessionKey"] = json!("agent:main:dashboard:1");
    bench.event("session.message", &row);
    let mut world = World::new("b1");
    world.message = user_row("k1", &"word ".repeat(2_000), 1);
    bench.read(&world);
    let kinds: Vec<&str> = bench.published().into_iter().map(|(kind, ..)| kind).collect();
    assert_eq!(kinds, ["conversation.upserted", "message.created"]);
}

#[test]
fn one_run_too_many_ends_the_oldest_in_everybodys_sight() {
    let mut bench = attached();
    for n in 0..513 {
        let mut frame =
            agent(&format!("r{n}"), "lifecycle", &json!({"phase": "start", "startedAt": 1_000 + n}));
        frame["sessionKey"] = json!(format!("agent:main:dashboard:{n}"));
        bench.event("agent", &frame);
    }
    let failed = bench.of_kind("run.failed");
    assert_eq!(failed.len(), 1);
    assert_eq!((failed[0].0.as_str(), &failed[0].1["error"]["code"]), ("r0", &json!("lost")));
    bench.out.clear();
    start(&mut bench, "r0", "late");
    assert_eq!(bench.of_kind("run.started"), []);
}
