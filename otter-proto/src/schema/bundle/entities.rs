//! Entities: what the kinds of a type leave, and the rows that snapshots and pages hold.

use serde_json::{Map, Value, json};

use super::{Defs, Payloads, pascal, reference};
use crate::catalogue;
use crate::schema::limits::SET;
use crate::schema::normalise::strip_null;

/// Adds one definition per entity type, its row, and the union of the rows.
pub(super) fn add(payloads: &Payloads, defs: &mut Defs) {
    let mut all = Vec::new();
    for row in catalogue::ENTITIES {
        let name = pascal(row.name);
        let value = entity(row, payloads, defs);
        defs.insert(format!("{name}Entity"), value);
        let key = json!({
            "type": "string", "description": format!("`{}/<id>`.", row.name), "maxLength": row.name.len() + 201,
            "pattern": format!("^{}/[A-Za-z0-9._:-]{{1,200}}$", row.name),
        });
        let words = format!("A row of type `{}`.", row.name);
        let value = json!({ "$ref": format!("#/$defs/{name}Entity"), "description": "The entity." });
        defs.insert(format!("{name}Row"), of_type(&words, &key, &value));
        all.push(reference(&format!("{name}Row")));
    }
    let key = json!({ "type": "string", "description": "`type/id`." });
    let value = json!({ "type": "object", "description": "The entity." });
    let words = "A row of any type: what readers check before they look at its type.";
    defs.insert("SnapshotRow".to_owned(), of_type(words, &key, &value));
    defs.insert("Entity".to_owned(), json!({
        "type": "object", "required": ["entity"], "oneOf": all,
        "properties": { "entity": { "type": "string", "description": "`type/id`: the part before the slash tells the arms apart." } },
        "x-discriminator": { "propertyName": "entity", "until": "/" },
        "description": "A row of a known type. Anything else is a SnapshotRow; keep it.",
    }));
}

fn of_type(words: &str, key: &Value, value: &Value) -> Value {
    json!({
        "type": "object",
        "description": words,
        "properties": {
            "entity": key,
            "rev": { "type": "integer", "minimum": 0, "maximum": crate::text::MAX_INTEGER, "description": "The seq of its last write." },
            "live": { "type": "boolean", "description": "Whether it is in the live window of its type; absent when it is." },
            "value": value,
        },
        "required": ["entity", "rev", "value"],
    })
}

/// Everything that the kinds of a type may write; required is what each first event must write.
fn entity(row: &catalogue::EntityRow, payloads: &Payloads, defs: &Defs) -> Value {
    let mut properties = Map::new();
    let mut required: Option<Vec<Value>> = None;
    for kind in catalogue::KINDS.iter().filter(|kind| kind.entity_type == row.name) {
        let Some(def) = payloads.get(kind.name).and_then(|name| defs.get(name)) else { continue };
        for (key, value) in def["properties"].as_object().into_iter().flatten() {
            let value = without_null(value);
            match properties.get(key).map(|old| wider(old, &value)) {
                Some(wider) => properties.insert(key.clone(), wider),
                None => properties.insert(key.clone(), value),
            };
        }
        if kind.class.effect(false).is_some() {
            let own = def["required"].as_array().cloned().unwrap_or_default();
            required = Some(match required {
                Some(all) => all.into_iter().filter(|key| own.contains(key)).collect(),
                None => own,
            });
        }
    }
    let bytes = match row.scope {
        catalogue::ScopeRule::Conversation => crate::limits::ENTITY_BYTES_CONVERSATION,
        catalogue::ScopeRule::Org | catalogue::ScopeRule::Member => crate::limits::ENTITY_BYTES,
    };
    if let Some(Value::Object(cut)) = row.cut.and_then(|member| properties.get_mut(member)) {
        cut.insert("maxLength".to_owned(), json!(bytes));
    }
    json!({
        "type": "object", "properties": properties, "required": required.unwrap_or_default(), "x-maxBytes": bytes,
        "description": format!("An entity of type `{}`, at most {} KiB. Its id is in its key.", row.name, bytes >> 10),
    })
}

/// A member that several kinds write: where each writes a fixed word, any of their set.
fn wider(old: &Value, new: &Value) -> Value {
    match (old.get(SET), new.get(SET)) {
        (Some(set), Some(_)) => json!({ "$ref": set, "description": old["description"] }),
        // The fixed word is one of those that the other names.
        (Some(_), None) => new.clone(),
        (None, _) => old.clone(),
    }
}

/// An entity has no `null` members: a merge with `null` removes the member.
fn without_null(schema: &Value) -> Value {
    let mut schema = schema.clone();
    strip_null(&mut schema);
    schema
}
