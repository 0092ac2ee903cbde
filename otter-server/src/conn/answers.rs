//! Work that a connection waits for, and its results.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use otter_proto::connection::server::{Piece, ServerConnection, SnapshotEnd, SnapshotRead, Start, Ticket};
use otter_proto::error::ErrorBody;
use otter_proto::event::RecordedEvent;
use otter_proto::frame::{CommandDispatch, Published, Reply, SnapshotRow};
use otter_proto::id::{EntityKey, Epoch, OrgId, Scope};
use otter_proto::limits::MESSAGE_BYTES;

use super::admission::{Seated, Welcomed};
use super::fetches::Fetched;
use crate::fanout::ScopeFeed;
use crate::hub::Hub;
use crate::log::{Resume, ResumeMiss};
use crate::ring::{fitting, hex, piece};
use crate::store::{self, EventPage};

/// Bytes of events in one page of the log.
const PAGE_BYTES: usize = MESSAGE_BYTES * 3 / 4;
/// Bytes of values in one page of a snapshot; the keys come on top.
const SNAPSHOT_BYTES: usize = MESSAGE_BYTES * 3 / 4;

/// What a row of a snapshot takes besides its key and value.
const ROW_BYTES: usize = 64;

/// Work of a connection.
pub(super) type Work = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// A result for the machine.
pub(super) enum Answer {
    Welcomed(Result<Box<(Welcomed, Option<Seated>)>, ErrorBody>),
    Started(Ticket, Start),
    Events(Ticket, Page),
    Snapshot(Ticket, Arc<store::SnapshotRead>),
    Fetched(Ticket, u64, Fetched),
    /// With the number of events that were published.
    Published(Published, u64),
    Reply(Reply),
    Outstanding(Vec<CommandDispatch>),
    /// The connection cannot go on.
    Failed(ErrorBody),
}

/// A page of the log as the machine takes it.
pub(super) enum Page {
    Pieces {
        pieces: Vec<Piece>,
        more: bool,
    },
    /// What followed the position is not there any more.
    Trimmed,
}

/// Decides how a subscription starts. The feed is registered already, so nothing is missed in between.
pub(super) async fn start(
    hub: Arc<Hub>,
    org: OrgId,
    scope: Scope,
    position: Option<(Epoch, u64)>,
    ticket: Ticket,
    feed: Arc<ScopeFeed>,
) -> Answer {
    let read = hub.read(move |reader| {
        let head = reader.scope_head(&org, &scope)?;
        let resume = match position {
            Some((epoch, pos)) => Some(reader.resume(&org, &scope, &epoch, pos)?),
            None => None,
        };
        Ok((head, resume))
    });
    match read.await {
        Ok((head, resume)) => {
            feed.raise_head(head);
            Answer::Started(ticket, started(head, resume))
        }
        Err(error) => Answer::Failed(error),
    }
}

fn started(head: u64, resume: Option<Resume>) -> Start {
    match resume {
        Some(Resume::Hit) => Start::Resumed { head },
        Some(Resume::Miss(miss)) => {
            Start::Snapshot { head, reason: Some(ResumeMiss::as_str(miss).to_owned()) }
        }
        None => Start::Snapshot { head, reason: None },
    }
}

/// Reads a page behind the ring.
pub(super) async fn events(
    hub: Arc<Hub>,
    org: OrgId,
    scope: Scope,
    epoch: Epoch,
    after: u64,
    ticket: Ticket,
    feed: Arc<ScopeFeed>,
) -> Answer {
    let of = scope.clone();
    hub.metrics().log_reads.add(1);
    match hub.read(move |reader| reader.events_after(&org, &of, after, PAGE_BYTES)).await {
        Ok(page) => {
            feed.raise_head(page.head);
            Answer::Events(ticket, page_of(&scope, &epoch, after, &page))
        }
        Err(error) => Answer::Failed(error),
    }
}

/// A page as a frame. It starts with the first event's own `prev`: what was trimmed while the reader was away shows as
/// a hole.
fn page_of(scope: &Scope, epoch: &Epoch, after: u64, page: &EventPage) -> Page {
    let (Some((_, first)), Some((last, _))) = (page.events.first(), page.events.last()) else {
        return if page.head > after {
            Page::Trimmed
        } else {
            Page::Pieces { pieces: Vec::new(), more: false }
        };
    };
    let Ok(event) = RecordedEvent::parse(first) else { return Page::Trimmed };
    let texts = page.events.iter().map(|(_, text)| &**text).collect();
    let piece = piece(scope, epoch, event.prev, *last, texts, None);
    Page::Pieces { pieces: vec![piece], more: page.more }
}

/// Reads a page of a snapshot.
pub(super) async fn snapshot(
    hub: Arc<Hub>,
    org: OrgId,
    scope: Scope,
    after: Option<EntityKey>,
    ticket: Ticket,
) -> Answer {
    let (pages, metrics) = (Arc::clone(&hub.pages), Arc::clone(hub.metrics()));
    let read = hub.read(move |reader| {
        let key = (org.clone(), scope.clone(), after.clone());
        let fresh = || {
            metrics.snapshot_reads.add(1);
            reader.snapshot_page(&org, &scope, after.as_ref(), SNAPSHOT_BYTES)
        };
        pages.get(key, Instant::now(), fresh)
    });
    match read.await {
        Ok(page) => Answer::Snapshot(ticket, page),
        Err(error) => Answer::Failed(error),
    }
}

/// Hands a page of a snapshot to the machine: as many rows as fit into a frame, the next page begins with the rest.
pub(super) fn provide_snapshot(machine: &mut ServerConnection, ticket: Ticket, page: &store::SnapshotRead) {
    let fit = fitting(page.rows.iter().map(|row| row.key.as_str().len() + row.text.len() + ROW_BYTES));
    let rows: Vec<_> = page.rows.iter().take(fit).map(row).collect();
    let last = page.last.filter(|_| fit >= page.rows.len());
    let end = last.map(|last| SnapshotEnd { head: last.head, hash: Some(hex(last.hash)) });
    machine.provide_snapshot(ticket, &SnapshotRead { rows: &rows, as_of: page.as_of, end });
}

fn row(row: &store::LiveRow) -> SnapshotRow<'_> {
    SnapshotRow { entity: row.key.clone(), rev: row.rev, live: true, value: &row.text }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn recorded(prev: u64, seq: u64) -> (u64, Arc<str>) {
        let text = format!(
            r#"{{"seq":{seq},"prev":{prev},"id":"ev_1","at":"2026-11-22T14:00:00.000Z","scope":"org","kind":"k","source":{{}},"effects":[],"data":{{}}}}"#
        );
        (seq, Arc::from(text))
    }

    fn spans(
        after: u64,
        events: Vec<(u64, Arc<str>)>,
        head: u64,
        more: bool,
    ) -> Option<(Vec<(u64, u64)>, bool)> {
        let page = EventPage { events, more, head };
        match page_of(&Scope::Org, &Epoch::new("e1").unwrap(), after, &page) {
            Page::Pieces { pieces, more } => {
                Some((pieces.iter().map(|piece| (piece.prev, piece.last)).collect(), more))
            }
            Page::Trimmed => None,
        }
    }

    #[test]
    fn a_page_names_where_it_continues_so_that_a_trimmed_log_shows_as_a_hole() {
        let events = vec![recorded(7, 9), recorded(9, 12)];
        assert_eq!(spans(7, events.clone(), 20, true), Some((vec![(7, 12)], true)));
        assert_eq!(spans(3, events, 12, false), Some((vec![(7, 12)], false)));
    }

    #[test]
    fn nothing_where_something_should_be_is_a_trimmed_log() {
        assert_eq!(spans(12, vec![], 12, false), Some((vec![], false)));
        assert_eq!(spans(7, vec![], 12, false), None);
    }
}
