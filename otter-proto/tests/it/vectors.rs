//! The reducer vectors, read back from their files and reduced by the real state.

use otter_proto::event::RecordedEvent;
use otter_proto::frame::{HubFrame, SnapshotRow};
use otter_proto::hash;
use otter_proto::state::ScopeState;
use otter_proto::text::{Cursor, Numbers, canonicalise};
use pretty_assertions::assert_eq;

use crate::files::fixtures;

/// The texts of the items of a JSON array, as they are in the file.
fn items(array: &str) -> Vec<&str> {
    let mut items = Vec::new();
    Cursor::new(array).array(&mut |cursor| cursor.value().map(|text| items.push(text))).unwrap();
    items
}

fn member<'a>(object: &'a str, name: &str) -> &'a str {
    let mut found = "";
    let read = Cursor::new(object).object(&mut |key, cursor| {
        let value = cursor.value()?;
        if key == name {
            found = value;
        }
        Ok(())
    });
    read.unwrap();
    found
}

fn load(state: &mut ScopeState, rows: &[SnapshotRow<'_>]) {
    for row in rows {
        state.load(row.entity.clone(), row.rev, row.live, row.value);
    }
}

#[test]
fn every_run_of_every_vector_ends_in_its_entities_and_hash() {
    let vectors = fixtures("state");
    assert!(vectors.len() >= 20, "{} vectors", vectors.len());
    for (name, text) in &vectors {
        for run in items(member(text, "runs")) {
            let mut state = ScopeState::new();
            let start: Vec<_> =
                items(member(text, "start")).iter().map(|row| SnapshotRow::parse(row).unwrap()).collect();
            load(&mut state, &start);
            for frame in items(member(run, "frames")) {
                match HubFrame::decode(frame).unwrap() {
                    HubFrame::Subscribed(_) => state = ScopeState::new(),
                    HubFrame::Snapshot(page) => load(&mut state, &page.entities),
                    HubFrame::Page(page) => load(&mut state, &page.rows),
                    HubFrame::Events(events) => {
                        for event in events.events {
                            state.apply(&RecordedEvent::parse(event).unwrap());
                        }
                    }
                    other => panic!("{name}: {other:?}"),
                }
            }
            let words = format!("{name}: {}", member(run, "description"));
            let live: Vec<String> = state
                .live()
                .map(|(key, entity)| {
                    let mut row = String::new();
                    SnapshotRow { entity: key.clone(), rev: entity.rev, live: true, value: &entity.text }
                        .write(&mut row);
                    row
                })
                .collect();
            assert_eq!(live, items(member(text, "entities")), "{words}");
            assert_eq!(format!("\"{}\"", hash::hex(state.hash())), member(text, "hash"), "{words}");
        }
    }
}

#[test]
fn what_vectors_hold_is_canonical_text() {
    for (name, text) in fixtures("state") {
        for row in items(member(&text, "entities")) {
            let row = SnapshotRow::parse(row).unwrap();
            assert_eq!(
                canonicalise(row.value, Numbers::Rfc8785).unwrap(),
                row.value,
                "{name}: {}",
                row.entity
            );
        }
    }
}
