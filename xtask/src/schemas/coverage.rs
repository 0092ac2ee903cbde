//! Every name of the catalogue has fixtures.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

/// Where valid fixtures of a part of the catalogue are: part, member with the name, folder.
const PARTS: [(&str, &str, &str); 4] = [
    ("kinds", "kind", "event"),
    ("entities", "entity", "entity"),
    ("commands", "command", "command"),
    ("signals", "signal", "signal"),
];

/// Names without a valid fixture, and kinds and commands that take data without an invalid one; one sentence each.
pub(super) fn missing(root: &Path) -> Result<Vec<String>> {
    let text =
        fs::read_to_string(root.join("schemas/v1/catalogue.json")).context("schemas/v1/catalogue.json")?;
    let catalogue: Value = serde_json::from_str(&text)?;
    let mut faults = Vec::new();
    for (part, member, folder) in PARTS {
        let have = stems(&root.join("schemas/v1/fixtures/valid").join(folder));
        for name in names(&catalogue, part, member) {
            if !has(&have, &name) {
                faults.push(format!(
                    "{name} has no fixture: write schemas/v1/fixtures/valid/{folder}/{name}.json"
                ));
            }
        }
    }
    for row in catalogue["frames"].as_array().into_iter().flatten() {
        let (name, from) = (row["frame"].as_str().unwrap_or(""), row["from"].as_str().unwrap_or(""));
        if !has(&stems(&root.join("schemas/v1/fixtures/valid").join(from)), name) {
            faults.push(format!(
                "frame {name} has no fixture: write schemas/v1/fixtures/valid/{from}/{name}.json"
            ));
        }
    }
    for (part, member, folder) in [("kinds", "kind", "event"), ("commands", "command", "command")] {
        let have = stems(&root.join("schemas/v1/fixtures/invalid").join(folder));
        for name in
            names(&catalogue, part, member).filter(|name| needs_invalid(&catalogue, part, member, name))
        {
            if !has(&have, &name) {
                faults.push(format!(
                    "{name} has no fixture that is refused: write schemas/v1/fixtures/invalid/{folder}/{name}.<case>.json"
                ));
            }
        }
    }
    Ok(faults)
}

fn names<'a>(catalogue: &'a Value, part: &str, member: &'a str) -> impl Iterator<Item = String> + 'a {
    let rows = catalogue[part].as_array().into_iter().flatten();
    rows.filter_map(move |row| row[member].as_str().map(str::to_owned))
}

/// What an instance may publish can be wrong, unless it has no members; every command can.
fn needs_invalid(catalogue: &Value, part: &str, member: &str, name: &str) -> bool {
    let mut rows = catalogue[part].as_array().into_iter().flatten();
    let Some(row) = rows.find(|row| row[member] == name) else { return false };
    part == "commands"
        || row["class"] != "remove"
            && row["publishers"].as_array().is_some_and(|who| who.iter().any(|one| one == "instance"))
}

/// File names without `.json`.
fn stems(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            entry.file_name().to_str().and_then(|name| name.strip_suffix(".json")).map(str::to_owned)
        })
        .collect()
}

/// `task.upserted` or `task.upserted.case`.
fn has(stems: &BTreeSet<String>, name: &str) -> bool {
    stems
        .iter()
        .any(|stem| stem.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_fixtures_is_named_with_the_file_to_write() {
        let root = tempfile::tempdir().expect("a folder");
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        };
        let catalogue = r#"{
            "kinds": [
                {"kind": "task.starred", "class": "update", "publishers": ["instance"]},
                {"kind": "task.removed", "class": "remove", "publishers": ["instance"]}
            ],
            "commands": [{"command": "task.star"}],
            "frames": [{"frame": "ping", "from": "hub"}]
        }"#;
        write("schemas/v1/catalogue.json", catalogue);
        write("schemas/v1/fixtures/valid/event/task.removed.json", "{}");
        write("schemas/v1/fixtures/valid/event/task.starredToo.json", "{}");
        write("schemas/v1/fixtures/valid/hub/ping.late.json", "{}");
        write("schemas/v1/fixtures/valid/command/task.star.json", "{}");
        let found = missing(root.path()).expect("read");
        assert_eq!(
            found,
            [
                "task.starred has no fixture: write schemas/v1/fixtures/valid/event/task.starred.json",
                "task.starred has no fixture that is refused: write schemas/v1/fixtures/invalid/event/task.starred.<case>.json",
                "task.star has no fixture that is refused: write schemas/v1/fixtures/invalid/command/task.star.<case>.json",
            ]
        );
    }
}
