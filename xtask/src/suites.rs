//! `cargo xtask test`: every suite of the project.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Args;

use crate::browser_client::{self, Optimise};
use crate::shell;
use crate::tools::{self, Tool};

mod end_to_end;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Runs these suites only; without it all of them.
    suites: Vec<String>,
    /// Of the end-to-end suite, runs the test files only whose name contains this.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
}

/// One suite: what it is called, what it needs beside Rust, the seconds it may take on two cores, how it runs.
struct Suite {
    name: &'static str,
    needs: &'static [Tool],
    budget: Duration,
    run: fn(&Options) -> Result<Passed>,
}

const SUITES: [Suite; 5] = [
    Suite { name: "wasm", needs: &[], budget: minutes(6), run: wasm },
    Suite { name: "rust", needs: &[], budget: minutes(15), run: rust },
    Suite { name: "client", needs: &[Tool::Node], budget: minutes(3), run: client },
    Suite {
        name: "contract",
        needs: &[Tool::Node, Tool::Python, Tool::Go],
        budget: minutes(4),
        run: contract,
    },
    Suite {
        name: "e2e",
        needs: &[Tool::Node, Tool::Chromium, Tool::OpenClaw],
        budget: minutes(22),
        run: end_to_end::run,
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

/// How a suite passed.
enum Passed {
    Cleanly,
    /// What has to be looked at all the same.
    But(String),
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
        Ok(()) => match (suite.run)(options) {
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

fn wasm(_: &Options) -> Result<Passed> {
    browser_client::run(&browser_client::Options::default())?;
    Ok(Passed::Cleanly)
}

fn rust(_: &Options) -> Result<Passed> {
    shell::run(&mut shell::cargo(["test", "--workspace"]))?;
    Ok(Passed::Cleanly)
}

/// The published JavaScript: its types, and its tests in Node on the real wasm.
fn client(_: &Options) -> Result<Passed> {
    browser_client::build(Optimise::WhenNodeIsThere)?;
    let package = shell::root().join("otter-client-wasm/npm");
    tools::npm_ci(&package)?;
    shell::run(shell::command("npm").arg("test").current_dir(package))?;
    // The feed plugin has nothing to install.
    let plugin = shell::root().join("otter-client-native/openclaw-plugin");
    shell::run(shell::command("npm").arg("test").current_dir(plugin))?;
    Ok(Passed::Cleanly)
}

/// The contract as programs of other languages see it: every fixture and vector, and a client that knows the documents
/// only, at a real hub.
fn contract(_: &Options) -> Result<Passed> {
    let consumers = shell::root().join("examples/consumers");
    let python = tools::python()?;
    for program in ["consumer.py", "fixtures.py"] {
        shell::run(shell::command(&python).arg(program).current_dir(consumers.join("python")))?;
    }
    shell::run(shell::command(tools::go()?).args(["run", "."]).current_dir(consumers.join("go")))?;
    tools::npm_ci(&consumers.join("typescript"))?;
    shell::run(shell::command("npm").arg("test").current_dir(consumers.join("typescript")))?;
    shell::run(&mut shell::cargo(["build", "-p", "otter-server", "--bin", "otter-server"]))?;
    let mut conversation = shell::command(&python);
    conversation.arg("conversation.py").arg(shell::built("otter-server"));
    shell::run(conversation.current_dir(consumers.join("python")))?;
    Ok(Passed::Cleanly)
}

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}
