//! Puts items into the feed, each once: run it as often as you like, kill it in between, and nothing comes twice.

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;
use otter_client_native::{Client, EventDraft};
use otter_proto::id::EntityId;
use serde_json::json;

/// Publishes five feed items, one of each category, and ends when the hub has them on disk.
#[derive(Parser)]
struct Args {
    /// The hub, for instance ws://localhost:4200/ws/openclaw
    #[arg(long)]
    hub: String,
    /// What `otter-server instance add` printed
    #[arg(long, env = "OTTER_TOKEN")]
    token: String,
    /// Where the outbox is kept
    #[arg(long, default_value = "publish-feed-state")]
    state_dir: PathBuf,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    let client = Client::builder(args.hub).token(args.token).state_dir(args.state_dir).start()?;
    let me = client.principal().await?.id;
    let now = client.now();
    let items = [
        // The id is what makes an item itself: the same one published again changes nothing.
        (
            "mail-8731",
            json!({"category": "email", "from": "Nadia Petrov", "title": "Contract signed", "body": "The signed copy is attached.", "occurredAt": now}),
        ),
        (
            "ottr-4120",
            json!({"category": "market", "symbol": "OTTR", "price": "41.20 USD", "change": "+3.4 %", "title": "OTTR above 41", "occurredAt": now}),
        ),
        (
            "post-5512",
            json!({"category": "social", "from": "Otter Camp", "handle": "@otter", "title": "We shipped", "body": "**1.8** is out.", "url": "https://example.com/1.8", "occurredAt": now}),
        ),
        (
            "disk-0001",
            json!({"category": "alert", "severity": "warning", "title": "Disk at 91 % on build-2", "occurredAt": now}),
        ),
        ("note-0001", json!({"category": "custom", "title": "Coffee is ready", "occurredAt": now})),
    ];
    for (id, item) in items {
        client
            .publish(EventDraft::new("feed.itemAdded", EntityId::new(&format!("{me}:{id}"))?, &item)?)
            .await?;
    }
    client.flush().await?;
    client.shutdown().await;
    Ok(())
}
