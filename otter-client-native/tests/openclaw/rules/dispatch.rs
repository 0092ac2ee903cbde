//! Tasks of people: handed over when their session is idle, moved by their run.

use std::time::Duration;

use otter_client_native::openclaw::{CommandRequest, RpcCall, RpcError, SessionKey, Verb};
use otter_proto::id::{CommandId, EntityId};
use otter_proto::kind::check_event;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{MAIN, agent, answer_row, attached, chat, history, live_row, session_row, start, user_row};
use crate::bench::{Bench, World, conversation};

const C: &str = "0193-c";
const TASK: &str = "hub:0193-t";

fn hand(task: &str) -> Verb {
    Verb::Dispatch {
        conversation: conversation(&SessionKey::new(MAIN)),
        text: "write tests".into(),
        author: Some(json!({"type": "member", "id": "mb_1"})),
        task: EntityId::new(task).unwrap(),
    }
}

fn id() -> CommandId {
    CommandId::new(C).unwrap()
}

fn started(id: &str) -> Value {
    json!({"runId": id, "status": "started"})
}

fn row(active: bool, at: u64) -> Value {
    json!({"session": session_row(active, 1_795_355_000_000 + at)})
}

/// Stages, deliveries and moves of tasks, in order.
fn story(bench: &Bench) -> Vec<String> {
    let say = |(kind, subject, data): (&str, String, Value)| match kind {
        "command.updated" => Some(data["stage"].as_str().unwrap().to_owned()),
        "message.deliveryChanged" => Some(format!("message {}", data["delivery"]["state"].as_str().unwrap())),
        "task.upserted" if subject == TASK => Some(format!("task {}", data["status"].as_str().unwrap())),
        _ => None,
    };
    bench.published().into_iter().filter_map(say).collect()
}

fn moves(bench: &Bench) -> Vec<Value> {
    bench.of_kind("task.upserted").into_iter().map(|(_, data)| data).collect()
}

/// A bridge whose task is with the agent, which works on it.
fn working() -> Bench {
    let mut bench = attached();
    bench.request(C, hand(TASK));
    bench.take_calls();
    bench.reply(&id(), Ok(started(C)));
    bench.event("session.message", &live_row(&user_row(C, "write tests", 1)));
    start(&mut bench, C, "I am");
    bench
}

fn world(boot: &'static str, payload: Value, active: bool) -> World {
    let mut world = World::new(boot);
    world.sessions = vec![session_row(active, 1_795_355_900_000)];
    world.histories = vec![(MAIN, payload)];
    world
}

#[test]
fn a_task_becomes_a_message_whose_run_moves_it() {
    let mut bench = working();
    bench.event("chat", &chat(C, "final", Some("I am done.")));
    assert_eq!(
        story(&bench),
        ["received", "completed", "message taken", "message delivered", "task inProgress", "task done"]
    );
    let run = "in_test:0193-c";
    let begun = json!({"status": "inProgress", "runId": run, "startedAt": "2026-11-22T13:43:20.000Z", "summary": null, "endedAt": null});
    let ended = json!({"status": "done", "runId": run, "summary": "I am done.", "endedAt": "2026-11-22T13:43:20.000Z"});
    assert_eq!(moves(&bench), [begun, ended]);
    for event in bench.events() {
        assert_eq!(check_event(event.kind, &event.data.to_string()), Some(Ok(())), "{event:?}");
        if event.kind == "task.upserted" {
            assert_eq!((event.subject.as_str(), event.caused_by.as_deref()), (TASK, Some(C)));
        }
    }
}

#[test]
fn how_its_run_ends_is_how_the_task_ends() {
    let error = |mut frame: Value| {
        frame["errorMessage"] = "the model is away".into();
        frame
    };
    let table = [
        (chat(C, "final", Some("done")), "done", json!("done")),
        (chat(C, "aborted", None), "cancelled", json!("I am")),
        (error(chat(C, "error", None)), "failed", json!("the model is away")),
    ];
    for (frame, status, summary) in table {
        let mut bench = working();
        bench.event("chat", &frame);
        let end = moves(&bench).pop().unwrap();
        assert_eq!((&end["status"], &end["summary"]), (&json!(status), &summary));
    }
    let mut silent = attached();
    silent.request(C, hand(TASK));
    silent.reply(&id(), Ok(started(C)));
    silent.event("agent", &agent(C, "lifecycle", &json!({"phase": "start"})));
    silent.event("chat", &chat(C, "final", None));
    let end = moves(&silent).pop().unwrap();
    assert_eq!(
        (&end["status"], &end["summary"]),
        (&json!("review"), &Value::Null),
        "somebody has to look at it"
    );
}

#[test]
fn a_task_waits_until_its_session_is_idle_and_holds_up_nothing_that_people_say() {
    let mut bench = attached();
    bench.event("sessions.changed", &row(true, 1));
    start(&mut bench, "other", "working");
    bench.request(C, hand(TASK));
    bench.request("0193-d", hand("hub:0193-u"));
    assert_eq!(bench.take_calls(), []);
    let author = Some(json!({"type": "member", "id": "mb_1"}));
    let say = Verb::Send { conversation: conversation(&SessionKey::new(MAIN)), text: "hurry".into(), author };
    bench.request("0193-e", say);
    assert_eq!(bench.take_calls().iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["0193-e"]);
    bench.reply(&CommandId::new("0193-e").unwrap(), Ok(started("0193-e")));
    bench.event("chat", &chat("other", "final", Some("done")));
    bench.event("sessions.changed", &row(false, 2));
    assert_eq!(bench.take_calls(), [], "the message waits for its turn");
    bench.event("session.message", &live_row(&user_row("0193-e", "hurry", 1)));
    let calls = bench.take_calls();
    let expected =
        json!({"sessionKey": MAIN, "message": "write tests", "idempotencyKey": C, "queueMode": "steer"});
    assert_eq!(calls.iter().map(|(_, call)| call.params()).collect::<Vec<_>>(), [expected]);
    bench.reply(&id(), Ok(started(C)));
    assert_eq!(bench.take_calls(), [], "the second task waits for the first");
    bench.event("session.message", &live_row(&user_row(C, "write tests", 2)));
    start(&mut bench, C, "I am");
    bench.event("chat", &chat(C, "final", Some("done")));
    assert_eq!(bench.take_calls().iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["0193-d"]);
}

#[test]
fn a_turn_that_failed_before_its_message_was_written_keeps_no_task_waiting() {
    let mut bench = attached();
    let author = Some(json!({"type": "member", "id": "mb_1"}));
    let say = Verb::Send { conversation: conversation(&SessionKey::new(MAIN)), text: "hi".into(), author };
    bench.request("0193-a", say);
    bench.reply(&CommandId::new("0193-a").unwrap(), Ok(started("0193-a")));
    bench.take_calls();
    bench.request(C, hand(TASK));
    assert_eq!(bench.take_calls(), []);
    bench.event("chat", &chat("0193-a", "error", None));
    assert_eq!(bench.take_calls().len(), 1);
}

/// What a gateway says that will never take a message, or not now.
fn refused(retryable: bool) -> RpcError {
    let code = if retryable { "UNAVAILABLE" } else { "INVALID_REQUEST" };
    RpcError::Refused {
        code: code.into(),
        message: "no".into(),
        retryable,
        retry_after: None,
        details: Value::Null,
    }
}

#[test]
fn a_message_that_came_to_nothing_keeps_no_task_waiting() {
    let conversation = conversation(&SessionKey::new(MAIN));
    let say = Verb::Send { conversation, text: "hi".into(), author: None };
    let asked = |verb: &Verb, answer: RpcError| {
        let mut bench = attached();
        bench.request("0193-a", verb.clone());
        assert_eq!(bench.take_calls().len(), 1);
        bench.reply(&CommandId::new("0193-a").unwrap(), Err(answer));
        bench
    };
    for verb in [say, hand("hub:0193-s")] {
        let for_good = asked(&verb, refused(false));
        let mut unavailable = asked(&verb, refused(true));
        unavailable.attach(&World::new("b1"));
        unavailable.now.at.0 += 600_000;
        unavailable.now.wall.0 += 600_000;
        unavailable.tick(unavailable.now.at.0);
        let mut unknown = asked(&verb, RpcError::Timeout);
        unknown.now.at.0 += 600_000;
        unknown.tick(unknown.now.at.0);
        let ends = [
            (for_good, &["received", "failed", "message failed"][..]),
            (unavailable, &["received", "expired", "message failed"]),
            (unknown, &["received", "outcomeUnknown"]),
        ];
        for (bench, end) in ends {
            assert_eq!(story(&bench), end);
            let mut after = bench.restarted();
            after.tick(bench.now.at.0);
            after.attach(&World::new("b1"));
            for mut bench in [bench, after] {
                bench.request(C, hand(TASK));
                let calls = bench.take_calls();
                assert!(
                    matches!(&calls[..], [(_, RpcCall::ChatSend { key, .. })] if key == C),
                    "{end:?}: {calls:?}"
                );
            }
        }
    }
}

#[test]
fn a_message_of_which_nobody_knew_holds_tasks_up_again_once_the_gateway_has_it() {
    let mut bench = attached();
    let conversation = conversation(&SessionKey::new(MAIN));
    bench.request("0193-a", Verb::Send { conversation, text: "hi".into(), author: None });
    bench.reply(&CommandId::new("0193-a").unwrap(), Err(RpcError::Timeout));
    bench.take_calls();
    bench.now.at.0 += 600_000;
    bench.tick(bench.now.at.0);
    let mut queued = history(&[], false);
    queued["pendingInputs"] = json!({"items": [{"runId": "0193-a", "state": "queued"}]});
    bench.attach(&world("b1", queued, false));
    assert_eq!(story(&bench), ["received", "outcomeUnknown", "message queued"]);
    bench.request(C, hand(TASK));
    assert_eq!(bench.take_calls(), []);
    bench.event("session.message", &live_row(&user_row("0193-a", "hi", 1)));
    assert_eq!(bench.take_calls().len(), 1);
}

#[test]
fn a_run_that_nobody_told_of_keeps_the_task_waiting_too() {
    let mut bench = attached();
    bench.event("sessions.changed", &row(true, 1));
    bench.request(C, hand(TASK));
    assert_eq!(bench.take_calls(), []);
    bench.event("sessions.changed", &row(false, 2));
    assert_eq!(bench.take_calls().len(), 1);
}

#[test]
fn a_waiting_task_is_called_off_or_expires_and_is_never_sent() {
    let busy = || {
        let mut bench = attached();
        start(&mut bench, "other", "working");
        bench.request(C, hand(TASK));
        bench
    };
    let mut cancelled = busy();
    let request = CommandRequest { id: id(), verb: hand(TASK), ttl: Duration::ZERO, cancel: true };
    let outputs = cancelled.commands.handle_command(request, &mut cancelled.observed, cancelled.now);
    cancelled.carry_out(outputs);
    let mut expired = busy();
    expired.tick(expired.now.at.0 + 600_001);
    for (mut bench, end) in [(cancelled, "cancelled"), (expired, "expired")] {
        bench.event("chat", &chat("other", "final", Some("done")));
        assert_eq!(story(&bench), ["received", end, "message failed"]);
        assert_eq!(bench.take_calls(), []);
    }
}

#[test]
fn what_was_not_begun_is_handed_over_again_and_once() {
    let mut bench = attached();
    start(&mut bench, "other", "working");
    bench.request(C, hand(TASK));
    let outputs = bench.commands.handle_hub_lost();
    bench.carry_out(outputs);
    bench.event("chat", &chat("other", "final", Some("done")));
    assert_eq!(bench.take_calls(), [], "the hub hands it over again");
    bench.request(C, hand(TASK));
    assert_eq!(bench.take_calls().len(), 1);
}

#[test]
fn a_refusal_gives_the_task_back() {
    let mut bench = attached();
    bench.request(C, hand(TASK));
    bench.take_calls();
    let refused = RpcError::Refused {
        code: "FORBIDDEN".into(),
        message: "missing scope".into(),
        retryable: false,
        retry_after: None,
        details: json!({"code": "MISSING_SCOPE"}),
    };
    bench.reply(&id(), Err(refused));
    assert_eq!(story(&bench), ["received", "failed", "message failed"]);
    start(&mut bench, C, "a run of the same name is none of its business");
    assert_eq!(moves(&bench), Vec::<Value>::new());
}

/// The bridge dies after each input in turn; what happened meanwhile is in the history.
#[test]
fn a_task_survives_the_death_of_the_bridge_at_every_step() {
    let done = || history(&[user_row(C, "write tests", 1), answer_row(C, "I am done.", "stop", 2)], false);
    let steps: [fn(&mut Bench); 6] = [
        |bench| bench.request(C, hand(TASK)),
        |bench| bench.reply(&id(), Ok(started(C))),
        |bench| bench.event("session.message", &live_row(&user_row(C, "write tests", 1))),
        |bench| start(bench, C, "I am"),
        |bench| bench.event("chat", &chat(C, "final", Some("I am done."))),
        |_| {},
    ];
    for kill in 0..=steps.len() {
        let mut before = attached();
        steps[..kill].iter().for_each(|step| step(&mut before));
        let mut after = before.restarted();
        after.tick(1_795_355_010_000);
        if kill == 0 {
            after.request(C, hand(TASK));
        }
        after.attach(&world("b1", if kill == 0 { history(&[], false) } else { done() }, false));
        let calls = after.take_calls();
        if kill == 0 {
            after.reply(&id(), Ok(started(C)));
            start(&mut after, C, "I am");
            after.event("chat", &chat(C, "final", Some("I am done.")));
        } else if kill == 1 {
            after.reply(&id(), Ok(json!({"runId": C, "status": "ok"})));
        }
        assert_eq!(calls.len(), usize::from(kill < 2), "after step {kill}: {calls:?}");
        let told: Vec<Value> = [&before, &after].into_iter().flat_map(moves).collect();
        let statuses: Vec<&str> = told.iter().map(|data| data["status"].as_str().unwrap()).collect();
        assert_eq!(statuses, ["inProgress", "done"], "after step {kill}");
        assert_eq!(told[1]["summary"], "I am done.", "after step {kill}");
        let ends = [&before, &after].map(|bench| bench.of_kind("run.completed").len());
        assert_eq!(ends.iter().sum::<usize>(), 1, "after step {kill}");
    }
}

#[test]
fn after_a_gateway_restart_the_history_says_whether_it_has_the_task() {
    let asked = || {
        let mut bench = attached();
        bench.request(C, hand(TASK));
        bench.take_calls();
        let mut bench = bench.restarted();
        bench.tick(1_795_355_010_000);
        bench
    };
    let mut known = asked();
    known.attach(&world("b2", history(&[], false), false));
    assert!(matches!(&known.take_calls()[..], [(_, RpcCall::ChatHistory { .. })]));
    known.reply(&id(), Ok(history(&[user_row(C, "write tests", 1)], false)));
    assert_eq!(
        (known.take_calls(), story(&known)),
        (vec![], vec!["completed".into(), "message delivered".into()])
    );
    let mut unknown = asked();
    unknown.attach(&world("b2", history(&[], true), true));
    unknown.take_calls();
    unknown.reply(&id(), Ok(history(&[], true)));
    assert_eq!(unknown.take_calls(), [], "the gateway works on something else by now");
    unknown.event("sessions.changed", &row(false, 999_999));
    let calls = unknown.take_calls();
    assert!(matches!(&calls[..], [(_, RpcCall::ChatSend { key, .. })] if key == C), "{calls:?}");
}

#[test]
fn a_task_that_went_down_with_the_gateway_goes_on_with_the_turn_that_it_takes_up() {
    let resume = resume_row("r9", 3);
    let rows = [user_row(C, "write tests", 1), resume.clone()];
    let end = [rows[0].clone(), rows[1].clone(), answer_row("r9", "Picked up and done.", "stop", 4)];
    // Seen as it happens, and read afterwards.
    let mut live = working();
    live.attach(&world("b2", history(&rows[..1], false), false));
    live.event("session.message", &live_row(&resume));
    start(&mut live, "r9", "Picked up");
    live.event("chat", &chat("r9", "final", Some("Picked up and done.")));
    // The gateway is faster than the read that tells what was lost.
    let mut fast = working();
    fast.attachment.handle_ready(Some("b2"), &mut fast.observed);
    fast.event("session.message", &live_row(&resume));
    start(&mut fast, "r9", "Picked up");
    fast.event("chat", &chat("r9", "final", Some("Picked up and done.")));
    fast.read(&world("b2", history(&end, false), false));
    let told: Vec<_> =
        moves(&fast).into_iter().map(|data| (data["status"].clone(), data["runId"].clone())).collect();
    let (lost, taken) = (json!("in_test:0193-c"), json!("in_test:r9"));
    let expected = [("inProgress", &lost), ("inProgress", &taken), ("inProgress", &taken), ("done", &taken)];
    assert_eq!(told, expected.map(|(status, run)| (json!(status), run.clone())));
    let mut later = working().restarted();
    later.tick(1_795_355_010_000);
    later.attach(&world("b2", history(&end, false), false));
    // Its prompt came before the link was back, its end before the read that tells what was lost.
    let mut half = working();
    half.attachment.handle_ready(Some("b2"), &mut half.observed);
    start(&mut half, "r9", "Picked up");
    half.event("chat", &chat("r9", "final", Some("Picked up and done.")));
    half.read(&world("b2", history(&end, false), false));
    half.read(&world("b2", history(&end, false), false));
    let statuses = moves(&half).into_iter().map(|data| data["status"].clone()).collect::<Vec<_>>();
    assert_eq!(statuses, ["inProgress", "review", "done"], "once");
    for bench in [&live, &later] {
        let told: Vec<Value> =
            moves(bench).into_iter().filter(|data| data["runId"] != "in_test:0193-c").collect();
        assert!(moves(bench).iter().any(|data| data["status"] == "review"), "{:?}", moves(bench));
        assert_eq!(told.first().unwrap()["status"], "inProgress");
        assert_eq!(
            (&told.last().unwrap()["status"], &told.last().unwrap()["summary"]),
            (&json!("done"), &json!("Picked up and done."))
        );
    }
    let ended = moves(&half).pop().unwrap();
    assert_eq!((&ended["runId"], &ended["summary"]), (&taken, &json!("Picked up and done.")));
    let mut alone = working();
    alone.attach(&world("b2", history(&rows[..1], false), false));
    let end = moves(&alone).pop().unwrap();
    assert_eq!(end["status"], "review", "somebody has to look at what was done before the gateway went down");
    assert_eq!(end["summary"], "The gateway was restarted during the work on this.");
}

#[test]
fn a_task_that_was_taken_into_another_run_ends_with_it() {
    let mut bench = attached();
    bench.request(C, hand(TASK));
    bench.reply(&id(), Ok(started(C)));
    start(&mut bench, "faster", "working");
    let mut steered = user_row(C, "write tests", 1);
    steered["__openclaw"]["steerTargetRunId"] = "faster".into();
    bench.event("session.message", &live_row(&steered));
    bench.event("chat", &chat(C, "final", None));
    bench.event("chat", &chat("faster", "final", Some("both done")));
    let end = moves(&bench).pop().unwrap();
    assert_eq!(
        (&end["status"], &end["runId"], &end["summary"]),
        (&json!("done"), &json!("in_test:faster"), &json!("both done"))
    );
}

#[test]
fn a_message_that_a_killed_gateway_lost_fails_its_task() {
    let mut bench = attached();
    bench.request(C, hand(TASK));
    bench.reply(&id(), Ok(started(C)));
    bench.attach(&world("b2", history(&[], false), false));
    assert_eq!(story(&bench), ["received", "completed", "message taken", "message failed", "task failed"]);
    assert_eq!(moves(&bench)[0]["summary"], "The message did not reach the agent: lost.");
}

/// The gateway's own prompt that takes up what its restart cut off.
fn resume_row(run: &str, raw_seq: u64) -> Value {
    let mut row = user_row(run, "[System] Your previous turn was interrupted", raw_seq);
    row["provenance"] = json!({"kind": "internal_system", "sourceTool": "main_session_restart_recovery"});
    row
}

/// Status and run of each move of the task.
fn told(bench: &Bench) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().trim_start_matches("in_test:").to_owned();
    moves(bench).iter().map(|data| (text(&data["status"]), text(&data["runId"]))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(status, run)| ((*status).to_owned(), (*run).to_owned())).collect()
}

#[test]
fn what_took_an_earlier_turn_up_has_nothing_to_do_with_a_task() {
    let old =
        [user_row("x", "hello", 1), resume_row("r8", 2), answer_row("r8", "Last week's answer.", "stop", 3)];
    let mut bench = attached();
    bench.attach(&world("b1", history(&old, false), false));
    bench.request(C, hand(TASK));
    bench.reply(&id(), Ok(started(C)));
    let asked = user_row(C, "write tests", 4);
    bench.event("session.message", &live_row(&asked));
    start(&mut bench, C, "I am");
    let [x, r8, answer] = old;
    bench.attach(&world("b2", history(&[x, r8, answer, asked], false), false));
    assert_eq!(told(&bench), pairs(&[("inProgress", C), ("review", C)]));
}

#[test]
fn a_later_turn_that_is_taken_up_is_not_the_lost_task() {
    const M: &str = "0193-m";
    let rows = [user_row(C, "write tests", 1), user_row(M, "hurry", 2), resume_row("r10", 3)];
    let cut_off = || {
        let mut bench = working();
        bench.attach(&world("b2", history(&rows[..1], false), false));
        let author = Some(json!({"type": "member", "id": "mb_1"}));
        let say =
            Verb::Send { conversation: conversation(&SessionKey::new(MAIN)), text: "hurry".into(), author };
        bench.request(M, say);
        bench.reply(&CommandId::new(M).unwrap(), Ok(started(M)));
        bench.event("session.message", &live_row(&rows[1]));
        start(&mut bench, M, "I");
        bench
    };
    let mut live = cut_off();
    live.attach(&world("b3", history(&rows[..2], false), false));
    live.event("session.message", &live_row(&rows[2]));
    start(&mut live, "r10", "Done");
    live.event("chat", &chat("r10", "final", Some("Done.")));
    let mut later = cut_off();
    let end = [rows.to_vec(), vec![answer_row("r10", "Done.", "stop", 4)]].concat();
    later.attach(&world("b3", history(&end, false), false));
    for bench in [live, later] {
        assert_eq!(told(&bench), pairs(&[("inProgress", C), ("review", C)]));
    }
}

#[test]
fn of_two_runs_that_took_a_turn_up_the_later_one_has_the_task() {
    let rows = [user_row(C, "write tests", 1), resume_row("r9", 2), resume_row("r10", 3)];
    let mut bench = working();
    for _ in 0..3 {
        bench.attach(&world("b3", history(&rows, true), true));
    }
    bench.event("chat", &chat("r10", "final", Some("Done.")));
    bench.attach(&world("b3", history(&rows, false), false));
    let (lost, taken, begun) = (("review", C), ("inProgress", "r10"), ("inProgress", C));
    assert_eq!(told(&bench), pairs(&[begun, lost, taken, taken, ("done", "r10")]));
}

#[test]
fn a_task_whose_run_never_began_ends_with_the_run_that_took_it_up_and_was_over_first() {
    let mut bench = attached();
    bench.request(C, hand(TASK));
    bench.reply(&id(), Ok(started(C)));
    bench.attachment.handle_ready(Some("b2"), &mut bench.observed);
    start(&mut bench, "r9", "Picked up");
    bench.event("chat", &chat("r9", "final", Some("Picked up and done.")));
    let rows = [
        user_row(C, "write tests", 1),
        resume_row("r9", 2),
        answer_row("r9", "Picked up and done.", "stop", 3),
    ];
    bench.read(&world("b2", history(&rows, false), false));
    assert_eq!(told(&bench), pairs(&[("done", "r9")]));
    assert_eq!(moves(&bench)[0]["summary"], "Picked up and done.");
    let begun: Vec<String> = bench.of_kind("run.started").into_iter().map(|(run, _)| run).collect();
    assert_eq!(begun, ["r9"]);
}

#[test]
fn a_task_that_was_taken_into_a_run_goes_on_with_what_takes_that_one_up() {
    const F: &str = "0193-a";
    let mut steered = user_row(C, "write tests", 2);
    steered["__openclaw"]["steerTargetRunId"] = F.into();
    let rows = [user_row(F, "hello", 1), steered, resume_row("r9", 3)];
    let end = [rows.to_vec(), vec![answer_row("r9", "Both done.", "stop", 4)]].concat();
    let went_down = || {
        let mut bench = attached();
        bench.request(C, hand(TASK));
        bench.reply(&id(), Ok(started(C)));
        start(&mut bench, F, "I am");
        bench.event("session.message", &live_row(&rows[1]));
        bench
    };
    // Over before the read, never seen until the read, and seen as it happens.
    let mut over = went_down();
    over.attachment.handle_ready(Some("b2"), &mut over.observed);
    start(&mut over, "r9", "Both");
    over.event("chat", &chat("r9", "final", Some("Both done.")));
    over.read(&world("b2", history(&end, false), false));
    assert_eq!(told(&over), pairs(&[("review", F), ("done", "r9")]));
    let mut later = went_down();
    later.attach(&world("b2", history(&end, false), false));
    let mut live = went_down();
    live.attach(&world("b2", history(&rows[..2], false), false));
    live.event("session.message", &live_row(&rows[2]));
    start(&mut live, "r9", "Both");
    live.event("chat", &chat("r9", "final", Some("Both done.")));
    let taken = ("inProgress", "r9");
    for bench in [later, live] {
        assert_eq!(told(&bench), pairs(&[("review", F), taken, taken, ("done", "r9")]));
        assert_eq!(moves(&bench)[3]["summary"], "Both done.");
    }
}

#[test]
fn a_turn_too_long_to_be_read_back_whole_is_the_last_one_that_was_seen() {
    let rows = [
        answer_row(C, "I am", "toolUse", 400),
        resume_row("r9", 401),
        answer_row("r9", "Picked up and done.", "stop", 402),
    ];
    let end = |rows: &[Value]| {
        let mut end = history(rows, false);
        end["hasMore"] = true.into();
        end
    };
    let mut bench = working();
    bench.attach(&world("b2", end(&rows), false));
    let (begun, taken) = (("inProgress", C), ("inProgress", "r9"));
    assert_eq!(told(&bench), pairs(&[begun, ("review", C), taken, taken, ("done", "r9")]));
    // A run whose turn is older than a task that is here took up something else.
    let [_, resume, answer] = rows;
    let mut other = working();
    other.attach(&world("b2", end(&[resume, answer, user_row(C, "write tests", 403)]), false));
    assert_eq!(told(&other), pairs(&[begun, ("review", C)]));
}
