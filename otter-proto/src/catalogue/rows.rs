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
    kind("instance.removed", "instance", Class::Remove, Publisher::Hub, false),
    kind("agent.upserted", "agent", Class::Upsert, Publisher::Instance, true),
    kind("agent.statusChanged", "agent", Class::Update, Publisher::Instance, false),
    kind("agent.removed", "agent", Class::Remove, Publisher::Both, false),
    kind("session.upserted", "session", Class::Upsert, Publisher::Instance, true),
    kind("session.ended", "session", Class::Update, Publisher::Both, false),
    kind("session.compacted", "session", Class::Update, Publisher::Instance, false),
    kind("conversation.upserted", "conversation", Class::Upsert, Publisher::Instance, true),
    kind("conversation.updated", "conversation", Class::Update, Publisher::Both, true),
    kind("message.created", "message", Class::Create, Publisher::Both, false),
    kind("message.deliveryChanged", "message", Class::Update, Publisher::Both, false),
    kind("message.edited", "message", Class::Update, Publisher::Instance, false),
    kind("message.removed", "message", Class::Remove, Publisher::Instance, false),
    kind("run.started", "run", Class::Create, Publisher::Instance, false),
    kind("run.completed", "run", Class::Update, Publisher::Instance, false),
    kind("run.failed", "run", Class::Update, Publisher::Both, false),
    kind("run.aborted", "run", Class::Update, Publisher::Instance, false),
    kind("step.recorded", "step", Class::Create, Publisher::Instance, false),
    kind("task.upserted", "task", Class::Upsert, Publisher::Both, true),
    kind("task.dispatched", "task", Class::Update, Publisher::Hub, true),
    kind("task.removed", "task", Class::Remove, Publisher::Both, false),
    kind("approval.requested", "approval", Class::Create, Publisher::Instance, false),
    kind("approval.decided", "approval", Class::Update, Publisher::Hub, false),
    kind("approval.resolved", "approval", Class::Update, Publisher::Instance, false),
    kind("approval.expired", "approval", Class::Update, Publisher::Both, false),
    kind("approval.reopened", "approval", Class::Update, Publisher::Hub, false),
    kind("feed.itemAdded", "feedItem", Class::Create, Publisher::Instance, false),
    kind("feed.itemUpdated", "feedItem", Class::Update, Publisher::Both, false),
    kind("feed.itemRemoved", "feedItem", Class::Remove, Publisher::Instance, false),
    kind("mark.updated", "mark", Class::Upsert, Publisher::Hub, true),
    kind("activity.recorded", "activity", Class::Create, Publisher::Instance, false),
    kind("repo.pushed", "repo", Class::Create, Publisher::Instance, false),
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
    window: Window,
) -> EntityRow {
    EntityRow { name, scope, lane, order_key, window, cut: None }
}

/// The newest `rows`, at most `kib` KiB.
const fn newest(rows: u64, kib: u64) -> Window {
    Window { rows, bytes: kib << 10, open_rows: 0, open_bytes: 0 }
}

impl Window {
    /// Besides, open rows, at most `kib` KiB.
    const fn and_open(self, rows: u64, kib: u64) -> Self {
        Self { open_rows: rows, open_bytes: kib << 10, ..self }
    }
}

/// Every entity type. The bytes are many times what such rows have in practice.
pub const ENTITIES: &[EntityRow] = &[
    entity("instance", ScopeRule::Org, Lane::Main, "connectedAt", newest(500, 256)),
    entity("agent", ScopeRule::Org, Lane::Main, "name", newest(500, 256)),
    entity("session", ScopeRule::Org, Lane::Bulk, "lastActivityAt", newest(200, 256)),
    entity("conversation", ScopeRule::Org, Lane::Main, "lastMessage.sentAt", newest(200, 384)),
    EntityRow {
        cut: Some("text"),
        ..entity("message", ScopeRule::Conversation, Lane::Main, "sentAt", newest(50, 1_024))
    },
    entity("run", ScopeRule::Conversation, Lane::Main, "startedAt", newest(50, 1_024)),
    entity("step", ScopeRule::Conversation, Lane::Main, "startedAt", newest(200, 1_024)),
    entity("task", ScopeRule::Org, Lane::Main, "createdAt", newest(100, 128).and_open(1_000, 512)),
    entity("approval", ScopeRule::Org, Lane::Main, "requestedAt", newest(50, 64).and_open(500, 256)),
    entity("feedItem", ScopeRule::Org, Lane::Bulk, "occurredAt", newest(200, 512)),
    // Marks of conversations count as open: feed items read by the hundred do not push them out.
    entity("mark", ScopeRule::Member, Lane::Main, "readAt", newest(400, 512).and_open(2_000, 512)),
    entity("activity", ScopeRule::Org, Lane::Bulk, "occurredAt", newest(200, 128)),
    entity("repo", ScopeRule::Org, Lane::Bulk, "pushedAt", newest(200, 128)),
    EntityRow {
        cut: Some("result"),
        ..entity("command", ScopeRule::Org, Lane::Main, "issuedAt", newest(100, 128).and_open(256, 128))
    },
    entity("member", ScopeRule::Org, Lane::Main, "joinedAt", newest(500, 128)),
];

const HOUR_MS: u64 = 3_600_000;

const MINUTE_MS: u64 = 60_000;

/// A command that the hub carries out in the transaction that accepts it.
const fn by_hub(name: &'static str) -> CommandRow {
    CommandRow {
        name,
        executor: Executor::Hub,
        safety: Safety::Replayable,
        offline: Offline::Queue { ttl_ms: HOUR_MS },
        offline_queueable: true,
        role: Role::Member,
        since: "0.1.0",
    }
}

/// A command that an instance carries out, while it is connected.
pub(super) const fn by_instance(name: &'static str, safety: Safety) -> CommandRow {
    CommandRow {
        name,
        executor: Executor::Instance,
        safety,
        offline: Offline::Refuse,
        offline_queueable: false,
        role: Role::Member,
        since: "0.1.0",
    }
}

/// Every command.
pub const COMMANDS: &[CommandRow] = &[
    CommandRow {
        offline: Offline::Queue { ttl_ms: 48 * HOUR_MS },
        offline_queueable: true,
        ..by_instance("message.send", Safety::Replayable)
    },
    by_instance("run.abort", Safety::Replayable),
    by_instance("session.reset", Safety::Once),
    // A bridge that is away for a moment still finds the answer; the gateway itself waits half an hour.
    CommandRow {
        offline: Offline::Queue { ttl_ms: 30 * MINUTE_MS },
        ..by_instance("approval.decide", Safety::Replayable)
    },
    by_hub("task.create"),
    by_hub("task.update"),
    CommandRow {
        offline: Offline::Queue { ttl_ms: 48 * HOUR_MS },
        offline_queueable: true,
        ..by_instance("task.dispatch", Safety::Replayable)
    },
    // What a person has read is their own: viewers too.
    CommandRow { role: Role::Viewer, ..by_hub("feed.markRead") },
    by_hub("feed.archive"),
    by_hub("conversation.update"),
    CommandRow { role: Role::Viewer, ..by_hub("conversation.markRead") },
    by_instance("agent.ping", Safety::Replayable),
    by_hub("command.cancel"),
    // What cannot be undone is not done later by a browser that comes back.
    CommandRow { role: Role::Admin, offline_queueable: false, ..by_hub("instance.remove") },
];

const fn signal(name: &'static str, scope: ScopeRule, publisher: Publisher) -> SignalRow {
    SignalRow { name, scope, publisher, role: None, since: "0.1.0" }
}

/// Every ephemeral kind.
pub const SIGNALS: &[SignalRow] = &[
    signal("message.delta", ScopeRule::Conversation, Publisher::Instance),
    signal("run.progress", ScopeRule::Conversation, Publisher::Instance),
    // Who cannot send what they write does not write.
    SignalRow { role: Some(Role::Member), ..signal("typing", ScopeRule::Conversation, Publisher::Member) },
    signal("presence", ScopeRule::Org, Publisher::Hub),
    signal("instance.heartbeat", ScopeRule::Org, Publisher::Instance),
];
