//! A desktop with two agents: a programmer and one that reads mail.

use super::{Agent, Conversation, Job, Line, Machine, Step, Thought};

pub(super) const STUDIO: Machine = Machine {
    news_from: 0,
    roams: false,
    restarts: false,
    jobs: &[
        Job {
            title: "Tidy up the inbox",
            kind: "cron",
            lines: &["41 messages", "12 left", "2 need you, the rest is filed"],
            ends: "done",
        },
        Job {
            title: "Draft the release notes of 1.8",
            kind: "subagent",
            lines: &["reading 31 commits", "a first draft of 40 lines", "ready: please read it"],
            ends: "review",
        },
    ],
    agents: &[
        Agent {
            id: "main",
            name: "Juniper",
            model: "claude-opus-4-6",
            context_limit: 200_000,
            conversations: &[
                Conversation {
                    key: "main",
                    title: "Release 1.8",
                    past: &[
                        Line::Person("Can you get the release branch green before lunch?"),
                        Line::Agent(
                            "Two tests fail on the release branch, both in `checkout`:\n\n- **retries_after_timeout** sleeps for real and is flaky on CI\n- **totals_in_yen** rounds to two decimals\n\nI fixed the second one. The first needs a virtual clock; shall I add it?",
                        ),
                        Line::Person("Yes, please."),
                        Line::Agent(
                            "Done. The suite went from 41 s to 6 s, because nothing sleeps any more:\n\n```rust\nlet clock = VirtualClock::at(START);\nlet client = Client::with_clock(clock.clone());\nclock.advance(Duration::from_secs(30));\nassert_eq!(client.attempts(), 4);\n```",
                        ),
                    ],
                },
                Conversation {
                    key: "dashboard:flaky",
                    title: "Why is CI slow on Mondays?",
                    past: &[
                        Line::Person("CI takes twice as long on Mondays. Find out why."),
                        Line::Agent(
                            "The dependency cache expires after 48 hours. Over the weekend nobody builds, so the first builds on Monday compile everything. A nightly build keeps it warm; that costs 4 minutes a night.",
                        ),
                    ],
                },
            ],
            thoughts: &[
                Thought {
                    steps: &[
                        Step::of("exec", "cargo test -p checkout")
                            .says("running 214 tests\ntest result: ok. 214 passed; finished in 38.02s"),
                        Step::of("read", "CHANGELOG.md"),
                    ],
                    helper: None,
                    answer: "The release branch is **green**: 214 tests in 38 s. I also drafted the changelog:\n\n1. Totals in currencies without decimals are right\n2. Retries use the caller's clock\n3. The suite no longer sleeps\n\nSay the word and I tag `v1.8.0`.",
                },
                Thought {
                    steps: &[Step::of("exec", "git log --oneline v1.7.0..HEAD")],
                    helper: None,
                    answer: "Since 1.7 there are 31 commits by 4 people. Nothing touches the database schema, so the deploy needs no migration window.",
                },
            ],
        },
        Agent {
            id: "mail",
            name: "Postmaster",
            model: "gpt-5-mini",
            context_limit: 128_000,
            conversations: &[Conversation {
                key: "main",
                title: "Inbox",
                past: &[
                    Line::Person("Keep an eye on the inbox and tell me only what matters."),
                    Line::Agent(
                        "Understood. Of 43 messages today two matter: the landlord moved the inspection to Thursday, and Mika asks whether you still want the bike.",
                    ),
                ],
            }],
            thoughts: &[
                Thought {
                    steps: &[Step::of("mail", "12 new messages")],
                    helper: None,
                    answer: "Twelve new messages, one for you: **the inspection is confirmed for Thursday, 10:00**. I put it into your calendar and archived the rest.",
                },
                Thought {
                    steps: &[Step::of("mail", "3 new messages")],
                    helper: None,
                    answer: "Nothing urgent. Two newsletters and a receipt for 14.90, filed under *Subscriptions*.",
                },
            ],
        },
    ],
};
