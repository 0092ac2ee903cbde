//! Payloads of `approval.*` and of `approval.decide`.

use crate::UnixMillis;
use crate::id::{CommandId, ConversationId, EntityId, InstanceId};
use crate::kind::{Author, payload};
use crate::wire::words;

words! {
    /// Where an approval is. Only the gateway's own record ends one.
    pub enum ApprovalState {
        /// It waits for a person.
        Pending = "pending",
        /// A person decided; the gateway has not said what came of it.
        Decided = "decided",
        /// The gateway says what came of it: see `outcome`.
        Resolved = "resolved",
        /// The gateway does not wait for it any more.
        Expired = "expired",
    }

    /// What a person may answer.
    pub enum ApprovalDecision {
        /// Run it, this time.
        AllowOnce = "allow-once",
        /// Run it, and what is like it from now on.
        AllowAlways = "allow-always",
        /// Do not run it.
        Deny = "deny",
    }

    /// What came of an approval, by the gateway's record.
    pub enum ApprovalOutcome {
        /// The command may run; its result arrives as a step.
        Allowed = "allowed",
        /// The command does not run.
        Denied = "denied",
        /// Nobody decided: its run was stopped or its gateway restarted.
        Cancelled = "cancelled",
    }
}

payload! {
    /// `approval.requested`: an agent asks a person before it runs a command.
    pub struct ApprovalRequested {
        /// Where it would run.
        instance_id: InstanceId,
        /// The conversation of the run that asks, when there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        conversation_id: Option<ConversationId>,
        /// The run that asks and waits.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run_id: Option<EntityId>,
        /// Its agent's entity id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent_id: Option<EntityId>,
        /// The whole command; a person sees all of it before they may allow it. At most 6 KiB.
        command: String,
        /// Where the gateway would run it, in its words, for instance `gateway` or a node's name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        host: Option<String>,
        /// What the gateway warns of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        warning: Option<String>,
        /// Always `pending`.
        state: ApprovalState,
        /// The answers the gateway takes.
        allowed_decisions: Vec<ApprovalDecision>,
        /// When it was asked, by the clock of the hub.
        requested_at: UnixMillis,
        /// When the gateway stops waiting, by the clock of the hub.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<UnixMillis>,
    }

    /// `approval.decided`: a person answered; written by the hub when it accepts `approval.decide`.
    pub struct ApprovalDecided {
        /// Always `decided`.
        state: ApprovalState,
        /// The answer.
        decision: ApprovalDecision,
        /// Who.
        by: Author,
        /// When.
        decided_at: UnixMillis,
        /// The command that carries the answer to the gateway.
        command_id: CommandId,
    }

    /// `approval.resolved`: what came of it, by the gateway's record.
    pub struct ApprovalResolved {
        /// Always `resolved`.
        state: ApprovalState,
        /// What came of it.
        outcome: ApprovalOutcome,
        /// The answer the gateway took, when someone gave one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        decision: Option<ApprovalDecision>,
        /// Who answered, in the gateway's words, when it was not decided here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resolved_by: Option<String>,
        /// Why, in the gateway's words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// When.
        resolved_at: UnixMillis,
    }

    /// `approval.expired`: the gateway has forgotten it; nothing ran.
    pub struct ApprovalExpired {
        /// Always `expired`.
        state: ApprovalState,
        /// When that was seen.
        resolved_at: UnixMillis,
    }

    /// `approval.reopened`: the answer did not reach the gateway; derived by the hub. Removes what `approval.decided` set.
    pub struct ApprovalReopened {
        /// Always `pending`.
        state: ApprovalState,
        /// Always `null`.
        decision: Option<ApprovalDecision>,
        /// Always `null`.
        by: Option<Author>,
        /// Always `null`.
        decided_at: Option<UnixMillis>,
        /// Always `null`.
        command_id: Option<CommandId>,
    }

    /// Command `approval.decide`: answers an approval. The first one wins.
    pub struct ApprovalDecide {
        /// The approval.
        approval_id: EntityId,
        /// The `rev` of the approval that the person saw; refused `changed` when the row has been rewritten since.
        rev: u64,
        /// The answer, one of its `allowedDecisions`.
        decision: ApprovalDecision,
    }
}
