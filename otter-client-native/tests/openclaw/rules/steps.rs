//! Tool calls: told once, when all of their end is known.

use otter_client_native::openclaw::SessionKey;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{MAIN, agent, answer_row, attached, chat, history, session_row, start, user_row};
use crate::bench::{Bench, World, conversation};

const T: u64 = 1_795_355_000_000;

fn item(bench: &mut Bench, phase: &str, extra: &Value) {
    let mut data = json!({"kind": "tool", "itemId": "tool:call-1", "toolCallId": "call-1", "name": "exec", "phase": phase,
        "title": "Exec make in /home/ada/ws/app", "commandBearing": true, "startedAt": T + 100});
    data.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    bench.event("agent", &agent("r1", "item", &data));
}

fn output(bench: &mut Bench, text: &str, extra: &Value) {
    let mut data = json!({"phase": "end", "toolCallId": "call-1", "name": "exec", "output": text, "status": "completed",
        "exitCode": 0, "durationMs": 81, "cwd": "/home/ada/ws"});
    data.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    bench.event("agent", &agent("r1", "command_output", &data));
}

fn running() -> Bench {
    let mut bench = attached();
    start(&mut bench, "r1", "Let me run that.");
    item(&mut bench, "start", &json!({"status": "running"}));
    bench
}

fn ended() -> Value {
    json!({"status": "completed", "endedAt": T + 300})
}

fn steps(bench: &Bench) -> Vec<Value> {
    bench.of_kind("step.recorded").into_iter().map(|(_, data)| data).collect()
}

fn whole() -> Value {
    json!({
        "conversationId": conversation(&SessionKey::new(MAIN)), "runId": "in_test:r1", "name": "exec",
        "title": "Exec make in app", "status": "completed", "exitCode": 0, "outputHead": "ok",
        "startedAt": "2026-11-22T13:43:20.100Z", "endedAt": "2026-11-22T13:43:20.300Z", "durationMs": 81,
    })
}

#[test]
fn a_command_is_told_once_both_of_its_ends_are_known_in_either_order() {
    for item_first in [true, false] {
        let mut bench = running();
        if item_first {
            item(&mut bench, "end", &ended());
            output(&mut bench, "ok", &json!({}));
        } else {
            output(&mut bench, "ok", &json!({}));
            item(&mut bench, "end", &ended());
        }
        item(&mut bench, "end", &ended());
        output(&mut bench, "ok", &json!({}));
        assert_eq!(bench.of_kind("step.recorded"), [("r1:call-1".to_owned(), whole())]);
    }
}

#[test]
fn a_tool_without_output_of_its_own_is_told_at_its_end() {
    let mut bench = running();
    item(
        &mut bench,
        "end",
        &json!({"status": "completed", "endedAt": T + 300, "commandBearing": false, "title": "Read"}),
    );
    let steps = steps(&bench);
    assert_eq!((&steps[0]["durationMs"], &steps[0]["title"]), (&json!(200), &json!("Read")));
}

#[test]
fn an_output_that_never_comes_is_not_waited_for() {
    let mut bench = running();
    item(&mut bench, "end", &ended());
    bench.tick(bench.now.at.0 + 1_999);
    assert_eq!(steps(&bench), Vec::<Value>::new());
    bench.tick(bench.now.at.0 + 1);
    assert_eq!(steps(&bench)[0]["status"], "completed");
}

#[test]
fn output_is_cut_between_characters() {
    let mut bench = running();
    output(&mut bench, &format!("{}😀", "x".repeat(4_094)), &json!({}));
    item(&mut bench, "end", &ended());
    let step = &steps(&bench)[0];
    assert_eq!(step["outputHead"], "x".repeat(4_094));
    assert_eq!(step["outputTruncated"], true);
}

#[test]
fn a_failure_a_refusal_and_a_stop_are_told_apart() {
    let failed = json!({"status": "failed", "endedAt": T + 300, "error": "exit 1"});
    let denied = json!({"status": "failed", "endedAt": T + 300, "error": "Exec denied (gateway id=0a-1, user-denied): make"});
    for (end, status, head) in [(failed, "failed", json!("boom")), (denied, "denied", Value::Null)] {
        let mut bench = running();
        let text = if status == "denied" { end["error"].as_str().unwrap().to_owned() } else { "boom".into() };
        item(&mut bench, "end", &end);
        output(&mut bench, &text, &json!({"status": "failed", "exitCode": null}));
        let step = &steps(&bench)[0];
        assert_eq!((&step["status"], &step["outputHead"]), (&json!(status), &head));
    }
    let mut bench = running();
    bench.event("chat", &chat("r1", "aborted", Some("Let me run that.")));
    assert_eq!(steps(&bench)[0]["status"], "aborted");
    let kinds: Vec<_> = bench.published().into_iter().map(|event| event.0).collect();
    assert_eq!(kinds[kinds.len() - 3..], ["step.recorded", "message.created", "run.aborted"]);
}

#[test]
fn a_step_names_the_approval_it_waited_for() {
    let mut bench = running();
    let request = json!({"command": "make", "sessionKey": MAIN, "runId": "r1", "toolCallId": "call-1"});
    bench.event("exec.approval.requested", &json!({"id": "0a-1", "request": request}));
    bench.event(
        "exec.approval.resolved",
        &json!({"id": "0a-1", "decision": "deny", "resolvedBy": "phone", "request": request}),
    );
    item(&mut bench, "end", &json!({"status": "failed", "endedAt": T + 300}));
    output(&mut bench, "", &json!({"status": "failed", "exitCode": null}));
    let step = &steps(&bench)[0];
    assert_eq!((&step["status"], &step["approvalId"]), (&json!("denied"), &json!("in_test:0a-1")));
}

#[test]
fn an_end_that_was_missed_is_taken_from_the_transcript() {
    let mut bench = running().restarted();
    bench.tick(T + 10_000);
    let call = json!({"role": "assistant", "content": [{"type": "toolCall", "id": "call-2", "name": "read"}], "stopReason": "toolUse",
        "timestamp": T + 400, "__openclaw": {"id": "row-3", "runId": "r1", "transcriptPosition": {"rawSeq": 3}}});
    let result = |call: &str, text: &str, seq: u64| {
        json!({"role": "toolResult", "toolCallId": call, "toolName": "exec", "isError": false, "timestamp": T + 300,
            "content": [{"type": "text", "text": text}], "details": {"exitCode": 0, "durationMs": 81, "cwd": "/home/ada/ws"},
            "__openclaw": {"id": format!("row-{seq}"), "runId": "r1", "transcriptPosition": {"rawSeq": seq}}})
    };
    let rows = [
        user_row("r1", "go", 1),
        result("call-1", "ok", 2),
        call,
        result("call-2", "text", 4),
        result("call-3", "?", 5),
        answer_row("r1", "Done.", "stop", 6),
    ];
    let mut world = World::new("b1");
    world.sessions = vec![session_row(false, T + 900)];
    world.histories = vec![(MAIN, history(&rows, false))];
    bench.attach(&world);
    let told = bench.of_kind("step.recorded");
    assert_eq!(told[0], ("r1:call-1".to_owned(), whole()));
    let ids: Vec<_> = told.iter().map(|(id, data)| (id.as_str(), data["startedAt"].clone())).collect();
    assert_eq!(ids[1], ("r1:call-2", json!("2026-11-22T13:43:20.400Z")));
    assert_eq!(ids.len(), 2, "of the third nobody knows when it began");
}

#[test]
fn the_catalogue_call_around_a_tool_is_not_a_step_of_its_own() {
    let mut bench = attached();
    start(&mut bench, "r1", "Calling.");
    let data = |call: &str, name: &str, phase: &str| {
        json!({"kind": "tool", "toolCallId": call, "name": name, "phase": phase, "status": "completed", "startedAt": T,
            "endedAt": T + 1, "commandBearing": false})
    };
    let inner = "tool_search_code:call-1:otter_feed_push:1";
    for (call, name, phase) in [
        ("call-1", "tool_call", "start"),
        (inner, "otter_feed_push", "start"),
        (inner, "otter_feed_push", "end"),
        ("call-1", "tool_call", "end"),
    ] {
        bench.event("agent", &agent("r1", "item", &data(call, name, phase)));
    }
    let names: Vec<_> = steps(&bench).into_iter().map(|step| step["name"].clone()).collect();
    assert_eq!(names, ["otter_feed_push"]);
}

#[test]
fn the_run_of_a_sub_agent_names_the_run_that_began_it() {
    let spawned = json!({"phase": "result", "name": "sessions_spawn", "toolCallId": "call-1",
        "result": {"details": {"status": "accepted", "runId": "child"}}});
    for foreign in [false, true] {
        let mut bench = attached();
        start(&mut bench, "r1", "Asking.");
        if foreign {
            bench.event("session.tool", &agent("r1", "tool", &spawned));
        } else {
            bench.event("agent", &agent("r1", "tool", &spawned));
        }
        let mut bench = bench.restarted();
        start(&mut bench, "child", "Working.");
        assert_eq!(bench.of_kind("run.started")[0].1["parentRunId"], "in_test:r1");
    }
}
