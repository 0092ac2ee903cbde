//! The example as a process of its own, a hub, and a person.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on may panic")]

use std::process::{Child, Command};
use std::time::Duration;

use otter_client_native::transport::WebSocketTransport;
use otter_client_native::{Client, ScopeUpdate, Subscription};
use otter_proto::connection::client::{CommandState, Role};
use otter_proto::id::Scope;
use otter_server::Server;
use otter_server::auth::{CredentialStore, unix_now};
use otter_server::config::Config;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// A child that does not outlive its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn integrator(port: u16, token: &str, state: &std::path::Path) -> Running {
    let mut command = Command::new(env!("CARGO_BIN_EXE_otter-example-integrator"));
    command.args(["--hub", &format!("ws://127.0.0.1:{port}/ws/openclaw")]).env("OTTER_TOKEN", token);
    Running(command.arg("--state-dir").arg(state).spawn().unwrap())
}

/// Follows a scope until its rows of a type are as wanted.
async fn until(
    client: &Client,
    updates: &mut Subscription,
    scope: &Scope,
    wanted: impl Fn(&[(String, Value)]) -> bool,
) -> Vec<(String, Value)> {
    let found = async {
        loop {
            let rows = client.entities(scope.clone()).await.unwrap();
            let rows = rows
                .into_iter()
                .map(|(key, text)| (key.as_str().to_owned(), serde_json::from_str::<Value>(&text).unwrap()));
            let rows: Vec<_> = rows.collect();
            if wanted(&rows) {
                return rows;
            }
            assert!(!matches!(updates.next().await, None | Some(ScopeUpdate::Lagged { .. })));
        }
    };
    tokio::time::timeout(Duration::from_secs(30), found).await.expect("the rows come")
}

fn texts(rows: &[(String, Value)]) -> Vec<&str> {
    let mut said: Vec<&Value> =
        rows.iter().filter(|(key, _)| key.starts_with("message/")).map(|(_, row)| row).collect();
    said.sort_by_key(|row| row["sentAt"].as_str().map(str::to_owned));
    said.into_iter().map(|row| row["text"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_talks_to_an_integrator_that_is_killed_in_between() {
    let (data, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let config = Config {
        data_dir: data.path().to_owned(),
        listen: "127.0.0.1:0".parse().unwrap(),
        public_url: None,
        behind_proxy: false,
        dev: false,
        allow_origins: Vec::new(),
        console_dir: None,
        max_connections: 100,
    };
    let server = Server::start(&config).await.unwrap();
    let (port, stop) = (server.port().unwrap(), CancellationToken::new());
    let credentials = CredentialStore::open(data.path()).unwrap();
    let added = credentials.add_instance(&server.org, "echo", unix_now()).unwrap();
    let token = added.expose().expose().to_owned();
    let setup = server.setup.as_ref().expect("a new org has a setup link");
    let owner = credentials.redeem_link(setup, Some("Ada"), unix_now()).unwrap();
    let cookie = config.cookie().set(&owner.cookie, 60);
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let origin = server.public.to_string();
    let hub = tokio::spawn(server.run(stop.clone()));
    let echo = integrator(port, &token, state.path());

    let headers =
        [("cookie".to_owned(), cookie), ("origin".to_owned(), origin.trim_end_matches('/').to_owned())];
    let address = format!("ws://127.0.0.1:{port}/ws");
    let transport = WebSocketTransport::new(&address, None, &headers).unwrap();
    let ada = Client::builder(address).role(Role::Member).transport(transport).start().unwrap();
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
    let done =
        |state: &CommandState| matches!(state, CommandState::Stage { stage, .. } if stage == "completed");
    tokio::time::timeout(Duration::from_secs(30), first.state.wait_for(done)).await.unwrap().unwrap();

    drop(echo);
    say("are you there?").await;
    let _echo = integrator(port, &token, state.path());
    let rows = until(&ada, &mut talk, &scope, |rows| texts(rows).len() == 4).await;
    assert_eq!(texts(&rows), ["hello", "hello", "are you there?", "are you there?"]);
    ada.shutdown().await;
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(30), hub).await.unwrap().unwrap().unwrap();
}
