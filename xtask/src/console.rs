//! The files that the hub serves at `/`: the console's own and the browser client, in one folder.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::browser_client;
use crate::shell;

/// Parts of the npm package that a page of the hub never loads.
const NOT_SERVED: [&str; 4] = ["index.node.js", "load.node.js", "react.js", "testing.js"];

/// The folder that `OTTER_CONSOLE_DIST` names when xtask builds the hub.
pub(crate) fn dist() -> PathBuf {
    shell::target().join("console")
}

/// Copies what changed, so that an unchanged console does not compile the hub again.
pub(crate) fn assemble() -> Result<()> {
    let mut wanted = Vec::new();
    let own = shell::root().join("otter-server/console");
    files(&own, &own, &mut wanted)?;
    let npm = shell::root().join("otter-client-wasm/npm");
    for name in names(&npm)? {
        let path = npm.join(&name);
        if path.extension().is_some_and(|it| it == "js") && !NOT_SERVED.contains(&name.as_str()) {
            wanted.push((path, format!("client/{name}")));
        }
    }
    for name in ["otter.js", "otter_bg.wasm"] {
        wanted.push((browser_client::dist().join(name), format!("client/dist/{name}")));
    }
    remove_others(&dist(), &dist(), &wanted)?;
    wanted.iter().try_for_each(|(from, to)| copy(from, &dist().join(to)))
}

/// Every file below `dir`, with its path relative to `base`.
fn files(base: &Path, dir: &Path, found: &mut Vec<(PathBuf, String)>) -> Result<()> {
    for name in names(dir)? {
        let path = dir.join(&name);
        if path.is_dir() {
            files(base, &path, found)?;
        } else if let Ok(relative) = path.strip_prefix(base) {
            let relative = relative.to_string_lossy().replace('\\', "/");
            found.push((path, relative));
        }
    }
    Ok(())
}

fn names(dir: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(dir).with_context(|| format!("{} is missing", dir.display()))?;
    let mut names: Vec<String> =
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect::<Result<_>>()?;
    names.sort();
    Ok(names)
}

fn remove_others(base: &Path, dir: &Path, wanted: &[(PathBuf, String)]) -> Result<()> {
    if !dir.is_dir() {
        return Ok(());
    }
    let mut present = Vec::new();
    files(base, dir, &mut present)?;
    for (path, relative) in present {
        if wanted.iter().all(|(_, name)| *name != relative) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let bytes = fs::read(from).with_context(|| format!("{} is missing", from.display()))?;
    if fs::read(to).is_ok_and(|stored| stored == bytes) {
        return Ok(());
    }
    if let Some(dir) = to.parent() {
        fs::create_dir_all(dir)?;
    }
    fs::write(to, bytes)?;
    Ok(())
}
