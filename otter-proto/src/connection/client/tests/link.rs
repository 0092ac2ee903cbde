use pretty_assertions::assert_eq;

use super::*;
use crate::error::{ErrorBody, ErrorCode};

fn waits(bench: &Bench) -> u64 {
    bench.machine.status().retry_at.expect("an attempt is planned").since(bench.now)
}

#[test]
fn a_connection_greets_with_its_scopes_and_is_online_after_the_welcome() {
    let mut bench = Bench::new(Role::Member);
    bench.subscribe("org");
    bench.machine.start(bench.now);
    assert_eq!(bench.said(), ["OPEN"]);
    bench.open();
    assert_eq!(
        bench.said(),
        [
            r#"{"type":"hello","protocol":{"min":1,"max":1},"client":{"name":"test","version":"1"},"subscribe":[{"type":"subscribe","scope":"org","sub":1}]}"#
        ]
    );
    bench.welcome();
    assert_eq!(bench.said(), [r#"{"type":"probe","n":1}"#]);
    let want = ["org Loading None", "status Connecting None", "status Online None", "welcome"];
    assert_eq!(bench.gist(), want);
    assert_eq!(bench.machine.server_time(Instant(5)).unwrap().to_string(), "2026-11-22T14:00:00.005Z");
}

#[test]
fn a_first_attempt_that_fails_is_followed_by_others_for_ever() {
    let mut bench = Bench::new(Role::Member);
    bench.machine.start(bench.now);
    for attempt in 1..30 {
        assert_eq!(bench.said(), ["OPEN"]);
        bench.machine.handle_failed(bench.now);
        assert_eq!(bench.machine.status().attempt, attempt);
        assert!(waits(&bench) <= 20_000);
        let due = bench.machine.poll_timeout().unwrap();
        bench.after(due.since(bench.now));
    }
}

#[test]
fn a_socket_that_neither_opens_nor_fails_is_given_up() {
    let mut bench = Bench::new(Role::Member);
    bench.machine.start(bench.now);
    bench.said();
    bench.after(15_000);
    assert_eq!(bench.said(), ["CLOSE 4000 no answer"]);
    assert_eq!(bench.machine.phase(), Phase::Waiting);
}

#[test]
fn only_a_stable_connection_forgets_the_failures() {
    let mut bench = Bench::online(&[]);
    bench.closed(1006);
    for _ in 0..6 {
        bench.until_open();
        bench.open();
        bench.welcome();
        bench.said();
        bench.closed(1006);
    }
    assert_eq!(bench.machine.status().attempt, 7);
    bench.until_open();
    bench.open();
    bench.welcome();
    bench.said();
    bench.now = bench.now.plus(30_000);
    bench.closed(1006);
    assert_eq!(bench.machine.status().attempt, 1);
    assert!(waits(&bench) <= 500);
}

#[test]
fn the_range_of_a_close_code_decides_what_follows() {
    let phase = |code: u16| {
        let mut bench = Bench::online(&[]);
        bench.closed(code);
        bench.machine.phase()
    };
    assert_eq!(phase(4099), Phase::Waiting);
    assert_eq!(phase(4150), Phase::Waiting);
    assert_eq!(phase(4299), Phase::SignedOut);
    assert_eq!(phase(4350), Phase::Waiting);
    assert_eq!(phase(4599), Phase::Stopped);
    assert_eq!(phase(1009), Phase::Stopped);
}

#[test]
fn the_time_that_the_hub_names_is_the_least_and_a_wake_does_not_cut_it() {
    let mut bench = Bench::online(&[]);
    bench.hears(r#"{"type":"bye","code":4100,"reason":"too busy","retryAfterMs":120000}"#);
    bench.closed(1006);
    assert!((120_000..=126_000).contains(&waits(&bench)), "{}", waits(&bench));
    assert_eq!(bench.machine.status().reason.as_deref(), Some("too busy"));
    assert_eq!(bench.machine.status().code, Some(4100));
    bench.machine.handle_wake(Wake::Hidden, bench.now);
    bench.machine.handle_wake(Wake::Visible, bench.now);
    assert_eq!(bench.said(), Vec::<String>::new());
    assert!(waits(&bench) >= 120_000);
}

#[test]
fn a_refusal_without_its_close_means_what_the_hub_meant() {
    let code = |code, retryable| {
        let error = ErrorBody { retryable, ..ErrorBody::new(code, "x") };
        error.close_code().number()
    };
    assert_eq!(
        [
            code(ErrorCode::Superseded, true),
            code(ErrorCode::RateLimited, true),
            code(ErrorCode::Unavailable, true),
            code(ErrorCode::Internal, false),
            code(ErrorCode::Other, true),
            code(ErrorCode::Other, false),
        ],
        [4002, 4101, 4104, 4103, 4100, 4500]
    );
}

#[test]
fn a_refusal_counts_when_its_close_code_is_lost() {
    let mut bench = Bench::new(Role::Member);
    bench.machine.start(bench.now);
    bench.open();
    bench.hears(
        r#"{"type":"refuse","error":{"code":"authExpired","message":"sign in again","retryable":false}}"#,
    );
    bench.closed(1006);
    let status = bench.machine.status();
    assert_eq!(
        (status.phase, status.code, status.reason.as_deref()),
        (Phase::SignedOut, Some(4201), Some("sign in again"))
    );
    assert_eq!(bench.machine.poll_timeout(), None);
}

#[test]
fn an_instance_with_a_wrong_credential_asks_at_most_five_times_in_ten_minutes() {
    let mut bench = Bench::new(Role::Instance);
    bench.machine.start(bench.now);
    bench.said();
    let mut attempts = 1;
    bench.open();
    bench.closed(4200);
    while bench.now.since(Instant(0)) < 600_000 {
        bench.until_open();
        attempts += 1;
        bench.open();
        bench.closed(4200);
    }
    assert!(attempts <= 5, "{attempts}");
}

#[test]
fn silence_is_probed_and_then_ends_the_connection() {
    let mut bench = Bench::online(&["org"]);
    bench.hears(r#"{"type":"probed","n":1,"serverTime":"2026-11-22T14:00:00.000Z"}"#);
    assert_eq!(bench.machine.poll_timeout(), Some(Instant(28_000)));
    bench.after(28_000);
    assert_eq!(bench.said(), [r#"{"type":"probe","n":2}"#]);
    bench.after(2_000);
    assert_eq!(bench.said(), ["CLOSE 4003 heartbeat"]);
    assert_eq!(bench.machine.status().reason.as_deref(), Some("heartbeat"));
}

#[test]
fn a_throttled_hidden_page_stays_connected_for_an_hour() {
    let mut bench = Bench::online(&[]);
    bench.hears(r#"{"type":"probed","n":1,"serverTime":"2026-11-22T14:00:00.000Z"}"#);
    bench.machine.handle_wake(Wake::Hidden, bench.now);
    for quarter in 1..=240_u64 {
        bench.now = Instant(quarter * 15_000);
        bench.hears(&ping(quarter, "{}"));
        let said = bench.said();
        assert_eq!(said.first().map(String::as_str), Some(r#"{"type":"pong"}"#));
        for probe in said.iter().filter_map(|frame| frame.strip_prefix(r#"{"type":"probe","n":"#)) {
            let n = probe.trim_end_matches('}');
            bench.hears(&format!(r#"{{"type":"probed","n":{n},"serverTime":"2026-11-22T14:00:00.000Z"}}"#));
        }
        if quarter % 4 == 0 {
            bench.machine.handle_timeout(bench.now);
        }
    }
    assert_eq!(bench.machine.phase(), Phase::Online);
}

#[test]
fn a_page_that_wakes_probes_and_leaves_a_dead_socket_after_two_seconds() {
    let mut bench = Bench::online(&[]);
    bench.machine.handle_wake(Wake::Hidden, bench.now);
    bench.now = Instant(8 * 3_600_000);
    bench.machine.handle_wake(Wake::Visible, bench.now);
    assert_eq!(bench.said(), [r#"{"type":"probe","n":2}"#]);
    bench.after(2_000);
    assert_eq!(bench.said(), ["CLOSE 4003 heartbeat"]);
    assert!(bench.until_open() <= 500);
}

#[test]
fn an_answered_probe_measures_the_round_trip() {
    let mut bench = Bench::online(&[]);
    bench.now = Instant(42);
    bench.hears(r#"{"type":"probed","n":1,"serverTime":"2026-11-22T14:00:01.000Z"}"#);
    assert_eq!(bench.machine.round_trip_ms(), Some(42));
    assert_eq!(bench.machine.server_offset_ms(UnixMillis(1_795_356_000_000), bench.now), Some(1_000));
}

#[test]
fn an_answered_probe_tells_the_hubs_clock_as_well_as_it_is_known() {
    let noon = 1_795_356_000_000;
    let clocks = |bench: &mut Bench| -> Vec<String> {
        bench.gist().into_iter().filter(|word| word.starts_with("clock")).collect()
    };
    let answer = |n: u64, second: u64| {
        format!(r#"{{"type":"probed","n":{n},"serverTime":"2026-11-22T14:00:{second:02}.000Z"}}"#)
    };
    let mut bench = Bench::online(&[]);
    // The clock of this machine had stopped for seven seconds.
    bench.now = Instant(40);
    bench.hears(&answer(1, 7));
    assert_eq!(clocks(&mut bench), [format!("clock {}", noon + 7_000)]);
    // What was said before a long way, or before the page was frozen, is known better here.
    bench.machine.handle_wake(Wake::ClockJump, bench.now);
    bench.now = Instant(9_040);
    bench.hears(&answer(2, 8));
    assert_eq!(clocks(&mut bench), [format!("clock {}", noon + 16_000)]);
    assert_eq!(bench.machine.server_time(bench.now), Some(UnixMillis(noon + 16_000)));
    // An answer that nobody waits for has no age.
    bench.hears(&answer(2, 59));
    assert_eq!(clocks(&mut bench), Vec::<String>::new());
    assert_eq!(bench.machine.server_time(bench.now), Some(UnixMillis(noon + 16_000)));
}

#[test]
fn a_hidden_page_starts_no_attempt_and_a_shown_one_starts_at_once() {
    let mut bench = Bench::online(&[]);
    bench.machine.handle_wake(Wake::Hidden, bench.now);
    bench.closed(1006);
    assert_eq!(bench.machine.poll_timeout(), None);
    bench.after(3_600_000);
    assert_eq!(bench.said(), Vec::<String>::new());
    bench.machine.handle_wake(Wake::Visible, bench.now);
    assert_eq!(bench.said(), ["OPEN"]);
}

#[test]
fn an_attempt_that_was_hidden_or_is_old_is_replaced_when_the_page_is_shown() {
    for (hidden, age, replaced) in [(true, 100, true), (false, 5_001, true), (false, 100, false)] {
        let mut bench = Bench::new(Role::Member);
        bench.machine.start(bench.now);
        bench.said();
        if hidden {
            bench.machine.handle_wake(Wake::Hidden, bench.now);
        }
        bench.now = Instant(age);
        bench.machine.handle_wake(Wake::Visible, bench.now);
        let want: &[&str] = if replaced { &["CLOSE 4000 stuck", "OPEN"] } else { &[] };
        assert_eq!(bench.said(), want, "hidden {hidden}, age {age}");
    }
}

#[test]
fn a_page_out_of_the_back_forward_cache_takes_a_new_socket() {
    let mut bench = Bench::online(&["org"]);
    bench.machine.handle_wake(Wake::PageShow { persisted: true }, bench.now);
    assert_eq!(bench.said(), ["CLOSE 4000 stuck", "OPEN"]);
}

#[test]
fn a_network_that_comes_back_is_tried_at_once_but_not_without_end() {
    let mut bench = Bench::online(&[]);
    bench.now = Instant(10_000);
    let mut opened = 0;
    for _ in 0..100 {
        bench.closed(1006);
        bench.machine.handle_wake(Wake::Online, bench.now);
        opened += bench.said().iter().filter(|said| *said == "OPEN").count();
        bench.now = bench.now.plus(100);
    }
    assert_eq!(opened, 2);
}

#[test]
fn a_drain_moves_the_connection_inside_its_window() {
    let mut bench = Bench::online(&["org"]);
    bench.hears(r#"{"type":"drain","windowMs":10000}"#);
    let due = bench.machine.poll_timeout().unwrap();
    assert!(due <= Instant(10_000));
    bench.now = due;
    bench.machine.handle_timeout(due);
    assert_eq!(bench.said(), ["CLOSE 4001 drain", "OPEN"]);
}

#[test]
fn a_thousand_tabs_leave_a_draining_hub_spread_over_its_window() {
    let mut per_second = [0_u32; 10];
    let mut per_second_after_bye = [0_u32; 60];
    for seed in 0..1_000 {
        let mut bench = Bench::online_with(seed, &["org"]);
        bench.hears(r#"{"type":"drain","windowMs":10000}"#);
        let waited = bench.until_open();
        per_second[usize::try_from(waited / 1_000).unwrap()] += 1;
        // The hub goes before it has drained, and says when to come.
        let mut bench = Bench::online_with(seed, &["org"]);
        bench.hears(r#"{"type":"bye","code":4001,"reason":"restart","retryAfterMs":30000}"#);
        bench.closed(4001);
        let waited = bench.until_open();
        assert!(waited >= 30_000, "{seed}: the hub's word counts, not the own backoff: {waited}");
        per_second_after_bye[usize::try_from(waited / 1_000).unwrap()] += 1;
    }
    assert!(per_second.iter().all(|count| (50..200).contains(count)), "{per_second:?}");
    assert!(per_second_after_bye.iter().all(|count| *count <= 400), "{per_second_after_bye:?}");
}

#[test]
fn what_an_old_socket_says_changes_nothing() {
    let mut bench = Bench::online(&["org"]);
    bench.machine.stop(bench.now);
    assert_eq!(bench.said(), [r#"{"type":"bye","reason":"stopped"}"#, "CLOSE 1000 stopped"]);
    bench.told();
    bench.hears(&subscribed("org", 1, 5, "snapshot"));
    bench.closed(4500);
    assert_eq!(bench.told(), vec![]);
    assert_eq!(bench.machine.phase(), Phase::Idle);
}

#[test]
fn frames_that_cannot_be_read_do_not_make_a_hot_loop() {
    let mut bench = Bench::online(&[]);
    bench.hears("{\"type\":\"ping\"");
    assert_eq!(bench.said(), ["CLOSE 4506 bad frame"]);
    assert_eq!(bench.machine.phase(), Phase::Waiting);
    let mut waited = 0;
    for _ in 0..20 {
        waited += bench.until_open();
        bench.open();
        bench.welcome();
        bench.hears("nonsense");
    }
    assert!(waited > 60_000, "{waited}");
    assert_eq!(bench.machine.counters().bad_frames, 21);
}

#[test]
fn frames_of_a_later_release_are_ignored_and_counted() {
    let mut bench = Bench::online(&[]);
    bench.hears(r#"{"type":"fireworks","n":1}"#);
    assert_eq!(bench.machine.counters().unknown_frames, 1);
    assert_eq!(bench.machine.phase(), Phase::Online);
}

#[test]
fn an_unknown_effect_stops_the_program_for_good() {
    let mut bench = Bench::online(&["org"]);
    bench.snapshot("org", 1, 5, &[]);
    let event = recorded("org", 6, 5, r#"{"op":"increment","entity":"task/t"}"#, "{}", "");
    bench.hears(&events("org", &[event]));
    let status = bench.machine.status();
    assert_eq!((status.phase, status.reason.as_deref()), (Phase::Stopped, Some("upgrade required")));
    assert_eq!(bench.machine.poll_timeout(), None);
}

#[test]
fn acks_count_every_data_frame_and_leave_with_the_receipt() {
    let mut bench = Bench::online(&["org"]);
    bench.hears(&subscribed("org", 1, 5, "snapshot"));
    bench.hears(&page("org", 5, None, &[]));
    bench.hears(&page("conversation/never", 5, None, &[]));
    assert_eq!(bench.said(), Vec::<String>::new());
    bench.now = Instant(1_000);
    bench.hears(&page("org", 5, Some(5), &[]));
    assert_eq!(bench.said(), [r#"{"type":"ack","frames":3}"#]);
    bench.hears(&events("org", &[]));
    bench.after(1_000);
    assert_eq!(bench.said(), [r#"{"type":"ack","frames":4}"#]);
}
