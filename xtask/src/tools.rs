//! Tools from outside the Rust world: found, installed into `.cache`, or named.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::shell;

const BINARYEN: &str = "132.0.0";
const NODE_MAJOR: u32 = 20;

/// What a suite needs beside Rust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    /// Node 20 or newer, with npm.
    Node,
    /// A Chromium that can run headless.
    Chromium,
    /// The OpenClaw gateway, installed into `.cache`.
    OpenClaw,
    /// Python 3.10 or newer, with the packages of the reference consumer in `.cache`.
    Python,
    /// Go 1.23 or newer.
    Go,
}

impl Tool {
    /// Makes the tool usable, or says in one sentence what to install.
    pub(crate) fn ensure(self) -> Result<()> {
        match self {
            Self::Node => node().map(drop),
            Self::Chromium => chromium().map(drop),
            Self::Python => python().map(drop),
            Self::Go => go().map(drop),
            Self::OpenClaw => shell::run(shell::command(node()?).arg("e2e/openclaw/install.mjs"))
                .context("OpenClaw from npm is missing"),
        }
    }
}

/// Adds a compilation target where rustup did not install it by itself.
pub(crate) fn wasm_target(name: &str) -> Result<()> {
    let dir = shell::output(shell::command("rustc").args(["--print", "target-libdir", "--target", name]))?;
    if Path::new(&dir).is_dir() {
        return Ok(());
    }
    shell::run(shell::command("rustup").args(["target", "add", name]))
        .with_context(|| format!("the Rust target {name} is missing"))
}

/// The path of a Node that is new enough.
pub(crate) fn node() -> Result<PathBuf> {
    let missing = || format!("Node {NODE_MAJOR} or newer with npm is missing: install it and put it on PATH");
    let node = shell::find("node").with_context(missing)?;
    shell::find("npm").with_context(missing)?;
    let version = shell::output(shell::command(&node).arg("--version"))?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|text| text.parse::<u32>().ok());
    if major.is_none_or(|major| major < NODE_MAJOR) {
        bail!("Node {version} is too old: install {NODE_MAJOR} or newer");
    }
    Ok(node)
}

/// A Python that has what the reference consumer needs: in an environment of its own below `.cache`.
pub(crate) fn python() -> Result<PathBuf> {
    let missing =
        "Python 3.10 or newer with venv is missing: install it (Debian: `apt-get install python3-venv`)";
    let system = shell::find("python3").context(missing)?;
    let version = "import sys; sys.exit(sys.version_info < (3, 10))";
    shell::run(shell::command(&system).args(["-c", version])).context(missing)?;
    let home = shell::root().join(".cache/python");
    let python = home.join("bin/python3");
    let wanted = fs::read_to_string(shell::root().join("examples/consumers/python/requirements.txt"))?;
    let marker = home.join("requirements.txt");
    if fs::read_to_string(&marker).is_ok_and(|have| have == wanted) {
        return Ok(python);
    }
    shell::run(shell::command(&system).args(["-m", "venv"]).arg(&home)).context(missing)?;
    let mut install = shell::command(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]);
    shell::run(install.arg("examples/consumers/python/requirements.txt"))
        .context("the packages of examples/consumers/python could not be installed")?;
    fs::write(&marker, wanted)?;
    Ok(python)
}

/// The path of a Go that is new enough.
pub(crate) fn go() -> Result<PathBuf> {
    let missing = "Go 1.23 or newer is missing: install it and put it on PATH";
    let go = shell::find("go").context(missing)?;
    let version = shell::output(shell::command(&go).args(["env", "GOVERSION"]))?;
    let minor =
        version.trim_start_matches("go1.").split('.').next().and_then(|text| text.parse::<u32>().ok());
    if minor.is_none_or(|minor| minor < 23) {
        bail!("{version} is too old: install Go 1.23 or newer");
    }
    Ok(go)
}

/// The path of a Chromium: OTTER_CHROMIUM, else one on PATH, else installed by apt where that works without questions.
pub(crate) fn chromium() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("OTTER_CHROMIUM") {
        return Ok(path.into());
    }
    if let Some(path) = installed_chromium() {
        return Ok(path);
    }
    if shell::in_ci() && shell::find("apt-get").is_some() {
        println!("installing Chromium with apt-get");
        shell::run(shell::command("apt-get").args(["update", "-qq"]))?;
        shell::run(
            shell::command("apt-get")
                .args(["install", "-y", "-qq", "--no-install-recommends", "chromium"])
                .env("DEBIAN_FRONTEND", "noninteractive")
                .stdout(Stdio::null()),
        )?;
    }
    installed_chromium()
        .context("Chromium is missing: install it (Debian: `apt-get install chromium`) or set OTTER_CHROMIUM to its path")
}

fn installed_chromium() -> Option<PathBuf> {
    let mac = PathBuf::from("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome");
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find_map(shell::find)
        .or_else(|| mac.is_file().then_some(mac))
}

/// The optimiser of binaryen, or nothing when Node is not there.
pub(crate) fn wasm_opt() -> Result<Option<Command>> {
    let Ok(node) = node() else { return Ok(None) };
    let dir = shell::root().join(format!(".cache/binaryen-{BINARYEN}"));
    let script = dir.join("node_modules/binaryen/bin/wasm-opt");
    if !script.is_file() {
        npm_install(&dir, &format!("{{\"private\":true,\"dependencies\":{{\"binaryen\":\"{BINARYEN}\"}}}}"))?;
    }
    let mut command = shell::command(node);
    command.arg(script);
    Ok(Some(command))
}

/// Installs the packages of a folder that has a lock file, unless that was done since the lock file changed.
pub(crate) fn npm_ci(dir: &Path) -> Result<()> {
    let marker = dir.join("node_modules/.package-lock.json");
    let changed = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
    let lock = changed(&dir.join("package-lock.json"));
    if changed(&marker).is_some_and(|marker| lock.is_some_and(|lock| lock <= marker)) {
        return Ok(());
    }
    shell::run(npm(dir).arg("ci"))
}

fn npm_install(dir: &Path, manifest: &str) -> Result<()> {
    fs::create_dir_all(dir)?;
    fs::write(dir.join("package.json"), manifest)?;
    shell::run(npm(dir).args(["install", "--no-package-lock"]))
}

fn npm(dir: &Path) -> Command {
    let mut command = shell::command("npm");
    command.current_dir(dir).args(["--no-audit", "--no-fund", "--loglevel=error"]);
    command
}

/// The length of a file after gzip at its best level.
pub(crate) fn gzipped_len(path: &Path) -> Result<usize> {
    let output =
        shell::command("gzip").args(["-9", "-n", "-c"]).arg(path).output().context("gzip is missing")?;
    if !output.status.success() {
        bail!("gzip ended with {}", output.status);
    }
    Ok(output.stdout.len())
}
