//! Which address of a hub is safe to send a token to.

use std::net::IpAddr;

use tokio_tungstenite::tungstenite::http::Uri;

/// Why an address is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not a WebSocket address.
    #[error("`{0}` is not the address of a hub: it looks like wss://hub.example.com/ws/openclaw")]
    Malformed(String),
    /// The token and everything said would travel readable.
    #[error(
        "`{0}` is not encrypted, so everyone on the way could read the token and all messages: use wss:// (ws:// is \
         for a hub on this machine only)"
    )]
    Plain(String),
}

/// Accepts `wss://` anywhere and `ws://` on this machine.
pub fn check_hub_address(address: &str) -> Result<(), AddressError> {
    let malformed = || AddressError::Malformed(address.to_owned());
    let uri: Uri = address.parse().map_err(|_| malformed())?;
    let host = uri.host().ok_or_else(malformed)?;
    match uri.scheme_str() {
        Some("wss") => Ok(()),
        Some("ws") if is_loopback(host) => Ok(()),
        Some("ws") => Err(AddressError::Plain(address.to_owned())),
        _ => Err(malformed()),
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn only_this_machine_may_be_reached_without_encryption() {
        for fine in [
            "wss://hub.example/ws/openclaw",
            "ws://127.0.0.1:8080/ws/openclaw",
            "ws://localhost/x",
            "ws://[::1]:1/x",
        ] {
            assert_eq!(check_hub_address(fine), Ok(()), "{fine}");
        }
        for plain in [
            "ws://hub.example/ws/openclaw",
            "ws://192.168.1.4/x",
            "ws://localhost.example/x",
            "ws://127.0.0.1.nip.io/x",
        ] {
            assert_eq!(check_hub_address(plain), Err(AddressError::Plain(plain.into())), "{plain}");
        }
        for odd in ["http://hub.example", "hub.example", "", "wss:///x"] {
            assert_eq!(check_hub_address(odd), Err(AddressError::Malformed(odd.into())), "{odd}");
        }
    }
}
