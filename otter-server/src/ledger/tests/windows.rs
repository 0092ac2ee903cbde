use pretty_assertions::assert_eq;

use super::*;

fn message(sent_at: u64, text: &str) -> String {
    let sent_at = UnixMillis(sent_at);
    format!(
        r#"{{"conversationId":"{CONVERSATION}","author":{{"type":"agent"}},"text":"{text}","status":"complete","sentAt":"{sent_at}"}}"#
    )
}

fn effects(commit: &Commit) -> String {
    let line = lines(commit).first().cloned().unwrap_or_default();
    line.split_once('[').and_then(|(_, rest)| rest.split_once(']')).unwrap().0.to_owned()
}

#[test]
fn the_newest_rows_are_live_and_evictions_ride_on_the_event_that_causes_them() {
    let mut world = World::with_conversation();
    for n in 10..60 {
        world.one("message.created", &format!("in_1:m{n}"), &message(T0 - 1_000 + n, "x"));
    }
    assert_eq!(world.live(&conversation()).len(), 50);
    let commit = world.one("message.created", "in_1:m60", &message(T0 - 1_000 + 60, "x"));
    assert_eq!(effects(&commit), "put message/in_1:m60, evict message/in_1:m10");
    let commit = world.one("message.created", "in_1:m09", &message(T0 - 1_000 + 9, "x"));
    assert_eq!(effects(&commit), "");
    let commit = world.one("message.created", "in_1:m30b", &message(T0 - 1_000 + 30, "x"));
    assert_eq!(effects(&commit), "put message/in_1:m30b, evict message/in_1:m11");
    let live = world.live(&conversation());
    assert_eq!((live.len(), live.first().map(String::as_str)), (50, Some("message/in_1:m12")));
    assert_eq!(world.entity(&conversation(), "message/in_1:m09").map(|(_, live)| live), Some(false));
}

#[test]
fn a_row_outside_the_window_is_merged_but_stays_outside() {
    let mut world = World::with_conversation();
    for n in 10..61 {
        world.one("message.created", &format!("in_1:m{n}"), &message(T0 - 1_000 + n, "x"));
    }
    let edit = r#"{"text":"new","editedAt":"2026-11-22T14:00:00.000Z"}"#;
    assert_eq!(effects(&world.one("message.edited", "in_1:m10", edit)), "merge message/in_1:m10");
    assert_eq!(world.entity(&conversation(), "message/in_1:m10").map(|(_, live)| live), Some(false));
    assert_eq!(effects(&world.one("message.removed", "in_1:m10", "{}")), "delete message/in_1:m10");
    assert_eq!(world.live(&conversation()).len(), 50);
}

#[test]
fn a_window_holds_at_most_a_megabyte() {
    let mut world = World::with_conversation();
    for n in 0..45 {
        world.one("message.created", &format!("in_1:m{n:02}"), &message(T0 - 1_000 + n, &"x".repeat(30_000)));
    }
    let page = world.store.snapshot_page(&world.org, &conversation(), None, usize::MAX).unwrap();
    let bytes: usize = page.rows.iter().map(|row| row.text.len()).sum();
    assert_eq!((page.rows.len(), bytes <= 1 << 20), (34, true));
    let edit = format!(r#"{{"text":"{}","editedAt":"2026-11-22T14:00:00.000Z"}}"#, "y".repeat(32_000));
    let commits: Vec<String> =
        (11..45).map(|n| effects(&world.one("message.edited", &format!("in_1:m{n}"), &edit))).collect();
    assert!(commits.iter().any(|effects| effects.contains("evict")), "growing rows push others out");
    let page = world.store.snapshot_page(&world.org, &conversation(), None, usize::MAX).unwrap();
    assert!(page.rows.iter().map(|row| row.text.len()).sum::<usize>() <= 1 << 20);
}

#[test]
fn a_conversation_that_moves_again_comes_back_whole() {
    let mut world = World::with_conversation();
    for n in 0..200 {
        world.now += 10;
        let data = r#"{"instanceId":"in_1","agentId":"in_1:main","address":{"kind":"session"}}"#;
        world.one("conversation.upserted", &format!("in_1:c{n}"), data);
    }
    assert_eq!(world.entity(&Scope::Org, "conversation/in_1:c").map(|(_, live)| live), Some(false));
    world.now += 10;
    let commit = world.one("message.created", "in_1:m", &message(world.now, "hi"));
    let sent = UnixMillis(world.now);
    let last = format!(r#"{{"author":{{"type":"agent"}},"head":"hi","id":"in_1:m","sentAt":"{sent}"}}"#);
    let value = format!(
        r#"{{"address":{{"kind":"session","sessionKey":"k"}},"agentId":"in_1:main","firstSeenAt":"2026-11-18T11:06:40.000Z","instanceId":"in_1","lastMessage":{last},"messageCount":1}}"#
    );
    assert_eq!(
        lines(&commit)[1],
        format!(
            r#"org conversation.updated [put conversation/in_1:c={value}, evict conversation/in_1:c0] {{"lastMessage":{last},"messageCount":1}}"#
        )
    );
}

#[test]
fn open_commands_stay_and_ended_ones_leave_after_a_hundred() {
    let mut world = World::with_conversation();
    let say = format!(r#"{{"conversationId":"{CONVERSATION}","text":"x"}}"#);
    for n in 0..130 {
        world.now += 1;
        world.command(n, "message.send", &say);
    }
    for n in 0..120 {
        world.one("command.updated", command_id(n).as_str(), r#"{"stage":"completed"}"#);
    }
    let commands: Vec<String> =
        world.live(&Scope::Org).into_iter().filter(|key| key.starts_with("command/")).collect();
    let want: Vec<String> = (20..130).map(|n| format!("command/{}", command_id(n))).collect();
    assert_eq!(commands, want);
}

#[test]
fn the_snapshot_of_an_org_is_bounded_whatever_is_published() {
    let mut world = World::with_conversation();
    let long = "x".repeat(5_900);
    let at = "2026-11-18T11:00:00.000Z";
    let session = r#""instanceId":"in_1","agentId":"in_1:main","conversationId":"in_1:c","status":"idle""#;
    let table = [
        ("agent.upserted", format!(r#"{{"instanceId":"in_1","name":"{long}"}}"#)),
        ("session.upserted", format!(r#"{{{session},"key":"{long}"}}"#)),
        (
            "conversation.upserted",
            format!(
                r#"{{"instanceId":"in_1","agentId":"in_1:main","address":{{"kind":"dm"}},"derivedTitle":"{long}"}}"#
            ),
        ),
        (
            "task.upserted",
            format!(r#"{{"instanceId":"in_1","status":"todo","title":"t","description":"{long}"}}"#),
        ),
        (
            "task.upserted",
            format!(r#"{{"instanceId":"in_1","status":"done","title":"t","description":"{long}"}}"#),
        ),
        (
            "approval.requested",
            format!(
                r#"{{"instanceId":"in_1","command":"{long}","state":"pending","allowedDecisions":[],"requestedAt":"{at}"}}"#
            ),
        ),
        (
            "feed.itemAdded",
            format!(r#"{{"category":"email","title":"t","body":"{long}","occurredAt":"{at}"}}"#),
        ),
        ("activity.recorded", format!(r#"{{"category":"{long}","title":"t","occurredAt":"{at}"}}"#)),
        ("repo.pushed", format!(r#"{{"repository":"{long}","branch":"b","pushedAt":"{at}"}}"#)),
    ];
    for (row, (kind, data)) in table.iter().enumerate() {
        for n in 0..100 {
            world.now += 1;
            world.one(kind, &format!("in_1:{row}x{n}"), data);
        }
    }
    for n in 0..140 {
        let (id, kind) = (format!("ev_own{n}"), "x.acme.b");
        let event = format!(
            r#"{{"id":"{id}","kind":"{kind}","subject":"in_1:x","data":{{"a":"{long}"}},"effects":[{{"op":"put","entity":"x.acme.t{n}/in_1:x"}}]}}"#
        );
        assert_eq!(world.try_event(kind, &event).0.rejected, vec![]);
    }
    let page = world.store.snapshot_page(&world.org, &Scope::Org, None, usize::MAX).unwrap();
    let bytes: usize = page.rows.iter().map(|row| row.text.len()).sum();
    assert!(bytes > 2 << 20, "the windows were filled: {bytes}");
    assert!(bytes as u64 <= otter_proto::limits::ORG_BYTES, "{bytes}");
    assert_eq!(world.hash_of_live(&Scope::Org), world.hash(&Scope::Org));
}

#[test]
fn a_machine_whose_clock_is_ahead_does_not_stand_before_everybodys_news() {
    let mut world = World::with_conversation();
    let item = |at: u64| {
        let at = UnixMillis(at);
        format!(r#"{{"category":"alert","occurredAt":"{at}","title":"t"}}"#)
    };
    world.one("feed.itemAdded", "in_1:soon", &item(T0 + 60_000));
    let occurred = |world: &mut World, key: &str| {
        let text = world.entity(&Scope::Org, key).unwrap().0;
        crate::ledger::json::string(&text, "occurredAt").unwrap().into_owned()
    };
    assert_eq!(
        occurred(&mut world, "feedItem/in_1:soon"),
        UnixMillis(T0 + 60_000).to_string(),
        "a minute is a clock"
    );
    world.one("feed.itemAdded", "in_1:year", &item(T0 + 365 * 86_400_000));
    assert_eq!(occurred(&mut world, "feedItem/in_1:year"), UnixMillis(T0).to_string());
    world.now += 1_000;
    let again = world.one("feed.itemAdded", "in_1:year", &item(T0 + 365 * 86_400_000));
    assert_eq!(lines(&again), Vec::<String>::new(), "said again, it is what it was");
    assert_eq!(occurred(&mut world, "feedItem/in_1:year"), UnixMillis(T0).to_string());
}

#[test]
fn a_task_made_in_the_future_is_made_once() {
    let mut world = World::with_conversation();
    let task = |status: &str| {
        let at = UnixMillis(T0 + 365 * 86_400_000);
        format!(
            r#"{{"createdAt":"{at}","instanceId":"in_1","status":"{status}","title":"t","updatedAt":"{at}"}}"#
        )
    };
    let created = |world: &mut World| {
        let text = world.entity(&Scope::Org, "task/in_1:t").unwrap().0;
        crate::ledger::json::string(&text, "createdAt").unwrap().into_owned()
    };
    world.one("task.upserted", "in_1:t", &task("inProgress"));
    assert_eq!(created(&mut world), UnixMillis(T0).to_string());
    world.now += 60_000;
    world.one("task.upserted", "in_1:t", &task("done"));
    assert_eq!(created(&mut world), UnixMillis(T0).to_string());
}
