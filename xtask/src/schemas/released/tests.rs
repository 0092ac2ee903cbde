use serde_json::json;

use super::*;

/// The present contract.
fn present() -> Contract {
    let files = otter_proto::schema::files();
    let read = |name: &str| {
        let file = files.iter().find(|file| file.path.ends_with(name)).expect("a generated file");
        serde_json::from_str(&file.text).expect("JSON")
    };
    Contract { bundle: read("/otter.schema.json"), catalogue: read("/catalogue.json") }
}

fn changed(change: impl FnOnce(&mut Contract)) -> Vec<String> {
    let old = present();
    let mut new = present();
    change(&mut new);
    old.broken_by(&new)
}

fn row<'a>(contract: &'a mut Contract, part: &str, key: &str, name: &str) -> &'a mut Value {
    let rows = contract.catalogue[part].as_array_mut().expect("rows");
    rows.iter_mut().find(|row| row[key] == name).expect("a row")
}

fn drop_row(contract: &mut Contract, part: &str, key: &str, name: &str) {
    contract.catalogue[part].as_array_mut().expect("rows").retain(|row| row[key] != name);
}

fn member<'a>(contract: &'a mut Contract, def: &str, name: &str) -> &'a mut Value {
    &mut contract.bundle["$defs"][def]["properties"][name]
}

fn drop_member(contract: &mut Contract, def: &str, name: &str) {
    contract.bundle["$defs"][def]["properties"].as_object_mut().expect("members").remove(name);
}

fn required<'a>(contract: &'a mut Contract, def: &str) -> &'a mut Vec<Value> {
    contract.bundle["$defs"][def]["required"].as_array_mut().expect("required members")
}

type Change = (&'static str, fn(&mut Contract));

const BREAKS: [Change; 20] = [
    ("a kind goes", |new| drop_row(new, "kinds", "kind", "task.removed")),
    ("a command goes", |new| drop_row(new, "commands", "command", "run.abort")),
    ("a frame goes", |new| drop_row(new, "frames", "frame", "probe")),
    ("an entity type goes", |new| drop_row(new, "entities", "entity", "repo")),
    ("a kind gets another payload", |new| {
        row(new, "kinds", "kind", "run.failed")["payload"] = json!("#/$defs/RunAborted");
    }),
    ("a kind moves to another lane", |new| {
        row(new, "kinds", "kind", "feed.itemAdded")["lane"] = json!("main");
    }),
    ("an entity type moves to another scope", |new| {
        row(new, "entities", "entity", "run")["scope"] = json!("org");
    }),
    ("a list is ordered by another member", |new| {
        row(new, "entities", "entity", "task")["orderKey"] = json!("title");
    }),
    ("a member goes", |new| drop_member(new, "TaskUpserted", "title")),
    ("a member gets another name", |new| {
        let schema = member(new, "MessageCreated", "text").clone();
        drop_member(new, "MessageCreated", "text");
        *member(new, "MessageCreated", "body") = schema;
    }),
    ("a member gets another type", |new| member(new, "MessageEdited", "text")["type"] = json!("integer")),
    ("a member of a command has to be there", |new| required(new, "TaskCreate").push(json!("agentId"))),
    ("a member of an event may be absent", |new| {
        required(new, "MessageCreated").retain(|name| name != "author");
    }),
    ("a member of a frame may be absent", |new| required(new, "PingFrame").retain(|name| name != "epoch")),
    ("a closed set of an event grows", |new| {
        new.bundle["$defs"]["MessageStatus"]["enum"].as_array_mut().expect("words").push(json!("paused"));
    }),
    ("a command takes a word less", |new| {
        new.bundle["$defs"]["ApprovalDecision"]["enum"].as_array_mut().expect("words").pop();
    }),
    ("a command takes a shorter text", |new| member(new, "MessageSend", "text")["maxLength"] = json!(100)),
    ("an announced limit falls", |new| new.catalogue["limits"]["announced"]["windowBytes"] = json!(1024)),
    ("an error code goes", |new| {
        new.catalogue["errorCodes"].as_array_mut().expect("codes").retain(|code| code != "forbidden");
    }),
    ("a close code says another thing", |new| {
        row(new, "closeCodes", "meaning", "The peer does not speak this protocol")["action"] =
            json!("resume");
    }),
];

#[test]
fn every_planted_break_is_found() {
    for (what, change) in BREAKS {
        assert_ne!(changed(change), Vec::<String>::new(), "{what}");
    }
}

const ADDITIONS: [Change; 14] = [
    ("nothing", |_| {}),
    ("a new kind", |new| {
        let mut kind = row(new, "kinds", "kind", "task.removed").clone();
        kind["kind"] = json!("task.starred");
        new.catalogue["kinds"].as_array_mut().expect("rows").push(kind);
        let arms = new.bundle["$defs"]["Event"]["oneOf"].as_array_mut().expect("arms");
        arms.push(json!({ "$ref": "#/$defs/TaskRemovedEvent" }));
    }),
    ("a new command", |new| {
        let mut command = row(new, "commands", "command", "run.abort").clone();
        command["command"] = json!("run.pause");
        new.catalogue["commands"].as_array_mut().expect("rows").push(command);
    }),
    ("a new entity type", |new| {
        let mut entity = row(new, "entities", "entity", "repo").clone();
        entity["entity"] = json!("note");
        new.catalogue["entities"].as_array_mut().expect("rows").push(entity);
    }),
    ("a new frame behind a capability", |new| {
        let mut frame = row(new, "frames", "frame", "drain").clone();
        frame["frame"] = json!("weather");
        frame["capability"] = json!("weather");
        new.catalogue["frames"].as_array_mut().expect("rows").push(frame);
    }),
    ("a new optional member of an event", |new| {
        *member(new, "TaskUpserted", "colour") = json!({ "type": "string", "maxLength": 20 });
    }),
    ("a new optional member of a command", |new| {
        *member(new, "MessageSend", "replyTo") = json!({ "type": "string", "maxLength": 200 });
    }),
    ("a new optional member of a frame", |new| {
        *member(new, "WelcomeFrame", "region") = json!({ "type": "string", "maxLength": 20 });
    }),
    ("a command needs a member less", |new| required(new, "TaskCreate").clear()),
    ("an open set gets a word", |new| {
        new.bundle["$defs"]["FeedCategory"]["anyOf"][0]["enum"]
            .as_array_mut()
            .expect("words")
            .push(json!("weather"));
    }),
    ("limits rise", |new| {
        new.catalogue["limits"]["announced"]["windowBytes"] = json!(1 << 24);
        new.catalogue["limits"]["boots"] = json!(128);
        row(new, "entities", "entity", "feedItem")["window"]["rows"] = json!(500);
        member(new, "MessageSend", "text")["maxLength"] = json!(1 << 20);
    }),
    ("codes come", |new| {
        new.catalogue["errorCodes"].as_array_mut().expect("codes").push(json!("tooWindy"));
        let code = json!({ "code": 4105, "meaning": "Too windy", "action": "backOff" });
        new.catalogue["closeCodes"].as_array_mut().expect("codes").push(code);
    }),
    ("a kind is deprecated", |new| {
        row(new, "kinds", "kind", "repo.pushed")["deprecated"] =
            json!({ "since": "1.4.0", "instead": "activity.recorded" });
    }),
    ("other words about the same", |new| {
        member(new, "MessageSend", "text")["description"] = json!("What is said.");
        new.bundle["$defs"]["RunState"]["x-words"]["running"] = json!("It goes on.");
    }),
];

#[test]
fn every_planted_addition_passes() {
    for (what, change) in ADDITIONS {
        assert_eq!(changed(change), Vec::<String>::new(), "{what}");
    }
}

#[test]
fn what_was_experimental_may_go() {
    let mut old = present();
    row(&mut old, "kinds", "kind", "repo.pushed")["stability"] = json!("experimental");
    let mut new = present();
    drop_row(&mut new, "kinds", "kind", "repo.pushed");
    assert_eq!(old.broken_by(&new), Vec::<String>::new());
}

#[test]
fn a_release_is_kept_once_and_guards_what_follows() {
    let root = tempfile::tempdir().expect("a folder");
    let write = |path: &str, text: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    };
    for file in otter_proto::schema::files() {
        write(&file.path, &file.text);
    }
    write("schemas/v1/fixtures/valid/hub/ping.json", "{}");
    freeze(root.path(), "0.9.0").expect("kept");
    freeze(root.path(), "0.10.0").expect("kept");
    assert!(freeze(root.path(), "0.9.0").is_err(), "a release never changes");
    assert!(root.path().join("schemas/released/v1-0.9.0/fixtures/valid/hub/ping.json").is_file());
    assert!(last_release(root.path()).is_some_and(|path| path.ends_with("v1-0.10.0")));
    assert_eq!(breaks(root.path()).expect("compared"), Vec::<String>::new());

    let mut new = present();
    drop_member(&mut new, "RunError", "message");
    write("schemas/v1/otter.schema.json", &new.bundle.to_string());
    let found = breaks(root.path()).expect("compared");
    assert!(found.iter().any(|fault| fault.contains("member `message` was removed")), "{found:?}");
    assert!(freeze(root.path(), "0.11.0").is_err(), "a break is not released");
}
