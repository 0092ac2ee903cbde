//! An instance that an admin takes out of the org.

use otter_proto::error::ErrorCode;
use pretty_assertions::assert_eq;

use super::*;
use crate::ledger::json;

const REMOVE: &str = r#"{"instanceId":"in_1"}"#;

/// An instance in the middle of everything.
fn busy() -> World {
    let mut world = World::with_conversation();
    let attach = |ledger: &mut Ledger<'_>| ledger.attach(&instance(), &boots(&["b1"]), Some("Mac"), None);
    world.transact(attach).unwrap().0.unwrap();
    let run = r#"{"conversationId":"in_1:c","agentId":"in_1:main","state":"running","startedAt":"2026-11-18T11:00:00.000Z"}"#;
    world.one("run.started", "in_1:r", run);
    let session = r#"{"instanceId":"in_1","agentId":"in_1:main","conversationId":"in_1:c","key":"k","status":"running"}"#;
    world.one("session.upserted", "in_1:c", session);
    let approval = r#"{"instanceId":"in_1","command":"ls","state":"pending","allowedDecisions":["deny"],"requestedAt":"2026-11-18T11:00:00.000Z"}"#;
    world.one("approval.requested", "in_1:a", approval);
    world.one("task.upserted", "in_1:t", r#"{"instanceId":"in_1","status":"inProgress","title":"T"}"#);
    world.command(1, "task.create", r#"{"title":"Mine"}"#);
    world
}

fn word(world: &mut World, key: &str, member: &str) -> Option<String> {
    let scope =
        if key.starts_with("run/") || key.starts_with("message/") { conversation() } else { Scope::Org };
    let text = world.entity(&scope, key)?.0;
    otter_proto::text::member(&text, member).map(|value| value.trim_matches('"').to_owned())
}

#[test]
fn everything_that_only_it_could_end_has_ended() {
    let mut world = busy();
    let unsent = format!(r#"{{"conversationId":"{CONVERSATION}","text":"later"}}"#);
    let task = format!("hub:{}", command_id(1));
    world.attached.insert(instance());
    let dispatch = format!(r#"{{"taskId":"{task}","conversationId":"{CONVERSATION}"}}"#);
    world.command(2, "task.dispatch", &dispatch);
    let approval = EntityKey::parse("approval/in_1:a").unwrap();
    let rev = world.transact(|ledger| ledger.rows.entity(&Scope::Org, &approval)).unwrap().0.unwrap().rev;
    world.command(
        3,
        "approval.decide",
        &format!(r#"{{"approvalId":"in_1:a","decision":"deny","rev":{rev}}}"#),
    );
    world.attached.clear();
    world.command(4, "message.send", &unsent);
    let (reply, commit) = world.command_as(Role::Admin, 9, "instance.remove", REMOVE);
    assert!(reply.accepted.is_some(), "{:?}", reply.refused);
    assert_eq!((commit.removed, commit.dispatch), (vec![instance()], vec![]));

    let stage = |world: &mut World, n| word(world, &format!("command/{}", command_id(n)), "stage").unwrap();
    assert_eq!(
        [2, 3, 4, 9].map(|n| stage(&mut world, n)),
        ["outcomeUnknown", "outcomeUnknown", "cancelled", "completed"]
    );
    assert_eq!(world.entity(&Scope::Org, "instance/in_1"), None);
    assert_eq!(world.entity(&Scope::Org, "agent/in_1:main"), None);
    let want = [
        ("run/in_1:r", "state", "failed"),
        ("session/in_1:c", "status", "ended"),
        ("approval/in_1:a", "state", "expired"),
        ("task/in_1:t", "status", "cancelled"),
        (&format!("task/{task}"), "status", "todo"),
        ("conversation/in_1:c", "archived", "true"),
    ];
    for (key, member, value) in want {
        assert_eq!(word(&mut world, key, member).as_deref(), Some(value), "{key}");
    }
    assert_eq!(word(&mut world, "conversation/in_1:c", "activeRun"), None);
    assert_eq!(
        word(&mut world, "conversation/in_1:c", "messageCount").as_deref(),
        Some("2"),
        "what was said stays"
    );
    for n in [2, 4] {
        let message =
            world.entity(&conversation(), &format!("message/in_1:{}:user", command_id(n))).unwrap().0;
        assert_eq!(json::string(&message, "delivery.state").as_deref(), Some("failed"));
    }
    let open = world.transact(|ledger| ledger.rows.open_commands(&instance())).unwrap().0;
    assert_eq!(open, vec![]);
    assert_eq!(world.hash_of_live(&Scope::Org), world.hash(&Scope::Org));
}

#[test]
fn it_is_not_let_in_again_and_what_was_on_its_way_is_refused() {
    let mut world = busy();
    world.transact(|ledger| ledger.remove_instance(&instance(), None)).unwrap();
    let attach = |ledger: &mut Ledger<'_>| ledger.attach(&instance(), &boots(&["b1"]), Some("Mac"), None);
    let refused = world.transact(attach).unwrap().0.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Revoked);
    let (late, commit) =
        world.try_one("agent.upserted", "in_1:main", r#"{"instanceId":"in_1","name":"Main"}"#);
    assert_eq!((late.error.map(|error| error.code), commit.appended.len()), (Some(ErrorCode::Revoked), 0));
    let ((), commit) = world.transact(|ledger| ledger.remove_instance(&instance(), None)).unwrap();
    assert_eq!((lines(&commit), commit.removed), (vec![], vec![]), "the second time nothing happens");
}

#[test]
fn only_an_admin_removes_only_what_is_there() {
    let mut world = busy();
    let table = [
        (Role::Member, REMOVE, ErrorCode::RoleRequired, ""),
        (Role::Admin, "{}", ErrorCode::InvalidData, "/data/instanceId"),
        (Role::Admin, r#"{"instanceId":""}"#, ErrorCode::InvalidData, "/data/instanceId"),
        (Role::Admin, r#"{"instanceId":"in_9"}"#, ErrorCode::NotFound, "/data/instanceId"),
    ];
    for (n, (role, data, code, pointer)) in (20..).zip(table) {
        let (reply, commit) = world.command_as(role, n, "instance.remove", data);
        let error = reply.refused.unwrap();
        assert_eq!((error.code, error.pointer.unwrap_or_default()), (code, pointer.to_owned()), "{data}");
        assert_eq!(commit.appended.len(), 0);
    }
    world.command_as(Role::Admin, 30, "instance.remove", REMOVE);
    let (again, _) = world.command_as(Role::Admin, 31, "instance.remove", REMOVE);
    assert_eq!(again.refused.map(|error| error.code), Some(ErrorCode::NotFound));
}

#[test]
fn an_instance_that_never_connected_can_be_removed_too() {
    let mut world = World::empty();
    let other = InstanceId::new("in_2").unwrap();
    let ((), commit) = world.transact(|ledger| ledger.remove_instance(&other, None)).unwrap();
    assert_eq!((lines(&commit), commit.removed), (vec![], vec![other.clone()]));
    let attach = |ledger: &mut Ledger<'_>| ledger.attach(&other, &boots(&["b1"]), None, None);
    assert_eq!(world.transact(attach).unwrap().0.unwrap_err().code, ErrorCode::Revoked);
}
