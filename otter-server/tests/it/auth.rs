//! Credentials: who gets in, who does not, and who is thrown out.

use std::fs;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use otter_proto::kind::MemberRole;
use otter_server::auth::{EndReason, LinkGrant, Origin, PublicUrl, unix_now};
use pretty_assertions::assert_eq;
use serde_json::json;
use tempfile::TempDir;

use crate::net::{Hub, Socket, ended};

fn invitation() -> LinkGrant {
    LinkGrant::Invite { name: "Ann".into(), role: MemberRole::Member }
}

fn refusal(code: u16, word: &str) -> (u16, String) {
    (code, word.to_owned())
}

#[tokio::test]
async fn the_setup_link_makes_the_owner_and_there_is_none_afterwards() {
    let hub = Hub::start().await;
    let token = hub.setup.clone().unwrap();
    let offer = hub.post("/auth/link", &[], json!({ "token": token })).await;
    assert_eq!(offer.json(), json!({ "purpose": "setup", "name": "Owner", "role": "owner" }));
    hub.owner().await;
    let store = hub.store();
    let org = store.org(unix_now()).unwrap();
    let members = store.members(&org).unwrap();
    let [owner] = &members[..] else { panic!("{members:?}") };
    assert_eq!((owner.name.as_str(), owner.role), ("Ada", MemberRole::Owner));
    let dir = hub.stop().await;
    let hub = Hub::start_in(dir, |_| {}).await;
    assert_eq!(hub.setup, None);
}

#[tokio::test]
async fn every_start_without_an_owner_makes_a_new_setup_link_and_ends_the_old_one() {
    let hub = Hub::start().await;
    let first = hub.setup.clone().unwrap();
    let hub = Hub::start_in(hub.stop().await, |_| {}).await;
    assert_eq!(hub.post("/auth/confirm", &[], json!({ "token": first })).await.status, 410);
    hub.owner().await;
}

#[tokio::test]
async fn a_link_works_once_however_many_try_at_the_same_time() {
    let hub = Hub::start().await;
    let token = hub.link(&invitation());
    let confirm = || hub.post("/auth/confirm", &[], json!({ "token": token }));
    let (one, two, three) = tokio::join!(confirm(), confirm(), confirm());
    let mut statuses = [one.status, two.status, three.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 410, 410]);
    let again = confirm().await;
    assert_eq!(again.status, 410);
    assert_eq!(
        again.json()["message"],
        "this link was used already; each link works once, ask for a new one"
    );
    let store = hub.store();
    assert_eq!(store.members(&store.org(unix_now()).unwrap()).unwrap().len(), 1);
}

#[tokio::test]
async fn looking_at_a_link_does_not_use_it() {
    let hub = Hub::start().await;
    let token = hub.link(&invitation());
    for method in ["GET", "HEAD", "OPTIONS", "GET", "GET"] {
        hub.request(method, &format!("/auth?t={token}"), &[("sec-purpose", "prefetch")], "").await;
        hub.request(method, "/auth/confirm", &[], "").await;
    }
    let offer = hub.post("/auth/link", &[], json!({ "token": token })).await;
    assert_eq!(offer.json(), json!({ "purpose": "invite", "name": "Ann", "role": "member" }));
    hub.sign_in(&token, "").await;
}

#[tokio::test]
async fn an_expired_link_says_so() {
    let hub = Hub::start().await;
    let token = hub.link(&invitation());
    hub.sql("UPDATE auth_links SET expires_at = 1");
    let answer = hub.post("/auth/confirm", &[], json!({ "token": token })).await;
    assert_eq!(answer.status, 410);
    assert_eq!(
        answer.json(),
        json!({ "code": "expired", "message": "this link has expired; ask for a new one" })
    );
}

#[tokio::test]
async fn guessing_links_is_stopped() {
    let hub = Hub::start().await;
    for _ in 0..10 {
        assert_eq!(hub.post("/auth/confirm", &[], json!({ "token": "guess" })).await.status, 401);
    }
    let blocked = hub.post("/auth/confirm", &[], json!({ "token": "guess" })).await;
    assert_eq!(blocked.status, 429);
    assert!(blocked.header("retry-after").is_some());
}

#[tokio::test]
async fn the_cookie_has_exactly_its_flags_and_the_answer_leads_nowhere_else() {
    let hub = Hub::start().await;
    let token = hub.link(&invitation());
    let body = json!({ "token": token, "next": "//evil.example" });
    let answer = hub.post("/auth/confirm?next=https:evil.example", &[], body).await;
    let cookie = answer.cookie();
    let (name, value) = cookie.split_once('=').unwrap();
    assert_eq!(name, "__Host-otter");
    assert_eq!(
        answer.header("set-cookie").unwrap(),
        format!("__Host-otter={value}; Path=/; Max-Age=7776000; Secure; HttpOnly; SameSite=Lax")
    );
    assert_eq!((answer.header("location"), answer.header("refresh")), (None, None));
    assert!(!answer.body.contains("evil"), "{}", answer.body);
}

#[tokio::test]
async fn signing_in_makes_a_new_session_and_ends_the_earlier_one() {
    let hub = Hub::start().await;
    let fixed = "__Host-otter=se_chosen.chosen";
    let headers = [("cookie", fixed)];
    let answer = hub.post("/auth/confirm", &headers, json!({ "token": hub.link(&invitation()) })).await;
    let first = answer.cookie();
    assert!(!first.contains("chosen"));
    assert_eq!(attempt(&hub, fixed).await, refusal(4200, "authRequired"));
    let headers = [("cookie", first.as_str())];
    let answer = hub.post("/auth/confirm", &headers, json!({ "token": hub.link(&invitation()) })).await;
    assert_ne!(answer.cookie(), first);
    assert_eq!(attempt(&hub, &first).await, refusal(4200, "authRequired"));
}

#[tokio::test]
async fn other_sites_change_nothing() {
    let hub = Hub::start().await;
    let cookie = hub.owner().await;
    let own = hub.origin();
    let json = "application/json";
    for (path, body) in [
        ("/auth/confirm", json!({ "token": "x" }).to_string()),
        ("/auth/link", json!({ "token": "x" }).to_string()),
        ("/auth/logout", String::new()),
    ] {
        for (status, headers) in [
            (403, vec![("origin", "https://evil.example"), ("content-type", json)]),
            (403, vec![("origin", "null"), ("content-type", json)]),
            (403, vec![("content-type", json)]),
            (403, vec![("origin", &own), ("content-type", json), ("sec-fetch-site", "cross-site")]),
            (415, vec![("origin", &own), ("content-type", "text/plain")]),
            (415, vec![("origin", &own), ("content-type", "application/x-www-form-urlencoded")]),
            (415, vec![("origin", &own)]),
        ] {
            let all: Vec<_> = headers.iter().copied().chain([("cookie", cookie.as_str())]).collect();
            let answer = hub.request("POST", path, &all, &body).await;
            assert_eq!(answer.status, status, "{path} {headers:?}");
        }
        let preflight = [("origin", "https://evil.example"), ("access-control-request-method", "POST")];
        let answer = hub.request("OPTIONS", path, &preflight, "").await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{path}");
    }
    open(&hub, &cookie).await;
}

/// What a browser with this cookie gets from `/ws`.
async fn attempt(hub: &Hub, cookie: &str) -> (u16, String) {
    hub.refused("/ws", &[("origin", &hub.origin()), ("cookie", cookie)]).await
}

/// A socket of a browser that is signed in.
async fn open(hub: &Hub, cookie: &str) -> Socket {
    hub.socket("/ws", &[("origin", &hub.origin()), ("cookie", cookie)]).await
}

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
    // That use counts: the session is young again.
    hub.sql("UPDATE auth_sessions SET expires_at = seen_at + 1500");
    let mut socket = open(&hub, &cookie).await;
    assert_eq!(ended(&mut socket).await.0, 4201);
    assert_eq!(attempt(&hub, &cookie).await, refusal(4201, "authExpired"));
}

#[tokio::test]
async fn signing_out_closes_every_tab_of_the_session_and_no_other() {
    let hub = Hub::start().await;
    let (ada, ann) = (hub.owner().await, hub.sign_in(&hub.link(&invitation()), "").await);
    let (mut one, mut two, mut other) =
        (open(&hub, &ada).await, open(&hub, &ada).await, open(&hub, &ann).await);
    let answer = hub.post("/auth/logout", &[("cookie", &ada)], json!({})).await;
    let cleared = "__Host-otter=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax";
    assert_eq!((answer.status, answer.header("set-cookie")), (204, Some(cleared)));
    let start = Instant::now();
    assert_eq!((ended(&mut one).await.0, ended(&mut two).await.0), (4200, 4200));
    assert!(start.elapsed() < Duration::from_secs(1));
    assert_eq!(attempt(&hub, &ada).await, refusal(4200, "authRequired"));
    hub.post("/auth/logout", &[("cookie", &ann)], json!({})).await;
    assert_eq!(ended(&mut other).await.0, 4200);
}

#[tokio::test]
async fn what_the_command_line_revokes_is_closed_within_a_second() {
    let hub = Hub::start().await;
    let cookie = hub.owner().await;
    let bearer = format!("Bearer {}", hub.instance());
    let store = hub.store();
    let org = store.org(unix_now()).unwrap();
    let mut instance = hub.socket("/ws/openclaw", &[("authorization", &bearer)]).await;
    let mut browser = open(&hub, &cookie).await;
    let start = Instant::now();
    store.revoke_instance(&org, "laptop", unix_now()).unwrap().unwrap();
    assert_eq!(ended(&mut instance).await.0, 4503);
    let owner = store.members(&org).unwrap().remove(0);
    assert!(store.remove_member(&org, &owner.id, unix_now()).unwrap());
    assert_eq!(ended(&mut browser).await.0, 4503);
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    let got = hub.refused("/ws/openclaw", &[("authorization", &bearer)]).await;
    assert_eq!(got, refusal(4503, "revoked"));
    assert_eq!(attempt(&hub, &cookie).await, refusal(4200, "authRequired"));
}

#[tokio::test]
async fn one_session_can_be_revoked_alone() {
    let hub = Hub::start().await;
    let cookie = hub.owner().await;
    let mut socket = open(&hub, &cookie).await;
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

fn cli(dir: &TempDir, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_otter-server"));
    command.args(words).arg("--data-dir").arg(dir.path()).env_remove("PORT").output().unwrap()
}

fn line(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    text.trim().to_owned()
}

#[tokio::test]
async fn the_command_line_adds_people_and_instances_while_the_hub_runs() {
    let hub = Hub::start().await;
    hub.owner().await;
    let token = line(&cli(&hub.dir, &["instance", "add", "--name", "laptop"]));
    hub.socket("/ws/openclaw", &[("authorization", &format!("Bearer {token}"))]).await;
    let link = line(&cli(&hub.dir, &["invite", "--name", "Ann", "--role", "viewer"]));
    let secret = link.strip_prefix(&format!("{}/auth#t=", hub.origin())).unwrap();
    let cookie = hub.sign_in(secret, "").await;
    open(&hub, &cookie).await;
    let members = String::from_utf8(cli(&hub.dir, &["members"]).stdout).unwrap();
    let rows: Vec<Vec<&str>> =
        members.lines().map(|line| line.split('\t').skip(1).take(2).collect()).collect();
    assert_eq!(rows, [["Ada", "owner"], ["Ann", "viewer"]]);
    let link = line(&cli(&hub.dir, &["link", "--member", "Ann"]));
    let secret = link.split_once("#t=").unwrap().1;
    open(&hub, &hub.sign_in(secret, "Mallory").await).await;
    let members = String::from_utf8(cli(&hub.dir, &["members"]).stdout).unwrap();
    assert_eq!(members.lines().count(), 2, "a sign-in link makes no member: {members}");
    assert!(cli(&hub.dir, &["instance", "revoke", "laptop"]).status.success());
    assert!(!cli(&hub.dir, &["instance", "revoke", "laptop"]).status.success());
    let got = hub.refused("/ws/openclaw", &[("authorization", &format!("Bearer {token}"))]).await;
    assert_eq!(got, refusal(4503, "revoked"));
}

#[test]
fn without_tls_the_hub_serves_this_machine_only() {
    let dir = tempfile::tempdir().unwrap();
    let output = cli(&dir, &["--listen", "0.0.0.0:0"]);
    assert!(!output.status.success());
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("--behind-proxy --public-url https://name, or listen on 127.0.0.1"), "{words}");
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
