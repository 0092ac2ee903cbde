//! The commands of this repository: `cargo xtask <command>`.
//!
//! | command | does |
//! |---|---|
//! | `demo` | hub on an embedded store, a scripted OpenClaw fleet and the console |
//! | `test` | every suite, with the seconds of each |
//! | `wasm` | builds the browser client into `otter-client-wasm/npm/dist` |
//! | `schemas` | writes the generated files of the contract; `schemas check`, `schemas freeze` |
//! | `sim` | the simulation over many seeds |
//! | `bench` | speed as a ratio: `bench decode` |
//! | `check` | the limits on file and function size |
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool speaks on its terminal")]

mod bench;
mod browser_client;
mod demo;
mod limits;
mod schemas;
mod shell;
mod sim;
mod suites;
mod tools;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "The commands of this repository", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Starts a hub, a scripted OpenClaw fleet and the console; ends with Ctrl-C.
    Demo(demo::Options),
    /// Runs every suite and prints the seconds of each; a suite that cannot run is an error when CI=true.
    Test(suites::Options),
    /// Builds the browser client into `otter-client-wasm/npm/dist` and prints its size.
    Wasm(browser_client::Options),
    /// Writes the generated files of the contract; `schemas check` compares instead.
    Schemas(schemas::Options),
    /// Runs the simulation over many seeds.
    Sim(sim::Options),
    /// Measures speed as a ratio: `bench decode --limit 1.3`.
    Bench(bench::Options),
    /// Checks the limits on file and function size.
    Check,
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Demo(options) => demo::run(&options),
        Command::Test(options) => suites::run(&options),
        Command::Wasm(options) => browser_client::run(&options),
        Command::Schemas(options) => schemas::run(&options),
        Command::Sim(options) => sim::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Check => limits::run(),
    }
}
