//! The bundle: one JSON Schema (2020-12) with everything in `$defs`, references never inlined.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::catalogue;
use crate::schema::normalise::{normalise_frame, normalise_payload};
use crate::{frame, kind};

type Defs = BTreeMap<String, Value>;

/// The whole bundle.
pub(super) fn bundle() -> Value {
    let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut unions = Defs::new();
    let payloads = payloads(&mut generator);
    generator.subschema_for::<kind::VendorCommand>();
    frames(&mut generator, &mut unions);
    let mut defs: Defs = generator.take_definitions(true).into_iter().collect();
    for (name, def) in &mut defs {
        if FRAME_DEFS.contains(&name.as_str()) { normalise_frame(def) } else { normalise_payload(def) }
    }
    events(&payloads, &mut defs);
    commands(&payloads, &mut defs);
    entities(&payloads, &mut defs);
    defs.append(&mut unions);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:otter:protocol:v1",
        "title": "Otter protocol, version 1",
        "description": "Frames, events, entities and commands. Objects are open: ignore members you do not know. Unknown kinds are relayed and stored, never an error for a reader.",
        "oneOf": [reference("ClientFrame"), reference("HubFrame")],
        "$defs": Map::from_iter(defs),
    })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

/// The definition's name of each payload, by kind.
type Payloads = BTreeMap<&'static str, String>;

fn add<T: JsonSchema>(generator: &mut SchemaGenerator, name: &'static str, payloads: &mut Payloads) {
    generator.subschema_for::<T>();
    payloads.insert(name, T::schema_name().into_owned());
}

macro_rules! payloads {
    ($($group:ident: { $($name:literal => $ty:ident,)* })*) => {
        fn payloads(generator: &mut SchemaGenerator) -> Payloads {
            let mut payloads = Payloads::new();
            $($(add::<kind::$ty>(generator, $name, &mut payloads);)*)*
            payloads
        }
    };
}

kind::payloads::with_payloads!(payloads);

/// Definitions that are frames or parts of frames: `null` never stands for an absent member there.
const FRAME_DEFS: &[&str] = &[
    "Accepted",
    "Ack",
    "Bye",
    "ClientInfo",
    "Command",
    "CommandDispatch",
    "Drain",
    "ErrorBody",
    "EventsFrame",
    "Fetch",
    "Hello",
    "HubBye",
    "LaneCursor",
    "Lanes",
    "Limits",
    "NewEvent",
    "Notice",
    "PageKey",
    "Ping",
    "Pong",
    "Principal",
    "Probe",
    "Probed",
    "Publish",
    "Published",
    "Refuse",
    "Rejection",
    "Reply",
    "Resync",
    "ServerInfo",
    "Signal",
    "Subscribe",
    "Subscribed",
    "Unsubscribe",
    "VersionRange",
    "Welcome",
];

/// Adds every frame, with its `type`, and the two unions.
fn frames(generator: &mut SchemaGenerator, unions: &mut Defs) {
    macro_rules! union {
        ($union:literal: $($word:literal => $ty:ty,)*) => {{
            $(generator.subschema_for::<$ty>(); typed(unions, generator, <$ty>::schema_name().as_ref(), $word);)*
            vec![$(format!("{}Frame", pascal($word)),)*]
        }};
    }
    let client = union! { "ClientFrame":
        "hello" => frame::Hello, "subscribe" => frame::Subscribe, "unsubscribe" => frame::Unsubscribe,
        "publish" => frame::Publish, "signal" => frame::Signal, "fetch" => frame::Fetch, "ack" => frame::Ack, "pong" => frame::Pong,
        "probe" => frame::Probe, "bye" => frame::Bye,
    };
    let hub = union! { "HubFrame":
        "welcome" => frame::Welcome, "refuse" => frame::Refuse, "subscribed" => frame::Subscribed,
        "published" => frame::Published, "reply" => frame::Reply,
        "resync" => frame::Resync, "ping" => frame::Ping, "probed" => frame::Probed, "error" => frame::Notice,
        "drain" => frame::Drain,
    };
    generator.subschema_for::<frame::CommandDispatch>();
    generator.subschema_for::<frame::Command>();
    generator.subschema_for::<frame::HubBye>();
    generator.subschema_for::<crate::event::NewEvent>();
    typed(unions, generator, "Command", "commandRequest");
    typed(unions, generator, "CommandDispatch", "commandDispatch");
    typed(unions, generator, "HubBye", "hubBye");
    for (name, word) in
        [("CommandRequestFrame", "command"), ("CommandDispatchFrame", "command"), ("HubByeFrame", "bye")]
    {
        if let Some(frame) = unions.get_mut(name) {
            frame["allOf"][1]["properties"]["type"] = json!({ "const": word });
        }
    }
    unions.insert("EventsFrame".to_owned(), events_frame());
    unions.insert("SnapshotFrame".to_owned(), snapshot_frame());
    unions.insert("PageFrame".to_owned(), page_frame());
    let one_of = |names: Vec<String>, more: &[&str], words: &str| {
        let all: Vec<Value> =
            names.iter().map(String::as_str).chain(more.iter().copied()).map(reference).collect();
        json!({ "type": "object", "required": ["type"], "discriminator": { "propertyName": "type" }, "oneOf": all, "description": words })
    };
    unions.insert(
        "ClientFrame".to_owned(),
        one_of(client, &["CommandRequestFrame"], "A frame from a client to the hub."),
    );
    let more = ["CommandDispatchFrame", "EventsFrame", "SnapshotFrame", "PageFrame", "HubByeFrame"];
    unions.insert("HubFrame".to_owned(), one_of(hub, &more, "A frame from the hub to a client."));
}

fn typed(unions: &mut Defs, _: &SchemaGenerator, def: &str, word: &str) {
    let value = json!({ "allOf": [
        reference(def),
        { "type": "object", "properties": { "type": { "const": word } }, "required": ["type"] },
    ] });
    unions.insert(format!("{}Frame", pascal(word)), value);
}

fn pascal(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn events_frame() -> Value {
    json!({
        "type": "object",
        "description": "Consecutive events of one scope, at most 256 KiB.",
        "properties": {
            "type": { "const": "events" },
            "scope": { "type": "string", "description": "`org`, `conversation/<id>` or `member/<id>`." },
            "epoch": { "type": "string", "description": "The epoch of the events' seq." },
            "events": { "type": "array", "items": reference("RecordedEvent"), "description": "In order of seq." },
            "hash": { "type": "string", "pattern": "^[0-9a-f]{16}$", "description": "The state hash after the last event." },
        },
        "required": ["type", "scope", "epoch", "events"],
    })
}

fn integer(words: &str) -> Value {
    json!({ "type": "integer", "minimum": 0, "maximum": crate::text::MAX_INTEGER, "description": words })
}

fn page_frame() -> Value {
    json!({
        "type": "object",
        "description": "Answer to `fetch`: rows of a type from new to old, or one row with its whole texts. At most 256 KiB.",
        "properties": {
            "type": { "const": "page" },
            "id": integer("The number of the fetch."),
            "rows": { "type": "array", "items": reference("SnapshotRow"), "description": "From new to old, live or not." },
            "next": reference("PageKey"),
            "asOf": integer("The scope's head when the page was read: not before any event sent earlier. Absent with an error."),
            "full": { "type": "object", "additionalProperties": { "type": "string" }, "description": "With one fetched entity: the texts that its value shows only the head of, whole, by member." },
            "error": reference("ErrorBody"),
        },
        "required": ["type", "id"],
    })
}

fn snapshot_frame() -> Value {
    json!({
        "type": "object",
        "description": "A page of the live entities of a scope, ordered by key.",
        "properties": {
            "type": { "const": "snapshot" },
            "scope": { "type": "string", "description": "`org`, `conversation/<id>` or `member/<id>`." },
            "epoch": { "type": "string", "description": "The epoch of asOf and of the revs." },
            "entities": { "type": "array", "items": reference("SnapshotRow"), "description": "The entities of this page." },
            "asOf": integer("Every event of the scope up to here is contained; on the last page, the lowest over all pages."),
            "head": integer("On the last page: the scope's head when it was read."),
            "hash": { "type": "string", "pattern": "^[0-9a-f]{16}$", "description": "On the last page: the state hash at `head`." },
        },
        "required": ["type", "scope", "epoch", "entities", "asOf"],
    })
}

/// One named definition per kind: the envelope with its `kind` and payload.
fn events(payloads: &Payloads, defs: &mut Defs) {
    let mut all = Vec::new();
    for row in catalogue::KINDS {
        let name = format!("{}Event", payloads.get(row.name).map_or("", String::as_str));
        let words = json!({ "kind": { "const": row.name }, "data": reference(payloads.get(row.name).map_or("", String::as_str)) });
        defs.insert(name.clone(), envelope(&words));
        all.push(reference(&name));
    }
    defs.insert("RecordedEvent".to_owned(), envelope(&json!({ "kind": { "type": "string", "description": "A kind, known or not." }, "data": { "type": "object" } })));
    defs.insert(
        "Event".to_owned(),
        json!({
            "type": "object", "required": ["kind"], "discriminator": { "propertyName": "kind" }, "oneOf": all,
            "description": "A recorded event of a known kind. Anything else is a RecordedEvent; keep it.",
        }),
    );
    defs.insert("Effect".to_owned(), json!({
        "type": "object",
        "description": "What an event does to one entity. `value` omitted means the event's `data`. An unknown op means that the reader is too old.",
        "properties": {
            "op": { "enum": ["put", "merge", "delete", "evict"], "description": "Replace; RFC 7396 merge; gone; out of the live window." },
            "entity": { "type": "string", "description": "`type/id`." },
            "value": { "type": "object", "description": "What is put or merged, when it is not `data`." },
        },
        "required": ["op", "entity"],
    }));
    defs.insert("SnapshotRow".to_owned(), json!({
        "type": "object",
        "description": "One entity.",
        "properties": {
            "entity": { "type": "string", "description": "`type/id`." },
            "rev": integer("The seq of its last write."),
            "live": { "type": "boolean", "default": true, "description": "Whether it is in the live window of its type; absent when it is." },
            "value": { "type": "object", "description": "The entity." },
        },
        "required": ["entity", "rev", "value"],
    }));
}

fn envelope(own: &Value) -> Value {
    let mut properties = json!({
        "seq": integer("Its place in the org's log."),
        "prev": integer("The seq of the previous event of the same scope; 0 for the first."),
        "id": { "type": "string", "maxLength": 200, "description": "Its id." },
        "at": reference("Instant"),
        "scope": { "type": "string", "description": "`org`, `conversation/<id>` or `member/<id>`." },
        "source": { "type": "object", "description": "Who published it: `{type, id}`.", "properties": { "type": { "enum": ["hub", "instance", "member"] }, "id": { "type": "string" } }, "required": ["type"] },
        "causedBy": { "type": "string", "description": "The command that caused it." },
        "effects": { "type": "array", "items": reference("Effect"), "description": "What it does to entities." },
    });
    for (key, value) in own.as_object().into_iter().flatten() {
        properties[key] = value.clone();
    }
    json!({
        "type": "object", "properties": properties,
        "required": ["seq", "prev", "id", "at", "scope", "kind", "source", "effects", "data"],
    })
}

/// One named definition per command: the request frame with its `kind` and data.
fn commands(payloads: &Payloads, defs: &mut Defs) {
    let mut all = Vec::new();
    for row in catalogue::COMMANDS {
        let payload = payloads.get(row.name).map_or("", String::as_str);
        let name = format!("{payload}Command");
        defs.insert(
            name.clone(),
            json!({ "type": "object", "required": ["kind", "data"], "properties": {
            "kind": { "const": row.name }, "data": reference(payload),
        } }),
        );
        all.push(reference(&name));
    }
    defs.insert(
        "CommandRequest".to_owned(),
        json!({
            "type": "object", "required": ["kind"], "discriminator": { "propertyName": "kind" }, "oneOf": all,
            "description": "What a person may ask for: the `kind` and `data` of a command frame.",
        }),
    );
}

/// One definition per entity type: everything its kinds may write, required what its first event must write.
fn entities(payloads: &Payloads, defs: &mut Defs) {
    for row in catalogue::ENTITIES {
        let mut properties = Map::new();
        let mut required: Option<Vec<Value>> = None;
        for kind in catalogue::KINDS.iter().filter(|kind| kind.entity_type == row.name) {
            let Some(def) = payloads.get(kind.name).and_then(|name| defs.get(name)) else { continue };
            for (key, value) in def["properties"].as_object().into_iter().flatten() {
                properties.entry(key.clone()).or_insert_with(|| without_null(value));
            }
            if kind.class.effect(false).is_some() {
                let own = def["required"].as_array().cloned().unwrap_or_default();
                required =
                    Some(required.map_or(own.clone(), |all| {
                        all.into_iter().filter(|key| own.contains(key)).collect()
                    }));
            }
        }
        let name = format!("{}Entity", pascal(row.name));
        defs.insert(
            name,
            json!({
                "type": "object", "properties": properties, "required": required.unwrap_or_default(),
                "description": format!("An entity of type `{}`. Its id is its key.", row.name),
            }),
        );
    }
}

/// An entity has no `null` members: a merge with `null` removes the member.
fn without_null(schema: &Value) -> Value {
    let mut schema = schema.clone();
    crate::schema::normalise::strip_null(&mut schema);
    schema
}
