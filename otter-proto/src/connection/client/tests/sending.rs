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
