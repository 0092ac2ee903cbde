//! Events of the translation as the outbox takes them.

use otter_proto::event::NewEvent;
use otter_proto::id::{CommandId, EventId};
use otter_proto::wire::Json;
use serde_json::Value;
use uuid::Uuid;

use crate::openclaw::Publish;

/// Gives an event its id. A text that no hub would take is cut to its head.
pub(super) fn new_event(publish: Publish) -> Option<NewEvent> {
    let Publish { kind, subject, conversation, caused_by, observed_at, mut data } = publish;
    fit(&mut data);
    Some(NewEvent {
        id: EventId::new(&format!("ev_{}", Uuid::now_v7())).ok()?,
        kind: kind.to_owned(),
        subject,
        conversation,
        caused_by: caused_by.and_then(|id| CommandId::new(&id).ok()),
        observed_at,
        data: Json::trusted(data.to_string()),
        effects: None,
    })
}

/// Shortens `text` until the event is sure to fit, and says so.
fn fit(data: &mut Value) {
    let Some(text) = data.get("text").and_then(Value::as_str) else { return };
    // Escapes make JSON text longer than what it stands for, at most six times.
    let escaped = |text: &str| Value::from(text).to_string().len();
    if escaped(text) <= MAX_TEXT {
        return;
    }
    let mut head = text;
    while escaped(head) > MAX_TEXT {
        let half = head.len() - head.len() / 8 - 1;
        head = head.get(..head.floor_char_boundary(half)).unwrap_or_default();
    }
    let head = head.to_owned();
    data["text"] = head.into();
    data["truncated"] = true.into();
}

/// Leaves room for the other fields below the 512 KiB that every hub takes.
const MAX_TEXT: usize = 480 << 10;

#[cfg(test)]
mod tests {
    use otter_proto::id::EntityId;
    use otter_proto::limits::Limits;
    use otter_proto::wire::Wire as _;
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::*;

    fn written(text: &str) -> (usize, Value) {
        let publish = Publish {
            kind: "message.created",
            subject: EntityId::new("in_1:m").unwrap(),
            conversation: None,
            caused_by: Some("not an id".into()),
            observed_at: None,
            data: json!({"text": text, "status": "complete"}),
        };
        let mut out = String::new();
        let event = new_event(publish).unwrap();
        event.write(&mut out);
        (out.len(), serde_json::from_str(event.data.as_str()).unwrap())
    }

    #[test]
    fn a_text_that_no_hub_takes_is_cut_between_characters_and_marked() {
        for text in ["😀".repeat(300_000), "\u{1}".repeat(300_000), "\"".repeat(600_000)] {
            let (bytes, data) = written(&text);
            assert!(bytes as u64 <= Limits::V1.event_bytes, "{bytes}");
            let kept = data["text"].as_str().unwrap();
            assert!(text.starts_with(kept) && bytes > 300_000);
            assert_eq!(data["truncated"], true);
        }
        assert_eq!(written("short").1, json!({"text": "short", "status": "complete"}));
    }
}
