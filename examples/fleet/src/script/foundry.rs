//! A build server: long logs, questions before it touches production, and a network that comes and goes.

use super::{Agent, Conversation, Helper, Job, Line, Machine, Step, Then, Thought};

pub(super) const FOUNDRY: Machine = Machine {
    news_from: 6,
    roams: true,
    restarts: false,
    jobs: &[
        Job {
            title: "Nightly build of main",
            kind: "cron",
            lines: &["cloning", "compiling 214 crates", "running 1,204 tests", "green in 14 min"],
            ends: "done",
        },
        Job {
            title: "Rotate the signing keys",
            kind: "cron",
            lines: &["asking the vault", "the vault did not answer within 30 s"],
            ends: "failed",
        },
        Job {
            title: "Benchmark of the release candidate",
            kind: "subagent",
            lines: &["warming up", "3 of 10 rounds", "8 of 10 rounds", "4 % faster than 1.7; please have a look"],
            ends: "review",
        },
    ],
    agents: &[Agent {
        id: "main",
        name: "Foundry",
        model: "claude-sonnet-4-6",
        context_limit: 40_000,
        conversations: &[
            Conversation {
                key: "main",
                title: "Deployments",
                past: &[
                    Line::Person("You may deploy to staging by yourself. Ask before production."),
                    Line::Agent("Understood: staging by myself, production only after a yes from one of you."),
                ],
            },
            Conversation { key: "dashboard:log", title: "Build log", past: &[Line::Log(3_000), Line::LongLog] },
        ],
        thoughts: &[
            Thought {
                steps: &[
                    Step::of("exec", "kubectl -n staging rollout status shop")
                        .says("deployment \"shop\" successfully rolled out"),
                    Step::of("exec", "kubectl -n production set image deployment/shop shop=registry.example/shop:1.8.0")
                        .says("deployment.apps/shop image updated")
                        .asks(75, Then::Expires),
                ],
                helper: None,
                answer: "Staging runs **1.8.0**. Production follows as soon as one of you says so; I do not insist.",
            },
            Thought {
                steps: &[
                    Step::of("exec", "curl -fsS https://staging.example/healthz").says("{\"ok\":true,\"version\":\"1.8.0\"}"),
                    Step::of("exec", "./smoke.sh staging")
                        .says("checkout ........ ok\nsearch .......... ok\nprofile ......... 502\n1 of 3 failed")
                        .fails(1),
                ],
                helper: Some(Helper {
                    task: "Find out why the profile page answers 502",
                    step: Step::of("exec", "kubectl -n staging logs deploy/profile --tail 50")
                        .says("ERROR connection refused: redis:6379"),
                    answer: "The profile service starts before its cache. A retry of two seconds is enough.",
                }),
                answer: "The smoke test of staging failed on one page out of three. The cause is known and small: the profile service starts before its cache.",
            },
            Thought {
                steps: &[
                    Step::of("exec", "psql -c 'select count(*) from orders'").says(" count\n-------\n 48213"),
                    Step::of("exec", "psql -c 'create index concurrently on orders (customer)'")
                        .says("CREATE INDEX")
                        .asks(25, Then::AllowedElsewhere),
                ],
                helper: None,
                answer: "The slow query of the order page is fast: 1,900 ms before, **12 ms** now. Somebody allowed the index in the OpenClaw app.",
            },
        ],
    }],
};
