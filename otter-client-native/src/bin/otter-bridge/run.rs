//! `otter-bridge run`.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use otter_client_native::bridge::{self, BridgeCore, ClientHub, Clock, HUB_ROW, check_hub_address};
use otter_client_native::{Client, StateDir, Store, StoreError};
use otter_proto::connection::client::Phase;
use otter_proto::frame::{Principal, PrincipalType};
use otter_proto::id::InstanceId;
use serde_json::Value;
use tokio::signal;
use tokio_util::sync::CancellationToken;

use crate::args::Options;

/// Runs the bridge until it is told to stop.
pub(crate) async fn run(options: Options) -> anyhow::Result<ExitCode> {
    check_hub_address(&options.hub)?;
    let dir = StateDir::open(&options.gateway.state_dir)?;
    let store = Store::open(&dir)?;
    let side = options.gateway.prepare()?;
    let builder = Client::builder(&options.hub).token(&options.token);
    let builder = builder.program("otter-bridge", env!("CARGO_PKG_VERSION")).store(store.clone());
    let (client, events) = builder.start_with_events()?;
    tracing::info!(hub = options.hub, gateway = side.config.url, state = %dir.path().display(), "bridge");
    let stop = stop_on_signal();
    let instance = tokio::select! {
        instance = instance(&store, &client) => instance?,
        () = stop.cancelled() => return Ok(ExitCode::SUCCESS),
    };
    let rows = store
        .states("")?
        .into_iter()
        .filter_map(|(key, text)| serde_json::from_str::<Value>(&text).ok().map(|value| (key, value)));
    let clock = Clock::start();
    let token = side.tokens.get(&side.config.token_key(&side.identity));
    let url = side.config.url.clone();
    let hub = ClientHub::new(client.clone(), events, instance.clone(), stop.clone());
    let core = BridgeCore::new(instance, side.policy, side.config, side.identity, token, rows, clock.now());
    let done = bridge::run(core, url, side.tokens, hub, clock, stop).await;
    client.shutdown().await;
    done?;
    Ok(ExitCode::SUCCESS)
}

/// The instance that this bridge is: known from an earlier run, or told by the hub at the first welcome.
async fn instance(store: &Store, client: &Client) -> anyhow::Result<InstanceId> {
    let stored: Option<String> = store.state(INSTANCE_ROW)?.and_then(|text| serde_json::from_str(&text).ok());
    if let Some(id) = stored {
        // A hub that is away must not keep the bridge from its gateway; one that is there has the last word.
        let told = tokio::time::timeout(GREETING, client.principal()).await;
        if let Ok(Ok(principal)) = told
            && principal.id != id
        {
            bail!(
                "this state folder belongs to {id}, but the token to {}: give each its own --state-dir",
                principal.id
            );
        }
        return InstanceId::new(&id).context("the stored instance id is damaged");
    }
    tracing::info!("waiting for the hub's first welcome");
    let principal = first_welcome(client).await?;
    if principal.principal_type != PrincipalType::Instance {
        bail!("the hub knows this token as a person's; make one for a bridge");
    }
    let text = serde_json::to_string(&principal.id)?;
    store.transaction::<_, StoreError>(|tx| tx.put_state(INSTANCE_ROW, &text))?;
    Ok(InstanceId::new(&principal.id)?)
}

/// Who the hub says this is. What keeps it from saying so is logged; what will never end is an error.
async fn first_welcome(client: &Client) -> anyhow::Result<Principal> {
    let mut status = client.status();
    loop {
        let now = status.borrow_and_update().clone();
        if let Some(principal) = now.principal {
            return Ok(principal);
        }
        let reason = now.connection.reason.unwrap_or_default();
        match now.connection.phase {
            Phase::Stopped => {
                let row = bridge::stopped(&reason, client.now()).to_string();
                client.store().transaction::<_, StoreError>(|tx| tx.put_state(HUB_ROW, &row))?;
                bail!("the hub does not let this bridge in: {reason}");
            }
            Phase::SignedOut => tracing::warn!(reason, "the hub refuses the token"),
            Phase::Waiting => tracing::warn!(reason, "the hub is not there, trying again"),
            Phase::Idle | Phase::Connecting | Phase::Online => {}
        }
        status.changed().await?;
    }
}

fn stop_on_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    let done = stop.clone();
    tokio::spawn(async move {
        interrupted().await;
        done.cancel();
    });
    stop
}

#[cfg(unix)]
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return wait().await };
    tokio::select! {
        () = wait() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn interrupted() {
    wait().await;
}

async fn wait() {
    if signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

const INSTANCE_ROW: &str = "bridge/instance";
const GREETING: std::time::Duration = std::time::Duration::from_secs(2);
