//! The end-to-end suite: real programs in a real browser, one file after the other.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::{Options, Passed};
use crate::browser_client::{self, Optimise};
use crate::{shell, tools};

pub(super) fn run(options: &Options) -> Result<Passed> {
    let files = test_files(options.only.as_deref())?;
    browser_client::build(Optimise::WhenNodeIsThere)?;
    shell::run(&mut shell::cargo(["build", "--workspace", "--bins"]))?;
    tools::npm_ci(&shell::root().join("e2e"))?;
    tools::npm_ci(&shell::root().join("e2e/vite-app"))?;
    tools::npm_ci(&shell::root().join("examples/react-dashboard"))?;
    let (node, chromium) = (tools::node()?, tools::chromium()?);
    let tries = if shell::in_ci() { Tries::Two } else { Tries::One };
    judge(&files, tries, |file| {
        let mut tests = shell::command(&node);
        tests.arg("--test").arg(file);
        tests.env("OTTER_CHROMIUM", &chromium).env("OTTER_BIN", shell::target().join("debug"));
        shell::run(&mut tests)
    })
}

/// How often a file that failed runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tries {
    One,
    /// Where nobody can look at once.
    Two,
}

/// Runs every file, also after one that failed. With two tries the only one that failed runs a second time: what passes then is unsteady, which is a bug of the test or of what it tests, and is told as such.
fn judge(files: &[PathBuf], tries: Tries, mut passes: impl FnMut(&Path) -> Result<()>) -> Result<Passed> {
    let failed: Vec<&PathBuf> = files
        .iter()
        .filter(|file| passes(file).inspect_err(|error| println!("FAILED: {error:#}")).is_err())
        .collect();
    let names = failed.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ");
    match failed[..] {
        [] => Ok(Passed::Cleanly),
        [file] if tries == Tries::Two => {
            println!("\n{names} failed and runs a second time");
            passes(file).with_context(|| format!("{names} failed twice"))?;
            Ok(Passed::But(format!("{names} failed once")))
        }
        _ => bail!("{names} failed"),
    }
}

/// The files `*.test.mjs` of the end-to-end suite: those of its harness, then the others, each in the order of their names.
fn test_files(only: Option<&str>) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for dir in ["e2e/harness", "e2e"] {
        let entries =
            fs::read_dir(shell::root().join(dir)).with_context(|| format!("{dir} cannot be read"))?;
        let mut names: Vec<String> =
            entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.retain(|name| name.ends_with(".test.mjs") && only.is_none_or(|part| name.contains(part)));
        names.sort_unstable();
        files.extend(names.iter().map(|name| Path::new(dir).join(name)));
    }
    if files.is_empty() {
        bail!("no file of the end-to-end suite has {} in its name", only.unwrap_or(".test.mjs"));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_the_harness_come_first_and_one_file_can_be_chosen() {
        let all = test_files(None).unwrap();
        assert_eq!(all[0], Path::new("e2e/harness/recorder.test.mjs"));
        assert!(all.iter().skip_while(|file| file.starts_with("e2e/harness")).is_sorted());
        assert_eq!(test_files(Some("spine")).unwrap(), [Path::new("e2e/spine.test.mjs")]);
        assert!(test_files(Some("no such file")).unwrap_err().to_string().contains("no such file"));
    }

    /// What `judge` says and which files it ran, when these runs fail.
    fn judged(tries: Tries, failing: &[usize]) -> (String, String) {
        let files = ["a", "b", "c"].map(PathBuf::from);
        let mut ran = Vec::new();
        let said = judge(&files, tries, |file| {
            ran.push(file.display().to_string());
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
    fn one_file_has_a_second_try_where_nobody_looks_and_is_told_as_unsteady() {
        let told = |said: &str, ran: &str| (said.to_owned(), ran.to_owned());
        assert_eq!(judged(Tries::Two, &[]), told("cleanly", "abc"));
        assert_eq!(judged(Tries::Two, &[2]), told("but b failed once", "abcb"));
        assert_eq!(judged(Tries::Two, &[2, 4]), told("b failed twice: no", "abcb"));
        assert_eq!(judged(Tries::Two, &[1, 3]), told("a, c failed", "abc"));
        assert_eq!(judged(Tries::One, &[2]), told("b failed", "abc"));
    }
}
