//! Stopping a run: once it is over for the gateway, it is over here.

use otter_proto::id::{CommandId, ConversationId, EntityId};
use serde_json::Value;

use crate::openclaw::command::outcome::Outcome;
use crate::openclaw::command::{CommandOutput, Commands};
use crate::openclaw::json::Fields as _;
use crate::openclaw::observed::Observed;
use crate::openclaw::rpc::RpcCall;
use crate::openclaw::time::Now;
use crate::openclaw::translate::Want;

impl Commands {
    pub(super) fn begin_abort(
        &mut self,
        id: &CommandId,
        conversation: &ConversationId,
        run: &EntityId,
        observed: &mut Observed,
        now: Now,
    ) -> Vec<CommandOutput> {
        let run = observed.gateway_run(run.as_str());
        let session = run.as_ref().and_then(|run| observed.runs.get(run)).map(|run| run.session.clone());
        let session = session.or_else(|| observed.session_of(conversation));
        match (run, session) {
            (Some(run), Some(session)) if !observed.is_closed(&run) => {
                self.attempt(id, RpcCall::ChatAbort { session, run }, observed)
            }
            _ => self.end(id, &Outcome::Completed { result: Some(ALREADY_ENDED.into()) }, observed, now),
        }
    }

    pub(super) fn done_abort(
        &mut self,
        id: &CommandId,
        run: &EntityId,
        payload: &Value,
        observed: &mut Observed,
        now: Now,
    ) -> Vec<CommandOutput> {
        if payload.flag("aborted") == Some(true) {
            return self.end(id, &Outcome::Completed { result: None }, observed, now);
        }
        let run = observed.gateway_run(run.as_str()).filter(|run| observed.runs.contains_key(run));
        let mut outputs =
            self.end(id, &Outcome::Completed { result: Some(ALREADY_ENDED.into()) }, observed, now);
        if let Some(open) = run.as_ref().and_then(|run| observed.runs.get_mut(run)) {
            open.stop_refused = true;
            outputs.push(CommandOutput::Rpc(Want::History(open.session.clone())));
        }
        if let Some(run) = &run {
            observed.touch_run(run);
        }
        outputs
    }
}

const ALREADY_ENDED: &str = "alreadyEnded";
