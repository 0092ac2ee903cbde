//! Live windows: which rows of a type every client holds.

use otter_proto::UnixMillis;
use otter_proto::catalogue::EntityRow as EntityType;
use otter_proto::id::{EntityKey, Scope};
use otter_proto::kind::{ApprovalState, CommandStage, MarkTarget, TaskStatus};
use otter_proto::limits::ORDER_BYTES;

use crate::ledger::json;
use crate::ledger::write::Ledger;
use crate::ledger::{End, EntityRow, StoreError, WindowRow};

/// Whether a row counts as open.
pub(super) fn is_open(entity_type: &EntityType, text: &str) -> bool {
    if entity_type.window.open_rows == 0 {
        return false;
    }
    match entity_type.name {
        "command" => json::string(text, "stage")
            .and_then(|stage| CommandStage::parse(&stage))
            .is_some_and(|stage| !stage.is_final()),
        "task" => json::string(text, "status")
            .and_then(|status| TaskStatus::parse(&status))
            .is_some_and(TaskStatus::is_open),
        "approval" => json::string(text, "state")
            .and_then(|state| ApprovalState::parse(&state))
            .is_some_and(|state| matches!(state, ApprovalState::Pending | ApprovalState::Decided)),
        "mark" => json::string(text, "target").as_deref() == Some(MarkTarget::Conversation.as_str()),
        _ => false,
    }
}

/// What a row is ordered by, cut to what a cursor may hold. One without its order key counts as of its last write.
pub(super) fn order(entity_type: &EntityType, text: &str, now: UnixMillis) -> String {
    match json::string(text, entity_type.order_key) {
        Some(order) => UnixMillis::parse(&order).map_or_else(
            || order.get(..order.floor_char_boundary(ORDER_BYTES)).unwrap_or_default().to_owned(),
            |at| at.to_string(),
        ),
        None => now.to_string(),
    }
}

const fn over(entity_type: &EntityType, open: bool, window: WindowRow) -> bool {
    if open {
        window.rows > entity_type.window.open_rows || window.bytes > entity_type.window.open_bytes
    } else {
        window.rows > entity_type.window.rows || window.bytes > entity_type.window.bytes
    }
}

impl Ledger<'_> {
    /// Moves a row that is about to be stored into its window and returns the rows that leave it for that. A row that
    /// is older than all that stay is made not live instead; one that was live before never is: it may not be merged
    /// and evicted by the same event.
    pub(super) fn settle(
        &mut self,
        scope: &Scope,
        entity_type: &EntityType,
        key: &EntityKey,
        existing: Option<&EntityRow>,
        row: &mut EntityRow,
    ) -> Result<Vec<(EntityKey, EntityRow)>, StoreError> {
        let was_live = existing.filter(|old| old.live);
        if let Some(old) = was_live {
            self.leave_window(scope, key, old)?;
        }
        if !row.live {
            return Ok(Vec::new());
        }
        let mut window = self.rows.window(scope, entity_type.name, row.open)?;
        window.rows += 1;
        window.bytes += bytes(row);
        let mut evicted = Vec::new();
        let mut oldest = Vec::new().into_iter();
        while over(entity_type, row.open, window) {
            if oldest.len() == 0 {
                let skip = evicted.len() + 1;
                oldest = self.oldest(scope, entity_type, row.open, skip, key, &evicted)?.into_iter();
            }
            let Some((next, old)) = oldest.next() else { break };
            if was_live.is_none() && (&row.order, key) < (&old.order, &next) {
                row.live = false;
                window.rows -= 1;
                window.bytes -= bytes(row);
                break;
            }
            window.rows = window.rows.saturating_sub(1);
            window.bytes = window.bytes.saturating_sub(bytes(&old));
            evicted.push((next, old));
        }
        self.rows.put_window(scope, entity_type.name, row.open, &window)?;
        Ok(evicted)
    }

    /// A few of the oldest live rows, without the row itself and those already evicted.
    fn oldest(
        &mut self,
        scope: &Scope,
        entity_type: &EntityType,
        open: bool,
        skip: usize,
        key: &EntityKey,
        evicted: &[(EntityKey, EntityRow)],
    ) -> Result<Vec<(EntityKey, EntityRow)>, StoreError> {
        let mut rows = self.rows.live(scope, entity_type.name, open, End::Oldest, skip + 4)?;
        rows.retain(|(next, _)| next != key && !evicted.iter().any(|(gone, _)| gone == next));
        Ok(rows)
    }

    /// Takes a live row out of the count of its window.
    pub(super) fn leave_window(
        &mut self,
        scope: &Scope,
        key: &EntityKey,
        row: &EntityRow,
    ) -> Result<(), StoreError> {
        let mut window = self.rows.window(scope, key.entity_type(), row.open)?;
        window.rows = window.rows.saturating_sub(1);
        window.bytes = window.bytes.saturating_sub(bytes(row));
        self.rows.put_window(scope, key.entity_type(), row.open, &window)
    }
}

pub(super) fn bytes(row: &EntityRow) -> u64 {
    u64::try_from(row.text.len()).unwrap_or(u64::MAX)
}
