//! The Rust suite: the tests beside the code, then the programs below `tests`, then the examples in the docs.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::Options;
use super::steps::Step;
use crate::shell;

pub(super) fn steps(_: &Options) -> Result<Vec<Step>> {
    shell::run(&mut shell::cargo(["test", "--workspace", "--no-run"]))?;
    let beside = shell::cargo(["test", "--workspace", "--lib", "--bins", "--no-fail-fast"]);
    let mut steps = vec![Step::new("the tests beside the code", beside)];
    for name in test_programs()? {
        let command = shell::cargo(["test", "--workspace", "--test", &name, "--no-fail-fast"]);
        steps.push(Step::new(format!("tests/{name}"), command));
    }
    steps.push(Step::new("the examples in the docs", shell::cargo(["test", "--workspace", "--doc"])));
    Ok(steps)
}

/// The names of the test programs of all packages.
fn test_programs() -> Result<BTreeSet<String>> {
    let text = shell::output(&mut shell::cargo(["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&text).context("`cargo metadata` gave no JSON")?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let targets = packages.flat_map(|package| package["targets"].as_array().into_iter().flatten());
    let programs = targets.filter(|target| target["kind"] == Value::from(vec!["test"]));
    Ok(programs.filter_map(|target| target["name"].as_str().map(str::to_owned)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programs_below_tests_are_found() {
        let programs = test_programs().unwrap();
        for known in ["it", "sim", "bridge", "client"] {
            assert!(programs.contains(known), "{known}: {programs:?}");
        }
        assert!(!programs.contains("otter-bridge"), "{programs:?}");
    }
}
