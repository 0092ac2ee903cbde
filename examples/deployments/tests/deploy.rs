//! The example as a process of its own: a person starts a deployment and sees it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on may panic")]

#[path = "../../integrator/tests/support/hub.rs"]
mod hub;

use otter_proto::connection::client::CommandState;
use otter_proto::error::ErrorCode;
use otter_proto::id::Scope;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use hub::{Hub, LONG, Rows, completed, until};

fn of_type<'a>(rows: &'a Rows, entity_type: &str) -> Vec<&'a Value> {
    let is_one = |key: &str| key.split_once('/').is_some_and(|(of, _)| of == entity_type);
    rows.iter().filter(|(key, _)| is_one(key)).map(|(_, row)| row).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_deploys_and_everybody_sees_the_integrators_own_entity() {
    let (hub, state) = (Hub::start().await, tempfile::tempdir().unwrap());
    let token = hub.add_instance("deployer");
    let program = env!("CARGO_BIN_EXE_otter-example-deployments");
    let running = hub.spawn(program, &token, state.path());
    let ada = hub.owner.clone();
    let mut org = ada.subscribe(Scope::Org).await.unwrap();
    let online = |rows: &Rows| of_type(rows, "instance").iter().any(|row| row["connection"] == "online");
    let rows = until(&ada, &mut org, &Scope::Org, online).await;
    let instance = rows.iter().find_map(|(key, _)| key.strip_prefix("instance/")).unwrap().to_owned();

    let data = json!({"instanceId": instance, "version": "1.8.0"});
    let mut deploy = ada.command("x.acme.deploy", &data).await.unwrap();
    tokio::time::timeout(LONG, deploy.state.wait_for(completed)).await.unwrap().unwrap();
    let settled = |rows: &Rows| of_type(rows, "repo").len() == 1 && of_type(rows, "activity").len() == 1;
    let rows = until(&ada, &mut org, &Scope::Org, settled).await;
    let row = of_type(&rows, "x.acme.deployment");
    assert_eq!(row.len(), 1);
    assert_eq!(
        (&row[0]["state"], &row[0]["version"], &row[0]["by"]["name"]),
        (&json!("live"), &json!("1.8.0"), &json!("Ada"))
    );
    assert_eq!(of_type(&rows, "activity")[0]["title"], "Deployed 1.8.0");
    let command = rows.iter().find(|(key, _)| *key == format!("command/{}", deploy.id)).unwrap();
    assert_eq!((&command.1["stage"], &command.1["result"]), (&json!("completed"), &json!("1.8.0 is live")));

    let mut other = ada.command("x.acme.undo", &json!({"instanceId": instance})).await.unwrap();
    let rejected =
        |state: &CommandState| matches!(state, CommandState::Stage { stage, .. } if stage == "rejected");
    tokio::time::timeout(LONG, other.state.wait_for(rejected)).await.unwrap().unwrap();

    drop(running);
    let gone = |rows: &Rows| of_type(rows, "instance").iter().all(|row| row["connection"] == "offline");
    until(&ada, &mut org, &Scope::Org, gone).await;
    let mut late = ada.command("x.acme.deploy", &data).await.unwrap();
    let refused = |state: &CommandState| matches!(state, CommandState::Refused(_));
    let refusal = tokio::time::timeout(LONG, late.state.wait_for(refused)).await.unwrap().unwrap().clone();
    let CommandState::Refused(error) = refusal else { panic!("{refusal:?}") };
    assert_eq!(error.code, ErrorCode::InstanceOffline);
    hub.stop().await;
}
