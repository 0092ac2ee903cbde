//! What an ended attempt or link means, in words.

use std::time::Duration;

use crate::openclaw::connection::{GatewayState, handshake};
use crate::openclaw::json::Fields as _;
use crate::openclaw::rpc::RpcError;
use crate::openclaw::time::Instant;

/// Why a socket could not be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenFailure {
    /// Nothing listens there.
    Refused,
    /// The answer was an HTTP status instead of an upgrade.
    Status(u16),
    /// Anything else, in the system's words.
    Other(String),
}

/// How a socket ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseReason {
    /// Close code; 1006 when the peer vanished without one.
    pub code: u16,
    /// The peer's words.
    pub reason: String,
}

/// What an ended attempt or link means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Nobody is there.
    Offline { reason: String, refused: bool },
    /// Somebody is there but not ready.
    Waking { reason: String, retry_after: Option<Duration> },
    /// The stored device token is worthless; try again without it.
    DropToken { reason: String },
    /// A person has to approve the device.
    Pairing { request_id: Option<String>, reason: String },
    /// A person has to change something.
    Refused { reason: String, retry_after: Option<Duration> },
}

impl Failure {
    pub(super) fn of_open(why: &OpenFailure, url: &str) -> Self {
        match why {
            OpenFailure::Refused => {
                Self::Offline { reason: format!("no gateway listens at {url}"), refused: true }
            }
            OpenFailure::Status(503) => waking("the gateway is starting"),
            OpenFailure::Status(status) => Self::Offline {
                reason: format!(
                    "{url} answered HTTP {status} instead of opening a WebSocket; is that the gateway?"
                ),
                refused: false,
            },
            OpenFailure::Other(words) => {
                Self::Offline { reason: format!("{url} could not be reached: {words}"), refused: false }
            }
        }
    }

    pub(super) fn of_close(why: &CloseReason, was_ready: bool, stopping: bool) -> Self {
        if let Some(request_id) = request_id_in(&why.reason) {
            return pairing(Some(request_id));
        }
        match why.code {
            1012 if stopping => Self::Offline { reason: "the gateway was stopped".into(), refused: false },
            1012 => waking("the gateway is restarting"),
            1013 => waking("the gateway is busy or starting"),
            1000 if !was_ready => waking("the gateway gave up on the handshake; it is busy or starting"),
            1002 if !was_ready => Self::protocol(None),
            1008 if !was_ready => Self::Refused {
                reason: format!("the gateway refused the bridge: {}", why.reason),
                retry_after: None,
            },
            code => Self::Offline { reason: closed(code, &why.reason), refused: false },
        }
    }

    pub(super) fn of_connect(error: &RpcError, used_device_token: bool) -> Self {
        let RpcError::Refused { code, message, retryable, retry_after, details } = error else {
            return Self::unanswered();
        };
        let retry_after = *retry_after;
        match error.code() {
            "PAIRING_REQUIRED" | "NOT_PAIRED" => pairing(details.owned("requestId")),
            "AUTH_DEVICE_TOKEN_MISMATCH" | "AUTH_SCOPE_MISMATCH" | "AUTH_TOKEN_MISMATCH"
                if used_device_token =>
            {
                Self::DropToken { reason: "the gateway no longer accepts the stored device token".into() }
            }
            "AUTH_TOKEN_MISSING" => refused(
                "the gateway wants its token: start the bridge with --gateway-token (gateway.auth.token of the \
                 gateway's configuration)",
                retry_after,
            ),
            "AUTH_TOKEN_MISMATCH" => refused(
                "the gateway token is wrong: --gateway-token must be gateway.auth.token of the gateway's \
                 configuration",
                retry_after,
            ),
            "PROTOCOL_MISMATCH" => Self::protocol(details.int("expectedProtocol")),
            _ if message.contains("protocol mismatch") => Self::protocol(details.int("expectedProtocol")),
            _ if *retryable || code == "UNAVAILABLE" => {
                Self::Waking { reason: format!("the gateway is not ready: {message}"), retry_after }
            }
            _ => refused(&format!("the gateway refused the bridge: {message}"), retry_after),
        }
    }

    pub(super) fn protocol(spoken: Option<u64>) -> Self {
        let spoken =
            spoken.map_or("another wire protocol".into(), |protocol| format!("wire protocol {protocol}"));
        let wanted = handshake::PROTOCOL;
        refused(
            &format!(
                "this gateway speaks {spoken}, the bridge needs {wanted}: OpenClaw 2026.9 or newer does (npm install \
                 -g openclaw@latest)"
            ),
            None,
        )
    }

    pub(super) fn silent() -> Self {
        Self::Offline { reason: "the gateway fell silent".into(), refused: false }
    }

    pub(super) fn unanswered() -> Self {
        waking("the gateway did not answer the handshake in two minutes")
    }

    /// Close code for a socket that this side gives up; 4000 says that the gateway was silent.
    pub(super) fn close_code(&self) -> u16 {
        if *self == Self::silent() { 4000 } else { 1000 }
    }

    pub(super) fn drops_token(&self) -> bool {
        matches!(self, Self::DropToken { .. })
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Waking { retry_after, .. } | Self::Refused { retry_after, .. } => *retry_after,
            Self::Offline { .. } | Self::DropToken { .. } | Self::Pairing { .. } => None,
        }
    }

    pub(super) fn state(&self, at: Instant) -> GatewayState {
        match self {
            Self::Offline { .. } | Self::Waking { .. } | Self::DropToken { .. } => GatewayState::Retry(at),
            Self::Pairing { request_id, .. } => GatewayState::Pairing { request_id: request_id.clone(), at },
            Self::Refused { reason, .. } => GatewayState::Fatal { reason: reason.clone(), at },
        }
    }
}

fn waking(reason: &str) -> Failure {
    Failure::Waking { reason: reason.into(), retry_after: None }
}

fn refused(reason: &str, retry_after: Option<Duration>) -> Failure {
    Failure::Refused { reason: reason.into(), retry_after }
}

fn pairing(request_id: Option<String>) -> Failure {
    let command = request_id.as_deref().map_or_else(
        || "openclaw devices list, then openclaw devices approve <requestId>".to_owned(),
        |id| format!("openclaw devices approve {id}"),
    );
    let reason = format!("this device has to be approved once; on the gateway's machine run: {command}");
    Failure::Pairing { request_id, reason }
}

fn request_id_in(reason: &str) -> Option<String> {
    let rest = reason.strip_prefix("pairing required")?;
    let (_, rest) = rest.split_once("requestId: ")?;
    rest.split(')').next().filter(|id| !id.is_empty()).map(str::to_owned)
}

fn closed(code: u16, reason: &str) -> String {
    match (code, reason) {
        (1006, _) => "the connection to the gateway broke".into(),
        (_, "") => format!("the gateway closed the connection ({code})"),
        _ => format!("the gateway closed the connection ({code}: {reason})"),
    }
}
