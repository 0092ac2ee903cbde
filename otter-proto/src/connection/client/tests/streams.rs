use pretty_assertions::assert_eq;

use super::*;

const RUNNING: (&str, u64, &str) = ("run/in_1:r", 5, r#"{"state":"running"}"#);

fn running() -> Bench {
    let mut bench = Bench::online(&[CONVERSATION]);
    bench.snapshot(CONVERSATION, 1, 10, &[RUNNING]);
    bench.told();
    bench
}

fn delta(offset: u64, text: &str) -> String {
    format!(
        r#"{{"type":"signal","scope":"{CONVERSATION}","kind":"message.delta","data":{{"runId":"in_1:r","offset":{offset},"text":"{text}"}}}}"#
    )
}

fn answer(seq: u64) -> String {
    let key = "message/in_1:r:answer";
    events(CONVERSATION, &[put(CONVERSATION, seq, 10, key, r#"{"text":"hello world"}"#)])
}

#[test]
fn the_end_of_a_slot_and_its_answer_come_with_one_message() {
    let mut bench = running();
    bench.hears(&delta(0, "hello"));
    bench.hears(&delta(5, " wor"));
    assert_eq!(bench.gist(), [r#"slot in_1:r 0 Some("hello")"#, r#"slot in_1:r 5 Some(" wor")"#]);
    bench.hears(&answer(11));
    assert_eq!(bench.gist(), ["changed message/in_1:r:answer", "slot in_1:r 0 None", "event 11"]);
    bench.hears(&delta(9, "ld"));
    bench.hears(&delta(0, "hello world"));
    assert_eq!(bench.gist(), Vec::<String>::new());
}

#[test]
fn a_client_with_a_hole_waits_for_the_whole_text() {
    let mut bench = running();
    bench.hears(&delta(3, "lo"));
    assert_eq!(bench.gist(), Vec::<String>::new());
    bench.hears(&delta(0, "hello"));
    bench.hears(&delta(9, "x"));
    assert_eq!(bench.gist(), [r#"slot in_1:r 0 Some("hello")"#]);
}

#[test]
fn a_reconnect_keeps_the_shown_text_of_an_open_run() {
    let mut bench = running();
    bench.hears(&delta(0, "hello"));
    bench.reconnect();
    bench.welcome();
    bench.told();
    bench.hears(&subscribed(CONVERSATION, 2, 10, "resumed"));
    bench.hears(&delta(5, " there"));
    assert_eq!(bench.gist(), [format!("{CONVERSATION} Live None")]);
    bench.hears(&delta(0, "hello there"));
    assert_eq!(bench.gist(), [r#"slot in_1:r 5 Some(" there")"#]);
}

#[test]
fn a_text_whose_run_ended_meanwhile_goes_with_the_swap() {
    let mut bench = running();
    bench.hears(&delta(0, "hello"));
    bench.reconnect();
    bench.welcome();
    bench.told();
    bench.snapshot(CONVERSATION, 2, 20, &[("message/in_1:r:answer", 18, r#"{"text":"hello world"}"#)]);
    let want = [
        "changed message/in_1:r:answer",
        "slot in_1:r 0 None",
        "changed run/in_1:r",
        "conversation/in_1:c Live None",
    ];
    assert_eq!(bench.gist(), want);
}

#[test]
fn notices_of_scopes_that_are_not_followed_are_ignored() {
    let mut bench = running();
    bench.hears(r#"{"type":"signal","scope":"org","kind":"instance.heartbeat","data":{}}"#);
    assert_eq!(bench.gist(), Vec::<String>::new());
    bench.hears(&format!(
        r#"{{"type":"signal","scope":"{CONVERSATION}","kind":"run.progress","data":{{"runId":"in_1:r"}}}}"#
    ));
    assert_eq!(bench.gist(), ["signal run.progress"]);
}

#[test]
fn signals_wait_for_nothing() {
    let mut bench = running();
    let data = Json::new("{}").unwrap();
    bench.machine.signal(scope("org"), "typing", data.clone());
    assert_eq!(bench.said(), [r#"{"type":"signal","scope":"org","kind":"typing","data":{}}"#]);
    bench.closed(1006);
    bench.machine.signal(scope("org"), "typing", data);
    assert_eq!((bench.said(), bench.machine.counters().dropped_signals), (vec![], 1));
}

#[test]
fn signals_of_an_earlier_subscription_are_over_before_those_in_force_are_told() {
    let mut bench = running();
    let progress = format!(
        r#"{{"type":"signal","scope":"{CONVERSATION}","kind":"run.progress","data":{{"runId":"in_1:r"}}}}"#
    );
    bench.hears(&progress);
    bench.told();
    for expected in [true, false] {
        bench.reconnect();
        bench.welcome();
        bench.told();
        bench.snapshot(CONVERSATION, 2, 20, &[]);
        let gist = bench.gist();
        assert_eq!(gist.iter().any(|word| word == "signals over conversation/in_1:c"), expected, "{gist:?}");
    }
}
