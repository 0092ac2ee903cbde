//! One port: the console, sign-in, health, and the two WebSockets.

mod assets;
mod headers;
mod health;
mod listen;
mod metrics;
mod schemas;
mod sign_in;
mod upgrade;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use tokio::sync::Semaphore;

use crate::auth::{Authenticator, Follower, PublicUrl, SecretHash};
use crate::hub::Hub;

pub use assets::Assets;
pub use health::Readiness;
pub use listen::{Peer, serve};

/// Sockets that are being refused at the same time; each takes a moment to say why.
const MAX_REFUSING: usize = 200;

/// What the routes share.
#[derive(Debug)]
pub struct App {
    /// Serves the sockets.
    pub hub: Arc<Hub>,
    /// Checks credentials.
    pub auth: Arc<Authenticator>,
    /// Takes new members to the log.
    pub follower: Follower,
    /// The address people use.
    pub public: PublicUrl,
    /// Whether the hub stands behind a proxy that it may believe about addresses.
    pub behind_proxy: bool,
    /// The console.
    pub assets: Assets,
    /// Who knows it may read the numbers for operators.
    pub metrics_token: Option<SecretHash>,
    /// Whether the hub can work.
    pub readiness: Arc<Readiness>,
    /// Bounds the sockets that are being refused.
    pub refusing: Arc<Semaphore>,
}

impl App {
    /// Room for the sockets that are being refused.
    pub fn refusing() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(MAX_REFUSING))
    }
}

/// All routes.
pub fn router(app: &Arc<App>) -> Router {
    Router::new()
        .route("/", get(assets::index))
        .route("/assets/{hash}/{*path}", get(assets::asset))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(metrics::metrics))
        .route("/schemas/v1/{name}", get(schemas::file))
        .route("/auth", get(sign_in::page))
        .route("/auth/link", post(sign_in::link))
        .route("/auth/confirm", post(sign_in::confirm))
        .route("/auth/logout", post(sign_in::logout))
        .route("/ws", get(upgrade::member))
        .route("/ws/openclaw", get(upgrade::instance))
        .layer(from_fn_with_state(Arc::clone(app), headers::secure))
        .with_state(Arc::clone(app))
}
