//! `/metrics`: numbers for operators, never public by accident.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::auth::{Origin, Secret};
use crate::http::App;
use crate::http::listen::Peer;
use crate::metrics::Gauges;

/// The numbers, for who holds the token; without a token, for this machine only.
pub(super) async fn metrics(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Response {
    match &app.metrics_token {
        Some(token) if !bearer(&headers).is_some_and(|given| token.matches(&given)) => {
            let words = "give the token of --metrics-token as a bearer token\n";
            (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer")], words).into_response()
        }
        // Behind a proxy everybody comes from this machine.
        None if app.behind_proxy || !is_local(&peer, &headers) => StatusCode::NOT_FOUND.into_response(),
        Some(_) | None => {
            let kind = (CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
            ([kind, (CACHE_CONTROL, "no-store")], text(&app).await).into_response()
        }
    }
}

async fn text(app: &App) -> String {
    let hub = &app.hub;
    let mut open_commands = Some(0);
    for org in hub.fanout.orgs() {
        let counted = hub.read(move |reader| reader.open_commands(&org)).await;
        open_commands = open_commands.zip(counted.ok()).map(|(sum, more)| sum + more);
    }
    hub.metrics().text(Gauges { log_queue_bytes: hub.log.queued_bytes(), open_commands })
}

/// Whether a program of this machine asks. A page of another name that was made to lead here is none.
fn is_local(peer: &Peer, headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let origin = host.and_then(|host| Origin::parse(&format!("http://{host}")).ok());
    peer.addr.ip().is_loopback() && origin.is_some_and(|origin| origin.is_loopback())
}

fn bearer(headers: &HeaderMap) -> Option<Secret> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Secret::presented(token.trim()))
}
