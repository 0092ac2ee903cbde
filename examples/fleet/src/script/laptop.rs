//! A laptop with an agent that looks things up.

use super::{Agent, Conversation, Job, Line, Machine, Step, Thought};

pub(super) const LAPTOP: Machine = Machine {
    news_from: 3,
    roams: false,
    restarts: true,
    jobs: &[Job {
        title: "Watch the ferry timetable",
        kind: "cron",
        lines: &["asking the harbour", "the last ferry leaves at 16:40"],
        ends: "done",
    }],
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
                steps: &[Step::of("browse", "weather for Sunday"), Step::of("browse", "trail reports")],
                helper: None,
                answer: "The forecast changed: rain from two o'clock. The north shore walk still fits if you start at nine. There is a report of **an otter family** at the second bridge, seen on Saturday.",
            },
            Thought {
                steps: &[Step::of("browse", "ferry timetable")],
                helper: None,
                answer: "The winter timetable starts on Sunday: the last ferry back leaves at 16:40, not 18:10.",
            },
        ],
    }],
};
