use otter_proto::error::ErrorCode;
use otter_proto::frame::ClientInfo;
use pretty_assertions::assert_eq;

use super::*;
use crate::ledger::Admitted;
use crate::log::{Reader, Resume, ResumeMiss};

fn attach(world: &mut World, names: &[&str]) -> (Result<Admitted, ErrorCode>, Vec<String>) {
    let bridge = ClientInfo { name: "otter-bridge".to_owned(), version: "0.1.0".to_owned() };
    let (admitted, commit) = world
        .transact(|ledger| ledger.attach(&instance(), &boots(names), Some("Mac"), Some(&bridge)))
        .unwrap();
    (admitted.map_err(|error| error.code), lines(&commit))
}

fn online(world: &mut World) -> Vec<InstanceId> {
    #[allow(clippy::redundant_closure_for_method_calls)]
    // the method is not general over the store's lifetime
    world.transact(|ledger| ledger.online()).unwrap().0
}

#[test]
fn an_instance_is_let_in_when_it_knows_its_last_boot() {
    let mut world = World::empty();
    let (admitted, written) = attach(&mut world, &["b1"]);
    assert!(admitted.is_ok());
    assert_eq!(
        written,
        [
            r#"org instance.connected [put instance/in_1={"bridge":{"name":"otter-bridge","version":"0.1.0"},"connectedAt":"2026-11-18T11:06:40.000Z","connection":"online","name":"Mac"}] {"bridge":{"name":"otter-bridge","version":"0.1.0"},"connectedAt":"2026-11-18T11:06:40.000Z","connection":"online","name":"Mac","reason":null}"#
        ]
    );
    assert_eq!(attach(&mut world, &["b2", "b1"]).1, [""; 0], "within the grace time nothing changed");
    assert_eq!(attach(&mut world, &["b3", "b1"]).0, Err(ErrorCode::Forked));
    assert_eq!(attach(&mut world, &[]).0, Err(ErrorCode::BadFrame));
    assert!(attach(&mut world, &["b3", "b2"]).0.is_ok());
    assert_eq!(world.store.boot(&world.org, &instance()).unwrap(), boots(&["b3"]).pop());
}

#[test]
fn going_away_is_written_once_and_coming_back_clears_the_reason() {
    let mut world = World::empty();
    attach(&mut world, &["b1"]).0.unwrap();
    let gone = |world: &mut World| {
        let ((), commit) = world.transact(|ledger| ledger.disconnected(&instance(), "lost")).unwrap();
        lines(&commit)
    };
    assert_eq!(online(&mut world), [instance()]);
    assert_eq!(
        gone(&mut world),
        [
            r#"org instance.disconnected [merge instance/in_1] {"connection":"offline","disconnectedAt":"2026-11-18T11:06:40.000Z","reason":"lost"}"#
        ]
    );
    assert_eq!(gone(&mut world), [""; 0]);
    assert_eq!(online(&mut world), []);
    attach(&mut world, &["b1"]).0.unwrap();
    let (text, _) = world.entity(&Scope::Org, "instance/in_1").unwrap();
    assert_eq!(otter_proto::text::member(&text, "reason"), None);
}

#[test]
fn members_join_change_and_leave() {
    let mut world = World::empty();
    let member = MemberId::new("mb_1").unwrap();
    let mut written = Vec::new();
    let ((), commit) = world.transact(|ledger| ledger.member_joined(&member, "Ada", Role::Owner)).unwrap();
    written.extend(lines(&commit));
    let ((), commit) = world.transact(|ledger| ledger.member_joined(&member, "Ada", Role::Owner)).unwrap();
    written.extend(lines(&commit));
    let ((), commit) =
        world.transact(|ledger| ledger.member_updated(&member, None, Some(Role::Admin))).unwrap();
    written.extend(lines(&commit));
    let ((), commit) = world.transact(|ledger| ledger.member_removed(&member)).unwrap();
    written.extend(lines(&commit));
    let ((), commit) = world.transact(|ledger| ledger.member_joined(&member, "Ada", Role::Viewer)).unwrap();
    written.extend(lines(&commit));
    assert_eq!(
        written,
        [
            r#"org member.joined [put member/mb_1] {"joinedAt":"2026-11-18T11:06:40.000Z","name":"Ada","role":"owner"}"#,
            r#"org member.updated [merge member/mb_1] {"role":"admin"}"#,
            "org member.removed [delete member/mb_1] {}",
            r#"org member.joined [put member/mb_1] {"joinedAt":"2026-11-18T11:06:40.000Z","name":"Ada","role":"viewer"}"#,
        ]
    );
}

#[test]
fn a_position_is_good_for_its_own_history_only() {
    let mut world = World::with_conversation();
    let reader = Reader::new(std::sync::Arc::new(world.store.clone()));
    let resume = |world: &World, epoch: &str, pos| {
        reader.resume(&world.org, &Scope::Org, &Epoch::new(epoch).unwrap(), pos).unwrap()
    };
    assert_eq!(resume(&world, "e1", 2), Resume::Hit);
    assert_eq!(resume(&world, "e1", 3), Resume::Miss(ResumeMiss::Ahead));
    assert_eq!(resume(&world, "e0", 1), Resume::Miss(ResumeMiss::UnknownEpoch));
    let backup = world.store.copy();
    world.one("agent.statusChanged", "in_1:main", r#"{"status":"a"}"#);
    world.start("e2");
    world.one("agent.statusChanged", "in_1:main", r#"{"status":"b"}"#);
    assert_eq!(resume(&world, "e1", 3), Resume::Hit, "a restart keeps positions");
    assert_eq!(resume(&world, "e1", 4), Resume::Miss(ResumeMiss::Ahead), "of an epoch that ended before");
    world.store.restore(backup);
    world.start("e3");
    for status in ["c", "d", "e"] {
        let ((), commit) = world
            .transact(|ledger| ledger.member_joined(&MemberId::new("mb_1").unwrap(), status, Role::Owner))
            .unwrap();
        assert_eq!(commit.appended.len(), 1);
    }
    assert_eq!(resume(&world, "e1", 2), Resume::Hit, "what the backup has is common history");
    assert_eq!(
        resume(&world, "e1", 3),
        Resume::Miss(ResumeMiss::Ahead),
        "what it lacks is not, also regrown"
    );
    assert_eq!(resume(&world, "e2", 4), Resume::Miss(ResumeMiss::UnknownEpoch));
}

#[test]
fn a_writer_that_was_replaced_cannot_write() {
    let mut world = World::with_conversation();
    let old = world.epoch.clone();
    world.start("e2");
    world.epoch = old;
    let result = world.transact(|ledger| ledger.member_removed(&MemberId::new("mb_1").unwrap()));
    assert_eq!(result.map(|_| ()), Err(StoreError::Fenced));
}

#[test]
fn a_copy_that_is_adopted_takes_over_and_what_may_not_run_twice_ends_as_unknown() {
    let mut world = World::with_conversation();
    attach(&mut world, &["b1"]).0.unwrap();
    world.attached.insert(instance());
    let say = format!(r#"{{"conversationId":"{CONVERSATION}","text":"hi"}}"#);
    world.command(1, "message.send", &say);
    world.command(2, "session.reset", &format!(r#"{{"conversationId":"{CONVERSATION}"}}"#));
    world.command(3, "x.acme.deploy", r#"{"instanceId":"in_1"}"#);
    world.attached.clear();
    world.command(4, "message.send", &say);
    assert_eq!(attach(&mut world, &["other"]).0, Err(ErrorCode::Forked));
    let adopt = |world: &mut World, names: &[&str]| {
        world.transact(|ledger| ledger.adopt(&instance(), &boots(names))).unwrap().1
    };
    let want = [2, 3].map(|n| {
        format!(
            r#"org command.updated [merge command/{}] {{"error":{{"code":"adopted","message":"another copy of the instance was sent this and may have carried it out"}},"stage":"outcomeUnknown"}}"#,
            command_id(n)
        )
    });
    assert_eq!(lines(&adopt(&mut world, &["other"])), want);
    let admitted = attach(&mut world, &["other"]).0.unwrap();
    let left: Vec<_> = admitted.outstanding.iter().map(|command| command.id.clone()).collect();
    assert_eq!(left, [command_id(1), command_id(4)], "what is safe to repeat is handed to the new one");
    assert_eq!(attach(&mut world, &["b2", "b1"]).0, Err(ErrorCode::Forked), "the first copy is out");
    assert_eq!(lines(&adopt(&mut world, &["next", "other"])), [""; 0], "nothing to take over");
}

#[test]
fn an_hour_without_a_browser_leaves_true_states_with_their_times_and_nothing_in_progress_for_ever() {
    let mut world = World::empty();
    attach(&mut world, &["b1"]).0.unwrap();
    world.one("agent.upserted", "in_1:main", r#"{"instanceId":"in_1","name":"Main"}"#);
    world.one(
        "conversation.upserted",
        CONVERSATION,
        r#"{"instanceId":"in_1","agentId":"in_1:main","address":{"kind":"session","sessionKey":"k"}}"#,
    );
    world.one("agent.statusChanged", "in_1:main", r#"{"status":"busy"}"#);
    let run = r#"{"conversationId":"in_1:c","agentId":"in_1:main","state":"running","startedAt":"2026-11-18T11:06:40.000Z"}"#;
    world.one("run.started", "in_1:r", run);
    // The last browser asks for something and goes; then the machine does.
    world.now += 1_000;
    world.transact(|ledger| ledger.disconnected(&instance(), "connectionLost")).unwrap();
    let (reply, _) = world.command(1, "run.abort", r#"{"conversationId":"in_1:c","runId":"in_1:r"}"#);
    assert_eq!(reply.refused.map(|error| error.code), Some(ErrorCode::InstanceOffline), "nothing hangs");
    let (reply, _) =
        world.command(2, "approval.decide", r#"{"approvalId":"in_1:x","rev":1,"decision":"deny"}"#);
    assert_eq!(reply.refused.map(|error| error.code), Some(ErrorCode::NotFound));
    let (reply, _) = world.command(3, "message.send", r#"{"conversationId":"in_1:c","text":"hi"}"#);
    assert!(reply.accepted.is_some());
    let before = ["instance/in_1", "agent/in_1:main"].map(|key| world.entity(&Scope::Org, key));
    world.now += 3_600_000;
    world.transact(|ledger| ledger.expire(100)).unwrap();
    assert_eq!(
        before.clone().map(|row| row.map(|(text, _)| text)),
        [
            r#"{"bridge":{"name":"otter-bridge","version":"0.1.0"},"connectedAt":"2026-11-18T11:06:40.000Z","connection":"offline","disconnectedAt":"2026-11-18T11:06:41.000Z","name":"Mac","reason":"connectionLost"}"#,
            r#"{"instanceId":"in_1","name":"Main","status":"busy","statusAt":"2026-11-18T11:06:40.000Z"}"#,
        ]
        .map(|text| Some(text.to_owned()))
    );
    assert_eq!(["instance/in_1", "agent/in_1:main"].map(|key| world.entity(&Scope::Org, key)), before);
    let (run_now, live) = world.entity(&conversation(), "run/in_1:r").unwrap();
    assert_eq!((run_now.as_str(), live), (run_sorted(), true), "observed, and nobody else says otherwise");
    let command = world.entity(&Scope::Org, &format!("command/{}", command_id(3))).unwrap().0;
    let member = |name| otter_proto::text::member(&command, name).map(str::to_owned);
    assert_eq!(member("stage").as_deref(), Some("\"accepted\""));
    let expires = member("expiresAt").unwrap();
    assert!(expires.as_str() > "\"2026-11-18T12", "who waits has a deadline: {command}");
    world.now += 48 * 3_600_000;
    world.transact(|ledger| ledger.expire(100)).unwrap();
    let command = world.entity(&Scope::Org, &format!("command/{}", command_id(3))).unwrap().0;
    assert_eq!(otter_proto::text::member(&command, "stage"), Some("\"expired\""));
}

const fn run_sorted() -> &'static str {
    r#"{"agentId":"in_1:main","conversationId":"in_1:c","startedAt":"2026-11-18T11:06:40.000Z","state":"running"}"#
}

#[test]
fn what_an_agent_says_about_itself_has_its_age_by_the_clock_of_the_hub() {
    let mut world = World::empty();
    world.one(
        "agent.upserted",
        "in_1:main",
        r#"{"instanceId":"in_1","name":"Main","statusAt":"2030-01-01T00:00:00.000Z"}"#,
    );
    let mut say = |after_ms: u64, data: &str| {
        world.now += after_ms;
        lines(&world.one("agent.statusChanged", "in_1:main", data))
    };
    let told = |data: &str| [format!("org agent.statusChanged [merge agent/in_1:main] {data}")];
    assert_eq!(
        say(1_000, r#"{"status":"busy","statusText":"reading","statusAt":"2030-01-01T00:00:00.000Z"}"#),
        told(r#"{"status":"busy","statusAt":"2026-11-18T11:06:41.000Z","statusText":"reading"}"#)
    );
    let again = say(1_000, r#"{"status":"busy","statusText":"reading"}"#);
    assert_eq!(again, [""; 0], "said again it is as old as it was");
    assert_eq!(
        say(1_000, r#"{"status":"busy","statusText":null}"#),
        told(r#"{"status":"busy","statusAt":"2026-11-18T11:06:43.000Z","statusText":null}"#)
    );
    let entity = world.entity(&Scope::Org, "agent/in_1:main").unwrap().0;
    assert_eq!(
        entity,
        r#"{"instanceId":"in_1","name":"Main","status":"busy","statusAt":"2026-11-18T11:06:43.000Z"}"#
    );
}
