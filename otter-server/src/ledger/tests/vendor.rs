//! What integrators say and are asked.

use otter_proto::error::ErrorCode as E;
use pretty_assertions::assert_eq;

use super::*;

/// An event of `x.acme.*` about `in_1:d1`; `members` besides id, kind and subject.
fn said(world: &mut World, kind: &str, members: &str) -> (Published, Commit) {
    world.next_id += 1;
    let event = format!(r#"{{"id":"ev_{}","kind":"{kind}","subject":"in_1:d1",{members}}}"#, world.next_id);
    world.try_event(kind, &event)
}

/// An event that is taken; its line, if it was appended.
fn taken(world: &mut World, data: &str, effects: &str) -> Option<String> {
    let (published, commit) =
        said(world, "x.acme.happened", &format!(r#""data":{data},"effects":{effects}"#));
    assert_eq!((published.error, published.rejected), (None, vec![]), "{effects}");
    lines(&commit).pop()
}

fn key(id: &str) -> String {
    format!("x.acme.deployment/in_1:{id}")
}

#[test]
fn effects_apply_as_they_are_and_nothing_is_written_for_what_changes_nothing() {
    let mut world = World::empty();
    let put = r#"[{"entity":"x.acme.deployment/in_1:d1","op":"put"},{"entity":"x.acme.slot/in_1:s","op":"put","value":{"b":[1.0],"a":null}}]"#;
    assert_eq!(
        taken(&mut world, r#"{"version":"1.8","at":"2026-11-18T11:00:00Z"}"#, put).unwrap(),
        r#"org x.acme.happened [put x.acme.deployment/in_1:d1, put x.acme.slot/in_1:s={"b":[1]}] {"at":"2026-11-18T11:00:00Z","version":"1.8"}"#
    );
    let again = taken(&mut world, r#"{"at":"2026-11-18T11:00:00Z","version":"1.8"}"#, put);
    assert_eq!(again, None, "what is there already");
    let merge = r#"[{"op":"merge","entity":"x.acme.deployment/in_1:d1"},{"op":"merge","entity":"x.acme.slot/in_1:none","value":{"a":1}}]"#;
    assert_eq!(
        taken(&mut world, r#"{"state":"live","version":null}"#, merge).unwrap(),
        r#"org x.acme.happened [merge x.acme.deployment/in_1:d1] {"state":"live","version":null}"#
    );
    let entity = world.entity(&Scope::Org, &key("d1"));
    assert_eq!(entity, Some((r#"{"at":"2026-11-18T11:00:00Z","state":"live"}"#.to_owned(), true)));
    let leave = r#"[{"op":"evict","entity":"x.acme.deployment/in_1:d1"},{"op":"delete","entity":"x.acme.slot/in_1:s"}]"#;
    assert_eq!(
        taken(&mut world, "{}", leave).unwrap(),
        "org x.acme.happened [evict x.acme.deployment/in_1:d1, delete x.acme.slot/in_1:s] {}"
    );
    assert_eq!(taken(&mut world, "{}", leave), None);
    let put =
        r#"[{"op":"put","entity":"x.acme.slot/in_1:s"},{"op":"put","entity":"x.acme.deployment/in_1:d1"}]"#;
    assert!(taken(&mut world, r#"{"again":true}"#, put).is_some(), "what was removed may be put again");
    assert_eq!(world.live(&Scope::Org), [key("d1"), "x.acme.slot/in_1:s".to_owned()]);
    assert_eq!(world.hash_of_live(&Scope::Org), world.hash(&Scope::Org));
}

#[test]
fn with_a_conversation_the_entities_live_there() {
    let mut world = World::with_conversation();
    let members =
        r#""conversation":"in_1:c","data":{"n":1},"effects":[{"op":"put","entity":"x.acme.note/in_1:n"}]"#;
    let (_, commit) = said(&mut world, "x.acme.noted", members);
    assert_eq!(lines(&commit), [r#"conversation/in_1:c x.acme.noted [put x.acme.note/in_1:n] {"n":1}"#]);
    assert_eq!(world.live(&conversation()), ["x.acme.note/in_1:n"]);
}

#[test]
fn the_door_refuses_what_is_not_the_integrators_and_goes_on() {
    let mut world = World::with_conversation();
    let effect = |text: &str| format!(r#""data":{{}},"effects":[{text}]"#);
    let fine = r#"{"op":"put","entity":"x.acme.a/in_1:a"}"#;
    let many: Vec<String> =
        (0..17).map(|n| format!(r#"{{"op":"put","entity":"x.acme.a/in_1:{n}"}}"#)).collect();
    let long = "x".repeat(70_000);
    let big = "x".repeat(9_000);
    let kind = "x.acme.happened";
    let table: Vec<(&str, String, E, &str)> = vec![
        ("x.acme", effect(fine), E::UnknownKind, "/kind"),
        ("x.Acme.b", effect(fine), E::UnknownKind, "/kind"),
        ("x.acme.b-c", effect(fine), E::UnknownKind, "/kind"),
        (kind, r#""data":{}"#.into(), E::InvalidData, "/effects"),
        (kind, effect(""), E::InvalidData, "/effects"),
        (kind, r#""data":{},"effects":{"op":"put"}"#.into(), E::InvalidData, "/effects"),
        (kind, effect(&many.join(",")), E::TooLarge, "/effects"),
        (kind, effect(r#"{"op":"increment","entity":"x.acme.a/in_1:a"}"#), E::InvalidData, "/effects/0/op"),
        (kind, effect(r#"{"entity":"x.acme.a/in_1:a"}"#), E::InvalidData, "/effects/0/op"),
        (kind, effect(r#"{"op":"put","entity":"x.acme.a"}"#), E::BadId, "/effects/0/entity"),
        (kind, effect(r#"{"op":"put","entity":"message/in_1:a"}"#), E::NotPublisher, "/effects/0/entity"),
        (kind, effect(r#"{"op":"put","entity":"x.other.a/in_1:a"}"#), E::NotPublisher, "/effects/0/entity"),
        (kind, effect(r#"{"op":"put","entity":"x.acme.B/in_1:a"}"#), E::NotPublisher, "/effects/0/entity"),
        (
            kind,
            effect(&format!(r#"{fine},{{"op":"merge","entity":"x.acme.a/in_2:a"}}"#)),
            E::NotOwner,
            "/effects/1/entity",
        ),
        (kind, effect(r#"{"op":"put","entity":"x.acme.a/in_12:a"}"#), E::NotOwner, "/effects/0/entity"),
        (kind, effect(&format!("{fine},{fine}")), E::InvalidData, "/effects/1/entity"),
        (
            kind,
            effect(r#"{"op":"put","entity":"x.acme.a/in_1:a","value":[1]}"#),
            E::InvalidData,
            "/effects/0/value",
        ),
        (
            kind,
            effect(r#"{"op":"delete","entity":"x.acme.a/in_1:a","value":{}}"#),
            E::InvalidData,
            "/effects/0/value",
        ),
        (kind, format!(r#""data":[],"effects":[{fine}]"#), E::InvalidData, "/data"),
        (kind, format!(r#""data":{{"a":1,"a":2}},"effects":[{fine}]"#), E::InvalidData, "/data"),
        (
            kind,
            format!(r#""data":{{"instanceId":"in_2"}},"effects":[{fine}]"#),
            E::NotOwner,
            "/data/instanceId",
        ),
        (
            kind,
            format!(r#""conversation":"in_2:c","data":{{}},"effects":[{fine}]"#),
            E::NotOwner,
            "/conversation",
        ),
        (kind, format!(r#""data":{{"a":"{long}"}},"effects":[{fine}]"#), E::TooLarge, ""),
        (kind, format!(r#""data":{{"a":"{big}"}},"effects":[{fine}]"#), E::EntityTooLarge, "/effects/0"),
        (
            "agent.statusChanged",
            format!(r#""data":{{"status":"x"}},"effects":[{fine}]"#),
            E::InvalidData,
            "/effects",
        ),
    ];
    for (kind, members, code, pointer) in table {
        let (published, commit) = said(&mut world, kind, &members);
        let rejected: Vec<_> =
            published.rejected.into_iter().map(|r| (r.code, r.pointer.unwrap_or_default())).collect();
        let members: String = members.chars().take(120).collect();
        assert_eq!((published.error, rejected), (None, vec![(code, pointer.to_owned())]), "{kind} {members}");
        assert_eq!(lines(&commit), Vec::<String>::new());
    }
    assert!(taken(&mut world, "{}", &format!("[{fine}]")).is_some(), "the lane goes on");
}

#[test]
fn integrators_events_belong_to_the_main_lane_and_to_the_publisher() {
    let mut world = World::empty();
    let event = |subject: &str| {
        format!(
            r#"{{"id":"ev_1","kind":"x.acme.b","subject":"{subject}","data":{{}},"effects":[{{"op":"put","entity":"x.acme.a/in_1:a"}}]}}"#
        )
    };
    let (bulk, _) = world.publish(&publish(Lane::Bulk, 1, 1, &[event("in_1:a")]));
    assert_eq!(bulk.rejected, [rejection(1, Some("ev_1"), E::WrongLane, "/kind")]);
    let (foreign, _) = world.publish(&publish(Lane::Main, 1, 1, &[event("in_2:a")]));
    assert_eq!(foreign.rejected, [rejection(1, Some("ev_1"), E::NotOwner, "/subject")]);
}

#[test]
fn an_event_that_is_refused_changes_nothing_of_what_it_names_first() {
    let mut world = World::empty();
    let big = "x".repeat(9_000);
    let effects = format!(
        r#"[{{"op":"put","entity":"x.acme.deployment/in_1:a"}},{{"op":"put","entity":"x.acme.deployment/in_1:b","value":{{"a":"{big}"}}}}]"#
    );
    let (published, _) = said(&mut world, "x.acme.b", &format!(r#""data":{{}},"effects":{effects}"#));
    assert_eq!(published.rejected.len(), 1);
    assert_eq!(world.live(&Scope::Org), Vec::<String>::new());
}

#[test]
fn the_newest_500_rows_of_a_type_are_live_by_at_or_by_when_they_were_written() {
    let mut world = World::empty();
    for n in 0..500 {
        world.now += 1;
        taken(&mut world, "{}", &format!(r#"[{{"op":"put","entity":"{}"}}]"#, key(&format!("{n:03}"))));
    }
    let next = |world: &mut World, data: &str, id: &str| {
        world.now += 1;
        taken(world, data, &format!(r#"[{{"op":"put","entity":"{}"}}]"#, key(id))).unwrap()
    };
    assert_eq!(
        next(&mut world, "{}", "500"),
        format!("org x.acme.happened [put {}, evict {}] {{}}", key("500"), key("000"))
    );
    let old = r#"{"at":"2020-01-01T00:00:00.000Z"}"#;
    assert_eq!(next(&mut world, old, "old"), format!("org x.acme.happened [] {old}"));
    assert_eq!(world.entity(&Scope::Org, &key("old")), Some((old.to_owned(), false)));
    let both =
        format!(r#"[{{"op":"merge","entity":"{}"}},{{"op":"put","entity":"{}"}}]"#, key("001"), key("501"));
    assert_eq!(
        taken(&mut world, r#"{"n":1}"#, &both).unwrap(),
        format!(
            r#"org x.acme.happened [merge {}, put {}, evict {}] {{"n":1}}"#,
            key("001"),
            key("501"),
            key("002")
        ),
        "what the event writes stays"
    );
    assert_eq!(world.live(&Scope::Org).len(), 500);
    assert_eq!(world.hash_of_live(&Scope::Org), world.hash(&Scope::Org));
}

#[test]
fn all_types_of_integrators_share_one_window_and_the_newest_stay() {
    let mut world = World::empty();
    let filler = "x".repeat(7_000);
    for n in 0..150 {
        world.now += 1;
        let effects = format!(r#"[{{"op":"put","entity":"x.acme.t{}/in_1:{n:03}"}}]"#, n % 5);
        taken(&mut world, &format!(r#"{{"a":"{filler}"}}"#), &effects);
    }
    let page = world.store.snapshot_page(&world.org, &Scope::Org, None, usize::MAX).unwrap();
    let bytes: usize = page.rows.iter().map(|row| row.text.len()).sum();
    let mut numbers: Vec<String> =
        world.live(&Scope::Org).iter().map(|key| key[key.len() - 3..].to_owned()).collect();
    numbers.sort();
    assert!(bytes <= 768 << 10, "{bytes}");
    assert_eq!((numbers.len(), numbers.first().map(String::as_str)), (112, Some("038")));
}

#[test]
fn a_command_goes_to_the_instance_that_it_names() {
    let mut world = World::with_conversation();
    world.attached.insert(instance());
    world.one("instance.updated", "in_1", r#"{"name":"Mac"}"#);
    let data = r#"{"conversationId":"in_1:c","instanceId":"in_1","version":"1.8"}"#;
    let (reply, commit) = world.command(1, "x.acme.deploy", data);
    assert!(reply.accepted.is_some());
    let c = command_id(1);
    assert_eq!(
        lines(&commit),
        [format!(
            r#"org command.updated [put command/{c}] {{"by":{{"id":"mb_1","name":"Ada","type":"member"}},"conversationId":"in_1:c","expiresAt":"2026-11-18T11:07:40.000Z","instanceId":"in_1","issuedAt":"2026-11-18T11:06:40.000Z","kind":"x.acme.deploy","sent":true,"stage":"accepted"}}"#
        )]
    );
    let (to, dispatch) = &commit.dispatch[0];
    assert_eq!((to, &*dispatch.kind, dispatch.data.as_str()), (&instance(), "x.acme.deploy", data));
    assert_eq!(dispatch.address.as_ref().map(Json::as_str), Some(r#"{"kind":"session","sessionKey":"k"}"#));
    world.one("command.updated", c.as_str(), r#"{"stage":"completed","result":"1.8 is live"}"#);
    let row = world.entity(&Scope::Org, &format!("command/{c}")).unwrap().0;
    assert_eq!(crate::ledger::json::string(&row, "result").as_deref(), Some("1.8 is live"));
}

#[test]
fn a_command_of_an_integrator_is_refused_for_what_is_wrong_with_it() {
    let mut world = World::with_conversation();
    world.one("instance.updated", "in_1", r#"{"name":"Mac"}"#);
    let long = format!(r#"{{"instanceId":"in_1","a":"{}"}}"#, "x".repeat(65_536));
    let fine = r#"{"instanceId":"in_1"}"#;
    let here = r#"{"instanceId":"in_1","conversationId":"in_2:c"}"#;
    let table = [
        ("x.acme", fine, E::UnknownCommand, "/kind"),
        ("x.Acme.deploy", fine, E::UnknownCommand, "/kind"),
        ("x.acme.deploy", "{}", E::InvalidData, "/data/instanceId"),
        ("x.acme.deploy", r#"{"instanceId":7}"#, E::InvalidData, "/data/instanceId"),
        ("x.acme.deploy", r#"{"instanceId":"a b"}"#, E::InvalidData, "/data/instanceId"),
        ("x.acme.deploy", "[]", E::InvalidData, "/data"),
        ("x.acme.deploy", &long, E::TooLarge, "/data"),
        ("x.acme.deploy", r#"{"instanceId":"in_9"}"#, E::NotFound, "/data/instanceId"),
        ("x.acme.deploy", here, E::NotFound, "/data/conversationId"),
        ("x.acme.deploy", fine, E::InstanceOffline, ""),
    ];
    for (n, (kind, data, code, pointer)) in (1..).zip(table) {
        let (reply, commit) = world.command(n, kind, data);
        let error = reply.refused.expect(kind);
        assert_eq!(
            (error.code, error.pointer.unwrap_or_default()),
            (code, pointer.to_owned()),
            "{kind} {code}"
        );
        assert_eq!(commit.appended.len(), 0);
    }
    world.attached.insert(instance());
    let (reply, _) = world.command_as(Role::Viewer, 50, "x.acme.deploy", fine);
    assert_eq!(reply.refused.map(|error| error.code), Some(E::RoleRequired));
}

#[test]
fn a_long_result_is_cut_to_its_head_and_the_whole_can_be_read() {
    let mut world = World::with_conversation();
    world.attached.insert(instance());
    world.one("instance.updated", "in_1", r#"{"name":"Mac"}"#);
    world.command(1, "x.acme.deploy", r#"{"instanceId":"in_1"}"#);
    let whole = "é".repeat(100_000);
    let ended = format!(r#"{{"stage":"completed","result":"{whole}"}}"#);
    world.one("command.updated", command_id(1).as_str(), &ended);
    let name = format!("command/{}", command_id(1));
    let row = world.entity(&Scope::Org, &name).unwrap().0;
    let head = crate::ledger::json::string(&row, "result").unwrap();
    assert_eq!((&*head, otter_proto::text::member(&row, "truncated")), (&*"é".repeat(2_048), Some("true")));
    let full = world.store.whole(&world.org, &Scope::Org, &EntityKey::parse(&name).unwrap()).unwrap().whole;
    assert_eq!(full.map(|full| full.text), Some(whole));
}
