//! Tasks of the gateway, runs of its jobs, and feed items of its plugin: each told once.

use otter_client_native::openclaw::{RpcCall, SessionKey};
use otter_proto::kind::check_event;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{MAIN, attached};
use crate::bench::{Bench, World, conversation};

const T: u64 = 1_795_355_000_000;

fn task(id: &str, status: &str) -> Value {
    json!({"id": id, "taskId": id, "kind": "subagent", "runtime": "subagent", "status": status, "title": "research",
        "execution": {"state": "running", "lastActivityAt": T}, "agentId": "main", "sessionKey": MAIN, "ownerKey": MAIN,
        "childSessionKey": "agent:main:subagent:1", "runId": "r2", "createdAt": T, "updatedAt": T, "startedAt": T + 1})
}

fn upserted(task: &Value) -> Value {
    json!({"action": "upserted", "task": task})
}

fn job(run: Option<&str>, status: &str) -> Value {
    json!({"jobId": "j1", "action": "finished", "status": status, "summary": "All is well.", "runId": run, "ts": T + 9_000,
        "job": {"id": "j1", "name": "market", "agentId": "main"}, "runAtMs": T, "durationMs": 9_000,
        "sessionKey": "agent:main:cron:j1:run:u1"})
}

fn item(id: &str) -> Value {
    json!({"id": id, "ts": T, "category": "email", "title": "Invoice due", "body": "on Friday", "from": "ada@example.com",
        "agentId": "main"})
}

fn statuses(bench: &Bench) -> Vec<(String, Value)> {
    bench.of_kind("task.upserted").into_iter().map(|(id, data)| (id, data["status"].clone())).collect()
}

fn valid(bench: &Bench) {
    for event in bench.events() {
        assert_eq!(check_event(event.kind, &event.data.to_string()), Some(Ok(())), "{event:?}");
    }
}

#[test]
fn a_task_is_told_when_its_status_title_or_summary_changes() {
    let mut bench = attached();
    let mut seen = task("t1", "running");
    bench.event("task", &upserted(&seen));
    let place = conversation(&SessionKey::new("agent:main:subagent:1"));
    let expected = json!({
        "title": "research", "status": "inProgress", "origin": "gateway", "taskKind": "subagent",
        "instanceId": "in_test", "agentId": "in_test:main", "conversationId": place, "runId": "in_test:r2",
        "summary": null, "createdAt": "2026-11-22T13:43:20.000Z", "startedAt": "2026-11-22T13:43:20.001Z",
        "endedAt": null,
    });
    assert_eq!(bench.of_kind("task.upserted"), [("t1".to_owned(), expected)]);
    for at in 1..60 {
        seen["execution"]["lastActivityAt"] = (T + at * 1_000).into();
        seen["lastActivity"] = format!("word {at}").into();
        seen["updatedAt"] = (T + at * 1_000).into();
        bench.event("task", &upserted(&seen));
    }
    assert_eq!(bench.of_kind("task.upserted").len(), 1);
    for (field, value) in [("progressSummary", "half"), ("title", "more research"), ("status", "completed")] {
        seen[field] = value.into();
        bench.event("task", &upserted(&seen));
    }
    let told = bench.of_kind("task.upserted");
    assert_eq!(told.len(), 4);
    assert_eq!((&told[1].1["summary"], &told[2].1["title"]), (&json!("half"), &json!("more research")));
    assert_eq!(told[3].1["status"], "done");
    valid(&bench);
}

#[test]
fn the_gateways_words_become_columns_of_the_board() {
    let table = [
        ("queued", "queued"),
        ("running", "inProgress"),
        ("completed", "done"),
        ("failed", "failed"),
        ("timed_out", "failed"),
        ("cancelled", "cancelled"),
    ];
    for (word, column) in table {
        let mut bench = attached();
        bench.event("task", &upserted(&task("t1", word)));
        assert_eq!(statuses(&bench), [("t1".to_owned(), json!(column))]);
    }
}

#[test]
fn odd_tasks_are_left_out_and_long_texts_cut() {
    let mut bench = attached();
    for odd in [
        json!({}),
        json!({"id": "t1"}),
        json!({"id": 7, "status": "running"}),
        task("t1", "dreaming"),
        json!("x"),
    ] {
        bench.event("task", &upserted(&odd));
    }
    bench.event("task", &json!({"action": "sung", "task": task("t1", "running")}));
    let mut internal = task("t1", "running");
    internal["title"] = "[System] Your previous turn was interrupted".into();
    bench.event("task", &upserted(&internal));
    assert_eq!(bench.published(), []);
    let mut long = task("t1", "failed");
    (long["title"], long["error"]) = ("🦦".repeat(400).into(), "x".repeat(5_000).into());
    bench.event("task", &upserted(&long));
    let data = &bench.of_kind("task.upserted")[0].1;
    assert_eq!(data["title"].as_str().unwrap().chars().count(), 300);
    assert_eq!(data["summary"].as_str().unwrap().chars().count(), 1_000);
    assert!(data["summary"].as_str().unwrap().ends_with('…'));
}

#[test]
fn a_deleted_task_is_removed_once() {
    let mut bench = attached();
    bench.event("task", &upserted(&task("t1", "running")));
    for id in ["t1", "t1", "never seen"] {
        bench.event("task", &json!({"action": "deleted", "taskId": id}));
    }
    assert_eq!(bench.of_kind("task.removed"), [("t1".to_owned(), json!({}))]);
}

#[test]
fn the_list_tells_what_was_missed_and_what_is_gone() {
    let mut bench = attached();
    for (id, status) in [("t1", "running"), ("t2", "running"), ("t3", "completed")] {
        bench.event("task", &upserted(&task(id, status)));
    }
    let mut bench = bench.restarted();
    let mut world = World::new("b1");
    world.tasks = json!({"tasks": [task("t4", "queued"), task("t2", "completed")], "nextCursor": "more"});
    bench.attach(&world);
    assert_eq!(statuses(&bench), [("t2".to_owned(), json!("done")), ("t4".to_owned(), json!("queued"))]);
    assert_eq!(bench.of_kind("task.removed"), [], "the list goes on, so t1 may be on its next page");
    world.tasks = json!({"tasks": [task("t4", "queued"), task("t2", "completed")]});
    bench.event("task", &json!({"action": "restored"}));
    assert_eq!(bench.read(&world), [RpcCall::TasksList { limit: 500 }]);
    assert_eq!(
        bench.of_kind("task.removed"),
        [("t1".to_owned(), json!({}))],
        "t3 had ended: it stays on the board"
    );
}

#[test]
fn a_restart_tells_nothing_twice_and_a_hub_that_forgot_everything_anew() {
    let mut world = World::new("b1");
    world.tasks = json!({"tasks": [task("t1", "running")]});
    world.jobs = vec![job(Some("manual:1"), "ok")];
    world.feed = Some(vec![item("i1")]);
    let mut bench = attached();
    bench.attach(&world);
    let kinds = ["task.upserted", "activity.recorded", "feed.itemAdded"];
    assert_eq!(kinds.map(|kind| bench.of_kind(kind).len()), [1, 1, 1]);
    let mut bench = bench.restarted();
    bench.attach(&world);
    bench.event("task", &upserted(&task("t1", "running")));
    bench.event("cron", &job(Some("manual:1"), "ok"));
    bench.event("plugin.otter.feed", &json!({"item": item("i1")}));
    assert_eq!(kinds.map(|kind| bench.of_kind(kind).len()), [0, 0, 0]);
    bench.observed.forget_published();
    bench.attach(&world);
    assert_eq!(kinds.map(|kind| bench.of_kind(kind).len()), [1, 1, 1]);
    valid(&bench);
}

#[test]
fn tasks_and_jobs_of_private_sessions_never_leave_the_machine() {
    let mut bench = Bench::new();
    bench.observed.exclude_sessions(vec![":subagent:".into(), ":cron:".into()]);
    let mut world = World::new("b1");
    let mut cron = task("t2", "running");
    for field in ["sessionKey", "ownerKey", "childSessionKey"] {
        cron[field] = "".into();
    }
    (cron["runtime"], cron["sourceId"]) = ("cron".into(), "j1".into());
    let mut placeless = cron.clone();
    placeless["runtime"] = "cli".into();
    let mut unnamed = job(Some("manual:2"), "ok");
    unnamed["sessionKey"] = Value::Null;
    world.tasks = json!({"tasks": [task("t1", "running"), cron, placeless]});
    world.jobs = vec![job(Some("manual:1"), "ok"), unnamed];
    bench.attach(&world);
    for row in world.tasks["tasks"].as_array().unwrap() {
        bench.event("task", &upserted(row));
    }
    let kinds: Vec<_> = bench.published().into_iter().map(|event| event.0).collect();
    assert!(
        kinds.iter().all(|kind| !kind.starts_with("task.") && !kind.starts_with("activity.")),
        "{kinds:?}"
    );
}

#[test]
fn a_finished_job_is_an_activity_by_the_name_of_its_run() {
    let mut bench = attached();
    for frame in [
        json!({"jobId": "j1", "action": "started", "runAtMs": T}),
        job(Some("manual:1"), "ok"),
        job(None, "error"),
        job(Some("manual:3"), "skipped"),
        json!({"action": "finished"}),
    ] {
        bench.event("cron", &frame);
    }
    let told = bench.of_kind("activity.recorded");
    let expected = json!({
        "title": "market", "category": "cron", "detail": "All is well.", "status": "completed", "instanceId": "in_test",
        "agentId": "in_test:main", "durationMs": 9_000, "occurredAt": "2026-11-22T13:43:29.000Z",
    });
    assert_eq!(told[0], ("cron:manual:1".to_owned(), expected));
    let rest: Vec<_> = told[1..].iter().map(|(id, data)| (id.as_str(), data["status"].clone())).collect();
    assert_eq!(rest, [("cron:j1:1795355000000", json!("failed")), ("cron:manual:3", Value::Null)]);
    valid(&bench);
}

#[test]
fn what_a_job_says_to_nobody_is_not_told() {
    let mut bench = attached();
    let mut quiet = job(Some("manual:1"), "ok");
    quiet["summary"] = "HEARTBEAT_OK".into();
    bench.event("cron", &quiet);
    assert_eq!(bench.of_kind("activity.recorded")[0].1["detail"], Value::Null);
}

#[test]
fn items_of_every_category_reach_the_feed() {
    let mut bench = attached();
    for category in ["email", "market", "social", "alert", "custom"] {
        let mut pushed = item(category);
        pushed["category"] = category.into();
        bench.event("plugin.otter.feed", &json!({"item": pushed}));
    }
    let told = bench.of_kind("feed.itemAdded");
    let expected = json!({
        "category": "email", "title": "Invoice due", "body": "on Friday", "from": "ada@example.com",
        "agentId": "in_test:main", "instanceId": "in_test", "occurredAt": "2026-11-22T13:43:20.000Z",
    });
    assert_eq!((told.len(), &told[0]), (5, &("email".to_owned(), expected)));
    valid(&bench);
}

#[test]
fn odd_items_are_left_out_and_what_is_too_long_is_cut_with_a_mark() {
    let with = |changes: Value| {
        let mut item = item("i1");
        item.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        item
    };
    let left_out = [
        json!({}),
        json!({"id": "i0", "title": "x"}),
        with(json!({"id": ""})),
        with(json!({"id": "i2", "category": "mail"})),
        with(json!({"id": "i3", "title": " "})),
        with(json!({"id": "i4", "title": 7})),
    ];
    let mut bench = attached();
    for item in left_out {
        bench.event("plugin.otter.feed", &json!({"item": item}));
    }
    assert_eq!(bench.published(), []);
    let odd = with(
        json!({"url": "javascript:alert(1)", "severity": "bad", "symbol": 7, "detail": "x".repeat(4_097)}),
    );
    bench.event("plugin.otter.feed", &json!({"item": odd}));
    let data = &bench.of_kind("feed.itemAdded")[0].1;
    assert_eq!(
        (&data["url"], &data["severity"], &data["symbol"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(data["detail"], r#"{"truncated":true}"#);
    for (id, body) in [("long", "🦦".repeat(4_000)), ("escapes", "\u{1}".repeat(6_000))] {
        bench.event(
            "plugin.otter.feed",
            &json!({"item": with(json!({"id": id, "body": body, "detail": {"a": "x".repeat(4_000)}}))}),
        );
    }
    for (_, data) in &bench.of_kind("feed.itemAdded")[1..] {
        assert!(data["body"].as_str().unwrap().ends_with('…') && data.to_string().len() <= 7 << 10, "{data}");
    }
    valid(&bench);
}

#[test]
fn the_plugins_list_is_read_on_attach_and_when_a_frame_brings_no_item() {
    let mut bench = attached();
    let mut world = World::new("b1");
    bench.event("plugin.otter.feed", &json!({"revision": 3}));
    world.feed = Some(vec![item("i1"), item("i2")]);
    assert_eq!(bench.read(&world), [RpcCall::FeedList]);
    assert_eq!(bench.of_kind("feed.itemAdded").len(), 2);
    world.feed = None;
    let calls = bench.attach(&world);
    assert_eq!(
        calls.iter().filter(|call| **call == RpcCall::FeedList).count(),
        1,
        "a missing plugin is asked once"
    );
    assert!(bench.attachment.is_done());
}

#[test]
fn the_job_that_wakes_an_agent_is_no_task_and_no_activity() {
    let mut bench = attached();
    let mut beat = task("t1", "failed");
    beat["runtime"] = "cron".into();
    beat["title"] = "heartbeat-main".into();
    let mut other = beat.clone();
    (other["id"], other["title"]) = ("t2".into(), "heartbeat-report".into());
    for row in [&beat, &other] {
        bench.event("task", &upserted(row));
    }
    assert_eq!(statuses(&bench), [("t2".to_owned(), json!("failed"))]);
    let mut woke = job(Some("run1"), "ok");
    woke["job"]["name"] = "heartbeat-main".into();
    bench.event("cron", &woke);
    assert_eq!(bench.of_kind("activity.recorded"), []);
    bench.event("cron", &job(Some("run2"), "ok"));
    assert_eq!(bench.of_kind("activity.recorded").len(), 1);
}
