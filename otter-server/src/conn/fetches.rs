//! Pages of rows and whole texts that a client fetches.

use std::sync::Arc;

use otter_proto::catalogue;
use otter_proto::connection::server::{PageAsk, Ticket};
use otter_proto::error::{ErrorBody, ErrorCode};
use otter_proto::frame::{Page, PageKey, SnapshotRow};
use otter_proto::id::{EntityKey, OrgId, Scope};
use otter_proto::limits::DATA_FRAME_BYTES;
use otter_proto::text::write_string;

use super::answers::Answer;
use crate::hub::Hub;
use crate::ledger::{StoreError, head};
use crate::log::Reader;
use crate::ring::fitting;
use crate::store::{ListAsk, ListRead, ListRow, WholeRead};

/// Bytes of values in one page; the keys come on top.
const PAGE_BYTES: usize = DATA_FRAME_BYTES / 2;
/// Bytes of JSON of one part of a long text, beside its entity.
const PART_BYTES: usize = DATA_FRAME_BYTES / 2;
/// What a row takes besides its key and value.
const ROW_BYTES: usize = 64;

/// What was read for a `fetch`.
#[derive(Debug)]
pub enum Fetched {
    /// Rows of a type.
    Rows(ListRead),
    /// One entity.
    Whole {
        /// Which.
        entity: EntityKey,
        /// Where its text goes on, in bytes.
        from: usize,
        /// The row and the text.
        read: WholeRead,
    },
    /// Nothing: the cursor is not one of ours.
    Refused(ErrorBody),
}

/// Reads what a client fetches.
pub(super) async fn fetch(
    hub: Arc<Hub>,
    org: OrgId,
    scope: Scope,
    ticket: Ticket,
    id: u64,
    ask: PageAsk,
) -> Answer {
    hub.metrics().page_reads.add(1);
    match hub.read(move |reader| read(reader, &org, &scope, &ask)).await {
        Ok(fetched) => Answer::Fetched(ticket, id, fetched),
        Err(error) => Answer::Failed(error),
    }
}

/// Reads what [`otter_proto::connection::server::Need::Page`] asks for.
pub fn read(reader: &Reader, org: &OrgId, scope: &Scope, ask: &PageAsk) -> Result<Fetched, StoreError> {
    match ask {
        PageAsk::Rows { entity_type, before, limit } => {
            let key = before.as_ref().map(|before| (&*before.order, EntityKey::new(entity_type, &before.id)));
            let before = match &key {
                None => None,
                Some((order, Ok(key))) => Some((*order, key)),
                Some((_, Err(_))) => return Ok(Fetched::Refused(bad_cursor())),
            };
            let limit = usize::try_from(*limit).unwrap_or(usize::MAX);
            let ask = ListAsk { entity_type, before, limit, max_bytes: PAGE_BYTES };
            reader.list_page(org, scope, ask).map(Fetched::Rows)
        }
        PageAsk::Whole { entity, before } => {
            let from = before.as_ref().map_or(Ok(0), |before| before.order.parse());
            let Ok(from) = from else { return Ok(Fetched::Refused(bad_cursor())) };
            let read = reader.whole(org, scope, entity)?;
            if read.whole.as_ref().is_some_and(|whole| !whole.is_char_boundary(from)) {
                return Ok(Fetched::Refused(bad_cursor()));
            }
            Ok(Fetched::Whole { entity: entity.clone(), from, read })
        }
    }
}

fn bad_cursor() -> ErrorBody {
    ErrorBody::new(ErrorCode::InvalidData, "`before` is what a page said as `next`").at("/before")
}

impl Fetched {
    /// Hands the page over: as much as fits into a frame, `next` says where the rest begins.
    pub fn with_page<T>(&self, id: u64, give: impl FnOnce(&Page<'_>) -> T) -> T {
        match self {
            Self::Refused(error) => give(&Page::refused(id, error.clone())),
            Self::Rows(read) => give(&rows_page(id, read)),
            Self::Whole { entity, from, read } => whole_page(id, entity, *from, read, give),
        }
    }
}

fn rows_page(id: u64, read: &ListRead) -> Page<'_> {
    let lengths = read.rows.iter().map(|each| each.key.as_str().len() + each.row.text.len() + ROW_BYTES);
    let fit = fitting(lengths);
    let rows: Vec<_> = read.rows.iter().take(fit).map(row).collect();
    let more = read.more || fit < read.rows.len();
    let next = read.rows.get(rows.len().saturating_sub(1)).filter(|_| more);
    let next = next.map(|last| PageKey { order: last.row.order.clone(), id: last.key.id().to_owned() });
    Page { id, rows, next, as_of: Some(read.as_of), full: None, error: None }
}

fn row(each: &ListRow) -> SnapshotRow<'_> {
    SnapshotRow { entity: each.key.clone(), rev: each.row.rev, live: each.row.live, value: &each.row.text }
}

fn whole_page<T>(
    id: u64,
    entity: &EntityKey,
    from: usize,
    read: &WholeRead,
    give: impl FnOnce(&Page<'_>) -> T,
) -> T {
    let row = read.row.as_ref().map(|row| SnapshotRow {
        entity: entity.clone(),
        rev: row.rev,
        live: row.live,
        value: &row.text,
    });
    let rest = read.whole.as_deref().and_then(|whole| whole.get(from..));
    let part = rest.map(|rest| head(rest, PART_BYTES));
    let end = from + part.map_or(0, str::len);
    let more = part.map(str::len) < rest.map(str::len);
    let full =
        part.zip(catalogue::entity(entity.entity_type()).and_then(|row| row.cut)).map(|(part, member)| {
            let mut full = String::from("{");
            write_string(&mut full, member);
            full.push(':');
            write_string(&mut full, part);
            full.push('}');
            full
        });
    give(&Page {
        id,
        rows: row.into_iter().collect(),
        next: more.then(|| PageKey { order: end.to_string(), id: entity.id().to_owned() }),
        as_of: Some(read.as_of),
        full: full.as_deref(),
        error: None,
    })
}
