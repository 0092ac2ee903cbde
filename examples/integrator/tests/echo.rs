//! The example as a process of its own, a hub, and a person.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on may panic")]

#[path = "support/hub.rs"]
mod hub;

use otter_proto::id::Scope;
use serde_json::{Value, json};

use hub::{Hub, LONG, Rows, completed, until};

const ECHO: &str = env!("CARGO_BIN_EXE_otter-example-integrator");

fn texts(rows: &Rows) -> Vec<&str> {
    let mut said: Vec<&Value> =
        rows.iter().filter(|(key, _)| key.starts_with("message/")).map(|(_, row)| row).collect();
    said.sort_by_key(|row| row["sentAt"].as_str().map(str::to_owned));
    said.into_iter().map(|row| row["text"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_talks_to_an_integrator_that_is_killed_in_between() {
    let (hub, state) = (Hub::start().await, tempfile::tempdir().unwrap());
    let token = hub.add_instance("echo");
    let echo = hub.spawn(ECHO, &token, state.path());

    let ada = hub.owner.clone();
    let mut org = ada.subscribe(Scope::Org).await.unwrap();
    let is_room =
        |row: &(String, Value)| row.0.starts_with("conversation/") && row.1["derivedTitle"] == "Echo";
    let rows = until(&ada, &mut org, &Scope::Org, |rows| rows.iter().any(is_room)).await;
    let room = rows.into_iter().find(is_room).unwrap().0.replace("conversation/", "");

    let scope = Scope::parse(&format!("conversation/{room}")).unwrap();
    let mut talk = ada.subscribe(scope.clone()).await.unwrap();
    let say = |text: &str| {
        let (ada, data) = (ada.clone(), json!({"conversationId": room, "text": text}));
        async move { ada.command("message.send", &data).await.unwrap() }
    };
    let mut first = say("hello").await;
    let rows = until(&ada, &mut talk, &scope, |rows| texts(rows).len() == 2).await;
    assert_eq!(texts(&rows), ["hello", "hello"]);
    tokio::time::timeout(LONG, first.state.wait_for(completed)).await.unwrap().unwrap();

    drop(echo);
    say("are you there?").await;
    let _echo = hub.spawn(ECHO, &token, state.path());
    let rows = until(&ada, &mut talk, &scope, |rows| texts(rows).len() == 4).await;
    assert_eq!(texts(&rows), ["hello", "hello", "are you there?", "are you there?"]);
    hub.stop().await;
}
