//! `catalogue.json`: what dispatch tables and documentation of other languages are made from.

use serde_json::{Map, Value, json};

use crate::catalogue::{
    COMMANDS, Class, CommandRow, ENTITIES, EntityRow, Executor, KINDS, KindRow, Offline, Publisher, Role,
    SIGNALS, Safety, ScopeRule, SignalRow, VENDOR_COMMAND, VENDOR_ENTITY, VENDOR_WINDOW, Window, deprecation,
    entity, stability,
};
use crate::effect::EffectOp;
use crate::error::{CloseAction, CloseCode, ErrorCode};
use crate::frame::{ClientFrame, HubFrame};
use crate::kind::payloads::with_payloads;
use crate::limits;
use crate::limits::Limits;
use crate::wire::Wire as _;

/// The whole catalogue.
pub(super) fn catalogue() -> Value {
    json!({
        "version": limits::PROTOCOL,
        "subprotocol": limits::SUBPROTOCOL,
        "kinds": KINDS.iter().map(kind).collect::<Vec<_>>(),
        "entities": ENTITIES.iter().map(entity_type).collect::<Vec<_>>(),
        "commands": COMMANDS.iter().map(command).collect::<Vec<_>>(),
        "vendor": vendor(),
        "signals": SIGNALS.iter().map(signal).collect::<Vec<_>>(),
        "frames": frames(),
        "errorCodes": ErrorCode::ALL.iter().filter(|code| **code != ErrorCode::Other).map(|code| code.as_str()).collect::<Vec<_>>(),
        "closeCodes": close_codes(),
        "closeRanges": close_ranges(),
        "limits": all_limits(),
    })
}

macro_rules! payload_names {
    ($($group:ident: { $($name:literal => $ty:ident,)* })*) => {
        /// The definition of the payload of a kind, command or signal.
        fn payload(name: &str) -> &'static str {
            match name { $($($name => stringify!($ty),)*)* _ => "VendorCommand" }
        }
    };
}

with_payloads!(payload_names);

fn definition(name: &str, suffix: &str) -> String {
    format!("#/$defs/{}{suffix}", payload(name))
}

/// The rule for what has no rows: names that integrators make.
fn vendor() -> Value {
    json!({
        "names": "^x\\.[a-z][a-z0-9-]{0,31}(\\.[a-z][A-Za-z0-9]*)+$", "nameBytes": 100,
        "kind": {
            "publishers": ["instance"], "scopes": ["org", "conversation"], "lane": VENDOR_ENTITY.lane.as_str(),
            "effects": limits::MAX_VENDOR_EFFECTS, "bytes": limits::VENDOR_EVENT_BYTES,
        },
        "entity": {
            "orderKey": VENDOR_ENTITY.order_key, "window": window(&VENDOR_ENTITY.window),
            "sharedWindow": window(&VENDOR_WINDOW),
        },
        "command": command(&VENDOR_COMMAND), "commandBytes": limits::VENDOR_COMMAND_BYTES,
    })
}

/// What every row says about how long it stays.
fn with_life(mut row: Value, name: &str, since: &str) -> Value {
    let gone = deprecation(name);
    row["since"] = json!(since);
    row["stability"] = json!(stability(name).as_str());
    row["deprecated"] = json!(gone.map(|gone| json!({ "since": gone.since, "instead": gone.instead })));
    row
}

fn kind(row: &KindRow) -> Value {
    let home = entity(row.entity_type);
    let (first, next) = (row.class.effect(false), row.class.effect(true));
    let json = json!({
        "kind": row.name, "entity": row.entity_type, "class": class(row.class),
        "effects": { "absent": first.map(EffectOp::as_str), "present": next.map(EffectOp::as_str) },
        "publishers": publishers(row.publisher), "scope": home.map(|home| scope(home.scope)),
        "lane": home.map(|home| home.lane.as_str()), "orderKey": home.map(|home| home.order_key),
        "window": home.map(|home| window(&home.window)), "revives": row.revives,
        "payload": definition(row.name, ""), "event": definition(row.name, "Event"),
    });
    with_life(json, row.name, row.since)
}

fn entity_type(row: &EntityRow) -> Value {
    let pascal = super::bundle::pascal(row.name);
    let bytes = match row.scope {
        ScopeRule::Conversation => limits::ENTITY_BYTES_CONVERSATION,
        ScopeRule::Org | ScopeRule::Member => limits::ENTITY_BYTES,
    };
    let json = json!({
        "entity": row.name, "scope": scope(row.scope), "lane": row.lane.as_str(), "orderKey": row.order_key,
        "window": window(&row.window), "cut": row.cut, "bytes": bytes, "value": format!("#/$defs/{pascal}Entity"),
        "row": format!("#/$defs/{pascal}Row"),
    });
    with_life(json, row.name, "0.1.0")
}

fn window(window: &Window) -> Value {
    json!({
        "rows": window.rows, "bytes": window.bytes, "openRows": window.open_rows, "openBytes": window.open_bytes,
    })
}

fn command(row: &CommandRow) -> Value {
    let (offline, ttl) = match row.offline {
        Offline::Refuse => ("refuse", None),
        Offline::Queue { ttl_ms } => ("queue", Some(ttl_ms)),
    };
    let json = json!({
        "command": row.name,
        "executor": match row.executor { Executor::Hub => "hub", Executor::Instance => "instance" },
        "class": match row.safety { Safety::Replayable => "replayable", Safety::Once => "once" },
        "offline": offline, "ttlMs": ttl, "offlineQueueable": row.offline_queueable, "role": row.role.as_str(),
        "payload": definition(row.name, ""),
        "request": crate::catalogue::command(row.name).map(|_| definition(row.name, "Command")),
    });
    with_life(json, row.name, row.since)
}

fn signal(row: &SignalRow) -> Value {
    let json = json!({
        "signal": row.name, "scope": scope(row.scope), "publishers": publishers(row.publisher),
        "role": row.role.map(Role::as_str), "payload": definition(row.name, ""), "notice": definition(row.name, "Signal"),
    });
    with_life(json, row.name, row.since)
}

const fn scope(rule: ScopeRule) -> &'static str {
    match rule {
        ScopeRule::Org => "org",
        ScopeRule::Conversation => "conversation",
        ScopeRule::Member => "member",
    }
}

const fn publishers(publisher: Publisher) -> &'static [&'static str] {
    match publisher {
        Publisher::Hub => &["hub"],
        Publisher::Instance => &["instance"],
        Publisher::Both => &["hub", "instance"],
        Publisher::Member => &["member"],
    }
}

const fn class(class: Class) -> &'static str {
    match class {
        Class::Create => "create",
        Class::Upsert => "upsert",
        Class::Update => "update",
        Class::Remove => "remove",
    }
}

fn frames() -> Vec<Value> {
    let of = |from: &'static str, types: &'static [&'static str]| {
        types.iter().map(move |word| {
            let schema = match (from, *word) {
                ("hub", "command") => "CommandDispatchFrame".to_owned(),
                ("hub", "bye") => "HubByeFrame".to_owned(),
                (_, word) => format!("{}Frame", super::bundle::pascal(word)),
            };
            json!({ "frame": word, "from": from, "schema": format!("#/$defs/{schema}"), "since": "0.1.0", "capability": null })
        })
    };
    of("client", ClientFrame::TYPES).chain(of("hub", HubFrame::TYPES)).collect()
}

const fn action(action: CloseAction) -> &'static str {
    match action {
        CloseAction::Resume => "resume",
        CloseAction::BackOff => "backOff",
        CloseAction::FixCredential => "fixCredential",
        CloseAction::StartOver => "startOver",
        CloseAction::Terminal => "stop",
    }
}

fn close_codes() -> Vec<Value> {
    CloseCode::ALL
        .iter()
        .map(|(code, words)| {
            let number = code.number();
            json!({ "code": number, "meaning": words, "action": action(CloseAction::of(number)) })
        })
        .collect()
}

fn close_ranges() -> Vec<Value> {
    [(4000, 4099), (4100, 4199), (4200, 4299), (4300, 4399), (4500, 4599), (1009, 1009), (1013, 1013)]
        .into_iter()
        .map(|(from, to)| json!({ "from": from, "to": to, "action": action(CloseAction::of(from)) }))
        .collect()
}

fn all_limits() -> Value {
    let mut announced = String::new();
    Limits::V1.write(&mut announced);
    let announced: Map<String, Value> = serde_json::from_str(&announced).unwrap_or_default();
    json!({
        "announced": announced,
        "dataFrameBytes": limits::DATA_FRAME_BYTES, "entityBytes": limits::ENTITY_BYTES,
        "entityBytesConversation": limits::ENTITY_BYTES_CONVERSATION, "textHeadBytes": limits::TEXT_HEAD_BYTES,
        "ackBytes": limits::ACK_BYTES, "ackMs": limits::ACK_MS, "helloTimeoutMs": limits::HELLO_TIMEOUT_MS,
        "helloBytes": limits::HELLO_BYTES, "heartbeatMs": limits::HEARTBEAT_MS, "rejected": limits::MAX_REJECTED,
        "boots": limits::MAX_BOOTS, "pageRows": limits::MAX_PAGE_ROWS, "fetches": limits::MAX_FETCHES,
        "openCommands": limits::MAX_OPEN_COMMANDS, "slots": limits::MAX_SLOTS, "slotBytes": limits::SLOT_BYTES,
        "depth": crate::text::MAX_DEPTH, "keyBytes": crate::text::MAX_KEY_LEN, "idBytes": crate::id::MAX_ID_LEN,
        "integer": crate::text::MAX_INTEGER,
    })
}
