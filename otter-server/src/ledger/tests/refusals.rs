//! Bad input of people: each command is refused with a code and the member at fault, and nothing is written.

use otter_proto::error::ErrorCode;
use pretty_assertions::assert_eq;

use super::*;

/// Something of everything that commands name; the approval `in_1:a` is pending, `in_1:b` resolved.
fn world() -> World {
    let mut world = World::with_conversation();
    world.attached.insert(instance());
    for id in ["in_1:a", "in_1:b", "in_1:e"] {
        let data = r#"{"instanceId":"in_1","command":"ls","state":"pending","allowedDecisions":["allow-once","deny"],"requestedAt":"2026-11-18T11:00:00.000Z"}"#;
        world.one("approval.requested", id, data);
    }
    let resolved = r#"{"state":"resolved","outcome":"denied","resolvedAt":"2026-11-18T11:01:00.000Z"}"#;
    world.one("approval.resolved", "in_1:b", resolved);
    world.one("approval.expired", "in_1:e", r#"{"state":"expired","resolvedAt":"2026-11-18T11:01:00.000Z"}"#);
    world.one("task.upserted", "in_1:t", r#"{"instanceId":"in_1","status":"inProgress","title":"T"}"#);
    let item = r#"{"category":"custom","title":"I","occurredAt":"2026-11-18T11:00:00.000Z"}"#;
    world.one("feed.itemAdded", "in_1:f", item);
    world.command(900, "task.create", r#"{"title":"Mine"}"#);
    let mine = format!("hub:{}", command_id(900));
    world.command(901, "task.create", r#"{"title":"Handed over"}"#);
    let data = format!(r#"{{"taskId":"hub:{}","conversationId":"in_1:c"}}"#, command_id(901));
    assert!(world.command(902, "task.dispatch", &data).0.accepted.is_some());
    assert!(world.entity(&Scope::Org, &format!("task/{mine}")).is_some());
    world
}

/// Data that `kind` refuses, with the code and the member.
type Row = (&'static str, String, ErrorCode, &'static str);

fn check(rows: Vec<Row>) {
    let mut world = world();
    for (n, (kind, data, code, pointer)) in (1..).zip(rows) {
        let (reply, commit) = world.command(n, kind, &data);
        let shown: String = data.chars().take(100).collect();
        let error = reply.refused.unwrap_or_else(|| panic!("{kind} {shown} is taken"));
        assert_eq!(
            (error.code, error.pointer.unwrap_or_default()),
            (code, pointer.to_owned()),
            "{kind} {shown}"
        );
        assert!(!error.message.is_empty());
        assert_eq!((lines(&commit), commit.dispatch.len()), (Vec::<String>::new(), 0), "{kind} {shown}");
    }
    let say = format!(r#"{{"conversationId":"{CONVERSATION}","text":"still here"}}"#);
    assert!(world.command(500, "message.send", &say).0.accepted.is_some());
}

use ErrorCode::{
    AlreadyEnded, Changed, DecisionNotAllowed, InvalidData, NotFound, NotOwner, RoleRequired, TooLarge,
};

#[test]
fn approval_decide() {
    let decide = |id: &str, rev: &str, decision: &str| {
        format!(r#"{{"approvalId":"{id}","rev":{rev},"decision":"{decision}"}}"#)
    };
    let kind = "approval.decide";
    check(vec![
        (kind, "{}".into(), InvalidData, "/data/approvalId"),
        (kind, r#"{"approvalId":"in_1:a"}"#.into(), InvalidData, "/data/rev"),
        (kind, r#"{"approvalId":"in_1:a","rev":3}"#.into(), InvalidData, "/data/decision"),
        (kind, decide("in_1:a", "3", "maybe"), InvalidData, "/data/decision"),
        (kind, decide("in_1:a", "-1", "deny"), InvalidData, "/data/rev"),
        (kind, decide("in_1:a", "1.5", "deny"), InvalidData, "/data/rev"),
        (kind, decide("in_1:none", "3", "deny"), NotFound, "/data/approvalId"),
        (kind, decide("in_1:a", "999", "deny"), Changed, "/data/rev"),
        (kind, decide("in_1:a", "3", "allow-always"), DecisionNotAllowed, "/data/decision"),
        (kind, decide("in_1:b", "4", "deny"), AlreadyEnded, "/data/approvalId"),
        (kind, decide("in_1:e", "5", "deny"), AlreadyEnded, "/data/approvalId"),
    ]);
}

#[test]
fn task_create_and_update() {
    let mine = format!("hub:{}", command_id(900));
    let update = |id: &str, more: &str| format!(r#"{{"taskId":"{id}",{more}}}"#);
    let (create, change) = ("task.create", "task.update");
    let (long, longer) = ("x".repeat(301), "x".repeat(6_145));
    check(vec![
        (create, "{}".into(), InvalidData, "/data/title"),
        (create, r#"{"title":7}"#.into(), InvalidData, "/data/title"),
        (create, r#"{"title":"  "}"#.into(), InvalidData, "/data/title"),
        (create, format!(r#"{{"title":"{long}"}}"#), TooLarge, "/data/title"),
        (create, format!(r#"{{"title":"x","description":"{longer}"}}"#), TooLarge, "/data/description"),
        (create, r#"{"title":"x","agentId":"in_1:none"}"#.into(), NotFound, "/data/agentId"),
        (change, "{}".into(), InvalidData, "/data/taskId"),
        (change, update(&mine, r#""status":"finished""#), InvalidData, "/data/status"),
        (change, update(&mine, r#""title":"""#), InvalidData, "/data/title"),
        (change, update(&mine, r#""title":null"#), InvalidData, "/data/title"),
        (change, update(&mine, r#""status":null"#), InvalidData, "/data/status"),
        (change, update(&mine, &format!(r#""title":"{long}""#)), TooLarge, "/data/title"),
        (change, update(&mine, r#""agentId":"in_1:none""#), NotFound, "/data/agentId"),
        (change, update("hub:none", r#""title":"x""#), NotFound, "/data/taskId"),
        (change, update("in_1:t", r#""title":"x""#), NotOwner, "/data/taskId"),
    ]);
}

#[test]
fn task_dispatch() {
    let mine = format!("hub:{}", command_id(900));
    let busy = format!("hub:{}", command_id(901));
    let hand =
        |id: &str, conversation: &str| format!(r#"{{"taskId":"{id}","conversationId":"{conversation}"}}"#);
    let kind = "task.dispatch";
    let long = "x".repeat(204_801);
    check(vec![
        (kind, format!(r#"{{"taskId":"{mine}"}}"#), InvalidData, "/data/conversationId"),
        (kind, hand("hub:none", "in_1:c"), NotFound, "/data/taskId"),
        (kind, hand("in_1:t", "in_1:c"), NotOwner, "/data/taskId"),
        (kind, hand(&mine, "in_1:none"), NotFound, "/data/conversationId"),
        (kind, hand(&busy, "in_1:c"), Changed, "/data/taskId"),
        (
            kind,
            format!(r#"{{"taskId":"{mine}","conversationId":"in_1:c","text":""}}"#),
            InvalidData,
            "/data/text",
        ),
        (
            kind,
            format!(r#"{{"taskId":"{mine}","conversationId":"in_1:c","text":"{long}"}}"#),
            TooLarge,
            "/data/text",
        ),
    ]);
}

#[test]
fn feed_mark_read_and_archive() {
    let many: Vec<String> = (0..101).map(|n| format!(r#""in_1:{n}""#)).collect();
    let many = many.join(",");
    let (read, archive) = ("feed.markRead", "feed.archive");
    check(vec![
        (read, "{}".into(), InvalidData, "/data/itemIds"),
        (read, r#"{"itemIds":[]}"#.into(), InvalidData, "/data/itemIds"),
        (read, r#"{"itemIds":"in_1:f"}"#.into(), InvalidData, "/data/itemIds"),
        (read, r#"{"itemIds":["a b"]}"#.into(), InvalidData, "/data/itemIds/0"),
        (read, format!(r#"{{"itemIds":[{many}]}}"#), TooLarge, "/data/itemIds"),
        (archive, r#"{"itemIds":["in_1:f"]}"#.into(), InvalidData, "/data/archived"),
        (archive, r#"{"itemIds":["in_1:f"],"archived":"yes"}"#.into(), InvalidData, "/data/archived"),
        (archive, r#"{"itemIds":[],"archived":true}"#.into(), InvalidData, "/data/itemIds"),
        (archive, format!(r#"{{"itemIds":[{many}],"archived":true}}"#), TooLarge, "/data/itemIds"),
        (
            archive,
            r#"{"itemIds":["in_1:f","in_1:none"],"archived":true}"#.into(),
            NotFound,
            "/data/itemIds/1",
        ),
    ]);
}

#[test]
fn conversation_update_and_mark_read() {
    let (update, read) = ("conversation.update", "conversation.markRead");
    let title = "x".repeat(201);
    let folder = "x".repeat(81);
    let of = |more: &str| format!(r#"{{"conversationId":"in_1:c",{more}}}"#);
    check(vec![
        (update, r#"{"title":"x"}"#.into(), InvalidData, "/data/conversationId"),
        (update, of(r#""title":"""#), InvalidData, "/data/title"),
        (update, of(&format!(r#""title":"{title}""#)), TooLarge, "/data/title"),
        (update, of(r#""folder":" ""#), InvalidData, "/data/folder"),
        (update, of(&format!(r#""folder":"{folder}""#)), TooLarge, "/data/folder"),
        (update, of(r#""pinned":1"#), InvalidData, "/data/pinned"),
        (update, r#"{"conversationId":"in_1:none","title":"x"}"#.into(), NotFound, "/data/conversationId"),
        (read, r#"{"conversationId":"in_1:c"}"#.into(), InvalidData, "/data/messageCount"),
        (read, of(r#""messageCount":-1"#), InvalidData, "/data/messageCount"),
        (read, of(r#""messageCount":"2""#), InvalidData, "/data/messageCount"),
        (read, r#"{"conversationId":"in_1:none","messageCount":1}"#.into(), NotFound, "/data/conversationId"),
    ]);
}

#[test]
fn session_reset_agent_ping_and_run_abort() {
    check(vec![
        ("session.reset", "{}".into(), InvalidData, "/data/conversationId"),
        ("session.reset", r#"{"conversationId":"in_1:none"}"#.into(), NotFound, "/data/conversationId"),
        ("agent.ping", "{}".into(), InvalidData, "/data/agentId"),
        ("agent.ping", r#"{"agentId":"in_1:none"}"#.into(), NotFound, "/data/agentId"),
        ("run.abort", r#"{"conversationId":"in_1:c"}"#.into(), InvalidData, "/data/runId"),
        ("run.abort", r#"{"conversationId":"in_1:c","runId":"in_1:none"}"#.into(), NotFound, "/data/runId"),
    ]);
    let mut world = world();
    world.attached.clear();
    let table =
        [("session.reset", r#"{"conversationId":"in_1:c"}"#), ("agent.ping", r#"{"agentId":"in_1:main"}"#)];
    for (n, (kind, data)) in (1..).zip(table) {
        let (reply, _) = world.command(n, kind, data);
        assert_eq!(reply.refused.map(|error| error.code), Some(ErrorCode::InstanceOffline), "{kind}");
    }
}

#[test]
fn a_viewer_only_reads_and_marks_as_read() {
    let mut world = world();
    let mine = format!("hub:{}", command_id(900));
    let table = [
        ("message.send", r#"{"conversationId":"in_1:c","text":"x"}"#.to_owned()),
        ("approval.decide", r#"{"approvalId":"in_1:a","rev":3,"decision":"deny"}"#.to_owned()),
        ("task.create", r#"{"title":"x"}"#.to_owned()),
        ("task.update", format!(r#"{{"taskId":"{mine}","title":"x"}}"#)),
        ("task.dispatch", format!(r#"{{"taskId":"{mine}","conversationId":"in_1:c"}}"#)),
        ("feed.archive", r#"{"itemIds":["in_1:f"],"archived":true}"#.to_owned()),
        ("conversation.update", r#"{"conversationId":"in_1:c","pinned":true}"#.to_owned()),
        ("session.reset", r#"{"conversationId":"in_1:c"}"#.to_owned()),
        ("agent.ping", r#"{"agentId":"in_1:main"}"#.to_owned()),
        ("instance.remove", r#"{"instanceId":"in_1"}"#.to_owned()),
        ("x.acme.deploy", r#"{"instanceId":"in_1"}"#.to_owned()),
    ];
    for (n, (kind, data)) in (1..).zip(table) {
        let (reply, commit) = world.command_as(Role::Viewer, n, kind, &data);
        assert_eq!(reply.refused.map(|error| error.code), Some(RoleRequired), "{kind}");
        assert_eq!(commit.appended.len(), 0);
    }
    let read = r#"{"itemIds":["in_1:f","in_1:none"]}"#;
    assert!(world.command_as(Role::Viewer, 50, "feed.markRead", read).0.accepted.is_some());
    let read = r#"{"conversationId":"in_1:c","messageCount":1}"#;
    assert!(world.command_as(Role::Viewer, 51, "conversation.markRead", read).0.accepted.is_some());
}

#[test]
fn a_command_of_two_megabytes_is_refused_and_its_sender_may_go_on() {
    let text = "x".repeat(2 << 20);
    check(vec![
        ("message.send", format!(r#"{{"conversationId":"in_1:c","text":"{text}"}}"#), TooLarge, "/data/text"),
        ("task.create", format!(r#"{{"title":"{text}"}}"#), TooLarge, "/data/title"),
    ]);
}
