//! `cargo xtask schemas`: the committed contract, generated from the Rust types.

use std::fs;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use otter_proto::schema::{self, SchemaFile};

use crate::shell;

#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    mode: Option<Mode>,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Mode {
    /// Compares and writes nothing; an error names each file that differs.
    Check,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let files = schema::files();
    let stale: Vec<&SchemaFile> = files.iter().filter(|file| differs(file)).collect();
    if options.mode.is_some() && !stale.is_empty() {
        let names: Vec<&str> = stale.iter().map(|file| file.path).collect();
        bail!("{} differ from the Rust types: run `cargo xtask schemas` and commit", names.join(", "));
    }
    for file in &stale {
        let path = shell::root().join(file.path);
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir)?;
        }
        fs::write(path, &file.text)?;
        println!("wrote {}", file.path);
    }
    println!("{} generated files are up to date", files.len());
    Ok(())
}

fn differs(file: &SchemaFile) -> bool {
    fs::read_to_string(shell::root().join(file.path)).map_or(true, |stored| stored != file.text)
}
