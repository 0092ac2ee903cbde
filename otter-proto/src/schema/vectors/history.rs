//! A random history of a scope, by the rules of the hub: merges only into what is there, evictions out of the window,
//! whole values for rows that come back.

use std::collections::BTreeMap;

use crate::id::{EntityKey, Scope};
use crate::text;

use super::{row, snapshot_frame};

/// A small generator: the same numbers on every machine.
pub(super) struct Random(u64);

impl Random {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `end`.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end.max(1)
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let at = usize::try_from(self.below(from.len() as u64)).unwrap_or(0);
        from.get(at)
    }
}

#[derive(Clone)]
struct Stored {
    rev: u64,
    live: bool,
    text: String,
}

type Rows = BTreeMap<EntityKey, Stored>;

/// The events of a scope, and its rows after each.
pub(super) struct History {
    pub(super) scope: Scope,
    events: Vec<(u64, String)>,
    /// Rows after the event of that seq; the first is before any.
    heads: Vec<(u64, Rows)>,
}

const EVENTS: u64 = 40;
const WINDOW: usize = 5;

impl History {
    pub(super) fn new(flavour: &str, seed: u64) -> Self {
        let scope = if flavour == "org" { "org" } else { "conversation/in_k3f2:c1" };
        let scope = Scope::parse(scope).unwrap_or(Scope::Org);
        let mut random = Random::new(seed);
        let mut history = Self { scope, events: Vec::new(), heads: vec![(0, Rows::new())] };
        let mut seq = 100;
        for _ in 0..EVENTS {
            // Other scopes have events in between.
            seq += 1 + random.below(3);
            history.step(flavour, seq, &mut random);
        }
        history
    }

    /// The seq of the last event counted from the first: positions inside the history.
    pub(super) fn last(&self) -> u64 {
        self.events.len() as u64
    }

    fn at(&self, position: u64) -> Option<&(u64, Rows)> {
        self.heads.get(usize::try_from(position).unwrap_or(usize::MAX))
    }

    pub(super) fn events_after(&self, position: u64) -> Vec<String> {
        let skip = usize::try_from(position).unwrap_or(usize::MAX);
        self.events.iter().skip(skip).map(|(_, text)| text.clone()).collect()
    }

    /// The live rows after so many events.
    pub(super) fn rows_at(&self, position: u64) -> Vec<String> {
        self.fetch(position, |stored| stored.live)
    }

    /// All rows after so many events.
    pub(super) fn fetch_at(&self, position: u64) -> Vec<String> {
        self.fetch(position, |_| true)
    }

    fn fetch(&self, position: u64, keep: impl Fn(&Stored) -> bool) -> Vec<String> {
        let rows = self.at(position).into_iter().flat_map(|(_, rows)| rows);
        rows.filter(|(_, stored)| keep(stored))
            .map(|(key, stored)| row(key, stored.rev, stored.live, &stored.text))
            .collect()
    }

    /// A snapshot in three pages, each read at a head of its own; the position of the lowest.
    pub(super) fn pages(&self, random: &mut Random) -> (Vec<String>, u64) {
        let heads: Vec<u64> = (0..3).map(|_| self.last() / 2 + random.below(self.last() / 2 + 1)).collect();
        let lowest = heads.iter().copied().min().unwrap_or(0);
        let seq = |position: u64| self.at(position).map_or(0, |(seq, _)| *seq);
        let mut keys: Vec<&EntityKey> = self.heads.iter().flat_map(|(_, rows)| rows.keys()).collect();
        keys.sort();
        keys.dedup();
        let (count, size) = (keys.len(), keys.len().div_ceil(3).max(1));
        let mut pages = Vec::new();
        for (at, (keys, head)) in keys.chunks(size).zip(&heads).enumerate() {
            let Some((_, rows)) = self.at(*head) else { continue };
            let rows: Vec<String> = keys
                .iter()
                .filter_map(|key| rows.get(*key).filter(|stored| stored.live).map(|stored| (key, stored)))
                .map(|(key, stored)| row(key, stored.rev, true, &stored.text))
                .collect();
            let is_last = (at + 1) * size >= count;
            let so_far = heads.iter().take(at + 1).copied().min().unwrap_or(0);
            pages.push(snapshot_frame(&self.scope, &rows, seq(so_far), is_last.then(|| seq(*head))));
        }
        (pages, lowest)
    }

    fn step(&mut self, flavour: &str, seq: u64, random: &mut Random) {
        let (prev, mut rows) = self.heads.last().cloned().unwrap_or_default();
        let number = random.below(8);
        let names: &[&str] =
            if flavour == "org" { &["task", "agent", "x.acme.gauge"] } else { &["message", "run", "step"] };
        let of = random.pick(names).copied().unwrap_or("task");
        let Ok(key) = EntityKey::new(of, &format!("in_k3f2:{of}-{number}")) else { return };
        let (kind, data) = change(of, rows.contains_key(&key), random);
        let effects = effects(&mut rows, &key, kind, &data, seq, random);
        self.events.push((seq, event(&self.scope, seq, prev, kind, &effects, &data)));
        self.heads.push((seq, rows));
    }
}

/// A kind and its canonical data, for an entity that is there or not.
fn change(of: &str, is_there: bool, random: &mut Random) -> (&'static str, String) {
    let words = [
        "\u{1f9a6} otter",
        "line\\nbreak",
        "quote \\\" and \\\\",
        "caf\u{e9}",
        "\u{2028}",
        "\\u0001",
        "plain",
    ];
    let text = random.pick(&words).copied().unwrap_or("plain");
    let number = random.below(1_000);
    let gone = is_there && random.below(6) == 0;
    match (of, is_there) {
        ("task", _) if gone => ("task.removed", "{}".to_owned()),
        ("agent", _) if gone => ("agent.removed", "{}".to_owned()),
        ("message", _) if gone => ("message.removed", "{}".to_owned()),
        ("x.acme.gauge", _) if gone => ("x.acme.gaugeRemoved", "{}".to_owned()),
        ("task", _) => ("task.upserted", task(text, number, random)),
        ("agent", false) => ("agent.upserted", format!("{{\"instanceId\":\"in_k3f2\",\"name\":\"{text}\"}}")),
        ("agent", true) => {
            ("agent.statusChanged", format!("{{\"status\":\"busy {number}\",\"statusText\":\"{text}\"}}"))
        }
        ("message", false) => (
            "message.created",
            format!(
                "{{\"author\":{{\"type\":\"agent\"}},\"conversationId\":\"in_k3f2:c1\",\"sentAt\":\"2026-11-22T14:00:00.{number:03}Z\",\"status\":\"complete\",\"text\":\"{text}\"}}"
            ),
        ),
        ("message", true) => (
            "message.edited",
            format!("{{\"editedAt\":\"2026-11-22T14:01:00.{number:03}Z\",\"text\":\"{text}\"}}"),
        ),
        ("run", false) => (
            "run.started",
            format!(
                "{{\"agentId\":\"in_k3f2:main\",\"conversationId\":\"in_k3f2:c1\",\"startedAt\":\"2026-11-22T14:00:00.{number:03}Z\",\"state\":\"running\"}}"
            ),
        ),
        ("run", true) => (
            "run.completed",
            format!(
                "{{\"endedAt\":\"2026-11-22T14:02:00.{number:03}Z\",\"state\":\"completed\",\"usage\":{{\"input\":{number},\"output\":9007199254740991}}}}"
            ),
        ),
        ("step", false) => (
            "step.recorded",
            format!(
                "{{\"conversationId\":\"in_k3f2:c1\",\"exitCode\":-{number},\"name\":\"exec\",\"outputHead\":\"{text}\",\"runId\":\"in_k3f2:run-1\",\"startedAt\":\"2026-11-22T14:00:00.{number:03}Z\",\"status\":\"completed\"}}"
            ),
        ),
        _ => ("x.acme.gaugeMoved", gauge(text, number, random)),
    }
}

fn task(text: &str, number: u64, random: &mut Random) -> String {
    let status = random.pick(&["todo", "inProgress", "review", "done"]).copied().unwrap_or("todo");
    match random.below(4) {
        0 => format!("{{\"status\":\"{status}\",\"summary\":null}}"),
        1 => format!("{{\"status\":\"{status}\",\"summary\":\"{text} {number}\"}}"),
        2 => format!("{{\"by\":{{\"name\":\"{text}\",\"type\":\"member\"}},\"status\":\"{status}\"}}"),
        _ => format!("{{\"status\":\"{status}\",\"title\":\"{text} {number}\"}}"),
    }
}

/// What only an integrator sends: nesting, arrays, fractions.
fn gauge(text: &str, number: u64, random: &mut Random) -> String {
    match random.below(5) {
        0 => format!(
            "{{\"B\":{number},\"a b\":[{{\"x\":null,\"y\":0.{number}5}},1e-7],\"b\":{{\"deep\":{{\"er\":\"{text}\"}}}}}}"
        ),
        1 => format!("{{\"b\":{{\"deep\":null,\"flat\":-{number}.25}}}}"),
        2 => "{\"a b\":null,\"b\":{\"deep\":{\"er\":null,\"other\":true}}}".to_owned(),
        3 => format!("{{\"b\":\"{text}\"}}"),
        _ => format!("{{\"a!\":[[],{{}}],\"at\":\"2026-11-22T14:00:00.{number:03}Z\"}}"),
    }
}

/// Applies a change to the hub's rows; the effects that tell it.
fn effects(
    rows: &mut Rows,
    key: &EntityKey,
    kind: &str,
    data: &str,
    seq: u64,
    random: &mut Random,
) -> Vec<String> {
    let effect = |op: &str, key: &EntityKey, value: Option<&str>| match value {
        Some(value) => format!("{{\"op\":\"{op}\",\"entity\":\"{key}\",\"value\":{value}}}"),
        None => format!("{{\"op\":\"{op}\",\"entity\":\"{key}\"}}"),
    };
    let mut effects = Vec::new();
    match rows.get(key).cloned() {
        Some(_) if kind.ends_with("emoved") => {
            rows.remove(key);
            effects.push(effect("delete", key, None));
        }
        Some(old) => {
            let whole = text::merge(&old.text, data);
            // A row that comes back is put as a whole.
            let revives = !old.live && random.below(2) == 0;
            rows.insert(key.clone(), Stored { rev: seq, live: old.live || revives, text: whole.clone() });
            effects.push(if revives { effect("put", key, Some(&whole)) } else { effect("merge", key, None) });
        }
        None => {
            let whole = text::drop_nulls(data);
            let value = Some(whole.as_str()).filter(|whole| *whole != data);
            effects.push(effect("put", key, value));
            rows.insert(key.clone(), Stored { rev: seq, live: true, text: whole.clone() });
        }
    }
    let live = rows.iter().filter(|(other, stored)| stored.live && other.entity_type() == key.entity_type());
    let mut live: Vec<(u64, EntityKey)> = live.map(|(other, stored)| (stored.rev, other.clone())).collect();
    live.sort();
    let over = live.len().saturating_sub(WINDOW);
    for (_, out) in live.into_iter().take(over).filter(|(_, out)| out != key) {
        if let Some(stored) = rows.get_mut(&out) {
            *stored = Stored { rev: seq, live: false, text: stored.text.clone() };
            effects.push(effect("evict", &out, None));
        }
    }
    effects
}

fn event(scope: &Scope, seq: u64, prev: u64, kind: &str, effects: &[String], data: &str) -> String {
    format!(
        "{{\"seq\":{seq},\"prev\":{prev},\"id\":\"ev_{seq}\",\"at\":\"2026-11-22T14:00:00.123Z\",\"scope\":\"{scope}\",\"kind\":\"{kind}\",\
         \"source\":{{\"type\":\"instance\",\"id\":\"in_k3f2\"}},\"effects\":[{}],\"data\":{data}}}",
        effects.join(",")
    )
}
