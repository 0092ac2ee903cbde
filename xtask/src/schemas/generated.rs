//! The generated files: written, or compared.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use otter_proto::schema::{GENERATED_FOLDERS, SchemaFile, files};

/// Writes what differs and removes what is not generated any more.
pub(super) fn write(root: &Path) -> Result<()> {
    let files = files();
    for file in &files {
        let path = root.join(&file.path);
        if fs::read_to_string(&path).is_ok_and(|text| text == file.text) {
            continue;
        }
        fs::create_dir_all(path.parent().context("a file has a folder")?)?;
        fs::write(&path, &file.text).with_context(|| format!("writing {}", file.path))?;
        println!("wrote {}", file.path);
    }
    for stale in stale(root, &files) {
        fs::remove_file(root.join(&stale))?;
        println!("removed {}", stale.display());
    }
    Ok(())
}

/// Files that differ from what the Rust types say, one sentence each.
pub(super) fn drifted(root: &Path) -> Vec<String> {
    let files = files();
    let differs =
        |file: &&SchemaFile| fs::read_to_string(root.join(&file.path)).map_or(true, |text| text != file.text);
    let changed = files.iter().filter(differs).map(|file| file.path.clone());
    let stale = stale(root, &files).into_iter().map(|path| path.display().to_string());
    changed
        .chain(stale)
        .map(|path| format!("{path} differs from the Rust types: run `cargo xtask schemas`"))
        .collect()
}

fn stale(root: &Path, files: &[SchemaFile]) -> Vec<PathBuf> {
    let known: BTreeSet<PathBuf> = files.iter().map(|file| PathBuf::from(&file.path)).collect();
    let in_folder = |folder: &&str| {
        let entries = fs::read_dir(root.join(folder)).into_iter().flatten().flatten();
        entries.map(|entry| Path::new(folder).join(entry.file_name())).collect::<Vec<_>>()
    };
    GENERATED_FOLDERS.iter().flat_map(in_folder).filter(|path| !known.contains(path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_a_missing_and_a_stale_file_are_named() {
        let root = tempfile::tempdir().expect("a folder");
        write(root.path()).expect("written");
        assert_eq!(drifted(root.path()), Vec::<String>::new());
        fs::write(root.path().join("schemas/v1/catalogue.json"), "{}").expect("written");
        fs::remove_file(root.path().join("docs/catalogue.md")).expect("removed");
        fs::write(root.path().join("schemas/v1/fixtures/state/old.json"), "{}").expect("written");
        let words = |path: &str| format!("{path} differs from the Rust types: run `cargo xtask schemas`");
        let paths = ["schemas/v1/catalogue.json", "docs/catalogue.md", "schemas/v1/fixtures/state/old.json"];
        assert_eq!(drifted(root.path()), paths.map(words));
        write(root.path()).expect("written");
        assert_eq!(drifted(root.path()), Vec::<String>::new());
    }
}
