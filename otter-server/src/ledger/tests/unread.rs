//! What counts as unread: `messageCount` less the mark's or the imported count.

use pretty_assertions::assert_eq;

use super::*;

fn message(sent_at: Option<u64>) -> String {
    let sent_at = sent_at.map(|at| format!(r#","sentAt":"{}""#, UnixMillis(at))).unwrap_or_default();
    format!(
        r#"{{"conversationId":"{CONVERSATION}","author":{{"type":"agent"}},"text":"x","status":"complete"{sent_at}}}"#
    )
}

fn counts(world: &mut World) -> (Option<u64>, Option<u64>) {
    let (text, _) = world.entity(&Scope::Org, "conversation/in_1:c").unwrap();
    let count = |name| crate::ledger::json::integer(&text, name);
    (count("messageCount"), count("importedCount"))
}

#[test]
fn history_from_before_the_hub_knew_the_conversation_is_counted_as_imported() {
    let mut world = World::with_conversation();
    world.now += 60_000;
    for n in 0..3 {
        world.one("message.created", &format!("in_1:old{n}"), &message(Some(T0 - 5_000 + n)));
    }
    assert_eq!(counts(&mut world), (Some(3), Some(3)));
    world.one("message.created", "in_1:live", &message(None));
    assert_eq!(counts(&mut world), (Some(4), Some(3)));
    // The bridge was away for a week and tells what was said meanwhile.
    world.now += 7 * 86_400_000;
    world.one("message.created", "in_1:missed", &message(Some(T0 + 86_400_000)));
    assert_eq!(counts(&mut world), (Some(5), Some(3)));
    world.one("message.created", "in_1:old0", &message(Some(T0 - 5_000)));
    assert_eq!(counts(&mut world), (Some(5), Some(3)), "a row that is there already counts once");
}

#[test]
fn when_the_hub_first_saw_a_conversation_is_not_for_an_instance_to_say() {
    let mut world = World::with_conversation();
    let seen = |world: &mut World| {
        let (text, _) = world.entity(&Scope::Org, "conversation/in_1:c").unwrap();
        crate::ledger::json::string(&text, "firstSeenAt").map(String::from)
    };
    let before = seen(&mut world);
    assert_eq!(before, Some(UnixMillis(T0).to_string()));
    world.now += 1_000;
    let data = r#"{"instanceId":"in_1","agentId":"in_1:main","address":{"kind":"session","sessionKey":"k"},"firstSeenAt":"2030-01-01T00:00:00.000Z","importedCount":9,"derivedTitle":"T"}"#;
    world.one("conversation.upserted", CONVERSATION, data);
    assert_eq!((seen(&mut world), counts(&mut world)), (before, (None, None)));
}

#[test]
fn somebody_new_has_nothing_unread() {
    let mut world = World::with_conversation();
    for n in 0..2 {
        world.one("message.created", &format!("in_1:m{n}"), &message(None));
    }
    let member = MemberId::new("mb_9").unwrap();
    let join = |world: &mut World| {
        world.transact(|ledger| ledger.member_joined(&member, "Zoe", Role::Member)).unwrap()
    };
    let ((), commit) = join(&mut world);
    assert_eq!(
        lines(&commit),
        [
            r#"org member.joined [put member/mb_9] {"joinedAt":"2026-11-18T11:06:40.000Z","name":"Zoe","role":"member"}"#,
            r#"member/mb_9 mark.updated [put mark/in_1:c] {"messageCount":2,"readAt":"2026-11-18T11:06:40.000Z","target":"conversation"}"#,
        ]
    );
    world.one("message.created", "in_1:m2", &message(None));
    let ((), commit) = join(&mut world);
    assert_eq!(lines(&commit), Vec::<String>::new(), "signing in again marks nothing as read");
}

#[test]
fn a_mark_never_goes_beyond_what_is_there_and_never_back() {
    let mut world = World::with_conversation();
    for n in 0..3 {
        world.one("message.created", &format!("in_1:m{n}"), &message(None));
    }
    let read = |world: &mut World, n: u64, count: u64| {
        let data = format!(r#"{{"conversationId":"{CONVERSATION}","messageCount":{count}}}"#);
        assert!(world.command(n, "conversation.markRead", &data).0.accepted.is_some());
        let mark = world.entity(&own_scope(), "mark/in_1:c").map(|(text, _)| text);
        mark.and_then(|text| crate::ledger::json::integer(&text, "messageCount"))
    };
    assert_eq!(read(&mut world, 1, 0), None, "nothing read is nothing written");
    assert_eq!(read(&mut world, 2, 2), Some(2));
    assert_eq!(read(&mut world, 3, 99), Some(3), "what is not there is not read");
    assert_eq!(read(&mut world, 4, 1), Some(3));
    world.one("message.removed", "in_1:m2", "{}");
    assert_eq!(counts(&mut world).0, Some(3), "a message that goes was there all the same");
    assert_eq!(read(&mut world, 5, 3), Some(3));
}

#[test]
fn a_week_offline_changes_nothing_about_what_is_unread() {
    let mut world = World::with_conversation();
    for n in 0..60 {
        world.one("message.created", &format!("in_1:m{n}"), &message(None));
    }
    let data = format!(r#"{{"conversationId":"{CONVERSATION}","messageCount":60}}"#);
    world.command(1, "conversation.markRead", &data);
    world.now += 7 * 86_400_000;
    for n in 60..145 {
        world.one("message.created", &format!("in_1:m{n}"), &message(None));
    }
    // Feed items read by the hundred, and other conversations, do not push the mark out.
    for n in 0..5_u64 {
        let items: Vec<String> = (0..100).map(|i| format!("in_1:f{}", n * 100 + i)).collect();
        for id in &items {
            let item = r#"{"category":"custom","title":"I","occurredAt":"2026-11-18T11:00:00.000Z"}"#;
            world.one("feed.itemAdded", id, item);
        }
        let ids: Vec<String> = items.iter().map(|id| format!(r#""{id}""#)).collect();
        world.command(10 + n, "feed.markRead", &format!(r#"{{"itemIds":[{}]}}"#, ids.join(",")));
    }
    let (mark, live) = world.entity(&own_scope(), "mark/in_1:c").unwrap();
    let read = crate::ledger::json::integer(&mark, "messageCount");
    assert_eq!((read, live, counts(&mut world).0), (Some(60), true, Some(145)), "85 are unread");
}

#[test]
fn what_was_read_on_one_device_is_read_on_the_other_when_it_comes_back() {
    let mut world = World::with_conversation();
    world.one("message.created", "in_1:m", &message(None));
    let position = world.transact(|ledger| ledger.scope(&own_scope())).unwrap().0.head;
    let data = format!(r#"{{"conversationId":"{CONVERSATION}","messageCount":1}}"#);
    let (_, commit) = world.command(1, "conversation.markRead", &data);
    let missed: Vec<String> = commit
        .appended
        .iter()
        .filter(|event| event.scope == own_scope() && event.seq > position)
        .map(|event| line(&event.text))
        .collect();
    assert_eq!(
        missed,
        [
            r#"member/mb_1 mark.updated [put mark/in_1:c] {"messageCount":1,"readAt":"2026-11-18T11:06:40.000Z","target":"conversation"}"#
        ]
    );
}
