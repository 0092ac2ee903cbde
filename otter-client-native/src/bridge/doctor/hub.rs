//! A look at the hub: one upgrade, without the `hello` that would take the place of a running bridge.

use std::time::Duration;

use futures_util::{SinkExt as _, Stream, StreamExt as _};
use otter_proto::error::ErrorCode;
use serde_json::Value;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

use crate::bridge::doctor::Finding;
use crate::openclaw::Secret;

/// Opens a socket to the hub with the bridge's token and says what came of it.
pub async fn look_at_hub(url: &str, token: &Secret, patience: Duration) -> Finding {
    match tokio::time::timeout(patience, shake(url, token)).await {
        Ok(Ok(None)) => Finding::good("hub", format!("{url} takes the bridge's token")),
        Ok(Ok(Some(refusal))) => Finding::bad("hub", format!("{url} refuses the bridge: {refusal}")),
        Ok(Err(words)) => Finding::bad("hub", words),
        Err(_) => Finding::bad("hub", format!("{url} did not answer in {} s", patience.as_secs())),
    }
}

/// The hub's refusal, none when it waits for a hello.
async fn shake(url: &str, token: &Secret) -> Result<Option<String>, String> {
    let mut request =
        url.into_client_request().map_err(|error| format!("{url} is not a WebSocket address: {error}"))?;
    let bearer = HeaderValue::from_str(&format!("Bearer {}", token.reveal()));
    let bearer =
        bearer.map_err(|_| "the token has characters that no token has; copy it again".to_owned())?;
    request.headers_mut().insert(AUTHORIZATION, bearer);
    let subprotocol = HeaderValue::from_static(otter_proto::limits::SUBPROTOCOL);
    request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, subprotocol);
    let (mut socket, _) =
        tokio_tungstenite::connect_async(request).await.map_err(|error| unreachable(url, &error))?;
    // A hub refuses a token before it reads, and answers a ping while it waits for a hello. One whose refusal is on its
    // way may take nothing more.
    let _maybe_refused = socket.send(Message::Ping(Bytes::new())).await;
    let said = listen(&mut socket).await;
    let _already_gone = socket.close(None).await;
    Ok(said)
}

async fn listen(socket: &mut (impl Stream<Item = Result<Message, Error>> + Unpin)) -> Option<String> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Pong(_))) => return None,
            Some(Ok(Message::Text(text))) => match refusal(text.as_str()) {
                // Where pings do not come through.
                Some((code, _)) if code == ErrorCode::HelloTimeout.as_str() => return None,
                Some((_, words)) => return Some(words),
                None => {}
            },
            Some(Ok(Message::Close(Some(frame)))) => {
                return Some(format!("{} ({})", frame.reason, frame.code));
            }
            Some(Ok(Message::Close(None))) => return Some("it closed the connection".to_owned()),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Some("it dropped the connection".to_owned()),
        }
    }
}

/// The code and the words of a refusal.
fn refusal(text: &str) -> Option<(String, String)> {
    let frames = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let frame = frames.into_iter().find(|frame| frame["type"] == "refuse")?;
    let words = |value: &Value| value.as_str().map(str::to_owned);
    let message = words(&frame["error"]["message"]).or(words(&frame["message"]));
    let code = words(&frame["error"]["code"]).unwrap_or_default();
    Some((code, message.unwrap_or_else(|| "it gave no reason".to_owned())))
}

fn unreachable(url: &str, error: &Error) -> String {
    match error {
        Error::Http(response) => {
            let place = response.headers().get("location").and_then(|place| place.to_str().ok());
            let hint =
                place.map(|place| format!(" and points to {place}; is there a login page in between?"));
            format!("{url} answered HTTP {}{}", response.status().as_u16(), hint.unwrap_or_default())
        }
        Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            format!("nothing listens at {url}; is the hub running?")
        }
        other => format!("{url} could not be reached: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

    use super::*;
    use crate::bridge::doctor::Health;

    #[test]
    fn a_refusal_is_found_among_frames() {
        let text = "{\"type\":\"challenge\",\"nonce\":\"n\"}\n{\"type\":\"refuse\",\"error\":{\"message\":\"unknown token\"}}";
        assert_eq!(refusal(text), Some((String::new(), "unknown token".to_owned())));
        assert_eq!(refusal("{\"type\":\"challenge\"}"), None);
    }

    /// What is found at a hub that says so much after the upgrade, and then reads or does not.
    async fn found(says: &[&str], reads: bool, patience: Duration) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (url, token) = (format!("ws://{}", listener.local_addr().unwrap()), Secret::new("t"));
        #[allow(clippy::result_large_err, reason = "the signature of the codec")]
        let agree = |_: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
            let subprotocol = HeaderValue::from_static(otter_proto::limits::SUBPROTOCOL);
            response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, subprotocol);
            Ok(response)
        };
        let hub = async {
            let stream = listener.accept().await.unwrap().0;
            let mut socket = tokio_tungstenite::accept_hdr_async(stream, agree).await.unwrap();
            for text in says {
                socket.send(Message::text(*text)).await.unwrap();
            }
            while reads && matches!(socket.next().await, Some(Ok(_))) {}
            std::future::pending::<()>().await;
        };
        let finding = tokio::select! {
            finding = look_at_hub(&url, &token, patience) => finding,
            () = hub => unreachable!(),
        };
        finding.to_string().replace(&url, "it")
    }

    const LONG: Duration = Duration::from_mins(1);

    #[tokio::test]
    async fn a_hub_that_waits_for_a_hello_takes_the_token() {
        let taken = "ok   hub      it takes the bridge's token";
        assert_eq!(found(&[], true, LONG).await, taken);
        let late = r#"{"type":"refuse","error":{"code":"helloTimeout","message":"send `hello`"}}"#;
        assert_eq!(found(&[late], false, LONG).await, taken);
    }

    #[tokio::test]
    async fn a_hub_that_refuses_is_quoted_and_one_that_says_nothing_is_not_taken_for_content() {
        let refuse = r#"{"type":"refuse","error":{"code":"authRequired","message":"unknown token"}}"#;
        assert_eq!(found(&[refuse], true, LONG).await, "FAIL hub      it refuses the bridge: unknown token");
        let silent = found(&[], false, Duration::from_secs(2)).await;
        assert_eq!(silent, "FAIL hub      it did not answer in 2 s");
    }

    #[tokio::test]
    async fn a_hub_that_is_not_there_is_named() {
        let finding = look_at_hub("ws://127.0.0.1:9/ws/openclaw", &Secret::new("t"), LONG).await;
        assert!(finding.health == Health::Bad && finding.words.contains("nothing listens"), "{finding}");
    }
}
