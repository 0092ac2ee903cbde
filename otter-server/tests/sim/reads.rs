//! What the hub reads from its disk for a connection. It takes a while: meanwhile the log goes on.

use otter_proto::connection::server::{PageAsk, Piece, SnapshotEnd, SnapshotRead, Start, Ticket};
use otter_proto::event::RecordedEvent;
use otter_proto::frame::{Events, SnapshotRow};
use otter_proto::id::{EntityKey, Epoch, Scope};
use otter_server::conn::fetches::{self, Fetched};
use otter_server::log::Resume;
use otter_server::store;

use crate::hub::org;
use crate::link::LinkId;
use crate::mutants::Mutant;
use crate::world::{Happening, World};

/// What was read for a connection, as it was at the time of reading.
#[derive(Debug)]
pub(crate) enum Answer {
    Subscribed(Ticket, Start),
    Events(Ticket, store::EventPage, Scope),
    Snapshot(Ticket, store::SnapshotRead, Scope),
    Fetched(Ticket, u64, Fetched),
    Heads(u64, Vec<(Scope, u64)>),
}

impl World {
    /// How a subscription starts.
    pub(crate) fn start(&mut self, scope: &Scope, position: Option<(Epoch, u64)>) -> Start {
        let reader = self.hub.engine.reader();
        let head = reader.scope_head(&org(), scope).unwrap();
        let start = match position {
            None => Start::Snapshot { head, reason: None },
            Some(_) if self.is(Mutant::ResumesAlways) => Start::Resumed { head },
            Some((epoch, pos)) => match reader.resume(&org(), scope, &epoch, pos).unwrap() {
                Resume::Hit => Start::Resumed { head },
                Resume::Miss(why) => Start::Snapshot { head, reason: Some(why.as_str().to_owned()) },
            },
        };
        match &start {
            Start::Resumed { .. } => self.outcome.resumed += 1,
            Start::Snapshot { .. } | Start::Denied { .. } => self.outcome.snapshots += 1,
        }
        start
    }

    /// How much a page holds: little or much.
    fn page_bytes(&mut self) -> usize {
        if self.rng.one_in(2) { 300 } else { 100_000 }
    }

    pub(crate) fn events(&mut self, scope: &Scope, after: u64) -> store::EventPage {
        let bytes = self.page_bytes();
        self.hub.engine.reader().events_after(&org(), scope, after, bytes).unwrap()
    }

    pub(crate) fn snapshot(&mut self, scope: &Scope, after: Option<&EntityKey>) -> store::SnapshotRead {
        self.outcome.snapshot_pages += 1;
        let bytes = self.page_bytes();
        self.hub.engine.reader().snapshot_page(&org(), scope, after, bytes).unwrap()
    }

    pub(crate) fn fetched(&mut self, scope: &Scope, mut ask: PageAsk) -> Fetched {
        if let PageAsk::Rows { limit, .. } = &mut ask {
            *limit = self.rng.range(1, 40);
        }
        let mut fetched = fetches::read(&self.hub.engine.reader(), &org(), scope, &ask).unwrap();
        if let Fetched::Rows(read) = &mut fetched
            && self.is(Mutant::LeavesRowOut)
            && read.rows.len() > 2
        {
            read.rows.remove(read.rows.len() - 2);
        }
        fetched
    }

    /// Watermark and heads for a heartbeat. A commit is fanned out at once here, so the watermark is the org's head.
    pub(crate) fn heads(&mut self, scopes: Vec<Scope>) -> (u64, Vec<(Scope, u64)>) {
        let claims = self.errs(Mutant::ClaimsUnwritten, 2);
        let reader = self.hub.engine.reader();
        let head = |scope: &Scope| if claims { 0 } else { reader.scope_head(&org(), scope).unwrap() };
        let heads = scopes.into_iter().map(|scope| (scope.clone(), head(&scope))).collect();
        (reader.head(&org()).unwrap(), heads)
    }

    /// What was read is ready after a while.
    pub(crate) fn reads(&mut self, id: LinkId, answer: Answer) {
        let (run, delay) = (self.hub.run(), self.rng.range(0, 30));
        self.after(delay, Happening::Read(id, run, answer));
    }

    pub(crate) fn hub_read(&mut self, id: LinkId, run: u64, answer: Answer) {
        if run != self.hub.run() {
            return;
        }
        let epoch = self.hub.engine.epoch();
        let (skips, newer) = (self.errs(Mutant::SkipsEvent, 8), self.is(Mutant::ClaimsNewer));
        let reader = self.hub.engine.reader();
        let Some(peer) = self.hub.peers.get_mut(&id) else { return };
        match answer {
            Answer::Subscribed(ticket, start) => peer.machine.subscribed(ticket, start),
            Answer::Heads(watermark, heads) => {
                peer.machine.provide_heads(watermark, &heads);
            }
            Answer::Events(ticket, page, scope) => {
                let hash = |seq: u64| self.oracle.hash(&scope, seq).map(|hash| format!("{hash:016x}"));
                let pieces =
                    page.events.iter().map(|(seq, text)| piece(&scope, &epoch, *seq, text, hash(*seq)));
                let mut pieces: Vec<Piece> = pieces.collect();
                if let (true, [.., before, last]) = (skips, pieces.as_mut_slice()) {
                    before.last = last.last;
                    pieces.pop();
                }
                peer.machine.provide_events(ticket, &pieces, page.more);
            }
            Answer::Fetched(ticket, id, fetched) => {
                fetched.with_page(id, |page| peer.machine.provide_page(ticket, page));
            }
            Answer::Snapshot(ticket, read, scope) => {
                let rows: Vec<SnapshotRow<'_>> = read
                    .rows
                    .iter()
                    .map(|row| SnapshotRow {
                        entity: row.key.clone(),
                        rev: row.rev,
                        live: true,
                        value: &row.text,
                    })
                    .collect();
                let as_of = if newer { reader.scope_head(&org(), &scope).unwrap() } else { read.as_of };
                let end = read
                    .last
                    .map(|last| SnapshotEnd { head: last.head, hash: Some(format!("{:016x}", last.hash)) });
                peer.machine.provide_snapshot(ticket, &SnapshotRead { rows: &rows, as_of, end });
            }
        }
        self.drive_peer(id);
    }
}

/// One event as a frame.
fn piece(scope: &Scope, epoch: &Epoch, seq: u64, text: &str, hash: Option<String>) -> Piece {
    let events = Events { scope: scope.clone(), epoch: epoch.clone(), events: vec![text], hash };
    let mut frame = String::new();
    events.write(&mut frame);
    Piece { prev: RecordedEvent::parse(text).unwrap().prev, last: seq, frame: frame.into() }
}
