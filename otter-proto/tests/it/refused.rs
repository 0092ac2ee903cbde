//! What is malformed is refused with a code and a pointer; what is of a newer release is treated as docs/versioning.md says.

use otter_proto::connection::server::{Admission, Need, ServerConfig, ServerConnection, Transmit};
use otter_proto::error::{CloseAction, ErrorBody};
use otter_proto::event::RecordedEvent;
use otter_proto::frame::{FrameError, HubFrame, Principal, PrincipalType, ServerInfo};
use otter_proto::id::{Epoch, OrgId};
use otter_proto::text::{TextError, TextErrorKind};
use otter_proto::{Instant, UnixMillis};
use pretty_assertions::assert_eq;

use crate::files::{Case, cases};

const HELLO: &str = r#"{"type":"hello","protocol":{"min":1,"max":1},"client":{"name":"t","version":"1"}}"#;

/// A hub's end of a socket that was just opened.
fn socket() -> ServerConnection {
    let server = ServerInfo { name: "otter-server".into(), version: "0.1.0".into() };
    ServerConnection::new(ServerConfig::new(server), Instant(0))
}

/// What the hub answers to a message.
fn answers(hub: &mut ServerConnection, message: &str) -> Vec<HubAnswer> {
    hub.handle_message(message, Instant(0));
    while let Some(need) = hub.poll_event() {
        if matches!(need, Need::Hello(_)) {
            let principal = Principal {
                principal_type: PrincipalType::Member,
                id: "mb_1".into(),
                org: OrgId::new("org_1").unwrap(),
                name: None,
                role: None,
            };
            let epoch = Epoch::new("e1").unwrap();
            hub.welcome(Admission { principal, server_time: UnixMillis(0), epoch, lanes: None }, Instant(0));
        }
    }
    let mut answers = Vec::new();
    while let Some(transmit) = hub.poll_transmit() {
        let Transmit::Message(message) = transmit else { continue };
        answers.extend(message.as_str().split('\n').filter_map(
            |text| match HubFrame::decode(text).unwrap() {
                HubFrame::Welcome(welcome) => Some(HubAnswer::Welcome(welcome.protocol)),
                HubFrame::Error(notice) => Some(HubAnswer::Refused(notice.error)),
                HubFrame::Refuse(refuse) => Some(HubAnswer::Refused(refuse.error)),
                _ => None,
            },
        ));
    }
    answers
}

#[derive(Debug)]
enum HubAnswer {
    Welcome(u64),
    Refused(ErrorBody),
}

#[test]
fn a_malformed_client_frame_is_refused_with_a_pointer_and_the_connection_lives() {
    for Case { name, input, expect } in cases("invalid/client") {
        let mut hub = socket();
        answers(&mut hub, HELLO);
        let refused = answers(&mut hub, &input);
        let [HubAnswer::Refused(error)] = refused.as_slice() else { panic!("{name}: {refused:?}") };
        assert_eq!(Some(error.code.as_str()), expect["code"].as_str(), "{name}");
        assert_eq!(error.pointer.as_deref(), expect["pointer"].as_str(), "{name}");
        assert!(hub.is_open(), "{name}");
    }
}

/// Reads a hub frame the way a client does, its events included.
fn read(text: &str) -> Result<HubFrame<'_>, Unreadable> {
    let frame = HubFrame::decode(text).map_err(|error| match error {
        FrameError::Bad(error) => Unreadable::Bad(error.pointer(text), error),
        FrameError::Unknown(_) => Unreadable::UnknownFrame,
    })?;
    if let HubFrame::Events(events) = &frame {
        for (at, event) in events.events.iter().enumerate() {
            RecordedEvent::parse(event)
                .map_err(|error| Unreadable::Bad(format!("/events/{at}{}", error.pointer(event)), error))?;
        }
    }
    Ok(frame)
}

#[derive(Debug)]
enum Unreadable {
    UnknownFrame,
    Bad(String, TextError),
}

#[test]
fn a_malformed_hub_frame_is_not_read() {
    for Case { name, input, expect } in cases("invalid/hub") {
        let Err(Unreadable::Bad(pointer, _)) = read(&input) else { panic!("{name} was read") };
        assert_eq!(Some(pointer.as_str()), expect["pointer"].as_str(), "{name}");
    }
}

#[test]
fn a_reader_lives_with_frames_of_a_newer_hub() {
    for case in cases("future/hub") {
        let outcome = match read(&case.input) {
            Err(Unreadable::UnknownFrame) => "ignores",
            Err(Unreadable::Bad(_, error))
                if error.kind() == TextErrorKind::Choice && error.member() == Some("op") =>
            {
                "stops"
            }
            Err(error) => panic!("{}: {error:?}", case.name),
            Ok(HubFrame::Events(events)) => {
                for event in &events.events {
                    assert!(case.input.contains(event), "{}: an event is kept byte for byte", case.name);
                }
                let mut again = String::new();
                events.write(&mut again);
                assert_eq!(
                    again,
                    case.input.replace(",\"future\":{\"nested\":[1.50,{\"a\":null}]}", ""),
                    "{}",
                    case.name
                );
                let known = |text: &&str| {
                    let event = RecordedEvent::parse(text).unwrap();
                    let kind = otter_proto::catalogue::kind(&event.kind);
                    kind.is_some_and(|row| {
                        event.effects.iter().all(|effect| effect.entity.entity_type() == row.entity_type)
                    })
                };
                if events.events.iter().all(known) { "reads" } else { "relays" }
            }
            Ok(HubFrame::Bye(bye)) => {
                if bye.code == 4150 {
                    assert_eq!(CloseAction::of(4150), CloseAction::BackOff);
                }
                "reads"
            }
            Ok(_) => "reads",
        };
        assert_eq!(Some(outcome), case.expected("outcome"), "{}", case.name);
    }
}

#[test]
fn a_hub_lives_with_frames_of_a_newer_client() {
    for case in cases("future/client") {
        let mut hub = socket();
        if !case.input.contains("\"hello\"") {
            answers(&mut hub, HELLO);
        }
        let got = answers(&mut hub, &case.input);
        match (case.expected("outcome"), got.as_slice()) {
            (Some("accepts"), [HubAnswer::Welcome(protocol)]) => {
                assert_eq!(Some(*protocol), case.expect["protocol"].as_u64(), "{}", case.name);
            }
            (Some("refuses"), [HubAnswer::Refused(error)]) => {
                assert_eq!(Some(error.code.as_str()), case.expected("code"), "{}", case.name);
            }
            (Some("reads"), []) => {}
            (outcome, got) => panic!("{}: {outcome:?} expected, {got:?}", case.name),
        }
    }
}
