//! The bridge: joins one OpenClaw gateway to a hub.
//!
//! [`BridgeCore`] is the whole of its behaviour without sockets, clocks and disks. What one input leads to comes out
//! as one [`Batch`]: its events, the state they rest on and the journal of commands go to disk in one transaction,
//! and only then are signals sent and the gateway asked. [`run`] is the loop around it.

mod address;
mod client;
mod core;
pub mod doctor;
mod event;
mod hub;
mod socket;
mod verb;

use std::time::{Duration, Instant as Started, SystemTime, UNIX_EPOCH};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::openclaw::{DeviceError, GatewayConnection, Generation, Instant, Now, TokenStore, UnixMillis};

pub use self::address::{AddressError, check_hub_address};
pub use self::client::ClientHub;
pub use self::core::{Batch, BridgeCore, FACTS_ROW, GATEWAY_ROW, HUB_ROW, HubCommand};
pub use self::hub::{Hub, HubEvent};

use self::socket::{GatewaySocket, SocketEvent};

/// Why a bridge ended.
#[derive(Debug, thiserror::Error)]
pub enum BridgeError<E: std::error::Error + 'static> {
    /// What was observed could not be stored.
    #[error("the state could not be stored")]
    Store(#[source] E),
    /// The device token could not be stored.
    #[error("the device token could not be stored")]
    Token(#[from] DeviceError),
    /// The hub refused this bridge for good.
    #[error("{0}")]
    Stopped(String),
}

/// The clock of a bridge.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Started);

impl Clock {
    /// Starts at zero.
    #[must_use]
    pub fn start() -> Self {
        Self(Started::now())
    }

    /// Both clocks.
    #[must_use]
    pub fn now(&self) -> Now {
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).map(millis).unwrap_or_default();
        Now { at: Instant(millis(self.0.elapsed())), wall: UnixMillis(wall) }
    }
}

/// Runs a bridge between the gateway at `url` and a hub until `stop`, or until one of them ends it.
pub async fn run<H: Hub>(
    core: BridgeCore,
    url: String,
    tokens: TokenStore,
    hub: H,
    clock: Clock,
    stop: CancellationToken,
) -> Result<(), BridgeError<H::Error>> {
    match join(core, url, tokens, hub, clock, &stop).await {
        // What was seen last is seen again at the next start.
        Err(BridgeError::Store(error)) if stop.is_cancelled() => {
            tracing::warn!(%error, "stopped before everything was stored");
            Ok(())
        }
        done => done,
    }
}

async fn join<H: Hub>(
    mut core: BridgeCore,
    url: String,
    mut tokens: TokenStore,
    mut hub: H,
    clock: Clock,
    stop: &CancellationToken,
) -> Result<(), BridgeError<H::Error>> {
    let (reports, mut inbox) = mpsc::channel(MAX_REPORTS);
    let mut socket = GatewaySocket::new(url, reports);
    loop {
        settle(&mut core, &mut tokens, &mut hub, clock).await?;
        while let Some(transmit) = core.poll_transmit() {
            socket.perform(transmit);
        }
        let now = clock.now();
        let due = core.poll_timeout().map_or(IDLE, |at| Duration::from_millis(at.since(now.at)));
        tokio::select! {
            () = stop.cancelled() => break,
            Some((generation, event)) = inbox.recv() => report(&mut core, generation, event, clock.now()),
            event = hub.next() => match event {
                HubEvent::Stopped(reason) => {
                    core.handle_hub_link(stopped(&reason, clock.now().wall));
                    settle(&mut core, &mut tokens, &mut hub, clock).await?;
                    return Err(BridgeError::Stopped(reason));
                }
                event => tell(&mut core, event, clock.now()),
            },
            () = tokio::time::sleep(due) => core.handle_timeout(clock.now()),
        }
    }
    core.handle_shutdown(clock.now());
    settle(&mut core, &mut tokens, &mut hub, clock).await?;
    while let Some(transmit) = core.poll_transmit() {
        socket.perform(transmit);
    }
    Ok(())
}

/// The row of [`HUB_ROW`] for a hub that will not let this bridge in again.
#[must_use]
pub fn stopped(reason: &str, since: UnixMillis) -> serde_json::Value {
    serde_json::json!({"state": "stopped", "reason": reason, "since": since})
}

/// Stores what came out, then says it, until nothing comes out any more.
async fn settle<H: Hub>(
    core: &mut BridgeCore,
    tokens: &mut TokenStore,
    hub: &mut H,
    clock: Clock,
) -> Result<(), BridgeError<H::Error>> {
    loop {
        let mut batch = core.take_batch();
        if batch == Batch::default() {
            return Ok(());
        }
        for (key, token) in batch.tokens.drain(..) {
            tokens.set(&key, token.as_ref())?;
        }
        if !batch.events.is_empty() || !batch.rows.is_empty() {
            let (events, rows) = (std::mem::take(&mut batch.events), std::mem::take(&mut batch.rows));
            hub.store(events, rows).await.map_err(BridgeError::Store)?;
        }
        for signal in batch.signals.drain(..) {
            hub.signal(signal);
        }
        core.handle_stored(batch, clock.now());
    }
}

fn report(core: &mut BridgeCore, generation: Generation, event: SocketEvent, now: Now) {
    match event {
        SocketEvent::Opened => core.handle_opened(generation, now),
        SocketEvent::Failed(why) => core.handle_open_failed(generation, &why, now),
        SocketEvent::Text(text) => core.handle_message(generation, &text, now),
        SocketEvent::Alive => core.handle_alive(generation, now),
        SocketEvent::Closed(why) => core.handle_closed(generation, &why, now),
    }
}

/// The same for a dialogue without a bridge around it.
fn report_to(connection: &mut GatewayConnection, generation: Generation, event: SocketEvent, now: Now) {
    match event {
        SocketEvent::Opened => connection.handle_opened(generation, now),
        SocketEvent::Failed(why) => connection.handle_open_failed(generation, &why, now),
        SocketEvent::Text(text) => connection.handle_message(generation, &text, now),
        SocketEvent::Alive => connection.handle_alive(generation, now),
        SocketEvent::Closed(why) => connection.handle_closed(generation, &why, now),
    }
}

fn tell(core: &mut BridgeCore, event: HubEvent, now: Now) {
    match event {
        HubEvent::Welcomed { clock_offset } => core.handle_hub_welcomed(clock_offset, now),
        HubEvent::Command(command) => core.handle_command(command, now),
        HubEvent::Lost => core.handle_hub_lost(),
        HubEvent::Link(row) => core.handle_hub_link(row),
        HubEvent::Restate => core.handle_restate(now),
        HubEvent::Stopped(_) => {}
    }
}

const IDLE: Duration = Duration::from_mins(1);
const MAX_REPORTS: usize = 256;
