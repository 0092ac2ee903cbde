//! Embeds the console and the browser client: every file with its path, and one hash over all of them.
//!
//! `OTTER_CLIENT_DIST` names the folder of the npm package when it is not beside this crate. Without its built `dist`
//! the hub compiles too, and its page says what to do.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// What the hub serves; anything else in the folders is for building and testing.
const SERVED: [&str; 11] =
    ["html", "js", "mjs", "css", "json", "wasm", "svg", "png", "ico", "woff2", "webmanifest"];
const SKIPPED: [&str; 3] = ["node_modules", "test", "tests"];
/// Parts of the package that no page of ours loads.
const NOT_FOR_PAGES: [&str; 6] =
    ["index.node.js", "load.node.js", "package.json", "package-lock.json", "tsconfig.json", "testing.js"];

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=OTTER_CLIENT_DIST");
    let client =
        env::var_os("OTTER_CLIENT_DIST").map_or_else(|| here.join("../otter-client-wasm/npm"), PathBuf::from);
    let mut files = BTreeMap::new();
    let console = here.join("console");
    watch(if console.exists() { &console } else { &here });
    collect(&console, "", &mut files)?;
    let dist = client.join("dist");
    if dist.exists() {
        watch(&dist);
        collect(&client, "client/", &mut files)?;
    } else if client.exists() {
        watch(&client);
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("console.rs"), table(&files)?)
}

fn watch(path: &Path) {
    println!("cargo::rerun-if-changed={}", path.display());
}

/// Adds the served files below `dir` under `prefix`.
fn collect(dir: &Path, prefix: &str, files: &mut BTreeMap<String, PathBuf>) -> io::Result<()> {
    if !dir.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if name.starts_with('.') || SKIPPED.contains(&name) {
            continue;
        }
        if path.is_dir() {
            collect(&path, &format!("{prefix}{name}/"), files)?;
            continue;
        }
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let left_out = name.ends_with(".test.js")
            || (prefix.is_empty() && name.starts_with("preview"))
            || (prefix == "client/" && NOT_FOR_PAGES.contains(&name));
        if SERVED.contains(&extension) && !left_out {
            println!("cargo::rerun-if-changed={}", path.display());
            files.insert(format!("{prefix}{name}"), path);
        }
    }
    Ok(())
}

/// Rust source with the table of files.
fn table(files: &BTreeMap<String, PathBuf>) -> io::Result<String> {
    let (mut hash, mut rows) = (Fnv::new(), String::new());
    for (name, path) in files {
        let content = fs::read(path)?;
        hash.add(name.as_bytes());
        hash.add(&content);
        let path = path.canonicalize()?;
        let _ = writeln!(rows, "    ({name:?}, include_bytes!({:?})),", path.to_string_lossy());
    }
    // The sign-in page belongs to the same build.
    for file in ["page.html", "page.js", "page.css"] {
        let path = Path::new("src/http/sign_in").join(file);
        println!("cargo::rerun-if-changed={}", path.display());
        hash.add(&fs::read(path)?);
    }
    Ok(format!(
        "/// Hash over all files.\npub(super) const HASH: &str = \"{:016x}\";\n\
         /// Path and content, sorted by path.\npub(super) const FILES: &[(&str, &[u8])] = &[\n{rows}];\n",
        hash.0
    ))
}

/// FNV-1a, 64 bits: the name of a version, not a protection.
struct Fnv(u64);

impl Fnv {
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) {
        let length = (bytes.len() as u64).to_le_bytes();
        for byte in length.iter().chain(bytes) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
