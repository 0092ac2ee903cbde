//! Reducer vectors: what a client starts from, what the hub sends it in several ways, and what it has in the end.
//!
//! A history is made from a seed, and the real [`ScopeState`] says what comes of it. Each run is a list of hub frames;
//! after every run of a vector the live entities and their hash are the same.

mod history;
mod written;

use serde_json::{Value, json};

use crate::event::RecordedEvent;
use crate::frame::{Events, HubFrame, Page, PageKey, SnapshotPage, SnapshotRow};
use crate::hash;
use crate::id::{EntityKey, Epoch, Scope};
use crate::state::ScopeState;
use crate::wire::Wire as _;
use history::{History, Random};

/// Every vector: its file's name and text.
pub(super) fn vectors() -> Vec<(String, String)> {
    let written = written::all().into_iter().map(|(name, vector)| (name.to_owned(), vector));
    let random = [("org", 6_u64), ("conversation", 6)].into_iter().flat_map(|(flavour, count)| {
        (1..=count).map(move |seed| (format!("{flavour}-{seed:02}"), of_history(flavour, seed)))
    });
    written.chain(random).map(|(name, vector)| (name, vector.text())).collect()
}

/// One vector.
struct Vector {
    words: String,
    scope: Scope,
    /// Rows as JSON texts.
    start: Vec<String>,
    /// What happens, and the frames that tell it.
    runs: Vec<(&'static str, Vec<String>)>,
}

impl Vector {
    /// The file: one frame a line, so that it can be read and compared.
    fn text(&self) -> String {
        let mut states = self.runs.iter().map(|(_, frames)| played(&self.start, frames));
        let state = states.next().unwrap_or_default();
        assert!(
            states.all(|other| other.hash() == state.hash()),
            "the runs of a vector end alike: {}",
            self.words
        );
        let quoted = |text: &str| Value::String(text.to_owned()).to_string();
        let lines = |items: &[String], indent: &str| {
            items.iter().map(|item| format!("\n{indent}{item}")).collect::<Vec<_>>().join(",")
        };
        let runs: Vec<String> = self
            .runs
            .iter()
            .map(|(words, frames)| {
                format!(
                    "{{\"description\":{},\"frames\":[{}\n    ]}}",
                    quoted(words),
                    lines(frames, "      ")
                )
            })
            .collect();
        let entities: Vec<String> =
            state.live().map(|(key, entity)| row(key, entity.rev, true, &entity.text)).collect();
        format!(
            "{{\n  \"description\":{},\n  \"scope\":{},\n  \"start\":[{}\n  ],\n  \"runs\":[{}\n  ],\n  \"entities\":[{}\n  ],\n  \"hash\":\"{}\"\n}}\n",
            quoted(&self.words),
            quoted(&self.scope.to_string()),
            lines(&self.start, "    "),
            lines(&runs, "    "),
            lines(&entities, "    "),
            hash::hex(state.hash()),
        )
    }
}

/// What a client has after the frames of a run.
fn played(start: &[String], frames: &[String]) -> ScopeState {
    let mut state = ScopeState::new();
    let rows: Vec<SnapshotRow<'_>> = start.iter().filter_map(|text| SnapshotRow::parse(text).ok()).collect();
    load(&mut state, &rows);
    for text in frames {
        match HubFrame::decode(text) {
            Ok(HubFrame::Subscribed(_)) => state = ScopeState::new(),
            Ok(HubFrame::Snapshot(page)) => load(&mut state, &page.entities),
            Ok(HubFrame::Page(page)) => load(&mut state, &page.rows),
            Ok(HubFrame::Events(events)) => {
                for text in &events.events {
                    if let Ok(event) = RecordedEvent::parse(text) {
                        state.apply(&event);
                    }
                }
            }
            other => panic!("a vector holds data frames: {other:?}"),
        }
    }
    state
}

fn load(state: &mut ScopeState, rows: &[SnapshotRow<'_>]) {
    for row in rows {
        state.load(row.entity.clone(), row.rev, row.live, row.value);
    }
}

fn row(key: &EntityKey, rev: u64, live: bool, value: &str) -> String {
    let mut out = String::new();
    SnapshotRow { entity: key.clone(), rev, live, value }.write(&mut out);
    out
}

fn epoch() -> Epoch {
    Epoch::new("e7Zq2mX0").unwrap_or_else(|_| Epoch::blank())
}

fn events_frame(scope: &Scope, events: &[String]) -> String {
    let mut out = String::new();
    let events = events.iter().map(String::as_str).collect();
    Events { scope: scope.clone(), epoch: epoch(), events, hash: None }.write(&mut out);
    out
}

fn page_frame(rows: &[String], as_of: u64) -> String {
    let mut out = String::new();
    let rows = rows.iter().filter_map(|text| SnapshotRow::parse(text).ok()).collect();
    Page { id: 1, rows, next: None::<PageKey>, as_of: Some(as_of), full: None, error: None }.write(&mut out);
    out
}

fn snapshot_frame(scope: &Scope, rows: &[String], as_of: u64, head: Option<u64>) -> String {
    let mut out = String::new();
    let entities = rows.iter().filter_map(|text| SnapshotRow::parse(text).ok()).collect();
    SnapshotPage { scope: scope.clone(), epoch: epoch(), entities, as_of, head, hash: None }.write(&mut out);
    out
}

fn subscribed_frame(scope: &Scope, head: u64) -> String {
    json!({ "type": "subscribed", "scope": scope.to_string(), "sub": 1, "epoch": epoch().as_str(), "head": head, "mode": "snapshot" })
        .to_string()
}

/// A history told in every way that the protocol allows.
fn of_history(flavour: &str, seed: u64) -> Vector {
    let history = History::new(flavour, seed);
    let mut random = Random::new(seed ^ 0x5eed);
    let (scope, last) = (&history.scope, history.last());
    let middle = last / 2;
    let start = history.rows_at(middle);
    let after = |from: u64| history.events_after(from);
    let single: Vec<String> =
        after(middle).iter().map(|event| events_frame(scope, std::slice::from_ref(event))).collect();
    let again =
        vec![events_frame(scope, &after(middle)), events_frame(scope, &after(middle + (last - middle) / 2))];
    let mut snapshot = vec![subscribed_frame(scope, last)];
    let (pages, as_of) = history.pages(&mut random);
    snapshot.extend(pages);
    snapshot.extend(after(as_of).chunks(3).map(|events| events_frame(scope, events)));
    let read_at = middle + (last - middle) / 2;
    let (before, rest): (Vec<String>, Vec<String>) = {
        let all = after(middle);
        let split = usize::try_from(read_at - middle).unwrap_or(0);
        (all.get(..split).unwrap_or_default().to_vec(), all.get(split..).unwrap_or_default().to_vec())
    };
    let fetched = vec![
        events_frame(scope, &before),
        page_frame(&history.fetch_at(read_at), read_at),
        events_frame(scope, &rest),
    ];
    Vector {
        words: format!("A random history of {last} events (seed {seed}), from its middle on."),
        scope: scope.clone(),
        start,
        runs: vec![
            ("every event in a frame of its own", single),
            ("all events in one frame", vec![events_frame(scope, &after(middle))]),
            ("events that come again after a resume from an older position", again),
            (
                "a snapshot whose pages were read at different heads, then the events after the lowest",
                snapshot,
            ),
            ("a page of all rows, live or not, fetched between the events", fetched),
        ],
    }
}
