//! The thread that moves the write-ahead log into the file and trims what is old.

use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use otter_proto::UnixMillis;
use rusqlite::Connection;

use crate::store::sqlite::{OpenError, Retention, connect};

const CHECKPOINT_EVERY: Duration = Duration::from_millis(200);
/// Checkpoints between two looks for something to trim.
const TRIM_EVERY: u32 = 300;

/// Runs until it is dropped.
#[derive(Debug)]
pub struct Upkeep {
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Upkeep {
    /// Starts it over the store in `dir`.
    pub fn start(
        dir: &Path,
        retention: Retention,
        clock: impl Fn() -> UnixMillis + Send + 'static,
    ) -> Result<Self, OpenError> {
        let connection = connect(dir)?;
        let (stop, stopped) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("otter-upkeep".to_owned())
            .spawn(move || run(connection, retention, &clock, &stopped))
            .map_err(|source| OpenError::Thread { source })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(
    mut connection: Connection,
    retention: Retention,
    clock: &dyn Fn() -> UnixMillis,
    stopped: &Receiver<()>,
) {
    let mut rounds: u32 = 0;
    loop {
        match stopped.recv_timeout(CHECKPOINT_EVERY) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
        }
        // A failure here loses nothing: the log stays longer than it needs to, and the writer meets the same disk.
        if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
            tracing::debug!(%error, "checkpoint");
        }
        rounds += 1;
        if rounds < TRIM_EVERY {
            continue;
        }
        match retention.trim(&mut connection, clock()) {
            Ok(true) => {}
            Ok(false) => rounds = 0,
            Err(error) => {
                tracing::warn!(%error, "trimming the log");
                rounds = 0;
            }
        }
    }
}
