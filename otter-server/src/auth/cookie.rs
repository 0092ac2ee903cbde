//! The session cookie.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;

use crate::auth::secret::Secret;

/// Which of the two cookies this hub uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CookieKind {
    /// `__Host-otter`: needs TLS, and no other host can set it.
    Host,
    /// `otter_dev`: for development on this machine, without TLS.
    Dev,
}

/// What a session cookie holds: `<id>.<secret>`.
#[derive(Debug, Clone)]
pub struct SessionCookie {
    /// Names the session's row.
    pub id: String,
    /// Proves it.
    pub secret: Secret,
}

impl CookieKind {
    /// The cookie's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Host => "__Host-otter",
            Self::Dev => "otter_dev",
        }
    }

    /// The `Set-Cookie` value that signs in for `max_age_s` seconds.
    pub fn set(self, cookie: &SessionCookie, max_age_s: u64) -> String {
        let value = format!("{}.{}", cookie.id, cookie.secret.expose());
        format!(
            "{}={value}; Path=/; Max-Age={max_age_s}; {}HttpOnly; SameSite=Lax",
            self.name(),
            self.secure()
        )
    }

    /// The `Set-Cookie` value that removes the cookie.
    pub fn clear(self) -> String {
        format!("{}=; Path=/; Max-Age=0; {}HttpOnly; SameSite=Lax", self.name(), self.secure())
    }

    /// The session cookie of a request; cookies of other names are ignored.
    pub fn read(self, headers: &HeaderMap) -> Option<SessionCookie> {
        let values = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
        let pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let (_, value) = pairs.into_iter().find(|(name, _)| *name == self.name())?;
        let (id, secret) = value.split_once('.')?;
        Some(SessionCookie { id: id.to_owned(), secret: Secret::presented(secret) })
    }

    const fn secure(self) -> &'static str {
        match self {
            Self::Host => "Secure; ",
            Self::Dev => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookie() -> SessionCookie {
        SessionCookie { id: "se_1".into(), secret: Secret::presented("s3cret") }
    }

    #[test]
    fn the_set_cookie_values_have_exactly_these_flags() {
        assert_eq!(
            CookieKind::Host.set(&cookie(), 60),
            "__Host-otter=se_1.s3cret; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax"
        );
        assert_eq!(
            CookieKind::Dev.set(&cookie(), 60),
            "otter_dev=se_1.s3cret; Path=/; Max-Age=60; HttpOnly; SameSite=Lax"
        );
        assert_eq!(
            CookieKind::Host.clear(),
            "__Host-otter=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax"
        );
    }

    #[test]
    fn only_the_cookie_of_this_kind_is_read() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, "a=b; otter=se_2.x; otter_dev=se_3.y".parse().unwrap());
        assert!(CookieKind::Host.read(&headers).is_none());
        headers.append(COOKIE, "__Host-otter=se_1.s3cret".parse().unwrap());
        let read = CookieKind::Host.read(&headers).unwrap();
        assert_eq!((read.id.as_str(), read.secret.expose()), ("se_1", "s3cret"));
    }
}
