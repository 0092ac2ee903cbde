//! What the types of payloads cannot say: how long texts and lists are, and words that are fixed.
//!
//! One table, for the hub's door and for the published schema.

use std::borrow::Cow;

use crate::kind::InvalidData;
use crate::text::{Cursor, member};

/// What a member has to be. `null` and an absent member satisfy every rule but [`Rule::Is`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Exactly this word.
    Is(&'static str),
    /// A text of so many characters.
    Characters(usize, usize),
    /// A text of so many bytes of UTF-8.
    Bytes(usize, usize),
    /// A list of so many items.
    Items(usize, usize),
}

/// The rules of events: kind, member, rule.
pub const EVENT_RULES: &[(&str, &str, Rule)] = &[
    ("instance.connected", "connection", Rule::Is("online")),
    ("instance.disconnected", "connection", Rule::Is("offline")),
    ("session.ended", "status", Rule::Is("ended")),
    ("conversation.updated", "title", Rule::Characters(1, 200)),
    ("conversation.updated", "folder", Rule::Characters(1, 80)),
    ("run.started", "state", Rule::Is("running")),
    ("run.completed", "state", Rule::Is("completed")),
    ("run.failed", "state", Rule::Is("failed")),
    ("run.aborted", "state", Rule::Is("aborted")),
    ("step.recorded", "outputHead", Rule::Bytes(0, 4 << 10)),
    ("task.upserted", "title", Rule::Characters(1, 300)),
    ("task.upserted", "description", Rule::Bytes(0, 6 << 10)),
    ("task.upserted", "summary", Rule::Characters(0, 1_000)),
    ("task.dispatched", "status", Rule::Is("queued")),
    ("approval.requested", "command", Rule::Bytes(0, 6 << 10)),
    ("approval.requested", "state", Rule::Is("pending")),
    ("approval.decided", "state", Rule::Is("decided")),
    ("approval.resolved", "state", Rule::Is("resolved")),
    ("approval.expired", "state", Rule::Is("expired")),
    ("approval.reopened", "state", Rule::Is("pending")),
    ("feed.itemAdded", "title", Rule::Characters(1, 300)),
    ("feed.itemAdded", "body", Rule::Bytes(0, 6 << 10)),
    ("feed.itemAdded", "detail", Rule::Bytes(0, 4 << 10)),
    ("feed.itemUpdated", "title", Rule::Characters(1, 300)),
    ("feed.itemUpdated", "body", Rule::Bytes(0, 6 << 10)),
    ("activity.recorded", "title", Rule::Characters(1, 300)),
    ("activity.recorded", "detail", Rule::Bytes(0, 4 << 10)),
    ("repo.pushed", "commits", Rule::Items(0, 20)),
];

/// The rules of commands. The hub refuses a command that breaks one with a sentence of its own.
pub const COMMAND_RULES: &[(&str, &str, Rule)] = &[
    ("message.send", "text", Rule::Bytes(1, 200 << 10)),
    ("task.create", "title", Rule::Characters(1, 300)),
    ("task.create", "description", Rule::Bytes(0, 6 << 10)),
    ("task.update", "title", Rule::Characters(1, 300)),
    ("task.update", "description", Rule::Bytes(0, 6 << 10)),
    ("task.dispatch", "text", Rule::Bytes(1, 200 << 10)),
    ("feed.markRead", "itemIds", Rule::Items(1, 100)),
    ("feed.archive", "itemIds", Rule::Items(1, 100)),
    ("conversation.update", "title", Rule::Characters(1, 200)),
    ("conversation.update", "folder", Rule::Characters(1, 80)),
];

/// Checks the rules of an event's kind on data that has its types, as canonical text.
pub(super) fn check(kind: &str, data: &str) -> Result<(), InvalidData> {
    for (_, name, rule) in EVENT_RULES.iter().filter(|(of, ..)| *of == kind) {
        let Some(value) = member(data, name).filter(|value| *value != "null" || matches!(rule, Rule::Is(_)))
        else {
            continue;
        };
        if let Some(message) = broken(*rule, value) {
            return Err(InvalidData { pointer: format!("/{name}"), message });
        }
    }
    Ok(())
}

/// What is wrong with a value.
fn broken(rule: Rule, value: &str) -> Option<String> {
    let text = || Cursor::new(value).string().unwrap_or(Cow::Borrowed(""));
    let outside = |len: usize, least: usize, most: usize, unit: &str| {
        (!(least..=most).contains(&len)).then(|| format!("{len} {unit}; send {least} to {most}"))
    };
    match rule {
        Rule::Is(word) => (text() != word).then(|| format!("this is always `{word}`")),
        Rule::Characters(least, most) => outside(text().chars().count(), least, most, "characters"),
        Rule::Bytes(least, most) => outside(text().len(), least, most, "bytes"),
        Rule::Items(least, most) => {
            let mut len = 0;
            let read = Cursor::new(value).array(&mut |cursor| {
                len += 1;
                cursor.value().map(|_| ())
            });
            read.is_ok().then_some(()).and_then(|()| outside(len, least, most, "items"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_counted_in_their_unit() {
        assert_eq!(broken(Rule::Characters(1, 2), "\"\u{1f9a6}\\u00e9\""), None);
        assert!(broken(Rule::Characters(1, 2), "\"abc\"").is_some());
        assert!(broken(Rule::Characters(1, 2), "\"\"").is_some());
        assert!(broken(Rule::Bytes(0, 3), "\"\u{1f9a6}\"").is_some());
        assert_eq!(broken(Rule::Items(0, 2), "[[1,2,3],{}]"), None);
        assert!(broken(Rule::Items(0, 2), "[1,2,3]").is_some());
    }

    #[test]
    fn a_broken_rule_is_pointed_at_and_null_removes() {
        let error = check("run.completed", r#"{"endedAt":"x","state":"failed"}"#).unwrap_err();
        assert_eq!(
            (error.pointer.as_str(), error.message.as_str()),
            ("/state", "this is always `completed`")
        );
        assert_eq!(check("task.upserted", r#"{"summary":null}"#), Ok(()));
        assert!(check("task.upserted", &format!("{{\"summary\":\"{}\"}}", "x".repeat(1_001))).is_err());
    }
}
