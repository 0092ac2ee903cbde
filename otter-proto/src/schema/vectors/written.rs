//! Vectors written by hand: one rule each.

use crate::id::Scope;

use super::{Vector, events_frame, page_frame, snapshot_frame, subscribed_frame};

/// An event of the org: its seq, its effects as JSON, its data.
fn event(seq: u64, kind: &str, effects: &str, data: &str) -> String {
    let prev = seq - 1;
    format!(
        "{{\"seq\":{seq},\"prev\":{prev},\"id\":\"ev_{seq}\",\"at\":\"2026-11-22T14:00:00.123Z\",\"scope\":\"org\",\"kind\":\"{kind}\",\
         \"source\":{{\"type\":\"hub\"}},\"effects\":[{effects}],\"data\":{data}}}"
    )
}

fn put(entity: &str) -> String {
    format!("{{\"op\":\"put\",\"entity\":\"{entity}\"}}")
}

fn op(op: &str, entity: &str) -> String {
    format!("{{\"op\":\"{op}\",\"entity\":\"{entity}\"}}")
}

fn row(entity: &str, rev: u64, value: &str) -> String {
    format!("{{\"entity\":\"{entity}\",\"rev\":{rev},\"value\":{value}}}")
}

fn vector(words: &str, start: Vec<String>, runs: Vec<(&'static str, Vec<String>)>) -> Vector {
    Vector { words: words.to_owned(), scope: Scope::Org, start, runs }
}

fn in_one(events: &[String]) -> Vec<String> {
    vec![events_frame(&Scope::Org, events)]
}

/// All of them.
pub(super) fn all() -> Vec<(&'static str, Vector)> {
    vec![
        ("rules-operations", operations()),
        ("rules-absent", absent()),
        ("rules-rev", rev()),
        ("rules-merge", merge()),
        ("rules-text", text()),
        ("rules-value", value()),
        ("rules-unknown-kind", unknown_kind()),
        ("rules-newer-page", newer_page()),
    ]
}

fn operations() -> Vector {
    let (a, b, c) = ("task/in_1:a", "task/in_1:b", "task/in_1:c");
    let events = [
        event(11, "task.upserted", &put(a), "{\"status\":\"todo\",\"title\":\"A\"}"),
        event(12, "task.upserted", &op("merge", a), "{\"status\":\"done\"}"),
        event(13, "task.removed", &op("delete", b), "{}"),
        event(
            14,
            "task.upserted",
            &format!("{},{}", put("task/in_1:d"), op("evict", c)),
            "{\"title\":\"D\"}",
        ),
        event(15, "task.upserted", &op("merge", c), "{\"title\":\"still not live\"}"),
    ];
    vector(
        "put replaces and makes live, merge merges and keeps the flag, delete removes, evict takes out of the live window.",
        vec![row(b, 3, "{\"title\":\"B\"}"), row(c, 4, "{\"title\":\"C\"}")],
        vec![("one frame", in_one(&events))],
    )
}

fn absent() -> Vector {
    let events = [
        event(11, "task.upserted", &op("merge", "task/in_1:x"), "{\"title\":\"X\"}"),
        event(12, "task.removed", &op("delete", "task/in_1:y"), "{}"),
        event(13, "task.upserted", &op("evict", "task/in_1:z"), "{}"),
    ];
    vector(
        "merge, delete and evict of an absent entity do nothing.",
        Vec::new(),
        vec![("one frame", in_one(&events))],
    )
}

fn rev() -> Vector {
    let key = "task/in_1:a";
    let events = [
        event(11, "task.upserted", &op("merge", key), "{\"title\":\"older than the row\"}"),
        event(12, "task.removed", &op("delete", key), "{}"),
        event(13, "task.upserted", &op("merge", key), "{\"summary\":\"newer than the row\"}"),
    ];
    vector(
        "An effect applies only when its seq is greater than the row's rev; then rev = seq.",
        vec![row(key, 12, "{\"title\":\"A\"}")],
        vec![
            ("one frame", in_one(&events)),
            ("all of it twice", [in_one(&events), in_one(&events)].concat()),
        ],
    )
}

fn merge() -> Vector {
    let key = "x.acme.gauge/in_1:a";
    let events = [
        event(
            11,
            "x.acme.moved",
            &op("merge", key),
            "{\"a\":{\"b\":null,\"c\":{\"d\":1}},\"list\":[1,{\"x\":null}]}",
        ),
        event(
            12,
            "x.acme.moved",
            &op("merge", key),
            "{\"flat\":{\"was\":\"a string\"},\"gone\":null,\"new\":{\"no\":null,\"yes\":1}}",
        ),
    ];
    vector(
        "RFC 7396: null removes, objects merge at every depth, everything else is replaced whole; null inside a list stays.",
        vec![row(key, 3, "{\"a\":{\"b\":1,\"z\":0},\"flat\":\"text\",\"gone\":true,\"list\":[0]}")],
        vec![("one frame", in_one(&events))],
    )
}

fn text() -> Vector {
    let key = "x.acme.gauge/in_1:a";
    let data = "{\"A\":0.1,\"Z\":-1.5,\"a\":1e-7,\"a b\":9007199254740991,\"a!\":-9007199254740991,\"b\":0.000001,\"control\":\"\\b\\t\\n\\f\\r\\u0000\\u001f\u{7f}\",\
                \"escapes\":\"\\\"\\\\/\",\"otter\":\"\u{1f9a6}\u{e9}\u{2028}\u{fffd}\",\"z\":123456789012345.67}";
    let events = [
        event(11, "x.acme.moved", &put(key), data),
        event(12, "x.acme.moved", &op("merge", key), "{\"A\":5e-324,\"m\":{}}"),
    ];
    vector(
        "The hash is over canonical text: keys by byte, minimal escapes, numbers as they came (the hub prints them by RFC 8785).",
        Vec::new(),
        vec![("one frame", in_one(&events))],
    )
}

fn value() -> Vector {
    let key = "task/in_1:a";
    let put_whole = format!(
        "{{\"op\":\"put\",\"entity\":\"{key}\",\"value\":{{\"status\":\"review\",\"title\":\"whole\"}}}}"
    );
    let events = [event(11, "task.upserted", &put_whole, "{\"status\":\"review\"}")];
    vector(
        "`value` of an effect wins over the event's `data`: a row that comes back is put as a whole.",
        Vec::new(),
        vec![("one frame", in_one(&events))],
    )
}

fn unknown_kind() -> Vector {
    let events = [
        event(11, "task.teleported", &op("merge", "task/in_1:a"), "{\"where\":\"the moon\"}"),
        event(12, "otter.invented", &put("otter/in_1:o"), "{\"name\":\"Ada\"}"),
    ];
    vector(
        "A kind or type that you do not know is no problem: its effects are enough.",
        vec![row("task/in_1:a", 3, "{\"title\":\"A\"}")],
        vec![("one frame", in_one(&events))],
    )
}

fn newer_page() -> Vector {
    let (a, b) = ("task/in_1:a", "task/in_1:b");
    let events = [
        event(11, "task.upserted", &op("merge", a), "{\"status\":\"done\"}"),
        event(12, "task.removed", &op("delete", b), "{}"),
        event(13, "task.upserted", &op("merge", a), "{\"summary\":\"ready\"}"),
    ];
    let org = Scope::Org;
    let page = vec![
        subscribed_frame(&org, 13),
        snapshot_frame(&org, &[row(a, 11, "{\"status\":\"done\",\"title\":\"A\"}")], 11, None),
        snapshot_frame(&org, &[row(b, 4, "{\"title\":\"B\"}")], 10, Some(10)),
        events_frame(&org, &events),
    ];
    let fetched = vec![
        events_frame(&org, &events[..1]),
        page_frame(
            &[row(a, 11, "{\"status\":\"done\",\"title\":\"A\"}"), row(b, 4, "{\"title\":\"B\"}")],
            11,
        ),
        events_frame(&org, &events[1..]),
    ];
    vector(
        "Rows of pages may be newer than events that come after them: the rev rule makes the mix exact.",
        vec![row(a, 3, "{\"title\":\"A\"}"), row(b, 4, "{\"title\":\"B\"}")],
        vec![
            ("one frame", in_one(&events)),
            ("a snapshot of two pages read at different heads", page),
            ("a fetched page", fetched),
        ],
    )
}
