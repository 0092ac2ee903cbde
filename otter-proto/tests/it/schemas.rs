//! The committed files are the ones that the Rust types generate, and the bundle keeps its own rules.

use serde_json::Value;

use crate::files::root;

#[test]
fn generated_files_have_not_drifted() {
    for file in otter_proto::schema::files() {
        let committed = std::fs::read_to_string(root().join(&file.path)).unwrap_or_default();
        assert!(
            committed == file.text,
            "{} differs from the Rust types: run `cargo xtask schemas`",
            file.path
        );
    }
}

fn bundle(name: &str) -> Value {
    let files = otter_proto::schema::files();
    let file = files.iter().find(|file| file.path.ends_with(name)).expect("a generated file");
    serde_json::from_str(&file.text).unwrap()
}

#[test]
fn every_reference_of_the_bundle_resolves() {
    for name in ["/otter.schema.json", "/otter.strict.schema.json"] {
        let bundle = bundle(name);
        let mut open = vec![&bundle];
        while let Some(value) = open.pop() {
            match value {
                Value::Object(object) => {
                    if let Some(target) = object.get("$ref").and_then(|target| target.as_str()) {
                        let name =
                            target.strip_prefix("#/$defs/").expect("references stay inside the bundle");
                        assert!(bundle["$defs"][name].is_object(), "{target}");
                    }
                    open.extend(object.values());
                }
                Value::Array(items) => open.extend(items),
                _ => {}
            }
        }
    }
}

fn has_type(schema: &Value, word: &str) -> bool {
    schema["type"] == word
        || schema["type"].as_array().is_some_and(|types| types.iter().any(|one| one == word))
}

/// What a member lacks that a foreign reader needs.
fn faults(place: &str, schema: &Value, is_member: bool, found: &mut Vec<String>) {
    let mut check = |holds: bool, what: &str| {
        if !holds {
            found.push(format!("{place}: {what}"));
        }
    };
    check(!is_member || schema["description"].is_string(), "has no description");
    if has_type(schema, "string") {
        check(schema["enum"].is_array() || schema["maxLength"].is_u64(), "has no limit");
    }
    if has_type(schema, "integer") {
        check(schema["x-unit"].as_str().is_some_and(|unit| !unit.is_empty()), "has no unit");
        let most = schema["maximum"].as_u64().is_some_and(|most| most <= 9_007_199_254_740_991);
        check(most && schema["minimum"].is_i64(), "is not bounded to 2^53-1");
        check(schema["format"].is_null(), "has a format that other languages do not know");
    }
    if has_type(schema, "array") {
        check(schema["maxItems"].is_u64(), "has no limit");
        faults(&format!("{place}/items"), &schema["items"], false, found);
    }
    for arm in schema["anyOf"].as_array().into_iter().flatten() {
        faults(place, arm, false, found);
    }
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        faults(&format!("{place}/{name}"), member, true, found);
    }
}

#[test]
fn every_member_has_words_a_limit_and_a_unit() {
    let mut found = Vec::new();
    for (name, def) in bundle("/otter.schema.json")["$defs"].as_object().unwrap() {
        faults(name, def, true, &mut found);
    }
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn receivers_get_open_objects_and_senders_closed_ones() {
    let (open, strict) = (bundle("/otter.schema.json"), bundle("/otter.strict.schema.json"));
    for (name, def) in open["$defs"].as_object().unwrap() {
        assert_ne!(def["additionalProperties"], false, "{name}");
        let closed = &strict["$defs"][name];
        if def["type"] == "object" && def["oneOf"].is_null() {
            assert_eq!(closed["additionalProperties"], false, "{name}");
        }
        assert!(closed["x-open"].is_null(), "{name}");
    }
}

#[test]
fn the_unions_name_every_row_of_the_catalogue() {
    let bundle = bundle("/otter.schema.json");
    let catalogue: Value =
        serde_json::from_str(&std::fs::read_to_string(root().join("schemas/v1/catalogue.json")).unwrap())
            .unwrap();
    for (union, part, reference) in [
        ("Event", "kinds", "event"),
        ("Command", "commands", "request"),
        ("Signal", "signals", "notice"),
        ("Entity", "entities", "row"),
    ] {
        let arms: Vec<&Value> =
            bundle["$defs"][union]["oneOf"].as_array().unwrap().iter().map(|arm| &arm["$ref"]).collect();
        let rows: Vec<&Value> =
            catalogue[part].as_array().unwrap().iter().map(|row| &row[reference]).collect();
        assert_eq!(arms, rows, "{union}");
        assert_eq!(bundle["$defs"][union]["discriminator"].is_object(), union != "Entity", "{union}");
    }
    for from in ["client", "hub"] {
        let union = if from == "client" { "ClientFrame" } else { "HubFrame" };
        let arms: Vec<&Value> =
            bundle["$defs"][union]["oneOf"].as_array().unwrap().iter().map(|arm| &arm["$ref"]).collect();
        let rows: Vec<&Value> = catalogue["frames"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| row["from"] == from)
            .map(|row| &row["schema"])
            .collect();
        for row in &rows {
            assert!(arms.contains(row), "{row}");
        }
        assert_eq!(arms.len(), rows.len());
    }
}
