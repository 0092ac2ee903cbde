//! Letting a client in.

use std::sync::Arc;
use std::time::Duration;

use otter_proto::connection::server::Admission;
use otter_proto::error::{CloseCode, ErrorBody, ErrorCode};
use otter_proto::frame::{CommandDispatch, Hello, Principal, PrincipalType};
use otter_proto::id::{InstanceId, MemberId};
use otter_proto::limits::ADOPT;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::clock::unix_now;
use crate::fanout::{End, Holder, Inbox, OrgFeed, Seat};
use crate::hub::Hub;
use crate::log::{Attach, Lease};

/// How long the socket of another process run has to answer before it counts as dead.
const PROBE: Duration = Duration::from_secs(2);

/// A client that was let in.
#[derive(Debug)]
pub(super) struct Welcomed {
    pub(super) admission: Admission,
    pub(super) attachment: Option<Attachment>,
}

/// What an instance holds while it is connected. Dropping it starts the grace time.
#[derive(Debug)]
pub(super) struct Attachment {
    pub(super) outstanding: Vec<CommandDispatch>,
    hub: Arc<Hub>,
    principal: Principal,
    instance: InstanceId,
    lease: Lease,
}

impl Drop for Attachment {
    fn drop(&mut self) {
        self.hub.detached(self.principal.org.clone(), self.instance.clone(), self.lease);
    }
}

/// Gives an instance's place up when its connection ends, unless a newer one has it.
#[derive(Debug)]
pub(super) struct Seated {
    seat: Arc<Seat>,
    connection: u64,
}

impl Drop for Seated {
    fn drop(&mut self) {
        self.seat.leave(self.connection);
    }
}

/// Shows a person to the others as long as it lives.
#[derive(Debug)]
pub(super) struct Present {
    hub: Arc<Hub>,
    feed: Arc<OrgFeed>,
    member: MemberId,
    grace: Duration,
}

impl Present {
    /// A socket of a person is open. `None` for instances.
    pub(super) fn new(hub: &Arc<Hub>, feed: &Arc<OrgFeed>, principal: &Principal) -> Option<Self> {
        let member = MemberId::new(&principal.id).ok();
        let member = member.filter(|_| principal.principal_type == PrincipalType::Member)?;
        feed.came(&member, principal.name.as_deref(), unix_now());
        let grace = hub.config.presence_grace;
        Some(Self { hub: Arc::clone(hub), feed: Arc::clone(feed), member, grace })
    }

    /// Nothing was heard of the socket for two heartbeats: that was grace enough.
    pub(super) const fn is_silent(&mut self) {
        self.grace = Duration::ZERO;
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.hub.left(&self.feed, &self.member, self.grace);
    }
}

/// Decides about a `hello`.
pub(super) async fn admit(
    hub: Arc<Hub>,
    principal: Principal,
    hello: Hello,
    connection: u64,
    inbox: Arc<Inbox>,
) -> Result<(Welcomed, Option<Seated>), ErrorBody> {
    let org = principal.org.clone();
    let epoch = hub.read(move |reader| reader.epoch(&org)).await?;
    let epoch = epoch.ok_or_else(|| ErrorBody::retryable(ErrorCode::Unavailable, "the hub is starting"))?;
    let mut admission =
        Admission { principal: principal.clone(), server_time: unix_now(), epoch, lanes: None };
    if principal.principal_type == PrincipalType::Member {
        return Ok((Welcomed { admission, attachment: None }, None));
    }
    let (attachment, lanes, seated) = attached(hub, principal, hello, connection, inbox).await?;
    admission.lanes = Some(lanes);
    Ok((Welcomed { admission, attachment: Some(attachment) }, Some(seated)))
}

/// Lets an instance in: check its boots, find out whether an older process run is alive, take its place, commit.
async fn attached(
    hub: Arc<Hub>,
    principal: Principal,
    hello: Hello,
    connection: u64,
    inbox: Arc<Inbox>,
) -> Result<(Attachment, otter_proto::frame::Lanes, Seated), ErrorBody> {
    let instance = InstanceId::new(&principal.id)
        .map_err(|_| ErrorBody::new(ErrorCode::BadId, "the credential names no instance"))?;
    let Some(boot) = hello.boots.first().cloned() else {
        return Err(ErrorBody::new(ErrorCode::InvalidData, "name this process run in `boots`").at("/boots"));
    };
    let seat = hub.fanout.org(&principal.org).seat(&instance);
    let _one_at_a_time = seat.admission.lock().await;
    let (org, of) = (principal.org.clone(), instance.clone());
    let stored = hub.read(move |reader| reader.boot(&org, &of)).await?;
    let adopts = hello.capabilities.iter().any(|capability| capability == ADOPT);
    if !adopts && stored.is_some_and(|stored| !hello.boots.contains(&stored)) {
        return Err(forked());
    }
    if let Some(older) = seat.holder() {
        // The same process run reconnects: its old socket is dead, whatever it looks like from here.
        if !adopts
            && older.boot != boot
            && timeout(PROBE, older.inbox.probe()).await.is_ok_and(|answer| answer.is_ok())
        {
            return Err(forked());
        }
        let reason = "a newer connection of this instance took over".to_owned();
        older.inbox.end(End { code: CloseCode::Superseded, reason });
    }
    seat.take(Holder { connection, boot, inbox });
    let seated = Seated { seat: Arc::clone(&seat), connection };
    let (name, bridge) = (principal.name.clone(), Some(hello.client));
    let attach = Attach { boots: hello.boots, name, bridge, adopts };
    let attached = hub.log.attach(&principal.org, &instance, attach).await?;
    let outstanding = attached.outstanding;
    let attachment =
        Attachment { outstanding, hub: Arc::clone(&hub), principal, instance, lease: attached.lease };
    Ok((attachment, attached.lanes, seated))
}

/// Runs [`admit`] to its end also when the connection goes away meanwhile: what was attached is then detached again.
pub(super) async fn admit_to_the_end(
    hub: Arc<Hub>,
    principal: Principal,
    hello: Hello,
    connection: u64,
    inbox: Arc<Inbox>,
) -> Result<(Welcomed, Option<Seated>), ErrorBody> {
    let (sender, receiver) = oneshot::channel();
    let worker = Arc::clone(&hub);
    hub.spawn(async move {
        let decided = admit(worker, principal, hello, connection, inbox).await;
        // Nobody waits any more: dropping the decision gives everything back.
        drop(sender.send(decided));
    });
    receiver
        .await
        .unwrap_or_else(|_| Err(ErrorBody::retryable(ErrorCode::Unavailable, "the hub is shutting down")))
}

fn forked() -> ErrorBody {
    let message = "another copy of this instance was connected: stop that one and run `otter-bridge adopt` here, or \
                   add this machine as an instance of its own with `otter-server instance add`";
    ErrorBody::new(ErrorCode::Forked, message)
}
