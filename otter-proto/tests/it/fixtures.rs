//! Every fixture decodes, and what has a codec of ours encodes to the same bytes again.

use std::collections::BTreeSet;

use otter_proto::catalogue;
use otter_proto::event::RecordedEvent;
use otter_proto::frame::{ClientFrame, HubFrame, SnapshotRow};
use otter_proto::kind::{check_command, check_event, check_signal};

use crate::files::fixtures;

fn snapshots(group: &str, check: impl Fn(&str, &str) -> String) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| {
        for (name, text) in fixtures(&format!("valid/{group}")) {
            insta::assert_snapshot!(format!("{group}.{name}"), check(&name, &text));
        }
    });
}

/// A frame fixture `ping.case` is of type `ping`.
fn missing<'a>(group: &str, names: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    let have: Vec<String> = fixtures(&format!("valid/{group}")).into_iter().map(|(name, _)| name).collect();
    let has = |name: &str| {
        have.iter()
            .any(|stem| stem.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
    };
    names.into_iter().filter(|name| !has(name)).map(str::to_owned).collect()
}

#[test]
fn every_client_frame_has_a_fixture_that_survives_the_codec() {
    assert_eq!(missing("client", ClientFrame::TYPES.iter().copied()), BTreeSet::new());
    snapshots("client", |name, text| {
        let frame = ClientFrame::decode(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut out = String::new();
        frame.encode(&mut out);
        assert_eq!(out, text, "{name}");
        format!("{frame:#?}")
    });
}

#[test]
fn every_hub_frame_has_a_fixture_that_survives_the_codec() {
    assert_eq!(missing("hub", HubFrame::TYPES.iter().copied()), BTreeSet::new());
    snapshots("hub", |name, text| {
        let frame = HubFrame::decode(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut out = String::new();
        frame.encode(&mut out);
        assert_eq!(out, text, "{name}");
        format!("{frame:#?}")
    });
}

#[test]
fn members_are_accepted_in_any_order_and_unknown_ones_ignored() {
    let frame =
        HubFrame::decode(r#"{"epoch":"e","new":[{"x":null}],"heads":{},"pos":7,"type":"ping"}"#).unwrap();
    assert_eq!(frame, HubFrame::decode(r#"{"type":"ping","pos":7,"epoch":"e"}"#).unwrap());
}

#[test]
fn every_kind_has_a_fixture_that_passes_the_door() {
    assert_eq!(missing("event", catalogue::KINDS.iter().map(|row| row.name)), BTreeSet::new());
    snapshots("event", |name, text| {
        let event = RecordedEvent::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let first = event.effects.first().map(|effect| effect.entity.entity_type()).expect("an effect");
        match catalogue::kind(&event.kind) {
            Some(row) => {
                assert_eq!(first, row.entity_type, "{name}");
                check_event(&event.kind, event.data)
                    .expect("known")
                    .unwrap_or_else(|error| panic!("{name}: {error}"));
            }
            None => assert_eq!(catalogue::vendor(&event.kind), catalogue::vendor(first), "{name}"),
        }
        format!("{event:#?}")
    });
}

#[test]
fn every_entity_type_has_a_row_that_survives_the_codec() {
    assert_eq!(missing("entity", catalogue::ENTITIES.iter().map(|row| row.name)), BTreeSet::new());
    for (name, text) in fixtures("valid/entity") {
        let row = SnapshotRow::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(row.entity.entity_type(), name.split('.').next().unwrap());
        let mut out = String::new();
        row.write(&mut out);
        assert_eq!(out, text, "{name}");
    }
}

#[test]
fn every_command_and_signal_has_a_fixture_that_passes_the_door() {
    assert_eq!(missing("command", catalogue::COMMANDS.iter().map(|row| row.name)), BTreeSet::new());
    assert_eq!(missing("signal", catalogue::SIGNALS.iter().map(|row| row.name)), BTreeSet::new());
    let part = |text: &str, key: &str| serde_json::from_str::<serde_json::Value>(text).unwrap()[key].clone();
    for (name, text) in fixtures("valid/command") {
        assert_eq!(part(&text, "kind"), name);
        check_command(&name, &part(&text, "data").to_string()).expect("known").unwrap();
    }
    for (name, text) in fixtures("valid/signal") {
        assert_eq!(part(&text, "kind"), name);
        check_signal(&name, &part(&text, "data").to_string()).expect("known").unwrap();
    }
}
