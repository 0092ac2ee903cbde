//! Bad input: each case has an error with a code, and the connection lives where it can.

use futures_util::SinkExt as _;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use super::harness::{CONVERSATION, World, event, hello, message, publish, run_started};

#[tokio::test]
async fn frames_that_cannot_be_understood_are_refused_and_the_connection_lives() {
    let world = World::start().await;
    let mut peer = world.member().await;
    let deep = format!("{{\"type\":\"command\",\"data\":{}1{}}}", "[".repeat(40), "]".repeat(40));
    let long = format!("{{\"type\":\"probe\",\"n\":1,\"x\":\"{}\"}}", "x".repeat(1 << 20));
    for (text, code) in [
        ("{\"type\":\"probe\"", "badFrame"),
        ("nonsense", "badFrame"),
        ("{\"type\":\"probe\",\"n\":-1}", "badFrame"),
        ("{\"type\":\"probe\",\"n\":1e400}", "badFrame"),
        ("{\"type\":\"subscribe\",\"scope\":\"../x\",\"sub\":1}", "badFrame"),
        ("{\"type\":\"fly\"}", "unknownFrame"),
        (deep.as_str(), "tooDeep"),
        (long.as_str(), "tooLarge"),
        (
            "{\"type\":\"publish\",\"lane\":\"main\",\"producerEpoch\":1,\"first\":1,\"events\":[]}",
            "unexpectedFrame",
        ),
        ("{\"type\":\"signal\",\"scope\":\"org\",\"kind\":\"message.delta\",\"data\":{}}", "notPublisher"),
    ] {
        peer.send_text(text).await;
        assert_eq!(peer.frame("error").await["error"]["code"], code, "{:.60}", text);
    }
    peer.socket.send(Message::binary(vec![0xff])).await.unwrap();
    assert_eq!(peer.frame("error").await["error"]["code"], "badFrame");
    peer.lives().await;
}

#[tokio::test]
async fn a_message_far_over_the_limit_ends_the_connection_with_4505() {
    let world = World::start().await;
    let mut peer = world.member().await;
    peer.send_text(&" ".repeat((2 << 20) + 1)).await;
    let (frames, code) = peer.end().await;
    assert_eq!((frames[0]["type"].as_str(), code), (Some("bye"), 4505));
}

#[tokio::test]
async fn what_is_wrong_before_welcome_is_refused_in_words_and_closed() {
    let world = World::start().await;
    for (who, first, error, close) in [
        ("member", json!({"type": "hello", "protocol": {"min": 0, "max": 0}}), "unsupportedVersion", 4501),
        ("member", json!({"type": "hello", "protocol": {"min": 99, "max": 99}}), "unsupportedVersion", 4501),
        ("member", json!({"type": "probe", "n": 1}), "unexpectedFrame", 4506),
        ("member", json!("x".repeat(70_000)), "tooLarge", 4505),
        ("instance", hello(&[]), "invalidData", 4506),
    ] {
        let mut peer = world.socket(who).await;
        peer.send(&first).await;
        let (frames, code) = peer.end().await;
        let refuse: &Value = &frames[0];
        assert_eq!(
            (&refuse["type"], &refuse["error"]["code"], code),
            (&json!("refuse"), &json!(error), close)
        );
        assert!(refuse["error"]["message"].as_str().is_some_and(|text| text.len() > 10), "{refuse}");
    }
}

#[tokio::test]
async fn a_refused_credential_is_told_after_the_handshake() {
    let world = World::start().await;
    for (who, error, close) in
        [("nobody", "authRequired", 4200), ("expired", "authExpired", 4201), ("foreign", "badOrigin", 4202)]
    {
        let mut peer = world.socket(who).await;
        let (frames, code) = peer.end().await;
        assert_eq!((&frames[0]["error"]["code"], frames.len(), code), (&json!(error), 1, close));
    }
}

#[tokio::test]
async fn a_credential_that_ends_takes_its_connections_with_it() {
    let world = World::start().await;
    let mut peer = world.person("revoked").await;
    world.revoke.notify_one();
    let (frames, code) = peer.end().await;
    let kinds: Vec<_> = frames.iter().filter_map(|frame| frame["type"].as_str()).collect();
    assert_eq!((kinds, code), (vec!["bye"], 4503));
}

#[tokio::test]
async fn publishing_errors_name_their_cause_and_change_nothing_else() {
    let world = World::start().await;
    let mut bridge = world.with_conversation().await;
    let agent = json!({"instanceId": "in_1", "name": "x"});
    bridge.send(&publish(9, &[event("agent.upserted", "in_1:a", agent.clone())])).await;
    let gap = bridge.frame("published").await;
    assert_eq!(
        (&gap["error"]["code"], &gap["expected"], &gap["upTo"]),
        (&json!("publishGap"), &json!(3), &json!(2))
    );
    let mut stale = publish(3, &[event("agent.upserted", "in_1:a", agent.clone())]);
    stale["producerEpoch"] = 0.into();
    bridge.send(&stale).await;
    assert_eq!(bridge.frame("published").await["error"]["code"], "staleProducerEpoch");
    let long = "x".repeat(600 << 10);
    let cases = [
        event("agent.upserted", "in_2:a", agent.clone()),
        event("message.created", "in_1:m1", message(&long)),
        event("message.wished", "in_1:m2", json!({})),
        event("agent.upserted", "in_1:b", json!({"name": 5})),
        event("agent.upserted", "in_1:good", agent),
    ];
    bridge.send(&publish(3, &cases)).await;
    let mut rejected = Vec::new();
    loop {
        let published = bridge.frame("published").await;
        rejected.extend(published["rejected"].as_array().cloned().unwrap_or_default());
        if published["upTo"] == 7 {
            break;
        }
    }
    let codes: Vec<_> = rejected.iter().filter_map(|row| row["code"].as_str()).collect();
    assert_eq!(codes, ["notOwner", "tooLarge", "unknownKind", "invalidData"]);
    bridge.lives().await;
}

#[tokio::test]
async fn half_a_character_from_the_gateway_is_repaired_and_nothing_is_lost() {
    let world = World::start().await;
    let mut bridge = world.with_conversation().await;
    let mut member = world.member().await;
    member.subscribe(CONVERSATION, 1).await;
    let text = publish(3, &[event("message.created", "in_1:m1", message("half LONE of it"))]).to_string();
    bridge.send_text(&text.replace("LONE", "\\ud83d")).await;
    assert_eq!(bridge.frame("published").await["upTo"], 3);
    assert_eq!(member.frame("events").await["events"][0]["data"]["text"], "half \u{fffd} of it");
    let delta = r#"{"type":"signal","scope":"conversation/in_1:c","kind":"message.delta","data":{"runId":"in_1:r","offset":0,"text":"x\ud83d"}}"#;
    bridge.send_text(delta).await;
    assert_eq!(member.frame("signal").await["data"]["text"], "x\u{fffd}");
    bridge.lives().await;
}

#[tokio::test]
async fn commands_that_cannot_be_carried_out_are_refused_in_their_reply() {
    let world = World::start().await;
    let mut bridge = world.with_conversation().await;
    let mut member = world.member().await;
    let command = |n: u32, kind: &str, data: Value| json!({"type": "command", "id": format!("01900000-0000-7000-8000-{n:012}"), "kind": kind, "data": data});
    let say = |conversation: &str| json!({"conversationId": conversation, "text": "hi"});
    for (frame, code) in [
        (command(1, "message.send", say("in_1:nowhere")), "notFound"),
        (command(2, "message.wish", json!({})), "unknownCommand"),
        (command(3, "message.send", json!({"conversationId": "in_1:c"})), "invalidData"),
    ] {
        member.send(&frame).await;
        assert_eq!(member.frame("reply").await["refused"]["code"], code, "{frame}");
    }
    member.send(&command(4, "message.send", say("in_1:c"))).await;
    assert!(member.frame("reply").await.get("accepted").is_some());
    member.send(&command(4, "message.send", json!({"conversationId": "in_1:c", "text": "other"}))).await;
    assert_eq!(member.frame("reply").await["refused"]["code"], "idempotencyMismatch");
    assert_eq!(bridge.frame("command").await["data"]["text"], "hi");
    let abort = json!({"conversationId": "in_1:c", "runId": "in_1:r"});
    bridge.publish("run.started", "in_1:r", run_started()).await;
    drop(bridge);
    // The socket is noticed as gone a moment after it is dropped.
    world.until_connected(1).await;
    member.send(&command(6, "run.abort", abort)).await;
    assert_eq!(member.frame("reply").await["refused"]["code"], "instanceOffline");
    let mut viewer = world.socket("viewer").await;
    viewer.send(&hello(&[])).await;
    viewer.send(&command(5, "message.send", say("in_1:c"))).await;
    assert_eq!(viewer.frame("reply").await["refused"]["code"], "roleRequired");
}

#[tokio::test]
async fn a_flood_of_refused_frames_ends_with_4101() {
    let world = World::start().await;
    let mut peer = world.member().await;
    for _ in 0..60 {
        // The hub may have closed already.
        let _ = peer.socket.send(Message::text("x")).await;
    }
    let (frames, code) = peer.end().await;
    assert_eq!((frames.last().map(|frame| &frame["code"]), code), (Some(&json!(4101)), 4101));
    world.member().await.lives().await;
}

/// Sends raw bytes after a handshake; gives the code of the hub's close frame.
async fn close_after(world: &World, bytes: &[u8]) -> u16 {
    let mut stream = TcpStream::connect(world.addr).await.unwrap();
    let request = "GET / HTTP/1.1\r\nhost: x\r\nx-who: member\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                   sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    stream.write_all(bytes).await.unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert_eq!(rest.first(), Some(&0x88), "a close frame: {rest:?}");
    u16::from_be_bytes([rest[2], rest[3]])
}

#[tokio::test]
async fn what_is_not_the_websocket_protocol_gets_a_close_frame_that_says_so() {
    let world = World::start().await;
    assert_eq!(close_after(&world, &[0x81, 0x01, b'x']).await, 1002, "a frame without mask");
    assert_eq!(close_after(&world, &[0xf1, 0x80, 0, 0, 0, 0]).await, 1002, "reserved bits");
    assert_eq!(close_after(&world, &[0x81, 0x81, 0, 0, 0, 0, 0xff]).await, 1007, "text that is not UTF-8");
}
