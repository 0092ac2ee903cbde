//! The thread that moves the write-ahead log into the file and trims what is old.

use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use otter_proto::UnixMillis;
use rusqlite::Connection;

use crate::store::sqlite::connect::BUSY_TIMEOUT;
use crate::store::sqlite::{OpenError, Retention, connect};

/// Pages that the write-ahead log may hold, 64 MiB: under load without a pause it would never be used from its start.
const LOG_PAGES: i64 = 16 << 10;
/// Then the writer and the readers may be kept waiting for this long, once per round.
const LOG_TIMEOUT: Duration = Duration::from_millis(100);
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
        if let Err(error) = checkpoint(&connection, LOG_PAGES) {
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

/// Moves what the log holds into the file beside the writer. A log of more than `most` pages is also emptied, which
/// makes the writer wait for a moment.
pub(super) fn checkpoint(connection: &Connection, most: i64) -> Result<(), rusqlite::Error> {
    let pages: i64 = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1))?;
    if pages <= most {
        return Ok(());
    }
    connection.busy_timeout(LOG_TIMEOUT)?;
    let emptied = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    connection.busy_timeout(BUSY_TIMEOUT)?;
    emptied
}
