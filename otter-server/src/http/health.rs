//! `/healthz` and `/readyz`.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::http::App;

/// Why the hub cannot take work; ready when there is no reason.
#[derive(Debug, Default)]
pub struct Readiness(Mutex<BTreeSet<&'static str>>);

impl Readiness {
    /// Adds a reason.
    pub fn not_ready(&self, reason: &'static str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(reason);
    }

    /// Takes a reason away.
    pub fn ready(&self, reason: &'static str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(reason);
    }

    /// The reasons, sorted.
    pub fn reasons(&self) -> Vec<&'static str> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
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
    let store = app.auth.blocking(crate::auth::CredentialStore::public_url).await;
    if !matches!(store, Ok(Ok(_))) {
        reasons.push("the store does not answer");
    }
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(CACHE_CONTROL, "no-store")], Json(Answer { ready: reasons.is_empty(), reasons }))
        .into_response()
}
