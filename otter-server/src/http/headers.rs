//! Headers of every answer, and what every changing request must have.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use crate::auth::{AllowList, Origin, Scheme};
use crate::http::App;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Adds the security headers.
pub(super) async fn secure(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let policy = content_security_policy(app.auth.origins(), request.headers());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert("content-security-policy", policy);
    }
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if app.public.origin.scheme() == Scheme::Https {
        headers.insert("strict-transport-security", HeaderValue::from_static("max-age=31536000"));
    }
    response
}

/// Scripts, styles and sockets of this origin only; `connect-src` names the exact host.
fn content_security_policy(origins: &AllowList, headers: &HeaderMap) -> String {
    let asked = headers.get(HOST).and_then(|host| host.to_str().ok());
    // In development the page may be open under any name of this machine.
    let local = asked
        .and_then(|host| Origin::parse(&format!("http://{host}")).ok())
        .filter(|origin| origins.allows_loopback() && origin.is_loopback());
    let origin = local.as_ref().unwrap_or_else(|| origins.own());
    let scheme = match origin.scheme() {
        Scheme::Http => "ws",
        Scheme::Https => "wss",
    };
    format!(
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self' {scheme}://{}; frame-ancestors 'none'; object-src 'none'; base-uri 'none'",
        origin.authority()
    )
}

/// Why a changing request is refused.
pub(super) type Refusal = (StatusCode, &'static str);

/// A request that changes something comes from a page of this hub and is JSON: no form of another site can send it.
pub(super) fn check_same_origin(origins: &AllowList, headers: &HeaderMap) -> Result<(), Refusal> {
    let json = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| {
        let essence = value.split(';').next().unwrap_or_default();
        essence.trim().eq_ignore_ascii_case("application/json")
    });
    if !json {
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, "send application/json"));
    }
    let foreign =
        (StatusCode::FORBIDDEN, "this works only from the hub's own page; open it under its public address");
    let site = headers.get(&SEC_FETCH_SITE).map(HeaderValue::as_bytes);
    if site.is_some_and(|site| site != b"same-origin") {
        return Err(foreign);
    }
    match headers.get(ORIGIN) {
        None if site.is_some() => Ok(()),
        None => Err(foreign),
        Some(origin) => {
            let origin = origin.to_str().ok().and_then(|text| Origin::parse(text).ok());
            if origin.is_some_and(|origin| origins.is_own(&origin)) { Ok(()) } else { Err(foreign) }
        }
    }
}

#[cfg(test)]
mod tests {
    use otter_proto::id::OrgId;

    use super::*;

    fn list() -> AllowList {
        AllowList::new(Origin::parse("https://otter.example").unwrap(), OrgId::new("org_1").unwrap())
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn the_policy_names_the_exact_host_whatever_the_host_header_says() {
        let expected = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
                        img-src 'self' data:; connect-src 'self' wss://otter.example; \
                        frame-ancestors 'none'; object-src 'none'; base-uri 'none'";
        assert_eq!(content_security_policy(&list(), &headers(&[("host", "evil.example")])), expected);
        let dev = AllowList::new(Origin::localhost(7070), OrgId::new("org_1").unwrap())
            .with_loopback(OrgId::new("org_1").unwrap());
        let policy = content_security_policy(&dev, &headers(&[("host", "127.0.0.1:7070")]));
        assert!(policy.contains("connect-src 'self' ws://127.0.0.1:7070;"), "{policy}");
        let policy = content_security_policy(&dev, &headers(&[("host", "evil.example:7070")]));
        assert!(policy.contains("connect-src 'self' ws://localhost:7070;"), "{policy}");
    }

    #[test]
    fn only_json_from_an_own_page_may_change_something() {
        let own = ("origin", "https://otter.example");
        let json = ("content-type", "application/json; charset=utf-8");
        let same = ("sec-fetch-site", "same-origin");
        for allowed in [vec![own, json], vec![own, json, same], vec![json, same]] {
            assert_eq!(check_same_origin(&list(), &headers(&allowed)), Ok(()), "{allowed:?}");
        }
        for (refused, status) in [
            (vec![own, same], 415),
            (vec![own, same, ("content-type", "text/plain")], 415),
            (vec![own, same, ("content-type", "application/x-www-form-urlencoded")], 415),
            (vec![json], 403),
            (vec![json, ("origin", "https://evil.example")], 403),
            (vec![json, ("origin", "null")], 403),
            (vec![json, same, ("origin", "https://evil.example")], 403),
            (vec![json, own, ("sec-fetch-site", "cross-site")], 403),
            (vec![json, own, ("sec-fetch-site", "same-site")], 403),
        ] {
            let (got, _) = check_same_origin(&list(), &headers(&refused)).unwrap_err();
            assert_eq!(got.as_u16(), status, "{refused:?}");
        }
    }
}
