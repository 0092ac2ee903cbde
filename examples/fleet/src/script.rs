//! What the scripted machines are and say.

mod foundry;
mod laptop;
mod news;
mod studio;

use foundry::FOUNDRY;
use laptop::LAPTOP;
use studio::STUDIO;

pub(crate) use news::{activities, feed, pushes};

/// The machines of the demo, in the order of their tokens.
pub(crate) const MACHINES: &[Machine] = &[STUDIO, LAPTOP, FOUNDRY];

/// A machine with a gateway.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) agents: &'static [Agent],
    /// What its gateway works on beside conversations, in turn.
    pub(crate) jobs: &'static [Job],
    /// Where in the feed's items it begins, so that machines do not tell the same.
    pub(crate) news_from: usize,
    /// Whether its network is lost now and then.
    pub(crate) roams: bool,
    /// Whether its gateway is restarted now and then.
    pub(crate) restarts: bool,
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
    /// So many rows, to scroll through.
    Log(u64),
    /// One row that is longer than a row may be.
    LongLog,
}

/// One turn: what it does on the way, and its answer.
#[derive(Debug)]
pub(crate) struct Thought {
    pub(crate) steps: &'static [Step],
    /// Another agent that it asks for help, on the way.
    pub(crate) helper: Option<Helper>,
    pub(crate) answer: &'static str,
}

/// A tool call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) tool: &'static str,
    pub(crate) title: &'static str,
    pub(crate) output: &'static str,
    pub(crate) exit_code: i64,
    /// A person has to allow it first.
    pub(crate) asks: Option<Ask>,
}

/// What becomes of a question that nobody answers here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask {
    pub(crate) patience_s: u64,
    pub(crate) then: Then,
}

/// Who ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// The gateway stops waiting.
    Expires,
    /// Somebody answers in another app.
    AllowedElsewhere,
}

/// A sub-agent at work.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Helper {
    pub(crate) task: &'static str,
    pub(crate) step: Step,
    pub(crate) answer: &'static str,
}

/// Something that the gateway works on.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) title: &'static str,
    pub(crate) kind: &'static str,
    /// What it says on the way; the last one is what came of it.
    pub(crate) lines: &'static [&'static str],
    pub(crate) ends: &'static str,
}

impl Step {
    pub(crate) const fn of(tool: &'static str, title: &'static str) -> Self {
        Self { tool, title, output: "", exit_code: 0, asks: None }
    }

    pub(crate) const fn says(self, output: &'static str) -> Self {
        Self { output, ..self }
    }

    pub(crate) const fn fails(self, exit_code: i64) -> Self {
        Self { exit_code, ..self }
    }

    pub(crate) const fn asks(self, patience_s: u64, then: Then) -> Self {
        Self { asks: Some(Ask { patience_s, then }), ..self }
    }
}

/// What an agent answers to a person, in turn; `{}` is what the person said.
pub(crate) const REPLIES: &[Thought] = &[
    Thought {
        steps: &[Step::of("read", "what was said before").says("12 messages, 3 files")],
        helper: None,
        answer: "On it. You said:\n\n> {}\n\nGive me a moment, I look at what is already there and come back with a plan. This answer is scripted, the way it travels is not: it went through an outbox, a hub and its log, and arrived here exactly once.",
    },
    Thought {
        steps: &[
            Step::of("exec", "git status --short").says(" M src/plan.rs\n M tests/plan.rs"),
            Step::of("exec", "git push --force-with-lease origin plan")
                .says("To github.com:acme/shop\n + 4f1c2aa...9be0d11 plan -> plan (forced update)")
                .asks(90, Then::Expires),
        ],
        helper: None,
        answer: "That needed your word, since it rewrites what others may have. There are two ways from here:\n\n1. the quick one, done today, which we would have to do again in spring\n2. the right one, which takes until Thursday\n\nI would take the second. Shall I start?",
    },
    Thought {
        steps: &[Step::of("exec", "cargo test -p plan")
            .says("running 31 tests\n...............................\ntest result: ok. 31 passed")],
        helper: Some(Helper {
            task: "Read the plan with fresh eyes",
            step: Step::of("read", "src/plan.rs").says("118 lines"),
            answer: "One remark: the retry in line 84 never ends when the clock stands still.",
        }),
        answer: "Done. Here is what changed:\n\n```text\n src/plan.rs   | 12 +++++-------\n tests/plan.rs | 31 +++++++++++++++++++++++++++++++\n```\n\nAll tests pass, and a second pair of eyes found one retry too many, which is gone. Try it while you kill the hub in another terminal: nothing will be missing.",
    },
];
