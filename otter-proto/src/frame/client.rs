//! Frames from a client (browser or instance) to the hub.

use crate::frame::data::PageKey;
use crate::frame::{Lane, frames};
use crate::id::{BootId, CommandId, EntityKey, Epoch, Scope};
use crate::wire::{Json, Positions, Wire as _, wire};

frames! {
    /// A frame from a client to the hub.
    pub enum ClientFrame {
        /// The first frame.
        Hello(Hello) = "hello",
        /// Asks for a scope.
        Subscribe(Subscribe) = "subscribe",
        /// Gives a scope up.
        Unsubscribe(Unsubscribe) = "unsubscribe",
        /// Durable events of an instance.
        Publish(Publish) = "publish",
        /// An ephemeral notice.
        Signal(Signal) = "signal",
        /// Asks for something to happen.
        Command(Command) = "command",
        /// Asks for older rows, or for one row with its whole texts.
        Fetch(Fetch) = "fetch",
        /// Flow control: data frames received.
        Ack(Ack) = "ack",
        /// Answer to `ping`.
        Pong(Pong) = "pong",
        /// Asks for an immediate answer.
        Probe(Probe) = "probe",
        /// The client goes away on purpose.
        Bye(Bye) = "bye",
    }
}

wire! {
    /// A range of protocol versions, both ends included.
    pub struct VersionRange {
        /// The lowest version the sender speaks.
        min "min": u64,
        /// The highest version the sender speaks.
        max "max": u64,
    }

    /// Which program this is; for logs and the fleet view.
    pub struct ClientInfo {
        /// For instance `@otter-camp/client` or `otter-bridge`.
        name "name": String,
        /// Its version.
        version "version": String,
    }

    /// The first frame of a connection. The hub answers with `welcome` or `refuse`, then one `subscribed` per subscription, in order.
    pub struct Hello: "hello" {
        /// Versions the client speaks.
        protocol "protocol": VersionRange,
        /// The program.
        client "client": ClientInfo,
        /// Optional abilities, for instance `binary`.
        capabilities "capabilities": Vec<String>,
        /// Instances, and there at least one: this process run first, then earlier ones, newest first, at most 64.
        boots "boots": Vec<BootId>,
        /// Scopes to subscribe at once.
        subscribe "subscribe": Vec<Subscribe>,
    }

    /// Asks for a scope, from a position when `epoch` and `pos` are given.
    pub struct Subscribe: "subscribe" {
        /// The scope; `member/self` stands for the own member scope, only without a position: with one, say `member/<id>`
        /// as the answer did.
        scope "scope": Scope,
        /// A number that the answer repeats; the client never reuses it on a connection.
        sub "sub": u64,
        /// The epoch of `pos`.
        epoch "epoch": Option<Epoch>,
        /// The seq of the last event applied (or of the snapshot).
        pos "pos": Option<u64>,
        /// Why the client gave its position up, for the hub's counters: `hash` when its state was not the hub's, `gap`,
        /// `behind`, `badFrame` or `resync`.
        trouble "trouble": Option<String>,
    }

    /// Ends a subscription. Frames of the scope that are on their way are ignored by the client.
    pub struct Unsubscribe: "unsubscribe" {
        /// The scope.
        scope "scope": Scope,
    }

    /// Consecutive events of one lane of an outbox.
    pub struct Publish: "publish" {
        /// The lane.
        lane "lane": Lane,
        /// The generation of this outbox lane, from 1.
        producer_epoch "producerEpoch": u64,
        /// The number `n` of the first event; the others follow without holes. Without events: of the next one.
        first "first": u64,
        /// The events, each a published event object.
        events "events": Vec<Json>,
        /// The highest rejected `n` the instance has moved to its dead letters; may come without events.
        rejected_seen "rejectedSeen": Option<u64>,
    }

    /// An ephemeral notice in a scope: may be dropped or merged with a later one.
    pub struct Signal: "signal" {
        /// The scope.
        scope "scope": Scope,
        /// `message.delta`, `run.progress`, `typing`, `presence` or `instance.heartbeat`.
        kind "kind": String,
        /// What the kind carries.
        data "data": Json,
    }

    /// Asks for something to happen; answered by one `reply`, then by `command.updated` events.
    pub struct Command: "command" {
        /// A UUIDv7 made by the client: the idempotency key everywhere. The same id with other content is refused.
        id "id": CommandId,
        /// A command of the catalogue, for instance `message.send`.
        kind "kind": String,
        /// What the kind carries.
        data "data": Json,
    }

    /// Asks for rows of a subscribed scope that are not in its state; answered by one `page`. A new `subscribed` of the
    /// scope ends those that are open, without an answer.
    pub struct Fetch: "fetch" {
        /// A number that the answer repeats; the client never reuses it on a connection.
        id "id": u64,
        /// The scope; it must be subscribed.
        scope "scope": Scope,
        /// The type whose rows are listed, from new to old. This or `entity`.
        entity_type "entityType": Option<String>,
        /// Where to go on: the `next` of the page before, or the place of the oldest row at hand; absent: from the newest
        /// row, or the beginning of the text.
        before "before": Option<PageKey>,
        /// At most this many rows, 1 to 100; absent: 100.
        limit "limit": Option<u64>,
        /// One entity, answered with the text that it shows only the head of, in parts when it is long.
        entity "entity": Option<EntityKey>,
    }

    /// Counts the `events`, `snapshot` and `page` frames received on this connection, applied or not.
    pub struct Ack: "ack" {
        /// Total since the connection opened.
        frames "frames": u64,
    }

    /// Answer to `ping`.
    pub struct Pong: "pong" {
        /// The positions applied so far.
        pos "pos": Positions,
    }

    /// Asks for `probed` at once, outside the flow-control window.
    pub struct Probe: "probe" {
        /// A number that the answer repeats.
        n "n": u64,
    }

    /// The client goes away on purpose.
    pub struct Bye: "bye" {
        /// Why, for logs.
        reason "reason": Option<String>,
    }
}
