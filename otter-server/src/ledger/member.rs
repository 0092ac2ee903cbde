//! People who join and leave.

use otter_proto::UnixMillis;
use otter_proto::catalogue::{self, Role};
use otter_proto::id::{EntityKey, InstanceId, MemberId, Scope};
use otter_proto::kind::{CommandStage, MarkTarget};

use crate::ledger::json::{self, Object};
use crate::ledger::write::Ledger;
use crate::ledger::{CommandRow, End, StoreError};

impl Ledger<'_> {
    /// Writes `member.joined`; of a member who is there already, what changed.
    pub fn member_joined(&mut self, member: &MemberId, name: &str, role: Role) -> Result<(), StoreError> {
        let there = match EntityKey::new("member", member.as_str()) {
            Ok(key) => self.rows.entity(&Scope::Org, &key)?.is_some(),
            Err(_) => false,
        };
        if there {
            return self.member_updated(member, Some(name), Some(role));
        }
        let data = Object::default()
            .string("joinedAt", &self.now.to_string())
            .string("name", name)
            .string("role", role.as_str());
        self.write_own("member.joined", member.as_str(), Scope::Org, None, data)?;
        self.start_read(member)
    }

    /// What was said before somebody joined is not unread to them.
    fn start_read(&mut self, member: &MemberId) -> Result<(), StoreError> {
        for (key, row) in self.rows.live(&Scope::Org, "conversation", false, End::Newest, usize::MAX)? {
            let Some(count) = json::integer(&row.text, "messageCount") else { continue };
            let data = Object::default()
                .raw("messageCount", count.to_string())
                .string("readAt", &self.now.to_string())
                .string("target", MarkTarget::Conversation.as_str());
            self.write_own("mark.updated", key.id(), Scope::Member(member.clone()), None, data)?;
        }
        Ok(())
    }

    /// Writes `member.updated`. What waits and needs a higher role than the new one is called off.
    pub fn member_updated(
        &mut self,
        member: &MemberId,
        name: Option<&str>,
        role: Option<Role>,
    ) -> Result<(), StoreError> {
        let data = Object::default().optional("name", name).optional("role", role.map(Role::as_str));
        self.write_own("member.updated", member.as_str(), Scope::Org, None, data)?;
        match role {
            Some(role) => self.call_off(member, |needed| needed > role),
            None => Ok(()),
        }
    }

    /// Writes `member.removed`. What they asked for is called off.
    pub fn member_removed(&mut self, member: &MemberId) -> Result<(), StoreError> {
        self.write_own("member.removed", member.as_str(), Scope::Org, None, Object::default())?;
        self.call_off(member, |_| true)
    }

    /// Ends the unsent commands of a member whose kinds need a role that `which` names. Those that were sent may lie with a
    /// machine that sleeps: it is asked not to begin them.
    fn call_off(&mut self, member: &MemberId, which: impl Fn(Role) -> bool) -> Result<(), StoreError> {
        let is_meant = |row: &CommandRow| {
            let theirs = json::string(&row.by, "id").as_deref() == Some(member.as_str());
            theirs && which(catalogue::command(&row.kind).map_or(Role::Viewer, |kind| kind.role))
        };
        for (id, row) in self.rows.overdue_commands(UnixMillis(u64::MAX), usize::MAX)? {
            if is_meant(&row) {
                self.end_unsent(&id, row, CommandStage::Cancelled, None)?;
            }
        }
        for (key, _) in self.rows.live(&Scope::Org, "instance", false, End::Newest, usize::MAX)? {
            let Ok(instance) = InstanceId::new(key.id()) else { continue };
            for (id, row) in self.rows.open_commands(&instance)? {
                if row.sent && !row.cancel && is_meant(&row) {
                    self.ask_to_cancel(&id, row, None, true)?;
                }
            }
        }
        Ok(())
    }
}
