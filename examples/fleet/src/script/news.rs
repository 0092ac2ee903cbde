//! What happens beside conversations: items of the feed, activity, pushes. Instants are added when it happens.

use serde_json::{Value, json};

/// Items of the feed, of every category.
pub(crate) fn feed() -> Vec<Value> {
    vec![
        json!({ "category": "email", "from": "Nadia Petrov", "title": "Contract signed",
            "body": "The signed copy is attached. We start on Monday.\n\nNadia" }),
        json!({ "category": "alert", "severity": "warning", "title": "Disk at 91 % on build-2",
            "body": "It grows by 3 % a day. `cargo clean` on the cache would free 40 GB." }),
        json!({ "category": "market", "symbol": "OTTR", "price": "41.20 USD", "change": "+3.4 %",
            "title": "OTTR above 41 for the first time since May" }),
        json!({ "category": "social", "from": "Otter Camp", "handle": "@ottercamp", "title": "We shipped",
            "body": "**1.8** is out: nothing you type is lost, whatever the train does.", "url": "https://example.com/1.8" }),
        json!({ "category": "custom", "title": "Coffee is ready",
            "body": "The machine in the kitchen says so.", "from": "kitchen" }),
        json!({ "category": "email", "from": "Landlord", "title": "Inspection moved to Thursday",
            "body": "Dear tenants, the inspection takes place on **Thursday at 10:00**." }),
        json!({ "category": "market", "symbol": "HERN", "price": "7.05 EUR", "change": "-1.2 %",
            "title": "HERN gives back Tuesday's gain" }),
        json!({ "category": "alert", "severity": "critical", "title": "Checkout answers 5xx in 4 % of requests",
            "body": "Since two minutes. Foundry is looking at it.", "url": "https://example.com/status" }),
        json!({ "category": "social", "from": "Mika", "handle": "@mika", "title": "Bike for sale",
            "body": "Blue, 54 cm, new chain. Message me." }),
        json!({ "category": "alert", "severity": "info", "title": "Certificate renewed",
            "body": "`*.example.com` is good until February." }),
    ]
}

/// What agents and jobs did.
pub(crate) fn activities() -> Vec<Value> {
    vec![
        json!({ "category": "cron", "title": "Nightly backup", "status": "completed", "durationMs": 184_000,
            "detail": "41 GB, 212 new files" }),
        json!({ "category": "hook", "title": "Invoice 2026-118 filed", "status": "completed", "durationMs": 900 }),
        json!({ "category": "cron", "title": "Check for updates", "status": "failed", "durationMs": 30_000,
            "detail": "the mirror did not answer" }),
        json!({ "category": "deploy", "title": "Staging is on 1.8.0", "status": "completed", "durationMs": 61_000 }),
    ]
}

/// What was pushed.
pub(crate) fn pushes() -> Vec<Value> {
    vec![
        json!({ "repository": "acme/shop", "branch": "main", "by": "Juniper", "commitCount": 2, "url": "https://example.com/acme/shop",
            "commits": [{ "id": "9be0d11", "title": "Checkout: totals in currencies without decimals", "author": "Juniper" },
                        { "id": "4f1c2aa", "title": "Tests use a virtual clock", "author": "Juniper" }] }),
        json!({ "repository": "acme/infra", "branch": "staging", "by": "Foundry", "commitCount": 1,
            "commits": [{ "id": "71d20c3", "title": "Profile waits for its cache", "author": "Foundry" }] }),
    ]
}
