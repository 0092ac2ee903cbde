//! `cargo xtask wasm`: the browser client as an npm package, without tools that have to be installed.

mod shorten;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use wasm_bindgen_cli_support::Bindgen;

use crate::{shell, tools};

/// The most that wasm and glue together may weigh, gzipped.
const LIMIT_BYTES: usize = 60 * 1024;
/// Small first; no function is inlined, because what repeats compresses.
const OPTIMISER: [&str; 17] = [
    "--low-memory-unused",
    "--optimize-added-constants-propagate",
    "-Os",
    "--converge",
    "--one-caller-inline-max-function-size",
    "0",
    "--flexible-inline-max-function-size",
    "0",
    "--always-inline-max-function-size",
    "0",
    "--flatten",
    "--rereloop",
    "-Os",
    "--converge",
    "--strip-debug",
    "--strip-producers",
    "--strip-target-features",
];
const NAME: &str = "otter";
const TARGET: &str = "wasm32-unknown-unknown";

#[derive(Debug, Default, Args)]
pub(crate) struct Options {
    /// Leaves the wasm as the compiler made it, also when Node is there to optimise it.
    #[arg(long)]
    unoptimised: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let optimised = build(if options.unoptimised { Optimise::Never } else { Optimise::WhenNodeIsThere })?;
    let size = print_sizes()?;
    if size > LIMIT_BYTES && optimised {
        bail!("wasm and glue weigh {size} bytes gzipped, the limit is {LIMIT_BYTES}");
    }
    Ok(())
}

/// Whether the optimiser, which needs Node, runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Optimise {
    Never,
    WhenNodeIsThere,
}

/// The folder of the built client: `otter.js`, `otter_bg.wasm`, the same wasm as a module, `otter_bg.base64.js`, and
/// `open.js`, which starts the worker of all tabs.
pub(crate) fn dist() -> PathBuf {
    shell::root().join("otter-client-wasm/npm/dist")
}

/// Builds the client, unless the one in `dist` is newer than the compiler's result; tells whether it is optimised.
pub(crate) fn build(optimise: Optimise) -> Result<bool> {
    let compiled = compile()?;
    let optimiser = match optimise {
        Optimise::Never => None,
        Optimise::WhenNodeIsThere => tools::wasm_opt()?,
    };
    let marker = dist().join(".optimised");
    if is_current(&compiled) && (optimiser.is_none() || marker.exists()) {
        name_worker()?;
        return Ok(marker.exists());
    }
    bind(&compiled)?;
    let glue = dist().join(format!("{NAME}.js"));
    let wasm = dist().join(format!("{NAME}_bg.wasm"));
    let code = as_factory(&without_comments(&fs::read_to_string(&glue)?))?;
    let (module, code) = shorten::shorten(&fs::read(&wasm)?, &code)?;
    fs::write(&wasm, module)?;
    fs::write(&glue, code)?;
    fs::write(glue.with_extension("d.ts"), TYPES)?;
    if let Some(mut optimiser) = optimiser {
        shell::run(optimiser.args(OPTIMISER).arg("-o").arg(&wasm).arg(&wasm))?;
        fs::write(&marker, "")?;
    }
    inline(&wasm)?;
    name_worker()?;
    Ok(marker.exists())
}

fn compile() -> Result<PathBuf> {
    tools::wasm_target(TARGET)?;
    shell::run(&mut shell::cargo([
        "build",
        "-p",
        "otter-client-wasm",
        "--target",
        TARGET,
        "--profile",
        "wasm",
    ]))?;
    Ok(shell::target().join(TARGET).join("wasm/otter_client_wasm.wasm"))
}

/// Whether `dist` is newer than what it is made of and than the tool that makes it.
fn is_current(compiled: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
    let built: Option<SystemTime> = changed(&dist().join(format!("{NAME}_bg.base64.js")));
    let older = |path: &Path| built.is_some_and(|built| changed(path).is_some_and(|at| at <= built));
    worker().exists() && older(compiled) && std::env::current_exe().is_ok_and(|tool| older(&tool))
}

fn bind(compiled: &Path) -> Result<()> {
    match fs::remove_dir_all(dist()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    Bindgen::new()
        .input_path(compiled)
        .out_name(NAME)
        .web(true)?
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(dist())
        .context("the JavaScript glue could not be made")
}

/// What is around the glue: it makes an instance of its own for each core, which is as long there as somebody has it.
const HEAD: &str = "export default async (module) => {\n";
const TAIL: &str = "\n__wbg_finalize_init(await WebAssembly.instantiate(module, __wbg_get_imports()), module);\nreturn Core;\n};\n";

/// What the glue offers to the package.
const TYPES: &str = "export default function instantiate(module: WebAssembly.Module): Promise<import('../boundary.js').CoreConstructor>;
";

/// The glue as a function from a compiled module to the class of a new instance of it.
fn as_factory(glue: &str) -> Result<String> {
    let at = glue.find("async function __wbg_load(").context("the glue has no loader")?;
    let code = glue.get(..at).unwrap_or_default();
    let code = code.replacen("export class Core ", "class Core ", 1);
    if code.contains("export ") {
        bail!("the glue exports more than the core");
    }
    // Nobody frees the core of an instance that died.
    let code = code.lines().filter(|line| !line.starts_with("CoreFinalization."));
    let code = code.collect::<Vec<_>>().join("\n");
    let (before, rest) = code.split_once("const CoreFinalization =").context("the glue has no finaliser")?;
    let (_, after) = rest.split_once(";\n").context("the finaliser does not end")?;
    Ok(format!("{HEAD}{before}{after}{TAIL}"))
}

/// Takes the comments, which are for readers of the declarations, and the margins out of the glue. Comments stand on
/// lines of their own.
fn without_comments(text: &str) -> String {
    let is_comment = |line: &str| ["/*", "*", "//"].iter().any(|start| line.trim_start().starts_with(start));
    let code = text.lines().filter(|line| !line.trim().is_empty() && !is_comment(line));
    code.map(str::trim).collect::<Vec<_>>().join("\n")
}

/// Writes the wasm as a module of base64, for dev servers that answer the wasm's address with a page.
fn inline(wasm: &Path) -> Result<()> {
    let text = base64(&fs::read(wasm)?);
    fs::write(dist().join(format!("{NAME}_bg.base64.js")), format!("export default \"{text}\";\n"))?;
    Ok(())
}

/// Writes how the worker is started that tabs share. Its name differs with each build, so that tabs of two builds do not
/// meet in one worker.
fn name_worker() -> Result<()> {
    let package = shell::root().join("otter-client-wasm/npm");
    let mut parts = vec![dist().join(format!("{NAME}_bg.wasm")), dist().join(format!("{NAME}.js"))];
    for entry in fs::read_dir(&package)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "js") {
            parts.push(path);
        }
    }
    parts.sort_unstable();
    let code = worker_code(parts.iter().map(fs::read).collect::<io::Result<Vec<_>>>()?.concat().as_slice());
    // What did not change keeps its time: others are built anew when it is newer.
    if fs::read_to_string(worker()).ok().as_ref() != Some(&code) {
        fs::write(worker(), code)?;
    }
    Ok(())
}

fn worker_code(build: &[u8]) -> String {
    let hash = build.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!(
        "export default () => new SharedWorker(new URL('../worker.js', import.meta.url), {{ type: 'module', name: 'otter-{hash:016x}' }});\n"
    )
}

fn worker() -> PathBuf {
    dist().join("open.js")
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |group: u32, shift: u32| char::from(DIGITS[(group >> shift & 63) as usize]);
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        text.extend([digit(group, 18), digit(group, 12)]);
        text.push(if chunk.len() > 1 { digit(group, 6) } else { '=' });
        text.push(if chunk.len() > 2 { digit(group, 0) } else { '=' });
    }
    text
}

/// Prints raw and gzipped sizes and gives the gzipped sum of wasm and glue.
fn print_sizes() -> Result<usize> {
    let mut sum = 0;
    for file in [format!("{NAME}_bg.wasm"), format!("{NAME}.js")] {
        let path = dist().join(&file);
        let raw = fs::metadata(&path)?.len();
        let packed = tools::gzipped_len(&path)?;
        println!("{file}: {raw} bytes, {packed} gzipped");
        sum += packed;
    }
    println!("wasm and glue: {:.1} KB gzipped, limit {}", kilobytes(sum), LIMIT_BYTES / 1024);
    Ok(sum)
}

#[allow(clippy::cast_precision_loss, reason = "sizes for people, far below 2^52")]
fn kilobytes(bytes: usize) -> f64 {
    bytes as f64 / 1024.0
}

#[cfg(test)]
mod tests {
    use super::{base64, worker_code};

    #[test]
    fn base64_pads_each_length() {
        let texts = ["", "f", "fo", "foo", "foob"].map(|text| base64(text.as_bytes()));
        assert_eq!(texts, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]);
    }

    #[test]
    fn another_build_has_another_worker() {
        let (one, other) = (worker_code(b"a"), worker_code(b"b"));
        assert_ne!(one, other);
        // As bundlers look for it: literally.
        let start = "export default () => new SharedWorker(new URL('../worker.js', import.meta.url), { type: 'module', name: 'otter-";
        assert!(one.starts_with(start) && other.starts_with(start), "{one}");
    }
}
