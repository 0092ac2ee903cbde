//! The end of the process: asked for by a signal, bounded in time.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
#[cfg(unix)]
use tokio::signal::unix;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Signals that come this soon after the first are the first.
const SAME_SIGNAL: Duration = Duration::from_secs(1);
/// Connections may take this long to end before the log is closed under them.
const CONNECTIONS: Duration = Duration::from_secs(15);

/// Cancels `stop` at the first signal; a second one ends the process at once.
pub(crate) async fn on_signal(mut signals: Signals, stop: CancellationToken) {
    signals.next().await;
    tracing::info!("stopping; a second signal stops at once");
    stop.cancel();
    // A terminal and a supervisor may both pass the same wish on.
    sleep(SAME_SIGNAL).await;
    while signals.next().now_or_never().is_some() {}
    signals.next().await;
    tracing::warn!("stopped without waiting for open connections");
    std::process::exit(130);
}

/// Waits until all `count` places are free again, at most 15 seconds; tells whether they are.
pub(crate) async fn all_closed(places: &Arc<Semaphore>, count: usize) -> bool {
    let all = u32::try_from(count).unwrap_or(u32::MAX);
    timeout(CONNECTIONS, places.acquire_many(all)).await.is_ok()
}

/// The signals that ask the process to stop: SIGTERM and ctrl-C. Noticed from the moment this is made; until then
/// they end the process at once.
#[derive(Debug)]
pub(crate) struct Signals {
    #[cfg(unix)]
    terminate: unix::Signal,
    #[cfg(unix)]
    interrupt: unix::Signal,
}

#[cfg(unix)]
impl Signals {
    pub(crate) fn new() -> io::Result<Self> {
        let terminate = unix::signal(unix::SignalKind::terminate())?;
        Ok(Self { terminate, interrupt: unix::signal(unix::SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    pub(crate) const fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    async fn next(&mut self) {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "ctrl-C is not noticed");
            std::future::pending::<()>().await;
        }
    }
}
