//! Requests that wait for their response.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::openclaw::rpc::{RpcError, RpcId};
use crate::openclaw::time::{Instant, later};

/// Open requests by id. Ids are never used again, so a late response finds nothing.
#[derive(Debug, Default)]
pub(super) struct Requests {
    last: u64,
    open: BTreeMap<RpcId, Open>,
}

#[derive(Debug)]
struct Open {
    is_connect: bool,
    deadline: Instant,
}

impl Requests {
    /// Starts a request and returns the frame to send.
    pub(super) fn start(
        &mut self,
        method: &str,
        params: &Value,
        now: Instant,
    ) -> Result<(RpcId, String), RpcError> {
        if self.open.len() >= MAX_OPEN {
            return Err(RpcError::Disconnected);
        }
        self.last += 1;
        let id = RpcId(self.last);
        let is_connect = method == "connect";
        self.open.insert(id, Open { is_connect, deadline: later(now, TIMEOUT) });
        let frame = json!({"type": "req", "id": format!("r{}", id.0), "method": method, "params": params});
        Ok((id, frame.to_string()))
    }

    /// Ends the request that a response names; the flag says whether it was the `connect`.
    pub(super) fn finish(&mut self, wire_id: &str) -> Option<(RpcId, bool)> {
        let id = RpcId(wire_id.strip_prefix('r')?.parse().ok()?);
        self.open.remove(&id).map(|open| (id, open.is_connect))
    }

    /// Ends the requests whose time is over. The `connect` has a deadline of its own.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<RpcId> {
        let over: Vec<RpcId> = self
            .open
            .iter()
            .filter(|(_, open)| !open.is_connect && open.deadline <= now)
            .map(|(id, _)| *id)
            .collect();
        self.open.retain(|id, _| !over.contains(id));
        over
    }

    /// Ends all requests and returns those that someone waits for.
    pub(super) fn abandon(&mut self) -> Vec<RpcId> {
        let open = std::mem::take(&mut self.open);
        open.into_iter().filter(|(_, open)| !open.is_connect).map(|(id, _)| id).collect()
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.open.values().filter(|open| !open.is_connect).map(|open| open.deadline).min()
    }
}

const TIMEOUT: Duration = Duration::from_secs(30);
const MAX_OPEN: usize = 256;
