use pretty_assertions::assert_eq;

use super::*;

fn instance() -> InstanceId {
    InstanceId::new("in_1").unwrap()
}

fn conversation(id: &str) -> Scope {
    Scope::parse(&format!("conversation/{id}")).unwrap()
}

fn signal(scope: &str, kind: &str, data: &str) -> Signal {
    Signal { scope: Scope::parse(scope).unwrap(), kind: kind.into(), data: Json::new(data).unwrap() }
}

fn delta(run: &str, offset: u64, text: &str) -> Signal {
    let data = format!(r#"{{"runId":"{run}","offset":{offset},"text":"{text}"}}"#);
    signal("conversation/in_1:c", DELTA, &data)
}

fn accept(signals: &mut Signals, signal: &Signal) -> Option<QueuedSignal> {
    signals.accept(&instance(), signal).unwrap()
}

fn texts(signals: &Signals) -> Vec<String> {
    signals.current(&conversation("in_1:c")).into_iter().map(|current| current.frame.to_string()).collect()
}

fn event(kind: &str, entity: &str) -> Appended {
    let text = format!(
        r#"{{"at":"2026-11-22T14:00:00.000Z","data":{{}},"effects":[{{"entity":"{entity}","op":"put"}}],"id":"ev_1","kind":"{kind}","prev":0,"scope":"conversation/in_1:c","seq":1,"source":{{}}}}"#
    );
    Appended { scope: conversation("in_1:c"), seq: 1, prev: 0, text: Arc::from(text) }
}

#[test]
fn a_newcomer_gets_the_text_so_far_as_one_keyframe() {
    let mut signals = Signals::default();
    accept(&mut signals, &delta("in_1:r", 0, "Hello"));
    let second = accept(&mut signals, &delta("in_1:r", 5, " there")).unwrap();
    assert_eq!(
        &*second.frame,
        r#"{"type":"signal","scope":"conversation/in_1:c","kind":"message.delta","data":{"runId":"in_1:r","offset":5,"text":" there"}}"#
    );
    let keyframe = Current {
        key: "message.delta in_1:r".into(),
        number: second.number,
        frame: Arc::from(
            r#"{"type":"signal","scope":"conversation/in_1:c","kind":"message.delta","data":{"runId":"in_1:r","offset":0,"text":"Hello there"}}"#,
        ),
    };
    assert_eq!(signals.current(&conversation("in_1:c")), std::slice::from_ref(&keyframe));
    assert_eq!(signals.latest(&conversation("in_1:c"), "message.delta in_1:r"), Some(keyframe));
    assert_eq!(signals.current(&conversation("in_1:other")), []);
}

#[test]
fn deltas_the_hub_cannot_place_still_travel() {
    let mut signals = Signals::default();
    assert!(accept(&mut signals, &delta("in_1:r", 40, "tail")).is_some());
    assert_eq!(texts(&signals), Vec::<String>::new());
    assert!(accept(&mut signals, &delta("in_1:r", 0, "key")).is_some());
    assert!(accept(&mut signals, &delta("in_1:r", 0, "key")).is_some(), "others may have a hole");
}

#[test]
fn the_answer_or_the_end_of_a_run_ends_its_signals_and_late_ones_are_dropped() {
    for (kind, entity) in [
        ("message.created", "message/in_1:r:answer"),
        ("run.completed", "run/in_1:r"),
        ("run.failed", "run/in_1:r"),
        ("run.aborted", "run/in_1:r"),
    ] {
        let mut signals = Signals::default();
        accept(&mut signals, &delta("in_1:r", 0, "a"));
        accept(&mut signals, &delta("in_1:other", 0, "b"));
        let progress = r#"{"runId":"in_1:r","phase":"tool"}"#;
        accept(&mut signals, &signal("conversation/in_1:c", PROGRESS, progress));
        assert_eq!(texts(&signals).len(), 3);
        signals.settle(&conversation("in_1:c"), &[&event(kind, entity)]);
        let left = texts(&signals);
        assert!(left.len() == 1 && left.iter().all(|text| text.contains("in_1:other")), "{kind}: {left:?}");
        assert_eq!(accept(&mut signals, &delta("in_1:r", 0, "late")), None);
    }
}

#[test]
fn other_events_settle_nothing() {
    let mut signals = Signals::default();
    accept(&mut signals, &delta("in_1:r", 0, "a"));
    for (kind, entity) in [("run.started", "run/in_1:r"), ("message.created", "message/in_1:c1:user")] {
        signals.settle(&conversation("in_1:c"), &[&event(kind, entity)]);
    }
    assert_eq!(texts(&signals).len(), 1);
}

#[test]
fn an_instance_speaks_only_for_itself() {
    let mut signals = Signals::default();
    let beat = |id: &str| format!(r#"{{"instanceId":"{id}","at":"2026-11-22T14:00:00.000Z"}}"#);
    for (signal, code) in [
        (
            signal("conversation/in_2:c", DELTA, r#"{"runId":"in_1:r","offset":0,"text":""}"#),
            ErrorCode::NotOwner,
        ),
        (delta("in_12:r", 0, ""), ErrorCode::NotOwner),
        (signal("org", HEARTBEAT, &beat("in_2")), ErrorCode::NotOwner),
        (signal("org", DELTA, r#"{"runId":"in_1:r","offset":0,"text":""}"#), ErrorCode::UnknownScope),
        (signal("conversation/in_1:c", HEARTBEAT, &beat("in_1")), ErrorCode::NotOwner),
        (signal("org", "typing.started", "{}"), ErrorCode::UnknownKind),
        (signal("conversation/in_1:c", DELTA, r#"{"runId":"in_1:r"}"#), ErrorCode::InvalidData),
    ] {
        assert_eq!(signals.accept(&instance(), &signal).unwrap_err().code, code, "{signal:?}");
    }
    assert!(accept(&mut signals, &signal("org", HEARTBEAT, &beat("in_1"))).is_some());
}

#[test]
fn what_an_instance_left_behind_is_forgotten() {
    let mut signals = Signals::default();
    accept(&mut signals, &delta("in_1:r", 0, "a"));
    let beat = r#"{"instanceId":"in_1","at":"2026-11-22T14:00:00.000Z"}"#;
    accept(&mut signals, &signal("org", HEARTBEAT, beat));
    signals.forget(&InstanceId::new("in_2").unwrap());
    assert_eq!((texts(&signals).len(), signals.current(&Scope::Org).len()), (1, 1));
    signals.forget(&instance());
    assert_eq!((texts(&signals).len(), signals.current(&Scope::Org).len(), signals.bytes), (0, 0, 0));
    assert!(accept(&mut signals, &delta("in_1:r", 0, "again")).is_some());
}

#[test]
fn texts_are_bounded_and_the_quietest_scope_goes_first() {
    let mut signals = Signals::new(1 << 20);
    let text = "x".repeat(200 << 10);
    for n in 0..10 {
        let data = format!(r#"{{"runId":"in_1:r","offset":0,"text":"{text}"}}"#);
        accept(&mut signals, &signal(&format!("conversation/in_1:{n}"), DELTA, &data));
    }
    assert!(signals.bytes <= 1 << 20);
    assert_eq!(signals.current(&conversation("in_1:0")), []);
    assert_eq!(signals.current(&conversation("in_1:9")).len(), 1);
    let held: usize = signals.scopes.values().map(|of| of.slots.bytes()).sum();
    assert_eq!(held, signals.bytes);
}
