use std::collections::BTreeMap;

use pretty_assertions::assert_eq;
use proptest::prelude::*;

use super::*;
use crate::UnixMillis;
use crate::effect::{Effect, EffectOp};
use crate::id::{EventId, Scope};
use crate::text;

fn key(text: &str) -> EntityKey {
    EntityKey::parse(text).unwrap()
}

fn event<'a>(seq: u64, data: &'a str, effects: &[(EffectOp, &str)]) -> RecordedEvent<'a> {
    RecordedEvent {
        seq,
        prev: seq - 1,
        id: EventId::new("ev_1").unwrap(),
        at: UnixMillis(0),
        scope: Scope::Org,
        kind: "task.upserted".to_owned(),
        source: "{}",
        caused_by: None,
        effects: effects
            .iter()
            .map(|&(op, entity)| Effect { op, entity: key(entity), value: None })
            .collect(),
        data,
    }
}

fn entity(text: &str, rev: u64, live: bool) -> Entity {
    Entity { text: text.to_owned(), rev, live }
}

fn recomputed(state: &ScopeState) -> u64 {
    state.live().fold(0, |sum, (key, entity)| sum.wrapping_add(hash::entity(key, entity.rev, &entity.text)))
}

#[test]
fn put_merge_evict_and_delete_follow_the_rules() {
    let mut state = ScopeState::new();
    let task = key("task/t");
    assert_eq!(state.apply(&event(1, r#"{"a":1}"#, &[(EffectOp::Merge, "task/t")])), []);
    assert_eq!(
        state.apply(&event(2, "{}", &[(EffectOp::Delete, "task/t"), (EffectOp::Evict, "task/u")])),
        []
    );
    assert_eq!(state.apply(&event(3, r#"{"a":1}"#, &[(EffectOp::Put, "task/t")])), vec![task.clone()]);
    assert_eq!(state.apply(&event(4, r#"{"b":2}"#, &[(EffectOp::Merge, "task/t")])), vec![task.clone()]);
    assert_eq!(state.get(&task).cloned(), Some(entity(r#"{"a":1,"b":2}"#, 4, true)));
    state.apply(&event(5, "{}", &[(EffectOp::Evict, "task/t")]));
    assert_eq!((state.get(&task).cloned(), state.hash()), (Some(entity(r#"{"a":1,"b":2}"#, 5, false)), 0));
    state.apply(&event(6, r#"{"a":null}"#, &[(EffectOp::Merge, "task/t")]));
    assert_eq!(state.get(&task).cloned(), Some(entity(r#"{"b":2}"#, 6, false)));
    state.apply(&event(7, r#"{"c":3}"#, &[(EffectOp::Put, "task/t")]));
    assert_eq!(state.get(&task).cloned(), Some(entity(r#"{"c":3}"#, 7, true)));
    assert_eq!(state.hash(), hash::entity(&task, 7, r#"{"c":3}"#));
    state.apply(&event(8, "{}", &[(EffectOp::Delete, "task/t")]));
    assert_eq!((state.get(&task), state.hash(), state.is_empty()), (None, 0, true));
}

#[test]
fn an_effect_that_is_not_newer_than_the_row_does_nothing() {
    let mut state = ScopeState::new();
    assert!(state.load(key("task/t"), 9, true, r#"{"a":9}"#));
    for op in EffectOp::ALL {
        assert_eq!(state.apply(&event(9, r#"{"a":1}"#, &[(*op, "task/t")])), []);
    }
    assert!(!state.load(key("task/t"), 9, true, r#"{"a":1}"#));
    assert_eq!(state.get(&key("task/t")).cloned(), Some(entity(r#"{"a":9}"#, 9, true)));
    assert!(state.load(key("task/t"), 10, true, r#"{"a":10}"#));
}

#[test]
fn an_effect_value_wins_over_the_data() {
    let mut state = ScopeState::new();
    let mut put = event(1, r#"{"patch":1}"#, &[(EffectOp::Put, "task/t")]);
    put.effects[0].value = Some(r#"{"whole":1}"#);
    state.apply(&put);
    assert_eq!(state.get(&key("task/t")).cloned(), Some(entity(r#"{"whole":1}"#, 1, true)));
}

#[test]
fn rows_that_are_not_live_are_bounded_and_the_oldest_go_first() {
    let mut state = ScopeState::new();
    let names: Vec<_> = (0..=MAX_NOT_LIVE).map(|n| format!("task/t{n:05}")).collect();
    for (seq, name) in (1..).zip(&names) {
        state.load(key(name), seq, true, "{}");
    }
    state.load(key("task/live"), 1, true, "{}");
    for (seq, name) in (10_000..).zip(names.iter().take(MAX_NOT_LIVE)) {
        assert_eq!(state.apply(&event(seq, "{}", &[(EffectOp::Evict, name)])), [key(name)]);
    }
    state.apply(&event(20_000, r#"{"x":1}"#, &[(EffectOp::Merge, &names[0])]));
    let changed = state.apply(&event(20_001, "{}", &[(EffectOp::Evict, &names[MAX_NOT_LIVE])]));
    assert_eq!(changed.len(), 1 + MAX_NOT_LIVE + 1 - KEPT_NOT_LIVE);
    assert_eq!(state.len(), KEPT_NOT_LIVE + 1);
    assert!(state.get(&key(&names[0])).is_some(), "written lately");
    assert!(state.get(&key(&names[1])).is_none());
    assert!(state.get(&key("task/live")).is_some());
    assert_eq!(state.hash(), recomputed(&state));
}

#[test]
fn differences_name_what_a_swap_changes() {
    let mut old = ScopeState::new();
    let mut new = ScopeState::new();
    for (name, rev, text) in [("a/1", 1, "{}"), ("a/2", 2, "{}"), ("a/4", 4, "{}"), ("a/5", 5, "{}")] {
        old.load(key(name), rev, true, text);
    }
    for (name, rev, text) in [("a/2", 2, "{}"), ("a/3", 3, "{}"), ("a/4", 4, "[]"), ("a/6", 6, "{}")] {
        new.load(key(name), rev, true, text);
    }
    let want = ["a/1", "a/3", "a/4", "a/5", "a/6"].map(key);
    assert_eq!(old.differences(&new), want);
    assert_eq!(new.differences(&old), want);
    assert_eq!(new.differences(&new.clone()), []);
}

/// The log of a hub that follows the rules of the ledger, with the live rows at every head.
struct Log {
    /// (op, entity, value) of event n + 1.
    events: Vec<Vec<(EffectOp, &'static str, String)>>,
    /// Live rows after n events.
    heads: Vec<BTreeMap<&'static str, (u64, String)>>,
}

const NAMES: [&str; 5] = ["task/a", "task/b", "task/c", "task/d", "task/e"];

/// Builds a log from random choices: the hub merges only what it has, also when it is not live, and may put a row
/// back as a whole.
fn log(choices: &[(usize, u8, u8)]) -> Log {
    let mut rows: BTreeMap<&str, (u64, String, bool)> = BTreeMap::new();
    let mut log = Log { events: Vec::new(), heads: vec![BTreeMap::new()] };
    for (seq, &(name, action, number)) in (1..).zip(choices) {
        let name = NAMES[name % NAMES.len()];
        let field = ["x", "y"][usize::from(number % 2)];
        let patch = if number % 5 == 0 {
            format!("{{\"{field}\":null}}")
        } else {
            format!("{{\"{field}\":{number}}}")
        };
        let mut effects = Vec::new();
        match (action % 8, rows.get(name).cloned()) {
            (0, Some(_)) => {
                rows.remove(name);
                effects.push((EffectOp::Delete, name, "{}".to_owned()));
            }
            (1, Some((_, text, true))) => {
                rows.insert(name, (seq, text, false));
                effects.push((EffectOp::Evict, name, "{}".to_owned()));
            }
            (2, Some((_, text, _))) => {
                let whole = text::merge(&text, &patch);
                rows.insert(name, (seq, whole.clone(), true));
                effects.push((EffectOp::Put, name, whole));
            }
            (_, Some((_, text, live))) => {
                rows.insert(name, (seq, text::merge(&text, &patch), live));
                effects.push((EffectOp::Merge, name, patch));
            }
            (_, None) => {
                let whole = text::drop_nulls(&patch);
                rows.insert(name, (seq, whole.clone(), true));
                effects.push((EffectOp::Put, name, whole));
                // A new row may push another one out of the window.
                let other = NAMES[usize::from(number) % NAMES.len()];
                if let Some(row) = rows.get_mut(other).filter(|row| other != name && row.2 && number % 3 == 0)
                {
                    *row = (seq, row.1.clone(), false);
                    effects.push((EffectOp::Evict, other, "{}".to_owned()));
                }
            }
        }
        log.events.push(effects);
        let live = |(name, row): (&&'static str, &(u64, String, bool))| {
            row.2.then(|| (*name, (row.0, row.1.clone())))
        };
        log.heads.push(rows.iter().filter_map(live).collect());
    }
    log
}

impl Log {
    fn replay(&self, state: &mut ScopeState, after: u64) {
        for (seq, effects) in (1..).zip(&self.events).filter(|(seq, _)| *seq > after) {
            let ops: Vec<_> = effects.iter().map(|&(op, name, _)| (op, name)).collect();
            let mut event = event(seq, "{}", &ops);
            for (effect, (_, _, value)) in event.effects.iter_mut().zip(effects) {
                effect.value = Some(value);
            }
            state.apply(&event);
        }
    }

    fn live_now(&self) -> BTreeMap<EntityKey, (u64, String)> {
        let last = self.heads.last().cloned().unwrap_or_default();
        last.into_iter().map(|(name, row)| (key(name), row)).collect()
    }
}

fn live(state: &ScopeState) -> BTreeMap<EntityKey, (u64, String)> {
    state.live().map(|(key, entity)| (key.clone(), (entity.rev, entity.text.clone()))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Each page is read at its own head, in key order or not, cached (older) or fresh.
    #[test]
    fn pages_of_different_heads_and_the_events_after_the_lowest_make_the_exact_state(
        choices in prop::collection::vec((0_usize..5, any::<u8>(), any::<u8>()), 1..60),
        reads in prop::collection::vec((any::<prop::sample::Index>(), 1_usize..3), 5),
    ) {
        let log = log(&choices);
        let (mut state, mut as_of) = (ScopeState::new(), u64::MAX);
        let mut names = NAMES.iter();
        for (head, size) in reads {
            let head = head.index(log.heads.len());
            as_of = as_of.min(head as u64);
            for name in names.by_ref().take(size) {
                if let Some((rev, text)) = log.heads[head].get(name) {
                    state.load(key(name), *rev, true, text);
                }
            }
        }
        log.replay(&mut state, as_of);
        prop_assert_eq!(live(&state), log.live_now());
        prop_assert_eq!(state.hash(), recomputed(&state));
    }

    #[test]
    fn the_hash_kept_up_to_date_equals_the_hash_made_anew(
        choices in prop::collection::vec((0_usize..5, any::<u8>(), any::<u8>()), 1..60),
    ) {
        let log = log(&choices);
        let mut state = ScopeState::new();
        log.replay(&mut state, 0);
        let want = log.live_now().iter().fold(0_u64, |sum, (key, (rev, text))| {
            sum.wrapping_add(hash::entity(key, *rev, text))
        });
        prop_assert_eq!(state.hash(), want);
    }

    /// A replay of what was applied already, as after a resume from an older position, changes nothing.
    #[test]
    fn events_applied_twice_in_order_leave_the_state_of_once(
        choices in prop::collection::vec((0_usize..5, any::<u8>(), any::<u8>()), 1..60),
        from in any::<prop::sample::Index>(),
    ) {
        let log = log(&choices);
        let mut state = ScopeState::new();
        log.replay(&mut state, 0);
        log.replay(&mut state, from.index(log.events.len() + 1) as u64);
        prop_assert_eq!(live(&state), log.live_now());
    }
}
