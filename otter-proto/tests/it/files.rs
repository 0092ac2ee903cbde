//! The fixtures as files.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// The root of the clone.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The fixtures of a folder: name without `.json`, text without the final newline; in order of name.
pub(crate) fn fixtures(folder: &str) -> Vec<(String, String)> {
    let mut found: Vec<_> = std::fs::read_dir(root().join("schemas/v1/fixtures").join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), text.trim_end().to_owned())
        })
        .collect();
    found.sort();
    found
}

/// A fixture that says what is to come of it.
pub(crate) struct Case {
    pub(crate) name: String,
    /// The text that is received.
    pub(crate) input: String,
    pub(crate) expect: Value,
}

impl Case {
    /// The expected `code`, `pointer` or `outcome`.
    pub(crate) fn expected(&self, member: &str) -> Option<&str> {
        self.expect[member].as_str()
    }
}

/// The cases of a folder; the input is `raw`, or the JSON text of `frame`.
pub(crate) fn cases(folder: &str) -> Vec<Case> {
    fixtures(folder)
        .into_iter()
        .map(|(name, text)| {
            let case: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(case["description"].is_string(), "{name} says what it is about");
            let input = case["raw"].as_str().map_or_else(|| case["frame"].to_string(), str::to_owned);
            Case { name, input, expect: case["expect"].clone() }
        })
        .collect()
}
