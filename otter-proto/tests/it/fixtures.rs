//! Every fixture decodes, and what has a codec of ours encodes to the same bytes again.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use otter_proto::catalogue;
use otter_proto::event::RecordedEvent;
use otter_proto::frame::{ClientFrame, HubFrame};
use otter_proto::kind::{check_command, check_event, check_signal};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/v1/fixtures/valid").join(name)
}

/// The fixtures of a folder: name without `.json`, text without the final newline; in order of name.
fn fixtures(name: &str) -> Vec<(String, String)> {
    let mut found: Vec<_> = std::fs::read_dir(folder(name))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), text.trim_end().to_owned())
        })
        .collect();
    found.sort();
    found
}

fn snapshots(group: &str, check: impl Fn(&str, &str) -> String) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| {
        for (name, text) in fixtures(group) {
            insta::assert_snapshot!(format!("{group}.{name}"), check(&name, &text));
        }
    });
}

/// A frame fixture `ping.case` is of type `ping`.
fn missing(group: &str, types: &[&str]) -> BTreeSet<String> {
    let have: BTreeSet<String> =
        fixtures(group).into_iter().map(|(name, _)| name.split('.').next().unwrap().to_owned()).collect();
    types.iter().map(|name| (*name).to_owned()).filter(|name| !have.contains(name)).collect()
}

#[test]
fn every_client_frame_has_a_fixture_that_survives_the_codec() {
    assert_eq!(missing("client", ClientFrame::TYPES), BTreeSet::new());
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
    assert_eq!(missing("hub", HubFrame::TYPES), BTreeSet::new());
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
    let have: BTreeSet<String> = fixtures("event").into_iter().map(|(name, _)| name).collect();
    let want: BTreeSet<String> = catalogue::KINDS.iter().map(|row| row.name.to_owned()).collect();
    assert_eq!(want.difference(&have).collect::<Vec<_>>(), Vec::<&String>::new());
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
fn every_command_and_signal_has_a_fixture_that_passes_the_door() {
    let part = |text: &str, key: &str| serde_json::from_str::<serde_json::Value>(text).unwrap()[key].clone();
    for (name, text) in fixtures("command") {
        assert_eq!(part(&text, "kind"), name);
        check_command(&name, &part(&text, "data").to_string()).expect("known").unwrap();
    }
    for (name, text) in fixtures("signal") {
        assert_eq!(part(&text, "kind"), name);
        check_signal(&name, &part(&text, "data").to_string()).expect("known").unwrap();
    }
    let (vendors, own): (Vec<_>, Vec<_>) =
        fixtures("command").into_iter().partition(|(name, _)| catalogue::vendor(name).is_some());
    assert_eq!((vendors.len(), own.len()), (1, catalogue::COMMANDS.len()));
    assert_eq!(fixtures("signal").len(), catalogue::SIGNALS.len());
}
