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
    words(def);
    integers(def);
}

/// What `null` means for a member that may be absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nulls {
    /// It is not written: an absent member is left out.
    Absent,
    /// It removes the member from the entity; these members can be changed and not removed.
    RemoveBut(&'static [&'static str]),
}

/// Makes a payload's definition say what the hub's door takes: what may be absent is not required, and may be `null`
/// where that removes it. Members that are always written, `null` or not, may be absent, too.
pub(super) fn normalise_payload(def: &mut Value, nulls: Nulls) {
    let required: Vec<String> = def["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|key| key.as_str().map(str::to_owned))
        .collect();
    words(def);
    let Some(object) = def.as_object_mut() else { return };
    let mut optional = Vec::new();
    for (key, schema) in object.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        let was_nullable = strip_null(schema);
        if was_nullable || schema.get("default").is_some() {
            optional.push(key.clone());
        }
        let always_written = required.contains(key);
        let removable = matches!(nulls, Nulls::RemoveBut(stay) if !stay.contains(&key.as_str()));
        if was_nullable && (always_written || removable) {
            allow_null(schema);
        }
    }
    keep_required(object, |key| !optional.iter().any(|name| name == key));
    integers(def);
}

/// Sets of words that may get more within v1: receivers treat an unknown one as they treat the most general.
const OPEN_WORDS: &[&str] = &[
    "ActivityStatus",
    "AddressKind",
    "AuthorType",
    "ErrorCode",
    "FeedCategory",
    "GatewayState",
    "MarkTarget",
    "SessionStatus",
    "Severity",
    "StepStatus",
    "TaskOrigin",
];

/// Opens the sets of words that may grow.
pub(super) fn open(name: &str, def: &mut Value) {
    if !OPEN_WORDS.contains(&name) {
        return;
    }
    let Some(object) = def.as_object_mut() else { return };
    let all = object.remove("enum").unwrap_or_default();
    // What a reader makes of a word that it does not know is never sent.
    let sent: Vec<&Value> = all
        .as_array()
        .into_iter()
        .flatten()
        .filter(|word| name != "ErrorCode" || **word != "other")
        .collect();
    let known = json!({ "type": "string", "enum": sent });
    if let Some(Value::Object(meanings)) = object.get_mut("x-words") {
        meanings.retain(|word, _| sent.iter().any(|sent| *sent == word));
    }
    object.remove("type");
    object.insert("anyOf".to_owned(), json!([known, { "type": "string", "maxLength": 64 }]));
    object.insert("x-open".to_owned(), json!(true));
}

/// A set of words as an `enum`, with what each means in `x-words`.
fn words(def: &mut Value) {
    let Some(object) = def.as_object_mut() else { return };
    let Some(Value::Array(arms)) = object.get("oneOf") else { return };
    let (mut all, mut meanings) = (Vec::new(), Map::new());
    for arm in arms {
        let listed = arm["enum"].as_array().cloned().unwrap_or_default();
        for word in arm.get("const").cloned().into_iter().chain(listed) {
            if let Some(word) = word.as_str().filter(|_| arm["description"].is_string()) {
                meanings.insert(word.to_owned(), arm["description"].clone());
            }
            all.push(word);
        }
    }
    object.remove("oneOf");
    object.insert("type".to_owned(), json!("string"));
    object.insert("enum".to_owned(), json!(all));
    object.insert("x-words".to_owned(), Value::Object(meanings));
}

fn allow_null(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    if let Some(Value::String(word)) = object.get("type").filter(|_| !object.contains_key("enum")) {
        let types = json!([word, "null"]);
        object.insert("type".to_owned(), types);
        return;
    }
    let description = object.remove("description");
    let mut nullable = Map::from_iter([("anyOf".to_owned(), json!([object.clone(), { "type": "null" }]))]);
    nullable.extend(description.map(|words| ("description".to_owned(), words)));
    *object = nullable;
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
