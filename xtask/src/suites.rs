//! `cargo xtask test`: every suite of the project.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Args;

use crate::browser_client::{self, Optimise};
use crate::shell;
use crate::tools::{self, Tool};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Runs these suites only; without it all of them.
    suites: Vec<String>,
}

/// One suite: what it is called, what it needs beside Rust, the seconds it may take on two cores, how it runs.
struct Suite {
    name: &'static str,
    needs: &'static [Tool],
    budget: Duration,
    run: fn() -> Result<()>,
}

const SUITES: [Suite; 4] = [
    Suite { name: "wasm", needs: &[], budget: minutes(6), run: wasm },
    Suite { name: "rust", needs: &[], budget: minutes(15), run: rust },
    Suite { name: "client", needs: &[Tool::Node], budget: minutes(3), run: client },
    Suite {
        name: "e2e",
        needs: &[Tool::Node, Tool::Chromium, Tool::OpenClaw],
        budget: minutes(12),
        run: e2e,
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
    let results: Vec<(&Suite, Outcome, Duration)> = SUITES.iter().filter(chosen).map(run_one).collect();
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
    Failed(String),
    TooSlow(Duration),
    Skipped(String),
}

impl Outcome {
    fn text(&self) -> String {
        match self {
            Self::Passed => "passed".to_owned(),
            Self::Failed(why) => format!("FAILED: {why}"),
            Self::TooSlow(budget) => format!("TOO SLOW: passed, but its budget is {} s", budget.as_secs()),
            Self::Skipped(why) => format!("SKIPPED: {why}"),
        }
    }

    /// Where nobody reads along, a suite that did not run, or that creeps over its budget, is an error.
    fn is_bad(&self) -> bool {
        match self {
            Self::Passed => false,
            Self::Failed(_) => true,
            Self::TooSlow(_) | Self::Skipped(_) => shell::in_ci(),
        }
    }
}

fn run_one(suite: &Suite) -> (&Suite, Outcome, Duration) {
    println!("\nsuite {}", suite.name);
    let begun = Instant::now();
    let outcome = match suite.needs.iter().try_for_each(|tool| tool.ensure()) {
        Err(missing) => Outcome::Skipped(format!("{missing:#}")),
        Ok(()) => match (suite.run)() {
            Err(error) => Outcome::Failed(format!("{error:#}")),
            Ok(()) if begun.elapsed() > suite.budget => Outcome::TooSlow(suite.budget),
            Ok(()) => Outcome::Passed,
        },
    };
    println!("suite {}: {}", suite.name, outcome.text());
    (suite, outcome, begun.elapsed())
}

fn wasm() -> Result<()> {
    browser_client::run(&browser_client::Options::default())
}

fn rust() -> Result<()> {
    shell::run(&mut shell::cargo(["test", "--workspace"]))
}

/// The published JavaScript: its types, and its tests in Node on the real wasm.
fn client() -> Result<()> {
    browser_client::build(Optimise::WhenNodeIsThere)?;
    let package = shell::root().join("otter-client-wasm/npm");
    tools::npm_ci(&package)?;
    shell::run(shell::command("npm").arg("test").current_dir(package))?;
    // The feed plugin has nothing to install.
    let plugin = shell::root().join("otter-client-native/openclaw-plugin");
    shell::run(shell::command("npm").arg("test").current_dir(plugin))
}

fn e2e() -> Result<()> {
    browser_client::build(Optimise::WhenNodeIsThere)?;
    shell::run(&mut shell::cargo(["build", "--workspace", "--bins"]))?;
    tools::npm_ci(&shell::root().join("e2e"))?;
    tools::npm_ci(&shell::root().join("e2e/vite-app"))?;
    let mut tests = shell::command(tools::node()?);
    tests.args([
        "--test",
        "--test-concurrency=1",
        "e2e/harness/recorder.test.mjs",
        "e2e/console.test.mjs",
        "e2e/spine.test.mjs",
        "e2e/demo.test.mjs",
    ]);
    tests.env("OTTER_CHROMIUM", tools::chromium()?).env("OTTER_BIN", shell::target().join("debug"));
    shell::run(&mut tests)
}

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}
