//! Decoding of recorded events against the floor: a plain typed parse by serde_json, which knows the kind beforehand and
//! has no unknown kinds, members in one order or limits to look after.
//!
//! `cargo xtask bench decode` runs it. It prints the ratio of medians per corpus; `--limit 1.3` makes a higher one an error.
//! The limit is on the typed reader, which is what decodes. Beside it stand what a reader does that applies effects only, and
//! the hub's door, which does more than decode: it writes the data as canonical text, once for everybody, and checks it as
//! its kind.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, reason = "a program that measures")]

use std::hint::black_box;
use std::time::Instant;

use otter_proto::UnixMillis;
use otter_proto::event::{RecordedEvent, TypedEvent};
use otter_proto::kind::{
    AgentStatusChanged, FeedItemAdded, MessageCreated, RunCompleted, TaskUpserted, check_event,
};
use otter_proto::text::{Numbers, canonicalise};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// What a program would write that knows the kind of what it reads.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
struct Plain<T> {
    seq: u64,
    prev: u64,
    id: String,
    at: UnixMillis,
    scope: String,
    kind: String,
    source: Source,
    caused_by: Option<String>,
    effects: Vec<Effect>,
    data: T,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Source {
    #[serde(rename = "type")]
    kind: String,
    id: Option<String>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Effect {
    op: String,
    entity: String,
}

fn plain<T: DeserializeOwned>(text: &str) {
    black_box(serde_json::from_str::<Plain<T>>(text).expect("valid"));
}

type Parse = fn(&str);
/// A way to decode: the text, and the floor's parser of its kind.
type Way<'a> = &'a dyn Fn(&str, Parse);

struct Corpus {
    name: &'static str,
    events: Vec<(String, Parse)>,
}

fn corpora() -> Vec<Corpus> {
    let event = |kind: &str, entity: &str, data: &str| {
        format!(
            "{{\"seq\":212,\"prev\":202,\"id\":\"ev_01936a5e-00d4-7000-8000-000000000000\",\"at\":\"2026-11-22T14:00:00.123Z\",\
             \"scope\":\"conversation/in_k3f2:7hq2mvt5c3xkq4zr6yw1bn8da0\",\"kind\":\"{kind}\",\"source\":{{\"type\":\"instance\",\"id\":\"in_k3f2\"}},\
             \"causedBy\":\"01936a5e-7c1b-7d3a-9a55-3f2b8c4d5e6f\",\"effects\":[{{\"op\":\"put\",\"entity\":\"{entity}\"}}],\"data\":{data}}}"
        )
    };
    let message = |text: &str| {
        let data = format!(
            "{{\"author\":{{\"id\":\"in_k3f2:main\",\"name\":\"Main Otter\",\"type\":\"agent\"}},\"conversationId\":\"in_k3f2:7hq2mvt5c3xkq4zr6yw1bn8da0\",\
             \"runId\":\"in_k3f2:r1\",\"sentAt\":\"2026-11-22T14:00:00.123Z\",\"status\":\"complete\",\"text\":\"{text}\"}}"
        );
        event("message.created", "message/in_k3f2:r1:answer", &data)
    };
    let small: (String, Parse) = (
        event("agent.statusChanged", "agent/in_k3f2:main", "{\"status\":\"busy\"}"),
        plain::<AgentStatusChanged>,
    );
    let run = "{\"endedAt\":\"2026-11-22T14:00:00.123Z\",\"state\":\"completed\",\"usage\":{\"input\":1200,\"output\":300}}";
    let task = "{\"agentId\":\"in_k3f2:main\",\"createdAt\":\"2026-11-22T14:00:00.123Z\",\"instanceId\":\"in_k3f2\",\"status\":\"inProgress\",\"title\":\"otter research\"}";
    let feed = "{\"body\":\"It is *ready*.\",\"category\":\"email\",\"from\":\"Ann\",\"occurredAt\":\"2026-11-22T14:00:00.123Z\",\"title\":\"The report\"}";
    vec![
        Corpus { name: "small", events: vec![small.clone()] },
        Corpus {
            name: "mixed",
            events: vec![
                small,
                (message(&"The otters are ready. ".repeat(10)), plain::<MessageCreated>),
                (event("run.completed", "run/in_k3f2:r1", run), plain::<RunCompleted>),
                (event("task.upserted", "task/in_k3f2:t1", task), plain::<TaskUpserted>),
                (event("feed.itemAdded", "feedItem/in_k3f2:f1", feed), plain::<FeedItemAdded>),
            ],
        },
        Corpus {
            name: "16 KiB",
            events: vec![(message(&"otters\\n".repeat(2_048)), plain::<MessageCreated>)],
        },
    ]
}

/// Nanoseconds per event: the median of many short runs, each way in turn, so that both meet the same machine.
fn medians(events: &[(String, Parse)], ways: &[Way<'_>]) -> Vec<f64> {
    const RUNS: usize = 61;
    let bytes: usize = events.iter().map(|(text, _)| text.len()).sum();
    let rounds = (2_000_000 / bytes.max(1)).clamp(20, 5_000);
    let mut times = vec![Vec::with_capacity(RUNS); ways.len()];
    for _ in 0..RUNS {
        for (way, times) in ways.iter().zip(&mut times) {
            let begun = Instant::now();
            for _ in 0..rounds {
                for (text, parse) in events {
                    way(black_box(text), *parse);
                }
            }
            #[allow(clippy::cast_precision_loss)]
            times.push(begun.elapsed().as_nanos() as f64 / (rounds * events.len()) as f64);
        }
    }
    times
        .into_iter()
        .map(|mut times| {
            times.sort_by(f64::total_cmp);
            times[RUNS / 2]
        })
        .collect()
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let limit = arguments
        .iter()
        .position(|word| word == "--limit")
        .map(|at| arguments[at + 1].parse::<f64>().unwrap());
    let mut worst = 0.0_f64;
    println!(
        "{:<8}{:>14}{:>14}{:>8}{:>16}{:>8}{:>14}{:>8}",
        "", "plain serde", "typed", "ratio", "envelope only", "ratio", "hub's door", "ratio"
    );
    for corpus in corpora() {
        let typed = |text: &str, _: Parse| {
            black_box(TypedEvent::read(text).expect("valid"));
        };
        let envelope = |text: &str, _: Parse| {
            black_box(RecordedEvent::parse(text).expect("valid"));
        };
        let door = |text: &str, _: Parse| {
            let event = RecordedEvent::parse(text).expect("valid");
            let data = canonicalise(event.data, Numbers::Rfc8785).expect("valid");
            check_event(&event.kind, &data).expect("known").expect("valid");
            black_box(data);
        };
        let floor = |text: &str, parse: Parse| parse(text);
        let found = medians(&corpus.events, &[&floor, &typed, &envelope, &door]);
        let (floor, typed, envelope, door) = (found[0], found[1], found[2], found[3]);
        worst = worst.max(typed / floor);
        println!(
            "{:<8}{floor:>11.0} ns{typed:>11.0} ns{:>8.2}{envelope:>13.0} ns{:>8.2}{door:>11.0} ns{:>8.2}",
            corpus.name,
            typed / floor,
            envelope / floor,
            door / floor
        );
    }
    println!("worst ratio of the typed reader: {worst:.2}");
    if let Some(limit) = limit.filter(|limit| worst > *limit) {
        println!("over the limit of {limit}");
        std::process::exit(1);
    }
}
