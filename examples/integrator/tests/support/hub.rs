//! A hub in the test's process, its owner as a client, and examples as processes of their own.

use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use otter_client_native::transport::WebSocketTransport;
use otter_client_native::{Client, ScopeUpdate, Subscription};
use otter_proto::connection::client::{CommandState, Role};
use otter_proto::id::{OrgId, Scope};
use otter_server::Server;
use otter_server::auth::{CredentialStore, unix_now};
use otter_server::config::Config;
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long anything may take.
pub(crate) const LONG: Duration = Duration::from_mins(1);

/// A hub that listens.
pub(crate) struct Hub {
    /// Its first member, an owner.
    pub(crate) owner: Client,
    org: OrgId,
    port: u16,
    credentials: CredentialStore,
    stop: CancellationToken,
    running: JoinHandle<anyhow::Result<()>>,
    _data: TempDir,
}

/// A child that does not outlive its test.
pub(crate) struct Running(Child);

/// The rows of a scope: key and value.
pub(crate) type Rows = Vec<(String, Value)>;

impl Hub {
    pub(crate) async fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let config = Config {
            data_dir: data.path().to_owned(),
            listen: "127.0.0.1:0".parse().unwrap(),
            public_url: None,
            behind_proxy: false,
            dev: false,
            allow_origins: Vec::new(),
            console_dir: None,
            max_connections: 100,
            metrics_token: None,
        };
        let server = Server::start(&config).await.unwrap();
        let credentials = CredentialStore::open(data.path()).unwrap();
        let setup = server.setup.as_ref().expect("a new org has a setup link");
        let owner = credentials.redeem_link(setup, Some("Ada"), unix_now()).unwrap();
        let cookie = config.cookie().set(&owner.cookie, 60);
        let origin = server.public.to_string();
        let headers = [
            ("cookie".to_owned(), cookie.split(';').next().unwrap().to_owned()),
            ("origin".to_owned(), origin.trim_end_matches('/').to_owned()),
        ];
        let (org, port, stop) = (server.org.clone(), server.port().unwrap(), CancellationToken::new());
        let running = tokio::spawn(server.run(stop.clone()));
        let address = format!("ws://127.0.0.1:{port}/ws");
        let transport = WebSocketTransport::new(&address, None, &headers).unwrap();
        let owner = Client::builder(address).role(Role::Member).transport(transport).start().unwrap();
        Self { owner, org, port, credentials, stop, running, _data: data }
    }

    /// The token of a new instance.
    pub(crate) fn add_instance(&self, name: &str) -> String {
        let added = self.credentials.add_instance(&self.org, name, unix_now()).unwrap();
        added.expose().expose().to_owned()
    }

    /// Starts an example as an instance.
    pub(crate) fn spawn(&self, program: &str, token: &str, state: &Path) -> Running {
        let mut command = Command::new(program);
        command.args(["--hub", &format!("ws://127.0.0.1:{}/ws/openclaw", self.port)]);
        Running(command.arg("--state-dir").arg(state).env("OTTER_TOKEN", token).spawn().unwrap())
    }

    pub(crate) async fn stop(self) {
        self.owner.shutdown().await;
        self.stop.cancel();
        tokio::time::timeout(LONG, self.running).await.unwrap().unwrap().unwrap();
    }
}

impl Running {
    /// Waits for its own end; whether that was a good one.
    #[allow(dead_code, reason = "some examples run for ever")]
    pub(crate) async fn ends_well(mut self) -> bool {
        tokio::task::spawn_blocking(move || self.0.wait().unwrap().success()).await.unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Follows a scope until its rows are as wanted.
pub(crate) async fn until(
    client: &Client,
    updates: &mut Subscription,
    scope: &Scope,
    wanted: impl Fn(&Rows) -> bool,
) -> Rows {
    let found = async {
        loop {
            let rows = client.entities(scope.clone()).await.unwrap();
            let rows: Rows = rows
                .into_iter()
                .map(|(key, text)| (key.as_str().to_owned(), serde_json::from_str(&text).unwrap()))
                .collect();
            if wanted(&rows) {
                return rows;
            }
            assert!(!matches!(updates.next().await, None | Some(ScopeUpdate::Lagged { .. })));
        }
    };
    tokio::time::timeout(LONG, found).await.expect("the rows come")
}

/// Whether a command has completed.
#[allow(dead_code, reason = "some examples take no commands")]
pub(crate) fn completed(state: &CommandState) -> bool {
    matches!(state, CommandState::Stage { stage, .. } if stage == "completed")
}
