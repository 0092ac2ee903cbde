//! The rules of the translation, one by one.

mod approvals;
mod commands;
mod crash;
mod dispatch;
mod gaps;
mod history;
mod live;
mod odd;
mod outage;
mod private;
mod restate;
mod sessions;
mod steps;
mod tasks;

use serde_json::{Value, json};

use crate::bench::{Bench, World};

pub(crate) const MAIN: &str = "agent:main:main";

/// A bridge that is attached to an idle gateway of boot `b1`.
fn attached() -> Bench {
    let mut bench = Bench::new();
    bench.tick(1_795_355_000_000);
    bench.attach(&World::new("b1"));
    bench.out.clear();
    bench
}

fn agent(run: &str, stream: &str, data: &Value) -> Value {
    json!({"runId": run, "sessionKey": MAIN, "agentId": "main", "stream": stream, "data": data, "ts": 1, "isHeartbeat": false})
}

fn chat(run: &str, state: &str, text: Option<&str>) -> Value {
    let mut payload = json!({"runId": run, "sessionKey": MAIN, "agentId": "main", "state": state});
    if let Some(text) = text {
        payload["message"] = json!({"role": "assistant", "content": [{"type": "text", "text": text}]});
    }
    payload
}

fn start(bench: &mut Bench, run: &str, text: &str) {
    bench.event(
        "agent",
        &agent(run, "lifecycle", &json!({"phase": "start", "startedAt": 1_795_355_000_000_u64})),
    );
    bench.event("chat", &chat(run, "delta", Some(text)));
}

fn user_row(key: &str, text: &str, raw_seq: u64) -> Value {
    json!({"role": "user", "content": text, "timestamp": 1_795_355_000_000_u64 + raw_seq, "idempotencyKey": format!("{key}:user"),
        "__openclaw": {"id": format!("row-{raw_seq}"), "senderId": "gateway-owner",
            "transport": {"clients": [{"displayName": "tui"}]}, "transcriptPosition": {"rawSeq": raw_seq}}})
}

fn answer_row(run: &str, text: &str, stop: &str, raw_seq: u64) -> Value {
    json!({"role": "assistant", "content": [{"type": "text", "text": text}], "stopReason": stop,
        "timestamp": 1_795_355_000_000_u64 + raw_seq,
        "__openclaw": {"id": format!("row-{raw_seq}"), "runId": run, "transcriptPosition": {"rawSeq": raw_seq}}})
}

fn history(rows: &[Value], active: bool) -> Value {
    json!({"sessionKey": MAIN, "sessionId": "s1", "messages": rows, "hasMore": false,
        "pendingInputs": {"items": [], "total": 0},
        "sessionInfo": {"key": MAIN, "agentId": "main", "hasActiveRun": active}})
}

fn session_row(active: bool, at: u64) -> Value {
    json!({"key": MAIN, "agentId": "main", "hasActiveRun": active, "updatedAt": at, "snapshotAt": at, "sessionId": "s1"})
}

fn live_row(message: &Value) -> Value {
    json!({"sessionKey": MAIN, "agentId": "main", "sessionId": "s1", "message": message})
}
