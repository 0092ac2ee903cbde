//! The rows themselves.

use super::{
    Class, CommandRow, EntityRow, Executor, KindRow, Offline, Publisher, Role, Safety, ScopeRule, SignalRow,
    Window,
};
use crate::frame::Lane;

const fn kind(
    name: &'static str,
    entity_type: &'static str,
    class: Class,
    publisher: Publisher,
    revives: bool,
) -> KindRow {
    KindRow { name, entity_type, class, publisher, revives, since: "0.1.0" }
}

/// Every durable kind.
pub const KINDS: &[KindRow] = &[
    kind("instance.connected", "instance", Class::Upsert, Publisher::Hub, true),
    kind("instance.disconnected", "instance", Class::Upsert, Publisher::Hub, true),
    kind("instance.updated", "instance", Class::Upsert, Publisher::Both, true),
    kind("instance.gap", "instance", Class::Upsert, Publisher::Hub, true),
    kind("agent.upserted", "agent", Class::Upsert, Publisher::Instance, true),
    kind("agent.statusChanged", "agent", Class::Update, Publisher::Instance, false),
    kind("agent.removed", "agent", Class::Remove, Publisher::Instance, false),
    kind("session.upserted", "session", Class::Upsert, Publisher::Instance, true),
    kind("session.ended", "session", Class::Update, Publisher::Instance, false),
    kind("session.compacted", "session", Class::Update, Publisher::Instance, false),
    kind("conversation.upserted", "conversation", Class::Upsert, Publisher::Instance, true),
    kind("conversation.updated", "conversation", Class::Update, Publisher::Both, true),
    kind("message.created", "message", Class::Create, Publisher::Both, false),
    kind("message.deliveryChanged", "message", Class::Update, Publisher::Both, false),
    kind("message.edited", "message", Class::Update, Publisher::Instance, false),
    kind("message.removed", "message", Class::Remove, Publisher::Instance, false),
    kind("run.started", "run", Class::Create, Publisher::Instance, false),
    kind("run.completed", "run", Class::Update, Publisher::Instance, false),
    kind("run.failed", "run", Class::Update, Publisher::Instance, false),
    kind("run.aborted", "run", Class::Update, Publisher::Instance, false),
    kind("command.updated", "command", Class::Upsert, Publisher::Both, false),
    kind("member.joined", "member", Class::Upsert, Publisher::Hub, true),
    kind("member.updated", "member", Class::Update, Publisher::Hub, false),
    kind("member.removed", "member", Class::Remove, Publisher::Hub, false),
];

const fn entity(
    name: &'static str,
    scope: ScopeRule,
    lane: Lane,
    order_key: &'static str,
    rows: u64,
) -> EntityRow {
    EntityRow { name, scope, lane, order_key, window: Window { rows, open_rows: 0 }, cut: None }
}

/// Every entity type.
pub const ENTITIES: &[EntityRow] = &[
    entity("instance", ScopeRule::Org, Lane::Main, "connectedAt", 500),
    entity("agent", ScopeRule::Org, Lane::Main, "name", 500),
    entity("session", ScopeRule::Org, Lane::Bulk, "lastActivityAt", 200),
    entity("conversation", ScopeRule::Org, Lane::Main, "lastMessage.sentAt", 200),
    EntityRow { cut: Some("text"), ..entity("message", ScopeRule::Conversation, Lane::Main, "sentAt", 50) },
    entity("run", ScopeRule::Conversation, Lane::Main, "startedAt", 50),
    EntityRow {
        window: Window { rows: 100, open_rows: 256 },
        ..entity("command", ScopeRule::Org, Lane::Main, "issuedAt", 100)
    },
    entity("member", ScopeRule::Org, Lane::Main, "joinedAt", 500),
];

const HOUR_MS: u64 = 3_600_000;

/// Every command.
pub const COMMANDS: &[CommandRow] = &[
    CommandRow {
        name: "message.send",
        executor: Executor::Instance,
        safety: Safety::Replayable,
        offline: Offline::Queue { ttl_ms: 48 * HOUR_MS },
        offline_queueable: true,
        role: Role::Member,
        since: "0.1.0",
    },
    CommandRow {
        name: "run.abort",
        executor: Executor::Instance,
        safety: Safety::Replayable,
        offline: Offline::Refuse,
        offline_queueable: false,
        role: Role::Member,
        since: "0.1.0",
    },
    CommandRow {
        name: "command.cancel",
        executor: Executor::Hub,
        safety: Safety::Replayable,
        offline: Offline::Queue { ttl_ms: HOUR_MS },
        offline_queueable: true,
        role: Role::Member,
        since: "0.1.0",
    },
];

const fn signal(name: &'static str, scope: ScopeRule) -> SignalRow {
    SignalRow { name, scope, publisher: Publisher::Instance, since: "0.1.0" }
}

/// Every ephemeral kind.
pub const SIGNALS: &[SignalRow] = &[
    signal("message.delta", ScopeRule::Conversation),
    signal("run.progress", ScopeRule::Conversation),
    signal("instance.heartbeat", ScopeRule::Org),
];
