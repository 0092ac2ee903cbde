use serde_json::json;

use super::*;

fn breaks(side: Side, old: &Value, new: &Value) -> bool {
    !compare("X", side, old, new).is_empty()
}

/// What each side says of a change: (readers break, writers break).
#[test]
fn each_change_breaks_who_relies_on_what_it_takes_away() {
    let object = |required: &[&str], members: Value| json!({ "type": "object", "properties": members, "required": required });
    let a = json!({ "type": "string", "maxLength": 10 });
    let words = |all: &[&str]| json!({ "type": "string", "enum": all });
    let open = |all: &[&str]| json!({ "anyOf": [{ "type": "string", "enum": all }, { "type": "string" }], "x-open": true });
    let table = [
        ("the same", object(&["a"], json!({ "a": a })), object(&["a"], json!({ "a": a })), false, false),
        (
            "an optional member more",
            object(&["a"], json!({ "a": a })),
            object(&["a"], json!({ "a": a, "b": a })),
            false,
            false,
        ),
        (
            "a required member more",
            object(&[], json!({ "a": a })),
            object(&["b"], json!({ "a": a, "b": a })),
            false,
            true,
        ),
        ("a member less", object(&[], json!({ "a": a, "b": a })), object(&[], json!({ "a": a })), true, true),
        (
            "required, then optional",
            object(&["a"], json!({ "a": a })),
            object(&[], json!({ "a": a })),
            true,
            false,
        ),
        (
            "optional, then required",
            object(&[], json!({ "a": a })),
            object(&["a"], json!({ "a": a })),
            false,
            true,
        ),
        ("a closed set grows", words(&["x"]), words(&["x", "y"]), true, false),
        ("a closed set shrinks", words(&["x", "y"]), words(&["x"]), false, true),
        ("an open set grows", open(&["x"]), open(&["x", "y"]), false, false),
        ("an open set shrinks", open(&["x", "y"]), open(&["x"]), true, true),
        ("an open set is closed", open(&["x"]), words(&["x"]), true, true),
        ("a closed set is opened", words(&["x"]), open(&["x"]), true, false),
        ("null is added", a.clone(), json!({ "type": ["string", "null"], "maxLength": 10 }), true, false),
        (
            "null is taken away",
            json!({ "type": ["string", "null"] }),
            json!({ "type": "string" }),
            false,
            true,
        ),
        ("another type", a.clone(), json!({ "type": "integer", "maxLength": 10 }), true, true),
        ("a longer text", a.clone(), json!({ "type": "string", "maxLength": 11 }), false, false),
        ("a shorter text", a.clone(), json!({ "type": "string", "maxLength": 9 }), false, true),
        (
            "other words about it",
            a.clone(),
            json!({ "type": "string", "maxLength": 10, "description": "A." }),
            false,
            false,
        ),
        ("another pattern", json!({ "pattern": "^a" }), json!({ "pattern": "^b" }), true, true),
        ("another definition", json!({ "$ref": "#/$defs/A" }), json!({ "$ref": "#/$defs/B" }), true, true),
        (
            "a keyword nobody thought about",
            a.clone(),
            json!({ "type": "string", "maxLength": 10, "not": {} }),
            true,
            true,
        ),
        ("an arm more", json!({ "anyOf": [a] }), json!({ "anyOf": [a, { "type": "null" }] }), true, false),
    ];
    for (what, old, new, readers, writers) in table {
        assert_eq!(breaks(Side::Sent, &old, &new), readers, "readers: {what}");
        assert_eq!(breaks(Side::Accepted, &old, &new), writers, "writers: {what}");
        assert_eq!(breaks(Side::Shared, &old, &new), readers || writers, "both: {what}");
    }
}

#[test]
fn a_fault_names_its_place() {
    let old =
        json!({ "properties": { "list": { "items": { "properties": { "n": { "type": "integer" } } } } } });
    let new =
        json!({ "properties": { "list": { "items": { "properties": { "n": { "type": "string" } } } } } });
    assert_eq!(
        compare("X", Side::Sent, &old, &new),
        ["X/list/items/n: a type was added that readers do not expect"]
    );
}
