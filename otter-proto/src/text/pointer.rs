//! Where in a text an error is, as a JSON pointer. Looked for only after something went wrong.

use crate::text::{Cursor, TextError, TextErrorKind};

impl TextError {
    /// The JSON pointer (RFC 6901) to the member at fault in the `text` that was read; of the deepest one that can be named.
    pub fn pointer(&self, text: &str) -> String {
        // These are noticed behind the value.
        let behind =
            matches!(self.kind(), TextErrorKind::Missing | TextErrorKind::Id | TextErrorKind::Choice);
        let mut pointer = String::new();
        let reads_whole = self.kind() == TextErrorKind::Canonical || self.kind() == TextErrorKind::Syntax;
        if !reads_whole {
            descend(&mut Cursor::new(text), self.at().saturating_sub(usize::from(behind)), &mut pointer);
        }
        if let Some(name) = self.member().filter(|_| self.kind() == TextErrorKind::Missing) {
            push(&mut pointer, name);
        }
        pointer
    }
}

/// Goes down to the value that the place `at` is in. `true` when it was found, so that the way back is quick.
fn descend(cursor: &mut Cursor<'_>, at: usize, pointer: &mut String) -> bool {
    match cursor.peek() {
        Some(b'{') => {
            let mut found = false;
            let _ = cursor.object(&mut |key, cursor| {
                found = enter(cursor, at, pointer, key);
                if found { Err(cursor.error(TextErrorKind::Syntax)) } else { Ok(()) }
            });
            found
        }
        Some(b'[') => {
            let (mut found, mut index) = (false, 0_usize);
            let _ = cursor.array(&mut |cursor| {
                found = enter(cursor, at, pointer, &index.to_string());
                index += 1;
                if found { Err(cursor.error(TextErrorKind::Syntax)) } else { Ok(()) }
            });
            found
        }
        _ => true,
    }
}

/// Whether `at` is inside the next value, or that value is where reading stopped; passes it when not.
fn enter(cursor: &mut Cursor<'_>, at: usize, pointer: &mut String, step: &str) -> bool {
    cursor.peek();
    let start = cursor.position();
    let mut whole = cursor.clone();
    if whole.value().is_ok() && at >= whole.position() {
        *cursor = whole;
        return false;
    }
    if at < start {
        return false;
    }
    push(pointer, step);
    descend(cursor, at, pointer);
    true
}

fn push(pointer: &mut String, step: &str) {
    pointer.push('/');
    for char in step.chars() {
        match char {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::event::RecordedEvent;
    use crate::frame::{ClientFrame, FrameError, HubFrame};

    fn client(text: &str) -> String {
        match ClientFrame::decode(text) {
            Err(FrameError::Bad(error)) => error.pointer(text),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_member_at_fault_is_named_wherever_it_is() {
        assert_eq!(client(r#"{"type":"ack"}"#), "/frames");
        assert_eq!(client(r#"{"x":[1,{"frames":1}],"frames":"a","type":"ack"}"#), "/frames");
        assert_eq!(client(r#"{"type":"subscribe","sub":1,"scope":"planet"}"#), "/scope");
        assert_eq!(client(r#"{"type":"pong","pos":{"org":1,"conversation/c":"a"}}"#), "/pos/conversation~1c");
        let hello = r#"{"type":"hello","protocol":{"min":1,"max":1},"client":{"name":"a"},"subscribe":[]}"#;
        assert_eq!(client(hello), "/client/version");
        let hello = r#"{"type":"hello","protocol":{"min":1,"max":1},"client":{"name":"a","version":"1"},"subscribe":[{"scope":"org","sub":1},{"scope":"org","sub":-1}]}"#;
        assert_eq!(client(hello), "/subscribe/1/sub");
    }

    #[test]
    fn what_is_no_json_has_no_place() {
        assert_eq!(client(r#"{"type":"ack","frames":1"#), "");
        assert_eq!(
            client(&format!("{{\"type\":\"ack\",\"x\":{}", "[".repeat(40))),
            format!("/x{}", "/0".repeat(31))
        );
        assert!(HubFrame::decode("").is_err());
    }

    #[test]
    fn effects_are_counted() {
        let text = r#"{"seq":1,"prev":0,"id":"e","at":"2026-11-22T14:00:00.123Z","scope":"org","kind":"k","source":{},"effects":[{"op":"put","entity":"a/b"},{"op":"add","entity":"a/b"}],"data":{}}"#;
        assert_eq!(RecordedEvent::parse(text).unwrap_err().pointer(text), "/effects/1/op");
    }
}
