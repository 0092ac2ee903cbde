//! `cargo xtask schemas`: the generated files of the contract, and what may not happen to them.
//!
//! `schemas` writes them. `schemas check` says what is wrong: a file that differs from the Rust types, a kind without
//! fixtures, a break of what was released. `schemas freeze` keeps the present set as a release.

mod compat;
mod coverage;
mod generated;
mod released;
mod transcript;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};

use crate::shell;

#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    mode: Option<Mode>,
}

#[derive(Debug, Subcommand)]
enum Mode {
    /// Fails on drifted files, on kinds without fixtures, and on breaks of the last released schema.
    Check,
    /// Keeps bundle, catalogue, fixtures and the transcript of a whole conversation as the release of this version, to
    /// compare later ones with.
    Freeze {
        /// The release; without it the version of the workspace.
        #[arg(long)]
        version: Option<String>,
    },
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let root = shell::root();
    match &options.mode {
        None => generated::write(&root),
        Some(Mode::Check) => {
            let mut wrong = generated::drifted(&root);
            wrong.extend(coverage::missing(&root)?);
            wrong.extend(released::breaks(&root)?);
            if wrong.is_empty() {
                println!(
                    "the contract is as the Rust types say, every name has fixtures, nothing released is broken"
                );
                return Ok(());
            }
            for line in &wrong {
                println!("{line}");
            }
            bail!("{} faults in the contract", wrong.len())
        }
        Some(Mode::Freeze { version }) => {
            let version = version.as_deref().unwrap_or(env!("CARGO_PKG_VERSION"));
            let faults = generated::drifted(&root);
            if !faults.is_empty() {
                bail!("{}", faults.join("\n"));
            }
            let target = released::freeze(&root, version)?;
            transcript::record(&target)
        }
    }
}
