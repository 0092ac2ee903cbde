//! A look at the hub: one upgrade, without the `hello` that would take the place of a running bridge.

use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::Value;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::{Error, Message};

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
    let listen = async {
        while let Some(Ok(message)) = socket.next().await {
            match message {
                Message::Text(text) => {
                    if let Some(refusal) = refusal(text.as_str()) {
                        return Some(refusal);
                    }
                }
                Message::Close(Some(frame)) => return Some(format!("{} ({})", frame.reason, frame.code)),
                Message::Close(None) => return Some("it closed the connection".to_owned()),
                _ => {}
            }
        }
        Some("it dropped the connection".to_owned())
    };
    // A hub that is content says no more than its challenge until it gets a hello.
    let said = tokio::time::timeout(LISTEN, listen).await.unwrap_or_default();
    let _already_gone = socket.close(None).await;
    Ok(said)
}

fn refusal(text: &str) -> Option<String> {
    let frames = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut refusals = frames.filter(|frame| frame["type"] == "refuse");
    let frame = refusals.next()?;
    let message = frame["error"]["message"].as_str().or(frame["message"].as_str());
    Some(message.unwrap_or("it gave no reason").to_owned())
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

/// How long a refusal may take.
const LISTEN: Duration = Duration::from_millis(1_500);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge::doctor::Health;

    #[test]
    fn a_refusal_is_found_among_frames() {
        let text = "{\"type\":\"challenge\",\"nonce\":\"n\"}\n{\"type\":\"refuse\",\"error\":{\"message\":\"unknown token\"}}";
        assert_eq!(refusal(text).as_deref(), Some("unknown token"));
        assert_eq!(refusal("{\"type\":\"challenge\"}"), None);
    }

    #[tokio::test]
    async fn a_hub_that_is_not_there_is_named() {
        let finding =
            look_at_hub("ws://127.0.0.1:9/ws/openclaw", &Secret::new("t"), Duration::from_secs(5)).await;
        assert!(finding.health == Health::Bad && finding.words.contains("nothing listens"), "{finding}");
    }
}
