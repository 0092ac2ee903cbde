//! Which pages may open a socket, and to which org.

use std::collections::BTreeMap;

use axum::http::HeaderMap;
use axum::http::header::ORIGIN;
use otter_proto::error::{ErrorBody, ErrorCode};
use otter_proto::id::OrgId;

use crate::auth::origin::Origin;

/// The allowed origins; compared exactly by scheme, host and port.
#[derive(Debug, Clone)]
pub struct AllowList {
    own: Origin,
    orgs: BTreeMap<Origin, OrgId>,
    loopback: Option<OrgId>,
}

impl AllowList {
    /// Allows the hub's own pages, which belong to `org`.
    pub fn new(own: Origin, org: OrgId) -> Self {
        Self { orgs: BTreeMap::from([(own.clone(), org)]), own, loopback: None }
    }

    /// Allows the pages of another origin.
    #[must_use]
    pub fn with(mut self, origin: Origin, org: OrgId) -> Self {
        self.orgs.insert(origin, org);
        self
    }

    /// Allows every page served from this machine, for development.
    #[must_use]
    pub fn with_loopback(mut self, org: OrgId) -> Self {
        self.loopback = Some(org);
        self
    }

    /// The org of the page that sent this request.
    pub fn org_of(&self, headers: &HeaderMap) -> Result<OrgId, ErrorBody> {
        let Some(value) = headers.get(ORIGIN) else {
            return Err(refused("this socket is for web pages; bridges use /ws/openclaw"));
        };
        let text = String::from_utf8_lossy(value.as_bytes());
        let Ok(origin) = Origin::parse(&text) else {
            tracing::warn!(origin = ?text, "refused a page without a usable origin");
            return Err(refused("this page has no origin; open it from a web server"));
        };
        self.org(&origin).cloned().ok_or_else(|| {
            tracing::warn!(
                "refused the origin {origin}; to allow it start the hub with: --allow-origin {origin}"
            );
            refused("the hub does not allow this page's address; its log prints the option that does")
        })
    }

    /// Whether a request that changes something comes from one of the hub's own pages.
    pub fn is_own(&self, origin: &Origin) -> bool {
        *origin == self.own || (self.loopback.is_some() && origin.is_loopback())
    }

    /// The origin of the hub's own pages.
    pub const fn own(&self) -> &Origin {
        &self.own
    }

    /// Whether every page of this machine is allowed.
    pub const fn allows_loopback(&self) -> bool {
        self.loopback.is_some()
    }

    fn org(&self, origin: &Origin) -> Option<&OrgId> {
        self.orgs.get(origin).or_else(|| self.loopback.as_ref().filter(|_| origin.is_loopback()))
    }
}

fn refused(message: &str) -> ErrorBody {
    ErrorBody::new(ErrorCode::BadOrigin, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(origin: &str) -> HeaderMap {
        HeaderMap::from_iter([(ORIGIN, origin.parse().unwrap())])
    }

    #[test]
    fn only_exactly_allowed_pages_have_an_org() {
        let (org, other) = (OrgId::new("org_1").unwrap(), OrgId::new("org_2").unwrap());
        let own = Origin::parse("https://otter.example").unwrap();
        let camp = Origin::parse("https://camp.example").unwrap();
        let list = AllowList::new(own, org.clone()).with(camp, other.clone());
        assert_eq!(list.org_of(&headers("https://otter.example")), Ok(org.clone()));
        assert_eq!(list.org_of(&headers("https://OTTER.example")), Ok(org.clone()));
        assert_eq!(list.org_of(&headers("https://camp.example")), Ok(other));
        for origin in [
            "null",
            "http://otter.example",
            "https://otter.example:8443",
            "https://otter.example.",
            "https://otter.example.evil.example",
            "https://evilotter.example",
            "http://localhost:4200",
        ] {
            assert_eq!(list.org_of(&headers(origin)).unwrap_err().code, ErrorCode::BadOrigin, "{origin}");
        }
        assert!(list.org_of(&HeaderMap::new()).is_err());
        let list = list.with_loopback(org.clone());
        assert_eq!(list.org_of(&headers("http://localhost:5173")), Ok(org));
        assert!(list.org_of(&headers("http://localhost.evil.example")).is_err());
    }

    #[test]
    fn an_allowed_foreign_page_is_not_an_own_one() {
        let org = OrgId::new("org_1").unwrap();
        let (own, camp) = (Origin::localhost(4200), Origin::parse("https://camp.example").unwrap());
        let list = AllowList::new(own.clone(), org.clone()).with(camp.clone(), org);
        assert!(list.is_own(&own) && !list.is_own(&camp) && !list.is_own(&Origin::localhost(1)));
    }
}
