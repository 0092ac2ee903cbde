//! Commands: sent at most as often as is safe, ended by the gateway's word.

use std::time::Duration;

use otter_client_native::openclaw::{CommandRequest, RpcCall, RpcError, SessionKey, Verb};
use otter_proto::id::{CommandId, EntityId};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{MAIN, attached, chat, history, live_row, session_row, start, user_row};
use crate::bench::{Bench, World, conversation};

const C: &str = "0193-c";

fn send(text: &str) -> Verb {
    let author = Some(json!({"type": "member", "id": "mb_1"}));
    Verb::Send { conversation: conversation(&SessionKey::new(MAIN)), text: text.into(), author }
}

fn abort(run: &str) -> Verb {
    let run = EntityId::new(&format!("in_test:{run}")).unwrap();
    Verb::Abort { conversation: conversation(&SessionKey::new(MAIN)), run }
}

fn id() -> CommandId {
    CommandId::new(C).unwrap()
}

fn started() -> Value {
    json!({"runId": C, "status": "started"})
}

/// Stages and deliveries, in order.
fn story(bench: &Bench) -> Vec<String> {
    let say = |(kind, _, data): (&str, String, Value)| match kind {
        "command.updated" => Some(data["stage"].as_str().unwrap().to_owned()),
        "message.deliveryChanged" => Some(format!("message {}", data["delivery"]["state"].as_str().unwrap())),
        _ => None,
    };
    bench.published().into_iter().filter_map(say).collect()
}

fn world(boot: &'static str, payload: Value) -> World {
    let mut world = World::new(boot);
    world.sessions = vec![session_row(false, 1_795_355_900_000)];
    world.histories = vec![(MAIN, payload)];
    world
}

/// A bridge that asked the gateway of boot `b1` and died before the answer.
fn unanswered() -> Bench {
    let mut bench = attached();
    bench.request(C, send("hello"));
    assert_eq!(bench.take_calls().len(), 1);
    let mut bench = bench.restarted();
    bench.tick(1_795_355_010_000);
    bench
}

#[test]
fn a_message_is_sent_as_a_steer_under_the_id_of_its_command() {
    let mut bench = attached();
    bench.request(C, send("hello"));
    let calls = bench.take_calls();
    let expected = json!({"sessionKey": MAIN, "message": "hello", "idempotencyKey": C, "queueMode": "steer"});
    assert_eq!(calls.iter().map(|(_, call)| call.params()).collect::<Vec<_>>(), [expected]);
    let attempted = serde_json::to_value(&bench.journal[0]).unwrap();
    assert_eq!(attempted["stage"], json!({"stage": "attempted", "boot": "b1"}));
    bench.reply(&id(), Ok(started()));
    bench.event("session.message", &live_row(&user_row(C, "hello", 1)));
    assert_eq!(story(&bench), ["received", "completed", "message taken", "message delivered"]);
    let message = &bench.of_kind("message.created")[0];
    assert_eq!((message.0.as_str(), &message.1["author"]["id"]), ("0193-c:user", &json!("mb_1")));
}

#[test]
fn a_message_to_a_busy_agent_is_queued() {
    let mut bench = attached();
    start(&mut bench, "other", "working");
    bench.request(C, send("hello"));
    bench.reply(&id(), Ok(started()));
    assert_eq!(story(&bench), ["received", "completed", "message queued"]);
}

#[test]
fn messages_of_a_session_go_one_after_the_other() {
    let mut bench = attached();
    bench.request(C, send("one"));
    bench.request("0193-d", send("two"));
    assert_eq!(bench.take_calls().len(), 1);
    bench.reply(&id(), Ok(started()));
    let calls = bench.take_calls();
    assert_eq!((calls.len(), calls[0].0.as_str()), (1, "0193-d"));
}

#[test]
fn commands_wait_until_the_gateway_has_been_read() {
    let mut bench = Bench::new();
    bench.tick(1_795_355_000_000);
    bench.request(C, send("hello"));
    assert_eq!(bench.take_calls(), []);
    bench.attach(&World::new("b1"));
    assert_eq!(bench.take_calls().len(), 1);
}

#[test]
fn after_a_crash_the_same_boot_gets_the_same_key_again() {
    let mut bench = unanswered();
    bench.attach(&World::new("b1"));
    let calls = bench.take_calls();
    assert!(matches!(&calls[..], [(_, RpcCall::ChatSend { key, .. })] if key == C), "{calls:?}");
    bench.reply(&id(), Ok(json!({"runId": C, "status": "in_flight"})));
    assert_eq!(story(&bench), ["completed", "message taken"]);
}

#[test]
fn after_a_gateway_restart_the_history_is_asked_first() {
    let told = [history(&[user_row(C, "hello", 1)], false), {
        let mut queued = history(&[], true);
        queued["pendingInputs"] = json!({"items": [{"runId": C, "state": "queued"}]});
        queued
    }];
    for (payload, delivery) in told.into_iter().zip(["message delivered", "message queued"]) {
        let mut bench = unanswered();
        bench.attach(&World::new("b2"));
        let calls = bench.take_calls();
        assert!(matches!(&calls[..], [(_, RpcCall::ChatHistory { .. })]), "{calls:?}");
        bench.reply(&id(), Ok(payload));
        assert_eq!(bench.take_calls(), [], "it must not run twice");
        assert_eq!(story(&bench), ["completed", delivery]);
    }
    let mut bench = unanswered();
    bench.attach(&World::new("b2"));
    bench.take_calls();
    bench.reply(&id(), Ok(history(&[user_row("another", "hello", 1)], false)));
    assert!(matches!(&bench.take_calls()[..], [(_, RpcCall::ChatSend { .. })]));
    let row = serde_json::to_value(&bench.journal[0]).unwrap();
    assert_eq!(row["stage"]["boot"], "b2");
}

#[test]
fn a_message_that_the_attach_found_delivered_is_known_as_such() {
    let mut bench = unanswered();
    bench.attach(&world("b1", history(&[user_row(C, "hello", 1)], false)));
    assert_eq!(story(&bench), ["message delivered"]);
    bench.reply(&id(), Ok(json!({"runId": C, "status": "ok"})));
    assert_eq!(story(&bench), ["message delivered", "completed"]);
}

#[test]
fn a_refusal_fails_the_message_and_is_never_tried_again() {
    let mut bench = attached();
    bench.request(C, send("hello"));
    bench.take_calls();
    let error = RpcError::Refused {
        code: "FORBIDDEN".into(),
        message: "missing scope".into(),
        retryable: false,
        retry_after: None,
        details: json!({"code": "MISSING_SCOPE"}),
    };
    bench.reply(&id(), Err(error));
    assert_eq!(story(&bench), ["received", "failed", "message failed"]);
    let failed = bench.of_kind("command.updated").pop().unwrap().1;
    assert_eq!(failed["error"], json!({"code": "MISSING_SCOPE", "message": "missing scope"}));
    let mut bench = bench.restarted();
    bench.attach(&World::new("b1"));
    bench.request(C, send("hello"));
    assert_eq!(bench.take_calls(), []);
    assert_eq!(story(&bench), ["failed"]);
}

#[test]
fn a_busy_gateway_is_asked_again_after_the_pause_it_wants() {
    let mut bench = attached();
    bench.request(C, send("hello"));
    bench.take_calls();
    let busy = RpcError::Refused {
        code: "UNAVAILABLE".into(),
        message: "restarting".into(),
        retryable: true,
        retry_after: Some(Duration::from_secs(7)),
        details: Value::Null,
    };
    bench.reply(&id(), Err(busy));
    let asked = bench.now.at.0;
    bench.tick(asked + 6_900);
    assert_eq!(bench.take_calls(), []);
    bench.tick(asked + 7_100);
    assert_eq!(bench.take_calls().len(), 1);
}

#[test]
fn a_deadline_ends_what_was_not_begun_and_admits_what_nobody_knows() {
    let mut waiting = Bench::new();
    waiting.tick(1_795_355_000_000);
    waiting.request(C, send("hello"));
    waiting.tick(waiting.now.at.0 + 600_001);
    assert_eq!(story(&waiting), ["received", "expired", "message failed"]);
    let mut asked = unanswered();
    asked.tick(asked.now.at.0 + 600_001);
    assert_eq!(story(&asked), ["outcomeUnknown"]);
}

#[test]
fn a_command_is_taken_back_only_before_it_was_begun() {
    let cancel = |bench: &mut Bench| {
        let request = CommandRequest { id: id(), verb: send("hello"), ttl: Duration::ZERO, cancel: true };
        let outputs = bench.commands.handle_command(request, &mut bench.observed, bench.now);
        bench.carry_out(outputs);
    };
    let mut waiting = Bench::new();
    waiting.request(C, send("hello"));
    cancel(&mut waiting);
    assert_eq!(story(&waiting), ["received", "cancelled", "message failed"]);
    let mut begun = attached();
    begun.request(C, send("hello"));
    cancel(&mut begun);
    assert_eq!(story(&begun), ["received"]);
}

#[test]
fn what_was_not_begun_is_forgotten_when_the_hub_goes() {
    let mut bench = Bench::new();
    bench.request(C, send("hello"));
    let outputs = bench.commands.handle_hub_lost();
    bench.carry_out(outputs);
    assert_eq!(bench.journal, []);
    bench.attach(&World::new("b1"));
    assert_eq!(bench.take_calls(), []);
}

#[test]
fn a_stop_names_its_run_and_ends_with_the_gateways_word() {
    let mut bench = attached();
    start(&mut bench, "r1", "word0");
    bench.out.clear();
    bench.request(C, abort("r1"));
    let calls = bench.take_calls();
    assert_eq!(calls[0].1.params(), json!({"sessionKey": MAIN, "runId": "r1"}));
    bench.event("chat", &chat("r1", "aborted", Some("word0")));
    bench.reply(&id(), Ok(json!({"ok": true, "aborted": true, "runIds": ["r1"]})));
    let kinds: Vec<_> = bench.published().into_iter().map(|event| event.0).collect();
    assert_eq!(kinds, ["command.updated", "message.created", "run.aborted", "command.updated"]);
    bench.request("0193-d", abort("r1"));
    assert_eq!(bench.take_calls(), []);
    assert_eq!(bench.of_kind("command.updated").pop().unwrap().1["result"], "alreadyEnded");
}

#[test]
fn a_run_that_the_gateway_does_not_know_is_ended_after_one_look() {
    let mut bench = attached();
    start(&mut bench, "r1", "word0");
    bench.out.clear();
    bench.request(C, abort("r1"));
    bench.reply(&id(), Ok(json!({"ok": true, "aborted": false, "runIds": []})));
    let calls = bench.read(&world("b1", history(&[], true)));
    assert_eq!(calls.len(), 1);
    assert_eq!(bench.of_kind("run.aborted").len(), 1);
    assert_eq!(bench.of_kind("message.created")[0].1["status"], "aborted");
    assert_eq!(story(&bench), ["received", "completed"]);
}

#[test]
fn an_unknown_conversation_and_an_endless_text_are_refused() {
    let mut bench = Bench::new();
    bench.request(C, send("hello"));
    bench.request("0193-d", send(&"x".repeat((1 << 20) + 1)));
    let outputs = bench.commands.handle_ready(&mut bench.observed, bench.now);
    bench.carry_out(outputs);
    let codes: Vec<_> = bench
        .of_kind("command.updated")
        .into_iter()
        .filter(|(_, data)| data["stage"] == "failed")
        .map(|(_, data)| data["error"]["code"].clone())
        .collect();
    assert_eq!(codes, [json!("unknownConversation"), json!("unknownConversation")]);
    let mut bench = attached();
    bench.request(C, send(&"x".repeat((1 << 20) + 1)));
    assert_eq!(bench.of_kind("command.updated").pop().unwrap().1["error"]["code"], "tooLarge");
}

#[test]
fn a_message_that_a_killed_gateway_took_and_lost_is_shown_as_failed() {
    let mut bench = attached();
    bench.request(C, send("hello"));
    bench.reply(&id(), Ok(started()));
    let mut bench = bench.restarted();
    bench.attach(&world("b1", history(&[], false)));
    assert_eq!(story(&bench), Vec::<String>::new(), "the same boot may still write its row");
    bench.attach(&world("b2", history(&[], false)));
    assert_eq!(story(&bench), ["message failed"]);
    assert_eq!(bench.of_kind("message.deliveryChanged")[0].1["delivery"]["reason"], "lost");
}

fn hand() -> Verb {
    let Verb::Send { conversation, text, author } = send("write tests") else { panic!() };
    Verb::Dispatch { conversation, text, author, task: EntityId::new("hub:0193-t").unwrap() }
}

fn reset() -> Verb {
    Verb::Reset { conversation: conversation(&SessionKey::new(MAIN)) }
}

/// A command with so much time left as the hub says.
fn within(bench: &mut Bench, id: &str, verb: Verb, ttl: Duration) {
    let request = CommandRequest { id: CommandId::new(id).unwrap(), verb, ttl, cancel: false };
    let outputs = bench.commands.handle_command(request, &mut bench.observed, bench.now);
    bench.carry_out(outputs);
}

/// The hub hands over what it sent already, however late it is.
#[test]
fn what_comes_when_its_time_is_over_expires_and_is_never_begun() {
    let entity = |id: &str| EntityId::new(&format!("in_test:{id}")).unwrap();
    let decide = Verb::Decide { approval: entity("a1"), decision: "allow-once".into() };
    let ping = Verb::Ping { agent: entity("main") };
    for verb in [send("hello"), hand(), reset(), abort("r1"), decide, ping] {
        let mut bench = attached();
        start(&mut bench, "r1", "word0");
        bench.event("chat", &chat("r1", "final", Some("done")));
        bench.out.clear();
        within(&mut bench, C, verb.clone(), Duration::ZERO);
        let is_said = matches!(verb, Verb::Send { .. } | Verb::Dispatch { .. });
        let told = if is_said { vec!["expired", "message failed"] } else { vec!["expired"] };
        assert_eq!((bench.take_calls(), story(&bench)), (vec![], told_as(&told)), "{verb:?}");
        bench.out.clear();
        let mut bench = bench.restarted();
        bench.attach(&World::new("b1"));
        bench.out.clear();
        within(&mut bench, C, verb.clone(), Duration::ZERO);
        assert_eq!((bench.take_calls(), story(&bench)), (vec![], told_as(&["expired"])), "{verb:?}");
    }
}

fn told_as(told: &[&str]) -> Vec<String> {
    told.iter().map(|stage| (*stage).to_owned()).collect()
}

#[test]
fn what_was_received_and_comes_again_when_its_time_is_over_expires() {
    for is_forgotten in [true, false] {
        let mut bench = Bench::new();
        bench.tick(1_795_355_000_000);
        bench.request(C, reset());
        if is_forgotten {
            let outputs = bench.commands.handle_hub_lost();
            bench.carry_out(outputs);
        }
        within(&mut bench, C, reset(), Duration::ZERO);
        bench.attach(&world("b1", history(&[], false)));
        assert_eq!((bench.take_calls(), story(&bench)), (vec![], told_as(&["received", "expired"])));
    }
}

#[test]
fn a_command_that_was_begun_ends_with_the_gateways_word_however_late_it_comes_again() {
    let mut bench = attached();
    bench.request(C, send("hello"));
    within(&mut bench, C, send("hello"), Duration::ZERO);
    assert_eq!((bench.take_calls().len(), story(&bench)), (1, told_as(&["received"])));
    bench.reply(&id(), Ok(started()));
    assert_eq!(story(&bench), ["received", "completed", "message taken"]);
}

/// The gateway is there before the timer has run.
#[test]
fn a_gateway_that_comes_after_the_deadline_is_not_asked() {
    let mut waiting = Bench::new();
    waiting.tick(1_795_355_000_000);
    waiting.request(C, reset());
    waiting.now.at.0 += 600_000;
    waiting.attach(&world("b1", history(&[], false)));
    assert_eq!(waiting.take_calls(), []);
    waiting.tick(waiting.now.at.0);
    assert_eq!((waiting.take_calls(), story(&waiting)), (vec![], told_as(&["received", "expired"])));
    // A history that says after the deadline that the gateway never had it.
    let mut asked = unanswered();
    asked.attach(&World::new("b2"));
    assert!(matches!(&asked.take_calls()[..], [(_, RpcCall::ChatHistory { .. })]));
    asked.now.at.0 += 600_000;
    asked.reply(&id(), Ok(history(&[], false)));
    assert_eq!(asked.take_calls(), []);
    asked.tick(asked.now.at.0);
    assert_eq!((asked.take_calls(), story(&asked)), (vec![], told_as(&["expired", "message failed"])));
}

/// A machine without a clock of its own boots with an old time and is set right later, or the other way round.
#[test]
fn a_step_of_the_wall_clock_ends_no_command_and_prolongs_none() {
    for step in [7_200_000, -7_200_000] {
        let mut bench = Bench::new();
        bench.tick(1_795_355_000_000);
        bench.request(C, send("hello"));
        let due = bench.commands.poll_timeout();
        bench.now.wall.0 = bench.now.wall.0.saturating_add_signed(step);
        assert_eq!(bench.commands.poll_timeout(), due);
        bench.now.at.0 += 599_999;
        let outputs = bench.commands.handle_timeout(&mut bench.observed, bench.now);
        assert_eq!(outputs, [], "{step}");
        bench.now.at.0 += 1;
        let outputs = bench.commands.handle_timeout(&mut bench.observed, bench.now);
        bench.carry_out(outputs);
        assert_eq!(story(&bench), ["received", "expired", "message failed"], "{step}");
    }
}

#[test]
fn a_restart_leaves_a_command_the_time_it_had_and_the_hub_knows_better() {
    let mut bench = Bench::new();
    bench.tick(1_795_355_000_000);
    bench.request(C, send("hello"));
    let due = bench.now.at.0 + 600_000;
    let mut bench = bench.restarted();
    assert_eq!(bench.commands.poll_timeout().map(|at| at.0), Some(due));
    within(&mut bench, C, send("hello"), Duration::from_mins(20));
    assert_eq!(bench.commands.poll_timeout().map(|at| at.0), Some(due));
    within(&mut bench, C, send("hello"), Duration::from_mins(5));
    assert_eq!(bench.commands.poll_timeout().map(|at| at.0), Some(due - 300_000));
    assert_eq!(story(&bench), Vec::<String>::new());
}
