//! `otter-bridge adopt`: of two copies of a bridge, this one goes on.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use otter_client_native::bridge::check_hub_address;
use otter_client_native::{Client, ClientEvent, StateDir, Store};

use crate::args::AdoptOptions;

/// Connects once, says that this copy is the instance, and ends. `otter-bridge run` goes on from there.
pub(crate) async fn run(options: AdoptOptions) -> anyhow::Result<ExitCode> {
    check_hub_address(&options.hub)?;
    let store = Store::open(&StateDir::open(&options.state_dir)?)?;
    let builder = Client::builder(&options.hub).token(&options.token).store(store).adopt();
    let (client, mut events) =
        builder.program("otter-bridge", env!("CARGO_PKG_VERSION")).start_with_events()?;
    let welcomed = async {
        while let Some(event) = events.recv().await {
            match event {
                ClientEvent::Online { principal, .. } => return Ok(principal),
                ClientEvent::Stopped { reason, .. } => bail!("the hub does not let this bridge in: {reason}"),
                ClientEvent::Lost
                | ClientEvent::Dispatch(_)
                | ClientEvent::Restate { .. }
                | ClientEvent::DeadLetters { .. }
                | ClientEvent::Notice(_) => {}
            }
        }
        bail!("the client ended")
    };
    let principal = tokio::time::timeout(PATIENCE, welcomed).await.context("the hub does not answer")??;
    client.shutdown().await;
    eprintln!("this state folder is {} now; another copy of it is refused from now on", principal.id);
    Ok(ExitCode::SUCCESS)
}

/// How long the hub has to let it in.
const PATIENCE: Duration = Duration::from_secs(30);
