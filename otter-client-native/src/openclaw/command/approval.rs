//! Answers to approvals: the gateway's truth is published first, then the end of the command.

use otter_proto::id::{CommandId, EntityId};
use serde_json::Value;

use crate::openclaw::command::journal::Asked;
use crate::openclaw::command::outcome::Outcome;
use crate::openclaw::command::{CommandOutput, Commands, Verb};
use crate::openclaw::json::Fields as _;
use crate::openclaw::observed::{ApprovalEnd, ApprovalOutcome, Observed};
use crate::openclaw::rpc::{RpcCall, RpcError};
use crate::openclaw::time::Now;
use crate::openclaw::translate;

impl Commands {
    pub(super) fn begin_decide(
        &mut self,
        id: &CommandId,
        approval: &EntityId,
        decision: &str,
        observed: &mut Observed,
        now: Now,
    ) -> Vec<CommandOutput> {
        let Some(gateway_id) = observed.gateway_approval(approval) else {
            return self.end(id, &Outcome::refused("notFound", FOREIGN), observed, now);
        };
        let seen = observed.approvals.get(&gateway_id).cloned();
        if let Some(end) = seen.as_ref().and_then(|seen| seen.end.clone()) {
            return self.end(id, &verdict(decision, &end), observed, now);
        }
        observed.note_decision(&gateway_id, decision);
        let decision = decision.to_owned();
        let call = match seen.map(|seen| seen.kind).filter(|kind| kind != "exec") {
            Some(kind) => RpcCall::ApprovalResolve { id: gateway_id, kind, decision },
            None => RpcCall::ExecApprovalResolve { id: gateway_id, decision },
        };
        self.attempt(id, call, observed)
    }

    pub(super) fn done_decide(
        &mut self,
        id: &CommandId,
        approval: &EntityId,
        decision: &str,
        payload: &Value,
        observed: &mut Observed,
        now: Now,
    ) -> Vec<CommandOutput> {
        let Some(gateway_id) = observed.gateway_approval(approval) else { return Vec::new() };
        if payload.flag("applied") == Some(false) {
            return self.ask_history(id, None);
        }
        let truth = translate::accepted(observed, &gateway_id, decision, now);
        let end = observed.approvals.get(&gateway_id).and_then(|seen| seen.end.clone());
        let outcome = end.map_or(Outcome::Completed { result: None }, |end| verdict(decision, &end));
        self.told(id, truth, &outcome, observed, now)
    }

    /// Whether a gateway refuses an answer because it does not wait for one.
    pub(super) fn is_over(asked: Asked, error: &RpcError) -> bool {
        let RpcError::Refused { details, .. } = error else { return false };
        let is_over = |reason| matches!(reason, "APPROVAL_ALREADY_RESOLVED" | "APPROVAL_NOT_FOUND");
        asked == Asked::ToDo && details.text("reason").is_some_and(is_over)
    }

    /// Asks what became of an approval that the gateway does not wait for.
    pub(super) fn ask_history(&mut self, id: &CommandId, cursor: Option<String>) -> Vec<CommandOutput> {
        let Some(entry) = self.entries.get_mut(id) else { return Vec::new() };
        entry.busy = Some(Asked::WhatBecame);
        entry.pages = if cursor.is_some() { entry.pages + 1 } else { 1 };
        vec![CommandOutput::Call(id.clone(), RpcCall::ApprovalHistory { limit: ITEMS, cursor })]
    }

    /// A page of the history: the approval is on it, or on one before it, or nowhere.
    pub(super) fn looked_through(
        &mut self,
        id: &CommandId,
        page: &Value,
        observed: &mut Observed,
        now: Now,
    ) -> Vec<CommandOutput> {
        let Some(entry) = self.entries.get(id) else { return Vec::new() };
        let Verb::Decide { approval, .. } = &entry.row.verb else { return Vec::new() };
        let (items, wanted) = (page.items("items"), observed.gateway_approval(approval));
        let is_there = items.iter().any(|item| item.text("id") == wanted.as_deref());
        match page.owned("nextCursor").filter(|_| !is_there && entry.pages < MAX_PAGES) {
            Some(cursor) => self.ask_history(id, Some(cursor)),
            None => self.judged(id, items, observed, now),
        }
    }

    /// The gateway's history says what became of an approval; one that it does not have is forgotten.
    pub(super) fn judged(
        &mut self,
        id: &CommandId,
        history: &[Value],
        observed: &mut Observed,
        now: Now,
    ) -> Vec<CommandOutput> {
        let Some(Verb::Decide { approval, decision }) =
            self.entries.get(id).map(|entry| entry.row.verb.clone())
        else {
            return Vec::new();
        };
        let Some(gateway_id) = observed.gateway_approval(&approval) else { return Vec::new() };
        let (truth, end) = translate::approval_end(observed, &gateway_id, history, now);
        // What was told before counts: the approval has ended once.
        let end = observed.approvals.get(&gateway_id).and_then(|seen| seen.end.clone()).or(end);
        let outcome = end.map_or(Outcome::refused("notFound", UNKNOWN), |end| verdict(&decision, &end));
        self.told(id, truth, &outcome, observed, now)
    }

    fn told(
        &mut self,
        id: &CommandId,
        truth: Option<translate::Publish>,
        outcome: &Outcome,
        observed: &mut Observed,
        now: Now,
    ) -> Vec<CommandOutput> {
        let mut outputs: Vec<CommandOutput> =
            truth.into_iter().map(|truth| CommandOutput::Publish(vec![truth])).collect();
        outputs.extend(self.end(id, outcome, observed, now));
        outputs
    }
}

/// What an answer came to when its approval has ended.
fn verdict(decision: &str, end: &ApprovalEnd) -> Outcome {
    match end.outcome {
        _ if end.decision.as_deref() == Some(decision) => Outcome::Completed { result: None },
        ApprovalOutcome::Allowed => Outcome::refused("alreadyEnded", "the command was allowed already"),
        ApprovalOutcome::Denied => Outcome::refused("alreadyEnded", "the command was denied already"),
        ApprovalOutcome::Cancelled => Outcome::refused("alreadyEnded", "its run does not wait any more"),
        ApprovalOutcome::Expired => Outcome::refused("notFound", GONE),
    }
}

const FOREIGN: &str = "the approval belongs to another instance";
const UNKNOWN: &str = "the gateway takes no answer for this approval";
const GONE: &str = "the gateway does not wait for this approval any more";
const ITEMS: u64 = 100;
const MAX_PAGES: u32 = 50;
