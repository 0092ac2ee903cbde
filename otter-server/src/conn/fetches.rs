//! Pages of rows and whole texts that a client fetches.

use std::sync::Arc;

use otter_proto::catalogue;
use otter_proto::connection::server::{PageAsk, Ticket};
use otter_proto::error::{ErrorBody, ErrorCode};
use otter_proto::frame::{Page, PageKey, SnapshotRow};
use otter_proto::id::{EntityKey, OrgId, Scope};
use otter_proto::limits::MESSAGE_BYTES;
use otter_proto::text::write_string;

use super::answers::Answer;
use crate::hub::Hub;
use crate::ledger::{StoreError, head};
use crate::log::Reader;
use crate::ring::fitting;
use crate::store::{ListAsk, ListRead, ListRow, WholeRead};

/// Bytes of values in one page; the keys come on top.
const PAGE_BYTES: usize = MESSAGE_BYTES * 3 / 4;
/// Bytes of JSON of one part of a long text, beside its entity.
const PART_BYTES: usize = MESSAGE_BYTES / 2 - ROW_BYTES;
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
    /// Nothing, and why.
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
        // The page fails, not the connection: on the next one the client would ask for it again.
        Err(error) => Answer::Fetched(ticket, id, Fetched::Refused(error)),
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
            let read = reader.whole(org, scope, entity)?;
            Ok(match before.as_ref().map_or(Ok(0), |before| start_of_part(&before.order, &read)) {
                Ok(from) => Fetched::Whole { entity: entity.clone(), from, read },
                Err(refused) => Fetched::Refused(refused),
            })
        }
    }
}

/// Where the next part of a long text begins: its cursor says in which version, and where.
fn start_of_part(cursor: &str, read: &WholeRead) -> Result<usize, ErrorBody> {
    let (rev, from) = cursor.split_once(':').ok_or_else(bad_cursor)?;
    let rev: u64 = rev.parse().map_err(|_| bad_cursor())?;
    let from = from.parse().map_err(|_| bad_cursor())?;
    let whole = read.whole.as_ref().filter(|whole| whole.rev == rev).ok_or_else(|| {
        ErrorBody::retryable(
            ErrorCode::Changed,
            "the text is another one by now; fetch it from its beginning",
        )
    })?;
    if whole.text.is_char_boundary(from) { Ok(from) } else { Err(bad_cursor()) }
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
    let rest = read.whole.as_ref().and_then(|whole| whole.text.get(from..));
    let part = rest.map(|rest| head(rest, PART_BYTES));
    let end = from + part.map_or(0, str::len);
    let more = part.map(str::len) < rest.map(str::len);
    let rev = read.whole.as_ref().filter(|_| more).map(|whole| whole.rev);
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
        next: rev.map(|rev| PageKey { order: format!("{rev}:{end}"), id: entity.id().to_owned() }),
        as_of: Some(read.as_of),
        full: full.as_deref(),
        error: None,
    })
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::ledger::EntityRow;
    use crate::store::WholeText;

    fn read(rev: u64, text: &str) -> WholeRead {
        let row = EntityRow { text: "{}".into(), rev, live: true, open: false, order: String::new() };
        WholeRead { row: Some(row), whole: Some(WholeText { rev, text: text.to_owned() }), as_of: rev }
    }

    fn parts(read: &WholeRead) -> Vec<(String, Option<String>)> {
        let entity = EntityKey::parse("message/m").unwrap();
        let (mut from, mut parts) = (0, Vec::new());
        loop {
            let fetched = Fetched::Whole { entity: entity.clone(), from, read: read.clone() };
            let (full, next) = fetched.with_page(1, |page| {
                let next = page.next.as_ref().map(|next| next.order.clone());
                (page.full.unwrap_or_default().to_owned(), next)
            });
            parts.push((full, next.clone()));
            let Some(next) = next else { return parts };
            from = start_of_part(&next, read).unwrap();
        }
    }

    #[test]
    fn a_long_text_comes_in_parts_of_one_version() {
        let text = "ü".repeat(PART_BYTES);
        let read_once = read(7, &text);
        let parts = parts(&read_once);
        let cursors: Vec<_> = parts.iter().filter_map(|(_, next)| next.as_deref()).collect();
        assert_eq!(cursors, [format!("7:{PART_BYTES}")]);
        let whole: String = parts
            .iter()
            .map(|(full, _)| full.trim_start_matches(r#"{"text":""#).trim_end_matches(r#""}"#))
            .collect();
        assert_eq!(whole, text);
        let refused = |cursor: &str, read: &WholeRead| start_of_part(cursor, read).unwrap_err().code;
        assert_eq!(refused(cursors[0], &read(8, &text)), ErrorCode::Changed);
        assert_eq!(refused(cursors[0], &WholeRead { whole: None, ..read(8, "") }), ErrorCode::Changed);
        for bad in ["", "7", "7:", ":2", "7:1", "x:2", "7:2:2"] {
            assert_eq!(refused(bad, &read_once), ErrorCode::InvalidData, "{bad}");
        }
    }
}
