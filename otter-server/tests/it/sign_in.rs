//! Links: each works once, and only for who presses the button on the hub's own page.

use futures_util::{SinkExt as _, StreamExt as _};
use otter_proto::frame::{HubFrame, split};
use otter_proto::kind::MemberRole;
use otter_server::auth::{PublicUrl, unix_now};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::net::{Hub, LONG, Socket, attempt, invitation, open, refusal};

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
async fn guessing_links_is_stopped_whatever_address_a_guesser_claims() {
    let hub = Hub::start().await;
    let guess = async |from: String| {
        let headers = [("x-forwarded-for", from.as_str())];
        hub.post("/auth/confirm", &headers, json!({ "token": "guess" })).await
    };
    for n in 0..10 {
        assert_eq!(guess(format!("192.0.2.{n}")).await.status, 401);
    }
    let blocked = guess("192.0.2.99".into()).await;
    assert_eq!(blocked.status, 429);
    assert!(blocked.header("retry-after").is_some());
}

#[tokio::test]
async fn behind_a_proxy_the_address_it_saw_is_the_one_that_counts() {
    let public = "https://otter.example";
    let hub = Hub::start_with(|config| {
        config.public_url = Some(PublicUrl::parse(public).unwrap());
        config.behind_proxy = true;
    })
    .await;
    let guess = async |from: &str| {
        let headers = [("origin", public), ("content-type", "application/json"), ("x-forwarded-for", from)];
        hub.request("POST", "/auth/confirm", &headers, &json!({ "token": "guess" }).to_string()).await.status
    };
    for n in 0..10 {
        assert_eq!(guess(&format!("198.51.100.{n}, 192.0.2.1")).await, 401);
    }
    assert_eq!(guess("192.0.2.1").await, 429);
    assert_eq!(guess("192.0.2.1, 192.0.2.2").await, 401);
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

#[tokio::test]
async fn a_new_member_is_in_the_state_that_everybody_sees() {
    let hub = Hub::start().await;
    let cookie = hub.owner().await;
    let mut page = open(&hub, &cookie).await;
    page.send(Message::text(HELLO)).await.unwrap();
    assert_eq!(members(&mut page).await, [("Ada".to_owned(), "owner".to_owned())]);
    hub.sign_in(&hub.link(&invitation()), "Anna").await;
    assert_eq!(members(&mut page).await, [("Anna".to_owned(), "member".to_owned())]);
    let store = hub.store();
    let org = store.org(unix_now()).unwrap();
    assert_eq!(store.unannounced(&org).unwrap(), []);
}

/// The first frame of a page.
pub(crate) const HELLO: &str = r#"{"type":"hello","protocol":{"min":1,"max":1},"client":{"name":"test","version":"1"},"subscribe":[{"scope":"org","sub":1}]}"#;

/// Name and role of the members that the next snapshot or events bring.
async fn members(page: &mut Socket) -> Vec<(String, String)> {
    loop {
        let message = timeout(LONG, page.next()).await.unwrap().unwrap().unwrap();
        let Message::Text(text) = message else { continue };
        let values: Vec<Value> = split(&text)
            .flat_map(|frame| match HubFrame::decode(frame).unwrap() {
                HubFrame::Snapshot(page) => page.entities.iter().map(|row| row.value.to_owned()).collect(),
                HubFrame::Events(events) => events.events.iter().map(|event| data(event)).collect(),
                _ => Vec::new(),
            })
            .map(|text| serde_json::from_str(&text).unwrap())
            .collect();
        let word = |value: &Value, name| value[name].as_str().map(str::to_owned);
        let found: Vec<_> =
            values.iter().filter_map(|value| Some((word(value, "name")?, word(value, "role")?))).collect();
        if !found.is_empty() {
            return found;
        }
    }
}

/// The data of an event.
fn data(event: &str) -> String {
    let event: Value = serde_json::from_str(event).unwrap();
    event["data"].to_string()
}

#[tokio::test]
async fn a_link_gives_its_cookie_also_when_the_earlier_session_cannot_be_ended() {
    let hub = Hub::start().await;
    let earlier = hub.owner().await;
    hub.sql(
        "CREATE TRIGGER no_end BEFORE UPDATE OF ended_at ON auth_sessions BEGIN SELECT RAISE(ABORT, 'no'); END",
    );
    let body = json!({ "token": hub.link(&invitation()) });
    let answer = hub.post("/auth/confirm", &[("cookie", &earlier)], body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    open(&hub, &answer.cookie()).await;
}
