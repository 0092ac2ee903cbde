//! Planted mutants: each does one thing wrong, and a run has to notice. They live in the parts around the machines, so
//! that nothing of them is in a program.

use std::cell::Cell;
use std::panic::{catch_unwind, set_hook, take_hook};
use std::sync::Once;

use crate::world::World;

/// What is done wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// The hub answers before its disk has what it answers for.
    AnswersBeforeSync,
    /// The disk loses where a lane of an outbox stands.
    ForgetsCursor,
    /// An event that follows from another is not written.
    LosesDerived,
    /// A row that leaves its window stays live on the disk.
    KeepsEvicted,
    /// The second oldest row leaves a window in place of the oldest.
    EvictsAnother,
    /// An event names the wrong one before it.
    BreaksChain,
    /// A row is stored with the rev it had before.
    KeepsRev,
    /// A decision does not see the one before it.
    DecidesTwice,
    /// A mark does not see how far it was.
    MovesMarkBack,
    /// A command that ended is handed out once more.
    DispatchesEnded,
    /// A command is not handed to an instance that is there.
    KeepsCommand,
    /// Who follows a scope is not told that there is more.
    LosesWakeUp,
    /// One event is left out on its way to a reader.
    SkipsEvent,
    /// A heartbeat says that all is written when it is not.
    ClaimsUnwritten,
    /// Every position is continued, also one of another history.
    ResumesAlways,
    /// A snapshot claims to be newer than it is.
    ClaimsNewer,
    /// A page of older rows leaves one out.
    LeavesRowOut,
    /// An answer says that the own words are in the log already.
    AnswersTooEarly,
    /// The text of a run stays when the run ends.
    KeepsText,
    /// A text goes to another place than its sender said.
    ShiftsText,
    /// Who comes in the middle is not told what was said so far.
    WelcomesInSilence,
    /// Who left is still shown.
    KeepsPerson,
    /// A bridge loses its journal in a crash.
    RunsTwice,
    /// A bridge loses what it has observed and not published.
    LosesObserved,
}

impl Mutant {
    const ALL: [Self; 24] = [
        Self::AnswersBeforeSync,
        Self::ForgetsCursor,
        Self::LosesDerived,
        Self::KeepsEvicted,
        Self::EvictsAnother,
        Self::BreaksChain,
        Self::KeepsRev,
        Self::DecidesTwice,
        Self::MovesMarkBack,
        Self::DispatchesEnded,
        Self::KeepsCommand,
        Self::LosesWakeUp,
        Self::SkipsEvent,
        Self::ClaimsUnwritten,
        Self::ResumesAlways,
        Self::ClaimsNewer,
        Self::LeavesRowOut,
        Self::AnswersTooEarly,
        Self::KeepsText,
        Self::ShiftsText,
        Self::WelcomesInSilence,
        Self::KeepsPerson,
        Self::RunsTwice,
        Self::LosesObserved,
    ];
}

/// A mutant has to be found within so many seeds.
const SEEDS: u64 = 60;

thread_local! {
    /// This thread expects its runs to fail: the failures are not printed.
    static EXPECTS: Cell<bool> = const { Cell::new(false) };
}

/// Runs a seed in which a failure is expected. Returns whether it failed.
fn is_found(mutant: Mutant, seed: u64) -> bool {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let loud = take_hook();
        set_hook(Box::new(move |info| {
            if !EXPECTS.get() || std::env::var_os("OTTER_SIM_MUTANT").is_some() {
                loud(info);
            }
        }));
    });
    EXPECTS.set(true);
    let outcome = catch_unwind(|| World::new(seed).mutated(mutant).run());
    EXPECTS.set(false);
    outcome.is_err()
}

#[test]
fn every_planted_mutant_is_found() {
    let wanted = std::env::var("OTTER_SIM_MUTANT").ok();
    let mut alive = Vec::new();
    for mutant in Mutant::ALL {
        let name = format!("{mutant:?}");
        if wanted.as_ref().is_some_and(|wanted| *wanted != name) {
            continue;
        }
        match (0..SEEDS).find(|seed| is_found(mutant, *seed)) {
            Some(seed) => println!("{name}: found by seed {seed}"),
            None => alive.push(name),
        }
    }
    assert!(alive.is_empty(), "{SEEDS} seeds did not find {alive:?}");
}
