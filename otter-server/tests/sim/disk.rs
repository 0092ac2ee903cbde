//! The rows of the hub's disk, with a defect when one is planted.

use std::collections::BTreeMap;
use std::sync::Arc;

use otter_proto::UnixMillis;
use otter_proto::frame::{Lane, Rejection};
use otter_proto::id::{BootId, CommandId, EntityKey, Epoch, InstanceId, Scope};
use otter_server::ledger::{
    CommandRow, CommandRows, End, EntityRow, EventRow, LaneRow, LaneRows, OrgRow, ReplyRow, Rows, ScopeRow,
    StateRows, StoreError, WindowRow,
};

use crate::mutants::Mutant;

type Stored<T> = Result<T, StoreError>;

/// What a planted defect remembers.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    writes: u64,
    commands: BTreeMap<CommandId, CommandRow>,
}

impl Memory {
    /// True once in `n` writes.
    fn one_in(&mut self, n: u64) -> bool {
        self.writes += 1;
        self.writes.is_multiple_of(n)
    }
}

/// The rows inside one transaction.
pub(crate) struct Disk<'r> {
    pub(crate) rows: &'r mut dyn Rows,
    pub(crate) mutant: Option<Mutant>,
    pub(crate) memory: &'r mut Memory,
}

/// Passes a call on as it is.
macro_rules! pass {
    ($(fn $name:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {
        $(fn $name(&mut self, $($arg: $type),*) -> Stored<$out> {
            self.rows.$name($($arg),*)
        })*
    };
}

impl StateRows for Disk<'_> {
    pass! {
        fn org() -> Option<OrgRow>;
        fn swap_org(from: Option<&OrgRow>, to: &OrgRow) -> ();
        fn add_epoch(epoch: &Epoch, first: u64) -> ();
        fn scope(scope: &Scope) -> ScopeRow;
        fn put_scope(scope: &Scope, row: &ScopeRow) -> ();
        fn delete_entity(scope: &Scope, key: &EntityKey) -> ();
        fn oldest_of_vendors(scope: &Scope, limit: usize) -> Vec<(EntityKey, EntityRow)>;
        fn window(scope: &Scope, entity_type: &str, open: bool) -> WindowRow;
        fn put_window(scope: &Scope, entity_type: &str, open: bool, row: &WindowRow) -> ();
        fn removed_at(scope: &Scope, key: &EntityKey) -> Option<UnixMillis>;
        fn put_removed(scope: &Scope, key: &EntityKey, at: UnixMillis) -> ();
        fn put_full_text(scope: &Scope, key: &EntityKey, rev: u64, text: &str) -> ();
        fn delete_full_text(scope: &Scope, key: &EntityKey) -> ();
    }

    fn append(&mut self, event: &EventRow) -> Stored<()> {
        let derived = event.text.contains("\"kind\":\"conversation.updated\"");
        match self.mutant {
            Some(Mutant::LosesDerived) if derived && self.memory.one_in(5) => Ok(()),
            Some(Mutant::BreaksChain) if self.memory.one_in(20) => {
                let text = event.text.replacen("\"prev\":", "\"prev\":1", 1);
                self.rows.append(&EventRow { text: Arc::from(text), ..event.clone() })
            }
            _ => self.rows.append(event),
        }
    }

    fn entity(&mut self, scope: &Scope, key: &EntityKey) -> Stored<Option<EntityRow>> {
        let mut row = self.rows.entity(scope, key)?;
        match (self.mutant, key.entity_type()) {
            (Some(Mutant::MovesMarkBack), "mark") => return Ok(None),
            (Some(Mutant::DecidesTwice), "approval") => {
                if let Some(row) = &mut row {
                    row.text = row.text.replace("\"state\":\"decided\"", "\"state\":\"pending\"");
                }
            }
            _ => {}
        }
        Ok(row)
    }

    fn put_entity(&mut self, scope: &Scope, key: &EntityKey, row: &EntityRow) -> Stored<()> {
        let mut row = row.clone();
        match self.mutant {
            Some(Mutant::KeepsEvicted) => row.live = true,
            Some(Mutant::KeepsRev) if self.memory.one_in(20) => row.rev -= 1,
            _ => {}
        }
        self.rows.put_entity(scope, key, &row)
    }

    fn live(
        &mut self,
        scope: &Scope,
        entity_type: &str,
        open: bool,
        end: End,
        limit: usize,
    ) -> Stored<Vec<(EntityKey, EntityRow)>> {
        let mut rows = self.rows.live(scope, entity_type, open, end, limit)?;
        if self.mutant == Some(Mutant::EvictsAnother) && end == End::Oldest && rows.len() > 1 {
            rows.remove(0);
        }
        Ok(rows)
    }
}

impl LaneRows for Disk<'_> {
    pass! {
        fn lane(instance: &InstanceId, lane: Lane) -> Option<LaneRow>;
        fn rejections(instance: &InstanceId, lane: Lane) -> Vec<Rejection>;
        fn put_rejection(instance: &InstanceId, lane: Lane, rejection: &Rejection) -> ();
        fn drop_rejections(instance: &InstanceId, lane: Lane, up_to: u64) -> ();
        fn boot(instance: &InstanceId) -> Option<BootId>;
        fn put_boot(instance: &InstanceId, boot: &BootId) -> ();
    }

    fn put_lane(&mut self, instance: &InstanceId, lane: Lane, row: &LaneRow) -> Stored<()> {
        if self.mutant == Some(Mutant::ForgetsCursor) && self.memory.one_in(5) {
            return Ok(());
        }
        self.rows.put_lane(instance, lane, row)
    }
}

impl CommandRows for Disk<'_> {
    pass! {
        fn command(id: &CommandId) -> Option<CommandRow>;
        fn count_open_commands(instance: &InstanceId) -> u64;
        fn overdue_commands(now: UnixMillis, limit: usize) -> Vec<(CommandId, CommandRow)>;
        fn reply(id: &CommandId) -> Option<ReplyRow>;
        fn put_reply(id: &CommandId, row: &ReplyRow) -> ();
    }

    fn put_command(&mut self, id: &CommandId, row: &CommandRow) -> Stored<()> {
        if self.mutant == Some(Mutant::DispatchesEnded) {
            self.memory.commands.insert(id.clone(), row.clone());
        }
        self.rows.put_command(id, row)
    }

    fn open_commands(&mut self, instance: &InstanceId) -> Stored<Vec<(CommandId, CommandRow)>> {
        let mut open = self.rows.open_commands(instance)?;
        let of_instance = |row: &CommandRow| row.instance.as_ref() == Some(instance) && row.stage.is_final();
        let ended = self.memory.commands.iter().find(|(_, row)| of_instance(row));
        open.extend(ended.map(|(id, row)| (id.clone(), row.clone())));
        Ok(open)
    }
}
