//! The strict twin of the bundle: what a sender of this release may write, and nothing else.
//!
//! Receivers use the open bundle. The twin is for checking one's own output: a misspelt or undocumented member is an
//! error in it.

use serde_json::{Value, json};

/// Closes every object and every open set of words, and names the events and rows that are known.
pub(super) fn strict(bundle: &Value) -> Value {
    let mut strict = bundle.clone();
    strict["$id"] = json!("urn:otter:protocol:v1:strict");
    strict["title"] = json!("Otter protocol, version 1, strict");
    strict["description"] = json!(
        "What a sender of this release writes. Check your own output with it; receivers use otter.schema.json."
    );
    for def in strict["$defs"].as_object_mut().into_iter().flat_map(|defs| defs.values_mut()) {
        close(def);
        // A payload without members.
        if def["type"] == "object" && def["properties"].is_null() {
            def["additionalProperties"] = json!(false);
        }
    }
    let defs = &mut strict["$defs"];
    for (frame, member, known) in [
        ("EventsFrame", "events", "Event"),
        ("SnapshotFrame", "entities", "Entity"),
        ("PageFrame", "rows", "Entity"),
    ] {
        let open = defs[frame]["properties"][member]["items"].clone();
        let of_a_vendor = json!({ "allOf": [open, vendors(known)] });
        defs[frame]["properties"][member]["items"] =
            json!({ "anyOf": [{ "$ref": format!("#/$defs/{known}") }, of_a_vendor] });
    }
    strict
}

fn vendors(known: &str) -> Value {
    let member = if known == "Event" { "kind" } else { "entity" };
    json!({ "type": "object", "properties": { member: { "type": "string", "pattern": "^x\\." } } })
}

fn close(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    if object.remove("x-open").is_some() {
        let known = object.remove("anyOf").and_then(|arms| arms.get(0).cloned());
        object.extend(known.into_iter().filter_map(|known| known.as_object().cloned()).flatten());
    }
    // The arms of a union are closed themselves.
    let is_union = object.contains_key("oneOf");
    let properties = object.get_mut("properties").and_then(Value::as_object_mut);
    let has_members = properties.is_some();
    properties.into_iter().flat_map(|properties| properties.values_mut()).for_each(close);
    if has_members && !is_union {
        object.insert("additionalProperties".to_owned(), json!(false));
    }
}
