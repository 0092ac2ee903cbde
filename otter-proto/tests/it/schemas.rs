//! The committed files are the ones that the Rust types generate.

use std::path::Path;

#[test]
fn generated_files_have_not_drifted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for file in otter_proto::schema::files() {
        let committed = std::fs::read_to_string(root.join(file.path)).unwrap_or_default();
        assert!(
            committed == file.text,
            "{} differs from the Rust types: run `cargo xtask schemas`",
            file.path
        );
    }
}

#[test]
fn every_reference_of_the_bundle_resolves() {
    let files = otter_proto::schema::files();
    let bundle: serde_json::Value = serde_json::from_str(&files[0].text).unwrap();
    let mut open = vec![&bundle];
    while let Some(value) = open.pop() {
        match value {
            serde_json::Value::Object(object) => {
                if let Some(target) = object.get("$ref").and_then(|target| target.as_str()) {
                    let name = target.strip_prefix("#/$defs/").expect("references stay inside the bundle");
                    assert!(bundle["$defs"][name].is_object(), "{target}");
                }
                open.extend(object.values());
            }
            serde_json::Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
}
