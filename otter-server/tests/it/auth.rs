//! Credentials: who gets in, who does not, and who is thrown out.

use std::fs;
use std::time::{Duration, Instant};

use otter_server::auth::{EndReason, Origin, PublicUrl, unix_now};
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::net::{Hub, LONG, SOON, attempt, ended, greeted, invitation, open, refusal};

#[tokio::test]
async fn pages_of_other_origins_are_refused_with_a_valid_cookie() {
    let public = "https://otter.example";
    let hub = Hub::start_with(|config| {
        config.public_url = Some(PublicUrl::parse(public).unwrap());
        config.allow_origins = vec![Origin::parse("https://camp.example").unwrap()];
    })
    .await;
    let token = hub.setup.clone().unwrap();
    let headers = [("origin", public), ("content-type", "application/json")];
    let answer = hub.request("POST", "/auth/confirm", &headers, &json!({ "token": token }).to_string()).await;
    let cookie = answer.cookie();
    for origin in [
        "https://evil.example",
        "null",
        "https://otter.example.evil.example",
        "https://evilotter.example",
        "http://otter.example",
        "https://otter.example:8443",
        "https://otter.example.",
        "https://otter.example/",
        "https://xn--tter-jua.example",
        "http://localhost:4200",
    ] {
        let got = hub.refused("/ws", &[("origin", origin), ("cookie", &cookie)]).await;
        assert_eq!(got, refusal(4202, "badOrigin"), "{origin}");
        let got = hub.refused("/ws/openclaw", &[("origin", origin), ("cookie", &cookie)]).await;
        assert_eq!(got, refusal(4202, "badOrigin"), "{origin}");
    }
    assert_eq!(hub.refused("/ws", &[("cookie", &cookie)]).await, refusal(4202, "badOrigin"));
    let bearer = format!("Bearer {}", hub.instance());
    let got = hub.refused("/ws/openclaw", &[("origin", public), ("authorization", &bearer)]).await;
    assert_eq!(got, refusal(4202, "badOrigin"));
    for origin in [public, "https://OTTER.example", "https://camp.example"] {
        hub.socket("/ws", &[("origin", origin), ("cookie", &cookie)]).await;
    }
}

#[tokio::test]
async fn a_missing_or_wrong_session_is_refused_after_the_upgrade() {
    let hub = Hub::start().await;
    let cookie = hub.owner().await;
    let (name, value) = cookie.split_once('=').unwrap();
    let (id, secret) = value.split_once('.').unwrap();
    let origin = hub.origin();
    let unknown = refusal(4200, "authRequired");
    assert_eq!(hub.refused("/ws", &[("origin", &origin)]).await, unknown);
    assert_eq!(
        hub.refused(&format!("/ws?token={value}&otter={value}"), &[("origin", &origin)]).await,
        unknown
    );
    for wrong in [
        format!("otter={value}"),
        format!("otter_dev={value}"),
        format!("{name}={id}.{}{}", if secret.starts_with('A') { 'B' } else { 'A' }, &secret[1..]),
        format!("{name}=se_unknown.{secret}"),
        format!("{name}={id}"),
        format!("{name}="),
    ] {
        assert_eq!(attempt(&hub, &wrong).await, unknown, "{wrong}");
    }
    open(&hub, &cookie).await;
}

#[tokio::test]
async fn sessions_expire_when_unused_and_in_any_case() {
    let hub = Hub::start().await;
    let cookie = hub.owner().await;
    let day = 86_400_000_u64;
    let now = unix_now().0;
    hub.sql(&format!("UPDATE auth_sessions SET seen_at = {}", now - 14 * day));
    assert_eq!(attempt(&hub, &cookie).await, refusal(4201, "authExpired"));
    hub.sql(&format!("UPDATE auth_sessions SET seen_at = {}", now - 13 * day));
    open(&hub, &cookie).await;
    // That use counts: the session is young again, and would end only by its absolute age.
    let young = format!("SELECT count(*) FROM auth_sessions WHERE seen_at > {}", now - day);
    until(|| hub.count(&young) == 1).await;
    hub.sql(&format!("UPDATE auth_sessions SET expires_at = {}", unix_now().0 + 1_500));
    let mut socket = greeted(open(&hub, &cookie).await, &[]).await;
    assert_eq!(ended(&mut socket).await.0, 4201);
    assert_eq!(attempt(&hub, &cookie).await, refusal(4201, "authExpired"));
}

#[tokio::test]
async fn signing_out_closes_every_tab_of_the_session_and_no_other() {
    let hub = Hub::start().await;
    let (ada, ann) = (hub.owner().await, hub.sign_in(&hub.link(&invitation()), "").await);
    let page = async |cookie: &str| greeted(open(&hub, cookie).await, &[]).await;
    let (mut one, mut two, mut other) = (page(&ada).await, page(&ada).await, page(&ann).await);
    let answer = hub.post("/auth/logout", &[("cookie", &ada)], json!({})).await;
    let cleared = "__Host-otter=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax";
    assert_eq!((answer.status, answer.header("set-cookie")), (204, Some(cleared)));
    let start = Instant::now();
    assert_eq!((ended(&mut one).await.0, ended(&mut two).await.0), (4200, 4200));
    assert!(start.elapsed() < SOON);
    assert_eq!(attempt(&hub, &ada).await, refusal(4200, "authRequired"));
    hub.post("/auth/logout", &[("cookie", &ann)], json!({})).await;
    assert_eq!(ended(&mut other).await.0, 4200);
}

#[tokio::test]
async fn what_the_command_line_revokes_is_closed_at_once() {
    let hub = Hub::start().await;
    let cookie = hub.owner().await;
    let bearer = format!("Bearer {}", hub.instance());
    let store = hub.store();
    let org = store.org(unix_now()).unwrap();
    let mut instance =
        greeted(hub.socket("/ws/openclaw", &[("authorization", &bearer)]).await, &["b1"]).await;
    let mut browser = greeted(open(&hub, &cookie).await, &[]).await;
    let start = Instant::now();
    store.revoke_instance(&org, "laptop", unix_now()).unwrap().unwrap();
    assert_eq!(ended(&mut instance).await.0, 4503);
    let owner = store.members(&org).unwrap().remove(0);
    assert!(store.remove_member(&org, &owner.id, unix_now()).unwrap());
    assert_eq!(ended(&mut browser).await.0, 4503);
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    let got = hub.refused("/ws/openclaw", &[("authorization", &bearer)]).await;
    assert_eq!(got, refusal(4503, "revoked"));
    assert_eq!(attempt(&hub, &cookie).await, refusal(4200, "authRequired"));
}

#[tokio::test]
async fn one_session_can_be_revoked_alone() {
    let hub = Hub::start().await;
    let cookie = hub.owner().await;
    let mut socket = greeted(open(&hub, &cookie).await, &[]).await;
    let id = cookie.split_once('=').unwrap().1.split_once('.').unwrap().0;
    hub.store().end_session(id, EndReason::Revoked, unix_now()).unwrap();
    assert_eq!(ended(&mut socket).await.0, 4503);
}

#[tokio::test]
async fn wrong_tokens_are_refused_and_guessing_is_stopped() {
    let hub = Hub::start().await;
    let token = hub.instance();
    let attempt = async |token: &str| hub.refused("/ws/openclaw", &[("authorization", token)]).await;
    let unknown = refusal(4200, "authRequired");
    assert_eq!(hub.refused("/ws/openclaw", &[]).await, unknown);
    assert_eq!(hub.refused(&format!("/ws/openclaw?token={token}"), &[]).await, unknown);
    let other = Hub::start().await.instance();
    for wrong in
        [format!("Basic {token}"), "Bearer".into(), format!("Bearer {token}x"), format!("Bearer {other}")]
    {
        assert_eq!(attempt(&wrong).await, unknown, "{wrong}");
    }
    // The right id with a wrong secret, ten times; then even the right one waits.
    let (id, forged) = (token.split('_').nth(2).unwrap(), other.split('_').nth(3).unwrap());
    let forged = format!("otter_in_{id}_{forged}");
    let forged = format!("Bearer {forged}_{:08x}", crc32(&forged));
    for _ in 0..10 {
        assert_eq!(attempt(&forged).await, unknown);
    }
    assert_eq!(attempt(&format!("Bearer {token}")).await, refusal(4101, "rateLimited"));
    let another = hub.instance();
    hub.socket("/ws/openclaw", &[("authorization", &format!("bearer {another}"))]).await;
}

async fn until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + LONG;
    while !condition() {
        assert!(Instant::now() < deadline, "it does not happen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn crc32(text: &str) -> u32 {
    !text.bytes().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[tokio::test]
async fn in_development_every_page_of_this_machine_connects_with_a_cookie_without_tls() {
    let hub = Hub::start_with(|config| config.dev = true).await;
    let cookie = hub.owner().await;
    assert!(cookie.starts_with("otter_dev="));
    for origin in ["http://localhost:5173", "http://127.0.0.1:3000", "http://[::1]:80"] {
        hub.socket("/ws", &[("origin", origin), ("cookie", &cookie)]).await;
    }
    let got = hub.refused("/ws", &[("origin", "http://localhost.evil.example"), ("cookie", &cookie)]).await;
    assert_eq!(got, refusal(4202, "badOrigin"));
}

#[tokio::test]
async fn no_secret_is_in_the_files_of_the_hub() {
    let hub = Hub::start().await;
    let setup = hub.setup.clone().unwrap();
    let cookie = hub.owner().await;
    let (token, link) = (hub.instance(), hub.link(&invitation()));
    open(&hub, &cookie).await;
    let secret = cookie.split_once('.').unwrap().1.to_owned();
    let token = token.split('_').nth(3).unwrap().to_owned();
    for entry in fs::read_dir(hub.dir.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        for secret in [&setup, &secret, &token, &link] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} is in {}", path.display());
        }
    }
}

#[tokio::test]
async fn every_route_that_upgrades_checks_the_origin_and_no_other_route_upgrades() {
    let hub = Hub::start_with(|config| {
        config.public_url = Some(PublicUrl::parse("https://otter.example").unwrap());
    })
    .await;
    let own = "https://otter.example";
    let headers = [("origin", own), ("content-type", "application/json")];
    let body = json!({ "token": hub.setup.clone().unwrap() }).to_string();
    let cookie = hub.request("POST", "/auth/confirm", &headers, &body).await.cookie();
    let bearer = format!("Bearer {}", hub.instance());
    let bad = refusal(4202, "badOrigin");
    let (foreign, alike) = ("https://evil.example", "https://otter.example.evil.example");
    // With both credentials, so that only the Origin decides.
    for (path, origin, refused) in [
        ("/ws", None, Some(&bad)),
        ("/ws", Some("null"), Some(&bad)),
        ("/ws", Some(foreign), Some(&bad)),
        ("/ws", Some(alike), Some(&bad)),
        ("/ws", Some(own), None),
        ("/ws/openclaw", None, None),
        ("/ws/openclaw", Some("null"), Some(&bad)),
        ("/ws/openclaw", Some(foreign), Some(&bad)),
        ("/ws/openclaw", Some(alike), Some(&bad)),
        ("/ws/openclaw", Some(own), Some(&bad)),
    ] {
        let mut headers = vec![("cookie", cookie.as_str()), ("authorization", bearer.as_str())];
        headers.extend(origin.map(|origin| ("origin", origin)));
        match refused {
            Some(refused) => assert_eq!(&hub.refused(path, &headers).await, refused, "{path} {origin:?}"),
            None => drop(hub.socket(path, &headers).await),
        }
    }
    let upgrade = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA=="),
        ("sec-websocket-protocol", "otter.v1.json"),
        ("origin", foreign),
        ("cookie", cookie.as_str()),
    ];
    for path in [
        "/",
        "/assets/x/y",
        "/healthz",
        "/readyz",
        "/metrics",
        "/auth",
        "/auth/link",
        "/ws/",
        "/ws/x",
        "/events",
    ] {
        let answer = hub.request("GET", path, &upgrade, "").await;
        assert_ne!(answer.status, 101, "{path}");
    }
}
