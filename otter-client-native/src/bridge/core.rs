//! What a bridge does, as a machine.

use std::collections::BTreeMap;
use std::time::Duration;

use otter_proto::id::{CommandId, EntityId, InstanceId};
use serde_json::{Value, json};

use crate::bridge::doctor::GatewayFacts;
use crate::bridge::verb;
use crate::openclaw::{
    Attachment, CloseReason, CommandOutput, CommandRequest, Commands, ConnectionEvent, DeviceIdentity,
    DeviceToken, GatewayConfig, GatewayConnection, GatewayStatus, Generation, Instant, JournalRow, Now,
    Observed, OpenFailure, Output, Publish, ReadId, RpcCall, RpcError, RpcId, RpcResult, Signal, TokenKey,
    Transmit, translate,
};
use crate::policy::Policy;

/// What one input leads to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// Events for the outbox, in order.
    pub events: Vec<Publish>,
    /// State rows to write with them, by key; `None` deletes one.
    pub rows: Vec<(String, Option<Value>)>,
    /// Sent once the batch is stored; may be lost.
    pub signals: Vec<Signal>,
    /// A device token to keep, or to forget.
    pub tokens: Vec<(TokenKey, Option<DeviceToken>)>,
    calls: Vec<(Purpose, RpcCall)>,
}

/// A command as it comes from the hub.
#[derive(Clone, Debug, PartialEq)]
pub struct HubCommand {
    /// Its id.
    pub id: CommandId,
    /// Its kind.
    pub kind: String,
    /// What the kind carries.
    pub data: Value,
    /// Who asked.
    pub by: Value,
    /// How long it may still be begun.
    pub ttl: Duration,
    /// Whether it is taken back.
    pub cancel: bool,
}

/// What a request is made for.
#[derive(Clone, Debug, PartialEq)]
enum Purpose {
    Read(ReadId),
    Command(CommandId),
}

/// A bridge without sockets, clocks and disks.
#[derive(Debug)]
pub struct BridgeCore {
    policy: Policy,
    connection: GatewayConnection,
    observed: Observed,
    attachment: Attachment,
    commands: Commands,
    calls: BTreeMap<RpcId, Purpose>,
    was_attached: bool,
    batch: Batch,
}

impl BridgeCore {
    /// Continues from the rows that earlier batches stored.
    #[must_use]
    pub fn new(
        instance: InstanceId,
        policy: Policy,
        config: GatewayConfig,
        identity: DeviceIdentity,
        token: Option<DeviceToken>,
        rows: impl IntoIterator<Item = (String, Value)>,
        now: Now,
    ) -> Self {
        let (mut seen, mut journal) = (Vec::new(), Vec::new());
        for (key, value) in rows {
            match key.split_once('/') {
                Some((OBSERVED, rest)) => seen.push((rest.to_owned(), value)),
                Some((COMMAND, _)) => journal.extend(serde_json::from_value::<JournalRow>(value)),
                _ => {}
            }
        }
        let mut observed = Observed::restore(instance, seen);
        observed.exclude_sessions(policy.exclude_sessions.clone());
        observed.set_approvals(policy.lets_decide());
        let mut core = Self {
            policy,
            connection: GatewayConnection::new(config, identity, token, now),
            observed,
            attachment: Attachment::default(),
            commands: Commands::restore(journal, now),
            calls: BTreeMap::new(),
            was_attached: false,
            batch: Batch::default(),
        };
        let outputs = translate::handle_excluded(&mut core.observed, now);
        core.emit(outputs);
        core.drain(now);
        core
    }

    /// Takes note that the gateway's socket is open.
    pub fn handle_opened(&mut self, generation: Generation, now: Now) {
        self.connection.handle_opened(generation, now);
        self.drain(now);
    }

    /// Takes note that the gateway's socket could not be opened.
    pub fn handle_open_failed(&mut self, generation: Generation, why: &OpenFailure, now: Now) {
        self.connection.handle_open_failed(generation, why, now);
        self.drain(now);
    }

    /// Takes a text message of the gateway.
    pub fn handle_message(&mut self, generation: Generation, text: &str, now: Now) {
        self.connection.handle_message(generation, text, now);
        self.drain(now);
    }

    /// Takes note that something other than text came from the gateway.
    pub fn handle_alive(&mut self, generation: Generation, now: Now) {
        self.connection.handle_alive(generation, now);
    }

    /// Takes note that the gateway's socket is gone.
    pub fn handle_closed(&mut self, generation: Generation, why: &CloseReason, now: Now) {
        self.connection.handle_closed(generation, why, now);
        self.drain(now);
    }

    /// Takes note that the hub let the bridge in. `clock_offset` is how far its clock is ahead of this machine's, in
    /// milliseconds.
    pub fn handle_hub_welcomed(&mut self, clock_offset: i64, now: Now) {
        self.observed.set_clock_offset(clock_offset);
        let outputs = translate::handle_forgotten(&mut self.observed, now);
        self.emit(outputs);
    }

    /// Takes note of how the link to the hub is.
    pub fn handle_hub_link(&mut self, row: Value) {
        self.batch.rows.push((HUB_ROW.to_owned(), Some(row)));
    }

    /// Takes note that the hub is gone.
    pub fn handle_hub_lost(&mut self) {
        let outputs = self.commands.handle_hub_lost();
        self.carry_out(outputs);
    }

    /// Publishes everything observed anew, because the hub may have lost it.
    pub fn handle_restate(&mut self, now: Now) {
        let outputs = translate::handle_restate(&mut self.observed, now);
        let status = self.connection.status().clone();
        self.publish_status(&status, now);
        self.emit(outputs);
        if *self.connection.state() == crate::openclaw::GatewayState::Ready {
            let boot = status.boot_id;
            self.attachment.handle_ready(boot.as_deref(), &mut self.observed);
            self.drain(now);
        }
    }

    /// Takes a command of the hub.
    pub fn handle_command(&mut self, command: HubCommand, now: Now) {
        let verb = match verb::read(&command, &self.policy) {
            Ok(verb) => verb,
            Err((code, message)) => return self.reject(&command.id, code, &message, now),
        };
        let HubCommand { id, ttl, cancel, .. } = command;
        let request = CommandRequest { id, verb, ttl, cancel };
        let outputs = self.commands.handle_command(request, &mut self.observed, now);
        self.carry_out(outputs);
        self.drain(now);
    }

    /// Acts on every deadline that has passed.
    pub fn handle_timeout(&mut self, now: Now) {
        self.connection.handle_timeout(now);
        let outputs = translate::handle_timeout(&mut self.observed, now);
        self.emit(outputs);
        let outputs = self.commands.handle_timeout(&mut self.observed, now);
        self.carry_out(outputs);
        self.drain(now);
    }

    /// Ends the link to the gateway.
    pub fn handle_shutdown(&mut self, now: Now) {
        self.connection.handle_shutdown(now);
        self.drain(now);
    }

    /// What came of the inputs since the last call. It has to be stored before [`BridgeCore::handle_stored`].
    pub fn take_batch(&mut self) -> Batch {
        for row in self.observed.take_changes() {
            self.batch.rows.push((format!("{OBSERVED}/{}", row.key), row.value));
        }
        std::mem::take(&mut self.batch)
    }

    /// Takes note that a batch is on disk: its requests may be made.
    pub fn handle_stored(&mut self, batch: Batch, now: Now) {
        for (purpose, call) in batch.calls {
            match self.connection.handle_request(&call, now) {
                Ok(id) => drop(self.calls.insert(id, purpose)),
                Err(error) => self.answer(&purpose, Err(error), now),
            }
        }
        self.drain(now);
    }

    /// The next thing to do with the gateway's socket.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.connection.poll_transmit()
    }

    /// When [`BridgeCore::handle_timeout`] is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let deadlines = [
            self.connection.poll_timeout(),
            self.observed.poll_timeout(),
            self.attachment.poll_timeout(),
            self.commands.poll_timeout(),
        ];
        deadlines.into_iter().flatten().min()
    }

    /// What people are told about the link to the gateway.
    #[must_use]
    pub fn status(&self) -> &GatewayStatus {
        self.connection.status()
    }

    /// What a device token of this gateway is bound to.
    #[must_use]
    pub fn token_key(&self) -> TokenKey {
        self.connection.token_key()
    }

    fn drain(&mut self, now: Now) {
        while let Some(event) = self.connection.poll_event() {
            self.take_event(event, now);
        }
        while let Some((id, call)) = self.attachment.poll_call(&self.observed, now) {
            self.batch.calls.push((Purpose::Read(id), call));
        }
    }

    fn take_event(&mut self, event: ConnectionEvent, now: Now) {
        match event {
            ConnectionEvent::Status(status) => {
                tracing::info!(state = status.state, reason = status.reason, "gateway");
                self.publish_status(&status, now);
            }
            ConnectionEvent::Ready(hello) => {
                self.was_attached = false;
                let facts = serde_json::to_value(GatewayFacts::read(&hello)).ok();
                self.batch.rows.push((FACTS_ROW.to_owned(), facts));
                self.attachment.handle_ready(hello.boot_id.as_deref(), &mut self.observed);
            }
            ConnectionEvent::Lost => {
                self.was_attached = false;
                self.calls.clear();
                self.attachment.handle_lost();
                self.commands.handle_lost();
            }
            ConnectionEvent::Event(event) => {
                tracing::trace!(event = event.name, seq = event.seq);
                let outputs = translate::translate(&mut self.observed, &event, now);
                self.emit(outputs);
                self.look_at_waiting(now);
            }
            ConnectionEvent::Response(id, result) => {
                if result == Err(RpcError::Disconnected) {
                    self.commands.handle_lost();
                }
                if let Some(purpose) = self.calls.remove(&id) {
                    self.answer(&purpose, result, now);
                }
            }
            ConnectionEvent::Resync { expected, got } => {
                tracing::warn!(expected, got, "the gateway left events out, reading everything anew");
                let boot = self.connection.status().boot_id.clone();
                self.attachment.handle_ready(boot.as_deref(), &mut self.observed);
            }
            ConnectionEvent::TokenChanged(key, token) => self.batch.tokens.push((key, token)),
        }
    }

    fn answer(&mut self, purpose: &Purpose, result: RpcResult, now: Now) {
        if let Err(RpcError::Refused { code, message, .. }) = &result {
            tracing::debug!(?purpose, code, message, "the gateway refused a request");
        }
        match purpose {
            Purpose::Read(id) => {
                let outputs = self.attachment.handle_response(*id, result, &mut self.observed, now);
                self.emit(outputs);
                self.look_at_waiting(now);
            }
            Purpose::Command(id) => {
                let outputs = self.commands.handle_response(id, result, &mut self.observed, now);
                self.carry_out(outputs);
            }
        }
        if self.attachment.is_done() && !self.was_attached && self.is_ready() {
            self.was_attached = true;
            let outputs = self.commands.handle_ready(&mut self.observed, now);
            self.carry_out(outputs);
        }
    }

    /// What was seen may have made room for a task that waits.
    fn look_at_waiting(&mut self, now: Now) {
        let outputs = self.commands.handle_observed(&mut self.observed, now);
        self.carry_out(outputs);
    }

    fn is_ready(&self) -> bool {
        *self.connection.state() == crate::openclaw::GatewayState::Ready
    }

    fn emit(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Publish(events) => self.batch.events.extend(events),
                Output::Signal(signal) => self.batch.signals.push(signal),
                Output::Rpc(want) => self.attachment.handle_want(want, &self.observed),
            }
        }
    }

    fn carry_out(&mut self, outputs: Vec<CommandOutput>) {
        for output in outputs {
            match output {
                CommandOutput::Journal(row) => {
                    let key = format!("{COMMAND}/{}", row.id);
                    self.batch.rows.push((key, serde_json::to_value(row).ok()));
                }
                CommandOutput::Forget(id) => self.batch.rows.push((format!("{COMMAND}/{id}"), None)),
                CommandOutput::Publish(events) => self.batch.events.extend(events),
                CommandOutput::Call(id, call) => self.batch.calls.push((Purpose::Command(id), call)),
                CommandOutput::Rpc(want) => self.attachment.handle_want(want, &self.observed),
            }
        }
    }

    fn reject(&mut self, id: &CommandId, code: &str, message: &str, now: Now) {
        let Ok(subject) = EntityId::new(id.as_str()) else { return };
        self.batch.events.push(Publish {
            kind: "command.updated",
            subject,
            conversation: None,
            caused_by: Some(id.to_string()),
            observed_at: Some(now.wall),
            data: json!({"stage": "rejected", "error": {"code": code, "message": message}}),
        });
    }

    fn publish_status(&mut self, status: &GatewayStatus, now: Now) {
        let Ok(subject) = EntityId::new(self.observed.instance().as_str()) else { return };
        self.batch.events.push(Publish {
            kind: "instance.updated",
            subject,
            conversation: None,
            caused_by: None,
            observed_at: Some(now.wall),
            data: json!({"gateway": status.to_json()}),
        });
        self.batch.rows.push((GATEWAY_ROW.to_owned(), Some(status.to_json())));
    }
}

/// Where a bridge stores how its gateway was last, as `instance.updated{gateway}` has it.
pub const GATEWAY_ROW: &str = "bridge/gateway";

/// Where a bridge stores what its gateway lets it do, as [`GatewayFacts`].
pub const FACTS_ROW: &str = "bridge/facts";

/// Where a bridge stores how its hub was last: {state, reason, since}.
pub const HUB_ROW: &str = "bridge/hub";

const OBSERVED: &str = "observed";
const COMMAND: &str = "command";
