//! A bridge that is killed at any moment tells the same story in the end.

use std::collections::BTreeMap;

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{MAIN, session_row};
use crate::bench::{Bench, Line, World, lines};

/// Messages and runs as a hub keeps them: the first creation wins, ends are merged into what was begun.
fn kept(benches: &[&Bench]) -> BTreeMap<String, Value> {
    let mut entities: BTreeMap<String, Value> = BTreeMap::new();
    for (kind, id, data) in benches.iter().flat_map(|bench| bench.published()) {
        match kind {
            "message.created" => {
                let row =
                    json!({"text": data["text"], "status": data["status"], "internal": data["internal"]});
                entities.entry(format!("message/{id}")).or_insert(row);
            }
            "run.started" => drop(entities.entry(format!("run/{id}")).or_insert(json!("running"))),
            "run.completed" | "run.failed" | "run.aborted" => {
                if let Some(run) = entities.get_mut(&format!("run/{id}")).filter(|run| **run == "running") {
                    *run = data["state"].clone();
                }
            }
            _ => {}
        }
    }
    entities
}

/// Kills the bridge after `cut` lines; what it missed is read from the history at the end of the recording.
fn killed(recording: &[Line], cut: usize, world: &World) -> BTreeMap<String, Value> {
    let mut before = Bench::new();
    before.replay(&recording[..cut]);
    let mut after = before.restarted();
    after.tick(recording.last().unwrap().t + 1_000);
    after.attach(world);
    kept(&[&before, &after])
}

fn world_at_the_end(recording: &[Line], boot: &'static str) -> World {
    let payload = |line: &Line| line.value["frame"]["payload"].clone();
    let histories = recording.iter().rev().map(payload);
    let of_main = |payload: &Value| payload["sessionKey"] == MAIN && payload["messages"].is_array();
    let mut world = World::new(boot);
    world.sessions = vec![session_row(false, 1_800_000_000_000)];
    world.histories = vec![(MAIN, histories.into_iter().find(of_main).unwrap())];
    world
}

fn of_main(entities: BTreeMap<String, Value>, other: &str) -> BTreeMap<String, Value> {
    entities.into_iter().filter(|(key, _)| !key.contains(other)).collect()
}

#[test]
fn steering_queueing_and_commands_survive_a_kill_at_any_line() {
    let recording = lines("j-steer-slash-followup");
    let researcher = "874d0671";
    let world = world_at_the_end(&recording, "89b92569-6f0f-44c9-af39-217f504b53a0");
    let mut whole = Bench::new();
    whole.replay(&recording);
    let expected = of_main(kept(&[&whole]), researcher);
    assert_eq!(expected.len(), 12);
    for cut in (53..recording.len()).step_by(9) {
        let mut told = of_main(killed(&recording, cut, &world), researcher);
        for (key, entity) in &expected {
            // A run that began and ended unseen is known by its messages only.
            if key.starts_with("run/") && !told.contains_key(key) {
                continue;
            }
            assert_eq!(told.remove(key).as_ref(), Some(entity), "{key} after a kill at line {cut}");
        }
        assert_eq!(told, BTreeMap::new(), "invented after a kill at line {cut}");
    }
}

#[test]
fn a_plain_answer_survives_a_kill_at_any_line() {
    let recording = lines("b-plain-streamed-answer");
    let world = world_at_the_end(&recording, "c18431aa-37b8-4440-83fd-8783fe3f5c92");
    let mut whole = Bench::new();
    whole.replay(&recording);
    let expected = kept(&[&whole]);
    assert_eq!(expected.len(), 3);
    for cut in 3..recording.len() {
        let told = killed(&recording, cut, &world);
        let messages: Vec<_> = told.iter().filter(|(key, _)| key.starts_with("message/")).collect();
        let wanted: Vec<_> = expected.iter().filter(|(key, _)| key.starts_with("message/")).collect();
        assert_eq!(messages, wanted, "after a kill at line {cut}");
        assert!(!told.values().any(|run| *run == "running"), "a run is open after a kill at line {cut}");
    }
}
