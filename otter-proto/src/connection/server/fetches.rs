//! Pages of rows that are not in the live state: asked for by the client, read by the driver.

use std::collections::VecDeque;

use super::need::{Need, PageAsk, Ticket};
use super::{Phase, ServerConnection};
use crate::catalogue;
use crate::error::{ErrorBody, ErrorCode};
use crate::frame::{Fetch, Page};
use crate::id::is_id;
use crate::limits::{MAX_FETCHES, MAX_PAGE_ROWS, ORDER_BYTES};
use crate::time::Instant;

impl ServerConnection {
    /// Takes a `fetch`. It waits until everything that happened before `subscribed` was sent; then the reader of its
    /// scope is held while the page is read, so that the page is not older than any event sent before it.
    pub(super) fn fetch(&mut self, fetch: &Fetch, now: Instant) {
        let id = fetch.id;
        let asked = ask_of(fetch).and_then(|ask| {
            let sub = self
                .named(&fetch.scope)
                .and_then(|scope| self.subs.get_mut(&scope))
                .ok_or_else(|| ErrorBody::new(ErrorCode::NotSubscribed, "subscribe to the scope first"))?;
            if sub.fetches.len() >= MAX_FETCHES {
                return Err(ErrorBody::retryable(ErrorCode::RateLimited, "wait for a page of the scope"));
            }
            sub.fetches.push_back((id, ask));
            Ok(())
        });
        if let Err(error) = asked {
            self.refuse_fetch(id, error, now);
        }
    }

    /// Says that there is no page, and counts it: a client asks for what it follows.
    pub(super) fn refuse_fetch(&mut self, id: u64, error: ErrorBody, now: Instant) {
        self.send_page(&Page::refused(id, error));
        self.strike(now);
    }

    /// Provides the page that was asked for.
    pub fn provide_page(&mut self, ticket: Ticket, page: &Page<'_>) {
        let Some((_, sub)) = self.subs.of(ticket) else { return };
        sub.asked = false;
        sub.dirty = true;
        if page.as_of.is_some_and(|as_of| as_of < sub.pos) {
            let words = "the page was older than the events sent before it; fetch again";
            return self.send_page(&Page::refused(page.id, ErrorBody::retryable(ErrorCode::Internal, words)));
        }
        self.send_page(page);
    }

    fn send_page(&mut self, page: &Page<'_>) {
        if matches!(self.phase, Phase::Open { .. }) {
            let mut text = String::new();
            page.write(&mut text);
            self.out.data(text.into());
        }
    }
}

/// The fetches of one subscription, in the order they came.
pub(super) type Fetches = VecDeque<(u64, PageAsk)>;

/// The question about the oldest fetch.
pub(super) fn next(fetches: &mut Fetches, ticket: Ticket, scope: &crate::id::Scope) -> Option<Need> {
    let (id, ask) = fetches.pop_front()?;
    Some(Need::Page { ticket, scope: scope.clone(), id, ask })
}

fn ask_of(fetch: &Fetch) -> Result<PageAsk, ErrorBody> {
    let invalid = |words: &str, pointer: &str| ErrorBody::new(ErrorCode::InvalidData, words).at(pointer);
    if let Some(before) = &fetch.before
        && (before.order.len() > ORDER_BYTES || !is_id(&before.id))
    {
        return Err(invalid("`before` is what a page said as `next`", "/before"));
    }
    match (&fetch.entity_type, &fetch.entity) {
        (Some(entity_type), None) => {
            if catalogue::entity(entity_type).is_none() {
                return Err(invalid("no entity has this type", "/entityType"));
            }
            let limit = fetch.limit.unwrap_or(MAX_PAGE_ROWS);
            if limit == 0 || limit > MAX_PAGE_ROWS {
                return Err(invalid("`limit` is 1 to 100", "/limit"));
            }
            Ok(PageAsk::Rows { entity_type: entity_type.clone(), before: fetch.before.clone(), limit })
        }
        (None, Some(entity)) => Ok(PageAsk::Whole { entity: entity.clone(), before: fetch.before.clone() }),
        (Some(_), Some(_)) | (None, None) => {
            Err(invalid("name an `entityType` or an `entity`", "/entityType"))
        }
    }
}
