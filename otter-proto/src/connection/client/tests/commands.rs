use pretty_assertions::assert_eq;

use super::*;

const ROW: &str = "message/in_1:c1:user";
const PREDICTED: &str = r#"{"author":{"id":"mb_1","name":"Ada","type":"member"},"commandId":"c1","conversationId":"in_1:c","delivery":{"state":"pending"},"status":"complete","text":"hi"}"#;
const PROBE: &str = r#"{"type":"probe","n":1}"#;
const SENT: &str =
    r#"{"type":"command","id":"c1","kind":"message.send","data":{"conversationId":"in_1:c","text":"hi"}}"#;

fn say(bench: &mut Bench, command: &str) {
    let data = Json::new(r#"{"conversationId":"in_1:c","text":"hi"}"#).unwrap();
    bench.machine.command(id(command), "message.send", data, bench.now);
}

fn in_conversation() -> Bench {
    let mut bench = Bench::online(&["org", CONVERSATION]);
    bench.snapshot("org", 1, 10, &[]);
    bench.snapshot(CONVERSATION, 2, 10, &[]);
    bench.told();
    bench.said();
    bench
}

fn accepted(command: &str, at: u64) -> String {
    format!(
        r#"{{"type":"reply","id":"{command}","accepted":{{"epoch":"e1","at":{{"org":{},"{CONVERSATION}":{at}}}}}}}"#,
        at + 1
    )
}

fn created(seq: u64, prev: u64) -> String {
    recorded(
        CONVERSATION,
        seq,
        prev,
        &format!(r#"{{"op":"put","entity":"{ROW}"}}"#),
        PREDICTED,
        r#","causedBy":"c1""#,
    )
}

fn stage(seq: u64, prev: u64, stage: &str) -> String {
    put("org", seq, prev, "command/c1", &format!(r#"{{"stage":"{stage}"}}"#))
}

fn stage_of(bench: &Bench) -> Option<crate::overlay::LocalStage> {
    bench.machine.entity(&scope(CONVERSATION), &entity(ROW))?.local.map(|local| local.stage)
}

#[test]
fn a_message_is_shown_before_it_is_sent_and_replaced_by_the_hubs_row() {
    let mut bench = in_conversation();
    say(&mut bench, "c1");
    assert_eq!(
        bench.gist(),
        [&format!("changed {ROW}"), "command c1 held", &format!("changed {ROW}"), "command c1 sent"]
    );
    assert_eq!(bench.said(), [SENT]);
    assert_eq!(bench.text(CONVERSATION, ROW).as_deref(), Some(PREDICTED));
    bench.hears(&accepted("c1", 11));
    assert_eq!(bench.gist(), ["command c1 accepted"]);
    bench.hears(&events(CONVERSATION, &[created(11, 10)]));
    let view = bench.machine.entity(&scope(CONVERSATION), &entity(ROW)).unwrap();
    assert_eq!((&*view.text, view.rev, view.local), (PREDICTED, 11, None));
    bench.told();
    bench.hears(&events("org", &[stage(12, 10, "accepted"), stage(13, 12, "completed")]));
    let want = [
        "changed command/c1",
        "command c1 accepted",
        "event 12",
        "changed command/c1",
        "command c1 completed",
        "event 13",
    ];
    assert_eq!(bench.gist(), want);
    assert_eq!(bench.machine.command_state(&id("c1")), None);
}

#[test]
fn an_unanswered_command_is_sent_again_on_every_welcome_and_its_row_never_leaves() {
    let mut bench = in_conversation();
    say(&mut bench, "c1");
    for _ in 0..3 {
        bench.reconnect();
        bench.welcome();
        assert_eq!(bench.said()[0], SENT);
        assert_eq!(bench.text(CONVERSATION, ROW).as_deref(), Some(PREDICTED));
    }
    bench.hears(&accepted("c1", 11));
    bench.reconnect();
    bench.welcome();
    assert!(!bench.said().contains(&SENT.to_owned()));
}

#[test]
fn a_snapshot_older_than_the_acceptance_keeps_the_row_visible() {
    let mut bench = in_conversation();
    say(&mut bench, "c1");
    bench.hears(&accepted("c1", 15));
    bench.hears(&format!(r#"{{"type":"resync","scope":"{CONVERSATION}","reason":"x"}}"#));
    bench.snapshot(CONVERSATION, 3, 12, &[]);
    assert_eq!(bench.text(CONVERSATION, ROW).as_deref(), Some(PREDICTED));
    bench.hears(&ping(15, "{}"));
    assert_eq!(bench.text(CONVERSATION, ROW), None);
}

#[test]
fn commands_given_offline_are_held_and_sent_in_their_order() {
    let mut bench = in_conversation();
    bench.closed(1006);
    bench.told();
    say(&mut bench, "c1");
    say(&mut bench, "c2");
    assert_eq!(stage_of(&bench), Some(crate::overlay::LocalStage::Held));
    assert_eq!(bench.said(), Vec::<String>::new());
    bench.until_open();
    bench.open();
    bench.said();
    bench.welcome();
    let said = bench.said();
    assert_eq!(said[..2], [SENT.to_owned(), SENT.replace("c1", "c2")]);
    assert_eq!(stage_of(&bench), Some(crate::overlay::LocalStage::Sent));
}

#[test]
fn a_command_given_before_the_first_welcome_is_predicted_with_it() {
    let mut bench = Bench::new(Role::Member);
    bench.subscribe(CONVERSATION);
    say(&mut bench, "c1");
    bench.machine.start(bench.now);
    bench.open();
    assert_eq!(bench.text(CONVERSATION, ROW), None);
    bench.welcome();
    assert_eq!(bench.text(CONVERSATION, ROW).as_deref(), Some(PREDICTED));
}

#[test]
fn a_command_that_cannot_wait_is_refused_offline() {
    let mut bench = in_conversation();
    bench.closed(1006);
    bench.told();
    let data = Json::new(r#"{"conversationId":"in_1:c","runId":"in_1:r"}"#).unwrap();
    bench.machine.command(id("c9"), "run.abort", data, bench.now);
    assert_eq!(bench.gist(), ["command c9 refused unavailable"]);
}

#[test]
fn a_refused_message_stays_until_it_is_dismissed_or_given_again() {
    let refuse = r#"{"type":"reply","id":"c1","refused":{"code":"notFound","message":"no such conversation","retryable":false}}"#;
    let mut bench = in_conversation();
    say(&mut bench, "c1");
    bench.hears(refuse);
    assert_eq!(stage_of(&bench), Some(crate::overlay::LocalStage::Refused));
    bench.told();
    assert!(bench.machine.dismiss(&id("c1")));
    assert_eq!((bench.gist(), bench.text(CONVERSATION, ROW)), (vec![format!("changed {ROW}")], None));

    say(&mut bench, "c1");
    bench.hears(refuse);
    bench.told();
    bench.said();
    assert!(bench.machine.retry(&id("c1"), id("c2"), bench.now));
    assert_eq!(bench.text(CONVERSATION, ROW), None);
    assert!(bench.text(CONVERSATION, "message/in_1:c2:user").is_some());
    assert_eq!(bench.said(), [SENT.replace("c1", "c2")]);
    assert!(!bench.machine.retry(&id("c2"), id("c3"), bench.now));
}

#[test]
fn a_passing_refusal_is_tried_again_when_the_hub_says_so() {
    let mut bench = in_conversation();
    say(&mut bench, "c1");
    bench.said();
    bench.hears(r#"{"type":"reply","id":"c1","refused":{"code":"rateLimited","message":"slow down","retryable":true,"retryAfterMs":3000}}"#);
    bench.after(2_999);
    assert!(!bench.said().contains(&SENT.to_owned()));
    bench.after(1);
    assert!(bench.said().contains(&SENT.to_owned()));
}

#[test]
fn after_another_epoch_every_command_not_seen_to_end_is_asked_again() {
    let mut bench = in_conversation();
    say(&mut bench, "c1");
    bench.hears(&accepted("c1", 11));
    bench.reconnect();
    bench.welcome();
    bench.said();
    bench.hears(&subscribed_in("e2", "org", 3, 10, "resumed"));
    bench.hears(&ping(12, "{}").replace("e1", "e2"));
    assert_eq!(bench.said().iter().filter(|frame| *frame == SENT).count(), 1);
    // The reply of the former epoch did not let the row go; the new one does.
    bench.hears(&subscribed_in("e2", CONVERSATION, 4, 10, "resumed"));
    assert_eq!(bench.text(CONVERSATION, ROW).as_deref(), Some(PREDICTED));
    bench.hears(&ping(20, "{}").replace("e1", "e2"));
    assert_eq!(bench.text(CONVERSATION, ROW).as_deref(), Some(PREDICTED));
    bench.hears(&accepted("c1", 11));
    assert_eq!(bench.text(CONVERSATION, ROW), None);
}

#[test]
fn the_commands_own_entity_answers_it_when_the_reply_was_lost() {
    let mut bench = in_conversation();
    say(&mut bench, "c1");
    bench.hears(&events("org", &[stage(14, 10, "completed")]));
    assert_eq!(bench.text(CONVERSATION, ROW).as_deref(), Some(PREDICTED));
    bench.hears(&ping(14, "{}"));
    assert_eq!(bench.text(CONVERSATION, ROW), None);
}

#[test]
fn many_held_commands_keep_to_the_limit_of_the_hub() {
    let mut bench = in_conversation();
    bench.closed(1006);
    for n in 0..100 {
        say(&mut bench, &format!("c{n}"));
    }
    bench.until_open();
    bench.open();
    bench.said();
    bench.welcome();
    let sent = |bench: &mut Bench| bench.said().iter().filter(|frame| frame.contains("\"command\"")).count();
    assert_eq!(sent(&mut bench), 30);
    let mut more = 0;
    for _ in 0..60 {
        bench.now = bench.now.plus(1_000);
        bench.hears(&ping(0, "{}"));
        bench.machine.handle_timeout(bench.now);
        more += sent(&mut bench);
    }
    assert_eq!(more, 30);
}

#[test]
fn a_command_that_an_earlier_run_saw_refused_is_shown_refused_and_not_sent() {
    let error = ErrorBody::new(ErrorCode::NotFound, "no such conversation");
    let data = || Json::new(r#"{"conversationId":"in_1:c","text":"hi"}"#).unwrap();
    let give = |bench: &mut Bench| {
        let state = CommandState::Refused(error.clone());
        bench.machine.restore(id("c1"), "message.send", data(), state, bench.now);
    };
    let mut bench = in_conversation();
    give(&mut bench);
    give(&mut bench);
    assert_eq!(bench.said(), Vec::<String>::new());
    assert_eq!(stage_of(&bench), Some(crate::overlay::LocalStage::Refused));
    assert!(bench.machine.retry(&id("c1"), id("c2"), bench.now));
    assert_eq!(bench.said(), [SENT.replace("c1", "c2")]);

    // Given before it is known who this is, its row comes with the welcome.
    let mut early = Bench::new(Role::Member);
    early.machine.start(early.now);
    early.open();
    give(&mut early);
    assert_eq!(stage_of(&early), None);
    early.welcome();
    assert_eq!(stage_of(&early), Some(crate::overlay::LocalStage::Refused));
}

#[test]
fn a_command_that_an_earlier_run_saw_accepted_is_asked_again_and_followed_to_its_end() {
    let data = || Json::new(r#"{"conversationId":"in_1:c","text":"hi"}"#).unwrap();
    let give = |bench: &mut Bench| {
        bench.machine.restore(id("c1"), "message.send", data(), CommandState::Accepted, bench.now);
    };
    // Its rows are the hub's: nothing is predicted, and the repeated answer is no news.
    let mut early = Bench::new(Role::Member);
    early.subscribe("org");
    give(&mut early);
    give(&mut early);
    early.machine.start(early.now);
    early.open();
    early.said();
    early.welcome();
    assert_eq!(early.said(), [SENT, PROBE]);
    early.told();
    early.hears(&accepted("c1", 5));
    assert_eq!(early.told(), []);
    early.snapshot("org", 1, 10, &[("command/c1", 9, r#"{"stage":"failed"}"#)]);
    assert_eq!(early.gist(), ["changed command/c1", "command c1 failed", "org Live None"]);
    assert_eq!(early.machine.command_state(&id("c1")), None);

    // Its end is known here already.
    let mut late = Bench::online(&["org"]);
    late.snapshot("org", 1, 10, &[("command/c1", 9, r#"{"stage":"failed"}"#)]);
    late.told();
    late.said();
    give(&mut late);
    assert_eq!(late.gist(), ["changed command/c1", "command c1 failed"]);
    assert_eq!(late.said(), Vec::<String>::new());
}

#[test]
fn a_command_that_cannot_wait_and_was_given_before_is_not_refused_for_want_of_a_connection() {
    let data = || Json::new(r#"{"conversationId":"in_1:c","runId":"in_1:r"}"#).unwrap();
    let mut bench = Bench::new(Role::Member);
    bench.machine.restore(id("c1"), "run.abort", data(), CommandState::Sent, bench.now);
    bench.machine.restore(id("c2"), "run.abort", data(), CommandState::Accepted, bench.now);
    assert_eq!(bench.machine.command_state(&id("c1")), Some(&CommandState::Held));
    assert_eq!(bench.machine.command_state(&id("c2")), Some(&CommandState::Accepted));
    bench.machine.start(bench.now);
    bench.open();
    bench.said();
    bench.welcome();
    let sent = |id: &str| {
        format!(
            r#"{{"type":"command","id":"{id}","kind":"run.abort","data":{{"conversationId":"in_1:c","runId":"in_1:r"}}}}"#
        )
    };
    assert_eq!(bench.said(), [sent("c1"), sent("c2"), PROBE.to_owned()]);
}
