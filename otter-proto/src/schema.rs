//! The published files of `schemas/v1`: bundle, catalogue and TypeScript types, all made from the Rust types.
//!
//! `cargo xtask schemas` writes them; a test compares them with the committed ones.

mod bundle;
mod catalogue;
mod normalise;
mod typescript;

/// One generated file: its path below the repository and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaFile {
    /// For instance `schemas/v1/otter.schema.json`.
    pub path: &'static str,
    /// The text, ending in a newline.
    pub text: String,
}

/// Every generated file.
pub fn files() -> Vec<SchemaFile> {
    let bundle = bundle::bundle();
    let pretty = |value: &serde_json::Value| format!("{value:#}\n");
    vec![
        SchemaFile { path: "schemas/v1/otter.schema.json", text: pretty(&bundle) },
        SchemaFile { path: "schemas/v1/catalogue.json", text: pretty(&catalogue::catalogue()) },
        SchemaFile { path: "otter-client-wasm/npm/types.d.ts", text: typescript::declarations(&bundle) },
    ]
}
