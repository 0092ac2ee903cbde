//! What the connection machine tells, and who has to hear of it.

use std::sync::Arc;

use otter_proto::UnixMillis;
use otter_proto::connection::client::{CommandState, ConnectionEvent, Phase};
use otter_proto::frame::{Lanes, PrincipalType};
use otter_proto::id::{CommandId, Scope};
use otter_proto::limits::Limits;
use otter_proto::publish::PublishNews;
use otter_proto::wire::Json;
use serde_json::json;

use super::Driver;
use crate::events::{ClientEvent, ScopeUpdate};
use crate::outbox::unix_ms;

impl Driver {
    pub(super) async fn report(&mut self, event: ConnectionEvent) {
        match event {
            ConnectionEvent::Status(_) => self.status_changed(),
            ConnectionEvent::Clock { .. } => self.tell_status(),
            ConnectionEvent::Welcome { principal, limits, lanes, .. } => {
                self.online = true;
                self.tell_status();
                let server_offset_ms = self.status.borrow().server_offset_ms.unwrap_or(0);
                self.tell(ClientEvent::Online { principal, server_offset_ms });
                self.welcomed(limits, lanes).await;
            }
            ConnectionEvent::Published(published) => {
                let now = self.now();
                let work = move |publisher: &mut otter_proto::publish::Publisher,
                                 store: &mut crate::store::Store| {
                    publisher.handle_published(&published, store, now)
                };
                let news = self.outbox(work).await;
                self.published(news.unwrap_or_default());
            }
            ConnectionEvent::Dispatch(command) => self.tell(ClientEvent::Dispatch(command)),
            ConnectionEvent::Notice(error) => {
                tracing::warn!(code = %error.code, message = %error.message, "the hub refused a frame");
                self.tell(ClientEvent::Notice(error));
            }
            // Programs read what they follow; history is for people.
            ConnectionEvent::Reset | ConnectionEvent::List { .. } | ConnectionEvent::Text { .. } => {}
            ConnectionEvent::SignalsOver { scope } => self.update(&scope, ScopeUpdate::SignalsOver),
            ConnectionEvent::Scope { scope, phase, reason } => {
                self.update(&scope, ScopeUpdate::Phase { phase, reason });
            }
            ConnectionEvent::Changed { scope, key } => self.update(&scope, ScopeUpdate::Changed(key)),
            ConnectionEvent::Slot { scope, run, from, text } => {
                self.update(&scope, ScopeUpdate::Slot { run, from, text: text.map(Arc::from) });
            }
            ConnectionEvent::Signal { scope, kind, data } => {
                self.update(&scope, ScopeUpdate::Signal { kind, data: data.into_string().into() });
            }
            ConnectionEvent::Event { scope, seq, text, replayed } => {
                self.update(&scope, ScopeUpdate::Event { seq, text: text.into(), replayed });
            }
            ConnectionEvent::Command { id, state } => self.command_moved(&id, state),
        }
    }

    async fn welcomed(&mut self, limits: Limits, lanes: Option<Lanes>) {
        if !self.is_instance {
            return;
        }
        let news = self
            .outbox(move |publisher, store| {
                store.boot_welcomed()?;
                lanes.map_or(Ok(Vec::new()), |lanes| publisher.handle_welcome(&lanes, &limits, store))
            })
            .await;
        self.published(news.unwrap_or_default());
        let lanes = self.outbox(|_, store| store.to_restate()).await;
        for (lane, reason) in lanes.unwrap_or_default() {
            self.tell(ClientEvent::Restate { lane, reason });
        }
        self.beat();
    }

    fn published(&mut self, news: Vec<PublishNews>) {
        self.store.tell_answered();
        for each in news {
            match each {
                PublishNews::Restate { lane, epoch, reason } => {
                    tracing::warn!(%lane, epoch, ?reason, "a new producer epoch begins");
                }
                PublishNews::DeadLetters { lane, count } => {
                    tracing::warn!(%lane, count, "the hub refused events for good");
                    self.tell(ClientEvent::DeadLetters { lane, count });
                }
                PublishNews::Refused { lane, error } => {
                    tracing::warn!(%lane, code = %error.code, message = %error.message, "the hub takes nothing");
                    self.tell(ClientEvent::Notice(error));
                }
                PublishNews::Reconnect => {
                    let now = self.now();
                    self.machine.reconnect(now);
                }
            }
        }
    }

    fn status_changed(&mut self) {
        let (phase, was) = (self.machine.phase(), self.online);
        if phase != Phase::Online && was {
            self.online = false;
            self.publisher.handle_disconnected();
            self.tell(ClientEvent::Lost);
        }
        if phase == Phase::Stopped {
            let status = self.machine.status();
            let (reason, code) = (status.reason.clone().unwrap_or_default(), status.code);
            self.tell(ClientEvent::Stopped { reason, code });
        }
        self.tell_status();
    }

    /// Shows the status to who watches it.
    pub(super) fn tell_status(&mut self) {
        let now = self.now();
        let offset = self.machine.server_offset_ms(UnixMillis(unix_ms()), now);
        let connection = self.machine.status().clone();
        let principal = self.machine.principal().cloned();
        self.status.send_if_modified(|status| {
            let jumped = match (status.server_offset_ms, offset) {
                (Some(old), Some(new)) => old.abs_diff(new) > CLOCK_MS,
                (old, new) => old != new,
            };
            let moved = jumped || status.connection != connection || status.principal != principal;
            status.connection = connection;
            status.principal = principal;
            status.server_offset_ms = offset;
            moved
        });
    }

    /// Tells what concerns the whole connection. A reader that stopped reading gets everything anew.
    fn tell(&mut self, event: ClientEvent) {
        let full =
            matches!(self.events.try_send(event), Err(tokio::sync::mpsc::error::TrySendError::Full(_)));
        if full && self.online {
            tracing::warn!("events of the connection are not read; connecting anew");
            let now = self.now();
            self.machine.reconnect(now);
        }
    }

    fn update(&mut self, scope: &Scope, update: ScopeUpdate) {
        if let Some(followed) = self.scopes.iter_mut().find(|followed| followed.scope == *scope) {
            followed.tell(update);
        }
    }

    fn command_moved(&mut self, id: &CommandId, state: CommandState) {
        if let Some((_, sender)) = self.commands.iter().find(|(known, _)| known == id) {
            sender.send_replace(state);
        }
        self.commands.retain(|(_, sender)| !sender.is_closed());
    }

    /// Says that the instance lives, and what waits in it.
    pub(super) fn beat(&mut self) {
        let Some(principal) = self.machine.principal() else { return };
        if !self.online || principal.principal_type != PrincipalType::Instance {
            return;
        }
        let depth = self.store.depth().unwrap_or_default();
        let data = json!({
            "instanceId": principal.id,
            "at": UnixMillis(unix_ms()),
            "outbox": {"pending": depth.pending, "dead": depth.dead},
        });
        self.machine.signal(Scope::Org, "instance.heartbeat", Json::trusted(data.to_string()));
    }
}

/// Who watches the status is told of another offset when it moved by more: somebody has set a clock.
const CLOCK_MS: u64 = 1_000;
