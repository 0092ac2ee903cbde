//! The hub as a program.

use anyhow::Result;
use clap::Parser as _;
use otter_server::cli::{Cli, manage};
use otter_server::config::Config;
use otter_server::{serve, telemetry};

fn main() -> Result<()> {
    let cli = Cli::parse();
    if let Some(command) = cli.command {
        return manage(command);
    }
    telemetry::init();
    let config = Config::new(cli.serve, std::env::var("PORT").ok().as_deref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(config))
}
