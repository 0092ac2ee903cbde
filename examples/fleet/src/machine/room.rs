//! A conversation of a machine, and the session behind it.

use anyhow::Result;
use otter_proto::UnixMillis;
use otter_proto::id::ConversationId;
use serde_json::json;
use tokio::sync::{Mutex, watch};

use super::Machine;
use crate::script::{Agent, Conversation};

/// One turn at a time.
pub(super) struct Room {
    pub(super) id: ConversationId,
    pub(super) agent: &'static Agent,
    pub(super) conversation: &'static Conversation,
    pub(super) session: Mutex<Session>,
    /// The run that goes on, and the one that somebody wants to stop.
    pub(super) running: watch::Sender<Option<String>>,
    pub(super) stop: watch::Sender<Option<String>>,
}

/// What a turn adds to.
#[derive(Default)]
pub(super) struct Session {
    pub(super) turns: u64,
    /// How many turns people asked for.
    pub(super) asked: usize,
    /// Tokens of the context.
    pub(super) used: u64,
}

impl Room {
    pub(super) fn new(
        instance: &str,
        agent: &'static Agent,
        conversation: &'static Conversation,
    ) -> Result<Self> {
        let id = format!("{instance}:{}-{}", agent.id, conversation.key.replace(':', "-"));
        Ok(Self {
            id: ConversationId::new(&id)?,
            agent,
            conversation,
            session: Mutex::new(Session { used: 11_000, ..Session::default() }),
            running: watch::Sender::new(None),
            stop: watch::Sender::new(None),
        })
    }

    /// Resolves when somebody wants to stop this run.
    pub(super) async fn stopped(&self, run: &str) {
        let mut stop = self.stop.subscribe();
        if stop.wait_for(|wanted| wanted.as_deref() == Some(run)).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Machine {
    pub(super) async fn introduce_room(&self, room: &Room, now: UnixMillis) -> Result<()> {
        let key = format!("agent:{}:{}", room.agent.id, room.conversation.key);
        let data = json!({
            "instanceId": self.id, "agentId": self.agent(room.agent), "derivedTitle": room.conversation.title,
            "address": { "kind": "session", "sessionKey": key },
        });
        self.publish("conversation.upserted", room.id.as_str(), None, &data).await?;
        self.tell_past(room, now).await?;
        self.tell_session(room, "done", 11_000).await
    }

    pub(super) async fn tell_session(&self, room: &Room, status: &str, used: u64) -> Result<()> {
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

    /// A context that is nearly full is shortened.
    pub(super) async fn compact(&self, room: &Room, session: &mut Session) -> Result<()> {
        if session.used * 10 < room.agent.context_limit * 8 {
            return Ok(());
        }
        session.used = room.agent.context_limit / 5;
        let now = self.client.now().to_string();
        self.publish("session.compacted", room.id.as_str(), None, &json!({ "compactedAt": now })).await
    }

    /// `session.reset`: the agent forgets, the conversation stays.
    pub(super) async fn reset(&self, room: &Room) -> Result<()> {
        let mut session = room.session.lock().await;
        session.used = 4_200;
        self.tell_session(room, "idle", session.used).await
    }
}
