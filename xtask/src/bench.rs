//! `cargo xtask bench`: speed as a ratio, measured in one run.

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::shell;

#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Decoding of events against a plain typed parse by serde_json.
    Decode {
        /// Fails when the typed reader takes more than this many times as long.
        #[arg(long)]
        limit: Option<f64>,
    },
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let What::Decode { limit } = options.what;
    let mut bench = shell::cargo(["bench", "--quiet", "-p", "otter-proto", "--bench", "decode", "--"]);
    if let Some(limit) = limit {
        bench.args(["--limit", &limit.to_string()]);
    }
    shell::run(&mut bench)
}
