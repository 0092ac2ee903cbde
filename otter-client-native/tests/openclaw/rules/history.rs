//! Attach, recovery and import.

use otter_client_native::openclaw::{RpcCall, RpcError};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{MAIN, agent, answer_row, attached, chat, history, live_row, session_row, start, user_row};
use crate::bench::{Bench, Out, World, lines};

fn kinds(bench: &Bench) -> Vec<(&'static str, String)> {
    bench.published().into_iter().map(|(kind, id, _)| (kind, id)).collect()
}

/// A world in which the main session has this history.
fn world(boot: &'static str, payload: Value) -> World {
    let active = payload["sessionInfo"]["hasActiveRun"] == true;
    let mut world = World::new(boot);
    world.sessions = vec![session_row(active, 1_795_355_900_000)];
    world.histories = vec![(MAIN, payload)];
    world
}

#[test]
fn a_run_that_its_gateway_lost_ends_interrupted_and_its_turn_is_answered_anew() {
    let key = "05101e06-dcf8-4888-8986-760ae719b799";
    let mut before = attached();
    before.event("session.message", &live_row(&user_row(key, "SLOW three", 16)));
    start(&mut before, key, "word0 word1");
    let mut bench = before.restarted();
    bench.replay(&lines("k-sigkill-resume"));
    let about = |run: &str| -> Vec<(&'static str, Value)> {
        let events = bench.published().into_iter();
        events.filter(|(_, id, _)| id.starts_with(run)).map(|(kind, _, data)| (kind, data)).collect()
    };
    let lost = about(key);
    let lost: Vec<_> = lost
        .iter()
        .filter(|(kind, data)| kind.starts_with("run.") || data["status"] == "interrupted")
        .collect();
    assert_eq!(lost[0].1["text"], "word0 word1");
    assert_eq!(lost[0].1["after"], format!("in_test:{key}:user"));
    assert_eq!((lost[1].0, &lost[1].1["error"]["code"]), ("run.failed", &json!("lost")));
    assert_eq!(lost.len(), 2);
    let together = bench.out.iter().any(|(_, out)| {
        matches!(out, Out::Publish(events) if events.len() == 2
        && events[0].data["status"] == "interrupted" && events[1].kind == "run.failed")
    });
    assert!(together);
    let resumed = about("8ea73bff");
    let created: Vec<_> = resumed.iter().filter(|(kind, _)| *kind == "message.created").collect();
    assert_eq!(
        (&created[0].1["author"]["type"], &created[0].1["internal"]),
        (&json!("system"), &json!(true))
    );
    assert_eq!(
        (&created[1].1["status"], created[1].1["text"].as_str().unwrap().len()),
        (&json!("complete"), 1_489)
    );
}

#[test]
fn the_same_boot_keeps_a_run_open_while_anything_runs() {
    let mut bench = attached();
    start(&mut bench, "r1", "word0");
    bench.out.clear();
    let mut payload = history(&[user_row("r1", "go", 1)], true);
    payload["inFlightRun"] = json!({"runId": "r2", "text": ""});
    bench.attach(&world("b1", payload));
    assert!(bench.of_kind("run.failed").is_empty() && bench.of_kind("run.completed").is_empty());
    bench.event("chat", &chat("r1", "final", Some("word0 word1")));
    assert_eq!(bench.of_kind("run.completed").len(), 1);
}

#[test]
fn a_final_that_was_missed_is_read_from_history() {
    let mut bench = attached();
    start(&mut bench, "r1", "Let me");
    bench.out.clear();
    let rows = [
        user_row("r1", "go", 1),
        answer_row("r1", "Let me run that.  \n", "toolUse", 2),
        answer_row("r1", "Done.", "stop", 3),
    ];
    bench.attach(&world("b1", history(&rows, false)));
    let messages = bench.of_kind("message.created");
    let (_, answer) = messages.iter().find(|(id, _)| id == "r1:answer").unwrap();
    assert_eq!(
        (&answer["text"], &answer["status"]),
        (&json!("Let me run that.\n\nDone."), &json!("complete"))
    );
    assert_eq!((&answer["after"], &answer["runId"]), (&json!("in_test:r1:user"), &json!("in_test:r1")));
    assert_eq!(bench.of_kind("run.completed").len(), 1);
}

#[test]
fn recovery_tells_aborted_from_failed_from_empty() {
    let aborted = {
        let mut row = answer_row("r1", "part", "stop", 3);
        row["idempotencyKey"] = json!("r1:assistant");
        row["openclawAbort"] = json!({"aborted": true});
        row
    };
    let failed = answer_row("r1", "The agent run failed.", "error", 3);
    for (rows, expected, text) in [
        (vec![answer_row("r1", "first", "toolUse", 2), aborted], "run.aborted", Some("part")),
        (vec![failed], "run.failed", None),
        (vec![], "run.completed", None),
    ] {
        let mut bench = attached();
        bench.event("agent", &agent("r1", "lifecycle", &json!({"phase": "start"})));
        bench.out.clear();
        bench.attach(&world("b1", history(&rows, false)));
        let answer = bench.of_kind("message.created").into_iter().find(|(id, _)| id == "r1:answer");
        assert_eq!(answer.map(|(_, data)| data["text"].clone()), text.map(|text| json!(text)), "{expected}");
        assert_eq!(bench.of_kind(expected).len(), 1, "{expected}");
    }
}

#[test]
fn a_lifecycle_end_without_a_final_is_looked_after_in_two_seconds() {
    let mut bench = attached();
    start(&mut bench, "r1", "All");
    bench.event("agent", &agent("r1", "lifecycle", &json!({"phase": "finishing"})));
    assert_eq!(bench.observed.poll_timeout(), None);
    bench.event("agent", &agent("r1", "lifecycle", &json!({"phase": "end"})));
    bench.out.clear();
    let world =
        world("b1", history(&[user_row("r1", "go", 1), answer_row("r1", "All done.", "stop", 2)], false));
    assert_eq!(bench.read(&world), []);
    bench.tick(bench.now.at.0 + 2_000);
    assert_eq!(bench.read(&world).len(), 1);
    let messages = bench.of_kind("message.created");
    assert!(messages.iter().any(|(id, data)| id == "r1:answer" && data["text"] == "All done."));
    assert_eq!(bench.of_kind("run.completed").len(), 1);
}

#[test]
fn the_first_attach_imports_in_order_and_the_second_imports_nothing() {
    let mut bench = Bench::new();
    bench.tick(1_795_355_000_000);
    bench.observed.set_clock_offset(300_000);
    let rows = [
        user_row("k1", "one", 1),
        answer_row("k1", "first", "stop", 2),
        user_row("k2", "two", 3),
        answer_row("k2", "second", "stop", 4),
    ];
    let calls = bench.attach(&world("b1", history(&rows, false)));
    let read = calls.iter().find(|call| matches!(call, RpcCall::ChatHistory { .. })).unwrap();
    assert_eq!(read.params(), json!({"sessionKey": MAIN, "limit": 50, "maxChars": 500_000}));
    let placed: Vec<_> = bench
        .of_kind("message.created")
        .into_iter()
        .map(|(id, data)| (id, data["sentAt"].as_str().unwrap().to_owned(), data["after"].clone()))
        .collect();
    let expected = [
        ("k1:user", "2026-11-22T13:48:20.001Z", Value::Null),
        ("k1:answer", "2026-11-22T13:48:20.002Z", json!("in_test:k1:user")),
        ("k2:user", "2026-11-22T13:48:20.003Z", json!("in_test:k1:answer")),
        ("k2:answer", "2026-11-22T13:48:20.004Z", json!("in_test:k2:user")),
    ];
    assert_eq!(placed, expected.map(|(id, at, after)| (id.to_owned(), at.to_owned(), after)));

    let mut again = bench.restarted();
    let mut world = world("b1", history(&rows, false));
    again.attach(&world);
    assert_eq!(again.of_kind("message.created"), []);
    // Something was said meanwhile: only that is imported.
    let more: Vec<Value> = rows.iter().cloned().chain([user_row("k3", "three", 5)]).collect();
    world.histories = vec![(MAIN, history(&more, false))];
    world.sessions = vec![session_row(false, 1_795_355_990_000)];
    again.attach(&world);
    let ids: Vec<_> = again.of_kind("message.created").into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["k3:user"]);
}

#[test]
fn an_idle_reattach_reads_no_history() {
    let mut bench = Bench::new();
    let world = world("b1", history(&[user_row("k1", "one", 1)], false));
    bench.attach(&world);
    let calls = bench.attach(&world);
    let methods: Vec<_> = calls.iter().map(RpcCall::method).collect();
    let lists = ["tasks.list", "cron.runs", "otter.feed.list"];
    assert_eq!(
        methods,
        [&["agents.list", "sessions.subscribe", "sessions.list", "exec.approval.list"][..], &lists].concat()
    );
}

#[test]
fn a_day_of_idling_asks_the_gateway_nothing() {
    let mut bench = Bench::new();
    bench.tick(1_795_355_000_000);
    let mut world = World::new("b1");
    world.sessions = (0..500)
        .map(|n| json!({"key": format!("agent:main:dashboard:{n}"), "agentId": "main", "hasActiveRun": false,
            "updatedAt": 1_795_000_000_000_u64 + n, "snapshotAt": 1_795_000_000_000_u64 + n, "sessionId": format!("s{n}")}))
        .collect();
    let calls = bench.attach(&world);
    let lists = |calls: &[RpcCall]| calls.iter().filter(|call| call.method() == "sessions.list").count();
    assert_eq!(lists(&calls), 1);
    bench.out.clear();
    for half_minute in 0..2_880 {
        bench.tick(bench.now.at.0 + 30_000);
        bench.event("tick", &json!({"ts": bench.now.wall.0}));
        if half_minute % 2 == 0 {
            bench.event(
                "health",
                &json!({"ok": true, "agents": [{"agentId": "main"}, {"agentId": "researcher"}]}),
            );
            bench.event("presence", &json!({"presence": []}));
        }
        assert_eq!(bench.read(&world), [], "after {} s", half_minute * 30);
    }
    assert_eq!((bench.take_calls(), bench.published()), (vec![], vec![]));
}

#[test]
fn nothing_internal_is_imported() {
    let mut heartbeat = answer_row("beat", "Nothing to report", "stop", 3);
    heartbeat["__openclaw"]["turnBoundary"] = json!(true);
    let mut announced = answer_row("announce:v1:x", "The research is done", "stop", 4);
    announced["__openclaw"]["turnBoundary"] = json!(true);
    let mut scheduled = json!({"role": "assistant", "content": "Check the market", "timestamp": 1, "idempotencyKey": "c1:user",
        "__openclaw": {"id": "row-5", "transcriptPosition": {"rawSeq": 5}}});
    scheduled["provenance"] = json!({"kind": "internal_system"});
    let rows = [
        user_row("k1", "hello", 1),
        answer_row("k1", "HEARTBEAT_OK", "stop", 2),
        heartbeat,
        announced,
        scheduled,
        answer_row("k9", "broken", "error", 6),
        json!({"role": "toolResult", "content": "secret", "__openclaw": {"id": "row-7"}}),
    ];
    let mut bench = Bench::new();
    bench.attach(&world("b1", history(&rows, false)));
    let shown: Vec<_> = bench
        .of_kind("message.created")
        .into_iter()
        .map(|(id, data)| (id, data["author"]["type"].as_str().unwrap().to_owned(), data["internal"] == true))
        .collect();
    let shown: Vec<_> =
        shown.iter().map(|(id, author, internal)| (id.as_str(), author.as_str(), *internal)).collect();
    assert_eq!(
        shown,
        [
            ("k1:user", "external", false),
            ("announce:v1:x:answer", "agent", false),
            ("c1:user", "system", true)
        ]
    );
}

#[test]
fn the_answer_of_a_turn_under_way_is_not_imported_before_its_end() {
    let rows = [user_row("k1", "go", 1), answer_row("k1", "Let me run that.", "toolUse", 2)];
    let mut running = history(&rows, true);
    running["inFlightRun"] =
        json!({"runId": "k1", "text": "Let me run that.", "startedAt": 1_795_355_000_000_u64});
    let mut bench = Bench::new();
    bench.attach(&world("b1", running));
    assert_eq!(kinds(&bench).iter().filter(|(_, id)| id == "k1:answer").count(), 0);
    assert_eq!(bench.of_kind("run.started").len(), 1);
    let delta = bench.out.iter().find_map(|(_, out)| match out {
        Out::Signal(signal) => Some(signal.data.clone()),
        _ => None,
    });
    assert_eq!(delta, Some(json!({"runId": "in_test:k1", "offset": 0, "text": "Let me run that."})));
    bench.event("chat", &chat("k1", "final", Some("Let me run that.\n\nDone.")));
    let messages = bench.of_kind("message.created");
    assert_eq!(messages.last().unwrap().1["text"], "Let me run that.\n\nDone.");
}

#[test]
fn a_queued_message_without_text_begins_no_run() {
    let mut payload = history(&[user_row("k1", "go", 1)], true);
    payload["inFlightRun"] = json!({"runId": "k2", "text": ""});
    let mut bench = Bench::new();
    bench.attach(&world("b1", payload));
    assert_eq!(bench.of_kind("run.started"), []);
}

#[test]
fn a_session_that_is_gone_ends_and_its_conversation_is_archived() {
    let mut world = world("b1", history(&[], false));
    let mut other = session_row(false, 1_795_355_000_500);
    other["key"] = json!("agent:main:cron:job1");
    world.sessions.push(other);
    let mut bench = Bench::new();
    bench.attach(&world);
    bench.out.clear();
    world.sessions.clear();
    bench.event("sessions.changed", &json!({"reason": "delete", "ts": 1}));
    bench.read(&world);
    let events = bench.published();
    let summary: Vec<_> = events.iter().map(|(kind, _, data)| (*kind, data["archived"].clone())).collect();
    // The main session of an agent stays something to type into.
    assert_eq!(
        summary,
        [
            ("session.ended", Value::Null),
            ("conversation.updated", json!(true)),
            ("session.ended", Value::Null),
        ]
    );
}

#[test]
fn every_agent_has_a_conversation_and_one_that_is_gone_is_removed() {
    let mut bench = Bench::new();
    bench.attach(&World::new("b1"));
    assert_eq!(bench.of_kind("conversation.upserted").len(), 2);
    bench.out.clear();
    let one = json!({"agents": [{"agentId": "main", "name": "Main Otter"}]});
    bench.event("health", &one);
    assert!(matches!(bench.attachment.poll_call(&bench.observed, bench.now), Some((_, RpcCall::AgentsList))));
    assert_eq!(bench.out, []);
}

#[test]
fn a_read_that_fails_is_tried_again_and_holds_up_the_commands_only_so_long() {
    let mut bench = Bench::new();
    bench.tick(1_000);
    bench.attachment.handle_ready(Some("b1"), &mut bench.observed);
    let mut tries = 0;
    for second in 1..60 {
        bench.tick(1_000 + second * 1_000);
        while let Some((id, call)) = bench.attachment.poll_call(&bench.observed, bench.now) {
            tries += u32::from(call == RpcCall::AgentsList);
            bench.attachment.handle_response(id, Err(RpcError::Timeout), &mut bench.observed, bench.now);
        }
    }
    assert_eq!((tries, bench.attachment.is_done()), (3, true));
}

#[test]
fn a_hub_that_forgot_gets_the_whole_text_of_a_silent_run() {
    let mut before = attached();
    start(&mut before, "r1", "Let me run that.");
    before.event(
        "agent",
        &agent("r1", "item", &json!({"kind": "tool", "phase": "start", "name": "exec", "title": "Exec"})),
    );
    before.out.clear();
    let outputs =
        otter_client_native::openclaw::translate::handle_forgotten(&mut before.observed, before.now);
    before.emit(outputs);
    let signals: Vec<Value> = before
        .out
        .iter()
        .filter_map(|(_, out)| match out {
            Out::Signal(signal) => Some(signal.data.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(
        signals,
        [
            json!({"runId": "in_test:r1", "offset": 0, "text": "Let me run that."}),
            json!({"runId": "in_test:r1", "phase": "tool", "tool": "exec", "title": "Exec"}),
        ]
    );
}

#[test]
fn a_bridge_started_again_does_not_shorten_a_stream() {
    let mut before = attached();
    start(&mut before, "r1", "word0");
    let mut bench = before.restarted();
    bench.out.clear();
    let outputs = otter_client_native::openclaw::translate::handle_forgotten(&mut bench.observed, bench.now);
    bench.emit(outputs);
    let texts = |bench: &Bench| -> Vec<Value> {
        let signals = bench.out.iter().filter_map(|(_, out)| match out {
            Out::Signal(signal) if signal.kind == "message.delta" => Some(signal.data.clone()),
            _ => None,
        });
        signals.collect()
    };
    assert_eq!(texts(&bench), Vec::<Value>::new());
    bench.event("chat", &chat("r1", "delta", Some("word0 word1")));
    assert_eq!(texts(&bench), [json!({"runId": "in_test:r1", "offset": 0, "text": "word0 word1"})]);
}

#[test]
fn a_lost_run_whose_session_is_gone_ends_too() {
    let mut bench = attached();
    start(&mut bench, "r1", "word0");
    bench.out.clear();
    bench.attachment.handle_ready(Some("b2"), &mut bench.observed);
    let refused = RpcError::Refused {
        code: "INVALID_REQUEST".into(),
        message: "unknown session".into(),
        retryable: false,
        retry_after: None,
        details: Value::Null,
    };
    let world = World::new("b2");
    for second in 1..20 {
        bench.tick(bench.now.at.0 + second * 1_000);
        while let Some((id, call)) = bench.attachment.poll_call(&bench.observed, bench.now) {
            let result = world.answer(&call).ok_or_else(|| refused.clone());
            let outputs = bench.attachment.handle_response(id, result, &mut bench.observed, bench.now);
            bench.emit(outputs);
        }
    }
    assert_eq!(bench.of_kind("run.failed")[0].1["error"]["code"], "lost");
    assert!(bench.attachment.is_done());
}

#[test]
fn an_import_that_the_link_cut_short_is_made_at_the_next_attach() {
    let rows = [user_row("k1", "one", 1), answer_row("k1", "first", "stop", 2)];
    let world = world("b1", history(&rows, false));
    for cut in 0..4 {
        let mut bench = Bench::new();
        bench.tick(1_795_355_000_000);
        bench.attachment.handle_ready(Some("b1"), &mut bench.observed);
        for step in 0.. {
            let Some((id, call)) = bench.attachment.poll_call(&bench.observed, bench.now) else { break };
            let result =
                if step < cut { Ok(world.answer(&call).unwrap()) } else { Err(RpcError::Disconnected) };
            let outputs = bench.attachment.handle_response(id, result, &mut bench.observed, bench.now);
            bench.emit(outputs);
        }
        let mut bench = bench.restarted();
        bench.attach(&world);
        let ids: Vec<_> = bench.of_kind("message.created").into_iter().map(|(id, _)| id).collect();
        assert_eq!(ids, ["k1:user", "k1:answer"], "cut after {cut} answers");
    }
}
