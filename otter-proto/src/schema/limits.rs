//! Limits and units: every text and list of the bundle says how long it may be, every integer what it counts.

use serde_json::{Map, Value, json};

use crate::catalogue::{self, ScopeRule};
use crate::kind::rules::{COMMAND_RULES, EVENT_RULES, Rule};
use crate::limits::{
    DATA_FRAME_BYTES, ENTITY_BYTES, ENTITY_BYTES_CONVERSATION, Limits, MAX_BOOTS, MAX_PAGE_ROWS,
    MAX_REJECTED, SLOT_BYTES,
};
use crate::schema::bundle::{Defs, Payloads};

const ID: &str = "[A-Za-z0-9._:-]{1,200}";
/// The shortest recorded event and the shortest row have more bytes than this.
const SHORTEST_EVENT: usize = 128;
const SHORTEST_ROW: usize = 32;
/// The shortest published event has more bytes than this.
const SHORTEST_NEW_EVENT: usize = 32;

/// Until the bundle is whole, a fixed word says which set it is of.
pub(super) const SET: &str = "x-set";

/// The rules of the kinds, as keywords.
pub(super) fn of_payloads(payloads: &Payloads, defs: &mut Defs) {
    for (kind, member, rule) in EVENT_RULES.iter().chain(COMMAND_RULES) {
        let Some(def) = payloads.get(kind).and_then(|name| defs.get_mut(name)) else { continue };
        let properties = def.get_mut("properties");
        let Some(Value::Object(schema)) = properties.and_then(|all| all.get_mut(*member)) else { continue };
        match *rule {
            Rule::Is(word) => {
                let of = schema.remove("$ref");
                schema.insert("const".to_owned(), json!(word));
                schema.extend(of.map(|of| (SET.to_owned(), of)));
            }
            Rule::Characters(least, most) => lengths(schema, "Length", least, most),
            Rule::Bytes(least, most) => {
                lengths(schema, "Length", least, most);
                schema.insert("x-maxBytes".to_owned(), json!(most));
            }
            Rule::Items(least, most) => lengths(schema, "Items", least, most),
        }
    }
    // A publisher may send the whole of a text that the hub cuts.
    for row in catalogue::ENTITIES {
        let Some(cut) = row.cut else { continue };
        for kind in catalogue::KINDS.iter().filter(|kind| kind.entity_type == row.name) {
            let def = payloads.get(kind.name).and_then(|name| defs.get_mut(name));
            let properties = def.and_then(|def| def.get_mut("properties"));
            if let Some(Value::Object(schema)) = properties.and_then(|all| all.get_mut(cut)) {
                schema.insert("maxLength".to_owned(), json!(Limits::V1.event_bytes));
            }
        }
    }
}

fn lengths(schema: &mut Map<String, Value>, what: &str, least: usize, most: usize) {
    if least > 0 {
        schema.insert(format!("min{what}"), json!(least));
    }
    schema.insert(format!("max{what}"), json!(most));
}

/// What nothing more exact is known of: a text fits its entity or its frame, a list too.
pub(super) fn of_the_rest(payloads: &Payloads, defs: &mut Defs) {
    for (name, def) in defs {
        let text = longest_text(name, payloads);
        bound(name, def, text);
    }
}

fn longest_text(def: &str, payloads: &Payloads) -> usize {
    let frame = usize::try_from(Limits::V1.frame_bytes).unwrap_or(usize::MAX);
    let of = payloads.iter().find(|(_, payload)| *payload == def).map(|(kind, _)| *kind);
    if of.is_some_and(|kind| catalogue::signal(kind).is_some()) {
        return if def == "MessageDelta" { SLOT_BYTES } else { frame };
    }
    let entity = of.and_then(catalogue::kind).and_then(|kind| catalogue::entity(kind.entity_type));
    let entity = entity.or_else(|| {
        catalogue::ENTITIES.iter().find(|row| def == format!("{}Entity", super::bundle::pascal(row.name)))
    });
    match entity.map(|row| row.scope) {
        Some(ScopeRule::Org | ScopeRule::Member) => ENTITY_BYTES,
        Some(ScopeRule::Conversation) | None => ENTITY_BYTES_CONVERSATION,
    }
}

fn bound(def: &str, schema: &mut Value, text: usize) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
        return leaf(def, "", schema, text);
    };
    for (member, schema) in properties {
        leaf(def, member, schema, text);
    }
}

fn leaf(def: &str, member: &str, schema: &mut Value, text: usize) {
    let Some(object) = schema.as_object_mut() else { return };
    object.remove(SET);
    let is = |object: &Map<String, Value>, word: &str| match object.get("type") {
        Some(Value::String(one)) => one == word,
        Some(Value::Array(all)) => all.iter().any(|one| one == word),
        _ => false,
    };
    if is(object, "string") && !object.contains_key("enum") {
        match member {
            "scope" => pattern(object, &format!("^(org|conversation/{ID}|member/{ID})$"), 213),
            "entity" => pattern(object, &format!("^{ID}/{ID}$"), 401),
            _ => {}
        }
        object.entry("maxLength").or_insert_with(|| json!(text));
    }
    if is(object, "integer") {
        let unit = unit(def, member);
        object.entry("x-unit").or_insert_with(|| json!(unit));
    }
    if is(object, "array") {
        object.entry("maxItems").or_insert_with(|| json!(most_items(def, member)));
        if let Some(items) = object.get_mut("items") {
            leaf(def, member, items, text);
        }
    }
    if is(object, "object")
        && let Some(inner) = object.get_mut("additionalProperties")
    {
        let whole = usize::try_from(Limits::V1.event_bytes).unwrap_or(usize::MAX);
        let of_scopes = inner["type"] == "integer";
        leaf(def, "", inner, whole);
        object.insert("maxProperties".to_owned(), json!(Limits::V1.subscriptions));
        if of_scopes {
            let names = json!({ "pattern": format!("^(org|conversation/{ID}|member/{ID})$") });
            object.insert("propertyNames".to_owned(), names);
        }
    }
}

fn pattern(object: &mut Map<String, Value>, pattern: &str, longest: usize) {
    if object.contains_key("pattern") {
        return;
    }
    object.insert("pattern".to_owned(), json!(pattern));
    object.insert("maxLength".to_owned(), json!(longest));
}

fn most_items(def: &str, member: &str) -> usize {
    let frame = usize::try_from(Limits::V1.frame_bytes).unwrap_or(usize::MAX);
    match (def, member) {
        (_, "subscribe") => usize::try_from(Limits::V1.subscriptions).unwrap_or(usize::MAX),
        (_, "boots") => MAX_BOOTS,
        (_, "rejected") => MAX_REJECTED,
        (_, "rows") => usize::try_from(MAX_PAGE_ROWS).unwrap_or(usize::MAX),
        ("EventsFrame", "events") => DATA_FRAME_BYTES / SHORTEST_EVENT,
        (_, "entities") => DATA_FRAME_BYTES / SHORTEST_ROW,
        ("PublishFrame", "events") => frame / SHORTEST_NEW_EVENT,
        (_, "effects") => 2_048,
        (_, "capabilities") => 64,
        (_, "allowedDecisions") => 8,
        _ => 1_000,
    }
}

/// What an integer counts.
fn unit(def: &str, member: &str) -> &'static str {
    match member {
        _ if member.ends_with("Ms") => "milliseconds",
        _ if member.ends_with("Bytes") => "bytes",
        "seq" | "prev" | "rev" | "pos" | "head" | "asOf" | "" => "seq",
        "first" | "upTo" | "expected" | "rejectedSeen" => "number of an event of the lane",
        "n" if def == "Rejection" => "number of an event of the lane",
        "n" | "id" | "sub" => "number chosen by the client",
        "producerEpoch" | "fromEpoch" => "generation of an outbox, from 1",
        "min" | "max" | "protocol" => "protocol version",
        "code" => "close code",
        "frames" => "frames",
        "limit" => "rows",
        "subscriptions" => "scopes",
        "commandsPerMinute" => "commands",
        "messageCount" | "importedCount" => "messages",
        "commitCount" => "commits",
        "pending" | "dead" => "events",
        "value" | "input" | "output" | "contextLimit" | "lifetimeTokens" => "tokens",
        "offset" => "UTF-16 code units",
        "exitCode" => "exit code of a process",
        _ => "",
    }
}
