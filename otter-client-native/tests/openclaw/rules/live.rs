//! Live frames.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{MAIN, agent, answer_row, attached, chat, live_row, session_row, start, user_row};
use crate::bench::{Bench, Out, lines};

fn replayed(name: &str) -> Bench {
    let mut bench = Bench::new();
    bench.replay(&lines(name));
    bench
}

fn deltas(bench: &Bench) -> Vec<(u64, String)> {
    let signals = bench.out.iter().filter_map(|(_, out)| match out {
        Out::Signal(signal) if signal.kind == "message.delta" => Some(&signal.data),
        _ => None,
    });
    signals
        .map(|data| (data["offset"].as_u64().unwrap(), data["text"].as_str().unwrap().to_owned()))
        .collect()
}

/// What a reader shows that applies the deltas.
fn assembled(deltas: &[(u64, String)]) -> String {
    let mut units: Vec<u16> = Vec::new();
    for (offset, text) in deltas {
        let offset = usize::try_from(*offset).unwrap();
        assert!(offset == 0 || offset == units.len(), "hole at {offset}");
        units.truncate(offset);
        units.extend(text.encode_utf16());
    }
    String::from_utf16(&units).unwrap()
}

#[test]
fn a_steered_message_is_shown_once_and_answered_by_the_run_that_took_it() {
    let bench = replayed("j-steer-slash-followup");
    let steered = "a61e9247-65e5-46d3-93a9-a03132702947";
    let messages = bench.of_kind("message.created");
    let shown: Vec<_> = messages
        .iter()
        .filter(|(_, data)| data["text"] == "and second while running")
        .map(|(id, _)| id)
        .collect();
    assert_eq!(shown, [&format!("{steered}:user")]);
    let states: Vec<Value> = bench
        .of_kind("message.deliveryChanged")
        .into_iter()
        .filter(|(id, _)| id.starts_with(steered))
        .map(|(_, data)| data["delivery"].clone())
        .collect();
    let into = "in_test:6b40f9e8-2eb3-4191-af54-33795231a033";
    assert_eq!(
        states,
        [
            json!({"state": "queued"}),
            json!({"state": "delivered"}),
            json!({"state": "delivered", "intoRun": into})
        ]
    );
    let runs =
        bench.published().into_iter().filter(|(kind, id, _)| kind.starts_with("run.") && id == steered);
    assert_eq!(runs.count(), 0);
}

#[test]
fn a_stream_adds_up_to_the_text_of_its_final() {
    for (name, run) in [
        ("j-steer-slash-followup", "6b40f9e8-2eb3-4191-af54-33795231a033"),
        ("h-conndrop-inflight", "a61d7195-f346-4062-be5d-9e0b5ea0f29e"),
        ("c1-exec-approval-allow-B-observer-subscribed", "d3659c5f-4adf-48a0-9623-43448674f1e3"),
    ] {
        let bench = replayed(name);
        let of_run: Vec<_> = bench
            .out
            .iter()
            .filter_map(|(_, out)| match out {
                Out::Signal(s)
                    if s.kind == "message.delta" && s.data["runId"] == format!("in_test:{run}") =>
                {
                    Some((s.data["offset"].as_u64().unwrap(), s.data["text"].as_str().unwrap().to_owned()))
                }
                _ => None,
            })
            .collect();
        let messages = bench.of_kind("message.created");
        let (_, answer) = messages.iter().find(|(id, _)| *id == format!("{run}:answer")).unwrap();
        assert_eq!(assembled(&of_run).trim_end(), answer["text"].as_str().unwrap(), "{name}");
    }
}

#[test]
fn every_run_ends_once_after_its_answer() {
    for entry in std::fs::read_dir(crate::bench::folder()).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let Some(name) = file.strip_suffix(".jsonl").filter(|name| !name.ends_with(".expected")) else {
            continue;
        };
        let bench = replayed(name);
        let events = bench.published();
        for (index, (_, run, _)) in events.iter().enumerate().filter(|(_, event)| event.0 == "run.started") {
            let is_end = |kind: &str| matches!(kind, "run.completed" | "run.failed" | "run.aborted");
            let ends: Vec<usize> =
                (0..events.len()).filter(|at| is_end(events[*at].0) && events[*at].1 == *run).collect();
            assert!(ends.len() <= 1, "{name} {run}");
            let answer = events.iter().position(|event| event.1 == format!("{run}:answer"));
            if let (Some(answer), Some(end)) = (answer, ends.first()) {
                assert!(index < answer && answer + 1 == *end, "{name} {run}");
            }
        }
    }
}

#[test]
fn a_final_without_text_is_an_end_without_an_answer() {
    let mut bench = attached();
    bench.event("agent", &agent("r1", "lifecycle", &json!({"phase": "start"})));
    bench.out.clear();
    bench.event("chat", &chat("r1", "final", None));
    let events = bench.published();
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].0, &events[0].2["empty"]), ("run.completed", &json!(true)));
}

#[test]
fn an_error_keeps_the_text_that_was_shown() {
    let mut bench = attached();
    start(&mut bench, "r1", "half an ans");
    bench.out.clear();
    let mut error = chat("r1", "error", None);
    error["errorMessage"] = json!("HTTP 500");
    bench.event("chat", &error);
    let events = bench.published();
    assert_eq!(events.iter().map(|event| event.0).collect::<Vec<_>>(), ["message.created", "run.failed"]);
    assert_eq!(
        (&events[0].2["status"], &events[0].2["text"]),
        (&json!("interrupted"), &json!("half an ans"))
    );
    assert_eq!(events[1].2["error"], json!({"message": "HTTP 500"}));
    assert_eq!(bench.out.len(), 1, "one group");
}

#[test]
fn the_first_end_of_a_run_wins() {
    let mut bench = attached();
    start(&mut bench, "r1", "a");
    bench.event("chat", &chat("r1", "aborted", Some("a")));
    bench.out.clear();
    bench.event("agent", &agent("r1", "lifecycle", &json!({"phase": "model", "model": "m"})));
    bench.event("agent", &agent("r1", "lifecycle", &json!({"phase": "error", "aborted": true})));
    bench.event("chat", &chat("r1", "delta", Some("a b")));
    bench.event("chat", &chat("r1", "final", Some("a b")));
    assert_eq!(bench.out, []);
}

#[test]
fn heartbeats_are_hidden_everywhere_and_after_a_restart() {
    let bench = replayed("i-custom-feed-plugin");
    let beat = "9f5dd2be-6be0-483d-a807-b4c7781560e4";
    assert!(bench.published().iter().all(|(_, id, _)| !id.contains(beat)));
    let mut bench = bench.restarted();
    bench.event("chat", &chat(beat, "final", Some("HEARTBEAT text")));
    assert_eq!(bench.out, []);
}

#[test]
fn a_run_that_turns_out_to_be_a_heartbeat_is_taken_back() {
    let mut bench = attached();
    start(&mut bench, "r1", "internal");
    bench.out.clear();
    let mut beat = agent("r1", "lifecycle", &json!({"phase": "model"}));
    beat["isHeartbeat"] = json!(true);
    bench.event("agent", &beat);
    bench.event("chat", &chat("r1", "final", Some("internal")));
    assert_eq!(
        bench.published().iter().map(|event| (event.0, &event.2["empty"])).collect::<Vec<_>>(),
        [("run.completed", &json!(true))]
    );
}

#[test]
fn half_an_emoji_is_held_back_until_it_is_whole() {
    let mut bench = attached();
    bench.event("agent", &agent("r1", "lifecycle", &json!({"phase": "start"})));
    for text in [r"hi \ud83d", r"hi \ud83d\ude00", r"hi \ud83d\ude00 you"] {
        let frame = format!(
            r#"{{"type":"event","event":"chat","payload":{{"runId":"r1","sessionKey":"{MAIN}","state":"delta","message":{{"content":[{{"type":"text","text":"{text}"}}]}}}}}}"#
        );
        bench.frame(&frame);
    }
    assert_eq!(deltas(&bench), [(0, "hi ".into()), (3, "😀".into()), (5, " you".into())]);
}

#[test]
fn a_stream_that_changes_its_text_starts_over_and_repeats_itself_every_two_seconds() {
    let mut bench = attached();
    start(&mut bench, "r1", "one");
    bench.event("chat", &chat("r1", "delta", Some("one two")));
    bench.event("chat", &chat("r1", "delta", Some("other")));
    let mut replaced = chat("r1", "delta", Some("other text"));
    replaced["replace"] = json!(true);
    bench.event("chat", &replaced);
    bench.tick(bench.now.at.0 + 2_000);
    bench.event("chat", &chat("r1", "delta", Some("other text!")));
    bench.event("chat", &chat("r1", "delta", Some("other text!?")));
    let texts = [(0, "one"), (3, " two"), (0, "other"), (0, "other text"), (0, "other text!"), (11, "?")];
    assert_eq!(deltas(&bench), texts.map(|(offset, text)| (offset, text.to_owned())));
}

#[test]
fn two_equal_prompts_are_two_messages() {
    let mut bench = attached();
    bench.event("session.message", &live_row(&user_row("k1", "continue", 1)));
    bench.event("session.message", &live_row(&user_row("k2", "continue", 2)));
    let mut without_key = user_row("x", "continue", 3);
    without_key.as_object_mut().unwrap().remove("idempotencyKey");
    bench.event("session.message", &live_row(&without_key));
    let ids: Vec<String> = bench.of_kind("message.created").into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["k1:user", "k2:user", "row-3"]);
}

#[test]
fn prompts_of_the_gateway_itself_are_internal() {
    let mut bench = attached();
    let mut row = user_row("k1", "[System] resume", 1);
    row["provenance"] = json!({"kind": "internal_system"});
    bench.event("session.message", &live_row(&row));
    bench.event("session.message", &live_row(&user_row("k2", "hello", 2)));
    bench.event("session.message", &live_row(&answer_row("r1", "never from a live row", "stop", 3)));
    let messages = bench.of_kind("message.created");
    assert_eq!(messages.len(), 2);
    assert_eq!(
        (&messages[0].1["author"], &messages[0].1["internal"]),
        (&json!({"type": "system"}), &json!(true))
    );
    assert_eq!(messages[1].1["author"], json!({"type": "external", "name": "tui"}));
}

#[test]
fn a_prompt_that_came_cut_is_read_as_a_whole() {
    let mut bench = attached();
    let mut cut = user_row("k1", "long...(truncated)...", 1);
    cut["__openclaw"]["truncated"] = json!(true);
    bench.event("session.message", &live_row(&cut));
    assert_eq!(bench.of_kind("message.created"), []);
    let mut world = crate::bench::World::new("b1");
    world.message = user_row("k1", "long and whole", 1);
    bench.read(&world);
    let messages = bench.of_kind("message.created");
    assert_eq!((messages.len(), &messages[0].1["text"]), (1, &json!("long and whole")));
}

#[test]
fn the_context_is_what_the_gateway_counts_and_unknown_is_null() {
    let mut bench = attached();
    let mut row = session_row(false, 1_795_355_000_100);
    row.as_object_mut().unwrap().extend(
        json!({"totalTokens": 9951, "totalTokensFresh": true, "contextTokens": 128_000, "inputTokens": 7, "status": "done"})
            .as_object()
            .unwrap()
            .clone(),
    );
    bench.event("sessions.changed", &json!({"session": row, "totalTokens": 5}));
    bench.event("sessions.changed", &json!({"session": row}));
    row["updatedAt"] = json!(1_795_355_000_200_u64);
    row["snapshotAt"] = json!(1_795_355_000_200_u64);
    row["sessionId"] = json!("s2");
    row.as_object_mut().unwrap().retain(|field, _| !field.starts_with("totalTokens"));
    bench.event("sessions.changed", &json!({"reason": "reset", "session": row}));
    let sessions = bench.of_kind("session.upserted");
    assert_eq!(sessions.len(), 2);
    let used = &sessions[0].1["contextUsed"];
    assert_eq!(
        (&used["value"], &used["fresh"], &sessions[0].1["contextLimit"]),
        (&json!(9951), &json!(true), &json!(128_000))
    );
    assert_eq!((&sessions[1].1["contextUsed"], &sessions[1].1["sessionId"]), (&Value::Null, &json!("s2")));
    assert_eq!(sessions[0].0, sessions[1].0, "a reset keeps the id");
    assert_eq!(sessions[1].1["lifetimeTokens"], Value::Null);
}

#[test]
fn an_older_session_row_is_ignored() {
    let mut bench = attached();
    bench.event("sessions.changed", &json!({"session": session_row(false, 200)}));
    bench.event("sessions.changed", &json!({"session": session_row(true, 100)}));
    assert_eq!(bench.of_kind("session.upserted").len(), 1);
}

#[test]
fn excluded_sessions_never_leave_the_machine() {
    let mut bench = Bench::new();
    bench.observed.exclude_sessions(vec!["whatsapp".into()]);
    let key = "agent:main:whatsapp:direct:+49";
    bench.event("sessions.changed", &json!({"sessionKey": key, "session": {"key": key}}));
    bench.event("session.message", &json!({"sessionKey": key, "message": user_row("k1", "private", 1)}));
    bench.event(
        "chat",
        &json!({"sessionKey": key, "runId": "r1", "state": "final", "message": {"content": "private"}}),
    );
    assert_eq!(bench.out, []);
}

#[test]
fn what_is_not_translated_yet_is_ignored() {
    let mut bench = attached();
    for name in ["task", "cron", "plugin.otter.feed", "presence", "tick", "session.tool", "new.kind"] {
        bench.event(name, &json!({"sessionKey": MAIN, "id": "x"}));
        bench.event(name, &Value::Null);
    }
    let approvals = ["exec.approval.requested", "exec.approval.resolved", "session.tool"];
    for name in
        ["chat", "agent", "session.message", "sessions.changed", "health"].into_iter().chain(approvals)
    {
        for odd in [
            Value::Null,
            json!([]),
            json!({"runId": 7, "sessionKey": {}}),
            json!({"session": [], "message": 5}),
        ] {
            bench.event(name, &odd);
        }
    }
    assert_eq!(bench.out, []);
}

#[test]
fn counters_wait_a_second_for_newer_ones_and_a_status_does_not() {
    let mut bench = attached();
    let mut row = session_row(true, 1_795_355_000_100);
    bench.event("sessions.changed", &json!({"session": row}));
    for at in [200, 300, 400] {
        row["updatedAt"] = json!(1_795_355_000_000_u64 + at);
        row["snapshotAt"] = row["updatedAt"].clone();
        bench.event("sessions.changed", &json!({"session": row}));
    }
    assert_eq!(bench.of_kind("session.upserted").len(), 1);
    bench.tick(bench.now.at.0 + 1_000);
    let sessions = bench.of_kind("session.upserted");
    assert_eq!((sessions.len(), &sessions[1].1["lastActivityAt"]), (2, &json!("2026-11-22T13:43:20.400Z")));
    row["hasActiveRun"] = json!(false);
    row["status"] = json!("done");
    bench.event("sessions.changed", &json!({"session": row}));
    assert_eq!(bench.of_kind("session.upserted")[2].1["status"], "done");
    bench.tick(bench.now.at.0 + 5_000);
    assert_eq!(bench.of_kind("session.upserted").len(), 3);
}
