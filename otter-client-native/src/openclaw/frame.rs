//! Decoding of gateway frames, lenient on purpose: gateways send more than any schema lists.

mod surrogate;

use serde_json::Value;

use crate::openclaw::json::Fields;
use crate::openclaw::rpc::RpcError;

pub(crate) use surrogate::repair_surrogates;

/// Longest frame a gateway may send, in bytes; its own limit is the same.
const MAX_FRAME_BYTES: usize = 25 * 1024 * 1024;

/// One message of the gateway.
#[derive(Clone, Debug, PartialEq)]
pub enum GatewayFrame {
    /// The first frame of a connection: what the device signature has to cover.
    Challenge {
        /// Random text of the gateway.
        nonce: String,
        /// Clock of the gateway in Unix milliseconds.
        ts: u64,
    },
    /// Something happened.
    Event(GatewayEvent),
    /// The answer to a request.
    Response(GatewayResponse),
}

/// An event frame.
#[derive(Clone, Debug, PartialEq)]
pub struct GatewayEvent {
    /// Name of the event, such as `chat` or `sessions.changed`.
    pub name: String,
    /// Number of the frame on this connection; some targeted events have none.
    pub seq: Option<u64>,
    /// What the event says.
    pub payload: Value,
}

/// A response frame.
#[derive(Clone, Debug, PartialEq)]
pub struct GatewayResponse {
    /// Id of the request.
    pub id: String,
    /// The payload, or why there is none.
    pub result: Result<Value, RpcError>,
}

/// Why a frame was ignored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedFrame {
    /// Longer than 25 MiB.
    #[error("frame of {0} bytes is longer than a gateway may send")]
    TooLong(usize),
    /// Not JSON.
    #[error("not JSON: {0}")]
    Json(String),
    /// JSON of a shape that is neither an event nor a response.
    #[error("neither an event nor a response")]
    Shape,
}

/// A decoded message and what had to be repaired in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// The frame, or why it is ignored.
    pub frame: Result<GatewayFrame, MalformedFrame>,
    /// How many lone surrogates became U+FFFD.
    pub repaired: u32,
}

/// Decodes one WebSocket text message.
#[must_use]
pub fn decode(text: &str) -> Decoded {
    if text.len() > MAX_FRAME_BYTES {
        return Decoded { frame: Err(MalformedFrame::TooLong(text.len())), repaired: 0 };
    }
    let (text, repaired) = repair_surrogates(text);
    Decoded { frame: read(&text), repaired }
}

fn read(text: &str) -> Result<GatewayFrame, MalformedFrame> {
    let mut value: Value =
        serde_json::from_str(text).map_err(|error| MalformedFrame::Json(error.to_string()))?;
    match value.text("type") {
        Some("event") => {
            let name = value.owned("event").ok_or(MalformedFrame::Shape)?;
            let seq = value.int("seq");
            Ok(event(name, seq, take(&mut value, "payload")))
        }
        Some("res") => {
            let id = value.owned("id").ok_or(MalformedFrame::Shape)?;
            let result = if value.flag("ok") == Some(true) {
                Ok(take(&mut value, "payload"))
            } else {
                Err(RpcError::from_wire(value.field("error")))
            };
            Ok(GatewayFrame::Response(GatewayResponse { id, result }))
        }
        _ => Err(MalformedFrame::Shape),
    }
}

fn event(name: String, seq: Option<u64>, payload: Value) -> GatewayFrame {
    match (name.as_str(), payload.owned("nonce")) {
        ("connect.challenge", Some(nonce)) => {
            GatewayFrame::Challenge { nonce, ts: payload.int("ts").unwrap_or_default() }
        }
        _ => GatewayFrame::Event(GatewayEvent { name, seq, payload }),
    }
}

fn take(value: &mut Value, key: &str) -> Value {
    value.get_mut(key).map(Value::take).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_lone_surrogate_is_repaired_and_counted() {
        let text = r#"{"type":"event","event":"chat","seq":3,"payload":{"text":"half \ud83d","\udc00k":"\ud83d\ude00"}}"#;
        assert_eq!(
            decode(text),
            Decoded {
                frame: Ok(GatewayFrame::Event(GatewayEvent {
                    name: "chat".into(),
                    seq: Some(3),
                    payload: json!({"text": "half \u{fffd}", "\u{fffd}k": "😀"}),
                })),
                repaired: 2,
            }
        );
    }

    #[test]
    fn malformed_frames_are_values() {
        for text in
            ["", "{", "[]", "7", r#"{"type":"event"}"#, r#"{"type":"res","ok":true}"#, r#"{"type":"req"}"#]
        {
            assert!(decode(text).frame.is_err(), "{text}");
        }
        let deep = format!(r#"{{"type":"event","event":"x","payload":{}}}"#, "[".repeat(10_000));
        assert!(matches!(decode(&deep).frame, Err(MalformedFrame::Json(_))));
    }

    #[test]
    fn a_frame_of_twenty_megabytes_is_read() {
        let text = format!(r#"{{"type":"event","event":"x","payload":{{"t":"{}"}}}}"#, "a".repeat(20 << 20));
        let Ok(GatewayFrame::Event(event)) = decode(&text).frame else { panic!("not an event") };
        assert_eq!(event.payload.text("t").map(str::len), Some(20 << 20));
    }

    #[test]
    fn an_error_without_a_shape_is_still_an_answer() {
        let Ok(GatewayFrame::Response(response)) =
            decode(r#"{"type":"res","id":"r1","ok":false,"error":7}"#).frame
        else {
            panic!("not a response")
        };
        assert!(response.result.is_err());
    }
}
