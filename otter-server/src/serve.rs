//! Joins the parts to a running hub.

use std::io::{Write as _, stdout};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use otter_proto::id::OrgId;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::auth::{
    AllowList, Announce, Authenticator, CredentialStore, Follower, LinkGrant, PublicUrl, Secret, unix_now,
};
use crate::config::Config;
use crate::http::{self, App, Assets, Readiness};
use crate::{link_text, shutdown};

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
}

impl Server {
    /// Opens the data directory and the port.
    pub async fn start(config: &Config) -> Result<Self> {
        let store = Arc::new(CredentialStore::open(&config.data_dir)?);
        let now = unix_now();
        store.clean(now)?;
        let org = store.org(now)?;
        let listener = TcpListener::bind(config.listen)
            .await
            .with_context(|| format!("cannot listen on {}", config.listen))?;
        let public = config.public(listener.local_addr()?.port());
        store.set_public_url(&public.to_string())?;
        let setup =
            if store.has_owner(&org)? { None } else { Some(store.add_link(&org, &LinkGrant::Setup, now)?) };
        let last_revocation = store.last_revocation()?;
        let auth = Arc::new(Authenticator::new(store, allow_list(config, &public, &org), config.cookie()));
        let announce: Announce = Arc::new(|_| Box::pin(async { Ok(()) }));
        let app = Arc::new(App {
            follower: Follower::new(Arc::clone(&auth), org.clone(), announce),
            auth,
            public: public.clone(),
            behind_proxy: config.behind_proxy,
            assets: assets(config),
            readiness: Arc::new(Readiness::default()),
            refusing: App::refusing(),
        });
        Ok(Self {
            org,
            public,
            setup,
            app,
            listener,
            max_connections: config.max_connections,
            last_revocation,
        })
    }

    /// The port it listens on.
    pub fn port(&self) -> Result<u16> {
        Ok(self.listener.local_addr()?.port())
    }

    /// Serves until `stop`, then lets connections end.
    pub async fn run(self, stop: CancellationToken) -> Result<()> {
        let places = Arc::new(Semaphore::new(self.max_connections));
        let follower = Owned(tokio::spawn(self.app.follower.clone().run(self.last_revocation)));
        let readiness = Arc::clone(&self.app.readiness);
        let router = http::router(&self.app);
        http::serve(self.listener, router, Arc::clone(&places), stop.clone()).await;
        readiness.not_ready("stopping");
        if !shutdown::all_closed(&places, self.max_connections).await {
            tracing::warn!("some connections did not end in time");
        }
        drop(follower);
        Ok(())
    }
}

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
    tracing::info!("listening on {}, for people at {}", server.listener.local_addr()?, server.public);
    if let Some(secret) = &server.setup {
        writeln!(stdout(), "setup link: {}", link_text(&server.public.to_string(), secret))?;
    }
    let stop = CancellationToken::new();
    let signals = Owned(tokio::spawn(shutdown::on_signal(stop.clone())));
    server.run(stop).await?;
    drop(signals);
    Ok(())
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
