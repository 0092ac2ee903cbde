//! `feed.markRead` and `feed.archive`.

use otter_proto::id::Scope;
use otter_proto::kind::FeedArchive;
use otter_proto::text;

use super::target::missing;
use super::{Checked, Verdict};
use crate::ledger::json::Object;
use crate::ledger::write::Ledger;

impl Ledger<'_> {
    /// Marks items as read. One that is gone or was read before costs nothing.
    pub(super) fn feed_mark_read(&mut self, command: &Checked<'_>) -> Verdict<()> {
        for row in self.predicted(command, None) {
            let item = row.key.id();
            if self.org_entity("feedItem", item)?.is_some()
                && self.mark_of(&command.actor.id, item)?.is_none()
            {
                let known = Object::default().string("readAt", &self.now.to_string());
                self.write_predicted(command, row, known)?;
            }
        }
        self.complete(command, Object::default())
    }

    /// Puts items away for everyone, or brings them back. All of them must exist.
    pub(super) fn feed_archive(&mut self, command: &Checked<'_>, data: &FeedArchive) -> Verdict<()> {
        for (at, item) in data.item_ids.iter().enumerate() {
            if self.org_entity("feedItem", item.as_str())?.is_none() {
                return Ok(Err(missing("feed item", &format!("/data/itemIds/{at}"), Scope::Org)));
            }
        }
        for row in self.predicted(command, None) {
            let item = self.org_entity("feedItem", row.key.id())?;
            let is_archived = item.is_some_and(|item| text::member(&item.text, "archived") == Some("true"));
            let known = match data.archived {
                // Who put it away first stays.
                same if same == is_archived => continue,
                true => Object::default().string("archivedAt", &self.now.to_string()),
                false => Object::default(),
            };
            self.write_predicted(command, row, known)?;
        }
        self.complete(command, Object::default())
    }
}
