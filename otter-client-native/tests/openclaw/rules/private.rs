//! Sessions that the policy excludes after they were uploaded: nothing more of them leaves the machine, and nothing
//! from outside reaches them.

use otter_client_native::openclaw::{SessionKey, Verb, translate};
use otter_proto::id::{CommandId, EntityId};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{MAIN, agent, answer_row, attached, history, live_row, session_row, start, user_row};
use crate::bench::{Bench, World, conversation};

/// The bridge, started again with a policy that keeps the main session private.
fn secluded(before: &Bench) -> Bench {
    let mut bench = before.restarted();
    bench.observed.exclude_sessions(vec![MAIN.into()]);
    let outputs = translate::handle_excluded(&mut bench.observed, bench.now);
    bench.emit(outputs);
    bench
}

fn world() -> World {
    let mut world = World::new("b1");
    world.sessions = vec![session_row(false, 1_795_355_900_000)];
    let rows = [user_row("k9", "my secret", 9), answer_row("k9", "a secret answer", "stop", 10)];
    world.histories = vec![(MAIN, history(&rows, false))];
    world.message = user_row("k8", "a long secret", 8);
    world
}

fn verb() -> Verb {
    Verb::Send { conversation: conversation(&SessionKey::new(MAIN)), text: "hello".into(), author: None }
}

/// A bridge that knows the main session well: a run with text and a tool call, a message under way, an approval.
fn uploaded() -> Bench {
    let mut bench = attached();
    bench.event("sessions.changed", &json!({"session": session_row(true, 1_795_355_000_001)}));
    bench.request("c-sent", verb());
    bench.take_calls();
    bench.reply(&CommandId::new("c-sent").unwrap(), Ok(json!({"runId": "c-sent", "status": "started"})));
    bench.event("session.message", &live_row(&user_row("k1", "hello", 1)));
    start(&mut bench, "r1", "a secret so far");
    let step = json!({"kind": "tool", "phase": "end", "name": "exec", "toolCallId": "t1", "commandBearing": true,
        "title": "cat secret", "startedAt": 1, "endedAt": 2, "status": "completed"});
    bench.event("agent", &agent("r1", "item", &step));
    bench.event(
        "exec.approval.requested",
        &json!({"approvalKind": "exec", "id": "a1", "request": {"command": "cat", "sessionKey": MAIN}}),
    );
    bench
}

#[test]
fn nothing_more_of_an_excluded_session_is_published_whatever_was_known_of_it() {
    let mut bench = secluded(&uploaded());
    let told: Vec<(&str, String)> = bench.published().into_iter().map(|(kind, id, _)| (kind, id)).collect();
    assert_eq!(
        told,
        [("run.failed", "r1".to_owned()), ("message.deliveryChanged", "c-sent:user".to_owned())],
        "what was open ends, without its text"
    );
    let failed = bench.of_kind("run.failed").remove(0).1;
    assert_eq!(failed["error"]["code"], "excluded");
    let delivery = bench.of_kind("message.deliveryChanged").remove(0).1;
    assert_eq!(delivery["delivery"], json!({"state": "failed", "reason": "excluded"}));
    bench.out.clear();
    let mut world = world();
    world.approvals =
        json!([{"approvalKind": "exec", "id": "a1", "request": {"command": "cat", "sessionKey": MAIN}}]);
    let calls = bench.attach(&world);
    assert!(calls.iter().all(|call| call.method() != "chat.history"), "{calls:?}");
    let told: Vec<(&str, String)> = bench.published().into_iter().map(|(kind, id, _)| (kind, id)).collect();
    assert_eq!(told, [("approval.resolved", "a1".to_owned())], "nobody else may decide it any more");
    bench.out.clear();
    // The machine goes on, and forgets the session.
    bench.event("session.message", &live_row(&user_row("k2", "psst", 11)));
    world.sessions.clear();
    bench.event("sessions.changed", &json!({"reason": "delete", "ts": 1}));
    bench.read(&world);
    bench.tick(bench.now.at.0 + 60_000);
    bench.read(&world);
    let text = serde_json::to_string(&bench.published()).unwrap();
    assert!(bench.published().is_empty(), "{text}");
}

#[test]
fn an_approval_of_an_excluded_session_that_ended_meanwhile_does_not_wait_for_ever() {
    let mut bench = secluded(&uploaded());
    bench.out.clear();
    let mut world = world();
    world.ended = vec![json!({"id": "a1", "status": "allowed", "decision": "allow-once",
        "source": {"sessionKey": MAIN}, "resolver": {"kind": "runtime", "id": "phone"}})];
    bench.attach(&world);
    let (_, data) = bench.of_kind("approval.resolved").remove(0);
    assert_eq!((&data["outcome"], &data["reason"]), (&json!("cancelled"), &json!("excluded")));
    assert_eq!((&data["decision"], &data["resolvedBy"]), (&Value::Null, &Value::Null));
}

#[test]
fn the_hub_reaches_no_excluded_session() {
    let mut bench = secluded(&uploaded());
    let mut world = world();
    world.approvals =
        json!([{"approvalKind": "exec", "id": "a1", "request": {"command": "cat", "sessionKey": MAIN}}]);
    bench.attach(&world);
    bench.out.clear();
    let conversation = conversation(&SessionKey::new(MAIN));
    let run = EntityId::new("in_test:r1").unwrap();
    bench.request("c-1", verb());
    bench.request("c-2", Verb::Reset { conversation: conversation.clone() });
    bench.request("c-3", Verb::Abort { conversation, run });
    let approval = EntityId::new("in_test:a1").unwrap();
    bench.request("c-4", Verb::Decide { approval, decision: "allow-once".into() });
    assert_eq!(bench.take_calls(), []);
    let ends: Vec<(String, String)> = bench
        .of_kind("command.updated")
        .into_iter()
        .filter(|(_, data)| data["stage"] != "received")
        .map(|(id, data)| (id, data["error"]["code"].as_str().or(data["result"].as_str()).unwrap().into()))
        .collect();
    let end = |id: &str, code: &str| (id.to_owned(), code.to_owned());
    let unknown = "unknownConversation";
    assert_eq!(
        ends,
        [end("c-1", unknown), end("c-2", unknown), end("c-3", "alreadyEnded"), end("c-4", "alreadyEnded")]
    );
}

#[test]
fn what_may_have_reached_a_session_before_it_was_excluded_is_not_called_failed() {
    let mut before = attached();
    before.request("c-1", verb());
    assert_eq!(before.take_calls().len(), 1);
    let mut bench = secluded(&before);
    bench.out.clear();
    bench.attach(&world());
    let stages: Vec<Value> =
        bench.of_kind("command.updated").into_iter().map(|(_, data)| data["stage"].clone()).collect();
    assert_eq!((stages, bench.take_calls()), (vec![json!("outcomeUnknown")], vec![]));
}

#[test]
fn an_excluded_session_is_never_read() {
    let mut bench = attached();
    bench.observed.exclude_sessions(vec![MAIN.into()]);
    for want in [
        translate::Want::History(SessionKey::new(MAIN)),
        translate::Want::Message(SessionKey::new(MAIN), "row-1".into()),
    ] {
        bench.attachment.handle_want(want, &bench.observed);
    }
    assert_eq!(bench.read(&world()), []);
}
