//! Sessions that the policy excludes after they were uploaded: nothing more of them leaves the machine, and nothing
//! from outside reaches them.

use otter_client_native::openclaw::{SessionKey, Verb, translate};
use otter_proto::id::{CommandId, EntityId};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{MAIN, agent, answer_row, attached, chat, history, live_row, session_row, start, user_row};
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

const GROUP: &str = "agent:main:whatsapp:group:1";
const CHILD: &str = "agent:main:subagent:1";
const GRANDCHILD: &str = "agent:main:subagent:2";

/// The row of a session that another one began.
fn begun(key: &str, parent: &str, at: u64) -> Value {
    json!({"key": key, "agentId": "main", "hasActiveRun": true, "updatedAt": at, "snapshotAt": at,
        "sessionId": "s2", "spawnedBy": parent, "controlOwnerSessionKey": parent, "parentSessionKey": parent})
}

fn in_session(key: &str, mut payload: Value) -> Value {
    payload["sessionKey"] = json!(key);
    payload
}

/// All that an agent says and does in a session, as frames that do not name its parent.
fn work(bench: &mut Bench, key: &str, run: &str) {
    let frame = |stream: &str, data: Value| in_session(key, agent(run, stream, &data));
    bench.event("session.message", &in_session(key, live_row(&user_row(run, "private words", 1))));
    bench.event("agent", &frame("lifecycle", json!({"phase": "start", "startedAt": 1})));
    bench.event("chat", &in_session(key, chat(run, "delta", Some("a private"))));
    bench.event("chat", &in_session(key, chat(run, "final", Some("a private answer"))));
}

fn shy() -> Bench {
    let mut bench = Bench::new();
    bench.tick(1_795_355_000_000);
    bench.observed.exclude_sessions(vec![":whatsapp:".into()]);
    bench.attach(&World::new("b1"));
    bench.out.clear();
    bench
}

#[test]
fn what_an_excluded_session_begins_is_excluded_too_and_what_that_begins() {
    let spawn = json!({"phase": "result", "name": "sessions_spawn", "toolCallId": "t1",
        "result": {"details": {"childSessionKey": CHILD, "runId": "r1"}}});
    let task = json!({"action": "upserted", "task": {"id": "t1", "status": "running", "title": "research",
        "agentId": "main", "sessionKey": GROUP, "childSessionKey": CHILD, "ownerKey": GROUP, "runtime": "subagent"}});
    let first_words = [
        ("sessions.changed", json!({"sessionKey": CHILD, "session": begun(CHILD, GROUP, 2)})),
        ("session.message", {
            let mut message = in_session(CHILD, live_row(&user_row("r0", "private words", 1)));
            message["spawnedBy"] = json!(GROUP);
            message
        }),
        ("agent", in_session(GROUP, agent("r", "tool", &spawn))),
        ("session.tool", in_session(GROUP, json!({"runId": "r", "data": spawn}))),
        ("task", task),
    ];
    for (name, payload) in first_words {
        let mut bench = shy();
        bench.event(name, &payload);
        work(&mut bench, CHILD, "r1");
        bench.event("sessions.changed", &json!({"session": begun(GRANDCHILD, CHILD, 3)}));
        work(&mut bench, GRANDCHILD, "r2");
        // It is remembered.
        let mut bench = bench.restarted();
        bench.observed.exclude_sessions(vec![":whatsapp:".into()]);
        work(&mut bench, CHILD, "r3");
        work(&mut bench, GRANDCHILD, "r4");
        assert_eq!(bench.out, [], "{name}");
    }
}

#[test]
fn what_an_excluded_session_began_is_neither_listed_nor_read() {
    let mut bench = shy();
    let mut world = World::new("b1");
    // The newest comes first, before anything says who began its parent.
    world.sessions = vec![begun(GRANDCHILD, CHILD, 3), begun(CHILD, GROUP, 2)];
    let calls = bench.attach(&world);
    assert!(calls.iter().all(|call| call.method() != "chat.history"), "{calls:?}");
    assert_eq!(bench.published(), []);
}

#[test]
fn what_an_excluded_session_began_is_not_listed_when_its_parent_comes_on_a_later_page() {
    let mut bench = shy();
    bench.attachment.handle_ready(Some("b1"), &mut bench.observed);
    let world = World::new("b1");
    while let Some((id, call)) = bench.attachment.poll_call(&bench.observed, bench.now) {
        assert!(call.method() != "chat.history", "{call:?}");
        let payload = match (call.method(), call.params()["offset"].as_u64()) {
            ("sessions.list", Some(1)) => json!({"sessions": [begun(CHILD, GROUP, 2)], "hasMore": false}),
            ("sessions.list", _) => {
                json!({"sessions": [begun(GRANDCHILD, CHILD, 3)], "hasMore": true, "nextOffset": 1})
            }
            _ => world.answer(&call).unwrap(),
        };
        let outputs = bench.attachment.handle_response(id, Ok(payload), &mut bench.observed, bench.now);
        bench.emit(outputs);
    }
    assert_eq!(bench.published(), []);
}

#[test]
fn a_session_that_turns_out_to_come_from_an_excluded_one_ends_in_everybodys_sight() {
    let mut bench = shy();
    bench.event(
        "agent",
        &in_session(CHILD, agent("r1", "lifecycle", &json!({"phase": "start", "startedAt": 1}))),
    );
    bench.out.clear();
    bench.event("sessions.changed", &json!({"session": begun(CHILD, GROUP, 2)}));
    let told: Vec<(&str, String)> = bench.published().into_iter().map(|(kind, id, _)| (kind, id)).collect();
    assert_eq!(told, [("run.failed", "r1".to_owned())]);
    let conversation = conversation(&SessionKey::new(CHILD));
    bench.out.clear();
    bench.request("c-1", Verb::Reset { conversation });
    assert_eq!(bench.take_calls(), [], "and nobody reaches it");
}

#[test]
fn what_another_session_begins_is_shown_and_stays_so_whatever_is_excluded() {
    let mut bench = shy();
    bench.event("sessions.changed", &json!({"session": begun(CHILD, MAIN, 2)}));
    work(&mut bench, CHILD, "r1");
    let messages: Vec<String> = bench.of_kind("message.created").into_iter().map(|(id, _)| id).collect();
    assert_eq!(messages, ["r1:user", "r1:answer"]);
    // Sessions that name each other as parents are no reason to look for ever.
    bench.event("sessions.changed", &json!({"session": begun(MAIN, CHILD, 3)}));
    work(&mut bench, CHILD, "r2");
    assert_eq!(bench.of_kind("message.created").pop().unwrap().0, "r2:answer");
}
