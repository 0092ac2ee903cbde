//! The fixtures of the contract at the hub's door.

use std::path::Path;

use otter_proto::catalogue::{self, Publisher};
use otter_proto::error::ErrorCode;
use pretty_assertions::assert_eq;
use serde_json::Value;

use super::*;

/// The fixtures speak of this instance.
const THEIRS: &str = "in_k3f2";

/// The fixtures of a folder: name and text, about `in_1`.
fn fixtures(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/v1/fixtures").join(folder);
    let mut found: Vec<(String, String)> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(&path).unwrap().replace(THEIRS, instance().as_str()))
        })
        .collect();
    found.sort();
    found
}

fn json(name: &str, text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// What a case holds: its text, and what is expected of it.
fn case(name: &str, text: &str, member: &str) -> (String, Value, Value) {
    let case = json(name, text);
    let input = case["raw"].as_str().map_or_else(|| case[member].to_string(), str::to_owned);
    (input, case["expect"].clone(), case)
}

fn lane(case: &Value) -> Lane {
    Lane::parse(case["lane"].as_str().unwrap()).unwrap()
}

impl World {
    /// Somebody asked the instance for something, under this id.
    fn asked(&mut self, id: &str) {
        let actor = Actor { id: MemberId::new("mb_1").unwrap(), name: None, role: Role::Member };
        let data = Json::new(&format!(r#"{{"conversationId":"{CONVERSATION}","text":"hi"}}"#)).unwrap();
        let command = Command { id: CommandId::new(id).unwrap(), kind: "message.send".to_owned(), data };
        let (reply, _) = self.transact(|ledger| ledger.command(&actor, &command, &BTreeSet::new())).unwrap();
        assert_eq!(reply.refused, None);
    }
}

#[test]
fn every_event_that_an_instance_may_publish_passes_the_door() {
    for (name, text) in fixtures("valid/event") {
        let event = json(&name, &text);
        let Some(row) = catalogue::kind(event["kind"].as_str().unwrap()) else { continue };
        if matches!(row.publisher, Publisher::Hub) || event["source"]["type"] != "instance" {
            continue;
        }
        let effect = event["effects"][0]["entity"].as_str().unwrap();
        let mut published = serde_json::json!({
            "id": event["id"], "kind": row.name, "subject": effect.split_once('/').unwrap().1, "data": event["data"],
        });
        if let Some(id) = event["scope"].as_str().unwrap().strip_prefix("conversation/") {
            published["conversation"] = id.into();
        }
        let lane = catalogue::entity(row.entity_type).unwrap().lane;
        let mut world = World::with_conversation();
        let (answer, _) = world.publish(&publish(lane, 2, 1, &[published.to_string()]));
        assert_eq!((answer.error, answer.rejected), (None, vec![]), "{name}");
    }
}

#[test]
fn an_event_that_breaks_the_contract_is_refused_with_its_code_and_pointer() {
    for (name, text) in fixtures("invalid/event") {
        let (event, expect, case) = case(&name, &text, "event");
        let mut world = World::with_conversation();
        if name.starts_with("command.") {
            world.asked(json(&name, &event)["subject"].as_str().unwrap());
        }
        let (answer, commit) = world.publish(&publish(lane(&case), 2, 1, &[event]));
        let [rejection] = answer.rejected.as_slice() else { panic!("{name}: {answer:?}") };
        assert_eq!(Some(rejection.code.as_str()), expect["code"].as_str(), "{name}: {rejection:?}");
        assert_eq!(rejection.pointer.as_deref(), expect["pointer"].as_str(), "{name}");
        let written: Vec<String> =
            lines(&commit).into_iter().filter(|line| !line.contains("instance.gap")).collect();
        assert_eq!(written, Vec::<String>::new(), "{name} leaves nothing");
        assert_eq!(answer.up_to, 1, "{name} is final");
    }
}

#[test]
fn a_command_that_breaks_the_contract_is_refused_with_its_code_and_pointer() {
    for (name, text) in fixtures("invalid/command") {
        let (command, expect, _) = case(&name, &text, "command");
        let command = json(&name, &command);
        let mut world = World::with_conversation();
        let (reply, commit) =
            world.command_as(Role::Owner, 1, command["kind"].as_str().unwrap(), &command["data"].to_string());
        let Some(error) = reply.refused else { panic!("{name} was accepted") };
        assert_eq!(Some(error.code.as_str()), expect["code"].as_str(), "{name}: {error:?}");
        assert_eq!(error.pointer.as_deref(), expect["pointer"].as_str(), "{name}");
        assert_eq!(lines(&commit), Vec::<String>::new(), "{name} leaves nothing");
    }
}

#[test]
fn the_hub_knows_what_to_do_with_every_command_of_the_catalogue() {
    let fixtures = fixtures("valid/command");
    assert!(fixtures.len() >= catalogue::COMMANDS.len());
    for (name, text) in fixtures {
        let (kind, data) = (json(&name, &text)["kind"].clone(), json(&name, &text)["data"].to_string());
        let mut world = World::with_conversation();
        let (reply, _) = world.command_as(Role::Owner, 1, kind.as_str().unwrap(), &data);
        // What a fixture speaks of need not be there; the words have to be understood.
        let refused = reply.refused.map(|error| error.code);
        let lost = [Some(ErrorCode::Internal), Some(ErrorCode::UnknownCommand), Some(ErrorCode::InvalidData)];
        assert!(!lost.contains(&refused), "{name}: {refused:?}");
    }
}

#[test]
fn members_of_a_newer_release_are_kept_and_passed_on() {
    for (name, text) in fixtures("future/event") {
        let (event, expect, case) = case(&name, &text, "event");
        let mut world = World::with_conversation();
        let (answer, commit) = world.publish(&publish(lane(&case), 2, 1, std::slice::from_ref(&event)));
        assert_eq!((answer.error, answer.rejected), (None, vec![]), "{name}");
        let kept = expect["kept"].as_str().unwrap();
        let sent = json(&name, &event)["data"][kept].clone();
        assert!(!sent.is_null(), "{name}");
        let last = json(&name, &commit.appended.last().unwrap().text);
        assert_eq!(last["data"][kept], sent, "{name}");
    }
}

#[test]
fn what_is_null_in_a_create_is_not_there() {
    let mut world = World::with_conversation();
    let data = r#"{"category":"alert","occurredAt":"2026-11-17T14:00:00.123Z","title":"t","url":null}"#;
    let event = format!(r#"{{"id":"ev_null","kind":"feed.itemAdded","subject":"in_1:f","data":{data}}}"#);
    let (answer, commit) = world.publish(&publish(Lane::Bulk, 1, 1, &[event]));
    assert_eq!((answer.error, answer.rejected), (None, vec![]));
    let want = r#"org feed.itemAdded [put feedItem/in_1:f] {"category":"alert","occurredAt":"2026-11-17T14:00:00.123Z","title":"t"}"#;
    assert_eq!(lines(&commit), [want]);
}
