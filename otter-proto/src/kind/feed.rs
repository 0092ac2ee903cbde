//! Payloads of `feed.*` and of the commands about the feed.

use crate::UnixMillis;
use crate::id::{EntityId, InstanceId};
use crate::kind::{Author, payload};
use crate::wire::words;

words! {
    /// What a feed item is; decides how it is shown.
    pub enum FeedCategory {
        /// A mail: `from`, `title` (the subject), `body`.
        Email = "email",
        /// A market move: `symbol`, `price`, `change`.
        Market = "market",
        /// A post: `from`, `handle`, `body`.
        Social = "social",
        /// Something is wrong or needs eyes: `severity`.
        Alert = "alert",
        /// Anything else.
        Custom = "custom",
    }

    /// How much an alert matters.
    pub enum Severity {
        /// Good to know.
        Info = "info",
        /// Look at it soon.
        Warning = "warning",
        /// Look at it now.
        Critical = "critical",
    }
}

payload! {
    /// `feed.itemAdded`: something happened that people may want to know.
    pub struct FeedItemAdded {
        /// What it is.
        category: FeedCategory,
        /// One line, 1 to 300 characters.
        title: String,
        /// The text, Markdown, at most 6 KiB.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<String>,
        /// Who it is from: a sender, an author, a service.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        /// The author's name in their network, for instance `@otter`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        handle: Option<String>,
        /// Where to read more; shown as a link only when it is `https`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
        /// How much an alert matters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        severity: Option<Severity>,
        /// The symbol of a market item, for instance `OTTR`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        symbol: Option<String>,
        /// The price, a decimal with its currency as people write it, for instance `41.20 USD`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        price: Option<String>,
        /// The change, for instance `+3.4 %`; a leading `-` or `+` gives its colour.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        change: Option<String>,
        /// The agent that pushed it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent_id: Option<EntityId>,
        /// The instance it came through.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instance_id: Option<InstanceId>,
        /// Anything else, as JSON text; at most 4 KiB.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
        /// When it happened; the feed is ordered by it.
        occurred_at: UnixMillis,
    }

    /// `feed.itemUpdated`: what changed of an item.
    pub struct FeedItemUpdated {
        /// One line.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// The text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<String>,
        /// How much an alert matters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        severity: Option<Severity>,
        /// The price.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        price: Option<String>,
        /// The change.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        change: Option<String>,
        /// Put away for everyone; only people do that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        archived: Option<bool>,
        /// Who put it away.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        archived_by: Option<Author>,
        /// When it was put away.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        archived_at: Option<UnixMillis>,
    }

    /// `feed.itemRemoved`.
    pub struct FeedItemRemoved {}

    /// Command `feed.markRead`: this person has read these items.
    pub struct FeedMarkRead {
        /// The items, 1 to 100.
        item_ids: Vec<EntityId>,
    }

    /// Command `feed.archive`: puts items away for everyone, or brings them back.
    pub struct FeedArchive {
        /// The items, 1 to 100.
        item_ids: Vec<EntityId>,
        /// `false` brings them back.
        archived: bool,
    }
}
