//! The hub's side of a bridge, on a [`Client`].

use std::time::Duration;

use otter_proto::connection::client::Phase;
use otter_proto::event::NewEvent;
use otter_proto::frame::{CommandDispatch, Lane};
use otter_proto::id::{InstanceId, Scope};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::bridge::event::new_event;
use crate::bridge::{Hub, HubCommand, HubEvent};
use crate::client::{Client, ClientStatus};
use crate::error::{AppendError, StoreError};
use crate::events::ClientEvent;
use crate::openclaw::{Publish, Signal};
use crate::store::Store;

/// A [`Client`] as the hub's side of a bridge.
#[derive(Debug)]
pub struct ClientHub {
    client: Client,
    instance: InstanceId,
    status: watch::Receiver<ClientStatus>,
    events: mpsc::Receiver<ClientEvent>,
    beat: Interval,
    /// Lanes that are restated by what is stored next.
    restated: Vec<Lane>,
    stop: CancellationToken,
}

impl ClientHub {
    /// Takes over a client that was started with its events. Once `stop` is cancelled it waits for no room in a full
    /// outbox.
    #[must_use]
    pub fn new(
        client: Client,
        events: mpsc::Receiver<ClientEvent>,
        instance: InstanceId,
        stop: CancellationToken,
    ) -> Self {
        let mut status = client.status();
        status.mark_changed();
        let mut beat = interval(HEARTBEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { client, instance, status, events, beat, restated: Vec::new(), stop }
    }

    /// Says that the bridge is alive and what waits in it, whatever its gateway does.
    async fn beat(&self) {
        if self.status.borrow().connection.phase != Phase::Online {
            return;
        }
        let store = self.client.store().clone();
        let Ok(Ok(depth)) = tokio::task::spawn_blocking(move || store.depth()).await else { return };
        let outbox = json!({"pending": depth.pending, "dead": depth.dead});
        let data = json!({"instanceId": self.instance, "at": self.client.now(), "outbox": outbox});
        self.client.signal(Scope::Org, "instance.heartbeat", &data);
    }

    fn link(&mut self) -> HubEvent {
        let connection = self.status.borrow_and_update().connection.clone();
        let state = match connection.phase {
            Phase::Idle | Phase::Connecting => "connecting",
            Phase::Online => "online",
            Phase::Waiting => "offline",
            Phase::SignedOut => "refused",
            Phase::Stopped => "stopped",
        };
        if state == "refused" {
            tracing::warn!(reason = connection.reason, "the hub refuses the bridge");
        }
        HubEvent::Link(json!({"state": state, "reason": connection.reason, "since": self.client.now()}))
    }

    fn translate(&mut self, event: ClientEvent) -> Option<HubEvent> {
        match event {
            ClientEvent::Online { principal, .. } if principal.id != self.instance.as_str() => {
                let reason = format!(
                    "this state folder belongs to {}, but the token to {}",
                    self.instance, principal.id
                );
                Some(HubEvent::Stopped(reason))
            }
            ClientEvent::Online { server_offset_ms, .. } => {
                tracing::info!("hub online");
                self.beat.reset_immediately();
                Some(HubEvent::Welcomed { clock_offset: server_offset_ms })
            }
            ClientEvent::Lost => {
                tracing::info!("hub lost");
                Some(HubEvent::Lost)
            }
            ClientEvent::Dispatch(dispatch) => command(dispatch).map(HubEvent::Command),
            ClientEvent::Restate { lane, .. } => {
                self.restated.push(lane);
                Some(HubEvent::Restate)
            }
            ClientEvent::Stopped { reason, .. } => Some(HubEvent::Stopped(reason)),
            ClientEvent::DeadLetters { .. } | ClientEvent::Notice(_) => None,
        }
    }
}

impl Hub for ClientHub {
    type Error = StoreError;

    async fn store(
        &mut self,
        events: Vec<Publish>,
        rows: Vec<(String, Option<Value>)>,
    ) -> Result<(), StoreError> {
        let events: Vec<NewEvent> = events.into_iter().filter_map(new_event).collect();
        loop {
            let (events, rows, restated) = (events.clone(), rows.clone(), self.restated.clone());
            match write(self.client.store(), events, rows, restated).await {
                // The gateway has to wait, too: what it says meanwhile is read again when there is room.
                Err(StoreError::Append(error @ AppendError::Full { .. })) => {
                    tracing::warn!(%error, "waiting for the hub");
                    tokio::select! {
                        () = tokio::time::sleep(FULL) => {}
                        () = self.stop.cancelled() => return Err(error.into()),
                    }
                }
                Ok(()) => {
                    self.restated.clear();
                    return Ok(());
                }
                failed => return failed,
            }
        }
    }

    fn signal(&mut self, signal: Signal) {
        self.client.signal(Scope::Conversation(signal.conversation), signal.kind, &signal.data);
    }

    async fn next(&mut self) -> HubEvent {
        loop {
            tokio::select! {
                _ = self.beat.tick() => self.beat().await,
                changed = self.status.changed() => {
                    if changed.is_ok() {
                        return self.link();
                    }
                    return HubEvent::Stopped("the client was shut down".into());
                }
                event = self.events.recv() => match event {
                    Some(event) => {
                        if let Some(event) = self.translate(event) {
                            return event;
                        }
                    }
                    None => return HubEvent::Stopped("the client was shut down".into()),
                },
            }
        }
    }
}

async fn write(
    store: &Store,
    events: Vec<NewEvent>,
    rows: Vec<(String, Option<Value>)>,
    restated: Vec<Lane>,
) -> Result<(), StoreError> {
    store
        .run(move |tx| {
            for lane in restated {
                tx.restated(lane)?;
            }
            for event in &events {
                match tx.append(event) {
                    Ok(_) => {}
                    Err(StoreError::Append(
                        error @ (AppendError::TooLarge { .. } | AppendError::UnknownKind(_)),
                    )) => {
                        tracing::error!(%error, "an event is left out");
                    }
                    Err(error) => return Err(error),
                }
            }
            for (key, value) in &rows {
                match value {
                    Some(value) => tx.put_state(key, &value.to_string())?,
                    None => tx.delete_state(key)?,
                }
            }
            Ok(())
        })
        .await
}

fn command(dispatch: CommandDispatch) -> Option<HubCommand> {
    let read = |json: &otter_proto::wire::Json| serde_json::from_str(json.as_str()).ok();
    Some(HubCommand {
        data: read(&dispatch.data)?,
        by: read(&dispatch.by).unwrap_or_default(),
        id: dispatch.id,
        kind: dispatch.kind,
        ttl: Duration::from_millis(dispatch.ttl_ms),
        cancel: dispatch.cancel,
    })
}

const FULL: Duration = Duration::from_secs(5);
const HEARTBEAT: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests {
    use otter_proto::id::EntityId;
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::transport::MemoryHub;

    fn status() -> Publish {
        let subject = EntityId::new("in_1").unwrap();
        let data = json!({"gateway": {"state": "online"}});
        Publish {
            kind: "instance.updated",
            subject,
            conversation: None,
            caused_by: None,
            observed_at: None,
            data,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_outbox_is_waited_for_until_there_is_room_or_a_stop() {
        let (_hub, transport) = MemoryHub::new();
        let store = Store::in_memory().unwrap();
        let builder = Client::builder("ws://memory").transport(transport).store(store.clone());
        let (client, events) = builder.start_with_events().unwrap();
        let (instance, stop) = (InstanceId::new("in_1").unwrap(), CancellationToken::new());
        let mut hub = ClientHub::new(client, events, instance, stop.clone());
        store.limit(0);
        let room = async {
            tokio::time::sleep(FULL * 3).await;
            store.limit(u64::MAX);
        };
        let (stored, ()) = tokio::join!(hub.store(vec![status()], Vec::new()), room);
        stored.unwrap();
        assert_eq!(store.depth().unwrap().pending, 1);
        store.limit(0);
        let ended = async {
            tokio::time::sleep(FULL / 2).await;
            stop.cancel();
        };
        let before = tokio::time::Instant::now();
        let (stored, ()) = tokio::join!(hub.store(vec![status()], Vec::new()), ended);
        assert!(matches!(stored, Err(StoreError::Append(AppendError::Full { .. }))), "{stored:?}");
        assert!(before.elapsed() < FULL, "{:?}", before.elapsed());
    }
}
