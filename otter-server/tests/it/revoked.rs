//! Whose access ended is out, with everything they asked for.

use std::time::Instant;

use otter_server::auth::unix_now;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::hub::harness::{Peer, event, hello, publish};
use crate::net::{Hub, SOON, attempt, invitation, open, refusal};

async fn welcomed(hub: &Hub, cookie: &str) -> (Peer, String) {
    let mut peer = Peer::over(open(hub, cookie).await);
    peer.send(&hello(&[])).await;
    let id = peer.frame("welcome").await["principal"]["id"].as_str().unwrap().to_owned();
    (peer, id)
}

/// An instance that published a conversation.
async fn bridge(hub: &Hub, bearer: &str) -> (Peer, String) {
    let mut bridge = Peer::over(hub.socket("/ws/openclaw", &[("authorization", bearer)]).await);
    bridge.send(&hello(&["b1"])).await;
    let id = bridge.frame("welcome").await["principal"]["id"].as_str().unwrap().to_owned();
    let agent = event("agent.upserted", &format!("{id}:main"), json!({"instanceId": id, "name": "Main"}));
    let data = json!({"instanceId": id, "agentId": format!("{id}:main"), "address": {"kind": "session"}});
    let conversation = event("conversation.upserted", &format!("{id}:c"), data);
    bridge.send(&publish(1, &[agent, conversation])).await;
    while bridge.frame("published").await["upTo"] != 2 {}
    (bridge, id)
}

fn say(n: u64, instance: &str) -> Value {
    let data = json!({"conversationId": format!("{instance}:c"), "text": "run it"});
    json!({"type": "command", "id": format!("01900000-0000-7000-8000-{n:012}"), "kind": "message.send", "data": data})
}

#[tokio::test]
async fn a_removed_member_is_out_at_once_with_sockets_queued_commands_and_presence() {
    let hub = Hub::start().await;
    let (owner, ann) = (hub.owner().await, hub.sign_in(&hub.link(&invitation()), "").await);
    let bearer = format!("Bearer {}", hub.instance());
    let (gone, instance) = bridge(&hub, &bearer).await;
    drop(gone);
    let (mut watcher, _) = welcomed(&hub, &owner).await;
    watcher.subscribe("org", 1).await;
    let ((mut one, id), (mut two, _)) = (welcomed(&hub, &ann).await, welcomed(&hub, &ann).await);
    one.send(&say(1, &instance)).await;
    assert!(one.frame("reply").await.get("accepted").is_some(), "it waits for the machine");
    let start = Instant::now();
    let store = hub.store();
    let org = store.org(unix_now()).unwrap();
    let member = otter_proto::id::MemberId::new(&id).unwrap();
    assert!(store.remove_member(&org, &member, unix_now()).unwrap());
    assert_eq!((one.end().await.1, two.end().await.1), (4503, 4503));
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    let (mut cancelled, mut offline) = (false, false);
    while !(cancelled && offline) {
        let frame = watcher.next().await.unwrap();
        offline |= frame["kind"] == "presence"
            && (&frame["data"]["memberId"], &frame["data"]["state"]) == (&json!(id), &json!("offline"));
        for event in frame["events"].as_array().into_iter().flatten() {
            cancelled |= event["kind"] == "command.updated" && event["data"]["stage"] == "cancelled";
        }
    }
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    assert_eq!(attempt(&hub, &ann).await, refusal(4200, "authRequired"));
    let (mut back, _) = bridge(&hub, &bearer).await;
    back.send(&json!({"type": "probe", "n": 1})).await;
    let next = back.next().await.unwrap();
    assert_eq!(next["type"], "probed", "nothing of theirs is dispatched: {next}");
}

#[tokio::test]
async fn a_page_that_goes_on_sending_while_it_signs_out_is_cut_off_and_nothing_comes_after_it() {
    let hub = Hub::start().await;
    let owner = hub.owner().await;
    let (mut bridge, instance) = bridge(&hub, &format!("Bearer {}", hub.instance())).await;
    let (mut page, _) = welcomed(&hub, &owner).await;
    page.subscribe("org", 1).await;
    let cookie = [("cookie", owner.as_str())];
    let start = Instant::now();
    let chatter = async {
        for n in 1..=40 {
            let fetch = json!({"type": "fetch", "id": n, "scope": "org", "entityType": "agent", "limit": 10});
            if page.try_send_text(&format!("{}\n{fetch}", say(n, &instance))).await.is_err() {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    let (answer, ()) = tokio::join!(hub.post("/auth/logout", &cookie, json!({})), chatter);
    assert_eq!(answer.status, 204);
    let (frames, code) = page.end().await;
    assert_eq!((code, &frames.last().unwrap()["type"]), (4200, &json!("bye")));
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    // What the log had taken by then is in it before this answer.
    bridge.next_n = 3;
    let agent = json!({"instanceId": instance, "name": "A"});
    bridge.publish("agent.upserted", &format!("{instance}:a"), agent.clone()).await;
    let written = hub.count("SELECT count(*) FROM commands");
    bridge.publish("agent.upserted", &format!("{instance}:b"), agent).await;
    assert_eq!(hub.count("SELECT count(*) FROM commands"), written);
    assert_eq!(attempt(&hub, &owner).await, refusal(4200, "authRequired"));
}

#[tokio::test]
async fn signing_in_again_elsewhere_cuts_nothing() {
    let hub = Hub::start().await;
    let owner = hub.owner().await;
    let (mut page, id) = welcomed(&hub, &owner).await;
    let member = otter_proto::id::MemberId::new(&id).unwrap();
    let other = hub.sign_in(&hub.link(&otter_server::auth::LinkGrant::SignIn { member }), "").await;
    let (mut second, same) = welcomed(&hub, &other).await;
    assert_eq!(same, id);
    hub.post("/auth/logout", &[("cookie", &other)], json!({})).await;
    assert_eq!(second.end().await.1, 4200);
    page.lives().await;
}

#[tokio::test]
async fn the_token_of_an_instance_that_the_log_removed_is_revoked_at_the_next_start() {
    let hub = Hub::start().await;
    let bearer = format!("Bearer {}", hub.instance());
    let (gone, instance) = bridge(&hub, &bearer).await;
    drop(gone);
    // What a hub leaves that is killed between the removal and the revocation.
    hub.sql(&format!(
        "INSERT INTO removed (scope, key, at) SELECT id, 'instance/{instance}', 1 FROM scopes WHERE scope = 'org'"
    ));
    let revoked = "SELECT count(*) FROM auth_instances WHERE revoked_at IS NOT NULL";
    assert_eq!(hub.count(revoked), 0);
    let hub = Hub::start_in(hub.stop().await, |_| {}).await;
    assert_eq!(hub.count(revoked), 1);
}

#[tokio::test]
async fn a_page_that_cannot_be_read_fails_and_the_connection_goes_on() {
    let hub = Hub::start().await;
    let owner = hub.owner().await;
    let (mut person, id) = welcomed(&hub, &owner).await;
    person.subscribe("org", 1).await;
    hub.sql("ALTER TABLE full_texts RENAME TO gone");
    let entity = format!("member/{id}");
    person.send(&json!({"type": "fetch", "id": 7, "scope": "org", "entity": entity})).await;
    let page = person.frame("page").await;
    assert_eq!((&page["id"], &page["error"]["code"]), (&json!(7), &json!("internal")));
    hub.sql("ALTER TABLE gone RENAME TO full_texts");
    person.send(&json!({"type": "fetch", "id": 8, "scope": "org", "entity": entity})).await;
    let page = person.frame("page").await;
    assert_eq!((&page["rows"][0]["entity"], page.get("error")), (&json!(entity), None));
}
