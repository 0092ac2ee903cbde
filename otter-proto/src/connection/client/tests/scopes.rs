use pretty_assertions::assert_eq;

use super::*;

/// Follows `org` with one task at position 10.
fn following() -> Bench {
    let mut bench = Bench::online(&["org"]);
    bench.snapshot("org", 1, 10, &[("task/a", 7, r#"{"n":1}"#)]);
    bench.told();
    bench
}

fn pos(bench: &Bench, name: &str) -> Option<u64> {
    bench.machine.position(&scope(name)).map(|position| position.pos)
}

#[test]
fn a_snapshot_is_shown_at_once_when_it_is_whole() {
    let mut bench = Bench::online(&["org"]);
    bench.hears(&subscribed("org", 1, 10, "snapshot"));
    bench.hears(&page("org", 8, None, &[("task/a", 7, r#"{"n":1}"#)]));
    assert_eq!(bench.gist(), Vec::<String>::new());
    assert_eq!(bench.text("org", "task/a"), None);
    bench.hears(&page("org", 8, Some(12), &[("task/b", 12, r#"{"n":2}"#)]));
    assert_eq!(bench.gist(), Vec::<String>::new());
    bench.hears(&events("org", &[put("org", 9, 7, "task/a", r#"{"n":3}"#)]));
    assert_eq!(bench.gist(), Vec::<String>::new());
    bench.hears(&events(
        "org",
        &[put("org", 12, 9, "task/b", r#"{"n":2}"#), put("org", 13, 12, "task/c", "{}")],
    ));
    let want =
        ["changed task/a", "changed task/b", "event 12", "changed task/c", "event 13", "org Live None"];
    assert_eq!(bench.gist(), want);
    assert_eq!(bench.text("org", "task/a").as_deref(), Some(r#"{"n":3}"#));
    assert_eq!(pos(&bench, "org"), Some(13));
}

#[test]
fn events_are_applied_once_and_in_order() {
    let mut bench = following();
    let (eleven, twelve) = (put("org", 11, 7, "task/a", r#"{"n":2}"#), put("org", 12, 11, "task/b", "{}"));
    bench.hears(&events("org", &[eleven.clone(), twelve.clone()]));
    assert_eq!(bench.gist(), ["changed task/a", "event 11", "changed task/b", "event 12"]);
    bench.hears(&events("org", &[eleven, twelve]));
    assert_eq!(bench.gist(), Vec::<String>::new());
    assert_eq!(pos(&bench, "org"), Some(12));
}

#[test]
fn a_gap_is_healed_by_a_new_snapshot_while_the_old_state_stays() {
    let mut bench = following();
    bench.hears(&events("org", &[put("org", 13, 12, "task/b", "{}")]));
    assert_eq!(bench.said(), [r#"{"type":"subscribe","scope":"org","sub":2,"trouble":"gap"}"#]);
    assert_eq!(bench.gist(), [r#"org Stale Some("gap")"#]);
    assert_eq!(bench.text("org", "task/a").as_deref(), Some(r#"{"n":1}"#));
    // What still comes of the old subscription means nothing.
    bench.hears(&events("org", &[put("org", 14, 13, "task/z", "{}")]));
    assert_eq!(bench.gist(), Vec::<String>::new());
    bench.snapshot("org", 2, 14, &[("task/b", 13, "{}")]);
    assert_eq!(bench.gist(), ["changed task/a", "changed task/b", "org Live None"]);
    assert_eq!(bench.machine.counters().gaps, 1);
}

#[test]
fn a_ping_exposes_a_lost_last_event_and_moves_positions() {
    let mut bench = following();
    bench.hears(&ping(20, r#"{"org":10}"#));
    assert_eq!(pos(&bench, "org"), Some(20));
    assert_eq!(bench.said().first().map(String::as_str), Some(r#"{"type":"pong","pos":{"org":20}}"#));
    bench.hears(&ping(25, r#"{"org":22}"#));
    assert_eq!(
        bench.said().first().map(String::as_str),
        Some(r#"{"type":"subscribe","scope":"org","sub":2,"trouble":"behind"}"#)
    );
    assert_eq!(bench.gist(), [r#"org Stale Some("behind")"#]);
}

#[test]
fn a_ping_says_nothing_about_a_scope_that_is_not_answered_or_not_whole() {
    let mut bench = Bench::online(&["org", CONVERSATION]);
    bench.hears(&subscribed("org", 1, 30, "snapshot"));
    bench.hears(&page("org", 30, None, &[]));
    bench.hears(&ping(40, r#"{"org":35,"conversation/in_1:c":33}"#));
    assert_eq!(bench.machine.counters().resyncs, 0);
    bench.hears(&page("org", 30, Some(30), &[]));
    assert_eq!(pos(&bench, "org"), Some(30));
}

#[test]
fn a_ping_completes_a_snapshot_whose_head_is_reached_by_nothing_else() {
    let mut bench = Bench::online(&["org"]);
    bench.hears(&subscribed("org", 1, 30, "snapshot"));
    bench.hears(&page("org", 25, Some(30), &[("task/a", 30, "{}")]));
    bench.hears(&events("org", &[put("org", 30, 20, "task/a", "{}")]));
    assert_eq!(bench.machine.scope_phase(&scope("org")), Some(ScopePhase::Live));
}

#[test]
fn a_reconnect_resumes_from_the_position_before_the_first_event_too() {
    let mut bench = following();
    let hello = bench.reconnect().remove(0);
    assert!(
        hello.ends_with(r#""subscribe":[{"type":"subscribe","scope":"org","sub":2,"epoch":"e1","pos":10}]}"#),
        "{hello}"
    );
    bench.welcome();
    bench.told();
    bench.hears(&subscribed("org", 2, 12, "resumed"));
    assert_eq!(bench.machine.scope_phase(&scope("org")), Some(ScopePhase::Stale));
    bench.hears(&events("org", &[put("org", 11, 7, "task/a", "{}"), put("org", 12, 11, "task/b", "{}")]));
    bench.hears(&events("org", &[put("org", 13, 12, "task/c", "{}")]));
    let want = [
        "changed task/a",
        "event 11 replayed",
        "changed task/b",
        "event 12 replayed",
        "org Live None",
        "changed task/c",
        "event 13",
    ];
    assert_eq!(bench.gist(), want);
}

#[test]
fn a_reconnect_that_missed_nothing_tells_no_event() {
    let mut bench = following();
    bench.reconnect();
    bench.welcome();
    bench.told();
    bench.hears(&subscribed_in("e2", "org", 2, 10, "resumed"));
    assert_eq!(bench.gist(), ["org Live None"]);
    let position = bench.machine.position(&scope("org")).unwrap();
    assert_eq!((position.epoch.as_str(), position.pos), ("e2", 10));
}

#[test]
fn a_cut_in_the_middle_of_a_snapshot_keeps_state_and_position() {
    let mut bench = following();
    bench.hears(r#"{"type":"resync","scope":"org","reason":"trimmed"}"#);
    bench.hears(&subscribed("org", 2, 50, "snapshot"));
    bench.hears(&page("org", 50, None, &[("task/x", 40, "{}")]));
    let hello = bench.reconnect().pop().unwrap();
    assert!(hello.ends_with(r#"{"type":"subscribe","scope":"org","sub":3}]}"#), "{hello}");
    assert_eq!(bench.text("org", "task/a").as_deref(), Some(r#"{"n":1}"#));
}

#[test]
fn a_close_that_says_start_over_drops_positions_and_keeps_what_is_shown() {
    let mut bench = following();
    bench.closed(4300);
    bench.until_open();
    bench.open();
    let hello = bench.said().pop().unwrap();
    assert!(hello.ends_with(r#"[{"type":"subscribe","scope":"org","sub":2}]}"#), "{hello}");
    assert_eq!(bench.machine.scope_phase(&scope("org")), Some(ScopePhase::Stale));
}

#[test]
fn a_state_that_is_not_the_hubs_is_replaced() {
    let mut bench = following();
    let event = put("org", 11, 7, "task/a", "{}");
    let good = {
        let mut state = crate::state::ScopeState::new();
        state.load(entity("task/a"), 11, true, "{}");
        crate::hash::hex(state.hash())
    };
    let frame = |hash: &str| {
        format!(r#"{{"type":"events","scope":"org","epoch":"e1","events":[{event}],"hash":"{hash}"}}"#)
    };
    bench.hears(&frame(&good));
    assert_eq!(bench.machine.counters().hash_mismatches, 0);
    let mut bench = following();
    bench.hears(&frame("00000000000000ff"));
    assert_eq!(bench.machine.counters().hash_mismatches, 1);
    assert_eq!(bench.said(), [r#"{"type":"subscribe","scope":"org","sub":2,"trouble":"hash"}"#]);
    let again = bench.reconnect().join("");
    assert!(again.contains(r#""scope":"org""#) && !again.contains("trouble"), "told once: {again}");
}

#[test]
fn a_hub_set_back_behind_pages_that_were_read_is_compared_again() {
    let mut bench = following();
    bench.machine.more(scope("org"), "task");
    bench.hears(r#"{"type":"page","id":1,"rows":[],"asOf":500}"#);
    bench.hears(r#"{"type":"resync","scope":"org","reason":"x"}"#);
    bench.snapshot("org", 2, 10, &[]);
    bench.hears(r#"{"type":"page","id":2,"rows":[],"asOf":10}"#);
    let event = put("org", 11, 10, "task/a", "{}");
    bench.hears(&format!(
        r#"{{"type":"events","scope":"org","epoch":"e1","events":[{event}],"hash":"00000000000000ff"}}"#
    ));
    assert_eq!(bench.machine.counters().hash_mismatches, 1);
}

#[test]
fn a_position_behind_pages_that_were_read_is_not_resumed() {
    let mut bench = following();
    bench.machine.more(scope("org"), "task");
    bench.said();
    bench.hears(r#"{"type":"page","id":1,"rows":[],"asOf":11}"#);
    let hello = bench.reconnect().join("");
    assert!(hello.ends_with(r#""subscribe":[{"type":"subscribe","scope":"org","sub":2}]}"#), "{hello}");
}

#[test]
fn parts_of_two_versions_make_no_text() {
    let mut bench = following();
    bench.told();
    bench.machine.fetch_text(scope("org"), entity("command/c"));
    bench.said();
    let part = |id: u64, text: &str, next: &str| {
        format!(r#"{{"type":"page","id":{id},"rows":[],"asOf":10,"full":{{"result":"{text}"}}{next}}}"#)
    };
    bench.hears(&part(1, "ab", r#","next":{"order":"7:2","id":"c"}"#));
    assert!(bench.said().join("").contains(r#""before":{"order":"7:2","id":"c"}"#));
    bench.hears(
        r#"{"type":"page","id":2,"rows":[],"error":{"code":"changed","message":"x","retryable":true}}"#,
    );
    let again = bench.said().join("");
    assert!(again.contains(r#""id":3"#) && !again.contains("before"), "{again}");
    bench.hears(&part(3, "xyz", ""));
    assert_eq!(
        bench.gist(),
        [
            r#"text command/c true Some("{\"result\":\"ab\"}") false None"#,
            r#"text command/c true Some("{\"result\":\"xyz\"}") true None"#,
        ]
    );
}

#[test]
fn resyncs_that_do_not_help_slow_down() {
    let mut bench = following();
    let mut asked = 0;
    let end = Instant(60_000);
    let mut sub = 1;
    while bench.now < end {
        bench.hears(r#"{"type":"resync","scope":"org","reason":"x"}"#);
        let said = bench.said();
        asked += said.iter().filter(|frame| frame.contains("subscribe")).count();
        if asked > sub - 1 {
            sub = asked + 1;
        }
        bench.hears(&subscribed("org", sub as u64, 10, "snapshot"));
        bench.after(100);
        bench.hears(&ping(0, "{}"));
        asked += bench.said().iter().filter(|frame| frame.contains("\"subscribe\"")).count();
        sub = asked + 1;
        bench.hears(&subscribed("org", sub as u64, 10, "snapshot"));
    }
    assert!((3..=12).contains(&asked), "{asked}");
}

#[test]
fn a_frame_that_cannot_be_read_restarts_its_scope_only() {
    let mut bench = following();
    bench.hears(r#"{"type":"events","scope":"org","epoch":"e1","events":[{"seq":"x"}]}"#);
    assert_eq!(bench.said(), [r#"{"type":"subscribe","scope":"org","sub":2,"trouble":"badFrame"}"#]);
    bench.hears(r#"{"type":"events","scope":"org"}"#);
    assert_eq!(bench.machine.phase(), Phase::Online);
    assert_eq!(bench.said(), Vec::<String>::new());
    assert_eq!(bench.machine.counters().bad_frames, 2);
}

#[test]
fn a_handler_may_leave_and_come_back_in_the_middle_of_a_batch() {
    let mut bench = following();
    let list: Vec<String> =
        (11..=20).map(|seq| put("org", seq, seq - 1, &format!("task/{seq}"), "{}")).collect();
    bench.hears(&events("org", &list));
    let mut seen = Vec::new();
    while let Some(event) = bench.machine.poll_event() {
        let ConnectionEvent::Event { seq, .. } = event else { continue };
        seen.push(seq);
        if seq == 14 {
            bench.machine.unsubscribe(&scope("org"));
            assert_eq!(bench.machine.poll_event(), None);
            bench.subscribe("org");
        }
    }
    assert_eq!(seen, (11..=20).collect::<Vec<u64>>());
    let want = [
        r#"{"type":"unsubscribe","scope":"org"}"#,
        r#"{"type":"subscribe","scope":"org","sub":2,"epoch":"e1","pos":20}"#,
    ];
    assert_eq!(bench.said(), want);
}

#[test]
fn nothing_is_delivered_after_stop() {
    let mut bench = following();
    bench.hears(&events("org", &[put("org", 11, 7, "task/a", "{}"), put("org", 12, 11, "task/b", "{}")]));
    bench.machine.poll_event();
    bench.machine.stop(bench.now);
    assert_eq!(bench.gist(), [r#"status Idle Some("stopped")"#]);
}

#[test]
fn a_scope_given_up_is_kept_and_resumed() {
    let mut bench = following();
    bench.machine.unsubscribe(&scope("org"));
    bench.hears(&events("org", &[put("org", 11, 7, "task/a", "{}")]));
    assert_eq!(bench.gist(), Vec::<String>::new());
    assert_eq!(bench.machine.scope_phase(&scope("org")), None);
    bench.subscribe("org");
    assert_eq!(
        bench.said().pop().unwrap(),
        r#"{"type":"subscribe","scope":"org","sub":2,"epoch":"e1","pos":10}"#
    );
    bench.machine.forget(&scope("org"));
    bench.subscribe("org");
    assert_eq!(bench.said().pop().unwrap(), r#"{"type":"subscribe","scope":"org","sub":3}"#);
}

#[test]
fn a_denied_scope_is_empty_and_asked_again_with_the_next_connection() {
    let mut bench = following();
    bench.reconnect();
    bench.welcome();
    bench.told();
    bench.hears(
        r#"{"type":"subscribed","scope":"org","sub":2,"epoch":"e1","head":0,"mode":"denied","reason":"forbidden"}"#,
    );
    assert_eq!(bench.gist(), ["changed task/a", r#"org Denied Some("forbidden")"#]);
    let hello = bench.reconnect().pop().unwrap();
    assert!(hello.ends_with(r#"[{"type":"subscribe","scope":"org","sub":3}]}"#), "{hello}");
}

#[test]
fn another_principal_takes_nothing_over() {
    let mut bench = following();
    bench.machine.command(
        id("c1"),
        "message.send",
        Json::new(r#"{"conversationId":"in_1:c","text":"x"}"#).unwrap(),
        bench.now,
    );
    bench.reconnect();
    bench.told();
    bench.welcome_as("mb_2");
    let want = ["reset", r"status Online None", "welcome", "org Loading None"];
    assert_eq!(bench.gist(), want);
    assert_eq!(bench.said()[0], r#"{"type":"subscribe","scope":"org","sub":3}"#);
    assert_eq!(bench.text("org", "task/a"), None);
    assert_eq!(bench.machine.command_state(&id("c1")), None);
}

#[test]
fn what_an_earlier_run_left_does_not_go_out_when_somebody_else_is_welcomed() {
    let welcomed = |member: &str| {
        let ada = Bench::online(&[]).machine.principal().cloned().unwrap();
        let mut bench = Bench::new(Role::Member);
        bench.subscribe("org");
        let data = || Json::new(r#"{"conversationId":"in_1:c","text":"hi"}"#).unwrap();
        bench.machine.command(id("c1"), "message.send", data(), bench.now);
        bench.machine.restore(id("c2"), "message.send", data(), CommandState::Accepted, bench.now);
        bench.machine.introduce(ada);
        bench.machine.start(bench.now);
        bench.open();
        bench.said();
        bench.welcome_as(member);
        bench
    };
    let probe = || r#"{"type":"probe","n":1}"#.to_owned();
    let sent = |id: &str| {
        format!(
            r#"{{"type":"command","id":"{id}","kind":"message.send","data":{{"conversationId":"in_1:c","text":"hi"}}}}"#
        )
    };
    let mut bench = welcomed("mb_1");
    assert_eq!(bench.said(), [sent("c1"), sent("c2"), probe()]);
    bench = welcomed("mb_2");
    assert_eq!(bench.said(), [r#"{"type":"subscribe","scope":"org","sub":2}"#.to_owned(), probe()]);
    assert_eq!(bench.machine.principal().map(|principal| &*principal.id), Some("mb_2"));
    assert_eq!(bench.machine.command_state(&id("c1")), None);
}

#[test]
fn the_own_scope_of_the_former_principal_is_not_asked_by_the_next_one() {
    let mut bench = Bench::online(&["member/self"]);
    bench.hears(&subscribed("member/mb_1", 1, 3, "snapshot"));
    bench.hears(&page("member/mb_1", 3, Some(3), &[("mark/mb_1:a", 2, "{}")]));
    bench.reconnect();
    bench.told();
    bench.welcome_as("mb_2");
    assert_eq!(bench.said()[0], r#"{"type":"subscribe","scope":"member/mb_2","sub":3}"#);
    bench.hears(&subscribed("member/mb_2", 3, 4, "snapshot"));
    bench.hears(&page("member/mb_2", 4, Some(4), &[]));
    assert_eq!(bench.machine.scope_phase(&scope("member/self")), Some(ScopePhase::Live));
    assert_eq!(pos(&bench, "member/mb_2"), Some(4));
}

#[test]
fn the_own_member_scope_gets_its_name_from_the_answer() {
    let mut bench = Bench::new(Role::Member);
    bench.subscribe("member/self");
    bench.machine.start(bench.now);
    bench.open();
    bench.welcome();
    bench.hears(&subscribed("member/mb_1", 1, 3, "snapshot"));
    bench.hears(&page("member/mb_1", 3, Some(3), &[]));
    assert_eq!(bench.machine.scope_phase(&scope("member/self")), Some(ScopePhase::Live));
    assert_eq!(pos(&bench, "member/mb_1"), Some(3));
}

#[test]
fn another_epoch_in_the_stream_is_asked_about_with_the_position() {
    let mut bench = following();
    bench.hears(r#"{"type":"events","scope":"org","epoch":"e9","events":[]}"#);
    assert_eq!(bench.said(), Vec::<String>::new());
    let event = put("org", 11, 7, "task/a", "{}");
    bench.hears(&format!(r#"{{"type":"events","scope":"org","epoch":"e9","events":[{event}]}}"#));
    assert_eq!(bench.said(), [r#"{"type":"subscribe","scope":"org","sub":2,"epoch":"e1","pos":10}"#]);
}
