//! The frames: each with its `type`, and the unions of both directions.

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Value, json};

use super::{Defs, reference};
use crate::{error, event, frame};

/// A frame: the struct it is made from, the frame's definition, its `type`.
struct Frame(&'static str, &'static str, &'static str);

const CLIENT: &[Frame] = &[
    Frame("Hello", "HelloFrame", "hello"),
    Frame("Subscribe", "SubscribeFrame", "subscribe"),
    Frame("Unsubscribe", "UnsubscribeFrame", "unsubscribe"),
    Frame("Publish", "PublishFrame", "publish"),
    Frame("Signal", "SignalFrame", "signal"),
    Frame("Command", "CommandFrame", "command"),
    Frame("Fetch", "FetchFrame", "fetch"),
    Frame("Ack", "AckFrame", "ack"),
    Frame("Pong", "PongFrame", "pong"),
    Frame("Probe", "ProbeFrame", "probe"),
    Frame("Bye", "ByeFrame", "bye"),
];

const HUB: &[Frame] = &[
    Frame("Welcome", "WelcomeFrame", "welcome"),
    Frame("Refuse", "RefuseFrame", "refuse"),
    Frame("Subscribed", "SubscribedFrame", "subscribed"),
    Frame("SnapshotPage", "SnapshotFrame", "snapshot"),
    Frame("Events", "EventsFrame", "events"),
    Frame("Page", "PageFrame", "page"),
    Frame("Signal", "SignalFrame", "signal"),
    Frame("Published", "PublishedFrame", "published"),
    Frame("CommandDispatch", "CommandDispatchFrame", "command"),
    Frame("Reply", "ReplyFrame", "reply"),
    Frame("Resync", "ResyncFrame", "resync"),
    Frame("Ping", "PingFrame", "ping"),
    Frame("Probed", "ProbedFrame", "probed"),
    Frame("Notice", "ErrorFrame", "error"),
    Frame("Drain", "DrainFrame", "drain"),
    Frame("HubBye", "HubByeFrame", "bye"),
];

/// Definitions that are parts of frames: `null` never stands for an absent member there.
const PARTS: &[&str] = &[
    "Accepted",
    "ClientInfo",
    "ErrorBody",
    "LaneCursor",
    "Lanes",
    "Limits",
    "NewEvent",
    "PageKey",
    "Principal",
    "Rejection",
    "ServerInfo",
    "VersionRange",
];

/// Whether a definition is a frame or a part of one.
pub(super) fn is_frame_part(def: &str) -> bool {
    PARTS.contains(&def) || CLIENT.iter().chain(HUB).any(|frame| frame.0 == def)
}

/// Makes the definitions of the structs.
pub(super) fn generate(generator: &mut SchemaGenerator) {
    fn each<T: JsonSchema>(generator: &mut SchemaGenerator) {
        generator.subschema_for::<T>();
    }
    macro_rules! all { ($($ty:ty,)*) => { $(each::<$ty>(generator);)* }; }
    all! {
        frame::Hello, frame::Subscribe, frame::Unsubscribe, frame::Publish, frame::Signal, frame::Command,
        frame::Fetch, frame::Ack, frame::Pong, frame::Probe, frame::Bye, frame::Welcome, frame::Refuse,
        frame::Subscribed, frame::Published, frame::CommandDispatch, frame::Reply, frame::Resync, frame::Ping,
        frame::Probed, frame::Notice, frame::Drain, frame::HubBye, event::NewEvent, error::ErrorBody,
    }
}

/// Turns the structs into frames with a `type` and adds the unions.
pub(super) fn add(defs: &mut Defs) {
    defs.insert("Events".to_owned(), events());
    defs.insert("SnapshotPage".to_owned(), snapshot());
    defs.insert("Page".to_owned(), page());
    say_what_is_inside(defs);
    for Frame(def, name, word) in CLIENT.iter().chain(HUB) {
        if let Some(mut frame) = defs.get(*def).cloned() {
            frame["properties"]["type"] = json!({ "const": word, "description": "Which frame this is." });
            let mut required = vec![json!("type")];
            required.extend(frame["required"].as_array().cloned().unwrap_or_default());
            frame["required"] = json!(required);
            defs.insert((*name).to_owned(), frame);
        }
    }
    let kept = defs.remove("Subscribe");
    for Frame(def, ..) in CLIENT.iter().chain(HUB) {
        defs.remove(*def);
    }
    defs.extend(kept.map(|def| ("Subscription".to_owned(), def)));
    defs.insert("ClientFrame".to_owned(), union(CLIENT, "A frame from a client to the hub."));
    defs.insert("HubFrame".to_owned(), union(HUB, "A frame from the hub to a client."));
}

/// What the structs hold as text of somebody else.
fn say_what_is_inside(defs: &mut Defs) {
    let object = |words: &str| json!({ "type": "object", "description": words });
    let inner: [(&str, &str, Value); 8] = [
        (
            "Hello",
            "subscribe",
            json!({ "type": "array", "items": reference("Subscription"), "description": "Scopes to subscribe at once." }),
        ),
        (
            "Publish",
            "events",
            json!({ "type": "array", "items": reference("NewEvent"), "description": "The events." }),
        ),
        ("Signal", "data", object("What the kind carries: see the definition of the signal.")),
        ("Command", "data", object("What the kind carries: see the definition of the command.")),
        ("CommandDispatch", "data", object("What the kind carries: see the definition of the command.")),
        ("CommandDispatch", "by", json!({ "$ref": "#/$defs/Author", "description": "Who asked." })),
        (
            "CommandDispatch",
            "address",
            json!({ "$ref": "#/$defs/Address", "description": "The address of the conversation, when there is one." }),
        ),
        (
            "NewEvent",
            "data",
            object(
                "The payload of the kind: see the definition of the event. Free of duplicate keys; keys are 1 to 64 printable ASCII characters without quote and backslash.",
            ),
        ),
    ];
    for (def, member, value) in inner {
        if let Some(def) = defs.get_mut(def) {
            def["properties"][member] = value;
        }
    }
    for (def, optional) in [("NewEvent", "effects"), ("CommandDispatch", "address")] {
        if let Some(Value::Array(required)) = defs.get_mut(def).and_then(|def| def.get_mut("required")) {
            required.retain(|member| member != optional);
        }
    }
    if let Some(def) = defs.get_mut("NewEvent") {
        def["properties"]["effects"] = json!({
            "type": "array", "items": reference("Effect"),
            "description": "Integrators' kinds (`x.*`) only: what it does to their entities.",
        });
    }
    if let Some(def) = defs.get_mut("Subscribe") {
        def["properties"]["type"] = json!({ "const": "subscribe", "description": "May stand here, too." });
    }
}

fn union(frames: &[Frame], words: &str) -> Value {
    let all: Vec<Value> = frames.iter().map(|frame| reference(frame.1)).collect();
    json!({
        "type": "object", "required": ["type"], "discriminator": { "propertyName": "type" }, "oneOf": all, "description": words,
        "properties": { "type": { "type": "string", "maxLength": 64, "description": "Which frame this is." } },
    })
}

fn scope() -> Value {
    json!({ "type": "string", "description": "`org`, `conversation/<id>` or `member/<id>`." })
}

fn epoch(words: &str) -> Value {
    json!({ "type": "string", "maxLength": 200, "description": words })
}

fn seq(words: &str) -> Value {
    json!({ "type": "integer", "minimum": 0, "maximum": crate::text::MAX_INTEGER, "description": words })
}

fn hash(words: &str) -> Value {
    json!({ "type": "string", "minLength": 16, "maxLength": 16, "pattern": "^[0-9a-f]{16}$", "description": words })
}

fn rows(of: &str, words: &str) -> Value {
    json!({ "type": "array", "items": reference(of), "description": words })
}

fn events() -> Value {
    json!({
        "type": "object",
        "description": "Consecutive events of one scope. The frame has at most 256 KiB.",
        "properties": {
            "scope": scope(),
            "epoch": epoch("The epoch of the events' seq."),
            "events": rows("RecordedEvent", "In order of seq."),
            "hash": hash("The state hash after the last event; absent on pages read from the log."),
        },
        "required": ["scope", "epoch", "events"],
    })
}

fn page() -> Value {
    json!({
        "type": "object",
        "description": "Answer to `fetch`: rows of a type from new to old, or one row with a part of its text. The frame has at most 256 KiB.",
        "properties": {
            "id": seq("The number of the fetch."),
            "rows": rows("SnapshotRow", "From new to old, live or not."),
            "next": { "$ref": "#/$defs/PageKey", "description": "What the next `fetch` says as `before`; absent when there is no older row, or no more of the text." },
            "asOf": seq("The scope's head when the page was read: not before any event sent earlier. Absent with an error."),
            "full": {
                "type": "object", "additionalProperties": { "type": "string", "description": "The text from there on." },
                "description": "With one fetched entity: of the text that its value shows only the head of, the part from `before` on, by member. Parts are appended in order.",
            },
            "error": { "$ref": "#/$defs/ErrorBody", "description": "Why there is no page; nothing else is there then." },
        },
        "required": ["id"],
    })
}

fn snapshot() -> Value {
    json!({
        "type": "object",
        "description": "A page of the live entities of a scope, ordered by key. The frame has at most 256 KiB.",
        "properties": {
            "scope": scope(),
            "epoch": epoch("The epoch of asOf and of the revs."),
            "entities": rows("SnapshotRow", "The entities of this page."),
            "asOf": seq("Every event of the scope up to here is contained; on the last page, the lowest over all pages."),
            "head": seq("On the last page: the scope's head when it was read."),
            "hash": hash("On the last page: the state hash at `head`, when the hub knows it."),
        },
        "required": ["scope", "epoch", "entities", "asOf"],
    })
}
