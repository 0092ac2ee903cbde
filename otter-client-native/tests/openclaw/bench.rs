//! A bridge without sockets and disks: recorded frames go in, outputs come out.

use std::path::PathBuf;
use std::time::Duration;

use otter_client_native::openclaw::{
    Attachment, CloseReason, CommandOutput, CommandRequest, Commands, ConnectionEvent, Credentials,
    DeviceIdentity, GatewayConfig, GatewayConnection, GatewayFrame, Generation, Instant, JournalRow, Now,
    Observed, ObservedRow, Output, Publish, ReadId, RpcCall, RpcError, RpcResult, Secret, SessionKey, Signal,
    Transmit, UnixMillis, Verb, Want, decode, translate,
};
use otter_proto::id::{CommandId, ConversationId, InstanceId};
use serde_json::{Value, json};

/// One line of a recording.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) number: usize,
    pub(crate) t: u64,
    pub(crate) value: Value,
}

impl Line {
    fn frame(&self) -> &Value {
        &self.value["frame"]
    }

    fn is(&self, dir: &str) -> bool {
        self.value["dir"] == dir
    }
}

pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/openclaw")
}

pub(crate) fn lines(name: &str) -> Vec<Line> {
    let text = std::fs::read_to_string(folder().join(format!("{name}.jsonl"))).unwrap();
    let line = |(number, text): (usize, &str)| {
        let value: Value = serde_json::from_str(text).unwrap();
        Line { number, t: value["t"].as_u64().unwrap(), value }
    };
    text.lines().enumerate().map(line).collect()
}

/// What came out, in order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Out {
    Status(Value),
    Publish(Vec<Publish>),
    Signal(Signal),
    Resync,
}

pub(crate) struct Bench {
    pub(crate) connection: Option<GatewayConnection>,
    pub(crate) observed: Observed,
    pub(crate) attachment: Attachment,
    pub(crate) commands: Commands,
    pub(crate) now: Now,
    generation: Generation,
    pending: Option<(ReadId, RpcCall)>,
    calls: Vec<(CommandId, RpcCall)>,
    /// Session rows that came with the answer to a subscription.
    listed: Option<Value>,
    pub(crate) stored: Vec<ObservedRow>,
    pub(crate) journal: Vec<JournalRow>,
    pub(crate) out: Vec<(usize, Out)>,
    line: usize,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self {
            connection: None,
            observed: Observed::new(InstanceId::new("in_test").unwrap()),
            attachment: Attachment::default(),
            commands: Commands::default(),
            now: Now::default(),
            generation: Generation(0),
            pending: None,
            calls: Vec::new(),
            listed: None,
            stored: Vec::new(),
            journal: Vec::new(),
            out: Vec::new(),
            line: 0,
        }
    }

    pub(crate) fn replay(&mut self, lines: &[Line]) {
        for (index, line) in lines.iter().enumerate() {
            self.line = line.number;
            self.tick(line.t);
            let end = lines
                .iter()
                .skip(index + 1)
                .position(is_start)
                .map_or(lines.len(), |offset| index + 1 + offset);
            self.feed(line, &lines[index + 1..end]);
            self.pump(&lines[index + 1..end]);
        }
    }

    /// Moves time on, acting on every deadline on the way.
    pub(crate) fn tick(&mut self, t: u64) {
        let deadline = [
            self.connection.as_ref().and_then(GatewayConnection::poll_timeout),
            self.observed.poll_timeout(),
            self.commands.poll_timeout(),
        ];
        let due = deadline.into_iter().flatten().min();
        if let Some(due) = due.filter(|due| *due > self.now.at && due.0 < t) {
            self.now = Now { at: due, wall: UnixMillis(due.0) };
            self.timeouts();
        }
        self.now = Now { at: Instant(t), wall: UnixMillis(t) };
        self.timeouts();
    }

    fn timeouts(&mut self) {
        if let Some(connection) = &mut self.connection {
            connection.handle_timeout(self.now);
        }
        let outputs = translate::handle_timeout(&mut self.observed, self.now);
        self.emit(outputs);
        let outputs = self.commands.handle_timeout(&mut self.observed, self.now);
        self.carry_out(outputs);
        self.drain();
    }

    fn feed(&mut self, line: &Line, rest: &[Line]) {
        if is_start(line) {
            self.connect();
        }
        if line.is("close") || line.is("http") {
            let code = u16::try_from(line.value["code"].as_u64().unwrap_or(1006)).unwrap();
            let why = CloseReason { code, reason: line.value["reason"].as_str().unwrap_or("").into() };
            if let Some(connection) = &mut self.connection {
                connection.handle_closed(self.generation, &why, self.now);
            }
            self.drain();
            return;
        }
        let frame = line.frame().clone();
        match (line.value["dir"].as_str(), frame["type"].as_str()) {
            (Some("in"), Some("event")) => self.message(&frame),
            (Some("in"), Some("res")) if is_hello(&frame) => {
                // Whoever recorded it, the answer is to our own connect.
                self.message(&json!({"type": "res", "id": "r1", "ok": frame["ok"], "payload": frame["payload"], "error": frame["error"]}));
            }
            (Some("in"), Some("res")) => self.answer(&frame, line, rest),
            (Some("out"), _) => self.command(&frame),
            _ => {}
        }
    }

    fn connect(&mut self) {
        if let Some(mut old) = self.connection.take() {
            old.handle_shutdown(self.now);
            self.attachment.handle_lost();
            self.commands.handle_lost();
            self.pending = None;
            self.calls.clear();
        }
        let mut config = GatewayConfig::new("ws://127.0.0.1:18789");
        config.credentials = Credentials { token: Some(Secret::new("test-token-otter-0001")) };
        let mut connection =
            GatewayConnection::new(config, DeviceIdentity::from_seed(&[7; 32]), None, self.now);
        while let Some(transmit) = connection.poll_transmit() {
            if let Transmit::Open(generation) = transmit {
                self.generation = generation;
                connection.handle_opened(generation, self.now);
            }
        }
        self.connection = Some(connection);
        self.drain();
    }

    fn message(&mut self, frame: &Value) {
        if let Some(connection) = &mut self.connection {
            connection.handle_message(self.generation, &frame.to_string(), self.now);
        }
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(event) = self.connection.as_mut().and_then(GatewayConnection::poll_event) {
            match event {
                ConnectionEvent::Status(status) => self.push(Out::Status(status.to_json())),
                ConnectionEvent::Ready(hello) => {
                    self.attachment.handle_ready(hello.boot_id.as_deref(), &mut self.observed);
                }
                ConnectionEvent::Lost => {
                    self.attachment.handle_lost();
                    self.commands.handle_lost();
                    self.pending = None;
                    self.calls.clear();
                }
                ConnectionEvent::Event(event) => {
                    let outputs = translate::translate(&mut self.observed, &event, self.now);
                    self.emit(outputs);
                    self.look_at_waiting();
                }
                ConnectionEvent::Resync { .. } => self.push(Out::Resync),
                ConnectionEvent::Response(..) | ConnectionEvent::TokenChanged(..) => {}
            }
        }
    }

    pub(crate) fn emit(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Publish(events) => self.push(Out::Publish(events)),
                Output::Signal(signal) => self.push(Out::Signal(signal)),
                Output::Rpc(want) => self.attachment.handle_want(want, &self.observed),
            }
        }
        self.stored.extend(self.observed.take_changes());
    }

    pub(crate) fn carry_out(&mut self, outputs: Vec<CommandOutput>) {
        for output in outputs {
            match output {
                CommandOutput::Journal(row) => {
                    self.journal.retain(|known| known.id != row.id);
                    self.journal.push(row);
                }
                CommandOutput::Forget(id) => self.journal.retain(|known| known.id != id),
                CommandOutput::Publish(events) => self.push(Out::Publish(events)),
                CommandOutput::Call(id, call) => self.calls.push((id, call)),
                CommandOutput::Rpc(want) => self.attachment.handle_want(want, &self.observed),
            }
        }
        self.stored.extend(self.observed.take_changes());
    }

    /// Makes the reads that the rest of the recording can answer; the others fail.
    fn pump(&mut self, rest: &[Line]) {
        loop {
            if self.pending.is_none() {
                self.pending = self.attachment.poll_call(&self.observed, self.now);
            }
            let Some((id, call)) = self.pending.clone() else { break };
            let listed = self.listed.take_if(|_| matches!(call, RpcCall::SessionsList { .. }));
            if let Some(rows) = listed {
                self.respond(id, Ok(rows));
                continue;
            }
            if matches!(call, RpcCall::AgentsList) && !rest.iter().any(|line| agents(line.frame())) {
                self.respond(id, Ok(two_agents()));
            } else if matches!(call, RpcCall::ApprovalList) {
                self.respond(id, Ok(json!([])));
            } else if matches!(call, RpcCall::TasksList { .. } | RpcCall::CronRuns { .. } | RpcCall::FeedList)
            {
                // Recordings ask for these in the end; what is told of them is checked there.
                self.respond(id, Err(not_recorded()));
            } else if matches!(call, RpcCall::ChatHistory { offset: Some(_), .. }) {
                // Nobody turned a page while recording.
                self.respond(id, Err(not_recorded()));
            } else if rest.iter().any(|line| response_to(&call, line).is_some()) {
                break;
            } else {
                self.respond(id, Err(not_recorded()));
            }
        }
        if self.attachment.is_done() && self.connection.is_some() {
            let outputs = self.commands.handle_ready(&mut self.observed, self.now);
            self.carry_out(outputs);
        }
    }

    fn respond(&mut self, id: ReadId, result: RpcResult) {
        self.pending = None;
        self.respond_to(id, result);
    }

    fn respond_to(&mut self, id: ReadId, result: RpcResult) {
        let outputs = self.attachment.handle_response(id, result, &mut self.observed, self.now);
        self.emit(outputs);
        self.look_at_waiting();
    }

    fn look_at_waiting(&mut self) {
        let outputs = self.commands.handle_observed(&mut self.observed, self.now);
        self.carry_out(outputs);
    }

    /// A recorded response: for the read that waits for it, or for a command.
    fn answer(&mut self, frame: &Value, line: &Line, _rest: &[Line]) {
        if let Some((id, payload)) =
            self.pending.clone().and_then(|(id, call)| Some((id, response_to(&call, line)?)))
        {
            self.listed = Some(payload["list"].clone()).filter(Value::is_object);
            self.respond(id, Ok(payload));
            return;
        }
        if let Some(want) = asked_later(&frame["payload"]) {
            self.attachment.handle_want(want, &self.observed);
            if let Some((id, _)) = self.attachment.poll_call(&self.observed, self.now) {
                self.respond_to(id, Ok(frame["payload"].clone()));
            }
            return;
        }
        let matches = |(id, call): &(CommandId, RpcCall)| match call {
            RpcCall::ChatSend { .. } => frame["payload"]["runId"] == id.as_str(),
            RpcCall::ChatAbort { .. } => frame["payload"]["runIds"].is_array(),
            _ => false,
        };
        if let Some(index) = self.calls.iter().position(matches) {
            let (id, _) = self.calls.remove(index);
            let outputs = self.commands.handle_response(
                &id,
                Ok(frame["payload"].clone()),
                &mut self.observed,
                self.now,
            );
            self.carry_out(outputs);
        }
    }

    fn command(&mut self, frame: &Value) {
        let params = &frame["params"];
        if params["sessionKey"].is_null() {
            return;
        }
        let text = |field: &str| params[field].as_str().unwrap_or_default().to_owned();
        let key = SessionKey::new(&text("sessionKey"));
        let conversation = conversation(&key);
        let (id, verb) = match frame["method"].as_str() {
            Some("chat.send") => {
                let author = Some(json!({"type": "member", "id": "mb_1", "name": "Ada"}));
                (text("idempotencyKey"), Verb::Send { conversation, text: text("message"), author })
            }
            Some("chat.abort") if params["runId"].is_string() => {
                let run = format!("in_test:{}", text("runId"));
                (format!("abort-{}", self.line), Verb::Abort { conversation, run: run.try_into().unwrap() })
            }
            _ => return,
        };
        self.request(&id, verb);
    }

    pub(crate) fn request(&mut self, id: &str, verb: Verb) {
        let request = CommandRequest {
            id: CommandId::new(id).unwrap(),
            verb,
            ttl: Duration::from_mins(10),
            cancel: false,
        };
        let outputs = self.commands.handle_command(request, &mut self.observed, self.now);
        self.carry_out(outputs);
    }

    fn push(&mut self, out: Out) {
        self.out.push((self.line, out));
    }

    /// Brings a connection up to date with a gateway that answers from `world`, and returns the calls it made.
    pub(crate) fn attach(&mut self, world: &World) -> Vec<RpcCall> {
        self.attachment.handle_ready(Some(world.boot), &mut self.observed);
        self.commands.handle_lost();
        let calls = self.read(world);
        let outputs = self.commands.handle_ready(&mut self.observed, self.now);
        self.carry_out(outputs);
        calls
    }

    /// Makes the reads that wait.
    pub(crate) fn read(&mut self, world: &World) -> Vec<RpcCall> {
        let mut calls = Vec::new();
        while let Some((id, call)) = self.attachment.poll_call(&self.observed, self.now) {
            let payload = world.answer(&call);
            calls.push(call);
            self.respond(id, payload.ok_or_else(not_recorded));
        }
        calls
    }

    /// Feeds one event frame, as text.
    pub(crate) fn event(&mut self, name: &str, payload: &Value) {
        let frame = json!({"type": "event", "event": name, "payload": payload}).to_string();
        self.frame(&frame);
    }

    pub(crate) fn frame(&mut self, text: &str) {
        let Ok(GatewayFrame::Event(event)) = decode(text).frame else { panic!("not an event: {text}") };
        let outputs = translate::translate(&mut self.observed, &event, self.now);
        self.emit(outputs);
        self.look_at_waiting();
    }

    /// The calls of commands since the last time.
    pub(crate) fn take_calls(&mut self) -> Vec<(CommandId, RpcCall)> {
        std::mem::take(&mut self.calls)
    }

    pub(crate) fn reply(&mut self, id: &CommandId, result: RpcResult) {
        let outputs = self.commands.handle_response(id, result, &mut self.observed, self.now);
        self.carry_out(outputs);
    }

    /// A bridge that starts again from what this one stored.
    pub(crate) fn restarted(&self) -> Self {
        let mut rows: std::collections::BTreeMap<String, Value> = std::collections::BTreeMap::new();
        for row in &self.stored {
            match &row.value {
                Some(value) => rows.insert(row.key.clone(), value.clone()),
                None => rows.remove(&row.key),
            };
        }
        let journal = serde_json::to_value(&self.journal).unwrap();
        let journal: Vec<JournalRow> = serde_json::from_value(journal).unwrap();
        Self {
            observed: Observed::restore(InstanceId::new("in_test").unwrap(), rows),
            commands: Commands::restore(journal.clone(), self.now),
            now: self.now,
            stored: self.stored.clone(),
            journal,
            ..Self::new()
        }
    }

    /// Kind, end of the subject and data of what was published, groups flattened.
    pub(crate) fn published(&self) -> Vec<(&'static str, String, Value)> {
        let short = |id: &str| id.strip_prefix("in_test:").unwrap_or(id).to_owned();
        self.events()
            .into_iter()
            .map(|event| (event.kind, short(event.subject.as_str()), event.data.clone()))
            .collect()
    }

    pub(crate) fn of_kind(&self, kind: &str) -> Vec<(String, Value)> {
        self.published().into_iter().filter(|event| event.0 == kind).map(|event| (event.1, event.2)).collect()
    }

    pub(crate) fn events(&self) -> Vec<&Publish> {
        let events = self.out.iter().filter_map(|(_, out)| match out {
            Out::Publish(events) => Some(events),
            _ => None,
        });
        events.flatten().collect()
    }
}

/// What a gateway would answer.
pub(crate) struct World {
    pub(crate) boot: &'static str,
    pub(crate) sessions: Vec<Value>,
    /// Payloads of `chat.history` by session key.
    pub(crate) histories: Vec<(&'static str, Value)>,
    pub(crate) message: Value,
    /// Payload of `exec.approval.list`.
    pub(crate) approvals: Value,
    /// Items of `approval.history`.
    pub(crate) ended: Vec<Value>,
    /// Payload of `tasks.list`.
    pub(crate) tasks: Value,
    /// Entries of `cron.runs`.
    pub(crate) jobs: Vec<Value>,
    /// Items of the feed plugin, none where it is not installed.
    pub(crate) feed: Option<Vec<Value>>,
}

impl World {
    pub(crate) fn new(boot: &'static str) -> Self {
        Self {
            boot,
            sessions: Vec::new(),
            histories: Vec::new(),
            message: Value::Null,
            approvals: json!([]),
            ended: Vec::new(),
            tasks: json!({"tasks": []}),
            jobs: Vec::new(),
            feed: Some(Vec::new()),
        }
    }

    pub(crate) fn answer(&self, call: &RpcCall) -> Option<Value> {
        match call {
            RpcCall::AgentsList => Some(two_agents()),
            RpcCall::SessionsSubscribe => Some(json!({"subscribed": true})),
            RpcCall::SessionsList { .. } => Some(json!({"sessions": self.sessions, "hasMore": false})),
            RpcCall::ChatHistory { session, .. } => self
                .histories
                .iter()
                .find(|(key, _)| *key == session.as_str())
                .map(|(_, payload)| page(payload, &call.params())),
            RpcCall::ChatMessage { .. } => Some(json!({"ok": true, "message": self.message})),
            RpcCall::ApprovalList => Some(self.approvals.clone()),
            RpcCall::ApprovalHistory { .. } => Some(approvals(&self.ended, &call.params())),
            RpcCall::TasksList { .. } => Some(self.tasks.clone()),
            RpcCall::CronRuns { .. } => Some(json!({"entries": self.jobs})),
            RpcCall::FeedList => self.feed.as_ref().map(|items| json!({"items": items})),
            RpcCall::SessionsReset { .. }
            | RpcCall::ChatSend { .. }
            | RpcCall::ChatAbort { .. }
            | RpcCall::ExecApprovalResolve { .. }
            | RpcCall::ApprovalResolve { .. } => None,
        }
    }
}

/// What a gateway answers of a transcript that is marked `paged`: the newest rows before an offset from its end.
fn page(payload: &Value, params: &Value) -> Value {
    let mut payload = payload.clone();
    if payload["paged"] != true {
        return payload;
    }
    let rows = payload["messages"].as_array().unwrap().clone();
    let number = |field: &str| usize::try_from(params[field].as_u64().unwrap_or_default()).unwrap();
    let end = rows.len().saturating_sub(number("offset"));
    let start = end.saturating_sub(number("limit"));
    payload["messages"] = rows[start..end].to_vec().into();
    payload["hasMore"] = (start > 0).into();
    payload["nextOffset"] = (rows.len() - start).into();
    payload
}

/// A page of the record of approvals, newest first; a cursor is the number of items before it.
fn approvals(ended: &[Value], params: &Value) -> Value {
    let limit = usize::try_from(params["limit"].as_u64().unwrap()).unwrap();
    let start: usize = params["cursor"].as_str().map_or(0, |cursor| cursor.parse().unwrap());
    let end = ended.len().min(start + limit);
    let next = (end < ended.len()).then(|| end.to_string());
    json!({"items": ended[start..end], "nextCursor": next})
}

/// The conversation of a session key, as the bridge names it.
pub(crate) fn conversation(key: &SessionKey) -> ConversationId {
    let mut observed = Observed::new(InstanceId::new("in_test").unwrap());
    let event = otter_client_native::openclaw::GatewayEvent {
        name: "sessions.changed".into(),
        seq: None,
        payload: json!({"session": {"key": key.as_str()}}),
    };
    let outputs = translate::translate(&mut observed, &event, Now::default());
    let Some(Output::Publish(events)) = outputs.first() else { panic!("no conversation") };
    ConversationId::new(events[0].subject.as_str()).unwrap()
}

fn not_recorded() -> RpcError {
    RpcError::Refused {
        code: "INVALID_REQUEST".into(),
        message: "not in the recording".into(),
        retryable: false,
        retry_after: None,
        details: Value::Null,
    }
}

fn two_agents() -> Value {
    json!({"defaultId": "main", "mainKey": "main", "agents": [
        {"id": "main", "name": "Main Otter", "model": {"primary": "fake/fake-1"}},
        {"id": "researcher", "name": "Researcher", "model": {"primary": "fake/fake-1"}},
    ]})
}

fn is_start(line: &Line) -> bool {
    line.frame()["event"] == "connect.challenge"
}

fn is_hello(frame: &Value) -> bool {
    frame["payload"]["type"] == "hello-ok"
        || frame["error"]["message"].as_str().is_some_and(|message| {
            ["pairing required", "unauthorized", "protocol mismatch"]
                .iter()
                .any(|start| message.starts_with(start))
        })
}

fn agents(frame: &Value) -> bool {
    frame["payload"]["agents"].is_array() && frame["payload"]["mainKey"].is_string()
}

/// The read that a recorded list answers which nothing else waits for.
fn asked_later(payload: &Value) -> Option<Want> {
    let is_item = |item: &Value| item["kind"].is_string() && item["ts"].is_u64() && item["title"].is_string();
    if payload["tasks"].is_array() {
        Some(Want::Tasks)
    } else if payload["entries"][0]["jobId"].is_string() {
        Some(Want::Jobs)
    } else {
        payload["items"]
            .as_array()
            .is_some_and(|items| items.first().is_some_and(is_item))
            .then_some(Want::Feed)
    }
}

/// The payload when this line answers that call.
fn response_to(call: &RpcCall, line: &Line) -> Option<Value> {
    let (frame, payload) = (line.frame(), &line.frame()["payload"]);
    if frame["type"] != "res" || frame["ok"] != true {
        return None;
    }
    let found = match call {
        RpcCall::AgentsList => agents(frame).then_some(payload),
        RpcCall::SessionsSubscribe => {
            (payload["subscribed"] == true && payload["key"].is_null()).then_some(payload)
        }
        RpcCall::SessionsList { .. } => {
            let rows = if payload["list"].is_object() { &payload["list"] } else { payload };
            (rows["sessions"].is_array() && rows["totalCount"].is_u64()).then_some(rows)
        }
        RpcCall::ChatHistory { session, .. } => {
            let is_whole = payload["messages"].is_array() && payload["kind"].is_null();
            (is_whole && payload["sessionKey"] == session.as_str()).then_some(payload)
        }
        RpcCall::ChatMessage { .. } => payload["message"].is_object().then_some(payload),
        RpcCall::ApprovalHistory { .. } => payload["items"][0]["status"].is_string().then_some(payload),
        RpcCall::ApprovalList
        | RpcCall::TasksList { .. }
        | RpcCall::CronRuns { .. }
        | RpcCall::FeedList
        | RpcCall::SessionsReset { .. }
        | RpcCall::ChatSend { .. }
        | RpcCall::ChatAbort { .. }
        | RpcCall::ExecApprovalResolve { .. }
        | RpcCall::ApprovalResolve { .. } => None,
    };
    found.cloned()
}
