//! `/auth`: one page for every link, a button that uses it, and signing out.
//!
//! The token is in the fragment, which browsers never send: only the button's POST carries it. Whatever only looks at
//! the link (a mail scanner, a preview, a prefetch) uses nothing up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Extension;
use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use otter_proto::error::{ErrorBody, ErrorCode};
use serde::Deserialize;
use serde_json::json;

use crate::auth::{EndReason, LinkError, Secret, SessionCookie, unix_now};
use crate::http::headers::check_same_origin;
use crate::http::listen::Peer;
use crate::http::{App, assets, upgrade};

/// The longest body of a request here, in bytes.
const MAX_BODY: usize = 4 << 10;
/// How long a body may take.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the answer waits for the log to know a new member; the log hears of it in any case.
const ANNOUNCE: Duration = Duration::from_secs(2);

#[derive(Deserialize)]
struct LinkBody {
    token: String,
}

#[derive(Deserialize)]
struct ConfirmBody {
    token: String,
    name: Option<String>,
}

/// The page that a link opens.
pub(super) async fn page(State(app): State<Arc<App>>) -> Response {
    assets::sign_in_page(&app.assets)
}

/// Says what a link is for, without using it.
pub(super) async fn link(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Result<Response, Answer> {
    let from = guard(&app, &peer, &request)?;
    let body: LinkBody = read(request.into_body()).await?;
    let secret = Secret::presented(&body.token);
    let offer = app.auth.blocking(move |store| store.peek_link(&secret, unix_now())).await?;
    let offer = offer.map_err(|error| refused(&app, &from, error))?;
    let text = json!({ "purpose": offer.purpose, "name": offer.name, "role": offer.role });
    Ok(([(CACHE_CONTROL, "no-store")], Json(text)).into_response())
}

/// Uses a link: makes the member it promises, a session and its cookie.
pub(super) async fn confirm(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Result<Response, Answer> {
    let from = guard(&app, &peer, &request)?;
    let earlier = app.auth.cookie().read(request.headers());
    let body: ConfirmBody = read(request.into_body()).await?;
    let secret = Secret::presented(&body.token);
    let redeem = move |store: &crate::auth::CredentialStore| {
        store.redeem_link(&secret, body.name.as_deref(), unix_now())
    };
    let redeemed = app.auth.blocking(redeem).await?.map_err(|error| refused(&app, &from, error))?;
    // The link is used up: from here on nothing may keep the new cookie from its browser.
    if let Some(earlier) = earlier
        && let Err(error) = end_session(&app, earlier).await
    {
        tracing::warn!(code = error.code, "the earlier session of a browser goes on");
    }
    let announced = tokio::time::timeout(ANNOUNCE, app.follower.announce()).await;
    if !matches!(announced, Ok(Ok(()))) {
        app.follower.changed();
    }
    tracing::info!(member = %redeemed.member.id, role = %redeemed.member.role, "signed in");
    let cookie = app.auth.cookie().set(&redeemed.cookie, crate::auth::SESSION_MAX_AGE_S);
    let text = json!({ "member": redeemed.member.id, "name": redeemed.member.name });
    Ok(([(SET_COOKIE, cookie), (CACHE_CONTROL, "no-store".into())], Json(text)).into_response())
}

/// Ends the session of this browser and closes its sockets.
pub(super) async fn logout(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Answer> {
    check_same_origin(app.auth.origins(), &headers).map_err(Answer::from)?;
    if let Some(cookie) = app.auth.cookie().read(&headers) {
        end_session(&app, cookie).await?;
    }
    let clear = app.auth.cookie().clear();
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, clear), (CACHE_CONTROL, "no-store".into())]).into_response())
}

/// Ends a session, if the cookie proves that it is one.
async fn end_session(app: &App, cookie: SessionCookie) -> Result<(), Answer> {
    let id = cookie.id.clone();
    if app.auth.session(cookie).await.is_err() {
        return Ok(());
    }
    let ended =
        app.auth.blocking(move |store| store.end_session(&id, EndReason::SignedOut, unix_now())).await?;
    ended.map_err(|error| Answer::from(crate::auth::store_error(&error)))?;
    app.follower.changed();
    Ok(())
}

/// Checks origin and rate; gives the key that counts failures.
fn guard(app: &App, peer: &Peer, request: &Request) -> Result<String, Answer> {
    check_same_origin(app.auth.origins(), request.headers())?;
    let from = format!("link {}", upgrade::client_ip(app, peer, request.headers()));
    match app.auth.attempts().blocked(&from, Instant::now()) {
        Some(wait) => Err(Answer {
            retry_after_s: Some(wait.as_secs() + 1),
            ..Answer::new(StatusCode::TOO_MANY_REQUESTS, "rateLimited", "too many wrong links; wait a minute")
        }),
        None => Ok(from),
    }
}

async fn read<T: for<'de> Deserialize<'de>>(body: Body) -> Result<T, Answer> {
    let bytes = tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, MAX_BODY))
        .await
        .map_err(|_| Answer::new(StatusCode::REQUEST_TIMEOUT, "badFrame", "the request took too long"))?
        .map_err(|_| Answer::new(StatusCode::PAYLOAD_TOO_LARGE, "tooLarge", "the request is too long"))?;
    serde_json::from_slice(&bytes)
        .map_err(|_| Answer::new(StatusCode::BAD_REQUEST, "badFrame", "send {\"token\": \"…\"} as JSON"))
}

fn refused(app: &App, from: &str, error: LinkError) -> Answer {
    match error {
        LinkError::Unknown => {
            app.auth.attempts().failed(from, Instant::now());
            Answer::new(StatusCode::UNAUTHORIZED, "authRequired", &error.to_string())
        }
        LinkError::Used | LinkError::Expired | LinkError::HasOwner => {
            Answer::new(StatusCode::GONE, "expired", &error.to_string())
        }
        LinkError::Store(error) => crate::auth::store_error(&error).into(),
    }
}

/// An error as the page shows it: `{code, message}`.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    code: String,
    message: String,
    retry_after_s: Option<u64>,
}

impl Answer {
    fn new(status: StatusCode, code: &str, message: &str) -> Self {
        Self { status, code: code.to_owned(), message: message.to_owned(), retry_after_s: None }
    }
}

impl From<ErrorBody> for Answer {
    fn from(error: ErrorBody) -> Self {
        let status =
            if error.retryable { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::INTERNAL_SERVER_ERROR };
        Self::new(status, error.code.as_str(), &error.message)
    }
}

impl From<crate::http::headers::Refusal> for Answer {
    fn from((status, message): crate::http::headers::Refusal) -> Self {
        Self::new(status, ErrorCode::BadOrigin.as_str(), message)
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let body = Json(json!({ "code": self.code, "message": self.message }));
        let mut response = (self.status, [(CACHE_CONTROL, "no-store")], body).into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        debug_assert!(response.headers().contains_key(CONTENT_TYPE));
        response
    }
}
