//! The end of the process: asked for by a signal, bounded in time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Signals that come this soon after the first are the first.
const SAME_SIGNAL: Duration = Duration::from_secs(1);
/// Connections may take this long to end before the log is closed under them.
const CONNECTIONS: Duration = Duration::from_secs(15);

/// Cancels `stop` at SIGTERM or ctrl-C; a second one ends the process at once.
pub(crate) async fn on_signal(stop: CancellationToken) {
    signal().await;
    tracing::info!("stopping; a second signal stops at once");
    stop.cancel();
    // A terminal and a supervisor may both pass the same wish on.
    sleep(SAME_SIGNAL).await;
    signal().await;
    tracing::warn!("stopped without waiting for open connections");
    std::process::exit(130);
}

/// Waits until all `count` places are free again, at most 15 seconds; tells whether they are.
pub(crate) async fn all_closed(places: &Arc<Semaphore>, count: usize) -> bool {
    let all = u32::try_from(count).unwrap_or(u32::MAX);
    timeout(CONNECTIONS, places.acquire_many(all)).await.is_ok()
}

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signals) => drop(signals.recv().await),
            Err(error) => {
                tracing::error!(%error, "SIGTERM is not noticed");
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        () = terminated => {}
        () = ctrl_c() => {}
    }
}

#[cfg(not(unix))]
async fn signal() {
    ctrl_c().await;
}

async fn ctrl_c() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::error!(%error, "ctrl-C is not noticed");
        std::future::pending::<()>().await;
    }
}
