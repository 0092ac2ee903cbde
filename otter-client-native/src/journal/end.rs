//! How a command ends, in a size that every hub takes.

use otter_proto::kind::{CommandStage, StageError};

use crate::handler::CommandOutcome;
use crate::journal::CommandEnd;

/// What a handler answered, as it is kept and told.
pub(super) fn of(outcome: CommandOutcome) -> CommandEnd {
    match outcome {
        CommandOutcome::Completed(result) => {
            let result = result.map(|text| cut(text, MAX_RESULT));
            CommandEnd { result, ..CommandEnd::of(CommandStage::Completed) }
        }
        CommandOutcome::Failed { code, message } => told(CommandStage::Failed, code, message),
        CommandOutcome::Rejected { code, message } => told(CommandStage::Rejected, code, message),
        CommandOutcome::Unknown => CommandEnd::of(CommandStage::OutcomeUnknown),
    }
}

/// A handler that panicked may have done its work, or half of it.
pub(super) fn panicked() -> CommandEnd {
    told(CommandStage::OutcomeUnknown, "panicked".to_owned(), PANICKED.to_owned())
}

fn told(stage: CommandStage, code: String, message: String) -> CommandEnd {
    let error = StageError { code: cut(code, MAX_CODE), message: cut(message, MAX_MESSAGE) };
    CommandEnd { error: Some(error), ..CommandEnd::of(stage) }
}

/// The longest head of `text` that takes at most `bytes` as JSON: an end that is too long for the hub would never arrive.
fn cut(mut text: String, bytes: usize) -> String {
    let mut taken = 0;
    let fits = |(_, char): &(usize, char)| {
        taken += match char {
            '"' | '\\' | '\n' | '\r' | '\t' => 2,
            char if char.is_control() => 6,
            char => char.len_utf8(),
        };
        taken <= bytes
    };
    let mut fits = fits;
    if let Some(end) = text.char_indices().find(|at| !fits(at)).map(|(end, _)| end) {
        text.truncate(end);
    }
    text
}

const PANICKED: &str = "the handler of this command panicked; what it had done by then is not known";
/// What is kept of the answer to a command, and of the words of a failure, in bytes of JSON.
const MAX_RESULT: usize = 256 << 10;
const MAX_CODE: usize = 64;
const MAX_MESSAGE: usize = 2 << 10;

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn texts_are_cut_by_what_they_take_on_the_wire() {
        for (char, kept) in [('a', 2_048), ('é', 1_024), ('"', 1_024), ('\u{1}', 341), ('😀', 512)] {
            let text = cut(char.to_string().repeat(5_000), MAX_MESSAGE);
            assert_eq!(text.chars().count(), kept, "{char:?}");
            assert!(serde_json::to_string(&text).unwrap().len() <= MAX_MESSAGE + 2, "{char:?}");
        }
        assert_eq!(cut("as it is".to_owned(), MAX_CODE), "as it is");
    }
}
