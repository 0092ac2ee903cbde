//! `cargo xtask check`: files and functions stay small enough to be read in one go.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::shell;

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 60;

/// Prints each file and function over its limit; an error when there is one.
pub(crate) fn run() -> Result<()> {
    let files = tracked()?;
    let mut found = Vec::new();
    for file in &files {
        let text = fs::read_to_string(shell::root().join(file))?;
        found.extend(
            over_limits(&text, file.extension().is_some_and(|it| it == "rs"))
                .map(|it| format!("{}:{it}", file.display())),
        );
    }
    if found.is_empty() {
        println!("{} files within {FILE_LINES} lines, functions within {FUNCTION_LINES}", files.len());
        return Ok(());
    }
    for line in &found {
        println!("{line}");
    }
    bail!("{} over the limits", found.len())
}

/// Source files that git knows or would add, without those that only test.
fn tracked() -> Result<Vec<PathBuf>> {
    let list = shell::output(shell::command("git").args([
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
    ]))?;
    let is_source = |path: &Path| {
        let generated = path.starts_with("schemas") || path.to_string_lossy().ends_with(".d.ts");
        let test = path
            .iter()
            .any(|part| ["tests", "tests.rs", "test", "conformance.rs"].iter().any(|name| part == *name));
        let source = path
            .extension()
            .is_some_and(|it| ["rs", "js", "mjs", "jsx", "css"].iter().any(|known| it == *known));
        source && !generated && !test && shell::root().join(path).is_file()
    };
    Ok(list.lines().map(PathBuf::from).filter(|path| is_source(path)).collect())
}

fn over_limits(text: &str, rust: bool) -> impl Iterator<Item = String> {
    let lines: Vec<&str> = text.lines().collect();
    let tests = lines.iter().position(|line| rust && line.starts_with("mod tests")).unwrap_or(lines.len());
    let code = lines[..tests].to_vec();
    let file = (code.len() > FILE_LINES).then(|| format!("1: {} lines, limit {FILE_LINES}", code.len()));
    let functions = if rust { long_functions(&code) } else { Vec::new() };
    file.into_iter().chain(functions)
}

/// Functions whose closing brace, which rustfmt puts at the indent of `fn`, comes too late.
fn long_functions(code: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (at, line) in code.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indent = &line[..line.len() - line.trim_start().len()];
        // A declaration without a body ends with its parameters.
        let closes = |line: &&str| {
            line.strip_prefix(indent)
                .is_some_and(|rest| rest == "}" || rest.starts_with(')') && rest.ends_with(';'))
        };
        let length = code[at..].iter().position(closes).unwrap_or(0) + 1;
        if length > FUNCTION_LINES {
            found.push(format!("{}: fn {name} has {length} lines, limit {FUNCTION_LINES}", at + 1));
        }
    }
    found
}

fn function_name(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("fn ")?;
    let qualifiers = ["pub", "pub(crate)", "pub(super)", "async", "const", "unsafe", "extern"];
    if !before.split_whitespace().all(|word| qualifiers.contains(&word)) || line.trim_end().ends_with(';') {
        return None;
    }
    after.split(['(', '<']).next().filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::over_limits;

    fn function(lines: usize) -> String {
        format!("pub fn long() {{\n{}}}\n", "    step();\n".repeat(lines - 2))
    }

    #[test]
    fn functions_are_counted_from_fn_to_brace() {
        assert_eq!(over_limits(&function(60), true).count(), 0);
        let found: Vec<String> = over_limits(&function(61), true).collect();
        assert_eq!(found, ["1: fn long has 61 lines, limit 60"]);
    }

    #[test]
    fn tests_do_not_count_for_the_file() {
        let text = format!("{}mod tests {{\n{}}}\n", "// line\n".repeat(400), "// line\n".repeat(400));
        assert_eq!(over_limits(&text, true).count(), 0);
        assert_eq!(over_limits(&text, false).count(), 1);
    }
}
