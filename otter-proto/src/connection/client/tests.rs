mod commands;
mod link;
mod patches;
mod scopes;
mod sending;
mod streams;
mod texts;

use super::*;
use crate::connection::client::config::Role;
use crate::error::{ErrorBody, ErrorCode};
use crate::id::CommandId;

/// A machine with a scripted hub and a clock.
struct Bench {
    machine: ClientConnection,
    now: Instant,
}

const CONVERSATION: &str = "conversation/in_1:c";

impl Bench {
    fn new(role: Role) -> Self {
        Self::seeded(role, 7)
    }

    fn seeded(role: Role, seed: u64) -> Self {
        let config = ClientConfig {
            name: "test".to_owned(),
            version: "1".to_owned(),
            role,
            capabilities: Vec::new(),
            boots: Vec::new(),
            seed,
        };
        Self { machine: ClientConnection::new(config, Instant(0)), now: Instant(0) }
    }

    /// Connected as a member who follows these scopes, with nothing left to poll.
    fn online(scopes: &[&str]) -> Self {
        Self::online_with(7, scopes)
    }

    fn online_with(seed: u64, scopes: &[&str]) -> Self {
        let mut bench = Self::seeded(Role::Member, seed);
        for name in scopes {
            bench.subscribe(name);
        }
        bench.machine.start(bench.now);
        bench.open();
        bench.welcome();
        bench.said();
        bench.told();
        bench
    }

    fn open(&mut self) {
        self.machine.handle_opened(self.now);
    }

    fn welcome(&mut self) {
        self.welcome_as("mb_1");
    }

    fn welcome_as(&mut self, member: &str) {
        self.welcome_of(member, 1 << 20);
    }

    /// The hub takes messages of so many bytes.
    fn welcome_with(&mut self, frame_bytes: usize) {
        self.welcome_of("mb_1", frame_bytes);
    }

    fn welcome_of(&mut self, member: &str, frame_bytes: usize) {
        self.hears(&format!(
            r#"{{"type":"welcome","protocol":1,"server":{{"name":"otter-server","version":"1"}},"serverTime":"2026-11-22T14:00:00.000Z","limits":{{"frameBytes":{frame_bytes},"windowBytes":262144,"publishBytes":1048576,"eventBytes":524288,"subscriptions":100,"commandsPerMinute":60}},"heartbeatMs":15000,"principal":{{"type":"member","id":"{member}","org":"org_1","name":"Ada","role":"owner"}}}}"#
        ));
    }

    fn hears(&mut self, message: &str) {
        self.machine.handle_message(message, self.now);
    }

    fn closed(&mut self, code: u16) {
        self.machine.handle_closed(code, "", self.now);
    }

    fn after(&mut self, ms: u64) {
        self.now = self.now.plus(ms);
        self.machine.handle_timeout(self.now);
    }

    /// Lets time pass until the machine asks for a socket.
    fn until_open(&mut self) -> u64 {
        let start = self.now;
        while !self.said().contains(&"OPEN".to_owned()) {
            self.now = self.machine.poll_timeout().expect("the machine waits for something");
            self.machine.handle_timeout(self.now);
        }
        self.now.since(start)
    }

    fn reconnect(&mut self) -> Vec<String> {
        self.closed(1006);
        self.until_open();
        self.open();
        self.said()
    }

    fn subscribe(&mut self, name: &str) {
        self.machine.subscribe(scope(name), self.now);
    }

    /// The scope is answered with a snapshot of these rows at `as_of`, which is its head.
    fn snapshot(&mut self, name: &str, sub: u64, as_of: u64, rows: &[(&str, u64, &str)]) {
        self.hears(&subscribed(name, sub, as_of, "snapshot"));
        self.hears(&page(name, as_of, Some(as_of), rows));
    }

    fn said(&mut self) -> Vec<String> {
        let mut said = Vec::new();
        while let Some(transmit) = self.machine.poll_transmit() {
            match transmit {
                Transmit::Open => said.push("OPEN".to_owned()),
                Transmit::Frames(frames) => said.extend(frames.split('\n').map(str::to_owned)),
                Transmit::Close { code, reason } => said.push(format!("CLOSE {code} {reason}")),
            }
        }
        said
    }

    fn told(&mut self) -> Vec<ConnectionEvent> {
        std::iter::from_fn(|| self.machine.poll_event()).collect()
    }

    /// What was told, in one short word each.
    fn gist(&mut self) -> Vec<String> {
        self.told().into_iter().map(gist).collect()
    }

    fn text(&self, name: &str, key: &str) -> Option<String> {
        self.machine.entity(&scope(name), &entity(key)).map(|view| view.text.into_owned())
    }
}

fn gist(event: ConnectionEvent) -> String {
    match event {
        ConnectionEvent::Status(status) => format!("status {:?} {:?}", status.phase, status.reason),
        ConnectionEvent::Welcome { .. } => "welcome".to_owned(),
        ConnectionEvent::Clock { server_time } => format!("clock {}", server_time.0),
        ConnectionEvent::Reset => "reset".to_owned(),
        ConnectionEvent::Scope { scope, phase, reason } => format!("{scope} {phase:?} {reason:?}"),
        ConnectionEvent::Changed { key, .. } => format!("changed {key}"),
        ConnectionEvent::List { entity_type, state, .. } => {
            let oldest = state.oldest.map_or_else(|| "-".to_owned(), |key| key.id);
            let flags =
                [(state.loading, " loading"), (state.more, " more"), (state.error.is_some(), " error")];
            let flags: String = flags.iter().filter(|(on, _)| *on).map(|(_, word)| *word).collect();
            format!("list {entity_type} {oldest}{flags}")
        }
        ConnectionEvent::Text { key, first, part, done, error, .. } => {
            let part = part.map(Json::into_string);
            format!("text {key} {first} {part:?} {done} {:?}", error.map(|error| error.code))
        }
        ConnectionEvent::Slot { run, from, text, .. } => format!("slot {run} {from} {text:?}"),
        ConnectionEvent::Signal { kind, .. } => format!("signal {kind}"),
        ConnectionEvent::SignalsOver { scope } => format!("signals over {scope}"),
        ConnectionEvent::Event { seq, replayed, .. } => {
            format!("event {seq}{}", if replayed { " replayed" } else { "" })
        }
        ConnectionEvent::Command { id, state } => format!("command {id} {}", state_word(&state)),
        ConnectionEvent::Dispatch(command) => format!("dispatch {}", command.id),
        ConnectionEvent::Published(published) => format!("published {}", published.up_to),
        ConnectionEvent::Notice(error) => format!("notice {}", error.code),
    }
}

fn state_word(state: &CommandState) -> String {
    match state {
        CommandState::Held => "held".to_owned(),
        CommandState::Sent => "sent".to_owned(),
        CommandState::Accepted => "accepted".to_owned(),
        CommandState::Refused(error) => format!("refused {}", error.code),
        CommandState::Stage { stage, .. } => stage.clone(),
    }
}

fn scope(name: &str) -> Scope {
    Scope::parse(name).unwrap()
}

fn entity(key: &str) -> crate::id::EntityKey {
    crate::id::EntityKey::parse(key).unwrap()
}

fn id(text: &str) -> CommandId {
    CommandId::new(text).unwrap()
}

fn subscribed(name: &str, sub: u64, head: u64, mode: &str) -> String {
    subscribed_in("e1", name, sub, head, mode)
}

fn subscribed_in(epoch: &str, name: &str, sub: u64, head: u64, mode: &str) -> String {
    format!(
        r#"{{"type":"subscribed","scope":"{name}","sub":{sub},"epoch":"{epoch}","head":{head},"mode":"{mode}"}}"#
    )
}

fn page(name: &str, as_of: u64, head: Option<u64>, rows: &[(&str, u64, &str)]) -> String {
    let rows: Vec<String> = rows
        .iter()
        .map(|(key, rev, value)| format!(r#"{{"entity":"{key}","rev":{rev},"value":{value}}}"#))
        .collect();
    let tail = head.map_or(String::new(), |head| format!(r#","head":{head}"#));
    let rows = rows.join(",");
    format!(r#"{{"type":"snapshot","scope":"{name}","epoch":"e1","entities":[{rows}],"asOf":{as_of}{tail}}}"#)
}

/// A recorded event that puts one entity.
fn put(name: &str, seq: u64, prev: u64, key: &str, data: &str) -> String {
    recorded(name, seq, prev, &format!(r#"{{"op":"put","entity":"{key}"}}"#), data, "")
}

fn recorded(name: &str, seq: u64, prev: u64, effect: &str, data: &str, more: &str) -> String {
    format!(
        r#"{{"seq":{seq},"prev":{prev},"id":"ev_{seq}","at":"2026-11-22T14:00:00.123Z","scope":"{name}","kind":"task.upserted","source":{{"type":"hub"}},"effects":[{effect}],"data":{data}{more}}}"#
    )
}

fn events(name: &str, list: &[String]) -> String {
    let list = list.join(",");
    format!(r#"{{"type":"events","scope":"{name}","epoch":"e1","events":[{list}]}}"#)
}

fn ping(pos: u64, heads: &str) -> String {
    format!(r#"{{"type":"ping","pos":{pos},"epoch":"e1","heads":{heads}}}"#)
}
