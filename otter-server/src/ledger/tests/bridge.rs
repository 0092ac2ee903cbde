//! What the bridge makes of recorded gateway dialogues passes the hub's door.

use otter_proto::id::belongs_to;
use otter_proto::text::{Numbers, canonicalise, member};
use pretty_assertions::assert_eq;

use super::*;
use crate::ledger::json;

/// The events of a recorded dialogue: one JSON object per line, those with `event`.
fn dialogues() -> Vec<(String, Vec<String>)> {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../otter-client-native/tests/fixtures/openclaw");
    let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let expected = files.iter().filter(|path| path.to_string_lossy().ends_with(".expected.jsonl"));
    expected
        .map(|path| {
            let text = std::fs::read_to_string(path).unwrap();
            let lines = text.lines().map(|line| canonicalise(line, Numbers::Rfc8785).unwrap());
            let events = lines.filter(|line| member(line, "event").is_some()).collect();
            (path.file_name().unwrap().to_string_lossy().into_owned(), events)
        })
        .collect()
}

fn published(n: usize, line: &str) -> String {
    let mut event = json::Object::default()
        .string("id", &format!("ev_{n}"))
        .raw("kind", member(line, "event").unwrap())
        .raw("subject", member(line, "subject").unwrap())
        .raw("data", member(line, "data").unwrap());
    for key in ["conversation", "causedBy"] {
        if let Some(value) = member(line, key) {
            event = event.raw(key, value);
        }
    }
    event.build()
}

#[test]
fn everything_the_bridge_publishes_is_accepted() {
    let instance = InstanceId::new("in_test").unwrap();
    let mut total = 0;
    for (name, events) in dialogues() {
        let mut world = World::empty();
        let mut next = [1, 1];
        for (at, line) in events.iter().enumerate() {
            let kind = json::string(line, "event").unwrap();
            let bulk = ["session.", "feed.", "activity."].iter().any(|start| kind.starts_with(start));
            let lane = if bulk { Lane::Bulk } else { Lane::Main };
            let frame = publish(lane, 1, next[usize::from(bulk)], &[published(at, line)]);
            next[usize::from(bulk)] += 1;
            let (answer, commit) = world.transact(|ledger| ledger.publish(&instance, &frame)).unwrap();
            assert_eq!((answer.error, answer.rejected), (None, vec![]), "{name}: {line}");
            total += commit.appended.len();
        }
        for key in world.live(&Scope::Org) {
            let id = key.split_once('/').unwrap().1;
            assert!(belongs_to(id, "in_test"), "{name}: {key}");
        }
    }
    assert!(total > 100, "the recordings hold events: {total}");
}
