//! What the doctor says of a gateway.

use std::time::Duration;

use otter_client_native::bridge::doctor::{GatewayFacts, look_at_gateway};
use otter_client_native::openclaw::{DeviceIdentity, GatewayConfig, Scope, Secret};

use crate::gateway::Gateway;

async fn words(url: &str, scopes: Vec<Scope>) -> String {
    words_within(url, scopes, Duration::from_mins(1)).await
}

async fn words_within(url: &str, scopes: Vec<Scope>, patience: Duration) -> String {
    let mut config = GatewayConfig::new(url);
    config.credentials.token = Some(Secret::new("shared"));
    config.scopes = scopes;
    let identity = DeviceIdentity::from_seed(&[7; 32]);
    let findings = look_at_gateway(config, identity, None, patience).await;
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_gateway_is_described_by_what_it_lets_the_bridge_do() {
    let gateway = Gateway::start("b1").await;
    let all = vec![Scope::Read, Scope::Write, Scope::Approvals, Scope::Admin];
    let url = &gateway.url;
    let gateway = format!("ok   gateway  {url} (OpenClaw 2026.9.6) lets the bridge in");
    let rest =
        "ok   approvals the bridge sees every approval of this gateway\nok   feed     agents can push items";
    assert_eq!(words(url, all).await, format!("{gateway}\n{rest}"));
    let own = words(url, vec![Scope::Read, Scope::Write, Scope::Approvals]).await;
    assert!(
        own.contains("note approvals the bridge sees only approvals of messages that were sent through it"),
        "{own}"
    );
    assert!(own.contains("note reset    sessions cannot be reset"), "{own}");
    let none = words(url, vec![Scope::Read, Scope::Write]).await;
    assert!(none.contains("note approvals the bridge sees none"), "{none}");
    let watching = words(url, vec![Scope::Read]).await;
    assert!(watching.starts_with("FAIL") && watching.contains("watch only"), "{watching}");
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let gateway = Gateway::start("b1").await;
    let pairing = serde_json::json!({"code": "NOT_PAIRED", "message": "pairing required",
        "details": {"code": "PAIRING_REQUIRED", "requestId": "req-1"}});
    gateway.refuse("connect", pairing);
    let unpaired = words(&gateway.url, vec![Scope::Read]).await;
    assert!(unpaired.contains("openclaw devices approve req-1"), "{unpaired}");
    gateway.swallow("connect", true);
    let silent = words_within(&gateway.url, vec![Scope::Read], Duration::from_secs(1)).await;
    assert!(silent.contains("has not answered in 1 s"), "{silent}");
    let absent = words("ws://127.0.0.1:9", vec![Scope::Read]).await;
    assert!(absent.contains("no gateway listens at ws://127.0.0.1:9"), "{absent}");
}

#[test]
fn a_missing_feed_plugin_is_named_with_the_command_that_installs_it() {
    let facts = GatewayFacts { scopes: vec!["operator.write".into()], feed: false };
    let words: Vec<String> = facts.findings().iter().map(ToString::to_string).collect();
    let feed = words.iter().find(|words| words.contains("feed")).unwrap();
    assert!(
        feed.starts_with("note")
            && feed.contains("openclaw plugins install ./otter-client-native/openclaw-plugin"),
        "{feed}"
    );
}
