//! Releases of the contract: kept as they were, and compared with what is now.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::compat::{Side, compare};
use super::transcript;

const FOLDER: &str = "schemas/released";
/// What a release keeps besides its fixtures.
const FILES: [&str; 3] = ["otter.schema.json", "otter.strict.schema.json", "catalogue.json"];

/// Keeps the present set as `schemas/released/v1-<version>`.
pub(super) fn freeze(root: &Path, version: &str) -> Result<PathBuf> {
    let target = root.join(FOLDER).join(format!("v1-{version}"));
    if target.exists() {
        bail!("{} is released already and never changes: raise the version", target.display());
    }
    let broken = breaks(root)?;
    if !broken.is_empty() {
        bail!("this would break what was released:\n{}", broken.join("\n"));
    }
    fs::create_dir_all(&target)?;
    for file in FILES {
        fs::copy(root.join("schemas/v1").join(file), target.join(file)).with_context(|| file.to_owned())?;
    }
    copy_folder(&root.join("schemas/v1/fixtures"), &target.join("fixtures"))?;
    println!("kept {}", target.display());
    Ok(target)
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().context("a file has a name")?;
        if path.is_dir() {
            copy_folder(&path, &to.join(name))?;
        } else {
            fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}

/// What is broken of the last release; nothing when there is none.
pub(super) fn breaks(root: &Path) -> Result<Vec<String>> {
    let Some(last) = last_release(root) else { return Ok(Vec::new()) };
    let old = Contract::read(&last)?;
    let new = Contract::read(&root.join("schemas/v1"))?;
    let mut found = old.broken_by(&new);
    found.extend(transcript::replay(&last)?);
    Ok(found)
}

/// The release with the highest version.
fn last_release(root: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(root.join(FOLDER)).ok()?.flatten();
    entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let numbers = name.strip_prefix("v1-")?.split('.').map(|part| part.parse::<u64>().ok());
            Some((numbers.collect::<Option<Vec<_>>>()?, entry.path()))
        })
        .max()
        .map(|(_, path)| path)
}

/// A bundle and its catalogue.
pub(super) struct Contract {
    pub(super) bundle: Value,
    pub(super) catalogue: Value,
}

/// Parts of the catalogue, the member that names a row, members that may change, and references that are compared.
struct Part {
    name: &'static str,
    key: &'static str,
    side: fn(&Value) -> Side,
    references: &'static [&'static str],
}

const PARTS: [Part; 5] = [
    Part { name: "kinds", key: "kind", side: of_kind, references: &["payload", "event"] },
    Part { name: "entities", key: "entity", side: |_| Side::Sent, references: &["value", "row"] },
    Part { name: "commands", key: "command", side: |_| Side::Accepted, references: &["payload", "request"] },
    Part { name: "signals", key: "signal", side: |_| Side::Shared, references: &["payload", "notice"] },
    Part { name: "frames", key: "frame", side: of_frame, references: &["schema"] },
];

/// What instances publish is accepted by the hub and sent to readers.
fn of_kind(row: &Value) -> Side {
    let by_instances =
        row["publishers"].as_array().is_some_and(|who| who.iter().any(|one| one == "instance"));
    if by_instances { Side::Shared } else { Side::Sent }
}

fn of_frame(row: &Value) -> Side {
    if row["from"] == "hub" { Side::Sent } else { Side::Accepted }
}

/// Members of a catalogue row that stay as they are; a change of another one is additive.
const FIXED: &[&str] = &[
    "entity",
    "class",
    "effects",
    "publishers",
    "scope",
    "lane",
    "orderKey",
    "payload",
    "event",
    "value",
    "row",
    "request",
    "notice",
    "schema",
    "executor",
    "from",
    "since",
    "cut",
];

impl Contract {
    fn read(folder: &Path) -> Result<Self> {
        let read = |file: &str| -> Result<Value> {
            let path = folder.join(file);
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            serde_json::from_str(&text).with_context(|| path.display().to_string())
        };
        Ok(Self { bundle: read("otter.schema.json")?, catalogue: read("catalogue.json")? })
    }

    /// What readers and writers of this contract cannot live with in the other one.
    pub(super) fn broken_by(&self, new: &Self) -> Vec<String> {
        let mut found = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        for part in &PARTS {
            for row in self.catalogue[part.name].as_array().into_iter().flatten() {
                let of_same =
                    |other: &&Value| other[part.key] == row[part.key] && other["from"] == row["from"];
                let now = new.catalogue[part.name].as_array().into_iter().flatten().find(of_same);
                let Some(now) = now else {
                    if row["stability"] != "experimental" {
                        found.push(format!("{} {} was removed", part.name, row[part.key]));
                    }
                    continue;
                };
                if row["stability"] == "experimental" {
                    continue;
                }
                found.extend(
                    FIXED
                        .iter()
                        .filter(|key| row[**key] != now[**key])
                        .map(|key| format!("{} {}: `{key}` changed", part.name, row[part.key])),
                );
                for reference in part.references.iter().filter_map(|key| row[*key].as_str()) {
                    self.reach(reference, (part.side)(row), new, &mut seen, &mut found);
                }
            }
        }
        found.extend(self.lower_limits(new));
        found.extend(self.lost_codes(new));
        found
    }

    /// Compares a definition and everything it refers to.
    fn reach(
        &self,
        reference: &str,
        side: Side,
        new: &Self,
        seen: &mut std::collections::BTreeSet<(String, u8)>,
        found: &mut Vec<String>,
    ) {
        let name = reference.trim_start_matches("#/$defs/");
        if !seen.insert((name.to_owned(), side as u8)) {
            return;
        }
        let (old, now) = (&self.bundle["$defs"][name], &new.bundle["$defs"][name]);
        if now.is_null() {
            found.push(format!("definition {name} was removed"));
            return;
        }
        for fault in compare(name, side, old, now) {
            if !found.contains(&fault) {
                found.push(fault);
            }
        }
        let mut inner = Vec::new();
        references(old, &mut inner);
        for reference in inner {
            self.reach(&reference, side, new, seen, found);
        }
    }

    /// Announced limits and fixed ones may rise, never fall.
    fn lower_limits(&self, new: &Self) -> Vec<String> {
        let pairs = |from: &Value, prefix: &str| -> Vec<(String, u64)> {
            let members = from.as_object().into_iter().flatten();
            members.filter_map(|(name, value)| Some((format!("{prefix}{name}"), value.as_u64()?))).collect()
        };
        let all = |contract: &Self| {
            let limits = &contract.catalogue["limits"];
            [pairs(&limits["announced"], "limits."), pairs(limits, "")].concat()
        };
        let now = all(new);
        let fell = all(self).into_iter().filter(|(name, value)| {
            now.iter().find(|(other, _)| other == name).is_none_or(|(_, now)| now < value)
        });
        fell.map(|(name, _)| format!("limit {name} fell or went")).collect()
    }

    fn lost_codes(&self, new: &Self) -> Vec<String> {
        let mut lost = Vec::new();
        for part in ["errorCodes", "closeCodes", "closeRanges"] {
            let now = new.catalogue[part].as_array().cloned().unwrap_or_default();
            for old in self.catalogue[part].as_array().into_iter().flatten() {
                let stays = now.iter().any(|now| {
                    now == old
                        || (old["code"].is_u64()
                            && now["code"] == old["code"]
                            && now["action"] == old["action"])
                });
                if !stays {
                    lost.push(format!("{part}: {old} changed or went"));
                }
            }
        }
        lost
    }
}

fn references(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests;
