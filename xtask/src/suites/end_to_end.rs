//! The end-to-end suite: real programs in a real browser, one file after the other.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::Options;
use super::steps::Step;
use crate::browser_client::{self, Optimise};
use crate::{shell, tools};

pub(super) fn steps(options: &Options) -> Result<Vec<Step>> {
    let files = test_files(options.only.as_deref())?;
    browser_client::build(Optimise::WhenNodeIsThere)?;
    shell::run(&mut shell::cargo(["build", "--workspace", "--bins"]))?;
    tools::npm_ci(&shell::root().join("e2e"))?;
    tools::npm_ci(&shell::root().join("e2e/vite-app"))?;
    tools::npm_ci(&shell::root().join("examples/react-dashboard"))?;
    let (node, chromium) = (tools::node()?, tools::chromium()?);
    let step = |file: &PathBuf| {
        let mut tests = shell::command(&node);
        tests.arg("--test").arg(file);
        tests.env("OTTER_CHROMIUM", &chromium).env("OTTER_BIN", shell::target().join("debug"));
        Step::new(file.display().to_string(), tests)
    };
    Ok(files.iter().map(step).collect())
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
}
