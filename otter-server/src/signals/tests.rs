use otter_proto::catalogue::{self, Publisher, Role, ScopeRule};
use otter_proto::error::ErrorCode;
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
    signals.accept(Sender::Instance(&instance()), signal, NOW).unwrap()
}

const NOW: Moment = Moment { now: Instant(1_000), unix: UnixMillis(1_795_000_000_000) };

fn texts(signals: &Signals) -> Vec<String> {
    signals
        .current(&conversation("in_1:c"), NOW.now)
        .into_iter()
        .map(|current| current.frame.to_string())
        .collect()
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
    assert_eq!(signals.current(&conversation("in_1:c"), NOW.now), std::slice::from_ref(&keyframe));
    assert_eq!(signals.latest(&conversation("in_1:c"), "message.delta in_1:r", NOW.now), Some(keyframe));
    assert_eq!(signals.current(&conversation("in_1:other"), NOW.now), []);
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
        signals.settle(&conversation("in_1:c"), &[&event(kind, entity)], NOW.unix);
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
        signals.settle(&conversation("in_1:c"), &[&event(kind, entity)], NOW.unix);
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
        (signal("conversation/in_1:c", HEARTBEAT, &beat("in_1")), ErrorCode::UnknownScope),
        (signal("org", "typing.started", "{}"), ErrorCode::UnknownKind),
        (signal("conversation/in_1:c", DELTA, r#"{"runId":"in_1:r"}"#), ErrorCode::InvalidData),
    ] {
        assert_eq!(
            signals.accept(Sender::Instance(&instance()), &signal, NOW).unwrap_err().code,
            code,
            "{signal:?}"
        );
    }
    assert!(accept(&mut signals, &signal("org", HEARTBEAT, &beat("in_1"))).is_some());
}

#[test]
fn every_signal_of_the_catalogue_is_known_here() {
    let (of, id) = (instance(), member());
    for row in catalogue::SIGNALS {
        let scope = if row.scope == ScopeRule::Org { "org" } else { "conversation/in_1:c" };
        let (sender, code) = match row.publisher {
            Publisher::Member => {
                (Sender::Member { id: &id, role: Role::Member, follows: true }, ErrorCode::InvalidData)
            }
            Publisher::Hub => (Sender::Instance(&of), ErrorCode::NotPublisher),
            _ => (Sender::Instance(&of), ErrorCode::InvalidData),
        };
        let error = Signals::default().accept(sender, &signal(scope, row.name, "{}"), NOW).unwrap_err();
        assert_eq!(error.code, code, "{}", row.name);
    }
}

#[test]
fn half_characters_are_repaired_in_every_signal() {
    let mut signals = Signals::default();
    let progress = r#"{"runId":"in_1:r","phase":"tool","title":"\ud83d!"}"#;
    let queued = accept(&mut signals, &signal("conversation/in_1:c", PROGRESS, progress)).unwrap();
    assert!(queued.frame.contains("\u{fffd}!"), "{}", queued.frame);
    let queued = accept(&mut signals, &delta("in_1:r", 0, "\\ud83d!")).unwrap();
    assert!(queued.frame.contains("\u{fffd}!"), "{}", queued.frame);
}

#[test]
fn what_an_instance_left_behind_is_forgotten() {
    let mut signals = Signals::default();
    accept(&mut signals, &delta("in_1:r", 0, "a"));
    let beat = r#"{"instanceId":"in_1","at":"2026-11-22T14:00:00.000Z"}"#;
    accept(&mut signals, &signal("org", HEARTBEAT, beat));
    signals.forget(&InstanceId::new("in_2").unwrap());
    assert_eq!((texts(&signals).len(), signals.current(&Scope::Org, NOW.now).len()), (1, 1));
    signals.forget(&instance());
    assert_eq!(
        (texts(&signals).len(), signals.current(&Scope::Org, NOW.now).len(), signals.bytes),
        (0, 0, 0)
    );
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
    assert_eq!(signals.current(&conversation("in_1:0"), NOW.now), []);
    assert_eq!(signals.current(&conversation("in_1:9"), NOW.now).len(), 1);
    let held: usize = signals.scopes.values().map(|of| of.slots.bytes()).sum();
    assert_eq!(held, signals.bytes);
}

fn member() -> MemberId {
    MemberId::new("mb_1").unwrap()
}

#[test]
fn a_heartbeat_carries_when_it_was_heard_so_that_a_newcomer_sees_its_age() {
    let mut signals = Signals::default();
    let beat =
        r#"{"instanceId":"in_1","at":"2026-11-22T14:00:00.000Z","heardAt":"2030-01-01T00:00:00.000Z"}"#;
    accept(&mut signals, &signal("org", HEARTBEAT, beat));
    let later = Instant(NOW.now.0 + 45_000);
    let current = signals.current(&Scope::Org, later);
    assert_eq!(
        current.iter().map(|current| &*current.frame).collect::<Vec<_>>(),
        [
            r#"{"type":"signal","scope":"org","kind":"instance.heartbeat","data":{"instanceId":"in_1","at":"2026-11-22T14:00:00.000Z","heardAt":"2026-11-18T11:06:40.000Z"}}"#
        ]
    );
}

#[test]
fn every_signal_has_its_table_of_refusals() {
    let mut signals = Signals::default();
    signals.came(&member(), Some("Ada"), NOW.unix);
    let (of, id) = (instance(), member());
    let bridge = Sender::Instance(&of);
    let person = |role, follows| Sender::Member { id: &id, role, follows };
    let ada = person(Role::Member, true);
    let (delta, progress) =
        (r#"{"runId":"in_1:r","offset":0,"text":""}"#, r#"{"runId":"in_1:r","phase":"p"}"#);
    let beat = r#"{"instanceId":"in_1","at":"2026-11-22T14:00:00.000Z"}"#;
    let here = r#"{"memberId":"mb_1","state":"online","since":"2026-11-22T14:00:00.000Z"}"#;
    let typing = r#"{"active":true}"#;
    let (large, huge) =
        (format!(r#"{{"active":true,"name":"{}"}}"#, "x".repeat(8 << 10)), "x".repeat(257 << 10));
    let huge = format!(r#"{{"runId":"in_1:r","offset":0,"text":"{huge}"}}"#);
    let own = "conversation/in_1:c";
    for (sender, scope, kind, data, code) in [
        (bridge, own, TYPING, typing, ErrorCode::NotPublisher),
        (bridge, "org", PRESENCE, here, ErrorCode::NotPublisher),
        (bridge, own, DELTA, &huge, ErrorCode::TooLarge),
        (bridge, own, PROGRESS, &large, ErrorCode::TooLarge),
        (bridge, own, PROGRESS, r#"{"runId":"in_1:r"}"#, ErrorCode::InvalidData),
        (bridge, "org", PROGRESS, progress, ErrorCode::UnknownScope),
        (bridge, "conversation/in_2:c", PROGRESS, progress, ErrorCode::NotOwner),
        (bridge, "org", HEARTBEAT, r#"{"instanceId":"in_1"}"#, ErrorCode::InvalidData),
        (ada, own, DELTA, delta, ErrorCode::NotPublisher),
        (ada, own, PROGRESS, progress, ErrorCode::NotPublisher),
        (ada, "org", HEARTBEAT, beat, ErrorCode::NotPublisher),
        (ada, "org", PRESENCE, here, ErrorCode::NotPublisher),
        (ada, own, "x.acme.wave", "{}", ErrorCode::UnknownKind),
        (ada, "org", TYPING, typing, ErrorCode::UnknownScope),
        (ada, "member/mb_1", TYPING, typing, ErrorCode::UnknownScope),
        (ada, own, TYPING, "{}", ErrorCode::InvalidData),
        (ada, own, TYPING, r#"{"active":"yes"}"#, ErrorCode::InvalidData),
        (ada, own, TYPING, &large, ErrorCode::TooLarge),
        (person(Role::Viewer, true), own, TYPING, typing, ErrorCode::RoleRequired),
        (person(Role::Owner, false), own, TYPING, typing, ErrorCode::NotSubscribed),
    ] {
        let refused = signals.accept(sender, &signal(scope, kind, data), NOW).unwrap_err();
        assert_eq!(refused.code, code, "{sender:?} {scope} {kind} {refused:?}");
    }
    assert_eq!(texts(&signals), Vec::<String>::new(), "what is refused changes nothing");
}

#[test]
fn an_instance_holds_so_many_conversations_and_values_and_the_quietest_go() {
    let mut signals = Signals::default();
    let in_conversation = |n: usize, run: usize| {
        let data = format!(r#"{{"runId":"in_1:r{run}","phase":"thinking"}}"#);
        signal(&format!("conversation/in_1:c{n}"), PROGRESS, &data)
    };
    for n in 0..MAX_CONVERSATIONS + 10 {
        accept(&mut signals, &in_conversation(n, n));
    }
    assert_eq!(signals.scopes.len(), MAX_CONVERSATIONS);
    assert!(signals.current(&conversation("in_1:c9"), NOW.now).is_empty());
    assert_eq!(signals.current(&conversation("in_1:c10"), NOW.now).len(), 1);
    for run in 0..MAX_SLOTS + 10 {
        accept(&mut signals, &in_conversation(20, 10_000 + run));
    }
    assert_eq!(signals.current(&conversation("in_1:c20"), NOW.now).len(), MAX_SLOTS);
    assert_eq!(signals.scopes.len(), MAX_CONVERSATIONS);
}
