//! What is said to a gateway that challenges, and what it says when it is content.

use std::time::Duration;

use serde_json::{Value, json};

use crate::openclaw::connection::config::{GatewayConfig, Scope, Secret};
use crate::openclaw::device::{DeviceIdentity, DeviceToken, SignedConnect, TokenKey};
use crate::openclaw::json::Fields as _;

/// The wire protocol this dialogue speaks.
pub(super) const PROTOCOL: u64 = 4;

const CLIENT_ID: &str = "gateway-client";
const CLIENT_MODE: &str = "ui";
const DEVICE_FAMILY: &str = "desktop";
const ROLE: &str = "operator";

/// What the gateway said when it let the bridge in.
#[derive(Clone, Debug, PartialEq)]
pub struct Hello {
    /// Wire protocol.
    pub protocol: u64,
    /// Version of the gateway.
    pub version: Option<String>,
    /// Changes with each start of the gateway.
    pub boot_id: Option<String>,
    /// Rights that were granted.
    pub scopes: Vec<String>,
    /// Methods that this gateway has.
    pub methods: Vec<String>,
    /// A token that replaces the shared one at the next start.
    pub device_token: Option<DeviceToken>,
    /// How often the gateway says something at least.
    pub tick: Duration,
    /// Longest message the gateway takes, in bytes.
    pub max_payload: u64,
}

impl Hello {
    pub(super) fn read(payload: &Value) -> Self {
        let (server, auth, policy) =
            (payload.field("server"), payload.field("auth"), payload.field("policy"));
        let scopes = texts(auth.items("scopes"));
        let tick = policy.int("tickIntervalMs").unwrap_or(30_000).clamp(1_000, 300_000);
        Self {
            protocol: payload.int("protocol").unwrap_or_default(),
            version: server.owned("version"),
            boot_id: server.owned("bootId"),
            methods: texts(payload.field("features").items("methods")),
            device_token: auth
                .text("deviceToken")
                .map(|token| DeviceToken { token: Secret::new(token), scopes: scopes.clone() }),
            scopes,
            tick: Duration::from_millis(tick),
            max_payload: policy.int("maxPayload").unwrap_or(26_214_400),
        }
    }
}

/// What a device token of this configuration is bound to.
pub(super) fn token_key(config: &GatewayConfig, identity: &DeviceIdentity) -> TokenKey {
    TokenKey {
        gateway_url: config.url.clone(),
        device_id: identity.id(),
        client_id: CLIENT_ID.into(),
        role: ROLE.into(),
    }
}

/// Parameters of `connect`, and whether they rest on the device token.
pub(super) fn connect(
    config: &GatewayConfig,
    identity: &DeviceIdentity,
    token: Option<&DeviceToken>,
    nonce: &str,
    ts: u64,
) -> (Value, bool) {
    let scopes: Vec<&str> = config.scopes.iter().copied().map(Scope::as_str).collect();
    let covers =
        |token: &&DeviceToken| scopes.iter().all(|scope| token.scopes.iter().any(|has| has == scope));
    let device_token = token.filter(covers).map(|token| token.token.reveal());
    let shared = config.credentials.token.as_ref().map(Secret::reveal);
    let secret = device_token.or(shared).or(token.map(|token| token.token.reveal()));
    let uses_device_token = secret.is_some() && (device_token.is_some() || shared.is_none());
    let signature = identity.sign(&SignedConnect {
        client_id: CLIENT_ID,
        client_mode: CLIENT_MODE,
        role: ROLE,
        scopes: &scopes,
        signed_at: ts,
        token: secret.unwrap_or_default(),
        nonce,
        platform: &config.platform,
        device_family: DEVICE_FAMILY,
    });
    let mut params = json!({
        "minProtocol": PROTOCOL,
        "maxProtocol": PROTOCOL,
        "client": {
            "id": CLIENT_ID,
            "version": config.version,
            "platform": config.platform,
            "mode": CLIENT_MODE,
            "deviceFamily": DEVICE_FAMILY,
            "displayName": "otter bridge",
        },
        "role": ROLE,
        "scopes": scopes,
        "caps": capabilities(config),
        "locale": "en-US",
        "userAgent": format!("otter-bridge/{}", config.version),
        "device": {
            "id": identity.id(),
            "publicKey": identity.public_key(),
            "signature": signature,
            "signedAt": ts,
            "nonce": nonce,
        },
    });
    if let (Some(fields), Some(secret)) = (params.as_object_mut(), secret) {
        fields.insert("auth".into(), json!({"token": secret}));
    }
    (params, uses_device_token)
}

fn texts(items: &[Value]) -> Vec<String> {
    items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// What the bridge can take from the gateway.
fn capabilities(config: &GatewayConfig) -> Vec<&'static str> {
    let approvals = config.approvals && config.scopes.contains(&Scope::Approvals);
    [Some("tool-events"), approvals.then_some("approvals")].into_iter().flatten().collect()
}
