//! Text of agents: what is fit to be shown, and how far a stream has come.

use serde_json::Value;

use crate::openclaw::json::Fields as _;

/// Joins the text blocks of a message; the flag says whether the content was a plain string.
pub(crate) fn content(message: &Value) -> (String, bool) {
    let content = message.field("content");
    if let Some(text) = content.as_str() {
        return (text.to_owned(), true);
    }
    let blocks = content.as_array().map_or(&[][..], Vec::as_slice);
    let texts: Vec<&str> = blocks
        .iter()
        .filter(|block| block.text("type") == Some("text"))
        .filter_map(|b| b.text("text"))
        .collect();
    (texts.join("\n\n"), false)
}

/// The part of a text that people may see: without internal context, and nothing when the agent chose silence.
///
/// The same function serves streams, finals, history and recovery, so nothing internal appears after a reload.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once(CONTEXT_BEGIN) {
        out.push_str(before);
        rest = inside.split_once(CONTEXT_END).map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    if SILENCE.contains(&out.trim()) {
        out.clear();
    }
    out
}

/// What of a growing text may be shown already: not the start of a marker, of a word that means silence, or of a
/// character whose second half has not come.
pub(crate) fn streamable(text: &str) -> String {
    let mut shown = visible(text);
    if SILENCE.iter().any(|word| word.starts_with(shown.trim())) {
        shown.clear();
    }
    let tail = (1..CONTEXT_BEGIN.len())
        .rev()
        .find(|len| CONTEXT_BEGIN.get(..*len).is_some_and(|p| shown.ends_with(p)));
    shown.truncate(shown.len() - tail.unwrap_or_default());
    // The decoder turns half a character into U+FFFD; the next frame brings the whole one.
    shown.truncate(shown.trim_end_matches('\u{fffd}').len());
    shown
}

/// Length in UTF-16 code units, the unit of offsets on the wire.
pub(crate) fn utf16_len(text: &str) -> u64 {
    text.chars().map(|char| char.len_utf16() as u64).sum()
}

const CONTEXT_BEGIN: &str = "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>";
const CONTEXT_END: &str = "<<<END_OPENCLAW_INTERNAL_CONTEXT>>>";
const SILENCE: [&str; 2] = ["NO_REPLY", "HEARTBEAT_OK"];

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::*;

    #[test]
    fn internal_context_and_chosen_silence_are_never_shown() {
        let block = format!("a {CONTEXT_BEGIN}secret{CONTEXT_END} b");
        assert_eq!(visible(&block), "a  b");
        assert_eq!(visible(&format!("a{CONTEXT_BEGIN}secret")), "a");
        assert_eq!(visible(" NO_REPLY\n"), "");
        assert_eq!(visible("HEARTBEAT_OK"), "");
        assert_eq!(visible("NO_REPLY is a word"), "NO_REPLY is a word");
    }

    #[test]
    fn a_stream_holds_back_what_may_turn_out_different() {
        for (given, shown) in [
            ("NO_RE", ""),
            ("No, because", "No, because"),
            ("half \u{fffd}", "half "),
            ("text <<<BEGIN_OPEN", "text "),
            ("a < b", "a < b"),
            ("", ""),
        ] {
            assert_eq!(streamable(given), shown, "{given}");
        }
        assert_eq!(utf16_len("a😀é"), 4);
    }

    #[test]
    fn content_is_read_from_strings_and_blocks() {
        assert_eq!(content(&json!({"content": "plain"})), ("plain".into(), true));
        let blocks =
            json!({"content": [{"type": "text", "text": "a"}, {"type": "toolCall", "name": "exec"}, 7]});
        assert_eq!(content(&blocks), ("a".into(), false));
        assert_eq!(content(&json!({})), (String::new(), false));
    }
}
