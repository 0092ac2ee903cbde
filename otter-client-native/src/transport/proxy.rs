//! The way out of networks that only let an HTTP proxy through.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::http::Uri;

use super::OpenError;

/// An HTTP proxy that joins a client to its hub by `CONNECT`.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    host: String,
    port: u16,
    /// `user:password`, when the proxy asks for it.
    credentials: Option<String>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({}:{})", self.host, self.port)
    }
}

impl Proxy {
    /// Reads `http://[user:password@]host[:port]`, or without the scheme; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("http://").unwrap_or(text).trim_end_matches('/');
        let (credentials, place) = match rest.rsplit_once('@') {
            Some((credentials, place)) => (Some(credentials.to_owned()), place),
            None => (None, rest),
        };
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (place, 80),
        };
        let odd = host.is_empty() || host.contains(['/', ' ', '?', '#']);
        (!odd).then(|| Self { host: host.to_owned(), port, credentials })
    }

    /// The proxy that the environment names for an address; none for this machine.
    pub fn from_env(address: &Uri) -> Option<Self> {
        let host = address.host()?;
        let variable = |names: [&str; 2]| names.iter().find_map(|name| std::env::var(name).ok());
        let local = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        if local || variable(["NO_PROXY", "no_proxy"]).is_some_and(|list| is_excepted(host, &list)) {
            return None;
        }
        let names = if address.scheme_str() == Some("wss") {
            ["HTTPS_PROXY", "https_proxy"]
        } else {
            ["HTTP_PROXY", "http_proxy"]
        };
        Self::parse(&variable(names)?)
    }

    /// A connection through the proxy to the host of an address.
    pub(super) async fn connect(&self, address: &Uri) -> Result<TcpStream, OpenError> {
        let failed =
            |reason: String| OpenError::Proxy { proxy: format!("{}:{}", self.host, self.port), reason };
        let host = address.host().unwrap_or_default();
        let port = address.port_u16().unwrap_or(if address.scheme_str() == Some("wss") { 443 } else { 80 });
        let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nhost: {host}:{port}\r\n");
        if let Some(credentials) = &self.credentials {
            request.push_str("proxy-authorization: Basic ");
            request.push_str(&STANDARD.encode(credentials));
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        let talk = async {
            let mut stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
            stream.set_nodelay(true)?;
            stream.write_all(request.as_bytes()).await?;
            let mut head = Vec::new();
            // Byte by byte: what follows the head belongs to the hub.
            while !head.ends_with(b"\r\n\r\n") && head.len() < MAX_HEAD {
                head.push(stream.read_u8().await?);
            }
            Ok::<_, std::io::Error>((stream, head))
        };
        let (stream, head) = talk.await.map_err(|error| failed(error.to_string()))?;
        let head = String::from_utf8_lossy(&head);
        let status = head.split(' ').nth(1).unwrap_or_default();
        if status == "200" {
            Ok(stream)
        } else {
            Err(failed(format!("it answers with HTTP status {status}")))
        }
    }
}

/// Whether a host is on a list such as `localhost,.corp.example,10.0.0.7`.
fn is_excepted(host: &str, list: &str) -> bool {
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        let name = entry.trim_start_matches('.');
        entry == "*" || host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'))
    })
}

const MAX_HEAD: usize = 8 << 10;

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn addresses_of_proxies_are_read_and_never_printed_with_their_password() {
        let proxy = Proxy::parse("http://ada:s3cret@proxy.example:3128/").unwrap();
        assert_eq!(format!("{proxy:?}"), "Proxy(proxy.example:3128)");
        assert_eq!(proxy.credentials.as_deref(), Some("ada:s3cret"));
        assert_eq!(format!("{:?}", Proxy::parse("proxy").unwrap()), "Proxy(proxy:80)");
        for bad in ["", "http://", "socks5://proxy:1080", "proxy:port"] {
            assert_eq!(Proxy::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn hosts_may_be_excepted() {
        let list = "localhost, .corp.example,hub.example";
        for (host, excepted) in
            [("a.corp.example", true), ("hub.example", true), ("myhub.example", false), ("x.test", false)]
        {
            assert_eq!(is_excepted(host, list), excepted, "{host}");
        }
        assert!(is_excepted("x.test", "*"));
    }

    async fn through(answer: &'static str) -> (Result<Vec<u8>, OpenError>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = vec![0; 4096];
            let length = stream.read(&mut asked).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&asked[..length]).into_owned()
        });
        let proxy = Proxy { host: "127.0.0.1".to_owned(), port, credentials: Some("a:b".to_owned()) };
        let result = match proxy.connect(&Uri::from_static("wss://hub.example/ws/openclaw")).await {
            Ok(mut stream) => {
                let mut rest = Vec::new();
                stream.read_to_end(&mut rest).await.unwrap();
                Ok(rest)
            }
            Err(error) => Err(error),
        };
        (result, server.await.unwrap())
    }

    #[tokio::test]
    async fn a_tunnel_is_asked_for_and_nothing_after_its_head_is_lost() {
        let (result, asked) = through("HTTP/1.1 200 Connection established\r\n\r\nfrom the hub").await;
        assert_eq!(result, Ok(b"from the hub".to_vec()));
        let want = "CONNECT hub.example:443 HTTP/1.1\r\nhost: hub.example:443\r\n\
                    proxy-authorization: Basic YTpi\r\n\r\n";
        assert_eq!(asked, want);
    }

    #[tokio::test]
    async fn a_proxy_that_refuses_is_named() {
        let (result, _) = through("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await;
        let error = result.unwrap_err().to_string();
        assert!(error.contains("HTTP status 407") && error.contains("127.0.0.1"), "{error}");
    }
}
