//! An integrator with things of its own: deployments. People start one with the command `x.acme.deploy` and see it as
//! an entity `x.acme.deployment`, which every browser knows how to list without knowing what it is.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Parser;
use otter_client_native::{Client, CommandOutcome, CommandRequest, EventDraft};
use otter_proto::id::{EntityId, EntityKey};
use serde_json::json;

/// Joins a deployer to a hub.
#[derive(Parser)]
struct Args {
    /// The hub, for instance ws://localhost:4200/ws/openclaw
    #[arg(long)]
    hub: String,
    /// What `otter-server instance add` printed
    #[arg(long, env = "OTTER_TOKEN")]
    token: String,
    /// Where the outbox is kept
    #[arg(long, default_value = "deployments-state")]
    state_dir: PathBuf,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    let builder = Client::builder(args.hub).token(args.token).state_dir(args.state_dir).handler(carry_out);
    let client = builder.start()?;
    tokio::signal::ctrl_c().await?;
    client.shutdown().await;
    Ok(())
}

/// Commands of integrators are never carried out twice: after a crash in the middle people see `outcomeUnknown`.
async fn carry_out(client: Client, request: CommandRequest) -> CommandOutcome {
    if request.kind != "x.acme.deploy" {
        return CommandOutcome::unsupported(&request.kind);
    }
    match deploy(&client, &request).await {
        Ok(answer) => CommandOutcome::answered(answer),
        Err(error) => CommandOutcome::Failed { code: "deploy".to_owned(), message: error.to_string() },
    }
}

async fn deploy(client: &Client, request: &CommandRequest) -> Result<String> {
    let me = client.principal().await?.id;
    let version = request.data["version"].as_str().context("say which `version` to deploy")?;
    let id = EntityId::new(&format!("{me}:{}", request.id))?;
    let draft = |kind: &str, data| -> Result<EventDraft> {
        Ok(EventDraft::new(kind, id.clone(), &data)?.caused_by(request.id.clone()))
    };
    let row = EntityKey::new("x.acme.deployment", id.as_str())?;
    let begun = json!({"at": client.now(), "by": request.by, "instanceId": me, "state": "running", "version": version});
    client.publish(draft("x.acme.deployment.started", begun)?.put(row.clone())).await?;

    // Here the real work would be done.
    let done =
        draft("x.acme.deployment.ended", json!({"endedAt": client.now(), "state": "live"}))?.merge(row);
    let activity = json!({"category": "deploy", "instanceId": me, "occurredAt": client.now(),
        "status": "completed", "title": format!("Deployed {version}")});
    let pushed = json!({"branch": format!("release/{version}"), "by": "deployer", "commitCount": 0,
        "commits": [], "pushedAt": client.now(), "repository": "acme/shop"});
    let events = [done, draft("activity.recorded", activity)?, draft("repo.pushed", pushed)?];
    client.publish_all(events.into()).await?;
    Ok(format!("{version} is live"))
}
