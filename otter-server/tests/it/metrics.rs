//! The numbers for operators.

use otter_server::auth::{PublicUrl, Secret};
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::hub::harness::{Peer, event, hello, publish};
use crate::net::{Hub, open};

/// The numbers without the times, which differ.
async fn numbers(hub: &Hub) -> Vec<String> {
    let answer = hub.get("/metrics").await;
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let lines = answer.body.lines().filter(|line| !line.starts_with('#') && !line.contains("fsync"));
    lines.filter(|line| !line.ends_with(" 0")).map(str::to_owned).collect()
}

#[tokio::test]
async fn the_numbers_count_what_happened() {
    let hub = Hub::start().await;
    let cookie = hub.owner().await;
    let _browser = open(&hub, &cookie).await;
    let bearer = format!("Bearer {}", hub.instance());
    let socket = hub.socket("/ws/openclaw", &[("authorization", &bearer)]).await;
    let mut bridge = Peer::over(socket);
    bridge.send(&hello(&["b1"])).await;
    let id = bridge.frame("welcome").await["principal"]["id"].as_str().unwrap().to_owned();
    let agent =
        |of: &str| event("agent.upserted", &format!("{of}:a"), json!({"instanceId": of, "name": "A"}));
    bridge.send(&publish(1, &[agent(&id), agent("in_x")])).await;
    bridge.frame("published").await;
    bridge.send(&json!({"type": "fly"})).await;
    bridge.frame("error").await;
    let counted = numbers(&hub).await;
    assert_eq!(
        counted,
        [
            "otter_connections{role=\"instance\"} 1",
            "otter_connections{role=\"owner\"} 1",
            "otter_commits_total 3",
            "otter_events_total 3",
            "otter_published_total 1",
            "otter_rejected_total 1",
            "otter_refused_frames_total 1",
        ]
    );
}

#[tokio::test]
async fn the_numbers_are_for_this_machine_or_for_who_holds_the_token() {
    let metrics = async |hub: &Hub, headers: &[(&str, &str)]| {
        let answer = hub.request("GET", "/metrics", headers, "").await;
        (answer.status, answer.body.contains("otter_connections"))
    };
    let hub = Hub::start().await;
    for host in ["localhost:1", "127.0.0.1", "[::1]:4200"] {
        assert_eq!(metrics(&hub, &[("host", host)]).await, (200, true), "{host}");
    }
    for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", ""] {
        assert_eq!(metrics(&hub, &[("host", host)]).await, (404, false), "{host}");
    }
    let proxied = |config: &mut otter_server::config::Config| {
        config.behind_proxy = true;
        config.public_url = Some(PublicUrl::parse("https://otter.example").unwrap());
    };
    let hub = Hub::start_with(proxied).await;
    for headers in [&[][..], &[("authorization", "Bearer ")], &[("x-forwarded-for", "127.0.0.1")]] {
        assert_eq!(metrics(&hub, headers).await, (404, false), "{headers:?}");
    }
    let hub = Hub::start_with(|config| {
        proxied(config);
        config.metrics_token = Some(Secret::presented("0123456789abcdef"));
    })
    .await;
    for wrong in ["Bearer 0123456789abcdeg", "Bearer", "Basic 0123456789abcdef", "0123456789abcdef"] {
        assert_eq!(metrics(&hub, &[("authorization", wrong)]).await, (401, false), "{wrong}");
    }
    assert_eq!(metrics(&hub, &[]).await, (401, false));
    assert_eq!(metrics(&hub, &[("authorization", "bearer 0123456789abcdef")]).await, (200, true));
}
