//! Frames from the hub to a client.

use crate::error::ErrorBody;
use crate::frame::client::VersionRange;
use crate::frame::data::{Events, Page, SnapshotPage};
use crate::frame::{Lane, Signal, frames};
use crate::id::{CommandId, Epoch, EventId, OrgId, Scope};
use crate::limits::Limits;
use crate::time::UnixMillis;
use crate::wire::{Json, Positions, Wire, wire, words};

frames! {
    /// A frame from the hub to a client. Data frames borrow from the received text. A build without the feature `serde` does
    /// not know the frames that only instances get.
    #[allow(clippy::large_enum_variant)] // one per connection lives for a moment; boxing would cost every reader
    pub enum HubFrame<'a> {
        /// The connection is established.
        Welcome(Welcome) = "welcome",
        /// The connection is refused; a close follows.
        Refuse(Refuse) = "refuse",
        /// Answer to `subscribe`.
        Subscribed(Subscribed) = "subscribed",
        /// A page of the live entities of a scope.
        Snapshot(SnapshotPage<'a>) = "snapshot",
        /// Events of a scope, in order.
        Events(Events<'a>) = "events",
        /// Answer to `fetch`.
        Page(Page<'a>) = "page",
        /// An ephemeral notice.
        Signal(Signal) = "signal",
        /// Answer to `publish`.
        Published(Published) = "published" in "serde",
        /// A command for this instance.
        Command(CommandDispatch) = "command" in "serde",
        /// Answer to `command`.
        Reply(Reply) = "reply",
        /// The subscription ended because continuity cannot be proven.
        Resync(Resync) = "resync",
        /// Heartbeat.
        Ping(Ping) = "ping",
        /// Answer to `probe`.
        Probed(Probed) = "probed",
        /// A frame of the client was refused; the connection goes on.
        Error(Notice) = "error",
        /// The hub will go away.
        Drain(Drain) = "drain",
        /// A close follows.
        Bye(HubBye) = "bye",
    }
}

words! {
    /// Who holds a credential.
    pub enum PrincipalType {
        /// A person.
        Member = "member",
        /// An OpenClaw installation.
        Instance = "instance",
    }

    /// How a subscription starts.
    pub enum SubscribedMode {
        /// From the position the client named; events after it follow.
        Resumed = "resumed",
        /// From a snapshot, which follows in pages.
        Snapshot = "snapshot",
        /// Not at all; `reason` says why.
        Denied = "denied",
    }
}

wire! {
    /// The program at the other end.
    pub struct ServerInfo {
        /// `otter-server`.
        name "name": String,
        /// Its version.
        version "version": String,
    }

    /// Who this connection is, as the credential says.
    pub struct Principal {
        /// A person or an instance.
        principal_type "type": PrincipalType,
        /// The member's or instance's id.
        id "id": String,
        /// The org everything on this connection belongs to.
        org "org": OrgId,
        /// A display name.
        name "name": Option<String>,
        /// `owner`, `admin`, `member` or `viewer`; members only.
        role "role": Option<String>,
    }

    /// An event that was refused for good.
    pub struct Rejection {
        /// Its number in the lane.
        n "n": u64,
        /// Its id, when it could be read.
        id "id": Option<EventId>,
        /// Why.
        code "code": crate::error::ErrorCode,
        /// The member at fault, as a JSON pointer.
        pointer "pointer": Option<String>,
    }

    /// What the hub has of one lane.
    pub struct LaneCursor {
        /// The generation the hub knows; 0 when it has never heard from this lane.
        producer_epoch "producerEpoch": u64,
        /// The number of the last event it committed (appended, skipped or rejected).
        up_to "upTo": u64,
        /// The id of that event.
        last_id "lastId": Option<EventId>,
        /// Rejections the instance has not confirmed with `rejectedSeen`, at most 1,000.
        rejected "rejected": Vec<Rejection>,
    }

    /// The connection is established.
    pub struct Welcome: "welcome" {
        /// The version chosen.
        protocol "protocol": u64,
        /// The hub.
        server "server": ServerInfo,
        /// The hub's clock, to correct ages and imported times.
        server_time "serverTime": UnixMillis,
        /// Limits of this connection.
        limits "limits": Limits,
        /// A `ping` comes at least this often.
        heartbeat_ms "heartbeatMs": u64,
        /// Who the client is.
        principal "principal": Principal,
        /// The subset of the client's capabilities that is in force.
        capabilities "capabilities": Vec<String>,
        /// Instances only.
        lanes "lanes": Option<Lanes>,
    }

    /// The connection is refused; a close follows.
    pub struct Refuse: "refuse" {
        /// Why, and what to do.
        error "error": ErrorBody,
        /// With `unsupportedVersion`: what the hub speaks.
        supported "supported": Option<VersionRange>,
    }

    /// Answer to `subscribe`, in the order of the stream: everything after it belongs to this subscription.
    pub struct Subscribed: "subscribed" {
        /// The scope, with `member/self` resolved.
        scope "scope": Scope,
        /// The number of the `subscribe`.
        sub "sub": u64,
        /// The epoch of `head` and of everything that follows.
        epoch "epoch": Epoch,
        /// The scope's head when the subscription was accepted.
        head "head": u64,
        /// How it starts.
        mode "mode": SubscribedMode,
        /// Why a position was not resumed (`epoch`, `ahead`, `trimmed`, `far`), or the scope denied (an error code).
        reason "reason": Option<String>,
    }

    /// Answer to `publish`: everything up to `upTo` is committed and on disk.
    pub struct Published: "published" {
        /// The lane.
        lane "lane": Lane,
        /// The generation this answer is about.
        producer_epoch "producerEpoch": u64,
        /// The number of the last committed event.
        up_to "upTo": u64,
        /// Events of this publish that were refused for good.
        rejected "rejected": Vec<Rejection>,
        /// Why nothing more was taken; nothing after `upTo` is committed.
        error "error": Option<ErrorBody>,
        /// With `error`: the number expected next, where it is not `upTo` + 1.
        expected "expected": Option<u64>,
    }

    /// A command for the instance it is sent to. It may arrive again after a reconnect.
    pub struct CommandDispatch: "command" {
        /// The idempotency key.
        id "id": CommandId,
        /// A command of the catalogue.
        kind "kind": String,
        /// What the kind carries.
        data "data": Json,
        /// Who asked: `{type, id, name}`.
        by "by": Json,
        /// The address of the conversation, when there is one.
        address "address": Option<Json>,
        /// How long it may still wait to be attempted, counted from receipt.
        ttl_ms "ttlMs": u64,
        /// Someone asked to cancel it, if it was not attempted yet.
        cancel "cancel": bool,
    }

    /// A command was accepted: durable, and on its way.
    pub struct Accepted {
        /// The epoch of the positions in `at`.
        epoch "epoch": Epoch,
        /// The highest seq the acceptance wrote in each scope.
        at "at": Positions,
    }

    /// Answer to `command`; repeated for the same id. Exactly one of `accepted` and `refused` is there.
    pub struct Reply: "reply" {
        /// The command.
        id "id": CommandId,
        /// It was accepted.
        accepted "accepted": Option<Accepted>,
        /// It was refused.
        refused "refused": Option<ErrorBody>,
        /// With a refusal that depends on state: where that state was read.
        epoch "epoch": Option<Epoch>,
        /// With a refusal that depends on state: where that state was read.
        at "at": Positions,
    }

    /// The subscription ended: subscribe anew, without a position.
    pub struct Resync: "resync" {
        /// The scope.
        scope "scope": Scope,
        /// Why.
        reason "reason": String,
    }

    /// Heartbeat, queued behind data: everything the hub had for this connection up to `pos` was sent before it.
    pub struct Ping: "ping" {
        /// Every subscribed scope is complete up to here.
        pos "pos": u64,
        /// The epoch of `pos` and `heads`.
        epoch "epoch": Epoch,
        /// Heads of scopes that moved since the last ping.
        heads "heads": Positions,
    }

    /// Answer to `probe`.
    pub struct Probed: "probed" {
        /// The number of the probe.
        n "n": u64,
        /// The hub's clock.
        server_time "serverTime": UnixMillis,
    }

    /// A frame of the client was refused; nothing else was affected.
    pub struct Notice: "error" {
        /// What was wrong with it.
        error "error": ErrorBody,
    }

    /// The hub will go away: reconnect at a random time inside the window.
    pub struct Drain: "drain" {
        /// The window, in milliseconds.
        window_ms "windowMs": u64,
    }

    /// A close with this code follows.
    pub struct HubBye: "bye" {
        /// The close code.
        code "code": u64,
        /// Why.
        reason "reason": String,
        /// When to come back at the earliest.
        retry_after_ms "retryAfterMs": Option<u64>,
    }
}

#[cfg(feature = "serde")]
wire! {
    /// The lanes of an instance.
    pub struct Lanes {
        /// Activity, the feed, sessions and repositories.
        bulk "bulk": LaneCursor,
        /// Everything else, integrators' kinds too.
        main "main": LaneCursor,
    }
}

#[cfg(not(feature = "serde"))]
wire! {
    /// The lanes of an instance. A build without the feature `serde` cannot be one and does not look into them.
    pub struct Lanes {}
}
