//! Joins the parts to a running hub.

use std::io::{Write as _, stdout};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use otter_proto::catalogue::Role;
use otter_proto::error::ErrorBody;
use otter_proto::id::{Epoch, OrgId};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio_util::sync::CancellationToken;

use crate::auth::{
    AllowList, Announce, Announcement, Authenticator, CredentialStore, Follower, Leavers, LinkGrant,
    MemberRow, PublicUrl, Secret, random_id, unix_now,
};
use crate::config::Config;
use crate::fanout::Fanout;
use crate::http::{self, App, Assets, Readiness};
use crate::hub::{Hub, HubConfig};
use crate::link_text;
use crate::log::{Commit, FanOut, Log, LogConfig, LogHandle, Reader, exit};
use crate::shutdown::{self, Signals};
use crate::store::sqlite::{Retention, SqliteReads, SqliteStore, Upkeep};

/// How long connected clients may take to leave before they are closed.
const DRAIN: Duration = Duration::from_secs(2);

/// A hub that listens.
#[derive(Debug)]
pub struct Server {
    /// The org of its data directory.
    pub org: OrgId,
    /// The address people use.
    pub public: PublicUrl,
    /// The setup link's secret, while the org has no owner.
    pub setup: Option<Secret>,
    app: Arc<App>,
    listener: TcpListener,
    max_connections: usize,
    last_revocation: i64,
    log: Log,
    upkeep: Upkeep,
}

impl Server {
    /// Opens the data directory and the port. Call it inside a runtime.
    pub async fn start(config: &Config) -> Result<Self> {
        // First of all: this takes the data directory, so that no second hub goes on.
        let fanout = Arc::new(Fanout::new());
        let store = SqliteStore::open(&config.data_dir)?.timed(Arc::clone(&fanout.metrics().fsync));
        let credentials = Arc::new(CredentialStore::open(&config.data_dir)?);
        let now = unix_now();
        credentials.clean(now)?;
        let org = credentials.org(now)?;
        credentials.revoke_removed(&org, now)?;
        let listener = TcpListener::bind(config.listen)
            .await
            .with_context(|| format!("cannot listen on {}", config.listen))?;
        let leavers = Arc::new(Leavers::default());
        let log = Log::start(store, std::slice::from_ref(&org), log_config(&fanout, &leavers)?)?;
        let reader = Reader::new(Arc::new(SqliteReads::new(&config.data_dir)));
        let hub = Hub::new(HubConfig::default(), log.handle(), reader, fanout);
        hub.sweep(org.clone());
        let upkeep = Upkeep::start(&config.data_dir, Retention::default(), unix_now)?;
        let public = config.public(listener.local_addr()?.port());
        credentials.set_public_url(&public.to_string())?;
        let has_owner = credentials.has_owner(&org)?;
        let setup =
            if has_owner { None } else { Some(credentials.add_link(&org, &LinkGrant::Setup, now)?) };
        let last_revocation = credentials.last_revocation()?;
        let origins = allow_list(config, &public, &org);
        let auth = Arc::new(Authenticator::new(credentials, origins, config.cookie()));
        let follower = Follower::new(Arc::clone(&auth), org.clone(), announce(log.handle()), leavers);
        let app = Arc::new(App {
            hub,
            auth,
            follower,
            public: public.clone(),
            behind_proxy: config.behind_proxy,
            assets: assets(config),
            metrics_token: config.metrics_token.as_ref().map(Secret::hash),
            readiness: Arc::new(Readiness::default()),
            refusing: App::refusing(),
        });
        let max_connections = config.max_connections;
        Ok(Self { org, public, setup, app, listener, max_connections, last_revocation, log, upkeep })
    }

    /// The port it listens on.
    pub fn port(&self) -> Result<u16> {
        Ok(self.listener.local_addr()?.port())
    }

    /// Serves until `stop`; then asks everybody to leave, and returns when all is on disk.
    pub async fn run(self, stop: CancellationToken) -> Result<()> {
        let places = Arc::new(Semaphore::new(self.max_connections));
        let closed = CancellationToken::new();
        let follower = Owned(tokio::spawn(self.app.follower.clone().run(self.last_revocation)));
        let router = http::router(&self.app);
        let served = tokio::spawn(http::serve(self.listener, router, Arc::clone(&places), closed.clone()));
        stop.cancelled().await;
        self.app.readiness.not_ready(STOPPING);
        self.app.hub.drain(DRAIN).await;
        closed.cancel();
        served.await?;
        if !shutdown::all_closed(&places, self.max_connections).await {
            tracing::warn!("some connections did not end in time");
        }
        drop(follower);
        spawn_blocking(move || {
            self.log.stop();
            drop(self.upkeep);
        })
        .await?;
        tracing::info!("stopped");
        Ok(())
    }
}

/// Why a hub that was told to stop is not ready.
const STOPPING: &str = "stopping";

/// A task that ends with its owner.
struct Owned<T>(JoinHandle<T>);

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Serves until a signal comes; prints the setup link when there is one.
pub async fn serve(config: Config) -> Result<()> {
    let server = Server::start(&config).await?;
    // Before anybody is told where it is, and may stop it.
    let signals = Signals::new().context("signals cannot be noticed")?;
    tracing::info!("listening on {}, for people at {}", server.listener.local_addr()?, server.public);
    if let Some(secret) = &server.setup {
        writeln!(stdout(), "setup link: {}", link_text(&server.public.to_string(), secret))?;
    }
    let stop = CancellationToken::new();
    let signals = Owned(tokio::spawn(shutdown::on_signal(signals, stop.clone())));
    server.run(stop).await?;
    drop(signals);
    Ok(())
}

fn log_config(feeds: &Arc<Fanout>, leavers: &Arc<Leavers>) -> Result<LogConfig> {
    let epoch = Epoch::new(&random_id("ep_")?)?;
    let fan_out = Arc::new(Followed { feeds: Arc::clone(feeds), leavers: Arc::clone(leavers) });
    Ok(LogConfig { epoch, clock: Arc::new(unix_now), fan_out, fatal: exit() })
}

/// The fan-out, and who ends the credentials of removed instances.
struct Followed {
    feeds: Arc<Fanout>,
    leavers: Arc<Leavers>,
}

impl FanOut for Followed {
    fn committed(&self, commit: &Commit) {
        self.feeds.committed(commit);
        self.leavers.extend(&commit.removed);
    }
}

/// Writes what the credential rows say; the kinds put and merge, so that saying it twice changes nothing.
fn announce(log: LogHandle) -> Announce {
    Arc::new(move |news: Announcement| {
        let log = log.clone();
        Box::pin(async move {
            match news {
                Announcement::Member(row) => announce_member(&log, &row).await,
                Announcement::InstanceRemoved(org, instance) => log.remove_instance(&org, &instance).await,
            }
        })
    })
}

async fn announce_member(log: &LogHandle, row: &MemberRow) -> Result<(), ErrorBody> {
    if row.removed_at.is_some() {
        return log.member_removed(&row.org, &row.id).await;
    }
    let role = Role::parse(row.role.as_str()).unwrap_or(Role::Viewer);
    log.member_joined(&row.org, &row.id, &row.name, role).await
}

fn allow_list(config: &Config, public: &PublicUrl, org: &OrgId) -> AllowList {
    let own = AllowList::new(public.origin.clone(), org.clone());
    let list = config.allow_origins.iter().fold(own, |list, origin| list.with(origin.clone(), org.clone()));
    if config.dev { list.with_loopback(org.clone()) } else { list }
}

fn assets(config: &Config) -> Assets {
    match &config.console_dir {
        Some(console) => {
            Assets::Disk { console: console.clone(), client: console.join("../../otter-client-wasm/npm") }
        }
        None => Assets::Embedded,
    }
}
