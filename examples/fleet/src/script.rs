//! What the scripted machines are and say.

/// A machine with a gateway.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) agents: &'static [Agent],
}

/// An agent of a machine.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) model: &'static str,
    pub(crate) context_limit: u64,
    pub(crate) conversations: &'static [Conversation],
    /// What it says of its own accord, in turn.
    pub(crate) thoughts: &'static [Thought],
}

/// A conversation with its past.
#[derive(Debug)]
pub(crate) struct Conversation {
    /// The session key after `agent:<id>:`.
    pub(crate) key: &'static str,
    pub(crate) title: &'static str,
    pub(crate) past: &'static [Line],
}

/// A row of the past.
#[derive(Debug)]
pub(crate) enum Line {
    Person(&'static str),
    Agent(&'static str),
}

/// One turn: what it does on the way, and its answer.
#[derive(Debug)]
pub(crate) struct Thought {
    pub(crate) steps: &'static [(&'static str, &'static str)],
    pub(crate) answer: &'static str,
}

/// The machines of the demo, in the order of their tokens.
pub(crate) const MACHINES: &[Machine] = &[STUDIO, LAPTOP];

const STUDIO: Machine = Machine {
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
                    steps: &[("exec", "cargo test -p checkout"), ("read", "CHANGELOG.md")],
                    answer: "The release branch is **green**: 214 tests in 38 s. I also drafted the changelog:\n\n1. Totals in currencies without decimals are right\n2. Retries use the caller's clock\n3. The suite no longer sleeps\n\nSay the word and I tag `v1.8.0`.",
                },
                Thought {
                    steps: &[("exec", "git log --oneline v1.7.0..HEAD")],
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
                    steps: &[("mail", "12 new messages")],
                    answer: "Twelve new messages, one for you: **the inspection is confirmed for Thursday, 10:00**. I put it into your calendar and archived the rest.",
                },
                Thought {
                    steps: &[("mail", "3 new messages")],
                    answer: "Nothing urgent. Two newsletters and a receipt for 14.90, filed under *Subscriptions*.",
                },
            ],
        },
    ],
};

const LAPTOP: Machine = Machine {
    agents: &[Agent {
        id: "main",
        name: "Scout",
        model: "qwen3-coder-30b",
        context_limit: 64_000,
        conversations: &[
            Conversation {
                key: "main",
                title: "Trails near the lake",
                past: &[
                    Line::Person("Find me a walk for Sunday: two to three hours, water, few people."),
                    Line::Agent(
                        "Three that fit:\n\n| walk | hours | why |\n|---|---|---|\n| North shore | 2:30 | boardwalk, herons, empty before ten |\n| Mill creek | 2:00 | shade all the way |\n| Beaver dam loop | 3:00 | the dam itself |\n\nSunday is dry until four in the afternoon.",
                    ),
                ],
            },
            Conversation {
                key: "dashboard:heatpump",
                title: "Which heat pump?",
                past: &[
                    Line::Person("We get two offers for a heat pump. Compare them."),
                    Line::Agent(
                        "The smaller one is enough: your house needs 6.1 kW at -7 °C and it delivers 6.4. The larger one would switch on and off all winter, which costs about 9 % efficiency.",
                    ),
                ],
            },
        ],
        thoughts: &[
            Thought {
                steps: &[("browse", "weather for Sunday"), ("browse", "trail reports")],
                answer: "The forecast changed: rain from two o'clock. The north shore walk still fits if you start at nine. There is a report of **an otter family** at the second bridge, seen on Saturday.",
            },
            Thought {
                steps: &[("browse", "ferry timetable")],
                answer: "The winter timetable starts on Sunday: the last ferry back leaves at 16:40, not 18:10.",
            },
        ],
    }],
};

/// What an agent answers to a person, in turn; `{}` is what the person said.
pub(crate) const REPLIES: &[&str] = &[
    "On it. You said:\n\n> {}\n\nGive me a moment, I look at what is already there and come back with a plan. This answer is scripted, the way it travels is not: it went through an outbox, a hub and its log, and arrived here exactly once.",
    "I thought about this. There are two ways:\n\n1. the quick one, done today, which we would have to do again in spring\n2. the right one, which takes until Thursday\n\nI would take the second. Shall I start?",
    "Done. Here is what changed:\n\n```text\n src/plan.rs   | 12 +++++-------\n tests/plan.rs | 31 +++++++++++++++++++++++++++++++\n```\n\nAll tests pass. Try it while you kill the hub in another terminal: nothing will be missing.",
];
