//! `/schemas/v1/…`: the contract that this hub speaks, for programs that are written against it. Nothing in it is secret:
//! no credential is needed and any page may read it.

use axum::extract::Path;
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};

/// Name, media type, text.
const FILES: [(&str, &str, &str); 3] = [
    ("otter.schema.json", "application/schema+json", include_str!("../../../schemas/v1/otter.schema.json")),
    (
        "otter.strict.schema.json",
        "application/schema+json",
        include_str!("../../../schemas/v1/otter.strict.schema.json"),
    ),
    ("catalogue.json", "application/json", include_str!("../../../schemas/v1/catalogue.json")),
];
/// Asked again after five minutes, answered with 304 while the hub is the same.
const CACHED: &str = "public, max-age=300";

/// A file of the contract.
pub(super) async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some((_, media_type, text)) = FILES.iter().find(|(known, ..)| *known == name) else {
        return (StatusCode::NOT_FOUND, [(CACHE_CONTROL, "no-store")], "no such file\n").into_response();
    };
    let tag = tag(text);
    let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let same =
        known.is_some_and(|tags| tags.split(',').any(|one| one.trim().trim_start_matches("W/") == tag));
    let common = [
        (ETAG, tag.as_str()),
        (CACHE_CONTROL, CACHED),
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (CONTENT_TYPE, media_type),
    ];
    if same {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    (common, *text).into_response()
}

fn tag(text: &str) -> String {
    let digest = Sha256::digest(text);
    let head: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{head}\"")
}
