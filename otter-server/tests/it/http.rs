//! The port: limits of requests, headers of answers, handshakes.

use std::time::{Duration, Instant};

use futures_util::SinkExt as _;
use futures_util::future::join_all;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::net::{Hub, LONG, ended, open};
use crate::sign_in::HELLO;

#[tokio::test]
async fn health_and_readiness_answer() {
    let hub = Hub::start().await;
    let health = hub.get("/healthz").await;
    assert_eq!((health.status, health.body.as_str()), (200, "ok\n"));
    let ready = hub.get("/readyz").await;
    assert_eq!((ready.status, ready.json()), (200, json!({ "ready": true, "reasons": [] })));
}

#[tokio::test]
async fn the_page_says_how_to_build_the_console_or_is_the_console() {
    let hub = Hub::start().await;
    let page = hub.get("/").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(page.header("cache-control"), Some("no-cache"));
    assert!(page.body.contains("assets/") && !page.body.contains("{{"), "{}", page.body);
    assert!(!page.body.contains("\"/assets"), "addresses are relative, so that a path prefix works");
}

#[tokio::test]
async fn files_of_this_build_never_change_and_others_do_not_exist() {
    let hub = Hub::start().await;
    let page = hub.get("/auth").await;
    let address = page.body.split('"').find(|part| part.ends_with("sign-in/page.js")).unwrap().to_owned();
    let file = hub.get(&format!("/{address}")).await;
    assert_eq!(file.status, 200);
    assert_eq!(file.header("content-type"), Some("text/javascript; charset=utf-8"));
    assert_eq!(file.header("cache-control"), Some("public, max-age=31536000, immutable"));
    for path in [
        "/assets/0123456789abcdef/sign-in/page.js".to_owned(),
        format!("/{}", address.replace("page.js", "none.js")),
        format!("/{}", address.replace("page.js", "../../../../etc/passwd")),
        format!("/{}", address.replace("page.js", "%2e%2e/%2e%2e/Cargo.toml")),
    ] {
        let answer = hub.get(&path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_ne!(answer.header("cache-control"), Some("public, max-age=31536000, immutable"));
    }
}

#[tokio::test]
async fn in_development_the_console_comes_from_its_folder_and_nothing_above_it() {
    let clone = tempfile::tempdir().unwrap();
    let put = |path: &str, text: &str| {
        let path = clone.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    put("otter-server/console/index.html", "<script src=\"{{assets}}/app.js\"></script>");
    put("otter-server/console/app.js", "first");
    put("otter-server/secret.txt", "secret");
    put("otter-client-wasm/npm/dist/otter_bg.wasm", "wasm");
    let hub = Hub::start_with(|config| {
        config.dev = true;
        config.console_dir = Some(clone.path().join("otter-server/console"));
    })
    .await;
    assert_eq!(hub.get("/").await.body, "<script src=\"assets/dev/app.js\"></script>");
    assert_eq!(hub.get("/assets/dev/app.js").await.body, "first");
    put("otter-server/console/app.js", "second");
    let file = hub.get("/assets/dev/app.js").await;
    assert_eq!((file.body.as_str(), file.header("cache-control")), ("second", Some("no-store")));
    let wasm = hub.get("/assets/dev/client/dist/otter_bg.wasm").await;
    assert_eq!((wasm.body.as_str(), wasm.header("content-type")), ("wasm", Some("application/wasm")));
    for path in
        ["../secret.txt", "%2e%2e/secret.txt", "js/%2e%2e/%2e%2e/secret.txt", "%2fetc%2fpasswd", ".", ""]
    {
        assert_eq!(hub.get(&format!("/assets/dev/{path}")).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let hub = Hub::start().await;
    let expected = format!(
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self' ws://localhost:{}; frame-ancestors 'none'; object-src 'none'; base-uri 'none'",
        hub.addr.port()
    );
    for path in ["/", "/auth", "/healthz", "/none", "/ws", "/assets/x/y"] {
        let answer = hub.request("GET", path, &[("host", "evil.example")], "").await;
        assert_eq!(answer.header("content-security-policy"), Some(expected.as_str()), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), None, "{path}");
    }
}

const HANDSHAKE: [(&str, &str); 5] = [
    ("connection", "upgrade, close"),
    ("upgrade", "websocket"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("sec-websocket-version", "13"),
    ("sec-websocket-protocol", "otter.v1.json"),
];

/// A request with exactly these headers.
fn raw(path: &str, method: &str, headers: &[(&str, &str)]) -> String {
    let lines: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let lines = lines.concat();
    format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n{lines}\r\n")
}

#[tokio::test]
async fn a_handshake_that_is_none_is_an_http_error_in_words() {
    let hub = Hub::start().await;
    let handshake = HANDSHAKE;
    for path in ["/ws", "/ws/openclaw"] {
        let mut no_protocol = handshake;
        no_protocol[4].1 = "graphql-ws";
        let answer = hub.raw(raw(path, "GET", &no_protocol).as_bytes()).await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (400, "offer the subprotocol otter.v1.json\n"),
            "{path}"
        );
        let mut old = handshake;
        old[3].1 = "12";
        assert_eq!(hub.raw(raw(path, "GET", &old).as_bytes()).await.status, 400, "{path}");
        assert_eq!(hub.get(path).await.status, 400, "{path}");
        assert_eq!(hub.request("POST", path, &[], "").await.status, 405, "{path}");
        let mut two = handshake.to_vec();
        two.extend([("origin", "https://a.example"), ("origin", "https://b.example")]);
        let answer = hub.raw(raw(path, "GET", &two).as_bytes()).await;
        assert_eq!((answer.status, answer.body.as_str()), (400, "more than one Origin header\n"), "{path}");
    }
}

#[tokio::test]
async fn large_and_many_headers_are_refused() {
    let hub = Hub::start().await;
    let large = format!("GET / HTTP/1.1\r\nhost: localhost\r\nx-large: {}\r\n\r\n", "x".repeat(64 << 10));
    assert_eq!(hub.raw(large.as_bytes()).await.status, 431);
    let many: Vec<_> = (0..150).map(|n| format!("x-{n}: 1\r\n")).collect();
    let many = format!("GET / HTTP/1.1\r\nhost: localhost\r\n{}\r\n", many.concat());
    assert_eq!(hub.raw(many.as_bytes()).await.status, 431);
    assert_eq!(hub.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn a_slow_request_and_a_silent_connection_lose_their_place() {
    let hub = Hub::start_with(|config| config.max_connections = 2).await;
    let start = Instant::now();
    let mut slow = TcpStream::connect(hub.addr).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nx-slow: ").await.unwrap();
    let mut idle = TcpStream::connect(hub.addr).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    // Both places are taken; the next connection waits until one is free again.
    let dripping = async {
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        loop {
            ticks.tick().await;
            if slow.write_all(b"x").await.is_err() {
                break;
            }
        }
    };
    let answer = tokio::select! {
        () = dripping => hub.get("/healthz").await,
        answer = hub.get("/healthz") => answer,
    };
    assert_eq!(answer.status, 200);
    let waited = start.elapsed();
    assert!(waited > Duration::from_secs(8) && waited < Duration::from_secs(16), "{waited:?}");
    let mut rest = Vec::new();
    let _ = timeout(LONG, idle.read_to_end(&mut rest)).await.expect("a silent connection is closed");
}

#[tokio::test]
async fn stopping_ends_idle_connections_and_the_hub() {
    let hub = Hub::start().await;
    let mut idle = TcpStream::connect(hub.addr).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut some = [0; 16];
    idle.read_exact(&mut some).await.unwrap();
    let start = Instant::now();
    hub.stop().await;
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[tokio::test]
async fn connections_without_a_credential_take_few_places() {
    let hub = Hub::start().await;
    let origin = hub.origin();
    // None of them reads or answers the close.
    let headers = [("origin", origin.as_str())];
    let _refused = join_all((0..200).map(|_| hub.socket("/ws", &headers))).await;
    let handshake: Vec<_> = HANDSHAKE.into_iter().chain([("origin", origin.as_str())]).collect();
    let answer = hub.raw(raw("/ws", "GET", &handshake).as_bytes()).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")));
    let cookie = hub.owner().await;
    open(&hub, &cookie).await;
}

#[tokio::test]
async fn a_stopping_hub_says_goodbye_and_takes_nobody_new() {
    let hub = Hub::start().await;
    let cookie = hub.owner().await;
    let mut page = open(&hub, &cookie).await;
    page.send(Message::text(HELLO)).await.unwrap();
    let (addr, origin) = (hub.addr, hub.origin());
    let stopped = tokio::spawn(hub.stop());
    let late = Hub::outside(tempfile::tempdir().unwrap(), addr, None);
    timeout(LONG, async { while late.get("/readyz").await.status == 200 {} }).await.unwrap();
    let ready = late.get("/readyz").await;
    assert_eq!((ready.status, ready.json()), (503, json!({ "ready": false, "reasons": ["stopping"] })));
    let handshake: Vec<_> =
        HANDSHAKE.into_iter().chain([("origin", origin.as_str()), ("cookie", cookie.as_str())]).collect();
    assert_eq!(late.raw(raw("/ws", "GET", &handshake).as_bytes()).await.status, 503);
    assert_eq!(ended(&mut page).await, (4001, "bye 4001".to_owned()));
    timeout(LONG, stopped).await.unwrap().unwrap();
}

#[tokio::test]
async fn the_contract_is_served_to_anybody_and_cached_by_its_tag() {
    let hub = Hub::start().await;
    for (name, media_type) in [
        ("otter.schema.json", "application/schema+json"),
        ("otter.strict.schema.json", "application/schema+json"),
        ("catalogue.json", "application/json"),
    ] {
        let path = format!("/schemas/v1/{name}");
        let file = hub.get(&path).await;
        assert_eq!((file.status, file.header("content-type")), (200, Some(media_type)), "{name}");
        assert_eq!(file.header("access-control-allow-origin"), Some("*"), "{name}");
        assert_eq!(file.header("cache-control"), Some("public, max-age=300"), "{name}");
        let committed = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/v1").join(name);
        assert!(file.body == std::fs::read_to_string(committed).unwrap(), "{name} is the committed file");
        let tag = file.header("etag").unwrap().to_owned();
        let again = hub.request("GET", &path, &[("if-none-match", &tag)], "").await;
        assert_eq!(
            (again.status, again.body.as_str(), again.header("etag")),
            (304, "", Some(tag.as_str())),
            "{name}"
        );
        let stale = hub.request("GET", &path, &[("if-none-match", "\"another\"")], "").await;
        assert_eq!(stale.status, 200, "{name}");
    }
    for path in ["/schemas/v1/none.json", "/schemas/v2/otter.schema.json", "/schemas/v1/..%2f..%2fCargo.toml"]
    {
        assert_eq!(hub.get(path).await.status, 404, "{path}");
    }
}
