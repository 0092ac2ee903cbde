//! Handing commands to their instance: level-triggered, read again on every attach.

use otter_proto::frame::CommandDispatch;
use otter_proto::id::{CommandId, InstanceId, Scope};
use otter_proto::kind::CommandStage;
use otter_proto::wire::Json;

use crate::ledger::json::Object;
use crate::ledger::write::Ledger;
use crate::ledger::{CommandRow, StoreError};

impl Ledger<'_> {
    /// The open commands of an instance in the order of acceptance, each with the time it has left. From now on they
    /// are recorded as sent: only the instance ends them.
    pub fn outstanding(&mut self, instance: &InstanceId) -> Result<Vec<CommandDispatch>, StoreError> {
        let mut outstanding = Vec::new();
        for (id, mut row) in self.rows.open_commands(instance)? {
            if !row.sent && row.expires_at <= self.now {
                self.end_unsent(&id, row, CommandStage::Expired, None)?;
                continue;
            }
            if !row.sent {
                row.sent = true;
                let data = Object::default().raw("sent", "true").string("stage", row.stage.as_str());
                self.write_own("command.updated", id.as_str(), Scope::Org, Some(&id), data)?;
                self.rows.put_command(&id, &row)?;
            }
            outstanding.push(self.dispatch_of(&id, &row));
        }
        Ok(outstanding)
    }

    pub(super) fn dispatch_of(&self, id: &CommandId, row: &CommandRow) -> CommandDispatch {
        CommandDispatch {
            id: id.clone(),
            kind: row.kind.clone(),
            data: Json::trusted(row.data.clone()),
            by: Json::trusted(row.by.clone()),
            address: row.address.clone().map(Json::trusted),
            ttl_ms: row.expires_at.0.saturating_sub(self.now.0),
            cancel: row.cancel,
        }
    }
}
