//! The life of one connection.

use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::pin::pin;
use std::sync::Arc;

use futures_util::stream::{FuturesOrdered, FuturesUnordered};
use futures_util::{FutureExt as _, StreamExt};
use otter_proto::error::{CloseCode, ErrorBody, ErrorCode};
use otter_proto::frame::{CommandDispatch, Principal};
use otter_proto::id::{Epoch, InstanceId, Scope};
use otter_proto::limits::MAX_OPEN_COMMANDS;
use tokio::sync::{oneshot, watch};
use tokio::time::sleep_until;

use super::admission::{Attachment, Present, Seated, Welcomed};
use super::answers::{Answer, Page, Work, provide_snapshot};
use super::socket::{Socket, Turn};
use crate::fanout::{Inbox, News, OrgFeed, ScopeFeed};
use crate::hub::{Hub, Stage};
use crate::metrics::Connected;

/// Requests to the log that one connection may have in flight; beyond them its socket is not read.
const MAX_IN_FLIGHT: usize = 32;

/// A connection with a valid credential.
pub(super) struct Session {
    pub(super) hub: Arc<Hub>,
    pub(super) feed: Arc<OrgFeed>,
    /// Before the socket: who sees its end no longer counts.
    pub(super) counted: Connected,
    pub(super) socket: Socket,
    pub(super) principal: Principal,
    pub(super) number: u64,
    pub(super) inbox: Arc<Inbox>,
    stage: watch::Receiver<Stage>,
    pub(super) epoch: Option<Epoch>,
    pub(super) scopes: BTreeMap<Scope, Arc<ScopeFeed>>,
    /// The number of the newest signal that the latest value of its key, sent in its place, stands for.
    pub(super) made_good: BTreeMap<(Scope, String), u64>,
    pub(super) probes: Vec<(u64, oneshot::Sender<()>)>,
    /// Reads and decisions, at most a few per subscription.
    pub(super) work: FuturesUnordered<Work>,
    pub(super) requests: FuturesUnordered<Work>,
    /// In the order they came.
    pub(super) publishes: FuturesOrdered<Work>,
    /// Commands that came before `welcome`, and whether some had no room.
    early: Vec<CommandDispatch>,
    early_reread: bool,
    attachment: Option<Attachment>,
    seated: Option<Seated>,
    present: Option<Present>,
    /// The credential ended: what was asked for and not begun stays undone.
    pub(super) barred: bool,
}

impl Session {
    pub(super) fn new(hub: Arc<Hub>, socket: Socket, principal: Principal, number: u64) -> Self {
        Self {
            feed: hub.fanout.org(&principal.org),
            stage: hub.stage.subscribe(),
            counted: hub.metrics().connected(number, &principal),
            hub,
            socket,
            principal,
            number,
            inbox: Arc::default(),
            epoch: None,
            scopes: BTreeMap::new(),
            made_good: BTreeMap::new(),
            probes: Vec::new(),
            work: FuturesUnordered::new(),
            requests: FuturesUnordered::new(),
            publishes: FuturesOrdered::new(),
            early: Vec::new(),
            early_reread: false,
            attachment: None,
            seated: None,
            present: None,
            barred: false,
        }
    }

    /// Runs until the socket is over, the credential ends, or the hub does.
    pub(super) async fn run(mut self: Box<Self>, ended: impl Future<Output = ErrorBody> + Send) {
        let mut ended = pin!(ended);
        self.stage.mark_changed();
        loop {
            self.answer_needs();
            self.counted.note(&self.socket.machine);
            let now = self.hub.clock.now();
            let reads = self.wants_read();
            self.socket.machine.handle_reading(reads, now);
            let timer = self.socket.machine.poll_timeout().map(|at| self.hub.clock.at(at));
            let closes = self.is_closing();
            if closes {
                break;
            }
            tokio::select! {
                turn = self.socket.turn(reads) => {
                    if turn == Turn::Over {
                        break;
                    }
                }
                () = self.inbox.wait() => {
                    let news = self.inbox.take();
                    self.news(news);
                }
                Some(answer) = self.work.next() => self.answer(answer),
                Some(answer) = self.requests.next() => self.answer(answer),
                Some(answer) = self.publishes.next() => self.answer(answer),
                error = &mut ended => {
                    self.barred = true;
                    self.end(error);
                }
                Ok(()) = self.stage.changed() => self.stage_changed(),
                () = async {
                    match timer {
                        Some(at) => sleep_until(at).await,
                        None => pending().await,
                    }
                } => {
                    // What came meanwhile is heard before its sender is called silent.
                    if self.socket.turn(reads).now_or_never() == Some(Turn::Over) {
                        break;
                    }
                    self.socket.timeout();
                }
            }
        }
        self.leave();
        self.settle();
        self.counted.note(&self.socket.machine);
        self.socket.finish().await;
    }

    /// Whether the machine is done with the connection; what is left is to say goodbye.
    fn is_closing(&self) -> bool {
        self.socket.machine.is_closing()
    }

    fn wants_read(&self) -> bool {
        self.socket.machine.wants_read() && self.requests.len() + self.publishes.len() < MAX_IN_FLIGHT
    }

    fn answer_needs(&mut self) {
        while let Some(need) = self.socket.machine.poll_event() {
            self.need(need);
        }
    }

    fn news(&mut self, news: News) {
        for scope in &news.scopes {
            self.socket.machine.handle_news(scope);
        }
        // Events first: a run is known before its text, and late text of an answered run is ignored.
        self.answer_needs();
        for signal in news.signals {
            if !self.made_good.is_empty() {
                let key = (signal.scope.clone(), signal.key.clone());
                if self.made_good.get(&key).is_some_and(|number| signal.number <= *number) {
                    continue;
                }
                self.made_good.remove(&key);
            }
            self.socket.machine.signal(&signal.scope, &signal.key, Arc::clone(&signal.frame));
        }
        for (scope, key) in news.stale {
            self.latest_signal(&scope, &key);
        }
        self.commands(news.commands, news.reread);
        for probe in news.probes {
            let wanted = self.socket.machine.probe_client();
            self.probes.push((wanted, probe));
        }
        if let Some(end) = news.end {
            self.close(end.code, &end.reason);
        }
    }

    /// Passes commands on; those that come before `welcome` wait for it, because they belong behind the open ones.
    fn commands(&mut self, commands: Vec<CommandDispatch>, reread: bool) {
        if self.attachment.is_some() {
            for command in commands {
                self.socket.machine.dispatch(command);
            }
            if reread {
                self.reread();
            }
        } else {
            let room = MAX_OPEN_COMMANDS.saturating_sub(self.early.len());
            self.early_reread |= reread || commands.len() > room;
            self.early.extend(commands.into_iter().take(room));
        }
    }

    fn reread(&mut self) {
        let Ok(instance) = InstanceId::new(&self.principal.id) else { return };
        let (log, org) = (self.hub.log.clone(), self.principal.org.clone());
        self.work.push(Box::pin(async move {
            match log.outstanding(&org, &instance).await {
                Ok(commands) => Answer::Outstanding(commands),
                Err(error) => Answer::Failed(error),
            }
        }));
    }

    pub(super) fn answer(&mut self, answer: Answer) {
        let machine = &mut self.socket.machine;
        match answer {
            Answer::Welcomed(Ok(welcomed)) => self.welcome(*welcomed),
            Answer::Welcomed(Err(error)) => {
                let code = error.close_code();
                machine.refuse(error, code);
            }
            Answer::Started(ticket, start) => machine.subscribed(ticket, start),
            Answer::Events(ticket, Page::Pieces { pieces, more }) => {
                machine.provide_events(ticket, &pieces, more);
            }
            Answer::Events(ticket, Page::Trimmed) => machine.resync(ticket, "trimmed"),
            Answer::Snapshot(ticket, page) => provide_snapshot(machine, ticket, &page),
            Answer::Fetched(ticket, id, fetched) => {
                fetched.with_page(id, |page| machine.provide_page(ticket, page));
            }
            Answer::Published(published, events) => {
                let metrics = self.hub.metrics();
                if published.error.is_none() {
                    metrics.published.add(events.saturating_sub(published.rejected.len() as u64));
                    metrics.rejected.add(published.rejected.len() as u64);
                }
                machine.published(published);
            }
            Answer::Reply(reply) => machine.reply(reply),
            Answer::Outstanding(commands) => {
                for command in commands {
                    machine.dispatch(command);
                }
            }
            Answer::Failed(error) => self.end(error),
        }
    }

    fn welcome(&mut self, (welcomed, seated): (Welcomed, Option<Seated>)) {
        self.epoch = Some(welcomed.admission.epoch.clone());
        self.seated = seated;
        self.present = Present::new(&self.hub, &self.feed, &self.principal);
        self.socket.machine.welcome(welcomed.admission, self.hub.clock.now());
        if let Some(mut attachment) = welcomed.attachment {
            for command in std::mem::take(&mut attachment.outstanding) {
                self.socket.machine.dispatch(command);
            }
            self.attachment = Some(attachment);
            let (early, reread) = (std::mem::take(&mut self.early), self.early_reread);
            self.commands(early, reread);
        }
    }

    /// The socket is closed because nothing was heard of it.
    pub(super) fn is_silent(&mut self) {
        if let Some(present) = &mut self.present {
            present.is_silent();
        }
    }

    /// Ends the connection for a reason that is an error.
    fn end(&mut self, error: ErrorBody) {
        let code = error.close_code();
        if self.socket.machine.is_open() {
            self.socket.machine.close(code, &error.message, error.retry_after_ms);
        } else {
            self.socket.machine.refuse(error, code);
        }
    }

    fn close(&mut self, code: CloseCode, reason: &str) {
        if self.socket.machine.is_open() {
            self.socket.machine.close(code, reason, None);
        } else {
            let error = ErrorBody::retryable(ErrorCode::Unavailable, reason);
            self.socket.machine.refuse(error, code);
        }
    }

    fn stage_changed(&mut self) {
        let stage = *self.stage.borrow_and_update();
        match stage {
            Stage::Running => {}
            Stage::Draining { window_ms } => self.socket.machine.drain(window_ms),
            Stage::Closing => self.close(CloseCode::Drain, "the hub goes away; resume in a moment"),
        }
    }

    /// Gives everything back that others could still reach this connection by. Nothing happens the second time.
    fn leave(&mut self) {
        for scope in std::mem::take(&mut self.scopes).into_keys() {
            self.feed.unsubscribe(&scope, self.number);
        }
        self.probes.clear();
        self.seated = None;
        self.present = None;
        self.attachment = None;
        self.work.clear();
    }

    /// What the client asked for before it left still reaches the log.
    fn settle(&mut self) {
        while let Some(need) = self.socket.machine.poll_event() {
            self.need(need);
        }
        self.requests.clear();
        self.publishes.clear();
    }
}

/// Also when the task is dropped or panics: a connection that is not there must not hold subscriptions or a seat.
impl Drop for Session {
    fn drop(&mut self) {
        self.leave();
    }
}
