use otter_proto::error::ErrorCode;
use otter_proto::frame::LaneCursor;
use pretty_assertions::assert_eq;

use super::*;

const AGENT: &str = r#"{"instanceId":"in_1","name":"Main"}"#;

fn message(text: &str, more: &str) -> String {
    format!(
        r#"{{"conversationId":"{CONVERSATION}","author":{{"type":"agent","id":"in_1:main"}},"text":"{text}","status":"complete"{more}}}"#
    )
}

fn answer(lane: Lane, epoch: u64, up_to: u64) -> Published {
    Published { lane, producer_epoch: epoch, up_to, rejected: vec![], error: None, expected: None }
}

fn code(published: &Published) -> Option<ErrorCode> {
    published.error.as_ref().map(|error| error.code)
}

#[test]
fn a_recorded_event_carries_everything_a_reader_needs() {
    let mut world = World::empty();
    let event = r#"{"id":"ev_9","kind":"agent.upserted","subject":"in_1:main","causedBy":"01900000-0000-7000-8000-000000000001","data":{"name":"M\u00e4in", "instanceId":"in_1","model":null}}"#;
    let (published, commit) = world.publish(&publish(Lane::Main, 1, 1, &[event.to_owned()]));
    assert_eq!(published, answer(Lane::Main, 1, 1));
    let want = r#"{"seq":1,"prev":0,"id":"ev_9","at":"2026-11-18T11:06:40.000Z","scope":"org","kind":"agent.upserted","source":{"id":"in_1","type":"instance"},"causedBy":"01900000-0000-7000-8000-000000000001","effects":[{"op":"put","entity":"agent/in_1:main","value":{"instanceId":"in_1","name":"Mäin"}}],"data":{"instanceId":"in_1","model":null,"name":"Mäin"}}"#;
    let texts: Vec<&str> = commit.appended.iter().map(|event| &*event.text).collect();
    assert_eq!(texts, [want]);
    assert_eq!((commit.head, commit.epoch.as_str()), (1, "e1"));
    assert_eq!(
        commit.hashes,
        [(Scope::Org, world.store.scope(&world.org, &Scope::Org).unwrap().hash)].into()
    );
}

#[test]
fn each_event_of_a_lane_is_taken_once() {
    let mut world = World::empty();
    let events: Vec<String> =
        (0..3).map(|n| world.event("agent.upserted", &format!("in_1:a{n}"), AGENT)).collect();
    let (published, commit) = world.publish(&publish(Lane::Main, 1, 1, &events[..2]));
    assert_eq!((published, commit.appended.len()), (answer(Lane::Main, 1, 2), 2));
    let (published, commit) = world.publish(&publish(Lane::Main, 1, 1, &events));
    assert_eq!((published, commit.appended.len()), (answer(Lane::Main, 1, 3), 1));
    let (published, commit) = world.publish(&publish(Lane::Main, 1, 2, &events[1..]));
    assert_eq!((published, commit.appended.len()), (answer(Lane::Main, 1, 3), 0));
}

#[test]
fn a_hole_in_a_lane_is_refused_with_the_number_expected() {
    let mut world = World::empty();
    let event = world.event("agent.upserted", "in_1:a", AGENT);
    let (published, commit) = world.publish(&publish(Lane::Main, 1, 2, std::slice::from_ref(&event)));
    assert_eq!(
        (code(&published), published.expected, published.up_to, commit.appended.len()),
        (Some(ErrorCode::PublishGap), Some(1), 0, 0)
    );
    world.publish(&publish(Lane::Main, 1, 1, &[event]));
    let later = world.event("agent.upserted", "in_1:b", AGENT);
    let (published, _) = world.publish(&publish(Lane::Main, 1, 3, &[later]));
    assert_eq!((code(&published), published.expected), (Some(ErrorCode::PublishGap), Some(2)));
}

#[test]
fn a_new_outbox_starts_at_one_and_leaves_a_gap_for_all_to_see() {
    let mut world = World::empty();
    let mut event = |n: u64| world.event("agent.upserted", &format!("in_1:a{n}"), AGENT);
    let events = [event(1), event(2), event(3)];
    world.publish(&publish(Lane::Main, 1, 1, &events[..1]));
    let (published, _) = world.publish(&publish(Lane::Main, 3, 2, &events[1..2]));
    assert_eq!((code(&published), published.expected), (Some(ErrorCode::PublishGap), Some(1)));
    let (published, commit) = world.publish(&publish(Lane::Main, 3, 1, &events[1..2]));
    assert_eq!(published, answer(Lane::Main, 3, 1));
    assert_eq!(
        lines(&commit),
        [
            r#"org instance.gap [put instance/in_1] {"gap":{"at":"2026-11-18T11:06:40.000Z","fromEpoch":1,"lane":"main"}}"#,
            r#"org agent.upserted [put agent/in_1:a2] {"instanceId":"in_1","name":"Main"}"#,
        ]
    );
    let (published, commit) = world.publish(&publish(Lane::Main, 1, 2, &events[2..]));
    assert_eq!((code(&published), commit.appended.len()), (Some(ErrorCode::StaleProducerEpoch), 0));
}

#[test]
fn a_number_used_for_another_event_is_a_lost_tail() {
    let mut world = World::empty();
    let events =
        [world.event("agent.upserted", "in_1:a", AGENT), world.event("agent.upserted", "in_1:b", AGENT)];
    world.publish(&publish(Lane::Main, 1, 1, &events));
    let other = world.event("agent.upserted", "in_1:c", AGENT);
    let (published, _) = world.publish(&publish(Lane::Main, 1, 2, &[other]));
    assert_eq!(code(&published), Some(ErrorCode::StaleProducerEpoch));
    let (published, _) = world.publish(&publish(Lane::Main, 1, 1, &events));
    assert_eq!(published, answer(Lane::Main, 1, 2));
}

#[test]
fn every_refusal_advances_the_cursor_and_says_where() {
    let own_agent = format!(r#""kind":"agent.upserted","subject":"in_1:a","data":{AGENT}"#);
    let table = [
        (r#"{"id":"ev_1","subject":"x","data":{}}"#.to_owned(), ErrorCode::InvalidData, "/kind"),
        (r#"{"id":"ev_1","kind":"agent.upserted","subject":"a b","data":{}}"#.to_owned(), ErrorCode::BadId, "/subject"),
        (r#"{"id":"ev_1","kind":"no.such","subject":"in_1:a","data":{}}"#.to_owned(), ErrorCode::UnknownKind, "/kind"),
        (r#"{"id":"ev_1","kind":"member.joined","subject":"in_1:a","data":{}}"#.to_owned(), ErrorCode::NotPublisher, "/kind"),
        (r#"{"id":"ev_1","kind":"session.ended","subject":"in_1:a","data":{}}"#.to_owned(), ErrorCode::WrongLane, "/kind"),
        (r#"{"id":"ev_1","kind":"run.started","subject":"in_1:r","data":{}}"#.to_owned(), ErrorCode::InvalidData, "/conversation"),
        (r#"{"id":"ev_1","kind":"run.started","subject":"in_1:r","conversation":"in_2:c","data":{}}"#.to_owned(), ErrorCode::NotOwner, "/conversation"),
        (format!(r#"{{"id":"ev_1",{}}}"#, own_agent.replace("in_1:a", "in_2:a")), ErrorCode::NotOwner, "/subject"),
        (format!(r#"{{"id":"ev_1",{}}}"#, own_agent.replace(r#""in_1","#, r#""in_2","#)), ErrorCode::NotOwner, "/data/instanceId"),
        (r#"{"id":"ev_1","kind":"instance.updated","subject":"in_1:x","data":{}}"#.to_owned(), ErrorCode::NotOwner, "/subject"),
        (r#"{"id":"ev_1","kind":"agent.upserted","subject":"in_1:a","data":{"instanceId":"in_1"}}"#.to_owned(), ErrorCode::InvalidData, "/data/name"),
        (r#"{"id":"ev_1","kind":"agent.upserted","subject":"in_1:a","data":[]}"#.to_owned(), ErrorCode::InvalidData, "/data"),
        (r#"{"id":"ev_1","kind":"agent.upserted","subject":"in_1:a","data":{"instanceId":"in_1","name":"x","n":9007199254740993}}"#.to_owned(), ErrorCode::InvalidData, "/data"),
        (format!(r#"{{"id":"ev_1","kind":"agent.upserted","subject":"in_1:a","data":{{"instanceId":"in_1","name":"{}"}}}}"#, "x".repeat(9_000)), ErrorCode::EntityTooLarge, "/data"),
        (format!(r#"{{"id":"ev_1","kind":"agent.upserted","subject":"in_1:a","data":{{"instanceId":"in_1","name":"{}"}}}}"#, "x".repeat(600_000)), ErrorCode::TooLarge, ""),
        (format!(r#"{{"id":"ev_1","kind":"message.created","subject":"in_1:m","conversation":"in_1:d","data":{}}}"#, message("x", "")), ErrorCode::InvalidData, "/data/conversationId"),
    ];
    let mut world = World::with_conversation();
    for (n, (event, want, pointer)) in (3..).zip(table) {
        let (published, commit) = world.publish(&publish(Lane::Main, 1, n, std::slice::from_ref(&event)));
        let want = Published {
            rejected: vec![rejection(n, Some("ev_1"), want, pointer)],
            ..answer(Lane::Main, 1, n)
        };
        let shown: String = event.chars().take(120).collect();
        assert_eq!((published, commit.appended.len()), (want, 0), "{shown}");
    }
}

#[test]
fn a_refused_event_does_not_stop_those_behind_it_and_is_repeated_until_seen() {
    let mut world = World::empty();
    let events = [
        world.event("agent.upserted", "in_1:a", AGENT),
        r#"{"id":"ev_bad","kind":"no.such","subject":"in_1:a","data":{}}"#.to_owned(),
        world.event("agent.upserted", "in_1:b", AGENT),
    ];
    let (published, commit) = world.publish(&publish(Lane::Main, 1, 1, &events));
    let rejected = vec![rejection(2, Some("ev_bad"), ErrorCode::UnknownKind, "/kind")];
    assert_eq!(published, Published { rejected: rejected.clone(), ..answer(Lane::Main, 1, 3) });
    assert_eq!(commit.appended.len(), 2);
    let cursor = |rejected| LaneCursor {
        producer_epoch: 1,
        up_to: 3,
        last_id: Some(EventId::new("ev_3").unwrap()),
        rejected,
    };
    let (lanes, _) = world.transact(|ledger| ledger.lanes(&instance())).unwrap();
    assert_eq!(lanes.main, cursor(rejected));
    world.publish(&Publish { rejected_seen: Some(2), ..publish(Lane::Main, 1, 4, &[]) });
    let (lanes, _) = world.transact(|ledger| ledger.lanes(&instance())).unwrap();
    assert_eq!(lanes.main, cursor(vec![]));
}

#[test]
fn refusals_nobody_confirms_stop_the_lane_before_one_is_lost() {
    let mut world = World::empty();
    let bad: Vec<String> = (0..1_002)
        .map(|n| format!(r#"{{"id":"ev_{n}","kind":"no.such","subject":"in_1:a","data":{{}}}}"#))
        .collect();
    let (published, _) = world.publish(&publish(Lane::Main, 1, 1, &bad));
    assert_eq!(
        (published.up_to, published.rejected.len(), code(&published)),
        (1_000, 1_000, Some(ErrorCode::RateLimited))
    );
    let rest = publish(Lane::Main, 1, 1_001, &bad[1_000..]);
    let (published, _) = world.publish(&Publish { rejected_seen: Some(1_000), ..rest });
    assert_eq!((published.up_to, published.rejected.len(), code(&published)), (1_002, 2, None));
}

#[test]
fn a_confirmation_counts_also_when_its_publish_does_not_fit() {
    let mut world = World::empty();
    let bad: Vec<String> = (0..1_001)
        .map(|n| format!(r#"{{"id":"ev_{n}","kind":"no.such","subject":"in_1:a","data":{{}}}}"#))
        .collect();
    world.publish(&publish(Lane::Main, 1, 1, &bad));
    let beyond = publish(Lane::Main, 1, 1_002, &[world.event("agent.upserted", "in_1:a", AGENT)]);
    let (published, _) = world.publish(&Publish { rejected_seen: Some(1_000), ..beyond });
    assert_eq!((code(&published), published.expected), (Some(ErrorCode::PublishGap), Some(1_001)));
    let (published, _) = world.publish(&publish(Lane::Main, 1, 1_001, &bad[1_000..]));
    assert_eq!((published.up_to, published.rejected.len(), code(&published)), (1_001, 1, None));
}

#[test]
fn what_changes_nothing_is_accepted_and_not_appended() {
    let mut world = World::with_conversation();
    world.one("message.created", "in_1:m", &message("x", ""));
    world.one(
        "run.started",
        "in_1:r",
        &format!(r#"{{"conversationId":"{CONVERSATION}","agentId":"in_1:main","state":"running","startedAt":"2026-11-22T14:00:00.000Z"}}"#),
    );
    for (kind, subject, data) in [
        ("agent.upserted", "in_1:main", AGENT.to_owned()),
        ("agent.statusChanged", "in_1:nobody", r#"{"status":"x"}"#.to_owned()),
        ("agent.removed", "in_1:nobody", "{}".to_owned()),
        ("message.created", "in_1:m", message("other", "")),
        ("message.edited", "in_1:none", r#"{"text":"x","editedAt":"2026-11-22T14:00:00.000Z"}"#.to_owned()),
        ("command.updated", "01900000-0000-7000-8000-000000000009", r#"{"stage":"completed"}"#.to_owned()),
    ] {
        assert_eq!(lines(&world.one(kind, subject, &data)), [""; 0], "{kind}");
    }
}

#[test]
fn the_first_end_of_a_run_wins() {
    let mut world = World::with_conversation();
    world.one(
        "run.started",
        "in_1:r",
        &format!(r#"{{"conversationId":"{CONVERSATION}","agentId":"in_1:main","state":"running","startedAt":"2026-11-22T14:00:00.000Z"}}"#),
    );
    let ended = |state: &str| format!(r#"{{"state":"{state}","endedAt":"2026-11-22T14:00:01.000Z"}}"#);
    assert_eq!(
        lines(&world.one("run.aborted", "in_1:r", &ended("aborted"))),
        [
            r#"conversation/in_1:c run.aborted [merge run/in_1:r] {"endedAt":"2026-11-22T14:00:01.000Z","state":"aborted"}"#,
            r#"org conversation.updated [merge conversation/in_1:c] {"activeRun":null}"#,
        ]
    );
    assert_eq!(lines(&world.one("run.completed", "in_1:r", &ended("completed"))), [""; 0]);
}

#[test]
fn delivery_never_goes_back() {
    let mut world = World::with_conversation();
    world.one("message.created", "in_1:m", &message("x", r#","delivery":{"state":"pending"}"#));
    let mut deliver = |state: &str| {
        let data = format!(r#"{{"delivery":{{"state":"{state}"}}}}"#);
        world.one("message.deliveryChanged", "in_1:m", &data).appended.len()
    };
    let steps = ["taken", "pending", "queued", "taken", "delivered", "failed", "delivered"];
    assert_eq!(steps.map(&mut deliver), [1, 0, 1, 0, 1, 0, 0]);
}

#[test]
fn messages_and_runs_keep_the_row_of_their_conversation() {
    let mut world = World::with_conversation();
    let commit = world.one("message.created", "in_1:m1", &message(&"é".repeat(300), ""));
    let head = "é".repeat(200);
    let sent = "2026-11-18T11:06:40.000Z";
    assert_eq!(
        lines(&commit)[1],
        format!(
            r#"org conversation.updated [merge conversation/in_1:c] {{"lastMessage":{{"author":{{"id":"in_1:main","type":"agent"}},"head":"{head}","id":"in_1:m1","sentAt":"{sent}"}},"messageCount":1}}"#
        )
    );
    let parent = RecordedEvent::parse(&commit.appended[0].text).unwrap();
    let derived = RecordedEvent::parse(&commit.appended[1].text).unwrap();
    assert_eq!((derived.source, derived.seq), (r#"{"type":"hub"}"#, parent.seq + 1));
    let started = |at: &str| {
        format!(
            r#"{{"conversationId":"{CONVERSATION}","agentId":"in_1:main","state":"running","startedAt":"2026-11-22T14:00:0{at}.000Z"}}"#
        )
    };
    let second = |commit: &Commit| lines(commit).get(1).cloned().unwrap_or_default();
    let active =
        |run: &str| format!(r#"org conversation.updated [merge conversation/in_1:c] {{"activeRun":{run}}}"#);
    assert_eq!(second(&world.one("run.started", "in_1:r1", &started("1"))), active(r#""in_1:r1""#));
    assert_eq!(second(&world.one("run.started", "in_1:r3", &started("3"))), active(r#""in_1:r3""#));
    assert_eq!(second(&world.one("run.started", "in_1:r2", &started("2"))), "");
    let ended = r#"{"state":"completed","endedAt":"2026-11-22T14:00:09.000Z"}"#;
    assert_eq!(second(&world.one("run.completed", "in_1:r1", ended)), "");
    assert_eq!(second(&world.one("run.completed", "in_1:r3", ended)), active(r#""in_1:r2""#));
    assert_eq!(second(&world.one("run.completed", "in_1:r2", ended)), active("null"));
    let removed = world.one("message.removed", "in_1:m1", "{}");
    assert_eq!(
        second(&removed),
        r#"org conversation.updated [merge conversation/in_1:c] {"lastMessage":null}"#
    );
}

#[test]
fn a_removed_id_stays_removed_for_thirty_days() {
    let mut world = World::with_conversation();
    world.one("message.created", "in_1:m", &message("x", ""));
    world.one("message.removed", "in_1:m", "{}");
    assert_eq!(world.one("message.created", "in_1:m", &message("x", "")).appended.len(), 0);
    world.now += 30 * 86_400_000;
    assert_eq!(world.one("message.created", "in_1:m", &message("x", "")).appended.len(), 2);
    world.one("agent.removed", "in_1:main", "{}");
    assert_eq!(world.one("agent.upserted", "in_1:main", AGENT).appended.len(), 1);
}

#[test]
fn live_rows_are_in_order_and_history_goes_where_it_belongs() {
    let mut world = World::with_conversation();
    let sent = |world: &mut World, id: &str| {
        let (text, _) = world.entity(&conversation(), &format!("message/{id}")).unwrap();
        crate::ledger::json::string(&text, "sentAt").unwrap().into_owned()
    };
    world.one("message.created", "in_1:a", &message("a", ""));
    world.one("message.created", "in_1:b", &message("b", ""));
    world.now -= 5_000;
    world.one("message.created", "in_1:c", &message("c", ""));
    let old = r#","sentAt":"2026-11-18T10:00:00Z""#;
    world.one("message.created", "in_1:d", &message("d", old));
    world.one("message.created", "in_1:e", &message("e", r#","sentAt":"2027-01-01T00:00:00.000Z""#));
    let after = r#","sentAt":"2026-11-18T09:00:00.000Z","after":"in_1:d""#;
    world.one("message.created", "in_1:f", &message("f", after));
    let times: Vec<String> =
        ["a", "b", "c", "d", "e", "f"].map(|id| sent(&mut world, &format!("in_1:{id}"))).into();
    assert_eq!(
        times,
        [
            "2026-11-18T11:06:40.000Z",
            "2026-11-18T11:06:40.001Z",
            "2026-11-18T11:06:40.002Z",
            "2026-11-18T10:00:00.000Z",
            "2026-11-18T11:06:35.000Z",
            "2026-11-18T10:00:00.001Z",
        ]
    );
    let (text, _) = world.entity(&conversation(), "message/in_1:f").unwrap();
    assert_eq!(otter_proto::text::member(&text, "after"), None);
}

#[test]
fn a_long_text_is_cut_and_its_whole_can_be_read() {
    let mut world = World::with_conversation();
    let whole = "x".repeat(100_000);
    world.one("message.created", "in_1:m", &message(&whole, ""));
    let (text, _) = world.entity(&conversation(), "message/in_1:m").unwrap();
    let kept = crate::ledger::json::string(&text, "text").unwrap().len();
    assert_eq!((kept, otter_proto::text::member(&text, "truncated")), (16 << 10, Some("true")));
    let key = EntityKey::parse("message/in_1:m").unwrap();
    let full = world.store.whole(&world.org, &conversation(), &key).unwrap().whole;
    assert_eq!(full.map(|full| full.text), Some(whole));
    world.one("message.edited", "in_1:m", r#"{"text":"short","editedAt":"2026-11-22T14:00:00.000Z"}"#);
    let (text, _) = world.entity(&conversation(), "message/in_1:m").unwrap();
    assert_eq!(otter_proto::text::member(&text, "truncated"), None);
    assert_eq!(world.store.whole(&world.org, &conversation(), &key).unwrap().whole, None);
}

#[test]
fn an_edit_of_a_cut_text_may_take_members_away() {
    let mut world = World::with_conversation();
    world.one("message.created", "in_1:m", &message(&"x".repeat(100_000), r#","note":"n""#));
    let edit = r#"{"text":"short","editedAt":"2026-11-22T14:00:00.000Z","note":null}"#;
    world.one("message.edited", "in_1:m", edit);
    let (text, _) = world.entity(&conversation(), "message/in_1:m").unwrap();
    assert_eq!(otter_proto::text::member(&text, "note"), None);
}

#[test]
fn an_order_key_is_not_longer_than_a_cursor_may_be() {
    let mut world = World::empty();
    world.one(
        "agent.upserted",
        "in_1:a",
        &format!(r#"{{"instanceId":"in_1","name":"x{}"}}"#, "ü".repeat(2_000)),
    );
    let key = EntityKey::parse("agent/in_1:a").unwrap();
    let (row, _) = world.transact(|ledger| ledger.rows.entity(&Scope::Org, &key)).unwrap();
    assert_eq!(row.unwrap().order, format!("x{}", "ü".repeat(511)));
}

#[test]
fn an_instance_cannot_say_what_is_the_hubs_or_peoples() {
    let mut world = World::with_conversation();
    let data = r#"{"derivedTitle":"T","title":"mine","messageCount":99,"activeRun":null,"archived":true}"#;
    assert_eq!(
        lines(&world.one("conversation.updated", CONVERSATION, data)),
        [r#"org conversation.updated [merge conversation/in_1:c] {"archived":true,"derivedTitle":"T"}"#]
    );
}

#[test]
fn the_link_to_the_gateway_is_replaced_whole() {
    let mut world = World::empty();
    let waiting = r#"{"gateway":{"state":"pairing","requestId":"r1","reason":"approve"},"name":"Mac"}"#;
    world.one("instance.updated", "in_1", waiting);
    world.one("instance.updated", "in_1", r#"{"gateway":{"state":"online","version":"2026.9.6"}}"#);
    assert_eq!(
        world.entity(&Scope::Org, "instance/in_1").unwrap().0,
        r#"{"gateway":{"state":"online","version":"2026.9.6"},"name":"Mac"}"#
    );
    world.one("instance.updated", "in_1", r#"{"gateway":{"state":"online"},"name":null}"#);
    assert_eq!(world.entity(&Scope::Org, "instance/in_1").unwrap().0, r#"{"gateway":{"state":"online"}}"#);
}
