//! Frames that no gateway should send: ignored or read as far as they make sense, never a panic.

use serde_json::{Value, json};

use crate::bench::{Bench, lines};

/// SplitMix64, so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        usize::try_from((mixed ^ mixed >> 27) % u64::try_from(sides).unwrap()).unwrap()
    }
}

/// Replaces one value somewhere in `value`.
fn spoil(value: &mut Value, dice: &mut Dice) {
    let odd = [
        Value::Null,
        json!(-1),
        json!(1e300),
        json!(""),
        json!("\u{fffd}"),
        json!([[]]),
        json!({"text": 7}),
        json!(true),
        json!("x".repeat(300)),
        json!(u64::MAX),
    ];
    let children = match value {
        Value::Object(fields) => fields.len(),
        Value::Array(items) => items.len(),
        _ => 0,
    };
    if children == 0 || dice.roll(4) == 0 {
        *value = odd[dice.roll(odd.len())].clone();
        return;
    }
    let at = dice.roll(children);
    match value {
        Value::Object(fields) => spoil(fields.values_mut().nth(at).unwrap(), dice),
        Value::Array(items) => spoil(&mut items[at], dice),
        _ => {}
    }
}

#[test]
fn spoiled_frames_are_survived() {
    for (name, seed) in
        [("j-steer-slash-followup", 1), ("l-queued-reconnect", 2), ("k-sigkill-resume", 3), ("f-cron", 4)]
    {
        for round in 0..3 {
            let mut dice = Dice(seed * 1_000 + round);
            let mut recording = lines(name);
            for line in &mut recording {
                let frame = &mut line.value["frame"];
                let is_handshake =
                    frame["payload"]["type"] == "hello-ok" || frame["event"] == "connect.challenge";
                if line.value["dir"] == "in" && !is_handshake && dice.roll(2) == 0 {
                    let frame = &mut line.value["frame"]["payload"];
                    spoil(frame, &mut dice);
                }
            }
            let mut bench = Bench::new();
            bench.replay(&recording);
            bench.restarted();
        }
    }
}
