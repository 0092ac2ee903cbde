//! An integrator in one page: an instance of its own, whose agent says back whatever people say to it.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Parser;
use otter_client_native::{Client, CommandOutcome, CommandRequest, EventDraft};
use otter_proto::id::{ConversationId, EntityId};
use serde_json::json;

/// Joins an echo to a hub.
#[derive(Parser)]
struct Args {
    /// The hub, for instance ws://localhost:4200/ws/openclaw
    #[arg(long)]
    hub: String,
    /// What `otter-server instance add` printed
    #[arg(long, env = "OTTER_TOKEN")]
    token: String,
    /// Where the outbox is kept
    #[arg(long, default_value = "echo-state")]
    state_dir: PathBuf,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    let builder = Client::builder(args.hub).token(args.token).state_dir(args.state_dir).handler(echo);
    let client = builder.start()?;
    let me = client.principal().await?.id;
    let (agent, room) = (EntityId::new(&format!("{me}:echo"))?, EntityId::new(&format!("{me}:room"))?);
    let about =
        json!({"instanceId": me, "agentId": agent, "address": {"kind": "dm"}, "derivedTitle": "Echo"});
    let agent = EventDraft::new("agent.upserted", agent, &json!({"instanceId": me, "name": "Echo"}))?;
    client.publish_all(vec![agent, EventDraft::new("conversation.upserted", room, &about)?]).await?;
    tokio::signal::ctrl_c().await?;
    client.shutdown().await;
    Ok(())
}

/// Ids come from the command, so that carrying it out again after a crash changes nothing.
async fn echo(client: Client, request: CommandRequest) -> CommandOutcome {
    if request.kind != "message.send" {
        return CommandOutcome::unsupported(&request.kind);
    }
    match answer(&client, &request).await {
        Ok(()) => CommandOutcome::completed(),
        Err(error) => CommandOutcome::Failed { code: "echo".to_owned(), message: error.to_string() },
    }
}

async fn answer(client: &Client, request: &CommandRequest) -> Result<()> {
    let me = client.principal().await?.id;
    let room = request.data["conversationId"].as_str().context("a message has a conversation")?;
    let author = json!({"type": "agent", "id": format!("{me}:echo"), "name": "Echo"});
    let said =
        json!({"conversationId": room, "author": author, "text": request.data["text"], "status": "complete"});
    let taken = json!({"delivery": {"state": "delivered"}});
    let (question, reply) = (format!("{me}:{}:user", request.id), format!("{me}:{}:echo", request.id));
    let events = [("message.deliveryChanged", question, taken), ("message.created", reply, said)];
    let draft = |(kind, id, data): (&str, String, _)| -> Result<EventDraft> {
        let draft = EventDraft::new(kind, EntityId::new(&id)?, &data)?;
        Ok(draft.conversation(ConversationId::new(room)?).caused_by(request.id.clone()))
    };
    client.publish_all(events.into_iter().map(draft).collect::<Result<_>>()?).await?;
    Ok(())
}
