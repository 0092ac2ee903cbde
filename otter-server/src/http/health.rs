//! `/healthz` and `/readyz`.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::auth::{Authenticator, unix_now};
use crate::http::App;

/// The store is written at most this often to find out whether it can be.
const PROBE: Duration = Duration::from_secs(5);

/// Why the hub cannot take work; ready when there is no reason.
#[derive(Debug, Default)]
pub struct Readiness {
    reasons: Mutex<BTreeSet<&'static str>>,
    /// When the store was last written, and whether that worked.
    probed: tokio::sync::Mutex<Option<(Instant, bool)>>,
}

impl Readiness {
    /// Adds a reason.
    pub fn not_ready(&self, reason: &'static str) {
        self.reasons.lock().unwrap_or_else(PoisonError::into_inner).insert(reason);
    }

    /// The reasons, sorted.
    pub fn reasons(&self) -> Vec<&'static str> {
        self.reasons.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }

    /// Whether the store could be written within the last 5 s.
    async fn is_writable(&self, auth: &Authenticator) -> bool {
        let mut probed = self.probed.lock().await;
        if let Some((at, worked)) = *probed
            && at.elapsed() < PROBE
        {
            return worked;
        }
        let worked = matches!(auth.blocking(|store| store.probe(unix_now())).await, Ok(Ok(())));
        *probed = Some((Instant::now(), worked));
        worked
    }
}

/// The process lives.
pub(super) async fn healthz() -> Response {
    ([(CACHE_CONTROL, "no-store")], "ok\n").into_response()
}

/// The hub can take work, or says in words why not.
pub(super) async fn readyz(State(app): State<Arc<App>>) -> Response {
    #[derive(Serialize)]
    struct Answer {
        ready: bool,
        reasons: Vec<&'static str>,
    }
    let mut reasons = app.readiness.reasons();
    if !app.readiness.is_writable(&app.auth).await {
        reasons.push("the store cannot be written");
    }
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(CACHE_CONTROL, "no-store")], Json(Answer { ready: reasons.is_empty(), reasons }))
        .into_response()
}
