//! Approvals: decided once, as they were shown, by whoever is first.

use otter_proto::error::ErrorCode;
use pretty_assertions::assert_eq;

use super::*;
use crate::ledger::json;

/// An org whose run asks two questions at once.
fn asked() -> World {
    let mut world = World::with_conversation();
    world.attached.insert(instance());
    let run = r#"{"conversationId":"in_1:c","agentId":"in_1:main","state":"running","startedAt":"2026-11-18T11:00:00.000Z"}"#;
    world.one("run.started", "in_1:r", run);
    for (n, id) in (0..).zip(["in_1:a", "in_1:b"]) {
        let data = format!(
            r#"{{"instanceId":"in_1","conversationId":"in_1:c","runId":"in_1:r","command":"rm {id}","state":"pending","allowedDecisions":["allow-once","deny"],"requestedAt":"2026-11-18T11:00:0{n}.000Z"}}"#
        );
        world.one("approval.requested", id, &data);
    }
    world
}

fn rev(world: &mut World, id: &str) -> u64 {
    let key = EntityKey::new("approval", id).unwrap();
    world.transact(|ledger| ledger.rows.entity(&Scope::Org, &key)).unwrap().0.unwrap().rev
}

fn decide(world: &mut World, n: u64, id: &str, rev: u64, decision: &str) -> (Option<ErrorCode>, Commit) {
    let data = format!(r#"{{"approvalId":"{id}","decision":"{decision}","rev":{rev}}}"#);
    let (reply, commit) = world.command(n, "approval.decide", &data);
    (reply.refused.map(|error| error.code), commit)
}

fn state(world: &mut World, id: &str) -> String {
    let text = world.entity(&Scope::Org, &format!("approval/{id}")).unwrap().0;
    json::string(&text, "state").unwrap().into_owned()
}

fn resolve(world: &mut World, id: &str, outcome: &str) -> Commit {
    let data =
        format!(r#"{{"state":"resolved","outcome":"{outcome}","resolvedAt":"2026-11-18T11:01:00.000Z"}}"#);
    world.one("approval.resolved", id, &data)
}

#[test]
fn a_decision_is_for_the_card_that_was_shown() {
    let mut world = asked();
    let (a, b) = (rev(&mut world, "in_1:a"), rev(&mut world, "in_1:b"));
    assert_eq!(decide(&mut world, 1, "in_1:b", a, "deny").0, Some(ErrorCode::Changed), "of another card");
    assert_eq!(decide(&mut world, 2, "in_1:a", a + 50, "deny").0, Some(ErrorCode::Changed));
    // The answer did not get through, so the card is open again: with another rev.
    assert_eq!(decide(&mut world, 3, "in_1:a", a, "deny").0, None);
    world.one("command.updated", command_id(3).as_str(), r#"{"stage":"failed"}"#);
    assert_eq!(state(&mut world, "in_1:a"), "pending");
    assert_eq!(decide(&mut world, 4, "in_1:a", a, "deny").0, Some(ErrorCode::Changed), "as it was before");
    let shown = rev(&mut world, "in_1:a");
    assert_eq!(decide(&mut world, 5, "in_1:a", shown, "deny").0, None);
    assert_eq!(
        (state(&mut world, "in_1:a"), state(&mut world, "in_1:b")),
        ("decided".into(), "pending".into())
    );
    assert_eq!(rev(&mut world, "in_1:b"), b, "the other one was not touched");
}

#[test]
fn two_questions_of_one_run_are_answered_in_any_order_and_none_comes_again() {
    let mut world = asked();
    let (a, b) = (rev(&mut world, "in_1:a"), rev(&mut world, "in_1:b"));
    let (refused, second) = decide(&mut world, 1, "in_1:b", b, "deny");
    assert_eq!(refused, None);
    let (refused, first) = decide(&mut world, 2, "in_1:a", a, "allow-once");
    assert_eq!(refused, None);
    let sent: Vec<String> = [second, first]
        .iter()
        .flat_map(|commit| &commit.dispatch)
        .map(|(_, dispatch)| json::string(dispatch.data.as_str(), "approvalId").unwrap().into_owned())
        .collect();
    assert_eq!(sent, ["in_1:b", "in_1:a"]);
    for n in [1, 2] {
        world.one("command.updated", command_id(n).as_str(), r#"{"stage":"completed"}"#);
    }
    assert_eq!(resolve(&mut world, "in_1:b", "denied").appended.len(), 1);
    assert_eq!(resolve(&mut world, "in_1:a", "allowed").appended.len(), 1);
    assert_eq!(resolve(&mut world, "in_1:a", "denied").appended.len(), 0, "the first end stays");
    // The gateway lists what it asked for once more.
    let again = r#"{"instanceId":"in_1","command":"rm in_1:a","state":"pending","allowedDecisions":["deny"],"requestedAt":"2026-11-18T11:00:00.000Z"}"#;
    assert_eq!(world.one("approval.requested", "in_1:a", again).appended.len(), 0);
    let approvals: Vec<String> =
        world.live(&Scope::Org).into_iter().filter(|key| key.starts_with("approval/")).collect();
    assert_eq!(approvals, ["approval/in_1:a", "approval/in_1:b"]);
    assert_eq!(
        (state(&mut world, "in_1:a"), state(&mut world, "in_1:b")),
        ("resolved".into(), "resolved".into())
    );
}

#[test]
fn of_two_people_who_decide_the_second_is_told_who_was_first() {
    let mut world = asked();
    let shown = rev(&mut world, "in_1:a");
    assert_eq!(decide(&mut world, 1, "in_1:a", shown, "allow-once").0, None);
    let data = format!(r#"{{"approvalId":"in_1:a","decision":"deny","rev":{shown}}}"#);
    let (reply, commit) = world.command(2, "approval.decide", &data);
    let error = reply.refused.unwrap();
    assert_eq!((error.code, &*error.message), (ErrorCode::AlreadyDecided, "Ada decided first"));
    assert_eq!((commit.appended.len(), commit.dispatch.len()), (0, 0));
    let text = world.entity(&Scope::Org, "approval/in_1:a").unwrap().0;
    assert_eq!(json::string(&text, "decision").as_deref(), Some("allow-once"));
    assert_eq!(json::string(&text, "by.name").as_deref(), Some("Ada"));
}

#[test]
fn an_approval_that_nobody_answers_is_never_ended_by_the_hub() {
    let mut world = asked();
    world.now += 20 * 60_000;
    world.transact(|ledger| ledger.expire(100)).unwrap();
    assert_eq!(state(&mut world, "in_1:a"), "pending");
    world.transact(|ledger| ledger.disconnected(&instance(), "lost")).unwrap();
    assert_eq!(state(&mut world, "in_1:a"), "pending");
    let shown = rev(&mut world, "in_1:a");
    world.attached.clear();
    assert_eq!(
        decide(&mut world, 1, "in_1:a", shown, "deny").0,
        None,
        "a bridge that is away finds the answer"
    );
    world.now += 31 * 60_000;
    world.transact(|ledger| ledger.expire(100)).unwrap();
    assert_eq!(state(&mut world, "in_1:a"), "pending", "an answer that did not reach it is taken back");
}
