//! Who is here, and who writes.

use std::time::Duration;

use otter_server::hub::HubConfig;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::harness::{CONVERSATION, World};

/// Longer than a test takes.
const NEVER: Duration = Duration::from_hours(1);

async fn world(presence_grace: Duration) -> World {
    World::start_with(HubConfig { presence_grace, ..HubConfig::default() }).await
}

fn who(presence: &Value) -> (&str, &str) {
    (presence["memberId"].as_str().unwrap(), presence["state"].as_str().unwrap())
}

/// Who is here, for somebody who comes now.
async fn seen(world: &World) -> Vec<String> {
    let mut newcomer = world.person("viewer").await;
    newcomer.ask("org", 1).await;
    let told = newcomer.signals("presence", "org").await;
    told.iter().map(|presence| format!("{} {}", presence["memberId"], presence["state"])).collect()
}

#[tokio::test]
async fn everybody_sees_who_is_here_once_and_who_left() {
    let world = world(Duration::ZERO).await;
    let mut watcher = world.person("viewer").await;
    watcher.ask("org", 1).await;
    let told = watcher.signals("presence", "org").await;
    assert_eq!(told.iter().map(who).collect::<Vec<_>>(), [("mb_2", "online")]);
    let (first, second) = (world.person("other").await, world.person("other").await);
    let online = watcher.frame("signal").await;
    assert_eq!(
        (&online["scope"], &online["kind"], &online["data"]["name"], who(&online["data"])),
        (&json!("org"), &json!("presence"), &json!("Bo"), ("mb_4", "online"))
    );
    assert!(online["data"]["since"].as_str().is_some_and(|since| since.ends_with('Z')), "{online}");
    drop(first);
    world.until_connected(2).await;
    assert_eq!(watcher.signals("presence", "org").await, Vec::<Value>::new(), "one page is left");
    assert_eq!(seen(&world).await, [r#""mb_2" "online""#, r#""mb_4" "online""#]);
    drop(second);
    assert_eq!(who(&watcher.frame("signal").await["data"]), ("mb_4", "offline"));
    assert_eq!(seen(&world).await, [r#""mb_2" "online""#]);
}

#[tokio::test]
async fn a_reload_shows_to_nobody() {
    let world = world(NEVER).await;
    let mut watcher = world.person("viewer").await;
    watcher.ask("org", 1).await;
    watcher.signals("presence", "org").await;
    let page = world.person("other").await;
    let since = watcher.frame("signal").await["data"]["since"].clone();
    drop(page);
    world.until_connected(1).await;
    let mut page = world.person("other").await;
    assert_eq!(watcher.signals("presence", "org").await, Vec::<Value>::new());
    page.ask("org", 1).await;
    let told = page.signals("presence", "org").await;
    assert_eq!(
        told.last().map(|presence| (who(presence), &presence["since"])),
        Some((("mb_4", "online"), &since))
    );
}

#[tokio::test]
async fn who_does_not_answer_pings_is_gone_without_further_grace() {
    let mut config = HubConfig { presence_grace: NEVER, ..HubConfig::default() };
    config.connection.heartbeat_ms = 1_000;
    let world = World::start_with(config).await;
    let mut watcher = world.person("viewer").await;
    watcher.ask("org", 1).await;
    // A machine that sleeps: its socket is open and nothing comes.
    let _asleep = world.person("other").await;
    let mut states = Vec::new();
    while states.len() < 2 {
        let frame = watcher.next().await.unwrap();
        if frame["type"] == "ping" {
            watcher.send(&json!({"type": "pong", "pos": {}})).await;
        } else if frame["type"] == "signal" && frame["data"]["memberId"] == "mb_4" {
            states.push(frame["data"]["state"].clone());
        }
    }
    assert_eq!(states, ["online", "offline"]);
}

#[tokio::test]
async fn who_leaves_while_somebody_subscribes_is_never_a_ghost() {
    let world = world(Duration::ZERO).await;
    for round in 0..40 {
        let leaver = world.person("other").await;
        let mut newcomer = world.person("viewer").await;
        let leave = async {
            for _ in 0..round {
                tokio::task::yield_now().await;
            }
            drop(leaver);
        };
        tokio::join!(leave, newcomer.ask("org", 1));
        while seen(&world).await.iter().any(|here| here.contains("mb_4")) {}
        let told = newcomer.signals("presence", "org").await;
        let last = told.iter().map(who).rfind(|(id, _)| *id == "mb_4");
        assert_ne!(last, Some(("mb_4", "online")), "round {round}: {told:?}");
    }
}

#[tokio::test]
async fn typing_reaches_those_who_follow_under_the_name_that_the_hub_knows() {
    let world = World::start().await;
    let _bridge = world.with_conversation().await;
    let (mut ada, mut bo) = (world.person("member").await, world.person("other").await);
    ada.subscribe(CONVERSATION, 1).await;
    bo.subscribe(CONVERSATION, 1).await;
    let typing =
        |data: Value| json!({"type": "signal", "scope": CONVERSATION, "kind": "typing", "data": data});
    bo.send(&typing(json!({"active": true, "memberId": "mb_1", "name": "Ada"}))).await;
    let told = typing(json!({"memberId": "mb_4", "name": "Bo", "active": true}));
    assert_eq!(ada.frame("signal").await, told);
    let mut late = world.person("viewer").await;
    late.ask(CONVERSATION, 1).await;
    assert_eq!(
        late.signals("typing", CONVERSATION).await,
        [told["data"].clone()],
        "who comes now sees it, too"
    );
    bo.send(&typing(json!({"active": false}))).await;
    assert_eq!(ada.frame("signal").await["data"]["active"], false);
    late.send(&typing(json!({"active": true}))).await;
    assert_eq!(late.frame("error").await["error"]["code"], "roleRequired");
    let mut elsewhere = world.person("other").await;
    elsewhere.send(&typing(json!({"active": true}))).await;
    assert_eq!(elsewhere.frame("error").await["error"]["code"], "notSubscribed");
    assert_eq!(ada.signals("typing", CONVERSATION).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_flood_of_typing_reaches_others_as_a_few_words() {
    let world = World::start().await;
    let _bridge = world.with_conversation().await;
    let (mut ada, mut bo) = (world.person("member").await, world.person("other").await);
    ada.subscribe(CONVERSATION, 1).await;
    bo.subscribe(CONVERSATION, 1).await;
    for n in 0..150 {
        let data = json!({"active": n % 2 == 0});
        bo.send(&json!({"type": "signal", "scope": CONVERSATION, "kind": "typing", "data": data})).await;
    }
    bo.lives().await;
    let told = ada.signals("typing", CONVERSATION).await.len();
    assert!((1..=60).contains(&told), "{told}");
}
