//! What a dialogue is started with.

use std::fmt;

use crate::openclaw::connection::handshake::token_key;
use crate::openclaw::device::{DeviceIdentity, TokenKey};

/// How to reach a gateway and as whom.
#[derive(Clone, Debug)]
pub struct GatewayConfig {
    /// Address, such as `ws://127.0.0.1:18789`.
    pub url: String,
    /// What proves that the bridge may talk to it.
    pub credentials: Credentials,
    /// Rights to ask for. Asking for more later makes the gateway replace its token, so ask for all at once.
    pub scopes: Vec<Scope>,
    /// Whether agents may wait for people's approval. Without it the gateway refuses such a command at once when nobody
    /// else can answer.
    pub approvals: bool,
    /// Operating system as the gateway records it; device tokens are bound to it.
    pub platform: String,
    /// Version of the bridge.
    pub version: String,
    /// Seed of the random part of pauses.
    pub seed: u64,
}

impl GatewayConfig {
    /// Asks for every right the bridge can use, without a shared token.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            credentials: Credentials::default(),
            scopes: vec![Scope::Read, Scope::Write, Scope::Approvals, Scope::Admin],
            approvals: true,
            platform: std::env::consts::OS.into(),
            version: env!("CARGO_PKG_VERSION").into(),
            seed: 0,
        }
    }

    /// What a device token of this configuration is bound to.
    #[must_use]
    pub fn token_key(&self, identity: &DeviceIdentity) -> TokenKey {
        token_key(self, identity)
    }
}

/// The secret of a gateway's configuration, when the bridge was given it.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// `gateway.auth.token` of the gateway.
    pub token: Option<Secret>,
}

/// A right of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// See sessions, messages and runs.
    Read,
    /// Send messages and stop runs.
    Write,
    /// See and decide approvals of this device's own runs.
    Approvals,
    /// See and decide the approvals of every run.
    Admin,
}

impl Scope {
    /// The gateway's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "operator.read",
            Self::Write => "operator.write",
            Self::Approvals => "operator.approvals",
            Self::Admin => "operator.admin",
        }
    }
}

/// Text that must not reach a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
