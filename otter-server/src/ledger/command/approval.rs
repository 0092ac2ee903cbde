//! `approval.decide`: the first decision wins; and what becomes of one that did not reach its gateway.

use otter_proto::error::ErrorCode;
use otter_proto::id::{CommandId, ConversationId, EntityId, InstanceId, Scope};
use otter_proto::kind::{ApprovalDecide, ApprovalDecision, ApprovalState, Author};
use serde::Deserialize;

use super::accept::found;
use super::target::{Target, missing};
use super::{Checked, Denied, Verdict};
use crate::ledger::StoreError;
use crate::ledger::json::Object;
use crate::ledger::write::Ledger;

/// What of an approval's entity a decision looks at.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Approval {
    instance_id: InstanceId,
    conversation_id: Option<ConversationId>,
    run_id: Option<EntityId>,
    state: ApprovalState,
    allowed_decisions: Vec<ApprovalDecision>,
    by: Option<Author>,
    command_id: Option<CommandId>,
}

impl Ledger<'_> {
    pub(super) fn approval_decide(&mut self, command: &Checked<'_>, data: &ApprovalDecide) -> Verdict<()> {
        let Some((rev, approval)) = self.approval(&data.approval_id)? else {
            return Ok(Err(missing("approval", "/data/approvalId", Scope::Org)));
        };
        found!(may_decide(&approval, rev, data));
        let target = Target {
            instance: approval.instance_id,
            conversation: approval.conversation_id,
            address: None,
            agent: None,
            words: None,
        };
        found!(self.may_hand_over(command, &target)?);
        for row in self.predicted(command, None) {
            self.write_predicted(command, row, Object::default().string("decidedAt", &self.now.to_string()))?;
        }
        let about = Object::default()
            .string("entity", &format!("approval/{}", data.approval_id))
            .optional("runId", approval.run_id.as_ref().map(EntityId::as_str));
        self.hand_over(command, target, about).map(Ok)
    }

    /// Opens an approval again when the command that decided it ended without being carried out.
    pub(super) fn reopen(&mut self, id: &EntityId, command: &CommandId) -> Result<(), StoreError> {
        let decided_by_it = self.approval(id)?.is_some_and(|(_, approval)| {
            approval.state == ApprovalState::Decided && approval.command_id.as_ref() == Some(command)
        });
        if !decided_by_it {
            return Ok(());
        }
        let data = Object::default()
            .raw("by", "null")
            .raw("commandId", "null")
            .raw("decidedAt", "null")
            .raw("decision", "null")
            .string("state", ApprovalState::Pending.as_str());
        self.write_own("approval.reopened", id.as_str(), Scope::Org, Some(command), data)
    }

    fn approval(&mut self, id: &EntityId) -> Result<Option<(u64, Approval)>, StoreError> {
        let row = self.org_entity("approval", id.as_str())?;
        Ok(row.and_then(|row| Some((row.rev, serde_json::from_str(&row.text).ok()?))))
    }
}

fn may_decide(approval: &Approval, rev: u64, data: &ApprovalDecide) -> Result<(), Denied> {
    let denied =
        |code, message: &str, pointer: &str| Err(Denied::new(code, message, &[Scope::Org]).at(pointer));
    match approval.state {
        ApprovalState::Pending => {}
        ApprovalState::Decided => {
            let by = approval.by.as_ref().and_then(|by| by.name.as_deref());
            let message = format!("{} decided first", by.unwrap_or("someone else"));
            return denied(ErrorCode::AlreadyDecided, &message, "/data/approvalId");
        }
        ApprovalState::Resolved | ApprovalState::Expired => {
            return denied(ErrorCode::AlreadyEnded, "this approval has ended", "/data/approvalId");
        }
    }
    if rev != data.rev {
        let message = "the approval has changed since it was shown; look at it again";
        return denied(ErrorCode::Changed, message, "/data/rev");
    }
    if approval.allowed_decisions.contains(&data.decision) {
        return Ok(());
    }
    let allowed: Vec<&str> = approval.allowed_decisions.iter().map(|word| word.as_str()).collect();
    let message = format!("the gateway takes only {}", allowed.join(", "));
    denied(ErrorCode::DecisionNotAllowed, &message, "/data/decision")
}
