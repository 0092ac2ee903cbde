//! The console: files that the build embedded, under an address with the hash of all of them.
//!
//! Page, glue and WebAssembly always match: a page names the files of its own build, which never change. In development
//! they can be read from disk instead.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use axum::extract::{Path as UrlPath, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use crate::http::App;

/// The embedded files as (path, content), sorted by path, and the hash over all of them.
mod embedded {
    include!(concat!(env!("OUT_DIR"), "/console.rs"));
}

const SIGN_IN_PAGE: &str = include_str!("sign_in/page.html");
const SIGN_IN_FILES: [(&str, &str); 2] = [
    ("sign-in/page.js", include_str!("sign_in/page.js")),
    ("sign-in/page.css", include_str!("sign_in/page.css")),
];
/// In an HTML page it stands for the address of the files.
const PLACEHOLDER: &str = "{{assets}}";
/// The name of the files' folder when they are read from disk.
const UNVERSIONED: &str = "dev";
const FOREVER: &str = "public, max-age=31536000, immutable";

/// Where the console's files come from.
#[derive(Debug, Clone)]
pub enum Assets {
    /// The build.
    Embedded,
    /// Two folders: the console and the npm package of the browser client.
    Disk {
        /// The console.
        console: PathBuf,
        /// The browser client; served as `client/`.
        client: PathBuf,
    },
}

impl Assets {
    fn hash(&self) -> &str {
        match self {
            Self::Embedded => embedded::HASH,
            Self::Disk { .. } => UNVERSIONED,
        }
    }

    fn cache_control(&self) -> &'static str {
        match self {
            Self::Embedded => FOREVER,
            Self::Disk { .. } => "no-store",
        }
    }

    async fn file(&self, path: &str) -> Option<Vec<u8>> {
        if let Some((_, text)) = SIGN_IN_FILES.iter().find(|(name, _)| *name == path) {
            return Some(text.as_bytes().to_vec());
        }
        match self {
            Self::Embedded => {
                let at = embedded::FILES.binary_search_by(|(name, _)| (*name).cmp(path)).ok()?;
                embedded::FILES.get(at).map(|(_, content)| content.to_vec())
            }
            Self::Disk { console, client } => {
                let (root, rest) =
                    path.strip_prefix("client/").map_or((console, path), |rest| (client, rest));
                let file = inside(root, rest)?;
                tokio::task::spawn_blocking(move || std::fs::read(file)).await.ok()?.ok()
            }
        }
    }

    /// An HTML page with the addresses of its files filled in.
    fn page(&self, html: &str) -> Response {
        let html = html.replace(PLACEHOLDER, &format!("assets/{}", self.hash()));
        let headers = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CACHE_CONTROL, "no-cache")];
        (headers, html).into_response()
    }
}

/// The console's page.
pub(super) async fn index(State(app): State<Arc<App>>) -> Response {
    let client = app.assets.file("client/dist/otter_bg.wasm").await;
    let page = app.assets.file("index.html").await.and_then(|bytes| String::from_utf8(bytes).ok());
    match (client, page) {
        (Some(_), Some(html)) => app.assets.page(&html),
        _ => app.assets.page(NOT_BUILT),
    }
}

/// The page behind every link.
pub(super) fn sign_in_page(assets: &Assets) -> Response {
    let mut response = assets.page(SIGN_IN_PAGE);
    response.headers_mut().insert(CACHE_CONTROL, axum::http::HeaderValue::from_static("no-store"));
    response
}

/// A file of the console.
pub(super) async fn asset(
    State(app): State<Arc<App>>,
    UrlPath((hash, path)): UrlPath<(String, String)>,
) -> Response {
    let file = if hash == app.assets.hash() { app.assets.file(&path).await } else { None };
    match file {
        Some(content) => {
            let headers = [(CONTENT_TYPE, content_type(&path)), (CACHE_CONTROL, app.assets.cache_control())];
            (headers, content).into_response()
        }
        None => (StatusCode::NOT_FOUND, [(CACHE_CONTROL, "no-store")], "no such file\n").into_response(),
    }
}

/// `rest` below `root`; `None` when it would leave it.
fn inside(root: &Path, rest: &str) -> Option<PathBuf> {
    let plain = Path::new(rest).components().all(|part| matches!(part, Component::Normal(_)));
    (plain && !rest.is_empty()).then(|| root.join(rest))
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

const NOT_BUILT: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<link rel=\"icon\" href=\"data:,\">
<title>Otter</title>
<link rel=\"stylesheet\" href=\"{{assets}}/sign-in/page.css\">
<main>
<h1>Otter</h1>
<p>The hub runs, but its console was not built in.</p>
<p>Build the browser client with <code>cargo xtask wasm</code>, then build and start the hub again.</p>
</main>
</html>
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside_their_folder() {
        let root = Path::new("/console");
        assert_eq!(inside(root, "js/app.js"), Some(PathBuf::from("/console/js/app.js")));
        for path in ["", "../secret", "js/../../secret", "/etc/passwd", "./a"] {
            assert_eq!(inside(root, path), None, "{path}");
        }
    }

    #[test]
    fn embedded_files_are_sorted_for_the_look_up() {
        assert!(embedded::FILES.is_sorted_by(|(a, _), (b, _)| a < b));
        assert_eq!(embedded::HASH.len(), 16);
    }
}
