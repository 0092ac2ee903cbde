//! The command journal: what was received, begun and done, so that no command is carried out twice unless that is
//! safe, and none disappears.

mod end;
mod rows;

pub use rows::{CommandEnd, JournalRow, JournalStage};

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use otter_proto::catalogue::{self, Safety};
use otter_proto::frame::CommandDispatch;
use otter_proto::id::EntityId;
use otter_proto::kind::CommandStage;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::client::{Client, WeakClient};
use crate::draft::EventDraft;
use crate::error::{AppendError, StoreError};
use crate::events::ClientEvent;
use crate::handler::{CommandHandler, CommandRequest};
use crate::outbox::unix_ms;
use crate::store::{Store, StoreTx};

/// The end of [`spawn`] that stops it.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    stop: CancellationToken,
    done: watch::Receiver<()>,
}

impl Work {
    /// Takes nothing more, and waits until what was begun has ended or had its time.
    pub(crate) async fn end(&self) {
        self.stop.cancel();
        let mut done = self.done.clone();
        while done.changed().await.is_ok() {}
    }
}

/// Carries out the commands that a client receives, until the client ends.
pub(crate) fn spawn(
    client: Client,
    handler: Arc<dyn CommandHandler>,
    events: mpsc::Receiver<ClientEvent>,
) -> Client {
    let (running, done) = watch::channel(());
    let stop = CancellationToken::new();
    let store = client.store().clone();
    let client = client.with_work(Work { stop: stop.clone(), done });
    let runner = Runner {
        client: client.downgrade(),
        store,
        handler,
        slots: Arc::new(Semaphore::new(AT_ONCE)),
        connection: watch::channel(0).0,
        running: JoinSet::new(),
        stop,
        _running: running,
    };
    tokio::spawn(runner.run(events));
    client
}

struct Runner {
    client: WeakClient,
    store: Store,
    handler: Arc<dyn CommandHandler>,
    slots: Arc<Semaphore>,
    /// Counts connections: what waits when one ends is dispatched again on the next.
    connection: watch::Sender<u64>,
    running: JoinSet<()>,
    stop: CancellationToken,
    /// Dropped at the end, which [`Work::end`] waits for.
    _running: watch::Sender<()>,
}

impl Runner {
    async fn run(mut self, mut events: mpsc::Receiver<ClientEvent>) {
        if let Err(error) = self.recover().await {
            tracing::error!(%error, "the command journal cannot be read");
        }
        loop {
            let event = tokio::select! {
                biased;
                () = self.stop.cancelled() => break,
                event = events.recv() => event,
            };
            let Some(event) = event else { break };
            self.take(event).await;
            while self.running.try_join_next().is_some() {}
        }
        drop(events);
        self.end().await;
    }

    async fn take(&mut self, event: ClientEvent) {
        match event {
            ClientEvent::Dispatch(command) => {
                if let Err(error) = self.dispatched(command).await {
                    tracing::error!(%error, "a command could not be taken; the hub will dispatch it again");
                }
            }
            ClientEvent::Lost => self.lost().await,
            ClientEvent::Online { .. }
            | ClientEvent::Restate { .. }
            | ClientEvent::DeadLetters { .. }
            | ClientEvent::Notice(_)
            | ClientEvent::Stopped { .. } => {}
        }
    }

    /// Forgets what was not begun: the hub dispatches it again. Here, in turn with what is dispatched, for one that comes
    /// again must not be taken for one that still waits, nor be forgotten after that.
    async fn lost(&self) {
        match self.forget().await {
            Ok(()) => self.connection.send_modify(|count| *count += 1),
            Err(error) => tracing::error!(%error, "the command journal failed; what waits goes on waiting"),
        }
    }

    async fn forget(&self) -> Result<(), StoreError> {
        let forgotten = self.store.run(|tx| {
            tx.forget_received()?;
            Ok(())
        });
        forgotten.await
    }

    /// Lets what was begun come to its end for a while. What has not is known as begun at the next start.
    async fn end(mut self) {
        self.stop.cancel();
        let running = &mut self.running;
        let all = async { while running.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, all).await.is_err() {
            tracing::warn!(count = self.running.len(), "handlers did not end in time and are stopped");
            self.running.shutdown().await;
        }
        if let Err(error) = self.forget().await {
            tracing::warn!(%error, "what was not begun stays in the command journal until the next start");
        }
        // A handler that waits for the end of its own client has been stopped with that wish.
        if let Some(client) = self.client.upgrade() {
            client.disconnect().await;
        }
    }

    /// What was begun when the process ended is begun again if that is safe, else its outcome is unknown.
    async fn recover(&mut self) -> Result<(), StoreError> {
        let begun = self.store.run(|tx| {
            tx.forget_received()?;
            tx.begun_commands()
        });
        for row in begun.await? {
            if is_replayable(&row.kind) && row.deadline > unix_ms() {
                self.begin(row, Turn::Again);
            } else {
                self.unknown(row);
            }
        }
        Ok(())
    }

    async fn dispatched(&mut self, command: CommandDispatch) -> Result<(), StoreError> {
        let id = command.id.clone();
        match self.store.run(move |tx| tx.journal(&id)).await? {
            // Told again, in case the hub lost it; what changes nothing is not appended there.
            Some(JournalRow { stage: JournalStage::Done(end), .. }) => {
                let id = command.id;
                self.store.run(move |tx| tx.append_stage(&id, end.stage, &end)).await
            }
            Some(row) if command.cancel => leave_received(&self.store, row, CommandStage::Cancelled).await,
            Some(row) if command.ttl_ms == 0 => leave_received(&self.store, row, CommandStage::Expired).await,
            Some(_) => Ok(()),
            None => self.receive(command).await,
        }
    }

    async fn receive(&mut self, command: CommandDispatch) -> Result<(), StoreError> {
        let row = JournalRow {
            id: command.id,
            kind: command.kind,
            data: command.data.into_string(),
            by: command.by.into_string(),
            stage: JournalStage::Received,
            deadline: unix_ms().saturating_add(command.ttl_ms),
        };
        // The wall clock may be set while the command waits.
        let until = Instant::now().checked_add(Duration::from_millis(command.ttl_ms));
        let over = match (command.cancel, command.ttl_ms) {
            (true, _) => Some(CommandStage::Cancelled),
            (false, 0) => Some(CommandStage::Expired),
            (false, _) => None,
        };
        if let Some(over) = over {
            return store_end(&self.store, row, CommandEnd::of(over)).await;
        }
        let received = row.clone();
        let stored = self.store.run(move |tx| {
            tx.put_journal(&received)?;
            tx.append_stage(&received.id, CommandStage::Received, &CommandEnd::of(CommandStage::Received))
        });
        stored.await?;
        self.begin(row, Turn::First { until });
        Ok(())
    }

    /// Ends a command of which an earlier process did not say what came of it.
    fn unknown(&mut self, row: JournalRow) {
        let (store, end) = (self.store.clone(), CommandEnd::of(CommandStage::OutcomeUnknown));
        self.running.spawn(async move {
            if let Err(error) = finish(&store, row, end).await {
                tracing::error!(%error, "the end of a command could not be stored");
            }
        });
    }

    /// Waits for a free slot, then carries the command out.
    fn begin(&mut self, row: JournalRow, turn: Turn) {
        let (slots, mut connection) = (Arc::clone(&self.slots), self.connection.subscribe());
        let (handler, client, store) = (Arc::clone(&self.handler), self.client.clone(), self.store.clone());
        let stop = self.stop.clone();
        self.running.spawn(async move {
            let slot = tokio::select! {
                biased;
                () = stop.cancelled() => None,
                slot = slots.acquire_owned() => slot.ok(),
                _ = connection.changed(), if turn != Turn::Again => None,
            };
            // Who leaves has been forgotten, or is at the end.
            let (Some(_slot), Some(client)) = (slot, client.upgrade()) else { return };
            let id = row.id.clone();
            if let Err(error) = carry_out(client, handler.as_ref(), &store, row, turn).await {
                tracing::error!(%error, command = %id, "the end of a command could not be stored");
            }
        });
    }
}

/// Whether a command is carried out for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// It has to be begun before this, if there is an end to it.
    First { until: Option<Instant> },
    /// An earlier process has begun it.
    Again,
}

async fn carry_out(
    client: Client,
    handler: &dyn CommandHandler,
    store: &Store,
    row: JournalRow,
    turn: Turn,
) -> Result<(), StoreError> {
    let again = match turn {
        Turn::First { until: Some(until) } if until <= Instant::now() => {
            return leave_received(store, row, CommandStage::Expired).await;
        }
        Turn::First { .. } if !begin(store, &row).await? => return Ok(()),
        Turn::First { .. } => false,
        Turn::Again => true,
    };
    let attempted = JournalRow { stage: JournalStage::Attempted, ..row };
    let value = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
    let (id, kind) = (attempted.id.clone(), attempted.kind.clone());
    let request = CommandRequest { id, kind, data: value(&attempted.data), by: value(&attempted.by), again };
    let answered = AssertUnwindSafe(async { handler.handle(client, request).await }).catch_unwind().await;
    let end = answered.map_or_else(
        |_| {
            tracing::error!(command = %attempted.id, "a handler panicked");
            end::panicked()
        },
        end::of,
    );
    finish(store, attempted, end).await
}

/// Notes that a command is begun, unless it was called off by now.
async fn begin(store: &Store, row: &JournalRow) -> Result<bool, StoreError> {
    let (id, is_once) = (row.id.clone(), !is_replayable(&row.kind));
    let begun = store.run(move |tx| {
        let begun = tx.begin_journal(&id)?;
        if begun && is_once {
            tx.append_stage(&id, CommandStage::Started, &CommandEnd::of(CommandStage::Started))?;
        }
        Ok(begun)
    });
    begun.await
}

/// Ends a command that was not begun; nothing happens to one that was.
async fn leave_received(store: &Store, row: JournalRow, stage: CommandStage) -> Result<(), StoreError> {
    let end = CommandEnd::of(stage);
    let done = JournalRow { stage: JournalStage::Done(end.clone()), ..row };
    let left = store.run(move |tx| match tx.journal(&done.id)? {
        Some(JournalRow { stage: JournalStage::Received, .. }) => {
            tx.put_journal(&done)?;
            tx.append_stage(&done.id, stage, &end)
        }
        _ => Ok(()),
    });
    left.await
}

/// Stores the end of a command and says it, once there is room, and without its result when that is too large after all.
async fn finish(store: &Store, row: JournalRow, mut end: CommandEnd) -> Result<(), StoreError> {
    loop {
        match store_end(store, row.clone(), end.clone()).await {
            Err(StoreError::Append(AppendError::TooLarge { .. })) if end.result.is_some() => {
                end.result = None;
            }
            Err(StoreError::Append(AppendError::Full { .. })) => tokio::time::sleep(FULL).await,
            done => return done,
        }
    }
}

/// Stores the end of a command and says it, in one transaction.
async fn store_end(store: &Store, row: JournalRow, end: CommandEnd) -> Result<(), StoreError> {
    let done = JournalRow { stage: JournalStage::Done(end.clone()), ..row };
    let stored = store.run(move |tx| {
        tx.put_journal(&done)?;
        tx.append_stage(&done.id, end.stage, &end)
    });
    stored.await
}

impl StoreTx<'_> {
    /// Appends the `command.updated` of a stage.
    fn append_stage(
        &mut self,
        id: &otter_proto::id::CommandId,
        stage: CommandStage,
        end: &CommandEnd,
    ) -> Result<(), StoreError> {
        let mut data = json!({"stage": stage});
        if let Some(result) = &end.result {
            data["result"] = result.as_str().into();
        }
        if let Some(error) = &end.error {
            data["error"] = json!({"code": error.code, "message": error.message});
        }
        let corrupt = |error: &dyn std::fmt::Display| StoreError::Corrupt(error.to_string());
        let subject = EntityId::new(id.as_str()).map_err(|error| corrupt(&error))?;
        let draft = EventDraft::new("command.updated", subject, &data).map_err(|error| corrupt(&error))?;
        self.append(&draft.caused_by(id.clone()).into_event()).map(drop)
    }
}

fn is_replayable(kind: &str) -> bool {
    catalogue::command(kind).is_some_and(|row| row.safety == Safety::Replayable)
}

/// Commands carried out at once.
const AT_ONCE: usize = 16;
/// How long handlers have to end when the client is shut down.
const GRACE: Duration = Duration::from_secs(10);
/// Pause before an end is stored again that found the outbox full.
const FULL: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use otter_proto::id::CommandId;
    use otter_proto::wire::Json;
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::handler::CommandOutcome;
    use crate::transport::MemoryHub;

    fn dispatch(n: u32) -> ClientEvent {
        ClientEvent::Dispatch(CommandDispatch {
            id: CommandId::new(&format!("c{n}")).unwrap(),
            kind: "message.send".to_owned(),
            data: Json::trusted("{}".to_owned()),
            by: Json::trusted("{}".to_owned()),
            address: None,
            ttl_ms: 60_000,
            cancel: false,
        })
    }

    /// A client that is told what a test wants, with a handler that says the ids it gets and ends when it is let go.
    fn told(
        store: &Store,
    ) -> (Client, mpsc::Sender<ClientEvent>, mpsc::UnboundedReceiver<String>, Arc<Semaphore>) {
        let (_hub, transport) = MemoryHub::new();
        let builder = Client::builder("ws://memory").transport(transport).store(store.clone());
        let (client, _) = builder.start_with_events().unwrap();
        let ((tell, events), (begin, ids)) = (mpsc::channel(32), mpsc::unbounded_channel());
        let gate = Arc::new(Semaphore::new(0));
        let held = Arc::clone(&gate);
        let handler = move |_: Client, request: CommandRequest| {
            begin.send(request.id.to_string()).unwrap();
            let held = Arc::clone(&held);
            async move {
                held.acquire_owned().await.unwrap().forget();
                CommandOutcome::completed()
            }
        };
        (spawn(client, Arc::new(handler), events), tell, ids, gate)
    }

    async fn until_received(store: &Store, n: u32) {
        let id = CommandId::new(&format!("c{n}")).unwrap();
        while store.transaction::<_, StoreError>(|tx| tx.journal(&id)).unwrap().is_none() {
            tokio::task::yield_now().await;
        }
    }

    /// Sixteen commands are being carried out and one waits when the connection ends and the next one comes.
    fn over_a_cut(store: &Store) {
        // With one thread that may block the store is asked in the order in which the tasks ask.
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().start_paused(true).max_blocking_threads(1).build().unwrap();
        runtime.block_on(async {
            let (client, tell, mut begun, gate) = told(store);
            for n in 1..=17 {
                tell.send(dispatch(n)).await.unwrap();
            }
            until_received(store, 17).await;
            for event in [ClientEvent::Lost, dispatch(17), dispatch(18)] {
                tell.try_send(event).unwrap();
            }
            until_received(store, 18).await;
            gate.add_permits(18);
            let mut all = Vec::new();
            while all.len() < 18 {
                let id = tokio::time::timeout(Duration::from_mins(1), begun.recv()).await;
                all.push(id.unwrap_or_else(|_| panic!("one of 18 is not carried out: {all:?}")).unwrap());
            }
            all.sort_by_key(|id| id[1..].parse::<u32>().unwrap());
            assert_eq!(all, (1..=18).map(|n| format!("c{n}")).collect::<Vec<_>>());
            client.shutdown().await;
            assert!(begun.try_recv().is_err(), "once");
        });
    }

    #[test]
    fn what_waits_when_a_connection_ends_is_carried_out_when_the_next_one_dispatches_it_again() {
        over_a_cut(&Store::in_memory().unwrap());
    }

    #[test]
    fn what_cannot_be_forgotten_when_a_connection_ends_goes_on_waiting() {
        let store = Store::in_memory().unwrap();
        let stuck = "CREATE TRIGGER stuck BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'stuck'); END";
        store.lock().unwrap().execute_batch(stuck).unwrap();
        over_a_cut(&store);
    }

    #[tokio::test(start_paused = true)]
    async fn an_end_waits_for_room_and_holds_up_no_shutdown() {
        let store = Store::in_memory().unwrap();
        let row = JournalRow {
            id: CommandId::new("c1").unwrap(),
            kind: "x.acme.deploy".to_owned(),
            data: "{}".to_owned(),
            by: "{}".to_owned(),
            stage: JournalStage::Attempted,
            deadline: 0,
        };
        store.transaction::<_, StoreError>(|tx| tx.put_journal(&row)).unwrap();
        let start = || {
            let (_hub, transport) = MemoryHub::new();
            let handler = |_: Client, _: CommandRequest| async { CommandOutcome::completed() };
            let builder = Client::builder("ws://memory").transport(transport).store(store.clone());
            builder.handler(handler).start().unwrap()
        };
        let begun = || store.transaction::<_, StoreError>(|tx| tx.begun_commands()).unwrap().len();
        store.limit(0);
        let client = start();
        tokio::time::sleep(FULL * 3).await;
        client.shutdown().await;
        assert_eq!((begun(), store.depth().unwrap().pending), (1, 0));
        let client = start();
        tokio::time::sleep(FULL / 2).await;
        store.limit(u64::MAX);
        tokio::time::sleep(FULL * 2).await;
        assert_eq!((begun(), store.depth().unwrap().pending), (0, 1));
        client.shutdown().await;
    }
}
