//! The example as a process of its own, killed and started again.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on may panic")]

#[path = "../../integrator/tests/support/hub.rs"]
mod hub;

use std::collections::BTreeMap;
use std::time::Duration;

use otter_client_native::ScopeUpdate;
use otter_proto::event::RecordedEvent;
use otter_proto::id::Scope;
use pretty_assertions::assert_eq;

use hub::{Hub, until};

#[tokio::test(flavor = "multi_thread")]
async fn every_item_comes_once_however_often_it_is_published() {
    let (hub, state) = (Hub::start().await, tempfile::tempdir().unwrap());
    let token = hub.add_instance("news");
    let run =
        |state: &std::path::Path| hub.spawn(env!("CARGO_BIN_EXE_otter-example-publish-feed"), &token, state);
    let mut events = hub.owner.subscribe(Scope::Org).await.unwrap();
    // What was published before would come with the snapshot, and not as an event.
    events.live().await.unwrap();
    for ms in [5, 20, 60, 150] {
        let killed = run(state.path());
        tokio::time::sleep(Duration::from_millis(ms)).await;
        drop(killed);
    }
    assert!(run(state.path()).ends_well().await);
    assert!(run(state.path()).ends_well().await, "again, with everything published");

    let mut rows = hub.owner.subscribe(Scope::Org).await.unwrap();
    let items = until(&hub.owner, &mut rows, &Scope::Org, |rows| {
        rows.iter().filter(|(key, _)| key.starts_with("feedItem/")).count() == 5
    })
    .await;
    let mut categories: Vec<String> = items
        .iter()
        .filter(|(key, _)| key.starts_with("feedItem/"))
        .map(|(_, row)| row["category"].as_str().unwrap().to_owned())
        .collect();
    categories.sort();
    assert_eq!(categories, ["alert", "custom", "email", "market", "social"]);
    hub.owner.shutdown().await;
    let mut added: BTreeMap<String, u32> = BTreeMap::new();
    while let Some(update) = events.next().await {
        let ScopeUpdate::Event { text, .. } = update else { continue };
        let event = RecordedEvent::parse(&text).unwrap();
        if event.kind == "feed.itemAdded" {
            *added.entry(event.effects[0].entity.to_string()).or_default() += 1;
        }
    }
    assert_eq!(added.into_values().collect::<Vec<_>>(), [1; 5]);
    hub.stop().await;
}
