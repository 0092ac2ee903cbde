use otter_proto::error::ErrorCode;
use otter_proto::frame::{Accepted, CommandDispatch};
use otter_proto::wire::Positions;
use pretty_assertions::assert_eq;

use super::*;

fn say() -> String {
    format!(r#"{{"conversationId":"{CONVERSATION}","text":"hi"}}"#)
}

fn run(world: &mut World) {
    let data = format!(
        r#"{{"conversationId":"{CONVERSATION}","agentId":"in_1:main","state":"running","startedAt":"2026-11-18T11:00:00.000Z"}}"#
    );
    world.one("run.started", "in_1:r", &data);
}

fn abort() -> String {
    format!(r#"{{"conversationId":"{CONVERSATION}","runId":"in_1:r"}}"#)
}

fn refusal(reply: &Reply) -> (Option<ErrorCode>, Vec<(String, u64)>) {
    let at = reply.at.0.iter().map(|(scope, seq)| (scope.to_string(), *seq)).collect();
    (reply.refused.as_ref().map(|error| error.code), at)
}

fn outstanding(world: &mut World) -> (Vec<CommandDispatch>, Commit) {
    world.transact(|ledger| ledger.outstanding(&instance())).unwrap()
}

fn dispatch(n: u64, ttl_ms: u64, cancel: bool) -> CommandDispatch {
    CommandDispatch {
        id: command_id(n),
        kind: "message.send".to_owned(),
        data: Json::new(&say()).unwrap(),
        by: Json::new(r#"{"id":"mb_1","name":"Ada","type":"member"}"#).unwrap(),
        address: Some(Json::new(r#"{"kind":"session","sessionKey":"k"}"#).unwrap()),
        ttl_ms,
        cancel,
    }
}

const TTL: u64 = 48 * 3_600_000;

#[test]
fn a_message_is_accepted_in_one_step_and_handed_over_when_the_instance_is_there() {
    let mut world = World::with_conversation();
    world.attached.insert(instance());
    let (reply, commit) = world.command(1, "message.send", &say());
    let at = Positions([(conversation(), 3), (own_scope(), 5), (Scope::Org, 6)].into());
    let accepted = Some(Accepted { epoch: world.epoch.clone(), at });
    assert_eq!(
        reply,
        Reply { id: command_id(1), accepted, refused: None, epoch: None, at: Positions::default() }
    );
    let c = command_id(1);
    assert_eq!(
        lines(&commit),
        [
            format!(
                r#"conversation/in_1:c message.created [put message/in_1:{c}:user] {{"author":{{"id":"mb_1","name":"Ada","type":"member"}},"commandId":"{c}","conversationId":"in_1:c","delivery":{{"state":"pending"}},"sentAt":"2026-11-18T11:06:40.000Z","status":"complete","text":"hi"}}"#
            ),
            format!(
                r#"org conversation.updated [merge conversation/in_1:c] {{"lastMessage":{{"author":{{"id":"mb_1","name":"Ada","type":"member"}},"head":"hi","id":"in_1:{c}:user","sentAt":"2026-11-18T11:06:40.000Z"}},"messageCount":1}}"#
            ),
            r#"member/mb_1 mark.updated [put mark/in_1:c] {"messageCount":1,"readAt":"2026-11-18T11:06:40.000Z","target":"conversation"}"#.to_owned(),
            format!(
                r#"org command.updated [put command/{c}] {{"by":{{"id":"mb_1","name":"Ada","type":"member"}},"conversationId":"in_1:c","expiresAt":"2026-11-20T11:06:40.000Z","instanceId":"in_1","issuedAt":"2026-11-18T11:06:40.000Z","kind":"message.send","sent":true,"stage":"accepted"}}"#
            ),
        ]
    );
    let caused: Vec<Option<CommandId>> =
        commit.appended.iter().map(|event| RecordedEvent::parse(&event.text).unwrap().caused_by).collect();
    assert_eq!(caused, vec![Some(c); 4]);
    assert_eq!(commit.dispatch, [(instance(), dispatch(1, TTL, false))]);
}

#[test]
fn the_same_id_gets_the_same_answer_and_other_content_a_refusal() {
    let mut world = World::with_conversation();
    let (first, _) = world.command(1, "message.send", &say());
    let (again, commit) = world.command(1, "message.send", r#"{"text":"hi", "conversationId":"in_1:c"}"#);
    assert_eq!((again, commit.appended.len(), commit.dispatch.len()), (first, 0, 0));
    let (other, commit) = world.command(1, "message.send", r#"{"text":"other","conversationId":"in_1:c"}"#);
    assert_eq!(refusal(&other), (Some(ErrorCode::IdempotencyMismatch), vec![]));
    assert_eq!(commit.appended.len(), 0);
}

#[test]
fn refusals_say_what_is_wrong_and_those_of_state_where_it_was_read() {
    let mut world = World::with_conversation();
    run(&mut world);
    let long = format!(r#"{{"conversationId":"in_1:c","text":"{}"}}"#, "x".repeat(204_801));
    let org = || vec![("org".to_owned(), 4)];
    let here = || vec![("conversation/in_1:c".to_owned(), 3)];
    let table = [
        ("no.such", "{}", ErrorCode::UnknownCommand, vec![]),
        ("message.send", r#"{"text":"x"}"#, ErrorCode::InvalidData, vec![]),
        ("message.send", r#"{"conversationId":"in_1:c","text":""}"#, ErrorCode::InvalidData, vec![]),
        ("message.send", &long, ErrorCode::TooLarge, vec![]),
        ("message.send", r#"{"conversationId":"in_1:none","text":"x"}"#, ErrorCode::NotFound, org()),
        ("run.abort", r#"{"conversationId":"in_1:c","runId":"in_1:none"}"#, ErrorCode::NotFound, here()),
        ("run.abort", r#"{"conversationId":"in_1:c","runId":"in_1:r"}"#, ErrorCode::InstanceOffline, org()),
        (
            "command.cancel",
            r#"{"commandId":"01900000-0000-7000-8000-999999999999"}"#,
            ErrorCode::NotFound,
            org(),
        ),
    ];
    for (n, (kind, data, code, at)) in (1..).zip(table) {
        let (reply, commit) = world.command(n, kind, data);
        assert_eq!((refusal(&reply), commit.appended.len()), ((Some(code), at.clone()), 0), "{kind} {code}");
        assert_eq!(reply.epoch.is_some(), !at.is_empty());
        let (again, _) = world.command(n, kind, data);
        assert_eq!(again, reply);
    }
    let (reply, _) = world.command_as(Role::Viewer, 50, "message.send", &say());
    assert_eq!(refusal(&reply), (Some(ErrorCode::RoleRequired), vec![]));
    world.one("agent.removed", "in_1:main", "{}");
    let (reply, _) = world.command(51, "message.send", &say());
    assert_eq!(refusal(&reply), (Some(ErrorCode::NotFound), vec![("org".to_owned(), 5)]));
}

#[test]
fn a_run_that_has_ended_cannot_be_stopped() {
    let mut world = World::with_conversation();
    world.attached.insert(instance());
    run(&mut world);
    let (reply, commit) = world.command(1, "run.abort", &abort());
    assert!(reply.accepted.is_some());
    let ttl: Vec<u64> = commit.dispatch.iter().map(|(_, dispatch)| dispatch.ttl_ms).collect();
    assert_eq!(ttl, [60_000]);
    world.one("run.aborted", "in_1:r", r#"{"state":"aborted","endedAt":"2026-11-18T11:00:01.000Z"}"#);
    let (reply, _) = world.command(2, "run.abort", &abort());
    assert_eq!(refusal(&reply).0, Some(ErrorCode::AlreadyEnded));
}

#[test]
fn an_instance_has_at_most_256_open_commands() {
    let mut world = World::with_conversation();
    for n in 0..256 {
        assert!(world.command(n, "message.send", &say()).0.accepted.is_some());
    }
    let (reply, _) = world.command(256, "message.send", &say());
    assert_eq!(refusal(&reply).0, Some(ErrorCode::TooManyOpen));
    world.one("command.updated", command_id(0).as_str(), r#"{"stage":"failed"}"#);
    assert!(world.command(257, "message.send", &say()).0.accepted.is_some());
}

#[test]
fn what_waits_is_handed_over_on_attach_in_order_with_the_time_left() {
    let mut world = World::with_conversation();
    world.command(2, "message.send", &say());
    world.now += 1_000;
    world.command(1, "message.send", &say());
    world.now += 1_000;
    let (open, commit) = outstanding(&mut world);
    assert_eq!(open, [dispatch(2, TTL - 2_000, false), dispatch(1, TTL - 1_000, false)]);
    let sent = |n| {
        format!(
            r#"org command.updated [merge command/{0}] {{"sent":true,"stage":"accepted"}}"#,
            command_id(n)
        )
    };
    assert_eq!(lines(&commit), [sent(2), sent(1)]);
    let (again, commit) = outstanding(&mut world);
    assert_eq!((again, lines(&commit)), (open, vec![]));
    world.one("command.updated", command_id(2).as_str(), r#"{"stage":"received"}"#);
    world.one("command.updated", command_id(1).as_str(), r#"{"stage":"completed"}"#);
    world.now += 2 * TTL;
    assert_eq!(outstanding(&mut world).0, [dispatch(2, 0, false)], "only the instance ends it now");
}

#[test]
fn what_waited_too_long_ends_by_the_hub_and_only_before_it_was_sent() {
    let mut world = World::with_conversation();
    world.command(1, "message.send", &say());
    outstanding(&mut world);
    world.command(2, "message.send", &say());
    world.now += TTL;
    let (count, commit) = world.transact(|ledger| ledger.expire(10)).unwrap();
    let c = command_id(2);
    assert_eq!(count, 1);
    assert_eq!(
        lines(&commit),
        [
            format!(
                r#"org command.updated [merge command/{c}] {{"error":{{"code":"expired","message":"the OpenClaw instance was offline for too long"}},"stage":"expired"}}"#
            ),
            format!(
                r#"conversation/in_1:c message.deliveryChanged [merge message/in_1:{c}:user] {{"delivery":{{"reason":"expired","state":"failed"}}}}"#
            ),
        ]
    );
    assert_eq!(world.transact(|ledger| ledger.expire(10)).unwrap().0, 0);
    let late = world.one("command.updated", c.as_str(), r#"{"stage":"completed"}"#);
    assert_eq!(lines(&late), [""; 0]);
}

#[test]
fn cancelling_ends_what_waits_and_asks_for_what_was_sent() {
    let mut world = World::with_conversation();
    world.command(1, "message.send", &say());
    let cancel = |n| format!(r#"{{"commandId":"{}"}}"#, command_id(n));
    let (reply, commit) = world.command(10, "command.cancel", &cancel(1));
    assert!(reply.accepted.is_some());
    let kinds: Vec<String> =
        lines(&commit).iter().map(|line| line.split(' ').take(4).collect::<Vec<_>>().join(" ")).collect();
    let c = command_id(1);
    assert_eq!(
        kinds,
        [
            format!("org command.updated [merge command/{c}]"),
            format!("conversation/in_1:c message.deliveryChanged [merge message/in_1:{c}:user]"),
            format!("org command.updated [put command/{}]", command_id(10)),
        ]
    );
    assert!(lines(&commit)[0].contains(r#""stage":"cancelled""#));
    assert!(lines(&commit)[2].contains(r#""stage":"completed""#));
    let (reply, _) = world.command(11, "command.cancel", &cancel(1));
    assert_eq!(refusal(&reply).0, Some(ErrorCode::AlreadyEnded));
    world.attached.insert(instance());
    world.command(2, "message.send", &say());
    let (_, commit) = world.command(12, "command.cancel", &cancel(2));
    assert_eq!(commit.dispatch, [(instance(), dispatch(2, TTL, true))]);
    assert!(lines(&commit)[0].ends_with(r#"{"cancelRequested":true,"stage":"accepted"}"#));
    assert_eq!(outstanding(&mut world).0, [dispatch(2, TTL, true)]);
}

#[test]
fn only_the_instance_it_is_addressed_to_reports_on_a_command() {
    let mut world = World::with_conversation();
    world.command(1, "message.send", &say());
    let event = format!(
        r#"{{"id":"ev_x","kind":"command.updated","subject":"{}","data":{{"stage":"completed"}}}}"#,
        command_id(1)
    );
    let other = InstanceId::new("in_2").unwrap();
    let frame = publish(Lane::Main, 1, 1, &[event]);
    let (published, _) = world.transact(|ledger| ledger.publish(&other, &frame)).unwrap();
    assert_eq!(published.rejected, [rejection(1, Some("ev_x"), ErrorCode::NotOwner, "/subject")]);
}

#[test]
fn what_waits_ends_with_the_right_to_ask_for_it() {
    let ended = |commit: &Commit| -> Vec<String> {
        let of_commands = lines(commit).into_iter().filter(|line| line.contains("command.updated"));
        of_commands.filter_map(|line| line.split(' ').nth(3).map(|key| key.replace(']', ""))).collect()
    };
    let mut world = World::with_conversation();
    let member = MemberId::new("mb_1").unwrap();
    world.one("instance.updated", "in_1", r#"{"name":"Mac"}"#);
    world.command(1, "message.send", &say());
    outstanding(&mut world);
    world.command(2, "message.send", &say());
    let ((), commit) =
        world.transact(|ledger| ledger.member_updated(&member, None, Some(Role::Admin))).unwrap();
    assert_eq!(ended(&commit), [""; 0]);
    let ((), commit) =
        world.transact(|ledger| ledger.member_updated(&member, None, Some(Role::Viewer))).unwrap();
    assert_eq!(ended(&commit), [2, 1].map(|n| format!("command/{}", command_id(n))));
    assert_eq!(
        commit.dispatch,
        [(instance(), dispatch(1, TTL, true))],
        "what was sent is the instance's to end"
    );
    let stages = [2, 1].map(|n| {
        let (text, _) = world.entity(&Scope::Org, &format!("command/{}", command_id(n))).unwrap();
        let member = |name| crate::ledger::json::string(&text, name).map(std::borrow::Cow::into_owned);
        (member("stage").unwrap(), otter_proto::text::member(&text, "cancelRequested").map(str::to_owned))
    });
    assert_eq!(stages, [("cancelled".to_owned(), None), ("accepted".to_owned(), Some("true".to_owned()))]);
    world.command(3, "message.send", &say());
    let ((), commit) = world.transact(|ledger| ledger.member_removed(&member)).unwrap();
    assert_eq!(ended(&commit), [format!("command/{}", command_id(3))]);
}

#[test]
fn a_command_ends_however_long_the_words_about_its_end_are() {
    let mut world = World::with_conversation();
    world.attached.insert(instance());
    world.command(1, "message.send", &say());
    let (code, message) = ("c".repeat(5_000), "😀".repeat(5_000));
    let data = format!(r#"{{"stage":"failed","error":{{"code":"{code}","message":"{message}"}}}}"#);
    world.one("command.updated", command_id(1).as_str(), &data);
    let (text, _) = world.entity(&Scope::Org, &format!("command/{}", command_id(1))).unwrap();
    let member = |path| crate::ledger::json::string(&text, path).unwrap().into_owned();
    assert_eq!(
        [member("error.code"), member("error.message"), member("stage")],
        ["c".repeat(256), "😀".repeat(512), "failed".to_owned()]
    );
    assert_eq!(outstanding(&mut world).0, []);
}
