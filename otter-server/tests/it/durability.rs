//! What the hub acknowledged survives `kill -9` in the middle of writing, once and in order.

use futures_util::{SinkExt as _, StreamExt as _};
use otter_proto::event::RecordedEvent;
use otter_proto::frame::{HubFrame, LaneCursor, Published, split};
use pretty_assertions::assert_eq;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::net::{Hub, LONG, Socket};
use crate::process::Program;

const EVENTS: u64 = 1_000;
const CRASHES: u64 = 3;
/// Events of one publish.
const BATCH: u64 = 8;

/// An instance that publishes agents `a1`, `a2`, ...
struct Instance {
    socket: Socket,
    id: String,
    lane: LaneCursor,
}

impl Instance {
    async fn connect(hub: &Hub, token: &str, starts: u64) -> Self {
        let mut socket = hub.socket("/ws/openclaw", &[("authorization", &format!("Bearer {token}"))]).await;
        let boots: Vec<String> = (0..=starts).rev().map(|n| format!("\"boot_{n}\"")).collect();
        let hello = format!(
            r#"{{"type":"hello","protocol":{{"min":1,"max":1}},"client":{{"name":"test","version":"1"}},"capabilities":[],"boots":[{}],"subscribe":[]}}"#,
            boots.join(",")
        );
        socket.send(Message::text(hello)).await.unwrap();
        loop {
            for frame in received(&mut socket).await {
                if let HubFrame::Welcome(welcome) = HubFrame::decode(&frame).unwrap() {
                    let lane = welcome.lanes.unwrap().main;
                    return Self { socket, id: welcome.principal.id, lane };
                }
            }
        }
    }

    /// Sends everything after `up_to`, without waiting for answers.
    async fn publish_after(&mut self, up_to: u64) {
        let mut first = up_to + 1;
        while first <= EVENTS {
            let last = (first + BATCH - 1).min(EVENTS);
            let id = &self.id;
            let event = |n| {
                format!(
                    r#"{{"id":"ev_{n}","kind":"agent.upserted","subject":"{id}:a{n}","data":{{"instanceId":"{id}","name":"A{n}"}}}}"#
                )
            };
            let events: Vec<String> = (first..=last).map(event).collect();
            let frame = format!(
                r#"{{"type":"publish","lane":"main","producerEpoch":1,"first":{first},"events":[{}]}}"#,
                events.join(",")
            );
            self.socket.feed(Message::text(frame)).await.unwrap();
            first = last + 1;
        }
        self.socket.flush().await.unwrap();
    }

    /// Reads answers until this many events are acknowledged; gives how many are.
    async fn acknowledged(&mut self, at_least: u64) -> u64 {
        loop {
            for frame in received(&mut self.socket).await {
                let HubFrame::Published(Published { up_to, error, rejected, .. }) =
                    HubFrame::decode(&frame).unwrap()
                else {
                    continue;
                };
                assert_eq!((error, rejected), (None, vec![]));
                if up_to >= at_least {
                    return up_to;
                }
            }
        }
    }
}

async fn received(socket: &mut Socket) -> Vec<String> {
    let message = timeout(LONG, socket.next()).await.unwrap().unwrap().unwrap();
    match message {
        Message::Close(close) => panic!("the hub closed: {close:?}"),
        Message::Text(text) => split(&text).map(ToOwned::to_owned).collect(),
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn a_killed_hub_keeps_what_it_acknowledged_once_and_in_order() {
    let mut dir = tempfile::tempdir().unwrap();
    let mut token = None;
    let mut acked = 0;
    for start in 0..=CRASHES {
        let (program, _) = Program::start(dir, &[]);
        let token = token.get_or_insert_with(|| program.hub.instance()).clone();
        let mut instance = Instance::connect(&program.hub, &token, start).await;
        let lane = instance.lane.clone();
        assert!(lane.up_to >= acked, "{acked} were acknowledged, {} are there", lane.up_to);
        let last = lane.last_id.map(|id| id.to_string());
        assert_eq!(last, (lane.up_to > 0).then(|| format!("ev_{}", lane.up_to)));
        instance.publish_after(lane.up_to).await;
        let enough = if start == CRASHES { EVENTS } else { (lane.up_to + 20).min(EVENTS) };
        acked = if lane.up_to < enough { instance.acknowledged(enough).await } else { lane.up_to };
        dir = program.kill();
    }
    let file = rusqlite::Connection::open(dir.path().join("otter.db")).unwrap();
    let mut rows = file.prepare("SELECT text FROM events ORDER BY seq").unwrap();
    let texts: Vec<String> = rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let events: Vec<_> = texts.iter().map(|text| RecordedEvent::parse(text).unwrap()).collect();
    let seqs: Vec<u64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
    let agents = events.iter().filter(|event| event.kind == "agent.upserted");
    let ids: Vec<String> = agents.map(|event| event.id.to_string()).collect();
    assert_eq!(ids, (1..=EVENTS).map(|n| format!("ev_{n}")).collect::<Vec<_>>());
}
