//! A scripted machine: its facts, and everything that happens on it at the same time.

mod approval;
mod archive;
mod board;
mod news;
mod orders;
mod room;
mod step;
mod turn;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Result, anyhow};
use otter_client_native::{Client, EventDraft};
use otter_proto::id::{ConversationId, EntityId, Scope};
use serde_json::{Value, json};

use crate::script::{self, Agent};
use approval::Questions;
use room::Room;

/// What commands reach: set when the machine knows its id.
#[derive(Clone, Default)]
pub(crate) struct Scripted(Arc<OnceLock<Arc<Machine>>>);

/// A machine that knows who it is.
pub(crate) struct Machine {
    client: Client,
    id: String,
    script: &'static script::Machine,
    rooms: BTreeMap<String, Room>,
    questions: Questions,
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
        let machine = Arc::new(Self { client, id, script, rooms, questions: Questions::default() });
        machine.introduce().await?;
        drop(scripted.0.set(Arc::clone(&machine)));
        tokio::join!(
            machine.beat(),
            machine.muse(),
            machine.work_on_jobs(),
            machine.tell_news(),
            machine.restart_gateway(),
        );
        Ok(())
    }

    /// Publishes what there is: the gateway, its agents, their conversations and the past.
    async fn introduce(&self) -> Result<()> {
        self.gateway("online", None).await?;
        for agent in self.script.agents {
            let data = json!({ "instanceId": self.id, "name": agent.name, "model": agent.model, "isDefault": agent.id == "main" });
            self.publish("agent.upserted", &self.agent(agent), None, &data).await?;
            self.status(agent, "idle", None).await?;
        }
        let now = self.client.now();
        for room in self.rooms.values() {
            self.introduce_room(room, now).await?;
        }
        Ok(())
    }

    /// What an agent says about itself.
    async fn status(&self, agent: &Agent, status: &str, text: Option<&str>) -> Result<()> {
        let data = json!({ "status": status, "statusText": text });
        self.publish("agent.statusChanged", &self.agent(agent), None, &data).await
    }

    /// Says how the link to the gateway is.
    async fn gateway(&self, state: &str, reason: Option<&str>) -> Result<()> {
        let now = self.client.now().to_string();
        let mut link = json!({ "state": state, "version": "2026.9.6", "since": now });
        if let Some(reason) = reason {
            link["reason"] = reason.into();
        }
        self.publish("instance.updated", &self.id, None, &json!({ "gateway": link })).await
    }

    /// The gateway of some machines is restarted now and then.
    async fn restart_gateway(&self) {
        if !self.script.restarts {
            return;
        }
        loop {
            tokio::time::sleep(Duration::from_secs(80)).await;
            drop(self.gateway("offline", Some("OpenClaw is not running on this machine")).await);
            tokio::time::sleep(Duration::from_secs(8)).await;
            drop(self.gateway("waking", Some("OpenClaw starts")).await);
            tokio::time::sleep(Duration::from_secs(6)).await;
            drop(self.gateway("online", None).await);
        }
    }

    /// Says every 15 s that the machine is there.
    async fn beat(&self) {
        let mut every = tokio::time::interval(Duration::from_secs(15));
        loop {
            every.tick().await;
            let pending = self.client.store().depth().map_or(0, |depth| depth.pending);
            let data = json!({ "instanceId": self.id, "at": self.client.now().to_string(), "outbox": { "pending": pending, "dead": 0 } });
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
                if let Some(thought) = thoughts.get(turns / self.script.agents.len() % thoughts.len().max(1))
                {
                    drop(self.turn(room, thought, thought.answer, None).await);
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

    /// An id of this machine that was not used before, also by an earlier process.
    fn fresh(&self, word: &str, n: impl std::fmt::Display) -> String {
        let digits: String = self.client.now().to_string().chars().filter(char::is_ascii_digit).collect();
        format!("{}:{word}-{digits}-{n}", self.id)
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
