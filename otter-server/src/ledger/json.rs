//! Small canonical objects, and single members of canonical text.

use std::borrow::Cow;
use std::collections::BTreeMap;

use otter_proto::text::{self, Cursor, Members};

/// A canonical object in the making; keys come out sorted.
#[derive(Debug, Clone, Default)]
pub(super) struct Object(BTreeMap<&'static str, String>);

impl Object {
    /// Sets a member to JSON text, which is canonical.
    pub(super) fn raw(mut self, key: &'static str, json: impl Into<String>) -> Self {
        self.0.insert(key, json.into());
        self
    }

    /// Sets a member to a string.
    pub(super) fn string(self, key: &'static str, value: &str) -> Self {
        self.raw(key, quoted(value))
    }

    /// Sets a member to a string when there is one.
    pub(super) fn optional(self, key: &'static str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.string(key, value),
            None => self,
        }
    }

    /// The object with these members besides, or instead of, those of `base`; `null` stays.
    pub(super) fn over(self, base: &str) -> String {
        let mut members: BTreeMap<&str, String> =
            Members::new(base).map(|member| (member.key, member.value.to_owned())).collect();
        members.extend(self.0);
        write(&members)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn build(self) -> String {
        write(&self.0)
    }
}

fn write(members: &BTreeMap<&str, String>) -> String {
    let mut out = String::from("{");
    for (at, (key, value)) in members.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        text::write_string(&mut out, key);
        out.push(':');
        out.push_str(value);
    }
    out.push('}');
    out
}

/// `value` as a JSON string.
pub(super) fn quoted(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    text::write_string(&mut out, value);
    out
}

/// The string at a path; `None` when there is none or it is something else.
pub(super) fn string<'a>(object: &'a str, path: &str) -> Option<Cow<'a, str>> {
    Cursor::new(text::member(object, path)?).string().ok()
}

/// The integer at a path.
pub(super) fn integer(object: &str, path: &str) -> Option<u64> {
    Cursor::new(text::member(object, path)?).u64().ok()
}

/// What turns `old` into exactly `new` when merged: members of objects that `new` lacks become `null`.
pub(super) fn replacing(old: &str, new: &str) -> String {
    if !old.starts_with('{') || !new.starts_with('{') {
        return new.to_owned();
    }
    let mut members: BTreeMap<&str, String> =
        Members::new(old).map(|member| (member.key, "null".to_owned())).collect();
    for member in Members::new(new) {
        let value = match text::member(old, member.key) {
            Some(before) => replacing(before, member.value),
            None => member.value.to_owned(),
        };
        members.insert(member.key, value);
    }
    write(&members)
}

/// `object` without the members `keys`.
pub(super) fn without(object: &str, keys: &[&str]) -> String {
    let kept: Vec<&str> =
        Members::new(object).filter(|member| !keys.contains(&member.key)).map(|member| member.text).collect();
    format!("{{{}}}", kept.join(","))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn objects_come_out_canonical() {
        let object = Object::default().string("b", "x\"").raw("a", "1").optional("c", None);
        assert_eq!(object.build(), r#"{"a":1,"b":"x\""}"#);
        assert_eq!(Object::default().build(), "{}");
    }

    #[test]
    fn members_are_laid_over_others() {
        let over = Object::default().raw("b", "null").string("d", "x");
        assert_eq!(over.over(r#"{"a":null,"b":1,"c":2}"#), r#"{"a":null,"b":null,"c":2,"d":"x"}"#);
    }

    #[test]
    fn replacing_leaves_nothing_of_the_old() {
        let old = r#"{"author":{"id":"a","name":"A"},"head":"x"}"#;
        let new = r#"{"author":{"id":"b"},"sentAt":"1"}"#;
        let patch = replacing(old, new);
        assert_eq!(patch, r#"{"author":{"id":"b","name":null},"head":null,"sentAt":"1"}"#);
        assert_eq!(text::merge(old, &patch), new);
    }

    #[test]
    fn members_can_be_left_out() {
        assert_eq!(without(r#"{"a":1,"b":{"c":2},"d":3}"#, &["a", "d", "x"]), r#"{"b":{"c":2}}"#);
    }
}
