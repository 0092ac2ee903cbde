//! A look at the gateway: one handshake.

use std::time::Duration;

use tokio::sync::mpsc;

use crate::bridge::doctor::{Finding, GatewayFacts};
use crate::bridge::socket::GatewaySocket;
use crate::bridge::{Clock, report_to};
use crate::openclaw::{
    ConnectionEvent, DeviceIdentity, DeviceToken, GatewayConfig, GatewayConnection, GatewayState,
};

/// Shakes hands with the gateway and says what came of it. A token that it hands out is dropped: the bridge gets one
/// of its own.
pub async fn look_at_gateway(
    config: GatewayConfig,
    identity: DeviceIdentity,
    token: Option<DeviceToken>,
    patience: Duration,
) -> Vec<Finding> {
    let (clock, url) = (Clock::start(), config.url.clone());
    let (reports, mut inbox) = mpsc::channel(64);
    let mut socket = GatewaySocket::new(url.clone(), reports);
    let mut connection = GatewayConnection::new(config, identity, token, clock.now());
    let mut facts = None;
    let deadline = tokio::time::sleep(patience);
    tokio::pin!(deadline);
    loop {
        while let Some(transmit) = connection.poll_transmit() {
            socket.perform(transmit);
        }
        while let Some(event) = connection.poll_event() {
            if let ConnectionEvent::Ready(hello) = event {
                facts = Some(GatewayFacts::read(&hello));
            }
        }
        if !matches!(
            connection.state(),
            GatewayState::Connecting | GatewayState::AwaitingChallenge | GatewayState::ConnectSent
        ) {
            break;
        }
        tokio::select! {
            Some((generation, event)) = inbox.recv() => report_to(&mut connection, generation, event, clock.now()),
            () = &mut deadline => break,
        }
    }
    let status = connection.status();
    let version = status.version.as_deref().unwrap_or("of an unknown version");
    let finding = match (connection.state(), &facts) {
        (GatewayState::Ready, Some(facts)) if !facts.scopes.iter().any(|scope| scope == "operator.write") => {
            Finding::bad(
                "gateway",
                format!(
                    "{url} (OpenClaw {version}) lets the bridge watch only: it did not grant operator.write"
                ),
            )
        }
        (GatewayState::Ready, _) => {
            Finding::good("gateway", format!("{url} (OpenClaw {version}) lets the bridge in"))
        }
        (GatewayState::Connecting | GatewayState::AwaitingChallenge | GatewayState::ConnectSent, _) => {
            Finding::bad(
                "gateway",
                format!(
                    "{url} accepts connections but has not answered in {} s; it is busy or starting",
                    patience.as_secs()
                ),
            )
        }
        _ => Finding::bad("gateway", status.reason.clone().unwrap_or_else(|| status.state.to_owned())),
    };
    std::iter::once(finding).chain(facts.iter().flat_map(GatewayFacts::findings)).collect()
}
