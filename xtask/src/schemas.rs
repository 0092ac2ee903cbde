//! `cargo xtask schemas`: the generated files of `schemas/v1` and the npm package.

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::shell;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// `check` compares with the committed files instead of writing them.
    #[arg(value_parser = ["check"])]
    mode: Option<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let mut drifted = Vec::new();
    for file in otter_proto::schema::files() {
        let path = shell::root().join(file.path);
        if std::fs::read_to_string(&path).is_ok_and(|text| text == file.text) {
            continue;
        }
        if options.mode.is_some() {
            drifted.push(file.path);
            continue;
        }
        let folder = path.parent().context("a file has a folder")?;
        std::fs::create_dir_all(folder)?;
        std::fs::write(&path, file.text).with_context(|| format!("writing {}", file.path))?;
        println!("wrote {}", file.path);
    }
    if drifted.is_empty() {
        return Ok(());
    }
    bail!("{} differ from the Rust types: run `cargo xtask schemas`", drifted.join(", "))
}
