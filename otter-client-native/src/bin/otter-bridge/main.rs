//! `otter-bridge`: joins the OpenClaw gateway of this machine to an Otter hub.

mod adopt;
mod args;
mod doctor;
mod run;

use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

use args::{Args, Command};

fn main() -> ExitCode {
    let args = Args::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&error.into()),
    };
    let done = runtime.block_on(async {
        match args.command {
            Command::Run(options) => run::run(options).await,
            Command::Doctor(options) => doctor::run(options).await,
            Command::Adopt(options) => adopt::run(options).await,
        }
    });
    // A name look-up that hangs must not keep the process.
    runtime.shutdown_background();
    done.unwrap_or_else(|error| complain(&error))
}

fn complain(error: &anyhow::Error) -> ExitCode {
    eprintln!("otter-bridge: {error:#}");
    ExitCode::FAILURE
}
