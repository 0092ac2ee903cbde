//! The parts of a suite, each a program of its own, and how often one may fail.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::shell;

/// A part of a suite: everything runs it again as it was.
#[derive(Debug)]
pub(super) struct Step {
    name: String,
    command: Command,
}

impl Step {
    pub(super) fn new(name: impl Into<String>, command: Command) -> Self {
        Self { name: name.into(), command }
    }
}

/// How a suite passed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Passed {
    Cleanly,
    /// What has to be looked at all the same.
    But(String),
}

/// How often a step that failed runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tries {
    One,
    /// Where nobody can look at once.
    Two,
}

/// Runs the steps of a suite.
pub(super) fn run(mut steps: Vec<Step>) -> Result<Passed> {
    let names: Vec<String> = steps.iter().map(|step| step.name.clone()).collect();
    let tries = if shell::in_ci() { Tries::Two } else { Tries::One };
    judge(&names, tries, |at| steps.get_mut(at).map_or(Ok(()), |step| shell::run(&mut step.command)))
}

/// Runs every step, also after one that failed. With two tries the only one that failed runs a second time: what passes
/// then is unsteady, which is a bug of the test or of what it tests, and is told as such.
fn judge(names: &[String], tries: Tries, mut passes: impl FnMut(usize) -> Result<()>) -> Result<Passed> {
    let mut failed = Vec::new();
    for (at, name) in names.iter().enumerate() {
        if let Err(error) = passes(at) {
            println!("FAILED: {error:#}");
            failed.push((at, name.as_str()));
        }
    }
    match failed[..] {
        [] => Ok(Passed::Cleanly),
        [(at, name)] if tries == Tries::Two => {
            println!("\n{name} failed and runs a second time");
            passes(at).with_context(|| format!("{name} failed twice"))?;
            Ok(Passed::But(format!("{name} failed once")))
        }
        _ => bail!("{} failed", failed.iter().map(|(_, name)| *name).collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `judge` says and which steps it ran, when these runs fail.
    fn judged(tries: Tries, failing: &[usize]) -> (String, String) {
        let names = ["a", "b", "c"].map(str::to_owned);
        let mut ran = Vec::new();
        let said = judge(&names, tries, |at| {
            ran.push(names[at].clone());
            if failing.contains(&ran.len()) {
                bail!("no")
            }
            Ok(())
        });
        let said = match said {
            Ok(Passed::Cleanly) => "cleanly".to_owned(),
            Ok(Passed::But(what)) => format!("but {what}"),
            Err(error) => format!("{error:#}"),
        };
        (said, ran.concat())
    }

    #[test]
    fn one_step_has_a_second_try_where_nobody_looks_and_is_told_as_unsteady() {
        let told = |said: &str, ran: &str| (said.to_owned(), ran.to_owned());
        assert_eq!(judged(Tries::Two, &[]), told("cleanly", "abc"));
        assert_eq!(judged(Tries::Two, &[2]), told("but b failed once", "abcb"));
        assert_eq!(judged(Tries::Two, &[2, 4]), told("b failed twice: no", "abcb"));
        assert_eq!(judged(Tries::Two, &[1, 3]), told("a, c failed", "abc"));
        assert_eq!(judged(Tries::One, &[2]), told("b failed", "abc"));
    }
}
