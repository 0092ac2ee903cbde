//! What the hub was started with.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::auth::{CookieKind, Origin, PublicUrl, Scheme, Secret};
use crate::cli::ServeArgs;

/// The port when nothing names one.
const PORT: u16 = 4200;

/// A configuration that makes sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where everything is stored.
    pub data_dir: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// The address people use; the one on this machine when absent.
    pub public_url: Option<PublicUrl>,
    /// Whether a proxy with TLS stands before the hub.
    pub behind_proxy: bool,
    /// Development on this machine: any page of this machine may connect, cookies need no TLS.
    pub dev: bool,
    /// Further pages that may connect.
    pub allow_origins: Vec<Origin>,
    /// The console's files on disk instead of those of the build.
    pub console_dir: Option<PathBuf>,
    /// Connections at the same time.
    pub max_connections: usize,
    /// Opens `/metrics` to who knows it, and to nobody else.
    pub metrics_token: Option<Secret>,
}

/// Why the hub does not start like this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Credentials would cross the network in clear text.
    #[error(
        "{0} is reachable from other machines, and the hub has no TLS. Put a proxy with TLS before it and start it \
         with --behind-proxy --public-url https://name, or listen on 127.0.0.1"
    )]
    NotLoopback(SocketAddr),
    /// Links would name the wrong address.
    #[error("behind a proxy the hub cannot know its own address: add --public-url https://name")]
    NoPublicUrl,
    /// The session cookie needs TLS.
    #[error("--public-url {0} has no TLS; people reach the hub over https, or on this machine")]
    PublicWithoutTls(String),
    /// Development mode is not for others.
    #[error("--dev is for this machine only; leave out --behind-proxy and listen on 127.0.0.1")]
    DevInPublic,
    /// Only for development.
    #[error("--console-dir needs --dev")]
    ConsoleDirWithoutDev,
    /// It could be guessed.
    #[error("--metrics-token has fewer than 16 characters; `openssl rand -hex 32` makes a good one")]
    ShortMetricsToken,
    /// Nowhere to store anything.
    #[error("name a data directory: --data-dir DIR")]
    NoDataDir,
    /// Not a port.
    #[error("PORT is `{0}`, which is not a port")]
    Port(String),
}

impl Config {
    /// Checks the arguments; `port` is the variable PORT, which counts when no address is named.
    pub fn new(args: ServeArgs, port: Option<&str>) -> Result<Self, ConfigError> {
        let listen = match (args.listen, port) {
            (Some(listen), _) => listen,
            (None, port) => default_listen(port, args.behind_proxy)?,
        };
        let public_url = args.public_url;
        if args.dev && (args.behind_proxy || !listen.ip().is_loopback()) {
            return Err(ConfigError::DevInPublic);
        }
        if !args.behind_proxy && !listen.ip().is_loopback() {
            return Err(ConfigError::NotLoopback(listen));
        }
        if args.behind_proxy && public_url.is_none() {
            return Err(ConfigError::NoPublicUrl);
        }
        if args.console_dir.is_some() && !args.dev {
            return Err(ConfigError::ConsoleDirWithoutDev);
        }
        if args.metrics_token.as_ref().is_some_and(|token| token.expose().len() < 16) {
            return Err(ConfigError::ShortMetricsToken);
        }
        let in_clear = |url: &&PublicUrl| url.origin.scheme() == Scheme::Http && !url.origin.is_loopback();
        if let Some(url) = public_url.as_ref().filter(in_clear) {
            return Err(ConfigError::PublicWithoutTls(url.to_string()));
        }
        Ok(Self {
            data_dir: args.data_dir.ok_or(ConfigError::NoDataDir)?,
            listen,
            public_url,
            behind_proxy: args.behind_proxy,
            dev: args.dev,
            allow_origins: args.allow_origin,
            console_dir: args.console_dir,
            max_connections: args.max_connections,
            metrics_token: args.metrics_token,
        })
    }

    /// The address people use, once the port is known.
    pub fn public(&self, port: u16) -> PublicUrl {
        let local = || PublicUrl { origin: Origin::localhost(port), prefix: String::new() };
        self.public_url.clone().unwrap_or_else(local)
    }

    /// The cookie of this hub.
    pub const fn cookie(&self) -> CookieKind {
        if self.dev { CookieKind::Dev } else { CookieKind::Host }
    }
}

fn default_listen(port: Option<&str>, behind_proxy: bool) -> Result<SocketAddr, ConfigError> {
    let port = match port.filter(|port| !port.is_empty()) {
        Some(text) => text.parse().map_err(|_| ConfigError::Port(text.to_owned()))?,
        None => PORT,
    };
    let ip = if behind_proxy { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
    Ok(SocketAddr::new(IpAddr::V4(ip), port))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::Cli;

    fn config(args: &str, port: Option<&str>) -> Result<Config, ConfigError> {
        let words = ["otter-server", "--data-dir", "d"].into_iter().chain(args.split_whitespace());
        Config::new(Cli::try_parse_from(words).unwrap().serve, port)
    }

    #[test]
    fn without_tls_and_proxy_only_this_machine_is_served() {
        let error = config("--listen 0.0.0.0:4200", None).unwrap_err();
        assert_eq!(error, ConfigError::NotLoopback("0.0.0.0:4200".parse().unwrap()));
        assert!(config("--listen [::1]:4200", None).is_ok());
        assert!(
            config("--listen 0.0.0.0:80 --behind-proxy --public-url https://otter.example", None).is_ok()
        );
    }

    #[test]
    fn combinations_that_would_be_unsafe_are_refused() {
        let cases = [
            ("--behind-proxy", ConfigError::NoPublicUrl),
            ("--dev --listen 10.0.0.1:1", ConfigError::DevInPublic),
            ("--dev --behind-proxy --public-url https://otter.example", ConfigError::DevInPublic),
            (
                "--public-url http://otter.example",
                ConfigError::PublicWithoutTls("http://otter.example".into()),
            ),
            ("--console-dir x", ConfigError::ConsoleDirWithoutDev),
            ("--metrics-token abc", ConfigError::ShortMetricsToken),
        ];
        for (args, error) in cases {
            assert_eq!(config(args, None), Err(error), "{args}");
        }
    }

    #[test]
    fn the_port_variable_counts_when_no_address_is_named() {
        let listen = |args, port| config(args, port).map(|config| config.listen.to_string());
        assert_eq!(listen("", None).unwrap(), "127.0.0.1:4200");
        assert_eq!(listen("", Some("8080")).unwrap(), "127.0.0.1:8080");
        assert_eq!(listen("--listen 127.0.0.1:1", Some("8080")).unwrap(), "127.0.0.1:1");
        let proxied = "--behind-proxy --public-url https://otter.example";
        assert_eq!(listen(proxied, Some("8080")).unwrap(), "0.0.0.0:8080");
        assert_eq!(listen("", Some("x")), Err(ConfigError::Port("x".into())));
    }
}
