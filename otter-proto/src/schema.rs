//! The published files of `schemas/v1`: bundle, strict twin, catalogue, TypeScript types, the tables of the
//! documentation and the reducer vectors, all made from the Rust types.
//!
//! `cargo xtask schemas` writes them; a test compares them with the committed ones.

mod bundle;
mod catalogue;
mod limits;
mod normalise;
mod strict;
mod tables;
mod typescript;
mod vectors;

/// One generated file: its path below the repository and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaFile {
    /// For instance `schemas/v1/otter.schema.json`.
    pub path: String,
    /// The text, ending in a newline.
    pub text: String,
}

/// Every generated file.
pub fn files() -> Vec<SchemaFile> {
    let file = |path: &str, text: String| SchemaFile { path: path.to_owned(), text };
    let pretty = |value: &serde_json::Value| format!("{value:#}\n");
    let bundle = bundle::bundle();
    let catalogue = catalogue::catalogue();
    let mut files = vec![
        file("schemas/v1/otter.schema.json", pretty(&bundle)),
        file("schemas/v1/otter.strict.schema.json", pretty(&strict::strict(&bundle))),
        file("schemas/v1/catalogue.json", pretty(&catalogue)),
        file("docs/catalogue.md", tables::tables(&bundle, &catalogue)),
        file("otter-client-wasm/npm/types.d.ts", typescript::declarations(&bundle)),
    ];
    files.extend(
        vectors::vectors()
            .into_iter()
            .map(|(name, text)| file(&format!("schemas/v1/fixtures/state/{name}.json"), text)),
    );
    files
}

/// The folders that hold generated files only: what is in them and is not generated any more has to go.
pub const GENERATED_FOLDERS: [&str; 1] = ["schemas/v1/fixtures/state"];
