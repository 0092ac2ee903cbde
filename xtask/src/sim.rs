//! `cargo xtask sim`: the real machines on virtual time, over many seeds, and the planted mutants.

use anyhow::Result;
use clap::Args;

use crate::shell;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many seeds to run.
    #[arg(long, default_value_t = 2000)]
    seeds: u32,
    /// Runs this seed alone and prints what happened.
    #[arg(long, conflicts_with = "seeds")]
    seed: Option<u64>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let mut tests = shell::cargo([
        "test",
        "--profile",
        "sim",
        "-p",
        "otter-server",
        "--test",
        "sim",
        "--",
        "--nocapture",
    ]);
    if let Some(seed) = options.seed {
        tests.env("OTTER_SIM_SEED", seed.to_string());
    } else {
        tests.env("OTTER_SIM_SEEDS", options.seeds.to_string());
    }
    shell::run(&mut tests)
}
