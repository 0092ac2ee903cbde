//! Every recording, translated, against what a person read and found right.

use otter_proto::kind::{check_event, check_signal};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::bench::{Bench, Out, folder, lines};

macro_rules! recordings {
    ($($test:ident: $name:literal,)*) => {$(
        #[test]
        fn $test() {
            compare($name);
        }
    )*};
}

recordings! {
    a1_handshake: "a1-handshake-raw-v3",
    a3_reference_client: "a3-handshake-reference-client",
    a4_pairing: "a4-handshake-forwarded-pairing",
    a5_pairing_seen_by_an_admin: "a5-device-pair-events",
    a6_handshake_timeout: "a6-handshake-timeout",
    b_plain_answer: "b-plain-streamed-answer",
    b2_run_error: "b2-run-error",
    c1_approval_seen_by_the_initiator: "c1-exec-approval-allow-A-initiator",
    c1_approval_seen_by_an_observer: "c1-exec-approval-allow-B-observer-subscribed",
    d_method_tour: "d-method-tour",
    f_cron: "f-cron",
    f2_subagent: "f2-subagent-task",
    g_abort: "g-chat-abort",
    h_connection_drop: "h-conndrop-inflight",
    h_restart: "h-restart-rpc",
    i_feed_plugin: "i-custom-feed-plugin",
    j_steer_slash_followup: "j-steer-slash-followup",
    k_sigkill_resume: "k-sigkill-resume",
    l_queued_reconnect: "l-queued-reconnect",
    m_compact_reset: "m-compact-reset",
    old_handshake: "old-2026.2.26-handshake",
    old_run: "old-2026.2.26-run",
}

fn compare(name: &str) {
    let mut bench = Bench::new();
    bench.replay(&lines(name));
    for (line, out) in &bench.out {
        check(*line, out);
    }
    let made: Vec<String> = bench.out.iter().flat_map(|(line, out)| print(*line, out)).collect();
    let path = folder().join(format!("{name}.expected.jsonl"));
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(&path, made.join("\n") + "\n").unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    let expected: Vec<&str> = expected.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(made, expected, "UPDATE_EXPECTED=1 cargo test -p otter-client-native --test openclaw");
}

/// What the hub checks at its door.
fn check(line: usize, out: &Out) {
    match out {
        Out::Publish(events) => {
            for event in events {
                let verdict = check_event(event.kind, &event.data.to_string());
                assert_eq!(verdict, Some(Ok(())), "line {line}: {event:?}");
            }
        }
        Out::Signal(signal) => {
            let verdict = check_signal(signal.kind, &signal.data.to_string());
            assert_eq!(verdict, Some(Ok(())), "line {line}: {signal:?}");
        }
        Out::Status(status) => {
            let verdict = check_event("instance.updated", &json!({"gateway": status}).to_string());
            assert_eq!(verdict, Some(Ok(())), "line {line}: {status}");
        }
        Out::Resync => {}
    }
}

fn print(line: usize, out: &Out) -> Vec<String> {
    let values: Vec<Value> = match out {
        Out::Status(status) => vec![json!({"line": line, "gateway": status})],
        Out::Resync => vec![json!({"line": line, "resync": true})],
        Out::Signal(signal) => {
            vec![
                json!({"line": line, "signal": signal.kind, "conversation": signal.conversation, "data": signal.data}),
            ]
        }
        Out::Publish(events) => {
            let last = events.len() - 1;
            let event = |(index, event): (usize, &otter_client_native::openclaw::Publish)| {
                let mut value =
                    json!({"line": line, "event": event.kind, "subject": event.subject, "data": event.data});
                if event.conversation.is_some() {
                    value["conversation"] = json!(event.conversation);
                }
                if let Some(cause) = &event.caused_by {
                    value["causedBy"] = json!(cause);
                }
                if index < last {
                    value["with"] = json!("next");
                }
                value
            };
            events.iter().enumerate().map(event).collect()
        }
    };
    values.iter().map(Value::to_string).collect()
}
