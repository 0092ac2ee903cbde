//! Recorded events: one named definition per kind, the envelope with its `kind` and payload.

use serde_json::{Value, json};

use super::{Defs, Payloads, reference};
use crate::catalogue;

/// Adds the events, their union, and what they are made of.
pub(super) fn add(payloads: &Payloads, defs: &mut Defs) {
    let mut all = Vec::new();
    for row in catalogue::KINDS {
        let payload = payloads.get(row.name).map_or("", String::as_str);
        let name = format!("{payload}Event");
        let words = format!("A recorded `{}`.", row.name);
        let kind = json!({ "const": row.name, "description": "The kind." });
        let data = json!({ "$ref": format!("#/$defs/{payload}"), "description": "The payload." });
        defs.insert(name.clone(), envelope(&words, &kind, &data));
        all.push(reference(&name));
    }
    let kind = json!({ "type": "string", "maxLength": 100, "description": "A kind, known or not." });
    let data = json!({ "type": "object", "description": "The payload." });
    let words = "A recorded event of any kind: what readers check before they look at its kind.";
    defs.insert("RecordedEvent".to_owned(), envelope(words, &kind, &data));
    defs.insert("Event".to_owned(), json!({
        "type": "object", "required": ["kind"], "discriminator": { "propertyName": "kind" }, "oneOf": all,
        "properties": { "kind": { "type": "string", "maxLength": 100, "description": "The kind." } },
        "description": "A recorded event of a known kind. Anything else is a RecordedEvent: apply its effects and keep it.",
    }));
    defs.insert("Effect".to_owned(), effect());
    defs.insert("Source".to_owned(), source());
}

fn envelope(words: &str, kind: &Value, data: &Value) -> Value {
    let seq = |words: &str| json!({ "type": "integer", "minimum": 0, "maximum": crate::text::MAX_INTEGER, "description": words });
    let id = |words: &str| json!({ "type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[A-Za-z0-9._:-]{1,200}$", "description": words });
    json!({
        "type": "object",
        "description": words,
        "properties": {
            "seq": seq("Its place in the org's log."),
            "prev": seq("The seq of the previous event of the same scope; 0 for the first."),
            "id": id("Its id."),
            "at": { "$ref": "#/$defs/Instant", "description": "When the hub recorded it, by the hub's clock." },
            "scope": { "type": "string", "description": "`org`, `conversation/<id>` or `member/<id>`." },
            "source": { "$ref": "#/$defs/Source", "description": "Who published it." },
            "causedBy": id("The command that caused it."),
            "effects": { "type": "array", "items": reference("Effect"), "description": "What it does to entities, at most one effect per entity; empty when the row is older than its window." },
            "kind": kind,
            "data": data,
        },
        "required": ["seq", "prev", "id", "at", "scope", "kind", "source", "effects", "data"],
    })
}

fn effect() -> Value {
    json!({
        "type": "object",
        "description": "What an event does to one entity. `value` omitted means the event's `data`. An op that you do not know means that you are too old: stop and say so.",
        "properties": {
            "op": {
                "type": "string", "enum": ["put", "merge", "delete", "evict"],
                "description": "`put` replaces, `merge` merges (RFC 7396), `delete` removes, `evict` takes out of the live window.",
            },
            "entity": { "type": "string", "description": "`type/id`, in the event's scope." },
            "value": { "type": "object", "description": "What is put or merged, when it is not `data`." },
        },
        "required": ["op", "entity"],
    })
}

fn source() -> Value {
    json!({
        "type": "object",
        "description": "Who published an event.",
        "properties": {
            "type": { "type": "string", "enum": ["hub", "instance", "member"], "description": "The hub itself, an instance or a person." },
            "id": { "type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[A-Za-z0-9._:-]{1,200}$", "description": "Its id; absent for the hub." },
        },
        "required": ["type"],
    })
}
