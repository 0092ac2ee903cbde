//! Walking over the members of canonical text, without checks, allocation or tree.

use crate::text::split_at_byte;

/// The members of a canonical object as (key, value) slices. Anything that is not an object has none.
#[derive(Debug, Clone)]
pub struct Members<'a> {
    rest: &'a str,
}

/// One member of a canonical object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member<'a> {
    /// The key without its quotes.
    pub key: &'a str,
    /// The value.
    pub value: &'a str,
    /// `"key":value`.
    pub text: &'a str,
}

impl<'a> Members<'a> {
    /// The members of `object`, which is canonical text.
    pub fn new(object: &'a str) -> Self {
        Self { rest: object.strip_prefix('{').unwrap_or_default() }
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = Member<'a>;

    fn next(&mut self) -> Option<Member<'a>> {
        let text = self.rest;
        let key_end = string_end(text.as_bytes(), 0)?;
        let value_start = key_end + 1;
        let value_end = value_end(text.as_bytes(), value_start)?;
        self.rest = text.get(value_end + 1..).unwrap_or_default();
        Some(Member {
            key: text.get(1..key_end - 1)?,
            value: text.get(value_start..value_end)?,
            text: text.get(..value_end)?,
        })
    }
}

/// The value at a path of keys such as `lastMessage.sentAt`, as its JSON text. `text` is canonical, or at least
/// free of white space and of escapes in keys.
pub fn member<'a>(text: &'a str, path: &str) -> Option<&'a str> {
    let (first, rest) = split_at_byte(path, b'.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let value = Members::new(text).find(|member| member.key == first)?.value;
    rest.map_or(Some(value), |rest| member(value, rest))
}

/// The string at a path, where it is one and has no escapes: an id, a word, an instant.
pub fn member_word<'a>(text: &'a str, path: &str) -> Option<&'a str> {
    let word = member(text, path)?.strip_prefix('"')?.strip_suffix('"')?;
    word.bytes().all(|byte| byte != b'\\').then_some(word)
}

/// The end of the string that starts at `at`.
fn string_end(text: &[u8], at: usize) -> Option<usize> {
    if text.get(at) != Some(&b'"') {
        return None;
    }
    let mut at = at + 1;
    loop {
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// The end of the value that starts at `at`.
fn value_end(text: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_u32;
    loop {
        match text.get(at)? {
            b'"' => {
                at = string_end(text, at)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' | b',' if depth == 0 => return Some(at),
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn members_come_in_order_as_slices() {
        let text = r#"{"a":[1,{"b":"]"}],"b":"x\"},y","c":{"d":{}},"e":-1.5e-7,"f":null}"#;
        let found: Vec<_> = Members::new(text).map(|m| (m.key, m.value)).collect();
        let want = [
            ("a", r#"[1,{"b":"]"}]"#),
            ("b", r#""x\"},y""#),
            ("c", r#"{"d":{}}"#),
            ("e", "-1.5e-7"),
            ("f", "null"),
        ];
        assert_eq!(found, want);
    }

    #[test]
    fn a_path_finds_a_nested_member() {
        let text = r#"{"lastMessage":{"id":"m","sentAt":"2026"},"messageCount":3}"#;
        assert_eq!(member(text, "lastMessage.sentAt"), Some("\"2026\""));
        assert_eq!(member(text, "messageCount"), Some("3"));
        assert_eq!(member(text, "lastMessage.text"), None);
        assert_eq!(member(text, "messageCount.x"), None);
    }

    #[test]
    fn other_text_has_no_members() {
        for text in
            ["", "{}", "[1]", "null", "{", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":\"", "{\"a\\"]
        {
            assert_eq!(Members::new(text).count(), 0, "{text}");
        }
    }
}
