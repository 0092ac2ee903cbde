//! Whether a schema may follow another one within v1, definition by definition.
//!
//! A definition is looked at from the side of who relies on it. What the hub or an instance *sends* must still be
//! accepted by readers of the old schema; what it *accepts* must still contain everything a writer of the old schema may
//! send. The keywords are those that our generator writes; a change of any other is a break, because nobody has
//! thought about it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Who relies on a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Readers of the old schema get values of the new one.
    Sent,
    /// Writers by the old schema send to a reader of the new one.
    Accepted,
    /// Both.
    Shared,
}

/// Words without a meaning for validation.
const PROSE: &[&str] = &[
    "description",
    "title",
    "x-words",
    "deprecated",
    "x-since",
    "x-unit",
    "discriminator",
    "x-discriminator",
];

/// What breaks when `new` follows `old`, one sentence each with the place inside the definition.
pub(super) fn compare(name: &str, side: Side, old: &Value, new: &Value) -> Vec<String> {
    let mut walk = Walk { side, place: name.to_owned(), found: Vec::new() };
    walk.schema(old, new);
    walk.found
}

struct Walk {
    side: Side,
    place: String,
    found: Vec<String>,
}

impl Walk {
    fn breaks(&mut self, what: impl Into<String>) {
        let what = what.into();
        self.found.push(format!("{}: {what}", self.place));
    }

    fn sent(&self) -> bool {
        self.side != Side::Accepted
    }

    fn accepted(&self) -> bool {
        self.side != Side::Sent
    }

    fn at(&mut self, step: &str, old: &Value, new: &Value) {
        let length = self.place.len();
        self.place.push('/');
        self.place.push_str(step);
        self.schema(old, new);
        self.place.truncate(length);
    }

    fn schema(&mut self, old: &Value, new: &Value) {
        let (Some(old), Some(new)) = (old.as_object(), new.as_object()) else {
            if old != new {
                self.breaks("changed altogether");
            }
            return;
        };
        self.types(old, new);
        self.words(old, new);
        self.bounds(old, new);
        self.members(old, new);
        for keyword in ["items", "additionalProperties", "propertyNames"] {
            match (old.get(keyword), new.get(keyword)) {
                (Some(old), Some(new)) => self.at(keyword, old, new),
                (None, None) => {}
                _ => self.breaks(format!("`{keyword}` came or went")),
            }
        }
        for keyword in ["anyOf", "oneOf"] {
            if old.get("x-open").is_none() || new.get("x-open").is_none() {
                self.arms(keyword, old, new);
            }
        }
        self.others(old, new);
    }

    fn types(&mut self, old: &Map<String, Value>, new: &Map<String, Value>) {
        for keyword in ["$ref", "const", "pattern", "format"] {
            if old.get(keyword) != new.get(keyword) {
                self.breaks(format!("`{keyword}` changed"));
            }
        }
        let set = |schema: &Map<String, Value>| -> BTreeSet<String> {
            if schema.contains_key("x-open") {
                return BTreeSet::from(["string".to_owned()]);
            }
            match schema.get("type") {
                Some(Value::String(word)) => BTreeSet::from([word.clone()]),
                Some(Value::Array(words)) => {
                    words.iter().filter_map(Value::as_str).map(str::to_owned).collect()
                }
                _ => BTreeSet::new(),
            }
        };
        let (old, new) = (set(old), set(new));
        if self.sent() && new.difference(&old).next().is_some() {
            self.breaks("a type was added that readers do not expect");
        }
        if self.accepted() && old.difference(&new).next().is_some() {
            self.breaks("a type is not taken any more");
        }
    }

    /// Sets of words: closed ones stay as they are for readers; an open one may grow.
    fn words(&mut self, old: &Map<String, Value>, new: &Map<String, Value>) {
        let is_open = |schema: &Map<String, Value>| schema.get("x-open").is_some();
        let set = |schema: &Map<String, Value>| -> Option<BTreeSet<String>> {
            let listed = schema.get("enum").or_else(|| schema.get("anyOf")?.get(0)?.get("enum"))?;
            Some(listed.as_array()?.iter().map(Value::to_string).collect())
        };
        if is_open(old) && !is_open(new) {
            self.breaks("an open set of words was closed");
        }
        if !is_open(old) && is_open(new) && self.sent() {
            self.breaks("a closed set of words was opened");
        }
        match (set(old), set(new)) {
            (Some(before), Some(after)) => {
                if self.sent() && !is_open(old) && after.difference(&before).next().is_some() {
                    self.breaks("a closed set of words grew");
                }
                if self.accepted() && before.difference(&after).next().is_some() {
                    self.breaks("a word is not taken any more");
                }
                if is_open(old) && before.difference(&after).next().is_some() {
                    self.breaks("a known word was removed");
                }
            }
            (Some(_), None) if self.sent() => self.breaks("a set of words became any text"),
            (None, Some(_)) if self.accepted() => self.breaks("any text became a set of words"),
            (None | Some(_), None) | (None, Some(_)) => {}
        }
    }

    fn bounds(&mut self, old: &Map<String, Value>, new: &Map<String, Value>) {
        // (keyword, whether a greater value takes more)
        let bounds = [
            ("minimum", false),
            ("maximum", true),
            ("minLength", false),
            ("maxLength", true),
            ("minItems", false),
            ("maxItems", true),
            ("maxProperties", true),
            ("x-maxBytes", true),
        ];
        for (keyword, greater_is_wider) in bounds {
            let unbounded = if greater_is_wider { f64::INFINITY } else { f64::NEG_INFINITY };
            let value = |schema: &Map<String, Value>| {
                schema.get(keyword).and_then(Value::as_f64).unwrap_or(unbounded)
            };
            let (old, new) = (value(old), value(new));
            let narrower = if greater_is_wider { new < old } else { new > old };
            if narrower && self.accepted() {
                self.breaks(format!("`{keyword}` takes less"));
            }
            // Higher limits are announced and additive; a lower least is not.
            let wider = if greater_is_wider { new > old } else { new < old };
            if wider && self.sent() && !greater_is_wider {
                self.breaks(format!("`{keyword}` lets more through"));
            }
        }
    }

    fn members(&mut self, old: &Map<String, Value>, new: &Map<String, Value>) {
        let none = Map::new();
        let properties = |schema: &'_ Map<String, Value>| {
            schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_else(|| none.clone())
        };
        let required = |schema: &Map<String, Value>| -> BTreeSet<String> {
            let listed = schema.get("required").and_then(Value::as_array);
            listed.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let (before, after) = (properties(old), properties(new));
        for (name, schema) in &before {
            match after.get(name) {
                Some(now) => self.at(name, schema, now),
                None => self.breaks(format!("member `{name}` was removed or renamed")),
            }
        }
        let (old, new) = (required(old), required(new));
        for name in old.difference(&new).filter(|name| after.contains_key(*name)) {
            if self.sent() {
                self.breaks(format!("member `{name}` is not always there any more"));
            }
        }
        for name in new.difference(&old) {
            if self.accepted() {
                self.breaks(format!("member `{name}` has to be there"));
            }
        }
    }

    /// Arms of a union: what readers meet may not grow where they have to know all arms.
    fn arms(&mut self, keyword: &str, old: &Map<String, Value>, new: &Map<String, Value>) {
        let arms = |schema: &Map<String, Value>| -> BTreeSet<String> {
            let listed = schema.get(keyword).and_then(Value::as_array);
            listed.into_iter().flatten().map(|arm| prose_free(arm).to_string()).collect()
        };
        let (old, new) = (arms(old), arms(new));
        if self.sent() && new.difference(&old).next().is_some() {
            self.breaks(format!("`{keyword}` has an arm that readers do not know"));
        }
        if self.accepted() && old.difference(&new).next().is_some() {
            self.breaks(format!("`{keyword}` does not take an arm any more"));
        }
    }

    /// A keyword that nobody has thought about may not come, go or change.
    fn others(&mut self, old: &Map<String, Value>, new: &Map<String, Value>) {
        let known = [
            "$ref",
            "const",
            "pattern",
            "format",
            "type",
            "enum",
            "x-open",
            "anyOf",
            "oneOf",
            "minimum",
            "maximum",
            "minLength",
            "maxLength",
            "minItems",
            "maxItems",
            "maxProperties",
            "x-maxBytes",
            "properties",
            "required",
            "items",
            "additionalProperties",
            "propertyNames",
        ];
        let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for key in keys {
            let thought_of = known.contains(&key.as_str()) || PROSE.contains(&key.as_str());
            if !thought_of && old.get(key) != new.get(key) {
                self.breaks(format!("`{key}` changed"));
            }
        }
    }
}

fn prose_free(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(object) = schema.as_object_mut() {
        object.retain(|key, _| !PROSE.contains(&key.as_str()));
    }
    schema
}

#[cfg(test)]
mod tests;
