//! The hub: what every connection shares, and how it starts and ends.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use otter_proto::connection::server::ServerConfig;
use otter_proto::error::{ErrorBody, ErrorCode};
use otter_proto::frame::{Principal, ServerInfo};
use otter_proto::id::{InstanceId, MemberId, OrgId};
use tokio::sync::{Semaphore, watch};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::{Clock, unix_now};
use crate::fanout::{Fanout, OrgFeed, locked};
use crate::ledger::StoreError;
use crate::log::{Lease, LogHandle, Reader};
use crate::metrics::Metrics;
use crate::pages::Pages;

/// How many reads of the log run at the same time.
const READS: usize = 8;
/// Texts of unfinished answers go when their instance stays away for this long.
const SIGNAL_GRACE: Duration = Duration::from_mins(1);
/// The first and the longest pause before the log is told again who is offline.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// How long closing connections have to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// How a hub treats its connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubConfig {
    /// What every connection is offered and held to.
    pub connection: ServerConfig,
    /// How many connections one member or instance may have. Sockets whose client is gone count until they are found
    /// out, so this is a multiple of the tabs a person has open.
    pub connections_per_principal: usize,
    /// An instance is offline when it stays away for this long.
    pub instance_grace: Duration,
    /// A person whose last page closed is away after this long: a reload, or another network, shows to nobody.
    pub presence_grace: Duration,
}

impl Default for HubConfig {
    fn default() -> Self {
        let server =
            ServerInfo { name: "otter-server".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
        Self {
            connection: ServerConfig::new(server),
            connections_per_principal: 64,
            instance_grace: Duration::from_secs(10),
            presence_grace: Duration::from_secs(5),
        }
    }
}

/// What all connections are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Running,
    /// Clients are asked to leave within this many milliseconds.
    Draining {
        window_ms: u64,
    },
    Closing,
}

/// Everything a connection needs. One per process, shared.
#[derive(Debug)]
pub struct Hub {
    pub(crate) config: HubConfig,
    pub(crate) log: LogHandle,
    pub(crate) fanout: Arc<Fanout>,
    pub(crate) clock: Clock,
    pub(crate) stage: watch::Sender<Stage>,
    pub(crate) connections: TaskTracker,
    pub(crate) pages: Arc<Pages>,
    reader: Reader,
    reads: Arc<Semaphore>,
    tasks: TaskTracker,
    stopped: CancellationToken,
    places: Mutex<BTreeMap<(OrgId, String), usize>>,
    last_connection: AtomicU64,
}

impl Hub {
    /// A hub over a log whose [`crate::log::FanOut`] is `fanout`. Call it inside a runtime.
    pub fn new(config: HubConfig, log: LogHandle, reader: Reader, fanout: Arc<Fanout>) -> Arc<Self> {
        Arc::new(Self {
            config,
            log,
            fanout,
            clock: Clock::start(),
            stage: watch::Sender::new(Stage::Running),
            connections: TaskTracker::new(),
            pages: Arc::default(),
            reader,
            reads: Arc::new(Semaphore::new(READS)),
            tasks: TaskTracker::new(),
            stopped: CancellationToken::new(),
            places: Mutex::default(),
            last_connection: AtomicU64::new(0),
        })
    }

    /// Says, once the grace time is over, that instances which were online before the start and did not come back are
    /// offline. Call it once per org at the start.
    pub fn sweep(self: &Arc<Self>, org: OrgId) {
        let hub = Arc::clone(self);
        self.spawn(async move {
            sleep(hub.config.instance_grace).await;
            let mut pauses = Pauses::new();
            while let Err(error) = hub.log.disconnect_absent(&org, "hubRestarted").await {
                pauses.after(&error).await;
            }
        });
    }

    /// Takes everybody off: asks clients to leave within `window`, closes the rest with 4001, waits for them.
    pub async fn drain(&self, window: Duration) {
        let window_ms = u64::try_from(window.as_millis()).unwrap_or(u64::MAX);
        self.stage.send_replace(Stage::Draining { window_ms });
        self.connections.close();
        // Everybody who leaves by then has found another hub, or this one restarted.
        let _ = timeout(window, self.connections.wait()).await;
        self.stage.send_replace(Stage::Closing);
        let _ = timeout(GOODBYE, self.connections.wait()).await;
        self.stopped.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// What this hub counts.
    pub(crate) fn metrics(&self) -> &Arc<Metrics> {
        self.fanout.metrics()
    }

    /// How many connections are open.
    pub fn connection_count(&self) -> usize {
        self.connections.len()
    }

    /// Runs a read of the log on a blocking thread. A failure is logged here.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, ErrorBody> {
        let internal = || ErrorBody::retryable(ErrorCode::Internal, "a defect of the hub; its log says more");
        let permit = Arc::clone(&self.reads).acquire_owned().await;
        let reader = self.reader.clone();
        let done = spawn_blocking(move || {
            // Also a read whose client has left is one of the few.
            let _permit = permit;
            read(&reader)
        });
        match done.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                tracing::error!(%error, "the log could not be read");
                Err(internal())
            }
            Err(error) => {
                tracing::error!(%error, "a read of the log ended early");
                Err(internal())
            }
        }
    }

    /// Runs work that outlives its connection, until the hub stops.
    pub(crate) fn spawn(self: &Arc<Self>, work: impl Future<Output = ()> + Send + 'static) {
        let stopped = self.stopped.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = stopped.cancelled() => {}
                () = work => {}
            }
        });
    }

    /// The number of a new connection.
    pub(crate) fn next_connection(&self) -> u64 {
        self.last_connection.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A place for one more connection of a principal; it is given back when dropped.
    pub(crate) fn place(self: &Arc<Self>, principal: &Principal) -> Result<Place, ErrorBody> {
        let key = (principal.org.clone(), principal.id.clone());
        let mut places = locked(&self.places);
        let taken = places.entry(key.clone()).or_default();
        if *taken >= self.config.connections_per_principal {
            let message = "too many connections; close some tabs, or stop other copies of this program";
            let error = ErrorBody::retryable(ErrorCode::RateLimited, message);
            return Err(ErrorBody { retry_after_ms: Some(30_000), ..error });
        }
        *taken += 1;
        Ok(Place { hub: Arc::clone(self), key })
    }

    /// The socket of a person is gone: after `grace`, unless another is there, the others hear of it.
    pub(crate) fn left(self: &Arc<Self>, feed: &Arc<OrgFeed>, member: &MemberId, grace: Duration) {
        let Some(departure) = feed.left(member) else { return };
        let (feed, member) = (Arc::clone(feed), member.clone());
        self.spawn(async move {
            sleep(grace).await;
            feed.gone(&member, departure, unix_now());
        });
    }

    /// The socket of an instance is gone: after the grace time, unless it came back, the log says so.
    pub(crate) fn detached(self: &Arc<Self>, org: OrgId, instance: InstanceId, lease: Lease) {
        self.log.detached(&org, &instance, lease);
        let hub = Arc::clone(self);
        self.spawn(async move {
            let recorded = async {
                sleep(hub.config.instance_grace).await;
                let mut pauses = Pauses::new();
                while let Err(error) = hub.log.disconnected(&org, &instance, lease, "connectionLost").await {
                    pauses.after(&error).await;
                }
            };
            let forgotten = async {
                sleep(SIGNAL_GRACE).await;
                let feed = hub.fanout.org(&org);
                if feed.seat(&instance).holder().is_none() {
                    feed.forget_signals(&instance);
                }
            };
            tokio::join!(recorded, forgotten);
        });
    }
}

/// The pauses before the log is told again who is offline: until it has recorded that, since nobody else would say it
/// before the next start.
struct Pauses(Duration);

impl Pauses {
    const fn new() -> Self {
        Self(FIRST_PAUSE)
    }

    async fn after(&mut self, error: &ErrorBody) {
        tracing::warn!(code = %error.code, "who is offline is not recorded yet; trying again");
        sleep(self.0).await;
        self.0 = (self.0 * 2).min(LONGEST_PAUSE);
    }
}

/// The place of one connection.
#[derive(Debug)]
pub(crate) struct Place {
    hub: Arc<Hub>,
    key: (OrgId, String),
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = locked(&self.hub.places);
        if let Some(taken) = places.get_mut(&self.key) {
            *taken -= 1;
            if *taken == 0 {
                places.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use otter_proto::id::{BootId, EntityKey, Epoch, Scope};
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::log::{Attach, FanOut, Log, LogConfig};
    use crate::store::Reads as _;
    use crate::store::memory::MemoryStore;

    struct World {
        hub: Arc<Hub>,
        store: MemoryStore,
        _log: Log,
    }

    fn org() -> OrgId {
        OrgId::new("org_1").unwrap()
    }

    fn instance() -> InstanceId {
        InstanceId::new("in_1").unwrap()
    }

    impl World {
        fn start(store: &MemoryStore, epoch: &str) -> Self {
            let fanout = Arc::new(Fanout::new());
            let config = LogConfig {
                epoch: Epoch::new(epoch).unwrap(),
                clock: Arc::new(unix_now),
                fan_out: Arc::clone(&fanout) as Arc<dyn FanOut>,
                fatal: Arc::new(|error| panic!("{error}")),
            };
            let log = Log::start(store.clone(), &[org()], config).unwrap();
            let reader = Reader::new(Arc::new(store.clone()));
            let hub = Hub::new(HubConfig::default(), log.handle(), reader, fanout);
            Self { hub, store: store.clone(), _log: log }
        }

        async fn attach(&self) -> Lease {
            let boots = vec![BootId::new("b1").unwrap()];
            let attach = Attach { boots, name: None, bridge: None, adopts: false };
            self.hub.log.attach(&org(), &instance(), attach).await.unwrap().lease
        }

        fn connection(&self) -> String {
            let key = EntityKey::new("instance", "in_1").unwrap();
            let row = self.store.whole(&org(), &Scope::Org, &key).unwrap().row.unwrap();
            otter_proto::text::member(&row.text, "connection").unwrap().to_owned()
        }

        async fn until_offline(&self) {
            // The writer is a thread, which lives by no virtual time.
            let begun = std::time::Instant::now();
            while self.connection() != r#""offline""# {
                assert!(begun.elapsed() < Duration::from_secs(20), "it is not recorded");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_left_is_recorded_as_offline_also_when_the_store_was_full_then() {
        let world = World::start(&MemoryStore::new(), "e1");
        let lease = world.attach().await;
        assert_eq!(world.connection(), r#""online""#);
        world.hub.log.detached(&org(), &instance(), lease);
        // Behind the notice that the socket is gone; the second one is refused.
        world.hub.log.outstanding(&org(), &instance()).await.unwrap();
        world.store.refuse_next(StoreError::Full, 5);
        world.hub.detached(org(), instance(), lease);
        world.until_offline().await;
    }

    #[tokio::test(start_paused = true)]
    async fn who_did_not_come_back_is_recorded_as_offline_also_when_the_store_was_busy_then() {
        let store = MemoryStore::new();
        World::start(&store, "e1").attach().await;
        let world = World::start(&store, "e2");
        store.refuse_next(StoreError::Busy, 5);
        world.hub.sweep(org());
        world.until_offline().await;
    }

    #[tokio::test]
    async fn a_read_whose_client_left_is_still_one_of_the_few() {
        let world = World::start(&MemoryStore::new(), "e1");
        let (go, wait) = sync_channel::<()>(0);
        let (started, has_started) = tokio::sync::oneshot::channel();
        let hub = Arc::clone(&world.hub);
        let read = tokio::spawn(async move {
            hub.read(move |_| {
                started.send(()).unwrap();
                wait.recv().unwrap();
                Ok(())
            })
            .await
        });
        has_started.await.unwrap();
        read.abort();
        assert!(read.await.unwrap_err().is_cancelled());
        assert_eq!(world.hub.reads.available_permits(), READS - 1);
        go.send(()).unwrap();
        let all = u32::try_from(READS).unwrap();
        drop(world.hub.reads.acquire_many(all).await.unwrap());
    }
}
