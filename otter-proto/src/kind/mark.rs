//! Payload of `mark.updated`: what a person has read. Marks live in the person's own scope.

use crate::UnixMillis;
use crate::kind::payload;
use crate::wire::words;

words! {
    /// What a mark is about.
    pub enum MarkTarget {
        /// A conversation: the mark's id is the conversation's.
        Conversation = "conversation",
        /// A feed item: the mark's id is the item's.
        Feed = "feed",
    }
}

payload! {
    /// `mark.updated`: unread messages of a conversation are its `messageCount` minus the mark's or, where that is more,
    /// minus its `importedCount`, at least 0; a feed item with a mark has been read.
    pub struct MarkUpdated {
        /// What it is about.
        target: MarkTarget,
        /// With `conversation`: how many of its messages were read; never decreases.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message_count: Option<u64>,
        /// When.
        read_at: UnixMillis,
    }
}
