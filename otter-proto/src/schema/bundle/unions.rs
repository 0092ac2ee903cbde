//! Commands and signals: one named definition per kind, and their unions.

use serde_json::{Value, json};

use super::{Defs, Payloads, reference};
use crate::catalogue;

/// Adds both.
pub(super) fn add(payloads: &Payloads, defs: &mut Defs) {
    let commands = each(catalogue::COMMANDS.iter().map(|row| row.name), "Command", "command", payloads, defs);
    let words = "What a person may ask for: the `kind` and `data` of a `command` frame.";
    defs.insert("Command".to_owned(), union(&commands, words));
    let signals = each(catalogue::SIGNALS.iter().map(|row| row.name), "Signal", "signal", payloads, defs);
    defs.insert(
        "Signal".to_owned(),
        union(&signals, "An ephemeral notice: the `kind` and `data` of a `signal` frame."),
    );
}

fn each(
    names: impl Iterator<Item = &'static str>,
    suffix: &str,
    word: &str,
    payloads: &Payloads,
    defs: &mut Defs,
) -> Vec<Value> {
    names
        .map(|kind| {
            let payload = payloads.get(kind).map_or("", String::as_str);
            let name = format!("{payload}{suffix}");
            let def = json!({
                "type": "object",
                "description": format!("The {word} `{kind}`."),
                "properties": {
                    "kind": { "const": kind, "description": "The kind." },
                    "data": { "$ref": format!("#/$defs/{payload}"), "description": "What it carries." },
                },
                "required": ["kind", "data"],
            });
            defs.insert(name.clone(), def);
            reference(&name)
        })
        .collect()
}

fn union(all: &[Value], words: &str) -> Value {
    json!({
        "type": "object", "required": ["kind"], "discriminator": { "propertyName": "kind" }, "oneOf": all, "description": words,
        "properties": { "kind": { "type": "string", "maxLength": 100, "description": "The kind." } },
    })
}
