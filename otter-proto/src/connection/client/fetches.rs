//! Rows and texts that are not in the live state: lists that go further back, and texts that were cut.

use crate::Instant;
use crate::connection::client::ClientConnection;
use crate::connection::client::event::{ConnectionEvent, ListState};
use crate::connection::client::link::Link;
use crate::error::{ErrorBody, ErrorCode};
use crate::frame::{ClientFrame, Fetch, Page, PageKey, SubscribedMode};
use crate::id::{EntityKey, Scope};
use crate::state::MAX_NOT_LIVE;
use crate::wire::Json;

/// Everything that is fetched or was fetched and is shown.
#[derive(Debug, Default)]
pub(super) struct Fetches {
    open: Vec<Open>,
    /// Never used twice, so that an answer of an older connection fits none.
    last_id: u64,
}

/// A list that goes further back than the live rows, or a text on its way.
#[derive(Debug)]
struct Open {
    scope: Scope,
    what: What,
    /// Where the next page begins.
    next: Option<PageKey>,
    /// There is nothing beyond.
    ended: bool,
    wanted: bool,
    /// The fetch under way.
    pending: Option<u64>,
    /// While a snapshot waits for it: how far the list went.
    again: Option<Depth>,
    error: Option<ErrorBody>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    List(String),
    Text(EntityKey),
}

/// How far back a list goes.
#[derive(Debug)]
enum Depth {
    To(PageKey),
    End,
}

impl Open {
    const fn new(scope: Scope, what: What) -> Self {
        Self { scope, what, next: None, ended: false, wanted: true, pending: None, again: None, error: None }
    }

    fn fetch(&self, id: u64) -> Fetch {
        let (entity_type, entity) = match &self.what {
            What::List(entity_type) => (Some(entity_type.clone()), None),
            What::Text(key) => (None, Some(key.clone())),
        };
        Fetch { id, scope: self.scope.clone(), entity_type, before: self.next.clone(), limit: None, entity }
    }

    /// Whether the list is as deep again as it was.
    fn is_deep(&self) -> bool {
        self.ended
            || match (&self.again, &self.next) {
                (Some(Depth::To(to)), Some(next)) => (&next.order, &next.id) <= (&to.order, &to.id),
                (Some(Depth::End), _) | (_, None) => false,
                (None, Some(_)) => true,
            }
    }
}

impl ClientConnection {
    /// Asks for the rows of a type that are older than those of its list. They come as entities that are not live; the
    /// list and its rows stay until its scope is given up.
    pub fn more(&mut self, scope: Scope, entity_type: &str) {
        let scope = self.resolve(scope);
        let rows = self.subscription(&scope).map_or(0, |subscription| subscription.state().len());
        let what = What::List(entity_type.to_owned());
        let Some(open) = self.open(&scope, what) else { return };
        open.error = (rows >= MAX_LISTED)
            .then(|| ErrorBody::new(ErrorCode::TooLarge, "the list is as long as it can be"));
        open.wanted = !open.ended && open.error.is_none();
        self.tell_list(&scope, entity_type);
        self.send_fetches();
    }

    /// Asks for the whole of a text that its entity shows only the head of; told as [`ConnectionEvent::Text`].
    pub fn fetch_text(&mut self, scope: Scope, key: EntityKey) {
        let scope = self.resolve(scope);
        if self.open(&scope, What::Text(key.clone())).is_some() {
            self.send_fetches();
        } else {
            self.text_left(scope, key);
        }
    }

    /// A text does not come any more: whoever waits for it has to hear that.
    fn text_left(&mut self, scope: Scope, key: EntityKey) {
        let error = ErrorBody::retryable(ErrorCode::Unavailable, "its scope is not followed any more");
        let error = Some(error);
        self.emit(ConnectionEvent::Text { scope, key, first: true, part: None, done: true, error });
    }

    fn open(&mut self, scope: &Scope, what: What) -> Option<&mut Open> {
        self.subscription(scope).filter(|subscription| subscription.wanted)?;
        let open = &mut self.fetches.open;
        let at = open.iter().position(|each| each.scope == *scope && each.what == what);
        let at = at.unwrap_or_else(|| {
            open.push(Open::new(scope.clone(), what));
            open.len() - 1
        });
        open.get_mut(at)
    }

    /// Sends what is wanted and may be asked.
    pub(super) fn send_fetches(&mut self) {
        if !matches!(self.link, Link::Online { .. }) {
            return;
        }
        let mut asked = Vec::new();
        let fetches = &mut self.fetches;
        for open in fetches.open.iter_mut().filter(|open| open.wanted && open.pending.is_none()) {
            let at = self.scopes.iter().find(|(name, _)| *name == open.scope);
            if at.is_some_and(|(_, subscription)| subscription.is_fetchable()) {
                fetches.last_id += 1;
                open.pending = Some(fetches.last_id);
                asked.push(open.fetch(fetches.last_id));
            }
        }
        for fetch in asked {
            self.send(&ClientFrame::Fetch(fetch));
        }
    }

    /// The scope was answered: what was asked before has no answer, and what a snapshot takes away is asked again.
    pub(super) fn fetches_answered(&mut self, scope: &Scope, mode: SubscribedMode) {
        let mut held = false;
        for open in self.fetches.open.iter_mut().filter(|open| open.scope == *scope) {
            open.wanted |= open.pending.take().is_some();
            if mode != SubscribedMode::Snapshot {
                continue;
            }
            if let What::Text(_) = open.what {
                open.next = None;
                continue;
            }
            let depth = match open.next.take() {
                _ if open.ended => Some(Depth::End),
                Some(next) => Some(Depth::To(next)),
                None => None,
            };
            // A snapshot that waited and did not come leaves the depth of before.
            open.again = open.again.take().or(depth);
            open.ended = false;
            open.wanted |= open.again.is_some();
            held |= open.again.is_some();
        }
        if mode == SubscribedMode::Denied {
            self.drop_fetches(Some(scope));
        }
        if let Some(subscription) = self.subscription(scope) {
            subscription.held = held;
        }
    }

    /// A page. One that nobody waits for any more belongs to an earlier subscription.
    pub(super) fn fetched(&mut self, page: &Page<'_>, now: Instant) {
        let Some(at) = self.fetches.open.iter().position(|open| open.pending == Some(page.id)) else {
            return;
        };
        let Some(open) = self.fetches.open.get_mut(at) else { return };
        let first = open.next.is_none();
        open.pending = None;
        open.error.clone_from(&page.error);
        if page.error.is_none() {
            open.next.clone_from(&page.next);
            open.ended = page.next.is_none();
        }
        let failed = page.error.is_some();
        let scope = open.scope.clone();
        match open.what.clone() {
            What::List(entity_type) => {
                open.wanted = open.again.is_some() && !failed && !open.is_deep();
                if !open.wanted {
                    open.again = None;
                }
                self.listed(&scope, &entity_type, page, now);
            }
            What::Text(key) => {
                if !first && page.error.as_ref().is_some_and(|error| error.code == ErrorCode::Changed) {
                    // Parts of two versions make no text.
                    (open.next, open.wanted, open.error) = (None, true, None);
                    return self.send_fetches();
                }
                open.wanted = !open.ended && !failed;
                if !open.wanted {
                    self.fetches.open.remove(at);
                }
                let part = page.full.map(|full| Json::trusted(full.to_owned()));
                let done = page.next.is_none();
                let error = page.error.clone();
                self.emit(ConnectionEvent::Text { scope, key, first, part, done, error });
            }
        }
    }

    fn listed(&mut self, scope: &Scope, entity_type: &str, page: &Page<'_>, now: Instant) {
        let waits = self.fetches.open.iter().any(|open| open.scope == *scope && open.again.is_some());
        let Some(subscription) = self.subscription(scope) else { return };
        let changed = match page.as_of {
            Some(as_of) => subscription.rows(entity_type, &page.rows, as_of),
            None => Vec::new(),
        };
        let step = if subscription.held && !waits {
            subscription.held = false;
            Some(subscription.swap())
        } else {
            None
        };
        for key in changed {
            self.changed(scope, key);
        }
        if let Some(step) = step {
            self.take(scope, step, None, now);
            self.tell_scope(scope);
        }
        self.tell_list(scope, entity_type);
    }

    /// The connection is gone: what was asked is asked again.
    pub(super) fn detach_fetches(&mut self) {
        for open in &mut self.fetches.open {
            open.wanted |= open.pending.take().is_some();
        }
    }

    /// A scope was given up, or all were: its lists close, and its texts end.
    pub(super) fn drop_fetches(&mut self, scope: Option<&Scope>) {
        let is_of = |open: &Open| scope.is_none_or(|scope| open.scope == *scope);
        while let Some(at) = self.fetches.open.iter().position(is_of) {
            let open = self.fetches.open.remove(at);
            if let What::Text(key) = open.what {
                self.text_left(open.scope, key);
            }
        }
    }

    /// Keeps the rows that are not live within their bound over all scopes.
    pub(super) fn trim_rows(&mut self) {
        while self.scopes.iter().map(|(_, of)| of.state().not_live()).sum::<usize>() > MAX_NOT_LIVE {
            let most = self.scopes.iter_mut().max_by_key(|(_, of)| of.state().not_live());
            let Some((scope, subscription)) = most else { return };
            let half = subscription.state().not_live() / 2;
            let (scope, dropped) = (scope.clone(), subscription.state_mut().shrink(half));
            for key in dropped {
                self.changed(&scope, key);
            }
        }
    }

    fn tell_list(&mut self, scope: &Scope, entity_type: &str) {
        let is_it =
            |open: &&Open| open.scope == *scope && matches!(&open.what, What::List(of) if of == entity_type);
        let Some(open) = self.fetches.open.iter().find(is_it) else { return };
        if open.again.is_some() {
            return;
        }
        let state = ListState {
            loading: open.wanted || open.pending.is_some(),
            more: !open.ended,
            oldest: open.next.clone(),
            error: open.error.clone(),
        };
        let event =
            ConnectionEvent::List { scope: scope.clone(), entity_type: entity_type.to_owned(), state };
        self.emit(event);
    }
}

/// Rows of a scope, beyond which its lists do not grow.
const MAX_LISTED: usize = 10_000;
