//! Scripted OpenClaw machines: what the demo and a new frontend have to look at without a real gateway.
//!
//! They publish through the same [`Client`] as `otter-bridge` does, with an outbox on disk, and carry out every command
//! that people can give. Only what the agents say is made up.

mod machine;
mod network;
mod script;

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use otter_client_native::Client;
use otter_client_native::transport::WebSocketTransport;

use machine::{Machine, Scripted};
use network::Roaming;

#[derive(Debug, Parser)]
#[command(about = "Scripted OpenClaw machines for demos and frontend work")]
struct Arguments {
    /// The hub, for instance `ws://127.0.0.1:4200/ws/openclaw`.
    #[arg(long)]
    hub: String,
    /// Instance tokens, one per machine, separated by commas.
    #[arg(long, env = "OTTER_TOKENS", hide_env_values = true, value_delimiter = ',', required = true)]
    tokens: Vec<String>,
    /// Where the machines keep their outboxes.
    #[arg(long)]
    state_dir: PathBuf,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let scripts = script::MACHINES;
    ensure!(arguments.tokens.len() <= scripts.len(), "there are {} scripted machines", scripts.len());
    let mut running = Vec::new();
    for (at, (token, script)) in arguments.tokens.iter().zip(scripts).enumerate() {
        let client = start(&arguments, at, token.trim(), script)?;
        running.push(tokio::spawn(client));
    }
    tokio::signal::ctrl_c().await?;
    running.iter().for_each(tokio::task::JoinHandle::abort);
    Ok(())
}

/// Starts one machine; what comes back is its life.
fn start(
    arguments: &Arguments,
    at: usize,
    token: &str,
    script: &'static script::Machine,
) -> Result<impl Future<Output = Result<()>> + use<>> {
    let scripted = Scripted::default();
    let builder = Client::builder(&arguments.hub)
        .token(token)
        .program("otter-example-fleet", env!("CARGO_PKG_VERSION"))
        .state_dir(arguments.state_dir.join(format!("machine-{at}")))
        .handler(scripted.clone());
    let builder = if script.roams {
        builder.transport(Roaming::new(WebSocketTransport::new(&arguments.hub, Some(token), &[])?))
    } else {
        builder
    };
    let client = builder.start().with_context(|| format!("starting machine {at}"))?;
    Ok(Machine::run(client, script, scripted))
}
