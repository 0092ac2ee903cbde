//! Resets, compactions and pings.

use otter_client_native::openclaw::{RpcCall, RpcError, RpcResult, SessionKey, Verb};
use otter_proto::id::{CommandId, EntityId};
use otter_proto::kind::check_event;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{MAIN, answer_row, attached, history, live_row, session_row, user_row};
use crate::bench::{Bench, World, conversation};

const C: &str = "0193-c";

fn reset() -> Verb {
    Verb::Reset { conversation: conversation(&SessionKey::new(MAIN)) }
}

fn ping(agent: &str) -> Verb {
    Verb::Ping { agent: EntityId::new(agent).unwrap() }
}

fn id() -> CommandId {
    CommandId::new(C).unwrap()
}

fn refused(code: &str, retryable: bool) -> RpcResult {
    Err(RpcError::Refused {
        code: code.into(),
        message: "no".into(),
        retryable,
        retry_after: None,
        details: json!({"code": code}),
    })
}

fn ends(bench: &Bench) -> Vec<String> {
    let say = |(_, data): (String, Value)| {
        let code = data["error"]["code"].as_str().map(|code| format!(" {code}")).unwrap_or_default();
        format!("{}{code}", data["stage"].as_str().unwrap())
    };
    bench.of_kind("command.updated").into_iter().map(say).collect()
}

fn mark(kind: &str, id: &str, raw_seq: u64) -> Value {
    json!({"role": "system", "content": [{"type": "text", "text": kind}], "timestamp": 1_795_355_000_000_u64 + raw_seq,
        "__openclaw": {"kind": kind, "id": id, "transcriptPosition": {"rawSeq": raw_seq}}})
}

fn full_row(at: u64) -> Value {
    let mut row = session_row(false, 1_795_355_000_000 + at);
    (row["totalTokens"], row["totalTokensFresh"], row["model"]) =
        (90_000.into(), true.into(), "fake-1".into());
    row
}

/// A bridge that has followed a session with two rows and a context in use.
fn followed() -> Bench {
    let mut bench = attached();
    bench.event("sessions.changed", &json!({"session": full_row(1)}));
    bench.event("session.message", &live_row(&user_row("k1", "hello", 1)));
    bench.event("session.message", &live_row(&answer_row("k1", "Hello.", "stop", 2)));
    bench.out.clear();
    bench
}

fn world(rows: &[Value]) -> World {
    let mut world = World::new("b1");
    world.sessions = vec![session_row(false, 1_795_355_900_000)];
    world.histories = vec![(MAIN, history(rows, false))];
    world
}

#[test]
fn a_reset_happens_once_keeps_the_conversation_and_leaves_a_mark() {
    let mut bench = followed();
    bench.request(C, reset());
    assert_eq!(ends(&bench), ["received", "started"]);
    assert_eq!(bench.take_calls(), [(id(), RpcCall::SessionsReset { session: SessionKey::new(MAIN) })]);
    let journal = serde_json::to_value(&bench.journal[0]).unwrap();
    assert_eq!(journal["stage"]["stage"], "attempted", "it is on disk before the gateway is asked");
    bench.reply(&id(), Ok(json!({"ok": true, "key": MAIN})));
    let mut row = session_row(false, 1_795_355_000_005);
    row["totalTokens"] = 0.into();
    bench.event("sessions.changed", &json!({"sessionKey": MAIN, "reason": "reset", "session": row}));
    let world = world(&[mark("reset", "ebaa7f48", 3)]);
    bench.read(&world);
    assert_eq!(ends(&bench), ["received", "started", "completed"]);
    let session = bench.of_kind("session.upserted").pop().unwrap().1;
    assert_eq!(
        (&session["model"], &session["contextUsed"]),
        (&Value::Null, &Value::Null),
        "what went is null"
    );
    assert_eq!(session["conversationId"], json!(conversation(&SessionKey::new(MAIN))));
    let marks = bench.of_kind("message.created");
    assert_eq!(marks.len(), 1, "nothing of what was said before is told again");
    assert_eq!(
        (marks[0].0.as_str(), &marks[0].1["author"]),
        ("nwjbp7txy7yr3hgjskvl5anc2c:ebaa7f48", &json!({"type": "system"}))
    );
    assert_eq!(bench.of_kind("message.removed"), []);
    for event in bench.events() {
        assert_eq!(check_event(event.kind, &event.data.to_string()), Some(Ok(())), "{event:?}");
    }
    // A second read of the same rows, and one after a restart, tell nothing.
    let mut bench = bench.restarted();
    bench.attach(&world);
    assert_eq!(bench.of_kind("message.created"), []);
}

#[test]
fn a_reset_that_was_begun_is_never_begun_again() {
    let mut bench = followed();
    bench.request(C, reset());
    bench.take_calls();
    let mut killed = bench.restarted();
    killed.attach(&world(&[]));
    assert_eq!((killed.take_calls(), ends(&killed)), (vec![], vec!["outcomeUnknown".to_owned()]));
    killed.request(C, reset());
    assert_eq!((killed.take_calls(), ends(&killed).len()), (vec![], 2), "asked again, it repeats its end");
    let mut cut = followed();
    cut.request(C, reset());
    cut.take_calls();
    cut.attach(&world(&[]));
    assert_eq!(
        (cut.take_calls(), ends(&cut)),
        (vec![], vec!["received".into(), "started".into(), "outcomeUnknown".into()])
    );
    let table = [
        (Err(RpcError::Timeout), "outcomeUnknown"),
        (refused("MISSING_SCOPE", false), "failed MISSING_SCOPE"),
        (refused("UNAVAILABLE", true), "failed UNAVAILABLE"),
    ];
    for (answer, end) in table {
        let mut bench = followed();
        bench.request(C, reset());
        bench.take_calls();
        bench.reply(&id(), answer);
        bench.tick(bench.now.at.0 + 60_000);
        assert_eq!(
            (bench.take_calls(), ends(&bench)),
            (vec![], vec!["received".into(), "started".into(), end.to_owned()])
        );
    }
}

#[test]
fn a_reset_waits_for_what_was_said_before_it_and_holds_up_what_comes_after() {
    let mut bench = followed();
    let say = |text: &str| Verb::Send {
        conversation: conversation(&SessionKey::new(MAIN)),
        text: text.into(),
        author: None,
    };
    bench.request("0193-a", say("before"));
    bench.request(C, reset());
    bench.request("0193-e", say("after"));
    let began =
        |bench: &mut Bench| bench.take_calls().into_iter().map(|(id, _)| id.to_string()).collect::<Vec<_>>();
    assert_eq!(began(&mut bench), ["0193-a"]);
    bench.reply(&CommandId::new("0193-a").unwrap(), Ok(json!({"status": "started"})));
    assert_eq!(began(&mut bench), [C]);
    bench.reply(&id(), Ok(json!({"ok": true})));
    assert_eq!(began(&mut bench), ["0193-e"]);
}

#[test]
fn a_conversation_that_the_gateway_does_not_know_is_not_reset() {
    let mut bench = attached();
    let other = conversation(&SessionKey::new("agent:main:unknown"));
    bench.request(C, Verb::Reset { conversation: other });
    assert_eq!(
        (bench.take_calls(), ends(&bench)),
        (vec![], vec!["received".into(), "failed unknownConversation".into()])
    );
}

#[test]
fn a_compaction_is_marked_and_removes_nothing() {
    let rows =
        [user_row("k1", "hello", 1), answer_row("k1", "Hello.", "stop", 2), mark("compaction", "c-1", 3)];
    // Asked for at the gateway, and noticed by the counter that is gone (a command in the chat, or in the middle of a run).
    let frames = [
        json!({"sessionKey": MAIN, "reason": "compact", "compacted": true, "session": full_row(2)}),
        json!({"sessionKey": MAIN, "reason": "agent.input.settled", "session": session_row(false, 1_795_355_000_002)}),
    ];
    for frame in frames {
        let mut bench = followed();
        bench.event("sessions.changed", &frame);
        bench.read(&world(&rows));
        bench.read(&world(&rows));
        let compacted = bench.of_kind("session.compacted");
        assert_eq!(compacted.len(), 1);
        assert_eq!(compacted[0].1, json!({"compactedAt": "2026-11-22T13:43:20.003Z"}));
        let created: Vec<String> = bench.of_kind("message.created").into_iter().map(|(id, _)| id).collect();
        assert_eq!(created, ["nwjbp7txy7yr3hgjskvl5anc2c:c-1"]);
        let kinds: Vec<_> = bench.published().into_iter().map(|event| event.0).collect();
        assert!(
            !kinds.contains(&"message.removed") && !kinds.contains(&"conversation.upserted"),
            "{kinds:?}"
        );
    }
}

#[test]
fn a_mark_is_found_although_rows_after_it_were_seen_live() {
    let mut bench = followed();
    bench.event("session.message", &live_row(&user_row("k2", "/new", 4)));
    let row = session_row(false, 1_795_355_000_003);
    bench.event("sessions.changed", &json!({"session": row}));
    bench.read(&world(&[mark("reset", "r-1", 3), user_row("k2", "/new", 4)]));
    let created: Vec<String> = bench.of_kind("message.created").into_iter().map(|(id, _)| id).collect();
    assert_eq!(created, ["k2:user", "nwjbp7txy7yr3hgjskvl5anc2c:r-1"]);
}

#[test]
fn a_ping_completes_when_the_gateway_knows_the_agent() {
    let agents = json!({"agents": [{"id": "main"}, {"id": "researcher"}]});
    let table = [("in_test:main", "completed"), ("in_test:gone", "failed notFound")];
    for (agent, end) in table {
        let mut bench = attached();
        bench.request(C, ping(agent));
        assert_eq!(bench.take_calls(), [(id(), RpcCall::AgentsList)]);
        bench.reply(&id(), Ok(agents.clone()));
        assert_eq!(ends(&bench), ["received", end]);
    }
    let mut foreign = attached();
    foreign.request(C, ping("in_other:main"));
    assert_eq!(
        (foreign.take_calls(), ends(&foreign)),
        (vec![], vec!["received".into(), "failed notFound".into()])
    );
}

#[test]
fn a_ping_without_a_gateway_is_answered_soon() {
    let mut away = Bench::new();
    away.tick(1_795_355_000_000);
    away.request(C, ping("in_test:main"));
    away.tick(away.now.at.0 + 10_001);
    assert_eq!(ends(&away), ["received", "failed gatewayOffline"]);
    let mut silent = attached();
    silent.request(C, ping("in_test:main"));
    silent.take_calls();
    silent.commands.handle_lost();
    silent.tick(silent.now.at.0 + 10_001);
    assert_eq!(ends(&silent), ["received", "failed gatewayOffline"]);
    // Asked again after a crash, it is asked of the gateway again: that changes nothing there.
    let mut again = attached();
    again.request(C, ping("in_test:main"));
    let mut again = again.restarted();
    again.attach(&World::new("b2"));
    assert_eq!(again.take_calls().len(), 1);
}
