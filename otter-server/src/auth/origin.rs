//! Web origins: scheme, host and port, compared exactly.

use std::fmt;

/// The origin of a page.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    scheme: Scheme,
    host: String,
    port: u16,
}

/// How a page was loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// Without TLS.
    Http,
    /// With TLS.
    Https,
}

/// Why a text is not an origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an origin; write it as https://name or http://name:port, without a path")]
pub struct OriginError(String);

impl Scheme {
    const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl Origin {
    /// Reads `scheme://host[:port]`; case does not matter, the default port may be left out.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        Self::read(text).ok_or_else(|| OriginError(text.chars().take(100).collect()))
    }

    /// The origin of the hub's own page on this machine.
    pub fn localhost(port: u16) -> Self {
        Self { scheme: Scheme::Http, host: "localhost".into(), port }
    }

    /// How pages of this origin are loaded.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// `host[:port]`, as the Host header has it.
    pub fn authority(&self) -> String {
        if self.port == self.scheme.default_port() {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Whether only programs on this machine can have this origin.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self.host == "[::1]"
            || self.host.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
    }

    fn read(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let (scheme, rest) = match text.split_once("://")? {
            ("http", rest) => (Scheme::Http, rest),
            ("https", rest) => (Scheme::Https, rest),
            _ => return None,
        };
        let ends_in_bracket = rest.ends_with(']');
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !ends_in_bracket => (host, read_port(port)?),
            _ => (rest, scheme.default_port()),
        };
        is_host(host).then(|| Self { scheme, host: host.to_owned(), port })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.name(), self.authority())
    }
}

fn read_port(text: &str) -> Option<u16> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    host.len() <= 253 && host.split('.').all(label)
}

/// The address under which people reach the hub: an origin and the path below which a proxy serves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    /// The origin of the hub's own pages.
    pub origin: Origin,
    /// Empty, or a path with a leading and without a trailing slash.
    pub prefix: String,
}

/// Why a text is not a public address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an address; write it as https://name or https://name/path, without a query")]
pub struct PublicUrlError(String);

impl PublicUrl {
    /// Reads `scheme://host[:port][/path]`.
    pub fn parse(text: &str) -> Result<Self, PublicUrlError> {
        let error = || PublicUrlError(text.chars().take(100).collect());
        let after_scheme = text.find("://").ok_or_else(error)? + 3;
        let path_at = text.get(after_scheme..).and_then(|rest| rest.find('/'));
        let (origin, path) = path_at.map_or((text, ""), |at| text.split_at(after_scheme + at));
        let prefix = path.trim_end_matches('/');
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-._~".contains(&b);
        if !prefix.bytes().all(plain) {
            return Err(error());
        }
        let origin = Origin::parse(origin).map_err(|_| error())?;
        Ok(Self { origin, prefix: prefix.to_owned() })
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_origins_compare_equal_however_they_are_written() {
        let origin = Origin::parse("https://Otter.Example").unwrap();
        assert_eq!(origin, Origin::parse("https://otter.example:443").unwrap());
        assert_eq!(origin.to_string(), "https://otter.example");
        assert_eq!(Origin::parse("http://[::1]:4200").unwrap().to_string(), "http://[::1]:4200");
    }

    #[test]
    fn look_alikes_are_other_origins_or_none() {
        let origin = Origin::parse("https://otter.example").unwrap();
        for other in [
            "http://otter.example",
            "https://otter.example:8443",
            "https://otter.example.evil.example",
            "https://evilotter.example",
            "https://sub.otter.example",
        ] {
            assert_ne!(Origin::parse(other).unwrap(), origin, "{other}");
        }
        for none in [
            "",
            "null",
            "otter.example",
            "https://otter.example.",
            "https://otter.example/",
            "https://ött.example",
            "https://user@otter.example",
            "https://otter.example:",
            "https://otter.example:+443",
            "wss://otter.example",
        ] {
            assert!(Origin::parse(none).is_err(), "{none}");
        }
    }

    #[test]
    fn only_names_of_this_machine_are_loopback() {
        for yes in ["http://localhost:5173", "http://127.0.0.1:1", "https://127.9.9.9", "http://[::1]"] {
            assert!(Origin::parse(yes).unwrap().is_loopback(), "{yes}");
        }
        for no in ["http://localhost.example", "http://127.0.0.1.example", "http://10.0.0.1"] {
            assert!(!Origin::parse(no).unwrap().is_loopback(), "{no}");
        }
    }

    #[test]
    fn a_public_address_may_have_a_path() {
        let url = PublicUrl::parse("https://example.com/otter/").unwrap();
        assert_eq!((url.to_string().as_str(), url.prefix.as_str()), ("https://example.com/otter", "/otter"));
        assert_eq!(PublicUrl::parse("http://localhost:4200").unwrap().prefix, "");
        for bad in ["example.com", "https://example.com/?a=1", "https://example.com/a b", "ftp://example.com"]
        {
            assert!(PublicUrl::parse(bad).is_err(), "{bad}");
        }
    }
}
