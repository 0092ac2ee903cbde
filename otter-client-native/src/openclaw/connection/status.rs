//! What people are told about the link, steadier than the state of the dialogue.

use std::time::Duration;

use serde_json::{Value, json};

use crate::openclaw::connection::failure::Failure;
use crate::openclaw::time::{Instant, Now, UnixMillis, later};

/// The link to the gateway as `instance.updated{gateway}` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayStatus {
    /// One of `connecting`, `online`, `waking`, `offline`, `pairing`, `refused`.
    pub state: &'static str,
    /// Why, in words for the person who runs the gateway.
    pub reason: Option<String>,
    /// The pairing request that waits for approval.
    pub request_id: Option<String>,
    /// Version of the gateway, once known.
    pub version: Option<String>,
    /// Boot of the gateway, once known.
    pub boot_id: Option<String>,
    /// Since when.
    pub since: UnixMillis,
}

impl GatewayStatus {
    /// The value of `gateway` in `instance.updated`; what does not apply is null, so that it does not linger.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "state": self.state,
            "reason": self.reason,
            "requestId": self.request_id,
            "version": self.version,
            "bootId": self.boot_id,
            "since": self.since,
        })
    }
}

/// The status and what decides how the next failure is shown.
#[derive(Debug)]
pub(super) struct Shown {
    status: GatewayStatus,
    /// While a restart may still be under way, refused connections mean that the gateway wakes up.
    waking_until: Option<Instant>,
}

impl Default for Shown {
    fn default() -> Self {
        let status = GatewayStatus {
            state: "",
            reason: None,
            request_id: None,
            version: None,
            boot_id: None,
            since: UnixMillis(0),
        };
        Self { status, waking_until: None }
    }
}

impl Shown {
    pub(super) fn status(&self) -> &GatewayStatus {
        &self.status
    }

    pub(super) fn connecting(&mut self) {
        self.set("connecting", None);
    }

    pub(super) fn waking(&mut self, reason: &str) {
        self.set("waking", Some(reason.into()));
    }

    pub(super) fn online(&mut self, version: Option<String>, boot_id: Option<String>) {
        self.waking_until = None;
        self.set("online", None);
        self.status.version = version;
        self.status.boot_id = boot_id;
    }

    pub(super) fn failed(&mut self, failure: &Failure, now: Now) {
        let restarting = self.waking_until.is_some_and(|until| now.at < until);
        match failure {
            Failure::Waking { reason, .. } => {
                self.waking_until = self.waking_until.or(Some(later(now.at, RESTART)));
                self.set("waking", Some(reason.clone()));
            }
            Failure::Offline { reason, refused: true } if restarting => {
                self.set("waking", Some(format!("{reason}; it is restarting")));
            }
            Failure::Offline { reason, .. } => self.set("offline", Some(reason.clone())),
            Failure::DropToken { reason } => self.set("connecting", Some(reason.clone())),
            Failure::Pairing { request_id, reason } => {
                self.set("pairing", Some(reason.clone()));
                self.status.request_id.clone_from(request_id);
            }
            Failure::Refused { reason, .. } => self.set("refused", Some(reason.clone())),
        }
    }

    /// Whether a slow attempt may be shown as waking; what needs a person stays on display.
    pub(super) fn may_wake(&self) -> bool {
        matches!(self.status.state, "connecting" | "offline")
    }

    /// The status when it differs from `before`, stamped with the time.
    pub(super) fn changed(&mut self, before: &GatewayStatus, now: UnixMillis) -> Option<GatewayStatus> {
        if self.status == *before {
            return None;
        }
        if self.status.state != before.state {
            self.status.since = now;
        }
        Some(self.status.clone())
    }

    fn set(&mut self, state: &'static str, reason: Option<String>) {
        self.status.state = state;
        self.status.reason = reason;
        self.status.request_id = None;
    }
}

const RESTART: Duration = Duration::from_mins(5);
