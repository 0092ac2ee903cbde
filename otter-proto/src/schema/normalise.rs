//! From what the derive emits to what is published: `null` only where it means "remove", bounded integers, no formats
//! that other languages do not know.

use serde_json::{Map, Value, json};

/// Makes a frame's definition say what the codec does: absent members are left out, never `null`.
pub(super) fn normalise_frame(def: &mut Value) {
    let Some(object) = def.as_object_mut() else { return };
    let mut optional = Vec::new();
    for (key, schema) in object.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        if strip_null(schema) || schema["type"] == "array" || schema["additionalProperties"].is_object() {
            optional.push(key.clone());
        }
    }
    keep_required(object, |key| !optional.iter().any(|name| name == key));
    integers(def);
}

/// Makes a payload's definition say what serde does: a member that is skipped when absent is never `null`; one that
/// is always written may be `null`, which removes it from the entity.
pub(super) fn normalise_payload(def: &mut Value) {
    let required: Vec<String> = def["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|key| key.as_str().map(str::to_owned))
        .collect();
    let Some(object) = def.as_object_mut() else { return };
    let mut nullable = Vec::new();
    for (key, schema) in object.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        if required.contains(key) {
            if is_nullable(schema) {
                nullable.push(key.clone());
            }
        } else {
            strip_null(schema);
        }
    }
    keep_required(object, |key| !nullable.iter().any(|name| name == key));
    integers(def);
}

fn keep_required(object: &mut Map<String, Value>, keep: impl Fn(&str) -> bool) {
    if let Some(Value::Array(required)) = object.get_mut("required") {
        required.retain(|key| key.as_str().is_some_and(&keep));
        if required.is_empty() {
            object.remove("required");
        }
    }
}

fn is_nullable(schema: &Value) -> bool {
    schema["type"].as_array().is_some_and(|types| types.iter().any(|word| word == "null"))
        || schema["anyOf"].as_array().is_some_and(|arms| arms.iter().any(|arm| arm["type"] == "null"))
}

/// Takes the `null` out of a schema; true when there was one.
pub(super) fn strip_null(schema: &mut Value) -> bool {
    if !is_nullable(schema) {
        return false;
    }
    let Some(object) = schema.as_object_mut() else { return false };
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|word| word != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(mut arms)) = object.remove("anyOf") {
        arms.retain(|arm| arm["type"] != "null");
        if let Some(Value::Object(arm)) = arms.pop() {
            object.extend(arm);
        }
    }
    true
}

/// Every integer is 0 (a signed one: -2^53+1) to 2^53-1 and has no format.
fn integers(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            let integer = match object.get("type") {
                Some(Value::String(word)) => word == "integer",
                Some(Value::Array(words)) => words.iter().any(|word| word == "integer"),
                _ => false,
            };
            if integer {
                let signed = object.remove("format").is_some_and(|format| format == "int64");
                let most = i64::try_from(crate::text::MAX_INTEGER).unwrap_or(i64::MAX);
                object.insert("minimum".to_owned(), json!(if signed { -most } else { 0 }));
                object.insert("maximum".to_owned(), json!(most));
            }
            object.remove("default");
            object.values_mut().for_each(integers);
        }
        Value::Array(items) => items.iter_mut().for_each(integers),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
