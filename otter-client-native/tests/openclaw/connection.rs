//! The dialogue with a gateway on virtual time.

use std::time::Duration;

use otter_client_native::openclaw::{
    CloseReason, ConnectionEvent, Credentials, DeviceIdentity, DeviceToken, GatewayConfig, GatewayConnection,
    GatewayState, Generation, Instant, Now, OpenFailure, RpcCall, RpcError, Scope, Secret, Transmit,
    UnixMillis,
};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::bench::lines;

/// A gateway at the other end, with a clock that only moves when told.
struct Dialogue {
    machine: GatewayConnection,
    now: Now,
    generation: Generation,
    opened: u32,
    sent: Vec<Value>,
    events: Vec<ConnectionEvent>,
}

impl Dialogue {
    fn new(token: Option<&str>, stored: Option<DeviceToken>) -> Self {
        let mut config = GatewayConfig::new("ws://127.0.0.1:18789");
        config.credentials = Credentials { token: token.map(Secret::new) };
        Self::with(config, stored)
    }

    fn with(mut config: GatewayConfig, stored: Option<DeviceToken>) -> Self {
        config.platform = "linux".into();
        let now = at(0);
        let machine = GatewayConnection::new(config, DeviceIdentity::from_seed(&[7; 32]), stored, now);
        let mut dialogue =
            Self { machine, now, generation: Generation(0), opened: 0, sent: Vec::new(), events: Vec::new() };
        dialogue.drain();
        dialogue
    }

    fn drain(&mut self) {
        while let Some(transmit) = self.machine.poll_transmit() {
            match transmit {
                Transmit::Open(generation) => {
                    self.generation = generation;
                    self.opened += 1;
                }
                Transmit::Send(generation, text) => {
                    assert_eq!(generation, self.generation);
                    self.sent.push(serde_json::from_str(&text).unwrap());
                }
                Transmit::Close(..) => {}
            }
        }
        while let Some(event) = self.machine.poll_event() {
            self.events.push(event);
        }
    }

    /// Moves the clock, stopping at each deadline.
    fn wait(&mut self, seconds: u64) {
        let end = self.now.at.plus(seconds * 1_000);
        while let Some(due) = self.machine.poll_timeout().filter(|due| *due <= end) {
            self.now = at(due.0.max(self.now.at.0));
            self.machine.handle_timeout(self.now);
            self.drain();
        }
        self.now = at(end.0);
    }

    fn open(&mut self) {
        self.machine.handle_opened(self.generation, self.now);
        self.drain();
    }

    fn tell(&mut self, frame: &Value) {
        self.machine.handle_message(self.generation, &frame.to_string(), self.now);
        self.drain();
    }

    fn challenge(&mut self) {
        self.tell(
            &json!({"type": "event", "event": "connect.challenge", "payload": {"nonce": "n", "ts": 5}}),
        );
    }

    fn answer_connect(&mut self, result: &Value) {
        let id = self.sent.iter().rev().find(|frame| frame["method"] == "connect").unwrap()["id"].clone();
        let mut frame = json!({"type": "res", "id": id});
        frame.as_object_mut().unwrap().extend(result.as_object().unwrap().clone());
        self.tell(&frame);
    }

    fn close(&mut self, code: u16, reason: &str) {
        let why = CloseReason { code, reason: reason.into() };
        self.machine.handle_closed(self.generation, &why, self.now);
        self.drain();
    }

    fn ready(&mut self) {
        self.open();
        self.challenge();
        self.answer_connect(&hello(4));
        assert_eq!(self.machine.state(), &GatewayState::Ready);
    }

    fn connect(&self) -> &Value {
        &self.sent.iter().rev().find(|frame| frame["method"] == "connect").unwrap()["params"]
    }

    fn shown(&self) -> (&str, &str) {
        let status = self.machine.status();
        (status.state, status.reason.as_deref().unwrap_or_default())
    }
}

fn at(ms: u64) -> Now {
    Now { at: Instant(ms), wall: UnixMillis(1_795_355_000_000 + ms) }
}

fn hello(protocol: u64) -> Value {
    json!({"ok": true, "payload": {"type": "hello-ok", "protocol": protocol,
        "server": {"version": "2026.9.6", "bootId": "b1"},
        "features": {"methods": ["chat.send"]},
        "auth": {"scopes": ["operator.read"], "deviceToken": "dt"},
        "policy": {"tickIntervalMs": 30000}}})
}

fn refusal(details: &Value) -> Value {
    json!({"ok": false, "error": {"code": "INVALID_REQUEST", "message": "no", "details": details}})
}

fn all_scopes() -> Vec<String> {
    [Scope::Read, Scope::Write, Scope::Approvals, Scope::Admin].map(|scope| scope.as_str().to_owned()).into()
}

#[test]
fn the_challenge_is_answered_as_the_gateway_wants_it() {
    let mut dialogue = Dialogue::new(Some("shared"), None);
    assert_eq!(dialogue.sent.len(), 0);
    dialogue.open();
    assert_eq!(dialogue.sent.len(), 0, "no connect without a challenge");
    dialogue.challenge();
    let params = dialogue.connect();
    assert_eq!(
        (&params["minProtocol"], &params["maxProtocol"], &params["client"]["id"], &params["client"]["mode"]),
        (&json!(4), &json!(4), &json!("gateway-client"), &json!("ui"))
    );
    assert_eq!(params["caps"], json!(["tool-events", "approvals"]));
    assert_eq!(params["scopes"], json!(all_scopes()));
    assert_eq!(params["auth"], json!({"token": "shared"}));
    assert_eq!(params["client"]["displayName"], "otter bridge");
    assert_eq!((&params["device"]["signedAt"], &params["device"]["nonce"]), (&json!(5), &json!("n")));
}

#[test]
fn a_bridge_where_nobody_may_decide_does_not_offer_to() {
    let offers = |approvals: bool, scopes: &[Scope]| {
        let mut config = GatewayConfig::new("ws://127.0.0.1:18789");
        (config.approvals, config.scopes) = (approvals, scopes.to_vec());
        let mut dialogue = Dialogue::with(config, None);
        dialogue.open();
        dialogue.challenge();
        dialogue.connect()["caps"].clone()
    };
    assert_eq!(offers(true, &[Scope::Approvals]), json!(["tool-events", "approvals"]));
    assert_eq!(offers(false, &[Scope::Approvals]), json!(["tool-events"]));
    assert_eq!(offers(true, &[Scope::Read, Scope::Write]), json!(["tool-events"]));
}

#[test]
fn a_device_token_is_kept_used_and_dropped_when_it_is_refused() {
    let mut dialogue = Dialogue::new(Some("shared"), None);
    dialogue.ready();
    let kept = dialogue.events.iter().find_map(|event| match event {
        ConnectionEvent::TokenChanged(key, Some(token)) => Some((key.clone(), token.clone())),
        _ => None,
    });
    let (key, token) = kept.unwrap();
    assert_eq!((key.client_id.as_str(), token.token.reveal()), ("gateway-client", "dt"));

    let stored = DeviceToken { token: Secret::new("old"), scopes: all_scopes() };
    let mut dialogue = Dialogue::new(Some("shared"), Some(stored));
    dialogue.open();
    dialogue.challenge();
    assert_eq!(dialogue.connect()["auth"], json!({"token": "old"}));
    dialogue.answer_connect(&refusal(&json!({"code": "AUTH_DEVICE_TOKEN_MISMATCH"})));
    assert!(dialogue.events.contains(&ConnectionEvent::TokenChanged(dialogue.machine.token_key(), None)));
    dialogue.wait(2);
    dialogue.open();
    dialogue.challenge();
    assert_eq!(dialogue.connect()["auth"], json!({"token": "shared"}));
}

#[test]
fn a_token_with_fewer_scopes_is_not_used_for_more() {
    let stored = DeviceToken { token: Secret::new("old"), scopes: vec!["operator.read".into()] };
    let mut dialogue = Dialogue::new(Some("shared"), Some(stored));
    dialogue.open();
    dialogue.challenge();
    assert_eq!(dialogue.connect()["auth"], json!({"token": "shared"}));
}

#[test]
fn a_gateway_that_challenges_after_45_seconds_is_waking_and_works() {
    let mut dialogue = Dialogue::new(Some("shared"), None);
    dialogue.open();
    assert_eq!(dialogue.shown().0, "connecting");
    dialogue.wait(45);
    assert_eq!((dialogue.opened, dialogue.shown().0), (1, "waking"));
    dialogue.challenge();
    dialogue.wait(45);
    assert_eq!(dialogue.opened, 1);
    dialogue.answer_connect(&hello(4));
    assert_eq!((dialogue.machine.state(), dialogue.shown().0), (&GatewayState::Ready, "online"));
}

#[test]
fn a_gateway_that_never_answers_is_given_up_after_two_minutes() {
    let mut dialogue = Dialogue::new(Some("shared"), None);
    dialogue.open();
    dialogue.wait(119);
    assert_eq!(dialogue.opened, 1);
    dialogue.wait(3);
    assert_eq!((dialogue.opened, dialogue.shown().0), (2, "waking"));
}

#[test]
fn pairing_waits_half_a_minute_and_names_the_command() {
    let recorded = lines("a4-handshake-forwarded-pairing");
    let error = &recorded[2].value["frame"]["error"];
    let mut dialogue = Dialogue::new(Some("shared"), None);
    dialogue.open();
    dialogue.challenge();
    dialogue.answer_connect(&json!({"ok": false, "error": error}));
    let id = "6cdcf98c-9b7c-44f4-a9ed-14528c0a8a8d";
    assert_eq!(dialogue.machine.status().request_id.as_deref(), Some(id));
    assert_eq!(dialogue.shown().0, "pairing");
    assert!(dialogue.shown().1.contains(&format!("openclaw devices approve {id}")), "{}", dialogue.shown().1);
    dialogue.wait(29);
    assert_eq!(dialogue.opened, 1);
    dialogue.wait(1);
    assert_eq!((dialogue.opened, dialogue.shown().0), (2, "pairing"));
    dialogue.ready();
    assert_eq!(dialogue.shown(), ("online", ""));
}

#[test]
fn a_pairing_refusal_is_read_from_the_close_too() {
    let mut dialogue = Dialogue::new(Some("shared"), None);
    dialogue.open();
    dialogue.challenge();
    dialogue.close(1008, "pairing required: device is not approved yet (requestId: abc)");
    assert_eq!(dialogue.machine.status().request_id.as_deref(), Some("abc"));
}

#[test]
fn wrong_credentials_are_tried_at_most_five_times_in_ten_minutes() {
    let mut dialogue =
        Dialogue::new(Some("wrong"), Some(DeviceToken { token: Secret::new("old"), scopes: all_scopes() }));
    let mut attempts = Vec::new();
    for _ in 0..40 {
        if attempts.len() < dialogue.opened as usize {
            attempts.push(dialogue.now.at.0);
            dialogue.open();
            dialogue.challenge();
            dialogue.answer_connect(&refusal(&json!({"code": "AUTH_TOKEN_MISMATCH"})));
        }
        dialogue.wait(60);
    }
    for window in attempts.windows(6) {
        assert!(window[5] - window[0] >= 600_000, "{attempts:?}");
    }
    assert!(attempts.len() > 6, "{attempts:?}");
    let (state, reason) = dialogue.shown();
    assert_eq!(state, "refused");
    assert!(reason.contains("--gateway-token"), "{reason}");
}

#[test]
fn the_pause_that_a_refusal_asks_for_is_kept() {
    let mut dialogue = Dialogue::new(Some("wrong"), None);
    dialogue.open();
    dialogue.challenge();
    dialogue.answer_connect(&refusal(&json!({"code": "AUTH_TOKEN_MISMATCH", "retryAfterMs": 400_000})));
    dialogue.wait(399);
    assert_eq!(dialogue.opened, 1);
    dialogue.wait(2);
    assert_eq!(dialogue.opened, 2);
}

#[test]
fn an_older_gateway_is_refused_in_words() {
    let recorded = lines("old-2026.2.26-handshake");
    let mut dialogue = Dialogue::new(Some("shared"), None);
    dialogue.open();
    dialogue.challenge();
    dialogue.answer_connect(&json!({"ok": false, "error": recorded[3].value["frame"]["error"]}));
    let (state, reason) = dialogue.shown();
    assert_eq!(state, "refused");
    assert!(reason.contains("wire protocol 3") && reason.contains("OpenClaw 2026.9"), "{reason}");

    let mut dialogue = Dialogue::new(Some("shared"), None);
    dialogue.open();
    dialogue.challenge();
    dialogue.answer_connect(&hello(3));
    assert!(dialogue.shown().1.contains("wire protocol 3"));
}

#[test]
fn a_restarting_gateway_is_waking_until_it_is_back() {
    let mut dialogue = Dialogue::new(Some("shared"), None);
    dialogue.ready();
    dialogue.tell(&json!({"type": "event", "event": "shutdown", "seq": 1,
        "payload": {"reason": "gateway restarting", "restartExpectedMs": 1500}}));
    dialogue.close(1012, "service restart");
    assert_eq!(dialogue.shown().0, "waking");
    for why in [OpenFailure::Status(503), OpenFailure::Refused, OpenFailure::Refused] {
        dialogue.wait(40);
        dialogue.machine.handle_open_failed(dialogue.generation, &why, dialogue.now);
        dialogue.drain();
        assert_eq!(dialogue.shown().0, "waking", "{why:?}");
    }
    dialogue.wait(40);
    dialogue.ready();
    assert_eq!(dialogue.shown().0, "online");
}

#[test]
fn closes_mean_what_they_say() {
    for (code, was_ready, state) in [
        (1013, true, "waking"),
        (1013, false, "waking"),
        (1012, true, "waking"),
        (1000, false, "waking"),
        (1006, true, "offline"),
        (1008, false, "refused"),
    ] {
        let mut dialogue = Dialogue::new(Some("shared"), None);
        if was_ready {
            dialogue.ready();
        } else {
            dialogue.open();
        }
        dialogue.close(code, "");
        assert_eq!(dialogue.shown().0, state, "{code} {was_ready}");
    }
    let mut stopped = Dialogue::new(Some("shared"), None);
    stopped.ready();
    stopped.tell(&json!({"type": "event", "event": "shutdown", "payload": {"reason": "gateway stopping"}}));
    stopped.close(1012, "service restart");
    assert_eq!(stopped.shown(), ("offline", "the gateway was stopped"));
}

#[test]
fn two_ticks_of_silence_end_the_link() {
    let mut dialogue = Dialogue::new(Some("shared"), None);
    dialogue.ready();
    dialogue.wait(50);
    dialogue.tell(&json!({"type": "event", "event": "tick", "seq": 1, "payload": {"ts": 1}}));
    dialogue.wait(59);
    assert_eq!(dialogue.machine.state(), &GatewayState::Ready);
    dialogue.wait(1);
    assert_eq!(dialogue.shown(), ("offline", "the gateway fell silent"));
    assert!(dialogue.events.contains(&ConnectionEvent::Lost));
}

#[test]
fn a_hole_in_the_numbers_asks_for_a_resync() {
    let mut dialogue = Dialogue::new(Some("shared"), None);
    dialogue.ready();
    for seq in [json!(1), json!(2), Value::Null, json!(3), json!(5), json!(6)] {
        dialogue.tell(&json!({"type": "event", "event": "tick", "seq": seq, "payload": {}}));
    }
    let resyncs: Vec<_> =
        dialogue.events.iter().filter(|event| matches!(event, ConnectionEvent::Resync { .. })).collect();
    assert_eq!(resyncs, [&ConnectionEvent::Resync { expected: 4, got: 5 }]);
}

#[test]
fn garbage_is_counted_and_nothing_else() {
    let mut dialogue = Dialogue::new(Some("shared"), None);
    dialogue.ready();
    for text in ["", "{", "null", r#"{"type":"event"}"#, r#"{"type":"res","id":"r99","ok":true}"#] {
        dialogue.machine.handle_message(dialogue.generation, text, dialogue.now);
    }
    let half = r#"{"type":"event","event":"x","seq":1,"payload":{"a":"\ud83d"}}"#;
    dialogue.machine.handle_message(dialogue.generation, half, dialogue.now);
    dialogue.drain();
    let oddities = dialogue.machine.oddities();
    assert_eq!((oddities.malformed, oddities.repaired), (4, 1));
    assert_eq!(dialogue.machine.state(), &GatewayState::Ready);
}

#[test]
fn requests_end_once_by_response_timeout_or_loss() {
    let mut dialogue = Dialogue::new(Some("shared"), None);
    assert_eq!(
        dialogue.machine.handle_request(&RpcCall::AgentsList, dialogue.now),
        Err(RpcError::Disconnected)
    );
    dialogue.ready();
    let answered = dialogue.machine.handle_request(&RpcCall::AgentsList, dialogue.now).unwrap();
    let late = dialogue.machine.handle_request(&RpcCall::AgentsList, dialogue.now).unwrap();
    dialogue.drain();
    dialogue.tell(
        &json!({"type": "res", "id": format!("r{}", answered.0), "ok": true, "payload": {"agents": []}}),
    );
    dialogue.wait(30);
    dialogue.tell(&json!({"type": "res", "id": format!("r{}", late.0), "ok": true, "payload": {}}));
    let lost = dialogue.machine.handle_request(&RpcCall::AgentsList, dialogue.now).unwrap();
    dialogue.close(1006, "");
    let outcomes: Vec<_> = dialogue
        .events
        .iter()
        .filter_map(|event| match event {
            ConnectionEvent::Response(id, result) => Some((*id, result.clone())),
            _ => None,
        })
        .collect();
    assert_eq!(
        outcomes,
        [
            (answered, Ok(json!({"agents": []}))),
            (late, Err(RpcError::Timeout)),
            (lost, Err(RpcError::Disconnected)),
        ]
    );
}

#[test]
fn reports_about_an_older_socket_are_ignored() {
    let mut dialogue = Dialogue::new(Some("shared"), None);
    dialogue.ready();
    let old = dialogue.generation;
    dialogue.close(1006, "");
    dialogue.wait(2);
    dialogue.ready();
    let why = CloseReason { code: 1006, reason: String::new() };
    dialogue.machine.handle_closed(old, &why, dialogue.now);
    dialogue.machine.handle_open_failed(old, &OpenFailure::Refused, dialogue.now);
    dialogue.machine.handle_message(old, r#"{"type":"event","event":"tick","seq":9}"#, dialogue.now);
    assert_eq!(dialogue.machine.state(), &GatewayState::Ready);
}

/// Pauses between eight attempts that fail like this.
fn pauses(why: &OpenFailure) -> (Dialogue, Vec<u64>) {
    let mut dialogue = Dialogue::new(Some("shared"), None);
    let mut pauses = Vec::new();
    for _ in 0..8 {
        dialogue.machine.handle_open_failed(dialogue.generation, why, dialogue.now);
        dialogue.drain();
        let before = dialogue.now.at;
        let next = dialogue.machine.poll_timeout().unwrap();
        pauses.push(next.since(before));
        dialogue.wait(Duration::from_millis(next.since(before)).as_secs() + 1);
    }
    (dialogue, pauses)
}

#[test]
fn pauses_grow_to_thirty_seconds_with_one_attempt_in_flight() {
    let (dialogue, pauses) = pauses(&OpenFailure::Other("no route to host".into()));
    assert!(
        pauses[0] <= 1_000 && pauses.iter().all(|pause| *pause <= 30_000) && pauses[7] >= 15_000,
        "{pauses:?}"
    );
    assert_eq!(dialogue.opened, 9);
    assert_eq!(dialogue.shown(), ("offline", "ws://127.0.0.1:18789 could not be reached: no route to host"));
}

#[test]
fn a_port_where_nothing_listens_is_tried_every_five_seconds() {
    let (dialogue, pauses) = pauses(&OpenFailure::Refused);
    assert!(pauses.iter().all(|pause| *pause <= 5_000), "{pauses:?}");
    assert_eq!(dialogue.shown(), ("offline", "no gateway listens at ws://127.0.0.1:18789"));
}
