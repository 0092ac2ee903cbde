//! The golden transcript of a release: every frame of a whole conversation, and where its readers ended.
//!
//! A later release replays it: its reader understands every frame that the old hub sent and ends in the same state, and its
//! hub understands every frame that the old clients sent.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use otter_proto::event::RecordedEvent;
use otter_proto::frame::{ClientFrame, HubFrame, SnapshotRow, SubscribedMode};
use otter_proto::hash;
use otter_proto::state::ScopeState;
use serde_json::Value;

use crate::{shell, tools};

pub(super) const FILE: &str = "transcript.jsonl";

/// Records a conversation over the hub that is built from this clone.
pub(super) fn record(target: &Path) -> Result<()> {
    let python = tools::python()?;
    shell::run(&mut shell::cargo(["build", "-p", "otter-server", "--bin", "otter-server"]))?;
    let mut conversation = shell::command(python);
    conversation.arg("conversation.py").arg(shell::built("otter-server")).arg(target.join(FILE));
    shell::run(conversation.current_dir(shell::root().join("examples/consumers/python")))
}

/// What of the transcript in a folder is not understood any more; nothing when there is none.
pub(super) fn replay(folder: &Path) -> Result<Vec<String>> {
    let Ok(text) = fs::read_to_string(folder.join(FILE)) else { return Ok(Vec::new()) };
    let mut faults = Vec::new();
    // The member's reader: the only one that subscribes.
    let mut scopes: BTreeMap<String, ScopeState> = BTreeMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line: Value = serde_json::from_str(line).with_context(|| format!("line {number} of {FILE}"))?;
        if let Some(states) = line["states"].as_object() {
            faults.extend(states.iter().filter_map(|(scope, end)| differs(&scopes, scope, end)));
            continue;
        }
        let frame = line["frame"].to_string();
        let understood = if line["from"] == "hub" {
            take(&frame, &mut scopes)
        } else {
            ClientFrame::decode(&frame).map(|_| ()).map_err(|error| error.to_string())
        };
        faults.extend(understood.err().map(|error| format!("line {number} of {FILE}: {error}")));
    }
    Ok(faults)
}

/// Reads a frame of the hub as a client does.
fn take(text: &str, scopes: &mut BTreeMap<String, ScopeState>) -> Result<(), String> {
    let load = |state: &mut ScopeState, rows: &[SnapshotRow<'_>]| {
        for row in rows {
            state.load(row.entity.clone(), row.rev, row.live, row.value);
        }
    };
    match HubFrame::decode(text).map_err(|error| error.to_string())? {
        HubFrame::Subscribed(answer) if answer.mode == SubscribedMode::Snapshot => {
            scopes.insert(answer.scope.to_string(), ScopeState::new());
        }
        HubFrame::Snapshot(page) => load(scopes.entry(page.scope.to_string()).or_default(), &page.entities),
        HubFrame::Events(events) => {
            let state = scopes.entry(events.scope.to_string()).or_default();
            for event in &events.events {
                state.apply(&RecordedEvent::parse(event).map_err(|error| error.to_string())?);
            }
        }
        _ => {}
    }
    Ok(())
}

fn differs(scopes: &BTreeMap<String, ScopeState>, scope: &str, end: &Value) -> Option<String> {
    let hash = hash::hex(scopes.get(scope).map_or(0, ScopeState::hash));
    (end["hash"] != hash).then(|| format!("{FILE}: {scope} ends in {hash}, not in {}", end["hash"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"seq":7,"prev":6,"id":"ev_7","at":"2026-11-22T14:00:00.123Z","scope":"org","kind":"task.upserted","source":{"type":"hub"},"effects":[{"op":"put","entity":"task/in_1:t"}],"data":{"title":"T"}}"#;

    /// What is wrong with a transcript of these lines.
    fn replayed(lines: &[String]) -> Vec<String> {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(FILE), lines.join("\n")).expect("written");
        replay(folder.path()).expect("read")
    }

    fn conversation() -> Vec<String> {
        let mut state = ScopeState::new();
        state.apply(&RecordedEvent::parse(EVENT).expect("an event"));
        vec![
            r#"{"from":"member","frame":{"type":"subscribe","scope":"org","sub":1}}"#.to_owned(),
            r#"{"from":"hub","to":"member","frame":{"type":"subscribed","scope":"org","sub":1,"epoch":"e","head":6,"mode":"snapshot"}}"#.to_owned(),
            r#"{"from":"hub","to":"member","frame":{"type":"snapshot","scope":"org","epoch":"e","entities":[],"asOf":6,"head":6}}"#.to_owned(),
            format!(r#"{{"from":"hub","to":"member","frame":{{"type":"events","scope":"org","epoch":"e","events":[{EVENT}]}}}}"#),
            format!(r#"{{"states":{{"org":{{"pos":7,"hash":"{}"}}}}}}"#, hash::hex(state.hash())),
        ]
    }

    #[test]
    fn a_conversation_that_is_still_understood_ends_as_it_did() {
        assert_eq!(replayed(&conversation()), Vec::<String>::new());
    }

    #[test]
    fn what_is_not_understood_any_more_is_named_with_its_line() {
        for (line, from, to, fault) in [
            (0, "\"sub\":1", "\"number\":1", "line 1 of"),
            (1, "snapshot", "partly", "line 2 of"),
            (3, "put", "append", "line 4 of"),
            (3, "\"T\"", "\"U\"", "org ends in"),
        ] {
            let mut lines = conversation();
            lines[line] = lines[line].replace(from, to);
            let found = replayed(&lines);
            assert!(found.iter().any(|one| one.contains(fault)), "{to}: {found:?}");
        }
    }
}
