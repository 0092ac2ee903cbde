//! `catalogue.json`: what dispatch tables and documentation of other languages are made from.

use serde_json::{Value, json};

use crate::catalogue::{
    COMMANDS, Class, ENTITIES, Executor, KINDS, Offline, Publisher, Role, SIGNALS, Safety, ScopeRule, entity,
};

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

/// The whole catalogue.
pub(super) fn catalogue() -> Value {
    let kinds: Vec<Value> = KINDS
        .iter()
        .map(|row| {
            let home = entity(row.entity_type);
            json!({
                "kind": row.name, "entity": row.entity_type, "class": class(row.class), "publishers": publishers(row.publisher),
                "scope": home.map(|home| scope(home.scope)), "lane": home.map(|home| home.lane.as_str()), "revives": row.revives, "since": row.since,
            })
        })
        .collect();
    let entities: Vec<Value> = ENTITIES
        .iter()
        .map(|row| {
            json!({
                "entity": row.name, "scope": scope(row.scope), "lane": row.lane.as_str(), "orderKey": row.order_key,
                "window": { "rows": row.window.rows, "openRows": row.window.open_rows, "bytes": 1 << 20 }, "cut": row.cut,
            })
        })
        .collect();
    let commands: Vec<Value> = COMMANDS
        .iter()
        .map(|row| {
            let (offline, ttl) = match row.offline {
                Offline::Refuse => ("refuse", None),
                Offline::Queue { ttl_ms } => ("queue", Some(ttl_ms)),
            };
            json!({
                "command": row.name, "executor": match row.executor { Executor::Hub => "hub", Executor::Instance => "instance" },
                "class": match row.safety { Safety::Replayable => "replayable", Safety::Once => "once" },
                "offline": offline, "ttlMs": ttl, "offlineQueueable": row.offline_queueable, "role": row.role.as_str(), "since": row.since,
            })
        })
        .collect();
    let signals: Vec<Value> =
        SIGNALS.iter().map(|row| json!({ "signal": row.name, "scope": scope(row.scope), "publishers": publishers(row.publisher), "role": row.role.map(Role::as_str), "since": row.since })).collect();
    json!({ "version": 1, "kinds": kinds, "entities": entities, "commands": commands, "signals": signals })
}
