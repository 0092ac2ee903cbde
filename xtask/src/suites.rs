//! `cargo xtask test`: every suite of the project.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Args;

use crate::browser_client::{self, Optimise};
use crate::shell;
use crate::tools::{self, Tool};

mod end_to_end;
mod rust;
mod steps;

use steps::{Passed, Step};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Runs these suites only; without it all of them.
    suites: Vec<String>,
    /// Of the end-to-end suite, runs the test files only whose name contains this.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
}

/// One suite: what it is called, what it needs beside Rust, how long it may take on two cores, and what gets everything
/// ready and gives its steps.
struct Suite {
    name: &'static str,
    needs: &'static [Tool],
    budget: Duration,
    steps: fn(&Options) -> Result<Vec<Step>>,
}

const SUITES: [Suite; 5] = [
    Suite { name: "wasm", needs: &[], budget: minutes(6), steps: wasm },
    Suite { name: "rust", needs: &[], budget: minutes(15), steps: rust::steps },
    Suite { name: "client", needs: &[Tool::Node], budget: minutes(3), steps: client },
    Suite {
        name: "contract",
        needs: &[Tool::Node, Tool::Python, Tool::Go],
        budget: minutes(4),
        steps: contract,
    },
    Suite {
        name: "e2e",
        needs: &[Tool::Node, Tool::Chromium, Tool::OpenClaw],
        budget: minutes(22),
        steps: end_to_end::steps,
    },
];

pub(crate) fn run(options: &Options) -> Result<()> {
    if let Some(unknown) =
        options.suites.iter().find(|wanted| SUITES.iter().all(|suite| suite.name != **wanted))
    {
        bail!("no suite is called {unknown}: there are {}", SUITES.map(|suite| suite.name).join(", "));
    }
    let chosen =
        |suite: &&Suite| options.suites.is_empty() || options.suites.iter().any(|name| name == suite.name);
    let results: Vec<(&Suite, Outcome, Duration)> =
        SUITES.iter().filter(chosen).map(|suite| run_one(suite, options)).collect();
    println!();
    for (suite, outcome, took) in &results {
        println!("{:<8}{:>5} s  {}", suite.name, took.as_secs(), outcome.text());
    }
    let bad = results.iter().filter(|(_, outcome, _)| outcome.is_bad()).count();
    if bad > 0 {
        bail!("{bad} of {} suites did not pass", results.len());
    }
    Ok(())
}

enum Outcome {
    Passed,
    Unsteady(String),
    Failed(String),
    TooSlow { budget: Duration, unsteady: Option<String> },
    Skipped(String),
}

impl Outcome {
    fn text(&self) -> String {
        match self {
            Self::Passed => "passed".to_owned(),
            Self::Unsteady(what) => format!("passed, but UNSTEADY: {what}"),
            Self::Failed(why) => format!("FAILED: {why}"),
            Self::TooSlow { budget, unsteady } => {
                let what = unsteady.as_ref().map(|what| format!("; UNSTEADY: {what}")).unwrap_or_default();
                format!("TOO SLOW: passed, but its budget is {} s{what}", budget.as_secs())
            }
            Self::Skipped(why) => format!("SKIPPED: {why}"),
        }
    }

    /// Where nobody reads along, a suite that did not run, or that creeps over its budget, is an error.
    fn is_bad(&self) -> bool {
        match self {
            Self::Passed | Self::Unsteady(_) => false,
            Self::Failed(_) => true,
            Self::TooSlow { .. } | Self::Skipped(_) => shell::in_ci(),
        }
    }
}

fn run_one<'s>(suite: &'s Suite, options: &Options) -> (&'s Suite, Outcome, Duration) {
    println!("\nsuite {}", suite.name);
    let begun = Instant::now();
    let outcome = match suite.needs.iter().try_for_each(|tool| tool.ensure()) {
        Err(missing) => Outcome::Skipped(format!("{missing:#}")),
        Ok(()) => match (suite.steps)(options).and_then(steps::run) {
            Err(error) => Outcome::Failed(format!("{error:#}")),
            Ok(passed) => {
                let is_slow = begun.elapsed() > suite.budget;
                match passed {
                    Passed::Cleanly if is_slow => Outcome::TooSlow { budget: suite.budget, unsteady: None },
                    Passed::But(what) if is_slow => {
                        Outcome::TooSlow { budget: suite.budget, unsteady: Some(what) }
                    }
                    Passed::Cleanly => Outcome::Passed,
                    Passed::But(what) => Outcome::Unsteady(what),
                }
            }
        },
    };
    println!("suite {}: {}", suite.name, outcome.text());
    (suite, outcome, begun.elapsed())
}

fn wasm(_: &Options) -> Result<Vec<Step>> {
    browser_client::run(&browser_client::Options::default())?;
    Ok(Vec::new())
}

/// The published JavaScript: its types, and its tests in Node on the real wasm.
fn client(_: &Options) -> Result<Vec<Step>> {
    browser_client::build(Optimise::WhenNodeIsThere)?;
    let package = shell::root().join("otter-client-wasm/npm");
    tools::npm_ci(&package)?;
    // The feed plugin has nothing to install.
    let plugin = shell::root().join("otter-client-native/openclaw-plugin");
    Ok(vec![npm_test("the client", &package), npm_test("the feed plugin", &plugin)])
}

/// The contract as programs of other languages see it: every fixture and vector, and a client that knows the documents
/// only, at a real hub.
fn contract(_: &Options) -> Result<Vec<Step>> {
    let consumers = shell::root().join("examples/consumers");
    let (python, go) = (tools::python()?, tools::go()?);
    tools::npm_ci(&consumers.join("typescript"))?;
    shell::run(&mut shell::cargo(["build", "-p", "otter-server", "--bin", "otter-server"]))?;
    let python = |program: &str, arguments: &[PathBuf]| {
        let mut command = shell::command(&python);
        command.arg(program).args(arguments).current_dir(consumers.join("python"));
        Step::new(program, command)
    };
    let mut in_go = shell::command(go);
    in_go.args(["run", "."]).current_dir(consumers.join("go"));
    Ok(vec![
        python("consumer.py", &[]),
        python("fixtures.py", &[]),
        Step::new("the consumer in Go", in_go),
        npm_test("the consumer in TypeScript", &consumers.join("typescript")),
        python("conversation.py", &[shell::built("otter-server")]),
    ])
}

fn npm_test(name: &str, package: &Path) -> Step {
    let mut command = shell::command("npm");
    command.arg("test").current_dir(package);
    Step::new(name, command)
}

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}
