//! `/ws` and `/ws/openclaw`: the handshake.
//!
//! A browser cannot see why a handshake was refused and would try for ever, so a missing credential or a wrong Origin
//! is refused after the upgrade, with a frame and a close code that say what to do.

use std::future::pending;
use std::net::IpAddr;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::header::{ORIGIN, RETRY_AFTER, SEC_WEBSOCKET_PROTOCOL};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use otter_proto::error::ErrorBody;
use otter_proto::limits::SUBPROTOCOL;

use crate::auth::Admitted;
use crate::conn;
use crate::http::App;
use crate::http::listen::Peer;
use crate::ws::{instance_socket, member_socket};

type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

/// A browser.
pub(super) async fn member(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    upgrade: Upgrade,
) -> Response {
    match check(&headers, upgrade) {
        Ok(upgrade) => {
            let admitted = app.auth.member(&headers).await;
            open(&app, peer, member_socket(upgrade, &app.hub.config.connection.limits), admitted)
        }
        Err(response) => *response,
    }
}

/// A bridge.
pub(super) async fn instance(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    upgrade: Upgrade,
) -> Response {
    match check(&headers, upgrade) {
        Ok(upgrade) => {
            let admitted = app.auth.instance(&headers, client_ip(&app, &peer, &headers)).await;
            open(&app, peer, instance_socket(upgrade, &app.hub.config.connection.limits), admitted)
        }
        Err(response) => *response,
    }
}

/// What is wrong with the handshake itself is an HTTP error, in words.
fn check(headers: &HeaderMap, upgrade: Upgrade) -> Result<WebSocketUpgrade, Box<Response>> {
    let upgrade = upgrade.map_err(|rejection| Box::new(rejection.into_response()))?;
    let bad = |words: &'static str| Err(Box::new((StatusCode::BAD_REQUEST, words).into_response()));
    if headers.get_all(ORIGIN).iter().count() > 1 {
        return bad("more than one Origin header\n");
    }
    let offered = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    if !offered.flat_map(|value| value.split(',')).any(|name| name.trim() == SUBPROTOCOL) {
        return bad("offer the subprotocol otter.v1.json\n");
    }
    Ok(upgrade.protocols([SUBPROTOCOL]))
}

fn open(
    app: &Arc<App>,
    peer: Peer,
    upgrade: WebSocketUpgrade,
    admitted: Result<Admitted, ErrorBody>,
) -> Response {
    if !app.readiness.reasons().is_empty() {
        return (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")], "the hub is stopping\n")
            .into_response();
    }
    // A valid credential has its place already; who has none gets one of few to be told so.
    let refusing = admitted.is_err().then(|| Arc::clone(&app.refusing).try_acquire_owned());
    if let Some(Err(_)) = refusing {
        let words = "too many connections without a credential; try again later
";
        return (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "5")], words).into_response();
    }
    let hub = Arc::clone(&app.hub);
    let received = peer.received.clone();
    upgrade.on_failed_upgrade(|error| tracing::debug!(%error, "a handshake was not finished")).on_upgrade(
        async move |socket| {
            match admitted {
                Ok(Admitted { principal, mut end }) => {
                    conn::serve(socket, received, Ok(principal), async move { end.wait().await }, hub).await;
                }
                Err(error) => conn::serve(socket, received, Err(error), pending(), hub).await,
            }
            drop((peer, refusing));
        },
    )
}

/// The address that limits count: behind a proxy the one that the proxy saw, which it appends to `X-Forwarded-For`.
pub(super) fn client_ip(app: &App, peer: &Peer, headers: &HeaderMap) -> IpAddr {
    let forwarded = || {
        let last = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
        last.rsplit(',').next()?.trim().parse().ok()
    };
    let forwarded: Option<IpAddr> = if app.behind_proxy { forwarded() } else { None };
    forwarded.unwrap_or_else(|| peer.addr.ip())
}
