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

/// Histories as they were at the end of a recording, made of the rows that it shows.
fn world_of_rows(recording: &[Line], boot: &'static str, sessions: &[&'static str]) -> World {
    let payload = |line: &Line| line.value["frame"].clone();
    let frames: Vec<Value> = recording.iter().map(payload).collect();
    let is_heartbeat = |run: &Value| {
        frames
            .iter()
            .any(|frame| frame["payload"]["isHeartbeat"] == true && frame["payload"]["runId"] == *run)
    };
    let live = frames.iter().filter(|frame| frame["event"] == "session.message");
    let mut rows: Vec<Value> = live.map(|frame| frame["payload"].clone()).collect();
    for row in &mut rows {
        // Live rows do not say so; the history marks what was written without a prompt.
        if is_heartbeat(&row["message"]["__openclaw"]["runId"]) {
            row["message"]["__openclaw"]["turnBoundary"] = true.into();
        }
    }
    let mut world = World::new(boot);
    for key in sessions {
        let of_session: Vec<&Value> = rows.iter().filter(|row| row["sessionKey"] == *key).collect();
        let messages: Vec<Value> = of_session.iter().map(|row| row["message"].clone()).collect();
        let session_id = of_session[0]["sessionId"].clone();
        let info = json!({"key": key, "agentId": "main", "hasActiveRun": false});
        let history = json!({"sessionKey": key, "sessionId": session_id, "messages": messages, "hasMore": true, "sessionInfo": info});
        world
            .sessions
            .push(json!({"key": key, "agentId": "main", "hasActiveRun": false, "sessionId": session_id,
            "updatedAt": 1_800_000_000_000_u64, "snapshotAt": 1_800_000_000_000_u64}));
        world.histories.push((key, history));
    }
    world
}

/// Who is said to have written what: an agent, the gateway itself, or somebody, whether known as a member or not.
fn words(benches: &[&Bench]) -> BTreeMap<String, (Value, Value, Value)> {
    let mut words = BTreeMap::new();
    let author = |data: &Value| match data["author"]["type"].as_str() {
        Some("member" | "external") => json!("somebody"),
        _ => data["author"]["type"].clone(),
    };
    for (kind, id, data) in benches.iter().flat_map(|bench| bench.published()) {
        // The world says that it has older rows, and does not give them: a line tells so.
        if kind == "message.created" && !id.contains(":gap:") {
            let said = (author(&data), data["internal"].clone(), data["text"].clone());
            words.entry(id).or_insert(said);
        }
    }
    words
}

#[test]
fn a_kill_during_a_heartbeat_or_a_sub_agent_shows_nothing_internal_and_no_wrong_author() {
    let child = "agent:main:subagent:4f2f2d6c-7ebc-45c4-ae0a-51bf7310a222";
    let table = [
        ("f2-subagent-task", "c18431aa-37b8-4440-83fd-8783fe3f5c92", vec![MAIN, child]),
        ("i-custom-feed-plugin", "16bf2b3f-e5c1-472b-a46b-fdcd03e34b47", vec![MAIN]),
    ];
    for (name, boot, sessions) in table {
        let recording = lines(name);
        let mut whole = Bench::new();
        whole.replay(&recording);
        let expected = words(&[&whole]);
        for same_boot in [true, false] {
            let world = world_of_rows(&recording, if same_boot { boot } else { "another boot" }, &sessions);
            for cut in (3..recording.len()).step_by(5) {
                let mut before = Bench::new();
                before.replay(&recording[..cut]);
                let mut after = before.restarted();
                after.tick(recording.last().unwrap().t + 1_000);
                after.attach(&world);
                for (id, said) in words(&[&before, &after]) {
                    let Some(right) = expected.get(&id) else {
                        panic!("{name}: {id} is invented after a kill at line {cut}: {said:?}");
                    };
                    assert_eq!(
                        (&said.0, &said.1),
                        (&right.0, &right.1),
                        "{name}: {id} after a kill at line {cut}"
                    );
                }
            }
        }
    }
}
