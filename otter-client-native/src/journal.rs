//! The command journal: what was received, begun and done, so that no command is carried out twice unless that is
//! safe, and none disappears.

mod rows;

pub use rows::{CommandEnd, JournalRow, JournalStage};

use std::sync::Arc;

use otter_proto::catalogue::{self, Safety};
use otter_proto::frame::CommandDispatch;
use otter_proto::id::EntityId;
use otter_proto::kind::{CommandStage, StageError};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use crate::client::{Client, WeakClient};
use crate::draft::EventDraft;
use crate::error::StoreError;
use crate::events::ClientEvent;
use crate::handler::{CommandHandler, CommandOutcome, CommandRequest};
use crate::outbox::unix_ms;
use crate::store::{Store, StoreTx};

/// Carries out the commands that a client receives, until the client ends.
pub(crate) fn spawn(client: &Client, handler: Arc<dyn CommandHandler>, events: mpsc::Receiver<ClientEvent>) {
    let runner = Runner {
        client: client.downgrade(),
        store: client.store().clone(),
        handler,
        slots: Arc::new(Semaphore::new(AT_ONCE)),
        connection: watch::channel(0).0,
        running: JoinSet::new(),
    };
    tokio::spawn(runner.run(events));
}

struct Runner {
    client: WeakClient,
    store: Store,
    handler: Arc<dyn CommandHandler>,
    slots: Arc<Semaphore>,
    /// Counts connections: what waits when one ends is dispatched again on the next.
    connection: watch::Sender<u64>,
    running: JoinSet<()>,
}

impl Runner {
    async fn run(mut self, mut events: mpsc::Receiver<ClientEvent>) {
        if let Err(error) = self.recover().await {
            tracing::error!(%error, "the command journal cannot be read");
        }
        while let Some(event) = events.recv().await {
            match event {
                ClientEvent::Dispatch(command) => {
                    if let Err(error) = self.dispatched(command).await {
                        tracing::error!(%error, "a command could not be taken; the hub will dispatch it again");
                    }
                }
                ClientEvent::Lost => self.connection.send_modify(|count| *count += 1),
                ClientEvent::Online { .. }
                | ClientEvent::Restate { .. }
                | ClientEvent::DeadLetters { .. }
                | ClientEvent::Notice(_)
                | ClientEvent::Stopped { .. } => {}
            }
            while self.running.try_join_next().is_some() {}
        }
    }

    /// What was begun when the process ended is begun again if that is safe, else its outcome is unknown.
    async fn recover(&mut self) -> Result<(), StoreError> {
        let begun = self.store.run(|tx| {
            tx.forget_received()?;
            tx.begun_commands()
        });
        for row in begun.await? {
            if is_replayable(&row.kind) && row.deadline >= unix_ms() {
                self.begin(row, true);
            } else {
                finish(&self.store, row, CommandEnd::of(CommandStage::OutcomeUnknown)).await?;
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
        if command.cancel {
            return finish(&self.store, row, CommandEnd::of(CommandStage::Cancelled)).await;
        }
        let received = row.clone();
        let stored = self.store.run(move |tx| {
            tx.put_journal(&received)?;
            tx.append_stage(&received.id, CommandStage::Received, &CommandEnd::of(CommandStage::Received))
        });
        stored.await?;
        self.begin(row, false);
        Ok(())
    }

    /// Waits for a free slot, then carries the command out.
    fn begin(&mut self, row: JournalRow, again: bool) {
        let (slots, mut connection) = (Arc::clone(&self.slots), self.connection.subscribe());
        let (handler, client, store) = (Arc::clone(&self.handler), self.client.clone(), self.store.clone());
        self.running.spawn(async move {
            let id = row.id.clone();
            let slot = tokio::select! {
                biased;
                slot = slots.acquire_owned() => slot,
                _ = connection.changed(), if !again => {
                    let forgotten: Result<(), StoreError> = store.run(move |tx| tx.forget_journal(&id)).await;
                    return drop(forgotten);
                }
            };
            let (Ok(_slot), Some(client)) = (slot, client.upgrade()) else { return };
            if let Err(error) = carry_out(client, handler.as_ref(), &store, row, again).await {
                tracing::error!(%error, command = %id, "the end of a command could not be stored");
            }
        });
    }
}

async fn carry_out(
    client: Client,
    handler: &dyn CommandHandler,
    store: &Store,
    row: JournalRow,
    again: bool,
) -> Result<(), StoreError> {
    if !again && row.deadline < unix_ms() {
        return finish(store, row, CommandEnd::of(CommandStage::Expired)).await;
    }
    let attempted = JournalRow { stage: JournalStage::Attempted, ..row };
    let begun = attempted.clone();
    let stored = store.run(move |tx| {
        tx.put_journal(&begun)?;
        if is_replayable(&begun.kind) {
            return Ok::<(), StoreError>(());
        }
        tx.append_stage(&begun.id, CommandStage::Started, &CommandEnd::of(CommandStage::Started))
    });
    stored.await?;
    let value = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
    let (id, kind) = (attempted.id.clone(), attempted.kind.clone());
    let request = CommandRequest { id, kind, data: value(&attempted.data), by: value(&attempted.by), again };
    let outcome = handler.handle(client, request).await;
    finish(store, attempted, end_of(outcome)).await
}

fn end_of(outcome: CommandOutcome) -> CommandEnd {
    let told = |stage, code: String, message: String| CommandEnd {
        error: Some(StageError { code: cut(code, MAX_CODE), message: cut(message, MAX_MESSAGE) }),
        ..CommandEnd::of(stage)
    };
    match outcome {
        CommandOutcome::Completed(result) => {
            let result = result.map(|text| cut(text, MAX_RESULT));
            CommandEnd { result, ..CommandEnd::of(CommandStage::Completed) }
        }
        CommandOutcome::Failed { code, message } => told(CommandStage::Failed, code, message),
        CommandOutcome::Rejected { code, message } => told(CommandStage::Rejected, code, message),
        CommandOutcome::Unknown => CommandEnd::of(CommandStage::OutcomeUnknown),
    }
}

/// Stores the end of a command and says it, in one transaction.
async fn finish(store: &Store, row: JournalRow, end: CommandEnd) -> Result<(), StoreError> {
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

/// The longest head of `text`, on a character boundary: an end that is too long for the hub would never arrive.
fn cut(mut text: String, bytes: usize) -> String {
    if text.len() > bytes {
        let end = (0..=bytes).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
    }
    text
}

/// Commands carried out at once.
const AT_ONCE: usize = 16;
/// What is kept of the answer to a command, and of the words of a failure, in bytes.
const MAX_RESULT: usize = 256 << 10;
const MAX_CODE: usize = 64;
const MAX_MESSAGE: usize = 2 << 10;
