//! Which commands go out, and when: their length, and their turn.

use pretty_assertions::assert_eq;

use super::*;

const FLOOR: usize = 1 << 20;

/// A message whose frame has this many bytes.
fn sized(command: &str, bytes: usize) -> Json {
    let around = format!(
        r#"{{"type":"command","id":"{command}","kind":"message.send","data":{{"conversationId":"in_1:c","text":""}}}}"#
    );
    let text = "x".repeat(bytes - around.len());
    Json::new(&format!(r#"{{"conversationId":"in_1:c","text":"{text}"}}"#)).unwrap()
}

fn say(bench: &mut Bench, command: &str, bytes: usize) {
    bench.machine.command(id(command), "message.send", sized(command, bytes), bench.now);
}

fn lengths(bench: &mut Bench) -> Vec<usize> {
    bench.said().iter().filter(|frame| frame.contains(r#""type":"command""#)).map(String::len).collect()
}

fn state(bench: &Bench, command: &str) -> CommandState {
    bench.machine.command_state(&id(command)).cloned().unwrap()
}

fn too_long(bytes: usize) -> CommandState {
    let words = format!("a command has at most {bytes} bytes in all");
    CommandState::Refused(ErrorBody::new(ErrorCode::TooLarge, words))
}

#[test]
fn a_command_that_no_message_may_hold_is_refused_here_and_never_sent() {
    let mut bench = Bench::online(&[CONVERSATION]);
    bench.snapshot(CONVERSATION, 1, 10, &[]);
    say(&mut bench, "c1", FLOOR);
    say(&mut bench, "c2", FLOOR + 1);
    assert_eq!(lengths(&mut bench), [FLOOR]);
    assert_eq!((state(&bench, "c1"), state(&bench, "c2")), (CommandState::Sent, too_long(FLOOR)));
    // Its words stay where they were written.
    assert!(bench.text(CONVERSATION, "message/in_1:c2:user").is_some_and(|text| text.len() > FLOOR / 2));
    bench.reconnect();
    bench.welcome();
    assert_eq!(lengths(&mut bench), [FLOOR]);
    assert!(bench.machine.retry(&id("c2"), id("c3"), bench.now));
    assert_eq!((lengths(&mut bench), state(&bench, "c3")), (vec![], too_long(FLOOR)));
}

#[test]
fn the_limit_is_the_floor_before_a_welcome_and_then_what_the_last_one_said() {
    let mut bench = Bench::new(Role::Member);
    say(&mut bench, "c1", FLOOR + 1);
    say(&mut bench, "c2", FLOOR);
    assert_eq!((state(&bench, "c1"), state(&bench, "c2")), (too_long(FLOOR), CommandState::Held));
    bench.machine.start(bench.now);
    bench.open();
    bench.welcome_with(2 * FLOOR);
    assert_eq!(lengths(&mut bench), [FLOOR]);
    say(&mut bench, "c3", 2 * FLOOR);
    assert_eq!(lengths(&mut bench), [2 * FLOOR]);
    bench.closed(1006);
    say(&mut bench, "c4", 2 * FLOOR);
    assert_eq!(state(&bench, "c4"), CommandState::Held);
    bench.until_open();
    bench.open();
    bench.told();
    bench.welcome_with(FLOOR);
    assert_eq!(lengths(&mut bench), [FLOOR]);
    let refused: Vec<String> = bench.gist().into_iter().filter(|word| word.contains("refused")).collect();
    assert_eq!(refused, ["command c3 refused tooLarge", "command c4 refused tooLarge"]);
    assert_eq!((state(&bench, "c3"), state(&bench, "c4")), (too_long(FLOOR), too_long(FLOOR)));
}

#[test]
fn a_signal_as_long_as_a_queue_is_dropped() {
    let mut bench = Bench::online(&["org"]);
    let data = Json::new(&format!(r#"{{"a":"{}"}}"#, "x".repeat(FLOOR))).unwrap();
    bench.machine.signal(Scope::Org, "acme.wave", data);
    assert_eq!((bench.said(), bench.machine.counters().dropped_signals), (vec![], 1));
}

fn mark(bench: &mut Bench, n: usize) {
    let (kind, data) = match n % 3 {
        0 => ("feed.markRead", format!(r#"{{"itemIds":["in_1:f{n}"]}}"#)),
        1 => ("feed.archive", format!(r#"{{"archived":true,"itemIds":["in_1:f{n}"]}}"#)),
        _ => ("conversation.markRead", format!(r#"{{"conversationId":"in_1:c","messageCount":{n}}}"#)),
    };
    bench.machine.command(id(&format!("m{n}")), kind, Json::new(&data).unwrap(), bench.now);
}

fn stop(bench: &mut Bench, command: &str) {
    let data = Json::new(r#"{"conversationId":"in_1:c","runId":"in_1:r"}"#).unwrap();
    bench.machine.command(id(command), "run.abort", data, bench.now);
}

/// The ids of the commands that went out, in their order.
fn gone(bench: &mut Bench) -> Vec<String> {
    let of = |frame: &String| {
        Some(frame.strip_prefix(r#"{"type":"command","id":""#)?.split('"').next()?.to_owned())
    };
    bench.said().iter().filter_map(of).collect()
}

fn names(letter: &str, numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|n| format!("{letter}{n}")).collect()
}

#[test]
fn a_stop_and_a_message_wait_for_no_mark() {
    let mut bench = Bench::online(&[CONVERSATION]);
    (0..100).for_each(|n| mark(&mut bench, n));
    let first = gone(&mut bench);
    assert_eq!(first, names("m", 0..first.len()));
    stop(&mut bench, "s0");
    say(&mut bench, "c0", 200);
    assert_eq!(gone(&mut bench), ["s0", "c0"]);
    // In the line of a connection that comes back they are first, too, each kind in its order.
    bench.closed(1006);
    bench.machine.command(id("c1"), "message.send", sized("c1", 200), bench.now);
    mark(&mut bench, 100);
    say(&mut bench, "c2", 200);
    bench.until_open();
    bench.open();
    bench.said();
    bench.welcome();
    let again = gone(&mut bench);
    assert_eq!(again[..4], ["s0", "c0", "c1", "c2"]);
    assert_eq!(again[4..], names("m", 0..again.len() - 4));
}

#[test]
fn marks_go_out_as_fast_as_before_but_for_what_is_kept_for_others() {
    let mut bench = Bench::online(&[]);
    (0..40).for_each(|n| mark(&mut bench, n));
    assert_eq!(gone(&mut bench), names("m", 0..23));
    // The timer fires when the next one may go, and not before.
    assert_eq!(bench.machine.poll_timeout(), Some(Instant(2_000)));
    bench.after(1_999);
    assert_eq!(gone(&mut bench), Vec::<String>::new());
    bench.after(1);
    assert_eq!(gone(&mut bench), ["m23"]);
    (0..7).for_each(|n| stop(&mut bench, &format!("s{n}")));
    assert_eq!(gone(&mut bench), names("s", 0..7));
    // Nothing is kept any more: the next stop has the next turn.
    stop(&mut bench, "s7");
    assert_eq!((gone(&mut bench), bench.machine.poll_timeout()), (vec![], Some(Instant(4_000))));
    bench.after(2_000);
    assert_eq!(gone(&mut bench), ["s7"]);
}

#[test]
fn marks_without_number_refuse_marks_and_nothing_else() {
    let mut bench = Bench::online(&[]);
    bench.closed(1006);
    (0..201).for_each(|n| mark(&mut bench, n));
    say(&mut bench, "c0", 200);
    let refused = |state: CommandState| matches!(state, CommandState::Refused(error) if error.code == ErrorCode::TooManyOpen);
    assert_eq!((state(&bench, "m199"), state(&bench, "c0")), (CommandState::Held, CommandState::Held));
    assert!(refused(state(&bench, "m200")));
    (1..201).for_each(|n| say(&mut bench, &format!("c{n}"), 200));
    assert_eq!(state(&bench, "c199"), CommandState::Held);
    assert!(refused(state(&bench, "c200")));
}
