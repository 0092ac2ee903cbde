//! The task that owns the socket: a loop around the connection machine and the publisher.

mod report;
mod request;

pub(crate) use request::{Current, Request, Updates};

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use otter_proto::connection::client::{ClientConfig, ClientConnection, Transmit, Wake};
use otter_proto::id::{BootId, CommandId, Scope};
use otter_proto::publish::Publisher;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, Interval, MissedTickBehavior};

use crate::client::ClientStatus;
use crate::error::StoreError;
use crate::events::{ClientEvent, ScopeUpdate};
use crate::outbox::unix_ms;
use crate::store::Store;
use crate::transport::{BoxFuture, Incoming, OpenError, Outgoing, Socket, Transport};
use otter_proto::connection::client::CommandState;

/// Owns everything of one client but its store.
pub(crate) struct Driver {
    machine: ClientConnection,
    publisher: Publisher,
    store: Store,
    transport: Arc<dyn Transport>,
    requests: mpsc::Receiver<Request>,
    events: mpsc::Sender<ClientEvent>,
    status: watch::Sender<ClientStatus>,
    socket: Option<Socket>,
    opening: Option<BoxFuture<Result<Socket, OpenError>>>,
    closing: JoinSet<()>,
    transmits: VecDeque<Transmit>,
    scopes: Vec<Followed>,
    commands: Vec<(CommandId, watch::Sender<CommandState>)>,
    /// Of this process, until it is stored.
    boot: Option<BootId>,
    is_instance: bool,
    online: bool,
    started: Instant,
    wall_started: u64,
    shutdown: Option<oneshot::Sender<()>>,
}

/// A scope that somebody reads.
struct Followed {
    scope: Scope,
    sender: broadcast::Sender<ScopeUpdate>,
    /// Updates that were told so far.
    told: u64,
}

impl Followed {
    fn tell(&mut self, update: ScopeUpdate) {
        self.told += u64::from(self.sender.send(update).is_ok());
    }
}

/// What woke the loop.
enum Woke {
    Request(Option<Request>),
    Opened(Result<Socket, OpenError>),
    Incoming(Option<Incoming>),
    Room,
    Appended,
    Tick,
    Heartbeat,
    Due,
}

impl Driver {
    pub(crate) fn new(
        config: ClientConfig,
        boot: BootId,
        store: Store,
        transport: Arc<dyn Transport>,
        requests: mpsc::Receiver<Request>,
        events: mpsc::Sender<ClientEvent>,
    ) -> (Self, watch::Receiver<ClientStatus>) {
        let is_instance = config.role == otter_proto::connection::client::Role::Instance;
        let machine = ClientConnection::new(config, otter_proto::Instant(0));
        let connection = machine.status().clone();
        let (status, watched) =
            watch::channel(ClientStatus { connection, principal: None, server_offset_ms: None });
        let driver = Self {
            machine,
            publisher: Publisher::new(),
            store,
            transport,
            requests,
            events,
            status,
            socket: None,
            opening: None,
            closing: JoinSet::new(),
            transmits: VecDeque::new(),
            scopes: Vec::new(),
            commands: Vec::new(),
            boot: Some(boot),
            is_instance,
            online: false,
            started: Instant::now(),
            wall_started: unix_ms(),
            shutdown: None,
        };
        (driver, watched)
    }

    /// Runs until it is shut down, or nobody holds a handle any more.
    pub(crate) async fn run(mut self) {
        let now = self.now();
        self.machine.start(now);
        let mut tick = interval(TICK);
        let mut heartbeat = interval(HEARTBEAT);
        loop {
            self.settle().await;
            let due = self.due();
            let woke = tokio::select! {
                request = self.requests.recv() => Woke::Request(request),
                opened = opened(&mut self.opening) => Woke::Opened(opened),
                woke = moved(self.socket.as_mut(), !self.transmits.is_empty()) => woke,
                () = self.store.appended() => Woke::Appended,
                _ = tick.tick() => Woke::Tick,
                _ = heartbeat.tick() => Woke::Heartbeat,
                () = tokio::time::sleep_until(due) => Woke::Due,
            };
            if !self.wake(woke) {
                break;
            }
        }
        self.end().await;
    }

    /// Takes what woke the loop. Returns whether it goes on.
    fn wake(&mut self, woke: Woke) -> bool {
        let now = self.now();
        match woke {
            Woke::Request(None) => return false,
            Woke::Request(Some(Request::Shutdown { answer })) => {
                self.shutdown = Some(answer);
                return false;
            }
            Woke::Request(Some(request)) => self.serve(request, now),
            Woke::Opened(result) => self.opened(result, now),
            Woke::Incoming(Some(Incoming::Message(text))) => self.machine.handle_message(&text, now),
            Woke::Incoming(Some(Incoming::Closed { code, reason })) => {
                self.socket = None;
                self.machine.handle_closed(code, &reason, now);
            }
            Woke::Incoming(None) => {
                self.socket = None;
                self.machine.handle_closed(1006, "", now);
            }
            Woke::Appended => self.publisher.handle_appended(),
            Woke::Tick => self.tick(now),
            Woke::Heartbeat => self.beat(),
            Woke::Room | Woke::Due => {}
        }
        let now = self.now();
        if self.machine.poll_timeout().is_some_and(|due| now >= due) {
            self.machine.handle_timeout(now);
        }
        true
    }

    fn opened(&mut self, result: Result<Socket, OpenError>, now: otter_proto::Instant) {
        self.opening = None;
        match result {
            Ok(socket) => {
                if let Err(error) = self.start_boot() {
                    tracing::error!(%error, "the local store failed");
                    return self.machine.handle_failed(now);
                }
                self.socket = Some(socket);
                self.machine.handle_opened(now);
            }
            Err(error) => {
                tracing::debug!(%error, "no socket");
                self.machine.handle_closed(error.close_code(), &error.to_string(), now);
            }
        }
    }

    /// Stores the boot of this process before the first `hello` says it.
    fn start_boot(&mut self) -> Result<(), StoreError> {
        if let Some(boot) = self.boot.take_if(|_| self.is_instance) {
            match self.store.start_boot(boot.clone()) {
                Ok(boots) => self.machine.set_boots(boots.ids()),
                Err(error) => {
                    self.boot = Some(boot);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Does what the machine and the publisher want until both have nothing left.
    async fn settle(&mut self) {
        loop {
            while let Some(event) = self.machine.poll_event() {
                self.report(event).await;
            }
            self.publish().await;
            let stuck = !self.transmits.is_empty();
            while let Some(transmit) = self.machine.poll_transmit() {
                // A socket that takes nothing more is not waited for when it has to go.
                if stuck && !matches!(transmit, Transmit::Frames(_)) {
                    self.transmits.retain(|waiting| !matches!(waiting, Transmit::Frames(_)));
                }
                self.transmits.push_back(transmit);
            }
            self.transmit();
            let Some(event) = self.machine.poll_event() else { return };
            self.report(event).await;
        }
    }

    /// Hands the machine what the outbox has to send.
    async fn publish(&mut self) {
        while self.online && !self.publisher.is_idle() {
            let now = self.now();
            let asked = self.outbox(move |publisher, store| publisher.poll_publish(store, now)).await;
            match asked {
                Some(Some(publish)) => self.machine.publish(publish),
                Some(None) | None => return,
            }
        }
    }

    /// Runs the publisher against the store on a thread that may block.
    async fn outbox<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Publisher, &mut Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Option<T> {
        let (mut publisher, mut store) = (std::mem::take(&mut self.publisher), self.store.clone());
        let done = tokio::task::spawn_blocking(move || {
            let result = work(&mut publisher, &mut store);
            (publisher, result)
        });
        let result = match done.await {
            Ok((publisher, result)) => {
                self.publisher = publisher;
                result
            }
            Err(_) => Err(StoreError::Poisoned),
        };
        result.map_err(|error| self.store_failed(&error)).ok()
    }

    /// Without its store an instance must not go on; it connects anew, and reads it again.
    fn store_failed(&mut self, error: &StoreError) {
        tracing::error!(%error, "the local store failed");
        let now = self.now();
        self.machine.reconnect(now);
    }

    /// Moves what the machine wants done with the socket as far as there is room.
    fn transmit(&mut self) {
        while let Some(transmit) = self.transmits.pop_front() {
            match transmit {
                Transmit::Open => {
                    self.socket = None;
                    self.opening = Some(self.transport.open());
                }
                Transmit::Close { code, reason } => {
                    self.opening = None;
                    if let Some(socket) = self.socket.take() {
                        self.closing.spawn(socket.close(code, reason.to_owned()));
                    }
                }
                Transmit::Frames(frames) => {
                    let Some(socket) = &self.socket else { continue };
                    if let Err(mpsc::error::TrySendError::Full(Outgoing::Message(frames))) =
                        socket.outgoing.try_send(Outgoing::Message(frames))
                    {
                        self.transmits.push_front(Transmit::Frames(frames));
                        return;
                    }
                }
            }
        }
        while self.closing.try_join_next().is_some() {}
    }

    /// Regular work: notices a machine that slept, gives up scopes nobody reads, trims the outbox.
    fn tick(&mut self, now: otter_proto::Instant) {
        let drift = unix_ms().abs_diff(self.wall_started + now.0);
        if drift > JUMP_MS {
            self.wall_started = unix_ms().saturating_sub(now.0);
            self.machine.handle_wake(Wake::ClockJump, now);
        }
        self.release_scopes();
        if now.0 / TRIM_MS != now.0.saturating_sub(TICK_MS) / TRIM_MS {
            let store = self.store.clone();
            self.closing.spawn(async move {
                let trimmed = tokio::task::spawn_blocking(move || store.trim_outbox(unix_ms())).await;
                if let Ok(Err(error)) = trimmed {
                    tracing::warn!(%error, "the outbox was not trimmed");
                }
            });
        }
    }

    /// Ends the connection in good order.
    async fn end(mut self) {
        let now = self.now();
        self.machine.stop(now);
        self.transmits.clear();
        while let Some(transmit) = self.machine.poll_transmit() {
            match transmit {
                Transmit::Frames(frames) => {
                    if let Some(socket) = &self.socket {
                        let sent = socket.outgoing.send(Outgoing::Message(frames));
                        drop(tokio::time::timeout(Duration::from_secs(1), sent).await);
                    }
                }
                Transmit::Close { code, reason } => {
                    if let Some(socket) = self.socket.take() {
                        socket.close(code, reason.to_owned()).await;
                    }
                }
                Transmit::Open => {}
            }
        }
        self.tell_status();
        while self.closing.join_next().await.is_some() {}
        let answer = self.shutdown.take();
        // Who waits for the end may open the same folder next.
        drop(self);
        if let Some(answer) = answer {
            let _ = answer.send(());
        }
    }

    fn due(&self) -> Instant {
        let due = [self.machine.poll_timeout(), self.publisher.poll_timeout().filter(|_| self.online)];
        match due.into_iter().flatten().min() {
            Some(at) => self.started + Duration::from_millis(at.0),
            None => Instant::now() + TICK,
        }
    }

    fn now(&self) -> otter_proto::Instant {
        otter_proto::Instant(u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX))
    }
}

async fn opened(opening: &mut Option<BoxFuture<Result<Socket, OpenError>>>) -> Result<Socket, OpenError> {
    match opening {
        Some(opening) => opening.await,
        None => std::future::pending().await,
    }
}

/// Resolves when the socket brings something, or takes another message while one waits.
async fn moved(socket: Option<&mut Socket>, waiting: bool) -> Woke {
    let Some(socket) = socket else { return std::future::pending().await };
    let Socket { outgoing, incoming, .. } = socket;
    tokio::select! {
        incoming = incoming.recv() => Woke::Incoming(incoming),
        // A closed queue is told by the other one.
        Ok(_) = outgoing.reserve(), if waiting => Woke::Room,
    }
}

fn interval(period: Duration) -> Interval {
    let mut interval = tokio::time::interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

const TICK_MS: u64 = 5_000;
const TICK: Duration = Duration::from_millis(TICK_MS);
const HEARTBEAT: Duration = Duration::from_secs(15);
const TRIM_MS: u64 = 60_000;
/// A wall clock that moved by so much against the monotonic one means that the machine slept.
const JUMP_MS: u64 = 5_000;
