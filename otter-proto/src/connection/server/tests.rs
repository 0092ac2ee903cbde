//! The rules of the stream, on virtual time.

mod commands;
mod data;
mod heartbeat;
mod hello;
mod race;
mod signals;

use std::sync::Arc;

use super::*;
use crate::frame::{Principal, PrincipalType};
use crate::id::OrgId;

const MEMBER_HELLO: &str =
    r#"{"type":"hello","protocol":{"min":1,"max":1},"client":{"name":"t","version":"1"}}"#;

fn config() -> ServerConfig {
    ServerConfig::new(ServerInfo { name: "otter-server".into(), version: "0.1.0".into() })
}

fn admission(kind: PrincipalType) -> Admission {
    let id = if kind == PrincipalType::Member { "mb_1" } else { "in_1" };
    Admission {
        principal: Principal {
            principal_type: kind,
            id: id.into(),
            org: OrgId::new("org_1").unwrap(),
            name: None,
            role: None,
        },
        server_time: UnixMillis(0),
        epoch: Epoch::new("e1").unwrap(),
        lanes: None,
    }
}

/// A machine past `welcome`, with everything so far drained.
fn open(kind: PrincipalType) -> ServerConnection {
    open_with(config(), kind)
}

fn open_with(config: ServerConfig, kind: PrincipalType) -> ServerConnection {
    let mut conn = ServerConnection::new(config, Instant(0));
    conn.handle_message(MEMBER_HELLO, Instant(0));
    assert!(matches!(conn.poll_event(), Some(Need::Hello(_))));
    conn.welcome(admission(kind), Instant(0));
    drain(&mut conn);
    conn
}

/// Everything for the socket, frame by frame; a close as `close <code>`.
fn drain(conn: &mut ServerConnection) -> Vec<String> {
    let mut frames = Vec::new();
    while let Some(transmit) = conn.poll_transmit() {
        match transmit {
            Transmit::Message(message) => frames.extend(message.as_str().split('\n').map(str::to_owned)),
            Transmit::Close { code, .. } => frames.push(format!("close {code}")),
        }
    }
    frames
}

/// The types of the frames, with the close.
fn kinds(frames: &[String]) -> Vec<String> {
    let kind = |frame: &String| match frame.strip_prefix("{\"type\":\"") {
        Some(rest) => rest.split('"').next().unwrap_or_default().to_owned(),
        None => frame.clone(),
    };
    frames.iter().map(kind).collect()
}

fn needs(conn: &mut ServerConnection) -> Vec<Need> {
    std::iter::from_fn(|| conn.poll_event()).collect()
}

fn scope(text: &str) -> Scope {
    Scope::parse(text).unwrap()
}

fn piece(prev: u64, last: u64, bytes: usize) -> Piece {
    let mut frame = format!("{{\"type\":\"events\",\"last\":{last}}}");
    while frame.len() < bytes {
        frame.push(' ');
    }
    Piece { prev, last, frame: Arc::from(frame) }
}

/// Subscribes with a position and answers `resumed`; returns the ticket.
fn resumed(conn: &mut ServerConnection, of: &str, pos: u64) -> Ticket {
    let text = format!(r#"{{"type":"subscribe","scope":"{of}","sub":1,"epoch":"e1","pos":{pos}}}"#);
    conn.handle_message(&text, Instant(1));
    let asked = needs(conn);
    let Some(Need::Subscribe { ticket, .. }) = asked.first() else { panic!("{asked:?}") };
    conn.subscribed(*ticket, Start::Resumed { head: pos });
    assert_eq!(conn.poll_event(), Some(Need::Signals { scope: scope(of) }));
    assert!(matches!(conn.poll_event(), Some(Need::Events { after, .. }) if after == pos));
    conn.provide_events(*ticket, &[], false);
    assert_eq!(kinds(&drain(conn)), ["subscribed"]);
    *ticket
}
