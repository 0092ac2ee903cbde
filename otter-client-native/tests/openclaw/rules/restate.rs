//! A hub that lost what it was told is told it anew.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{MAIN, answer_row, attached, chat, history, live_row, session_row, start, user_row};
use crate::bench::{Bench, World};

fn ids(bench: &Bench, kind: &str) -> Vec<String> {
    bench.of_kind(kind).into_iter().map(|(id, _)| id).collect()
}

/// A bridge that saw one run begin and end and another one begin, and the world that it lives in.
fn followed() -> (Bench, World) {
    let rows = [user_row("k1", "ask", 1), answer_row("k1", "say", "stop", 2), user_row("k2", "go on", 3)];
    let mut row = session_row(true, 1_795_355_900_000);
    row["derivedTitle"] = json!("A talk");
    let mut bench = attached();
    bench.event("sessions.changed", &json!({"session": row}));
    bench.event("session.message", &live_row(&rows[0]));
    start(&mut bench, "k1", "sa");
    bench.event("chat", &chat("k1", "final", Some("say")));
    bench.event("session.message", &live_row(&rows[2]));
    start(&mut bench, "k2", "still at work");
    assert_eq!(ids(&bench, "message.created"), ["k1:user", "k1:answer", "k2:user"]);
    let mut world = World::new("b1");
    world.sessions = vec![row];
    world.histories = vec![(MAIN, history(&rows, true))];
    (bench, world)
}

fn restate(bench: &mut Bench) {
    bench.out.clear();
    let outputs = otter_client_native::openclaw::translate::handle_restate(&mut bench.observed, bench.now);
    bench.emit(outputs);
}

#[test]
fn a_hub_that_lost_its_rows_is_told_questions_and_answers() {
    let (mut bench, world) = followed();
    restate(&mut bench);
    // It goes on where a restart cut it off.
    let out = bench.out.clone();
    let mut bench = bench.restarted();
    bench.out = out;
    bench.attach(&world);
    let messages = bench.of_kind("message.created");
    let told: Vec<(&str, &Value)> = messages.iter().map(|(id, data)| (id.as_str(), &data["text"])).collect();
    let (ask, say, go_on) = (json!("ask"), json!("say"), json!("go on"));
    assert_eq!(told, [("k1:user", &ask), ("k1:answer", &say), ("k2:user", &go_on)]);
    // Once is enough.
    bench.out.clear();
    bench.attach(&world);
    assert_eq!(ids(&bench, "message.created"), Vec::<String>::new());
}

#[test]
fn a_hub_that_lost_its_rows_is_told_what_runs_and_where() {
    let (mut bench, world) = followed();
    let of = |bench: &Bench, kind: &str| {
        let mut events = bench.published().into_iter().filter(|event| event.0 == kind);
        events.next_back().map(|(_, id, data)| (id, data)).unwrap()
    };
    let (run, conversation) = (of(&bench, "run.started"), of(&bench, "conversation.upserted"));
    assert_eq!((run.0.as_str(), &conversation.1["derivedTitle"]), ("k2", &json!("A talk")));
    restate(&mut bench);
    let told: Vec<(&str, (String, Value))> =
        bench.published().into_iter().map(|(kind, id, data)| (kind, (id, data))).collect();
    assert_eq!(told, [("conversation.upserted", conversation), ("run.started", run)]);
    bench.attach(&world);
    bench.event("chat", &chat("k2", "final", Some("done")));
    assert_eq!(
        (ids(&bench, "run.started"), ids(&bench, "run.completed")),
        (vec!["k2".into()], vec!["k2".into()])
    );
}

#[test]
fn an_answer_that_came_during_the_first_attach_is_told_once() {
    let rows = [user_row("k1", "ask", 1), answer_row("k1", "say", "stop", 2)];
    let mut bench = Bench::new();
    bench.tick(1_795_355_000_000);
    bench.attachment.handle_ready(Some("b1"), &mut bench.observed);
    bench.event("session.message", &live_row(&rows[0]));
    start(&mut bench, "k1", "sa");
    bench.event("chat", &chat("k1", "final", Some("say")));
    let mut world = World::new("b1");
    world.sessions = vec![session_row(false, 1_795_355_900_000)];
    world.histories = vec![(MAIN, history(&rows, false))];
    bench.read(&world);
    let answers = ids(&bench, "message.created").into_iter().filter(|id| id == "k1:answer");
    assert_eq!(answers.count(), 1);
}
