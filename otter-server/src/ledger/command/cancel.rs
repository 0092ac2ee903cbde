//! `command.cancel`.

use otter_proto::error::ErrorCode;
use otter_proto::id::{CommandId, Scope};
use otter_proto::kind::{CommandCancel, CommandStage};

use super::{Checked, Denied, Verdict};
use crate::ledger::json::Object;
use crate::ledger::write::Ledger;
use crate::ledger::{CommandRow, StoreError};

impl Ledger<'_> {
    /// Before the target was sent the hub ends it, later it asks the instance to.
    pub(super) fn cancel(&mut self, command: &Checked<'_>, data: &CommandCancel) -> Verdict<()> {
        let target = &data.command_id;
        let Some(row) = self.rows.command(target)? else {
            let message = "there is no such command; it may have ended long ago";
            let denied = Denied::new(ErrorCode::NotFound, message, &[Scope::Org]);
            return Ok(Err(denied.at("/data/commandId")));
        };
        if row.stage.is_final() {
            let denied = Denied::new(ErrorCode::AlreadyEnded, "this command has ended", &[Scope::Org]);
            return Ok(Err(denied.at("/data/commandId")));
        }
        if row.sent {
            let reach = row.instance.as_ref().is_some_and(|id| command.attached.contains(id));
            self.ask_to_cancel(target, row, Some(command.id), reach)?;
        } else {
            self.end_unsent(target, row, CommandStage::Cancelled, Some(command.id))?;
        }
        self.complete(command, Object::default())
    }

    /// Notes the wish, which its instance hears when it `reach`es it, or else on its next attach.
    pub(in crate::ledger) fn ask_to_cancel(
        &mut self,
        id: &CommandId,
        mut row: CommandRow,
        caused_by: Option<&CommandId>,
        reach: bool,
    ) -> Result<(), StoreError> {
        row.cancel = true;
        let data = Object::default().raw("cancelRequested", "true").string("stage", row.stage.as_str());
        self.write_own("command.updated", id.as_str(), Scope::Org, caused_by, data)?;
        self.rows.put_command(id, &row)?;
        if let Some(instance) = row.instance.clone().filter(|_| reach) {
            let dispatch = self.dispatch_of(id, &row);
            self.dispatch.push((instance, dispatch));
        }
        Ok(())
    }
}
