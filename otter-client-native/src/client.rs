//! The client's handle.

mod status;

use std::path::PathBuf;
use std::sync::Arc;

use otter_proto::UnixMillis;
use otter_proto::connection::client::{CommandState, Role};
use otter_proto::frame::Principal;
use otter_proto::id::{CommandId, EntityKey, Scope};
use otter_proto::limits::ADOPT;
use otter_proto::wire::Json;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot, watch};

use crate::draft::EventDraft;
use crate::driver::{Driver, Request};
use crate::error::{Closed, FlushError, NotWelcome, PublishError, StartError, StoreError};
use crate::events::ClientEvent;
use crate::handler::CommandHandler;
use crate::ids;
use crate::journal::{self, Work};
use crate::outbox::{Appended, unix_ms};
use crate::state_dir::StateDir;
use crate::store::Store;
use crate::subscription::Subscription;
use crate::transport::{Transport, WebSocketTransport};

pub use status::ClientStatus;

/// A client of a hub: a cheap handle to one task that owns the socket. It stays connected until
/// [`Client::shutdown`], or until the last handle is dropped.
#[derive(Debug, Clone)]
pub struct Client {
    role: Role,
    requests: mpsc::Sender<Request>,
    status: watch::Receiver<ClientStatus>,
    store: Store,
    work: Option<Work>,
}

/// The settings of a client.
pub struct ClientBuilder {
    url: String,
    token: Option<String>,
    headers: Vec<(String, String)>,
    name: String,
    version: String,
    role: Role,
    adopts: bool,
    state: State,
    handler: Option<Arc<dyn CommandHandler>>,
    transport: Option<Arc<dyn Transport>>,
}

enum State {
    Unsaid,
    Memory,
    Folder(PathBuf),
    Open(Store),
}

/// A command that was given, and how far it is.
#[derive(Debug, Clone)]
pub struct CommandHandle {
    /// Its id, the idempotency key everywhere.
    pub id: CommandId,
    /// How far it is.
    pub state: watch::Receiver<CommandState>,
}

impl std::fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("url", &self.url)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl ClientBuilder {
    /// The instance's token.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// A further HTTP header, for instance what a proxy in front of the hub asks for.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The program as the hub shows it.
    #[must_use]
    pub fn program(mut self, name: impl Into<String>, version: impl Into<String>) -> Self {
        (self.name, self.version) = (name.into(), version.into());
        self
    }

    /// Who connects; an instance unless told otherwise.
    #[must_use]
    pub const fn role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// Says that this copy of an instance is the instance from now on, where the hub knows another one. What that one
    /// was asked and may not be done twice ends as `outcomeUnknown`.
    #[must_use]
    pub const fn adopt(mut self) -> Self {
        self.adopts = true;
        self
    }

    /// Keeps outbox, journal and the names of earlier process runs in this folder. An instance needs one.
    #[must_use]
    pub fn state_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.state = State::Folder(path.into());
        self
    }

    /// Keeps nothing beyond the end of the process. An instance that is started like this can be so once only: the next
    /// process is a stranger to the hub, which refuses it as a second copy.
    #[must_use]
    pub fn in_memory(mut self) -> Self {
        self.state = State::Memory;
        self
    }

    /// Uses a store that is open already.
    #[must_use]
    pub fn store(mut self, store: Store) -> Self {
        self.state = State::Open(store);
        self
    }

    /// Carries commands out. Without a handler they come as [`ClientEvent::Dispatch`], see
    /// [`ClientBuilder::start_with_events`].
    #[must_use]
    pub fn handler(mut self, handler: impl CommandHandler) -> Self {
        self.handler = Some(Arc::new(handler));
        self
    }

    /// Reaches the hub by other means than a WebSocket to the address.
    #[must_use]
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Starts the client; it connects by itself. Call it inside a tokio runtime.
    pub fn start(self) -> Result<Client, StartError> {
        let handler = self.handler.clone();
        let (client, events) = self.start_with_events()?;
        Ok(match handler {
            Some(handler) => journal::spawn(client, handler, events),
            None => client,
        })
    }

    /// Starts the client and hands out what concerns its whole connection, also dispatched commands; the handler, if
    /// there is one, is not used. Keep reading: with 1,024 events unread the client connects anew.
    pub fn start_with_events(self) -> Result<(Client, mpsc::Receiver<ClientEvent>), StartError> {
        let store = match self.state {
            State::Unsaid if self.role == Role::Instance => return Err(StartError::NoState),
            State::Unsaid | State::Memory => Store::in_memory()?,
            State::Folder(path) => Store::open(&StateDir::open(path)?)?,
            State::Open(store) => store,
        };
        let transport = match self.transport {
            Some(transport) => transport,
            None => Arc::new(WebSocketTransport::new(&self.url, self.token.as_deref(), &self.headers)?),
        };
        let (requests, inbox) = mpsc::channel(REQUESTS);
        let (events, outlet) = mpsc::channel(EVENTS);
        let role = self.role;
        let config = otter_proto::connection::client::ClientConfig {
            name: self.name,
            version: self.version,
            role,
            capabilities: self.adopts.then(|| ADOPT.to_owned()).into_iter().collect(),
            boots: Vec::new(),
            seed: ids::seed(),
        };
        let (driver, status) = Driver::new(config, ids::boot_id(), store.clone(), transport, inbox, events);
        tokio::spawn(driver.run());
        Ok((Client { role, requests, status, store, work: None }, outlet))
    }
}

impl Client {
    /// Settings for a client of the hub at this address, for instance `wss://hub.example/ws/openclaw`.
    pub fn builder(url: impl Into<String>) -> ClientBuilder {
        ClientBuilder {
            url: url.into(),
            token: None,
            headers: Vec::new(),
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            role: Role::Instance,
            adopts: false,
            state: State::Unsaid,
            handler: None,
            transport: None,
        }
    }

    /// Publishes an event. It is on disk when this returns, and reaches the hub exactly once, whatever happens. Only an
    /// instance publishes.
    pub async fn publish(&self, event: EventDraft) -> Result<Appended, PublishError> {
        if !self.has_outbox() {
            return Err(PublishError::NotAnInstance);
        }
        let done: Result<Appended, StoreError> = self.store.run(move |tx| tx.append(event.event())).await;
        Ok(done?)
    }

    /// Publishes events in one local transaction, in their order within each lane.
    pub async fn publish_all(&self, events: Vec<EventDraft>) -> Result<Vec<Appended>, PublishError> {
        if !self.has_outbox() {
            return Err(PublishError::NotAnInstance);
        }
        let done: Result<Vec<Appended>, StoreError> =
            self.store.run(move |tx| events.iter().map(|event| tx.append(event.event())).collect()).await;
        Ok(done?)
    }

    /// Waits until the hub has answered for everything in the outbox: it is on the hub's disk then, or refused for good
    /// ([`Depth::dead`](crate::Depth::dead)). While more is published all the time, this goes on. It waits out a hub
    /// that is away or does not know the token, see [`Client::status`]; dropping it loses nothing.
    pub async fn flush(&self) -> Result<(), FlushError> {
        let mut status = self.status.clone();
        loop {
            // `notify_waiters` reaches a waiter from its creation on: an answer between the count and the wait is not missed.
            let answered = self.store.answered();
            let store = self.store.clone();
            let depth = tokio::task::spawn_blocking(move || store.depth()).await;
            if depth.unwrap_or(Err(StoreError::Poisoned))?.pending == 0 {
                return Ok(());
            }
            if !self.has_outbox() {
                return Err(FlushError::NotAnInstance);
            }
            tokio::select! {
                () = answered => {}
                over = status.wait_for(ClientStatus::is_over) => {
                    let reason = over.map_err(|_| FlushError::Closed)?.connection.reason.clone();
                    return Err(reason.map_or(FlushError::Closed, FlushError::NotWelcome));
                }
            }
        }
    }

    /// Sends an ephemeral notice. It is dropped when the hub is not there or the client is behind.
    pub fn signal(&self, scope: Scope, kind: &str, data: &impl Serialize) {
        if let Ok(data) = serde_json::to_string(data) {
            let signal = Request::Signal { scope, kind: kind.to_owned(), data: Json::trusted(data) };
            drop(self.requests.try_send(signal));
        }
    }

    /// Follows a scope: its state is kept up to date, and its events are told.
    pub async fn subscribe(&self, scope: Scope) -> Result<Subscription, Closed> {
        let (answer, updates) = oneshot::channel();
        self.ask(Request::Subscribe { scope: scope.clone(), answer }).await?;
        let updates = updates.await.map_err(|_| Closed)?;
        Ok(Subscription::new(scope, updates, self.requests.clone(), self.status.clone()))
    }

    /// An entity of a followed scope, as JSON text.
    pub async fn entity(&self, scope: Scope, key: EntityKey) -> Result<Option<String>, Closed> {
        let (answer, text) = oneshot::channel();
        self.ask(Request::Entity { scope, key, answer }).await?;
        text.await.map_err(|_| Closed)
    }

    /// The live entities of a followed scope, in the order of their keys.
    pub async fn entities(&self, scope: Scope) -> Result<Vec<(EntityKey, String)>, Closed> {
        let (answer, rows) = oneshot::channel();
        self.ask(Request::Entities { scope, answer }).await?;
        rows.await.map_err(|_| Closed)
    }

    /// Gives a command. It is sent when the hub is there, and again until it is answered.
    pub async fn command(&self, kind: &str, data: &Value) -> Result<CommandHandle, Closed> {
        let id = ids::command_id();
        let data = Json::trusted(data.to_string());
        let (state, watched) = watch::channel(CommandState::Held);
        self.ask(Request::Command { id: id.clone(), kind: kind.to_owned(), data, state }).await?;
        Ok(CommandHandle { id, state: watched })
    }

    /// The status, to read and to wait for changes.
    pub fn status(&self) -> watch::Receiver<ClientStatus> {
        self.status.clone()
    }

    /// Who this is; waits for the first welcome. An error when the hub will not let it in, however long it waits: an
    /// instance whose token the hub does not know tries again every few minutes, see [`Client::status`].
    pub async fn principal(&self) -> Result<Principal, NotWelcome> {
        let mut status = self.status.clone();
        let decided = status.wait_for(|status| status.principal.is_some() || status.is_over());
        let status = decided.await.map_err(|_| NotWelcome(Closed.to_string()))?;
        let reason = status.connection.reason.as_deref().unwrap_or("it has stopped");
        status.principal.clone().ok_or_else(|| NotWelcome(reason.to_owned()))
    }

    /// The local store: one transaction can span events, the integrator's own state and the command journal.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The hub's clock, as far as it is known; else the local one.
    pub fn now(&self) -> UnixMillis {
        let offset = self.status.borrow().server_offset_ms.unwrap_or(0);
        UnixMillis(unix_ms().saturating_add_signed(offset))
    }

    /// Takes no more commands, lets those that were begun come to their end for ten seconds, then disconnects and ends
    /// the task. What is in the outbox stays for the next start, and the state folder is free as soon as the handles are
    /// dropped, too. A handler must not wait for this: it would wait for itself.
    pub async fn shutdown(&self) {
        if let Some(work) = &self.work {
            work.end().await;
        }
        self.disconnect().await;
    }

    /// Disconnects and ends the task.
    pub(crate) async fn disconnect(&self) {
        let (answer, done) = oneshot::channel();
        if self.requests.send(Request::Shutdown { answer }).await.is_ok() {
            drop(done.await);
        }
    }

    /// A handle that does not keep the client running.
    pub(crate) fn downgrade(&self) -> WeakClient {
        let (requests, status, store) = (self.requests.downgrade(), self.status.clone(), self.store.clone());
        WeakClient { role: self.role, requests, status, store, work: self.work.clone() }
    }

    /// The handle of a client whose commands are carried out.
    pub(crate) fn with_work(self, work: Work) -> Self {
        Self { work: Some(work), ..self }
    }

    /// Whether what is in the outbox is sent.
    fn has_outbox(&self) -> bool {
        self.role == Role::Instance
    }

    async fn ask(&self, request: Request) -> Result<(), Closed> {
        self.requests.send(request).await.map_err(|_| Closed)
    }
}

/// A handle that does not keep the client running.
#[derive(Debug, Clone)]
pub(crate) struct WeakClient {
    role: Role,
    requests: mpsc::WeakSender<Request>,
    status: watch::Receiver<ClientStatus>,
    store: Store,
    work: Option<Work>,
}

impl WeakClient {
    /// The client, unless it has ended.
    pub(crate) fn upgrade(&self) -> Option<Client> {
        let requests = self.requests.upgrade()?;
        let (status, store, work) = (self.status.clone(), self.store.clone(), self.work.clone());
        Some(Client { role: self.role, requests, status, store, work })
    }
}

const REQUESTS: usize = 256;
const EVENTS: usize = 1_024;
