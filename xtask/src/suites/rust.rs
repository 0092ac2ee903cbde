//! The Rust suite: every test program of the workspace, then the examples in the docs.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::Options;
use super::steps::Step;
use crate::shell;

pub(super) fn steps(_: &Options) -> Result<Vec<Step>> {
    let words = ["test", "--workspace", "--no-run", "--message-format", "json-render-diagnostics"];
    let built = shell::output(&mut shell::cargo(words))?;
    let programs: Vec<Program> = built.lines().filter_map(Program::of).collect();
    if programs.is_empty() {
        bail!("`cargo {}` named no test program", words.join(" "));
    }
    let mut steps = programs.into_iter().map(Program::step).collect::<Result<Vec<_>>>()?;
    steps.push(Step::new("the examples in the docs", shell::cargo(["test", "--workspace", "--doc"])));
    Ok(steps)
}

/// A test program that cargo built.
#[derive(Debug, PartialEq, Eq)]
struct Program {
    executable: PathBuf,
    manifest: PathBuf,
    source: PathBuf,
}

impl Program {
    /// The one that a message of cargo tells of.
    fn of(message: &str) -> Option<Self> {
        let message: Value = serde_json::from_str(message).ok()?;
        let path = |value: &Value| value.as_str().map(PathBuf::from);
        if message["profile"]["test"] != true {
            return None;
        }
        let executable = path(&message["executable"])?;
        let (manifest, source) = (path(&message["manifest_path"])?, path(&message["target"]["src_path"])?);
        Some(Self { executable, manifest, source })
    }

    /// Runs it as cargo does.
    fn step(self) -> Result<Step> {
        let package = self.manifest.parent().context("a manifest is in a folder")?;
        let mut command = shell::command(&self.executable);
        command.current_dir(package).env("CARGO_MANIFEST_DIR", package);
        let name =
            self.source.strip_prefix(shell::root()).map_or_else(|_| self.source.clone(), Path::to_owned);
        Ok(Step::new(name.display().to_string(), command))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_programs_are_told_from_what_else_cargo_builds() {
        let program = r#"{"reason":"compiler-artifact","manifest_path":"/c/a/Cargo.toml","target":{"kind":["test"],"name":"it","src_path":"/c/a/tests/it/main.rs"},"profile":{"test":true},"executable":"/c/target/debug/deps/it-1"}"#;
        let expected = Program {
            executable: "/c/target/debug/deps/it-1".into(),
            manifest: "/c/a/Cargo.toml".into(),
            source: "/c/a/tests/it/main.rs".into(),
        };
        assert_eq!(Program::of(program), Some(expected));
        let other = program.replace(r#""test":true"#, r#""test":false"#);
        let library = program.replace(r#""/c/target/debug/deps/it-1""#, "null");
        for other in [&other, &library, r#"{"reason":"build-finished","success":true}"#, "running 3 tests"] {
            assert_eq!(Program::of(other), None, "{other}");
        }
    }
}
