//! The example exchanges of `docs/protocol.md`: what the page shows can be read.

use otter_proto::frame::{ClientFrame, HubFrame};
use otter_proto::kind::{check_command, check_event};
use serde_json::Value;

use crate::files::root;

/// The frames of the page by who sends them (`>` the client, `<` the hub), with what they leave out filled in.
fn examples() -> Vec<(char, String)> {
    let page = std::fs::read_to_string(root().join("docs/protocol.md")).unwrap();
    let mut found: Vec<(char, String)> = Vec::new();
    let mut goes_on = false;
    for line in page.lines() {
        let code = line.strip_prefix("    ").unwrap_or_default();
        match code.get(..3) {
            Some("> {") => found.push(('>', code[2..].to_owned())),
            Some("< {") => found.push(('<', code[2..].to_owned())),
            Some("   ") if goes_on => found.last_mut().unwrap().1.push_str(code.trim_start()),
            _ => {
                goes_on = false;
                continue;
            }
        }
        goes_on = true;
    }
    let whole = |text: String| {
        text.replace(",…", "").replace("{…,", "{").replace("{…}", "{}").replace("[…]", "[]").replace('…', "x")
    };
    found.into_iter().map(|(from, text)| (from, whole(text))).collect()
}

#[test]
fn every_frame_of_the_page_can_be_read() {
    let examples = examples();
    assert!(examples.len() >= 19, "{}", examples.len());
    for (from, text) in examples {
        let json: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        if from == '>' {
            ClientFrame::decode(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        } else if json["type"] != "welcome" {
            // The page says of a welcome only what it speaks about there.
            HubFrame::decode(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        }
        if json["type"] == "command" {
            let (kind, data) = (json["kind"].as_str().unwrap(), json["data"].to_string());
            check_command(kind, &data).expect("known").unwrap_or_else(|error| panic!("{error:?}: {text}"));
        }
        for event in json["events"].as_array().into_iter().flatten() {
            let Some(kind) = event["kind"].as_str() else { continue };
            check_event(kind, &event["data"].to_string())
                .expect("known")
                .unwrap_or_else(|error| panic!("{error:?}: {event}"));
        }
    }
}
