use pretty_assertions::assert_eq;
use proptest::prelude::*;

use super::*;

fn run(id: &str) -> EntityId {
    EntityId::new(id).unwrap()
}

fn delta(id: &str, offset: u64, text: &str) -> Delta {
    Delta { run: run(id), offset, text: text.to_owned() }
}

fn change(id: &str, from: usize, text: &str) -> SlotChange {
    SlotChange { run: run(id), from, text: Some(text.to_owned()) }
}

fn gone(id: &str) -> SlotChange {
    SlotChange { run: run(id), from: 0, text: None }
}

fn entity(text: &str, live: bool) -> Entity {
    Entity { text: text.to_owned(), rev: 1, live }
}

fn state(rows: &[(&str, &str)]) -> ScopeState {
    let mut state = ScopeState::new();
    for (key, text) in rows {
        state.load(EntityKey::parse(key).unwrap(), 1, true, text);
    }
    state
}

#[test]
fn deltas_append_and_only_the_tail_is_told() {
    let mut slots = Slots::new();
    assert_eq!(slots.accept(&delta("r", 0, "He")), DeltaOutcome::Changed);
    assert_eq!(slots.accept(&delta("r", 2, "llo")), DeltaOutcome::Changed);
    assert_eq!(slots.take_changes(), vec![change("r", 0, "Hello")]);
    slots.accept(&delta("r", 5, " you"));
    slots.accept(&delta("r", 9, "!"));
    assert_eq!(slots.take_changes(), vec![change("r", 5, " you!")]);
    assert_eq!(slots.take_changes(), vec![]);
    assert_eq!(slots.get(&run("r")), Some("Hello you!"));
}

#[test]
fn offsets_count_utf16_units() {
    let mut slots = Slots::new();
    slots.accept(&delta("r", 0, "a😀é"));
    assert_eq!(slots.accept(&delta("r", 4, "😀")), DeltaOutcome::Changed);
    assert_eq!(slots.get(&run("r")), Some("a😀é😀"));
    slots.take_changes();
    slots.accept(&delta("r", 6, "x"));
    assert_eq!(slots.take_changes(), vec![change("r", 6, "x")]);
    assert_eq!(slots.accept(&delta("r", 2, "y")), DeltaOutcome::Hole, "inside a surrogate pair");
}

#[test]
fn a_keyframe_tells_only_what_it_adds() {
    let mut slots = Slots::new();
    slots.accept(&delta("r", 0, "one"));
    slots.take_changes();
    assert_eq!(slots.accept(&delta("r", 0, "one")), DeltaOutcome::Unchanged);
    assert_eq!(slots.accept(&delta("r", 0, "one two")), DeltaOutcome::Changed);
    assert_eq!(slots.take_changes(), vec![change("r", 3, " two")]);
    slots.accept(&delta("r", 0, "else"));
    assert_eq!(slots.take_changes(), vec![change("r", 0, "else")]);
}

#[test]
fn a_hole_keeps_the_text_until_a_keyframe() {
    let mut slots = Slots::new();
    assert_eq!(slots.accept(&delta("r", 5, "?")), DeltaOutcome::Hole);
    assert_eq!(slots.get(&run("r")), None, "joined in the middle");
    slots.accept(&delta("r", 0, "abc"));
    assert_eq!(slots.accept(&delta("r", 9, "x")), DeltaOutcome::Hole);
    assert_eq!(slots.accept(&delta("r", 3, "d")), DeltaOutcome::Hole);
    assert_eq!(slots.get(&run("r")), Some("abc"));
    slots.accept(&delta("r", 0, "abcdefghix"));
    slots.accept(&delta("r", 10, "y"));
    assert_eq!(slots.get(&run("r")), Some("abcdefghixy"));
}

#[test]
fn what_is_known_already_changes_nothing_and_other_text_replaces_the_tail() {
    let mut slots = Slots::new();
    slots.accept(&delta("r", 0, "abcdef"));
    slots.take_changes();
    assert_eq!(slots.accept(&delta("r", 2, "cd")), DeltaOutcome::Unchanged);
    assert_eq!(slots.get(&run("r")), Some("abcdef"));
    assert_eq!(slots.accept(&delta("r", 4, "efg")), DeltaOutcome::Changed);
    assert_eq!(slots.accept(&delta("r", 3, "X")), DeltaOutcome::Changed);
    assert_eq!(slots.get(&run("r")), Some("abcX"));
    assert_eq!(slots.take_changes(), vec![change("r", 3, "X")]);
}

#[test]
fn two_runs_never_touch_each_other() {
    let mut slots = Slots::new();
    slots.accept(&delta("a", 0, "one"));
    slots.accept(&delta("b", 0, "two"));
    slots.accept(&delta("a", 3, "!"));
    let texts: Vec<_> = slots.iter().map(|(run, text)| (run.as_str(), text)).collect();
    assert_eq!(texts, vec![("a", "one!"), ("b", "two")]);
}

#[test]
fn the_answer_or_the_terminal_ends_a_slot_and_late_deltas_are_ignored() {
    let mut slots = Slots::new();
    for id in ["a", "b", "c"] {
        slots.accept(&delta(id, 0, "x"));
    }
    slots.take_changes();
    slots.settle(&answer_key(&run("a")).unwrap(), Some(&entity("{}", true)));
    slots.settle(&EntityKey::parse("run/b").unwrap(), Some(&entity(r#"{"state":"failed"}"#, true)));
    slots.settle(&EntityKey::parse("run/c").unwrap(), Some(&entity(r#"{"state":"running"}"#, true)));
    slots.settle(&EntityKey::parse("message/c:user").unwrap(), Some(&entity("{}", true)));
    assert_eq!(slots.take_changes(), vec![gone("a"), gone("b")]);
    assert_eq!(slots.accept(&delta("a", 0, "late")), DeltaOutcome::Unchanged);
    assert_eq!(slots.iter().count(), 1);
}

#[test]
fn a_slot_that_nobody_heard_of_goes_in_silence() {
    let mut slots = Slots::new();
    slots.accept(&delta("a", 0, "x"));
    slots.end(&run("a"));
    assert_eq!(slots.take_changes(), vec![]);
}

#[test]
fn over_a_reconnect_the_text_stays_until_its_keyframe() {
    let mut slots = Slots::new();
    slots.accept(&delta("r", 0, "half of "));
    slots.take_changes();
    slots.suspend();
    assert_eq!(slots.get(&run("r")), Some("half of "));
    assert_eq!(slots.accept(&delta("r", 8, "it")), DeltaOutcome::Hole);
    slots.accept(&delta("r", 0, "half of it"));
    assert_eq!(slots.take_changes(), vec![change("r", 8, "it")]);
}

#[test]
fn a_complete_state_takes_away_slots_whose_run_is_not_live_and_running() {
    let mut slots = Slots::new();
    for id in ["open", "ended", "answered", "unknown", "evicted"] {
        slots.accept(&delta(id, 0, "x"));
    }
    slots.suspend();
    for id in ["ended", "fresh"] {
        slots.accept(&delta(id, 0, "y"));
    }
    slots.take_changes();
    let mut state = state(&[
        ("run/open", r#"{"state":"running"}"#),
        ("run/ended", r#"{"state":"completed"}"#),
        ("run/answered", r#"{"state":"running"}"#),
        ("run/evicted", r#"{"state":"running"}"#),
        ("message/answered:answer", "{}"),
    ]);
    let evict = crate::effect::Effect {
        op: crate::effect::EffectOp::Evict,
        entity: EntityKey::parse("run/evicted").unwrap(),
        value: None,
    };
    state.apply(&crate::event::RecordedEvent {
        seq: 2,
        prev: 1,
        id: crate::id::EventId::new("ev").unwrap(),
        at: crate::UnixMillis(0),
        scope: crate::id::Scope::Org,
        kind: String::new(),
        source: "{}",
        caused_by: None,
        effects: vec![evict],
        data: "{}",
    });
    slots.reconcile(&state);
    let kept: Vec<_> = slots.iter().map(|(run, _)| run.as_str().to_owned()).collect();
    assert_eq!(kept, ["open", "fresh"]);
    assert_eq!(slots.take_changes(), ["ended", "answered", "unknown", "evicted"].map(gone).to_vec());
    assert!(
        is_over(&state, &run("ended")) && is_over(&state, &run("answered")) && !is_over(&state, &run("open"))
    );
}

#[test]
fn the_text_of_a_run_that_a_restored_hub_does_not_know_yet_stays() {
    let key = EntityKey::parse("run/r").unwrap();
    let empty = ScopeState::new();
    let mut slots = Slots::new();
    slots.accept(&delta("r", 0, "Hello"));
    // The hub told it anew after its restore, before the instance has said again that the run started.
    slots.suspend();
    slots.accept(&delta("r", 0, "Hello"));
    slots.settle(&key, None);
    slots.reconcile(&empty);
    slots.settle(&key, Some(&entity("{\"state\":\"running\"}", true)));
    slots.accept(&delta("r", 5, " you"));
    assert_eq!(slots.get(&run("r")), Some("Hello you"));
    // What the hub did not tell anew is not in force any more.
    slots.suspend();
    slots.settle(&key, None);
    slots.reconcile(&empty);
    assert_eq!(slots.get(&run("r")), None);
}

#[test]
fn slots_and_their_texts_are_bounded() {
    let mut slots = Slots::new();
    for n in 0..=MAX_SLOTS {
        slots.accept(&delta(&format!("r{n}"), 0, "x"));
    }
    assert_eq!((slots.iter().count(), slots.get(&run("r0"))), (MAX_SLOTS, None));
    let long = "é".repeat(SLOT_BYTES / 2 - 1) + "x";
    slots.clear();
    slots.accept(&delta("r", 0, &long));
    assert_eq!(slots.accept(&delta("r", (SLOT_BYTES / 2) as u64, "éé")), DeltaOutcome::Changed);
    assert_eq!(slots.bytes(), SLOT_BYTES - 1, "cut between characters");
    assert_eq!(slots.accept(&delta("r", (SLOT_BYTES / 2 + 2) as u64, "é")), DeltaOutcome::Hole);
    slots.accept(&delta("r", 0, &(long + "éé")));
    assert_eq!(slots.bytes(), SLOT_BYTES - 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// A stream cut into deltas, some lost, with keyframes, shown by someone who applies only what is told.
    #[test]
    fn what_is_told_adds_up_to_the_text(
        pieces in prop::collection::vec(("[a-z😀é]{0,5}", 0_u8..10), 1..30),
    ) {
        let mut slots = Slots::new();
        let (mut whole, mut shown) = (String::new(), Vec::<u16>::new());
        for (piece, luck) in pieces {
            let offset = whole.encode_utf16().count() as u64;
            whole.push_str(&piece);
            match luck {
                0 | 1 => {}
                2 => { slots.suspend(); }
                3 | 4 => { slots.accept(&delta("r", 0, &whole)); }
                _ => { slots.accept(&delta("r", offset, &piece)); }
            }
            if luck % 2 == 0 {
                for change in slots.take_changes() {
                    shown.truncate(change.from);
                    shown.extend(change.text.unwrap_or_default().encode_utf16());
                }
                let text = slots.get(&run("r")).unwrap_or_default();
                prop_assert_eq!(String::from_utf16(&shown).unwrap(), text);
                prop_assert!(whole.starts_with(text));
            }
        }
        slots.accept(&delta("r", 0, &whole));
        prop_assert_eq!(slots.get(&run("r")), Some(whole.as_str()));
    }
}
