//! Feed items that agents push through the plugin.

use serde_json::{Map, Value, json};

use crate::openclaw::json::Fields as _;
use crate::openclaw::observed::Observed;
use crate::openclaw::time::{Now, UnixMillis};
use crate::openclaw::translate::{Output, Publish, Want, grouped, head, head_of_chars, org};

/// A frame of the plugin. One without the item only says that there is something to read.
pub(super) fn translate(observed: &mut Observed, payload: &Value, now: Now) -> Vec<Output> {
    if payload.field("item").is_null() {
        return vec![Output::Rpc(Want::Feed)];
    }
    grouped(added(observed, payload.field("item"), now).into_iter().collect())
}

/// Publishes those of the plugin's list that are new.
pub(crate) fn feed(observed: &mut Observed, items: &[Value], now: Now) -> Vec<Output> {
    grouped(items.iter().filter_map(|item| added(observed, item, now)).collect())
}

fn added(observed: &mut Observed, item: &Value, now: Now) -> Option<Publish> {
    let Some(id) = item.text("id") else {
        tracing::warn!("a feed item without an id was left out");
        return None;
    };
    if !observed.note_item(id) {
        return None;
    }
    match read(observed, item, now) {
        Ok(data) => Some(org("feed.itemAdded", observed.names.entity(id), now.wall, data)),
        Err(why) => {
            tracing::warn!(id, why, "a feed item was left out");
            None
        }
    }
}

fn read(observed: &Observed, item: &Value, now: Now) -> Result<Value, &'static str> {
    let category = item.text("category").or(item.text("kind")).ok_or("it has no category")?;
    if !CATEGORIES.contains(&category) {
        return Err("its category is none of email, market, social, alert, custom");
    }
    let title =
        item.text("title").map(str::trim).filter(|title| !title.is_empty()).ok_or("it has no title")?;
    let mut data = Map::new();
    let mut set = |name: &str, value: Value| drop(data.insert(name.to_owned(), value));
    set("category", category.into());
    set("title", head_of_chars(title, MAX_TITLE).into());
    for (name, limit) in TEXTS {
        if let Some(text) = item.text(name) {
            set(name, head(text, limit).into());
        }
    }
    if let Some(url) = item.text("url").filter(|url| url.starts_with("https://") && url.len() <= MAX_URL) {
        set("url", url.into());
    }
    if let Some(severity) = item.text("severity").filter(|word| SEVERITIES.contains(word)) {
        set("severity", severity.into());
    }
    if let Some(agent) = item.text("agentId") {
        set("agentId", json!(observed.names.entity(agent)));
    }
    let detail = item
        .owned("detail")
        .or_else(|| item.field("detail").is_object().then(|| item.field("detail").to_string()));
    if let Some(detail) = detail {
        set("detail", if detail.len() > MAX_DETAIL { CUT.into() } else { detail.into() });
    }
    let at = item.int("ts").map_or_else(|| observed.wall(now), |at| observed.corrected(UnixMillis(at)));
    set("instanceId", json!(observed.instance()));
    set("occurredAt", json!(at));
    Ok(fit(data))
}

/// Gives up detail, then text, until the item is sure to be kept as one entity.
fn fit(mut data: Map<String, Value>) -> Value {
    let bytes = |data: &Map<String, Value>| json!(data).to_string().len();
    if bytes(&data) > MAX_ITEM && data.contains_key("detail") {
        data.insert("detail".into(), CUT.into());
    }
    while bytes(&data) > MAX_ITEM {
        let body = data.get("body").and_then(Value::as_str).filter(|body| body.len() >= MIN_BODY);
        let shorter = body.map(|body| head(body, body.len() * 7 / 8));
        let had_body = data.remove("body").is_some();
        match shorter {
            Some(shorter) => drop(data.insert("body".into(), shorter.into())),
            None if had_body => {}
            None => break,
        }
    }
    Value::Object(data)
}

const CATEGORIES: [&str; 5] = ["email", "market", "social", "alert", "custom"];
const SEVERITIES: [&str; 3] = ["info", "warning", "critical"];
const TEXTS: [(&str, usize); 6] =
    [("body", 6 << 10), ("from", 300), ("handle", 100), ("symbol", 40), ("price", 60), ("change", 60)];
const MAX_TITLE: usize = 300;
const MAX_URL: usize = 1_000;
const MAX_DETAIL: usize = 4 << 10;
/// What stands for a detail that is too long: JSON cannot be cut.
const CUT: &str = r#"{"truncated":true}"#;
/// Leaves room below the 8 KiB that a hub keeps of an entity.
const MAX_ITEM: usize = 7 << 10;
const MIN_BODY: usize = 64;
