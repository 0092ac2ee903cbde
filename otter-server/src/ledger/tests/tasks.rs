use pretty_assertions::assert_eq;

use super::*;

/// A hub with a person's task, as the command that made it named it.
fn with_task(data: &str) -> (World, String) {
    let mut world = World::with_conversation();
    let (reply, _) = world.command(1, "task.create", data);
    assert_eq!(reply.refused, None);
    (world, format!("hub:{}", command_id(1)))
}

fn handed_over(world: &mut World, n: u64, task: &str) -> String {
    world.attached.insert(instance());
    let data = format!(r#"{{"conversationId":"{CONVERSATION}","taskId":"{task}"}}"#);
    let (reply, commit) = world.command(n, "task.dispatch", &data);
    assert_eq!(reply.refused, None);
    commit.dispatch[0].1.data.as_str().to_owned()
}

#[test]
fn a_task_is_handed_over_with_the_words_that_the_agent_is_told() {
    for (task, words) in [
        (r#"{"title":"Write tests"}"#, "Write tests"),
        (r#"{"title":"Write tests","description":"All of them."}"#, r"Write tests\n\nAll of them."),
    ] {
        let (mut world, id) = with_task(task);
        let expected = format!(r#"{{"conversationId":"in_1:c","taskId":"{id}","text":"{words}"}}"#);
        assert_eq!(handed_over(&mut world, 2, &id), expected);
        world.attached.clear();
        let (open, _) = world.transact(|ledger| ledger.outstanding(&instance())).unwrap();
        assert_eq!(open[0].data.as_str(), expected, "told again after a restart");
    }
}

#[test]
fn the_instance_moves_the_task_that_was_handed_to_it_and_no_other() {
    let (mut world, id) = with_task(r#"{"title":"Write tests"}"#);
    handed_over(&mut world, 2, &id);
    let moved = |world: &mut World, by: u64| {
        let data = r#"{"status":"inProgress","runId":"in_1:r"}"#;
        let cause = format!(r#""causedBy":"{}","data""#, command_id(by));
        let event = world.event("task.upserted", &id, data).replacen(r#""data""#, &cause, 1);
        let n = world.next_n[1];
        world.next_n[1] += 1;
        world.publish(&publish(Lane::Main, 1, n, &[event])).0.rejected.len()
    };
    assert_eq!((moved(&mut world, 2), moved(&mut world, 1)), (0, 1));
}
