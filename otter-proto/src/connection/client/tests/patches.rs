use pretty_assertions::assert_eq;

use super::*;

const APPROVAL: &str = "approval/in_1:a";
const MARK: &str = "mark/in_1:c";
const ME: &str = "member/mb_1";
const PENDING: &str = r#"{"command":"ls","state":"pending"}"#;
const DECIDED: &str = r#"{"by":{"id":"mb_1","name":"Ada","type":"member"},"command":"ls","commandId":"c1","decision":"deny","state":"decided"}"#;

fn give(bench: &mut Bench, command: &str, kind: &str, data: &str) {
    bench.machine.command(id(command), kind, Json::new(data).unwrap(), bench.now);
}

/// In the org and the own scope: a pending approval, and a mark at 5 of the conversation.
fn at_home() -> Bench {
    let mut bench = Bench::online(&["org", ME]);
    bench.snapshot("org", 1, 10, &[(APPROVAL, 4, PENDING)]);
    bench.snapshot(ME, 2, 10, &[(MARK, 3, r#"{"messageCount":5,"target":"conversation"}"#)]);
    bench.told();
    bench.said();
    bench
}

fn decide(bench: &mut Bench) {
    give(bench, "c1", "approval.decide", r#"{"approvalId":"in_1:a","decision":"deny","rev":4}"#);
}

fn mark_read(bench: &mut Bench, command: &str, count: u64) {
    let data = format!(r#"{{"conversationId":"in_1:c","messageCount":{count}}}"#);
    give(bench, command, "conversation.markRead", &data);
}

fn marked(bench: &Bench) -> String {
    bench.text(ME, MARK).unwrap()
}

#[test]
fn a_decision_is_shown_at_once_over_the_row_and_its_rev() {
    let mut bench = at_home();
    decide(&mut bench);
    let view = bench.machine.entity(&Scope::Org, &entity(APPROVAL)).unwrap();
    assert_eq!((&*view.text, view.rev, view.live), (DECIDED, 4, true));
    assert_eq!(view.local.unwrap().command, &id("c1"));
    let shown: Vec<String> = bench
        .machine
        .entities(&Scope::Org)
        .into_iter()
        .map(|(key, view)| format!("{key} {}", view.text))
        .collect();
    assert_eq!(shown, [format!("{APPROVAL} {DECIDED}")]);
    bench.hears(&events(
        "org",
        &[recorded(
            "org",
            11,
            10,
            &format!(r#"{{"op":"merge","entity":"{APPROVAL}"}}"#),
            r#"{"decision":"deny","state":"decided"}"#,
            r#","causedBy":"c1""#,
        )],
    ));
    let view = bench.machine.entity(&Scope::Org, &entity(APPROVAL)).unwrap();
    assert_eq!(
        (&*view.text, view.rev, view.local),
        (r#"{"command":"ls","decision":"deny","state":"decided"}"#, 11, None)
    );
}

#[test]
fn a_decision_that_came_second_shows_the_hubs_row_and_why() {
    let mut bench = at_home();
    decide(&mut bench);
    bench.hears(r#"{"type":"reply","id":"c1","refused":{"code":"alreadyDecided","message":"Bob decided first","retryable":false}}"#);
    let view = bench.machine.entity(&Scope::Org, &entity(APPROVAL)).unwrap();
    let error = view.local.unwrap().error.unwrap();
    assert_eq!((&*view.text, &*error.message), (PENDING, "Bob decided first"));
    assert!(bench.machine.dismiss(&id("c1")));
    assert_eq!(bench.machine.entity(&Scope::Org, &entity(APPROVAL)).unwrap().local, None);
}

#[test]
fn a_mark_moves_forward_at_once_and_never_back() {
    let mut bench = at_home();
    mark_read(&mut bench, "c1", 5);
    mark_read(&mut bench, "c2", 3);
    assert_eq!(bench.machine.entity(&scope(ME), &entity(MARK)).unwrap().local, None);
    mark_read(&mut bench, "c3", 9);
    mark_read(&mut bench, "c4", 7);
    assert_eq!(marked(&bench), r#"{"messageCount":9,"target":"conversation"}"#);
}

#[test]
fn a_mark_that_changed_nothing_at_the_hub_leaves_the_overlay_too() {
    let mut bench = at_home();
    mark_read(&mut bench, "c1", 9);
    bench.hears(r#"{"type":"reply","id":"c1","accepted":{"epoch":"e1","at":{"org":11}}}"#);
    assert_eq!(marked(&bench), r#"{"messageCount":5,"target":"conversation"}"#);
}

#[test]
fn predictions_in_a_scope_that_nobody_follows_end_with_the_reply() {
    let mut bench = Bench::online(&["org"]);
    bench.snapshot("org", 1, 10, &[]);
    mark_read(&mut bench, "c1", 9);
    assert_eq!(marked(&bench), r#"{"messageCount":9,"target":"conversation"}"#);
    bench.hears(r#"{"type":"reply","id":"c1","accepted":{"epoch":"e1","at":{"member/mb_1":11,"org":12}}}"#);
    assert_eq!(bench.text(ME, MARK), None);
}

#[test]
fn a_feed_item_read_twice_is_predicted_once() {
    let mut bench = at_home();
    give(&mut bench, "c1", "feed.markRead", r#"{"itemIds":["in_1:f"]}"#);
    give(&mut bench, "c2", "feed.markRead", r#"{"itemIds":["in_1:f","in_1:g"]}"#);
    let marks: Vec<String> =
        bench.machine.entities(&scope(ME)).into_iter().map(|(key, _)| key.to_string()).collect();
    assert_eq!(marks, [MARK, "mark/in_1:f", "mark/in_1:g"]);
}
