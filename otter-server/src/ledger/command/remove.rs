//! `instance.remove`.

use otter_proto::id::Scope;
use otter_proto::kind::InstanceRemove;

use super::target::missing;
use super::{Checked, Verdict};
use crate::ledger::json::Object;
use crate::ledger::write::Ledger;

impl Ledger<'_> {
    /// Takes an instance out of the org, in one step with everything that follows from it.
    pub(super) fn instance_remove(&mut self, command: &Checked<'_>, data: &InstanceRemove) -> Verdict<()> {
        let id = &data.instance_id;
        if self.org_entity("instance", id.as_str())?.is_none() {
            return Ok(Err(missing("instance", "/data/instanceId", Scope::Org)));
        }
        self.remove_instance(id, Some(command.id))?;
        self.complete(command, Object::default().string("entity", &format!("instance/{id}")))
    }
}
