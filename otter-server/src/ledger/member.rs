//! People who join and leave.

use otter_proto::catalogue::Role;
use otter_proto::id::{EntityKey, MemberId, Scope};

use crate::ledger::StoreError;
use crate::ledger::json::Object;
use crate::ledger::write::Ledger;

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
        self.write_own("member.joined", member.as_str(), Scope::Org, None, data)
    }

    /// Writes `member.updated`.
    pub fn member_updated(
        &mut self,
        member: &MemberId,
        name: Option<&str>,
        role: Option<Role>,
    ) -> Result<(), StoreError> {
        let data = Object::default().optional("name", name).optional("role", role.map(Role::as_str));
        self.write_own("member.updated", member.as_str(), Scope::Org, None, data)
    }

    /// Writes `member.removed`.
    pub fn member_removed(&mut self, member: &MemberId) -> Result<(), StoreError> {
        self.write_own("member.removed", member.as_str(), Scope::Org, None, Object::default())
    }
}
