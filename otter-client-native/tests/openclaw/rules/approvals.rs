//! Approvals: shown while the gateway waits, ended by its record, answered once.

use otter_client_native::openclaw::{RpcCall, RpcError, RpcResult, SessionKey, Verb};
use otter_proto::id::{CommandId, EntityId};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{MAIN, agent, attached, start};
use crate::bench::{Bench, World, conversation};

const A: &str = "0a-1";
const C: &str = "0193-c";

fn request(id: &str, command: &str) -> Value {
    json!({"approvalKind": "exec", "id": id, "createdAtMs": 1_795_355_000_000_u64, "expiresAtMs": 1_795_356_800_000_u64,
        "request": {"command": command, "cwd": "/home/ada/ws", "host": "gateway", "warningText": null,
            "env": {"TOKEN": "secret"}, "allowedDecisions": ["allow-once", "deny"], "agentId": "main",
            "resolvedPath": "/usr/bin/x", "sessionKey": MAIN, "runId": "r1", "toolCallId": "call-1"}})
}

fn resolved(id: &str, decision: &str, by: &str) -> Value {
    json!({"id": id, "decision": decision, "resolvedBy": by, "ts": 1_795_355_001_000_u64, "request": {"sessionKey": MAIN}})
}

fn ended(id: &str, status: &str, decision: Option<&str>) -> Value {
    json!({"id": id, "status": status, "decision": decision, "reason": "user", "resolvedAtMs": 1_795_355_002_000_u64,
        "source": {"sessionKey": MAIN}, "resolver": {"kind": "runtime", "id": "phone"}})
}

fn decide(decision: &str) -> Verb {
    Verb::Decide { approval: EntityId::new(&format!("in_test:{A}")).unwrap(), decision: decision.into() }
}

fn id() -> CommandId {
    CommandId::new(C).unwrap()
}

fn refused(reason: &str) -> RpcResult {
    Err(RpcError::Refused {
        code: "INVALID_REQUEST".into(),
        message: "no".into(),
        retryable: false,
        retry_after: None,
        details: json!({"reason": reason}),
    })
}

/// A bridge with one approval that waits.
fn asked() -> Bench {
    let mut bench = attached();
    bench.event("exec.approval.requested", &request(A, "make deploy"));
    bench
}

/// A bridge that sent an answer to the gateway.
fn answered(decision: &str) -> Bench {
    let mut bench = asked();
    bench.out.clear();
    bench.request(C, decide(decision));
    assert_eq!(calls(&mut bench), [("exec.approval.resolve", json!({"id": A, "decision": decision}))]);
    bench
}

fn calls(bench: &mut Bench) -> Vec<(&'static str, Value)> {
    bench.take_calls().into_iter().map(|(_, call)| (call.method(), call.params())).collect()
}

/// Approval events and stages, in order.
fn story(bench: &Bench) -> Vec<String> {
    let say = |(kind, _, data): (&str, String, Value)| match kind {
        "command.updated" => {
            let code = data["error"]["code"].as_str().map(|code| format!(" {code}")).unwrap_or_default();
            Some(format!("{}{code}", data["stage"].as_str().unwrap()))
        }
        "approval.resolved" => Some(format!("resolved {}", data["outcome"].as_str().unwrap())),
        "approval.requested" | "approval.expired" => Some(kind.trim_start_matches("approval.").to_owned()),
        _ => None,
    };
    bench.published().into_iter().filter_map(say).collect()
}

#[test]
fn an_approval_is_shown_whole_and_without_what_belongs_to_the_machine() {
    let bench = asked();
    let conversation = conversation(&SessionKey::new(MAIN));
    let expected = json!({
        "instanceId": "in_test", "conversationId": conversation, "runId": "in_test:r1", "agentId": "in_test:main",
        "command": "make deploy", "host": "gateway", "state": "pending", "allowedDecisions": ["allow-once", "deny"],
        "requestedAt": "2026-11-22T13:43:20.000Z", "expiresAt": "2026-11-22T14:13:20.000Z",
    });
    assert_eq!(bench.of_kind("approval.requested"), [(A.to_owned(), expected)]);
}

#[test]
fn nobody_allows_what_they_cannot_see() {
    let cases = [
        ("x".repeat(6_145), 6_144, "too long"),
        ("\"".repeat(4_000), 3_072, "too long"),
        (format!("{}😀", "x".repeat(6_142)), 6_142, "too long"),
        ("rm -rf \u{202e}fdp.txt".to_owned(), 22, "do not show"),
        ("echo a\u{8}b".to_owned(), 12, "do not show"),
    ];
    for (command, shown, why) in cases {
        let mut bench = attached();
        bench.event("exec.approval.requested", &request(A, &command));
        let (_, data) = bench.of_kind("approval.requested").remove(0);
        assert_eq!(data["allowedDecisions"], json!(["deny"]), "{why}");
        assert_eq!(data["command"].as_str().unwrap().len(), shown, "{why}");
        assert!(data["warning"].as_str().unwrap().contains(why), "{data}");
        assert!(data.to_string().len() < 8 << 10);
    }
    let mut bench = attached();
    bench.event("exec.approval.requested", &request(A, &"x".repeat(6_144)));
    assert_eq!(bench.of_kind("approval.requested")[0].1["allowedDecisions"], json!(["allow-once", "deny"]));
}

#[test]
fn an_approval_of_a_private_session_never_leaves_the_machine() {
    let mut bench = Bench::new();
    bench.observed.exclude_sessions(vec!["main:main".into()]);
    let mut world = World::new("b1");
    world.approvals = json!([request(A, "cat diary")]);
    world.ended = vec![ended("0a-2", "denied", Some("deny"))];
    bench.attach(&world);
    bench.event("exec.approval.requested", &request("0a-3", "cat diary"));
    bench.event("exec.approval.resolved", &resolved("0a-3", "deny", "phone"));
    assert_eq!(story(&bench), Vec::<String>::new());
}

#[test]
fn a_bridge_that_may_not_decide_shows_none() {
    let mut bench = Bench::new();
    bench.observed.set_approvals(false);
    let calls = bench.attach(&World::new("b1"));
    bench.event("exec.approval.requested", &request(A, "make deploy"));
    assert!(calls.iter().all(|call| *call != RpcCall::ApprovalList));
    assert_eq!(story(&bench), Vec::<String>::new());
}

#[test]
fn the_gateways_word_ends_an_approval_once() {
    for (decision, by, outcome, extra) in [
        ("allow-once", "phone", "allowed", json!({"decision": "allow-once", "resolvedBy": "phone"})),
        ("deny", "phone", "denied", json!({"decision": "deny", "resolvedBy": "phone"})),
        ("deny", "approval-scope-closed", "cancelled", json!({"reason": "run-aborted"})),
    ] {
        let mut bench = asked();
        for _ in 0..2 {
            bench.event("exec.approval.resolved", &resolved(A, decision, by));
        }
        let mut expected =
            json!({"state": "resolved", "outcome": outcome, "resolvedAt": "2026-11-22T13:43:21.000Z"});
        expected.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        assert_eq!(bench.of_kind("approval.resolved"), [(A.to_owned(), expected)]);
    }
}

#[test]
fn an_answer_is_taken_to_the_gateway_and_its_record_comes_before_the_commands_end() {
    for (decision, outcome) in [("allow-once", "resolved allowed"), ("deny", "resolved denied")] {
        let mut bench = answered(decision);
        bench.reply(&id(), Ok(json!({"ok": true})));
        bench.event("exec.approval.resolved", &resolved(A, decision, "otter bridge"));
        assert_eq!(story(&bench), ["received", outcome, "completed"]);
        assert_eq!(bench.of_kind("approval.resolved")[0].1["resolvedBy"], Value::Null);
    }
}

#[test]
fn an_answer_that_came_too_late_fails_after_the_truth_was_told() {
    let table = [
        (
            "APPROVAL_ALREADY_RESOLVED",
            vec![ended(A, "denied", Some("deny"))],
            "resolved denied",
            "failed alreadyEnded",
        ),
        (
            "APPROVAL_ALREADY_RESOLVED",
            vec![ended(A, "allowed", Some("allow-once"))],
            "resolved allowed",
            "completed",
        ),
        (
            "APPROVAL_NOT_FOUND",
            vec![ended(A, "cancelled", None)],
            "resolved cancelled",
            "failed alreadyEnded",
        ),
        ("APPROVAL_NOT_FOUND", vec![ended(A, "expired", None)], "expired", "failed notFound"),
        ("APPROVAL_NOT_FOUND", vec![ended("other", "denied", Some("deny"))], "expired", "failed notFound"),
    ];
    for (reason, history, truth, end) in table {
        let mut bench = answered("allow-once");
        bench.reply(&id(), refused(reason));
        assert_eq!(calls(&mut bench), [("approval.history", json!({"limit": 100}))]);
        bench.reply(&id(), Ok(json!({"items": history})));
        assert_eq!(story(&bench), ["received", truth, end], "{reason}");
    }
}

#[test]
fn a_gateway_without_a_history_ends_it_as_forgotten() {
    let mut bench = answered("allow-once");
    bench.reply(&id(), refused("APPROVAL_NOT_FOUND"));
    bench.reply(&id(), refused("UNKNOWN_METHOD"));
    assert_eq!(story(&bench), ["received", "expired", "failed notFound"]);
}

#[test]
fn an_answer_the_gateway_refuses_leaves_the_approval_open() {
    let mut bench = answered("allow-once");
    bench.reply(&id(), refused("MISSING_SCOPE"));
    assert_eq!(story(&bench), ["received", "failed INVALID_REQUEST"]);
    bench.event("exec.approval.resolved", &resolved(A, "deny", "phone"));
    assert_eq!(bench.of_kind("approval.resolved")[0].1["resolvedBy"], "phone");
}

#[test]
fn a_lost_answer_is_given_again_after_a_crash_and_counts_once() {
    let mut bench = answered("allow-once").restarted();
    bench.tick(1_795_355_010_000);
    let mut world = World::new("b1");
    world.approvals = json!([request(A, "make deploy")]);
    bench.attach(&world);
    assert_eq!(calls(&mut bench).len(), 1);
    bench.reply(&id(), Ok(json!({"ok": true})));
    assert_eq!(story(&bench), ["resolved allowed", "completed"]);
}

#[test]
fn an_answer_that_arrived_before_the_crash_is_found_in_the_history() {
    let mut bench = answered("allow-once").restarted();
    bench.tick(1_795_355_010_000);
    let mut world = World::new("b2");
    world.ended = vec![ended(A, "allowed", Some("allow-once"))];
    bench.attach(&world);
    assert_eq!(calls(&mut bench), [], "the history was read before");
    assert_eq!(story(&bench), ["resolved allowed", "completed"]);
}

#[test]
fn two_approvals_of_one_run_are_answered_in_any_order() {
    let mut bench = asked();
    bench.event("exec.approval.requested", &request("0a-2", "make test"));
    bench.out.clear();
    let second = Verb::Decide { approval: EntityId::new("in_test:0a-2").unwrap(), decision: "deny".into() };
    bench.request("0193-d", second);
    bench.request(C, decide("allow-once"));
    assert_eq!(calls(&mut bench).len(), 2);
    bench.reply(&id(), Ok(json!({"ok": true})));
    bench.reply(&CommandId::new("0193-d").unwrap(), Ok(json!({"ok": true})));
    let ends = bench.of_kind("approval.resolved");
    let ends: Vec<_> = ends.iter().map(|(id, data)| (id.as_str(), data["outcome"].clone())).collect();
    assert_eq!(ends, [(A, json!("allowed")), ("0a-2", json!("denied"))]);
}

#[test]
fn what_the_gateway_forgets_without_a_word_ends_within_half_a_minute() {
    for (history, end) in [
        (vec![], "expired"),
        (vec![ended(A, "expired", None)], "expired"),
        (vec![ended(A, "allowed", Some("allow-once"))], "resolved allowed"),
        (vec![ended(A, "cancelled", None)], "resolved cancelled"),
    ] {
        let mut bench = asked();
        let mut world = World::new("b1");
        world.approvals = json!([request(A, "make deploy")]);
        bench.tick(bench.now.at.0 + 30_000);
        assert_eq!(bench.read(&world), [RpcCall::ApprovalList]);
        bench.tick(bench.now.at.0 + 29_000);
        assert_eq!(bench.read(&world), []);
        (world.approvals, world.ended) = (json!([]), history);
        bench.tick(bench.now.at.0 + 1_000);
        bench.read(&world);
        assert_eq!(story(&bench), ["requested", end]);
        bench.tick(bench.now.at.0 + 60_000);
        assert_eq!(bench.read(&world), [], "nothing waits any more");
    }
}

#[test]
fn an_approval_that_comes_while_the_list_is_read_is_not_taken_for_forgotten() {
    let mut bench = attached();
    bench.attachment.handle_want(otter_client_native::openclaw::Want::Approvals, &bench.observed);
    let (read, _) = bench.attachment.poll_call(&bench.observed, bench.now).unwrap();
    bench.event("exec.approval.requested", &request(A, "make deploy"));
    let outputs = bench.attachment.handle_response(read, Ok(json!([])), &mut bench.observed, bench.now);
    bench.emit(outputs);
    assert_eq!(bench.read(&World::new("b1")), []);
    assert_eq!(story(&bench), ["requested"]);
}

#[test]
fn after_a_restart_of_the_gateway_its_history_says_what_became_of_what_waited() {
    let mut bench = asked().restarted();
    let mut world = World::new("b2");
    world.ended = vec![ended(A, "cancelled", None)];
    bench.attach(&world);
    assert_eq!(story(&bench), ["resolved cancelled"]);
}

#[test]
fn a_bridge_that_was_away_shows_what_waits_and_ends_what_does_not() {
    let mut bench = asked().restarted();
    let mut world = World::new("b1");
    world.approvals = json!([request("0a-2", "make test")]);
    world.ended = vec![ended(A, "denied", Some("deny"))];
    bench.attach(&world);
    assert_eq!(story(&bench), ["requested", "resolved denied"]);
}

#[test]
fn a_hub_that_lost_its_rows_is_told_what_waits_and_what_ended() {
    let mut bench = asked();
    bench.event("exec.approval.requested", &request("0a-2", "make test"));
    bench.event("exec.approval.resolved", &resolved("0a-2", "deny", "phone"));
    bench.out.clear();
    bench.observed.forget_published();
    let mut world = World::new("b1");
    world.approvals = json!([request(A, "make deploy")]);
    world.ended = vec![ended("0a-2", "denied", Some("deny"))];
    bench.attach(&world);
    assert_eq!(story(&bench), ["requested", "resolved denied"]);
}

#[test]
fn waiting_for_a_person_trips_no_deadline() {
    let mut bench = attached();
    start(&mut bench, "r1", "Let me run that.");
    bench.event("exec.approval.requested", &request(A, "make deploy"));
    let waits = json!({"phase": "waiting-approval", "approvalId": A, "toolCallId": "call-1"});
    bench.event("agent", &agent("r1", "lifecycle", &waits));
    let mut world = World::new("b1");
    world.approvals = json!([request(A, "make deploy")]);
    for _ in 0..50 {
        bench.tick(bench.now.at.0 + 30_000);
        bench.read(&world);
    }
    let ends = [
        "run.completed",
        "run.failed",
        "run.aborted",
        "approval.expired",
        "approval.resolved",
        "step.recorded",
    ];
    assert!(bench.published().iter().all(|(kind, ..)| !ends.contains(kind)), "{:?}", bench.published());
}

#[test]
fn an_end_before_a_hundred_others_is_found() {
    let others =
        |range: std::ops::Range<usize>| range.map(|n| ended(&format!("x{n}"), "denied", Some("deny")));
    let history: Vec<Value> =
        others(0..150).chain([ended(A, "allowed", Some("allow-once"))]).chain(others(150..350)).collect();
    // After a while without the bridge.
    let mut bench = asked();
    bench.out.clear();
    let mut world = World::new("b1");
    world.ended = history.clone();
    let calls = bench.attach(&world);
    assert_eq!(story(&bench), ["resolved allowed"]);
    let pages = calls.iter().filter(|call| call.method() == "approval.history");
    let cursors: Vec<Value> = pages.map(|call| call.params()["cursor"].clone()).collect();
    assert_eq!(cursors, [Value::Null, json!("100")], "no further than needed");
    // When an answer comes too late.
    let mut bench = answered("deny");
    bench.reply(&id(), refused("APPROVAL_ALREADY_RESOLVED"));
    for _ in 0..2 {
        let (asked, call) = bench.take_calls().remove(0);
        let payload = world.answer(&call).unwrap();
        bench.reply(&asked, Ok(payload));
    }
    assert_eq!(story(&bench), ["received", "resolved allowed", "failed alreadyEnded"]);
    // What the record does not have to its end is forgotten.
    world.ended.retain(|item| item["id"] != A);
    let mut bench = asked();
    bench.out.clear();
    bench.attach(&world);
    assert_eq!(story(&bench), ["expired"]);
}
