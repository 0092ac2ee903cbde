//! A scripted machine: its facts, its agents' turns, and what it does when somebody writes.

mod turn;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Result, anyhow};
use otter_client_native::{
    Client, CommandHandler, CommandOutcome, CommandRequest, EventDraft, HandlerFuture,
};
use otter_proto::UnixMillis;
use otter_proto::id::{ConversationId, EntityId, Scope};
use serde_json::{Value, json};
use tokio::sync::{Mutex, watch};

use crate::script::{self, Agent, Conversation, Line};

/// What commands reach: set when the machine knows its id.
#[derive(Clone, Default)]
pub(crate) struct Scripted(Arc<OnceLock<Arc<Machine>>>);

/// A conversation of the machine; one turn at a time.
struct Room {
    id: ConversationId,
    agent: &'static Agent,
    conversation: &'static Conversation,
    busy: Mutex<u64>,
    /// The run that goes on, and the one that somebody wants to stop.
    running: watch::Sender<Option<String>>,
    stop: watch::Sender<Option<String>>,
}

/// A machine that knows who it is.
pub(crate) struct Machine {
    client: Client,
    id: String,
    rooms: BTreeMap<String, Room>,
}

impl Machine {
    /// Lives until the process ends.
    pub(crate) async fn run(
        client: Client,
        script: &'static script::Machine,
        scripted: Scripted,
    ) -> Result<()> {
        let id = client.principal().await?.id;
        let rooms =
            script.agents.iter().flat_map(|agent| agent.conversations.iter().map(move |talk| (agent, talk)));
        let rooms = rooms.map(|(agent, talk)| Room::new(&id, agent, talk)).collect::<Result<Vec<_>>>()?;
        let rooms = rooms.into_iter().map(|room| (room.id.to_string(), room)).collect();
        let machine = Arc::new(Self { client, id, rooms });
        machine.introduce(script).await?;
        drop(scripted.0.set(Arc::clone(&machine)));
        tokio::join!(machine.beat(), machine.muse());
        Ok(())
    }

    /// Publishes what there is: the gateway, its agents, their conversations and the past.
    async fn introduce(&self, script: &'static script::Machine) -> Result<()> {
        let now = self.client.now();
        let gateway = json!({ "state": "online", "version": "2026.9.6", "since": now.to_string() });
        self.publish("instance.updated", &self.id, None, &json!({ "gateway": gateway })).await?;
        for agent in script.agents {
            let data = json!({ "instanceId": self.id, "name": agent.name, "model": agent.model, "isDefault": agent.id == "main" });
            self.publish("agent.upserted", &self.agent(agent), None, &data).await?;
        }
        for room in self.rooms.values() {
            self.introduce_room(room, now).await?;
        }
        Ok(())
    }

    async fn introduce_room(&self, room: &Room, now: UnixMillis) -> Result<()> {
        let key = format!("agent:{}:{}", room.agent.id, room.conversation.key);
        let data = json!({
            "instanceId": self.id, "agentId": self.agent(room.agent), "derivedTitle": room.conversation.title,
            "address": { "kind": "session", "sessionKey": key },
        });
        self.publish("conversation.upserted", room.id.as_str(), None, &data).await?;
        let mut after: Option<String> = None;
        let count = room.conversation.past.len() as u64;
        for (at, line) in (0_u64..).zip(room.conversation.past) {
            let (author, text) = match line {
                Line::Person(text) => (json!({ "type": "external", "name": "You, earlier" }), text),
                Line::Agent(text) => {
                    (json!({ "type": "agent", "id": self.agent(room.agent), "name": room.agent.name }), text)
                }
            };
            let id = format!("{}:past-{at}", room.id);
            let sent_at = UnixMillis(now.0.saturating_sub((count - at) * 240_000)).to_string();
            let mut data = json!({
                "conversationId": room.id, "author": author, "text": text, "status": "complete", "sentAt": sent_at,
            });
            if let Some(after) = &after {
                data["after"] = json!(after);
            }
            self.publish("message.created", &id, Some(&room.id), &data).await?;
            after = Some(id);
        }
        self.session(room, "done", 11_000 + count * 1_700).await
    }

    async fn session(&self, room: &Room, status: &str, used: u64) -> Result<()> {
        let now = self.client.now().to_string();
        let data = json!({
            "instanceId": self.id, "agentId": self.agent(room.agent), "conversationId": room.id, "status": status,
            "key": format!("agent:{}:{}", room.agent.id, room.conversation.key), "kind": "main", "channel": "webchat",
            "label": room.conversation.title, "model": room.agent.model, "contextLimit": room.agent.context_limit,
            "contextUsed": { "value": used.min(room.agent.context_limit), "at": now, "fresh": true },
            "lastActivityAt": now, "lifetimeTokens": null, "sessionId": null,
        });
        self.publish("session.upserted", room.id.as_str(), None, &data).await
    }

    /// Says every 15 s that the machine is there.
    async fn beat(&self) {
        let mut every = tokio::time::interval(Duration::from_secs(15));
        loop {
            every.tick().await;
            let data = json!({ "instanceId": self.id, "at": self.client.now().to_string(), "outbox": { "pending": 0, "dead": 0 } });
            self.client.signal(Scope::Org, "instance.heartbeat", &data);
        }
    }

    /// The agents do something of their own accord, in turn.
    async fn muse(&self) {
        let mut turns = 0_usize;
        loop {
            for room in self.rooms.values().filter(|room| room.conversation.key == "main") {
                tokio::time::sleep(Duration::from_secs(9 + (turns as u64 * 7) % 13)).await;
                let thoughts = room.agent.thoughts;
                if let Some(thought) = thoughts.get(turns / self.rooms.len().max(1) % thoughts.len().max(1)) {
                    drop(self.turn(room, thought.steps, thought.answer, None).await);
                }
                turns += 1;
            }
        }
    }

    fn agent(&self, agent: &Agent) -> String {
        format!("{}:{}", self.id, agent.id)
    }

    async fn publish(
        &self,
        kind: &str,
        subject: &str,
        conversation: Option<&ConversationId>,
        data: &Value,
    ) -> Result<()> {
        self.client.publish(draft(kind, subject, conversation, data)?).await?;
        Ok(())
    }

    /// Carries a command out, or says why not.
    fn carry_out(self: Arc<Self>, request: CommandRequest) -> CommandOutcome {
        let word = |key: &str| request.data[key].as_str().unwrap_or_default().to_owned();
        let conversation = word("conversationId");
        let Some(room) = self.rooms.get(&conversation) else {
            return CommandOutcome::Rejected {
                code: "notFound".to_owned(),
                message: "no such conversation here".to_owned(),
            };
        };
        match request.kind.as_str() {
            "message.send" => {
                let machine = Arc::clone(&self);
                tokio::spawn(async move { machine.reply(&conversation, request).await });
                CommandOutcome::completed()
            }
            "run.abort" if *room.running.borrow() == Some(word("runId")) => {
                room.stop.send_replace(Some(word("runId")));
                CommandOutcome::completed()
            }
            "run.abort" => CommandOutcome::Completed(Some("alreadyEnded".to_owned())),
            other => CommandOutcome::unsupported(other),
        }
    }
}

impl Room {
    fn new(instance: &str, agent: &'static Agent, conversation: &'static Conversation) -> Result<Self> {
        let id = format!("{instance}:{}-{}", agent.id, conversation.key.replace(':', "-"));
        Ok(Self {
            id: ConversationId::new(&id)?,
            agent,
            conversation,
            busy: Mutex::new(0),
            running: watch::Sender::new(None),
            stop: watch::Sender::new(None),
        })
    }
}

impl CommandHandler for Scripted {
    fn handle(&self, _client: Client, request: CommandRequest) -> HandlerFuture<'_> {
        Box::pin(async move {
            match self.0.get() {
                Some(machine) => Arc::clone(machine).carry_out(request),
                None => CommandOutcome::Failed {
                    code: "starting".to_owned(),
                    message: "try again in a moment".to_owned(),
                },
            }
        })
    }
}

fn draft(
    kind: &str,
    subject: &str,
    conversation: Option<&ConversationId>,
    data: &Value,
) -> Result<EventDraft> {
    let subject = EntityId::new(subject).map_err(|error| anyhow!("{error}"))?;
    let draft = EventDraft::new(kind, subject, data)?;
    Ok(match conversation {
        Some(conversation) => draft.conversation(conversation.clone()),
        None => draft,
    })
}
