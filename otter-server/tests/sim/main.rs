//! The machines of both ends, the ledger and a store in memory, joined on virtual time.
//!
//! A run is one number: `OTTER_SIM_SEEDS=5000 cargo test -p otter-server --test sim` tries that many,
//! `OTTER_SIM_SEED=17` repeats one with its trace. Every run has two parts: faults, in which only safety is asked for
//! (nothing lost, doubled or out of order), and calm, in which everybody has to arrive at the hub's state.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![allow(clippy::print_stdout, reason = "figures of a run")]
#![allow(clippy::cast_possible_truncation, reason = "small numbers of a simulated world")]
#![allow(clippy::struct_excessive_bools, reason = "each fault happens in a run or not")]

mod client;
mod disk;
mod engine;
mod faults;
mod hub;
mod instance;
mod link;
mod mutants;
mod oracle;
mod product;
mod reads;
mod rng;
mod screen;
mod signals;
mod stream;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};

use world::{Outcome, World};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs the seeds that no other thread has taken.
fn some_seeds(next: &AtomicU64, seeds: u64) -> Outcome {
    let mut sum = Outcome::default();
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= seeds {
            return sum;
        }
        let Ok(outcome) = std::panic::catch_unwind(|| World::new(seed).run()) else {
            panic!(
                "seed {seed} failed: OTTER_SIM_SEED={seed} cargo test -p otter-server --test sim repeats it"
            )
        };
        sum.add(&outcome);
    }
}

#[test]
fn every_seed_keeps_the_promises() {
    if let Some(seed) = number("OTTER_SIM_SEED") {
        let mut world = World::new(seed);
        world.trace = true;
        println!("{:?}", world.run());
        return;
    }
    let seeds = number("OTTER_SIM_SEEDS").unwrap_or(300);
    let next = AtomicU64::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let sum = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| some_seeds(&next, seeds))).collect();
        let mut sum = Outcome::default();
        for worker in workers {
            sum.add(&worker.join().expect("a seed failed, see above"));
        }
        sum
    });
    println!("{seeds} seeds: {sum:?}");
    assert!(
        sum.crashes > 0 && sum.cuts > 0 && sum.blackholes > 0 && sum.restores > 0,
        "a fault never happened: {sum:?}"
    );
    assert!(
        sum.resumed > 0 && sum.snapshots > 0 && sum.answers > 0 && sum.pages > 0,
        "a state was never reached: {sum:?}"
    );
    assert!(
        sum.decided > 0 && sum.tasks > 0 && sum.marks > 0 && (sum.reopened > 0 || seeds < 200),
        "people never did something: {sum:?}"
    );
    assert!(
        sum.signals > 0 && sum.texts > 0 && sum.feed > 0 && sum.delivered > 0 && sum.evicted > 0,
        "nothing was shown live: {sum:?}"
    );
}

#[test]
fn an_idle_tab_that_is_cut_every_minute_for_a_day_loads_nothing_again() {
    let seen = World::idle_day(4);
    // Each cut is followed by a resumption of both scopes.
    assert!(seen.cuts > 1_200, "{seen:?}");
    assert_eq!(seen.resumed % 2, 0, "{seen:?}");
    assert!(seen.resumed >= 2 * (seen.cuts - 1), "{seen:?}");
    assert_eq!((seen.snapshots, seen.snapshot_pages, seen.answers), (0, 0, 0), "{seen:?}");
}
