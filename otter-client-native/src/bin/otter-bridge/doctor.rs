//! `otter-bridge doctor`.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use otter_client_native::bridge::doctor::{Finding, GatewayFacts, Health, look_at_gateway, look_at_hub};
use otter_client_native::bridge::{FACTS_ROW, GATEWAY_ROW, HUB_ROW, check_hub_address};
use otter_client_native::openclaw::Secret;
use otter_client_native::{StateDir, StateDirError, Store};
use serde_json::Value;

use crate::args::{DoctorOptions, Options};

/// Looks at everything, prints what was found, and fails when something does not work.
pub(crate) async fn run(options: DoctorOptions) -> anyhow::Result<ExitCode> {
    let mut findings = Vec::new();
    match StateDir::open(&options.run.gateway.state_dir) {
        Ok(dir) => {
            findings.push(Finding::good(
                "bridge",
                format!("does not run; its folder is {}", dir.path().display()),
            ));
            if options.requeue {
                requeue(&Store::open(&dir)?, &mut findings)?;
            }
            look_outside(&options.run, &mut findings).await;
            let store = Store::open(&dir)?;
            look_back(&store, &mut findings)?;
            look_inside(&store, &mut findings)?;
        }
        Err(StateDirError::InUse(path)) => {
            findings.push(Finding::good("bridge", format!("runs in {}", path.display())));
            let store = Store::inspect(&path)?;
            if options.requeue {
                requeue(&store, &mut findings)?;
            }
            look_at_running(&store, &mut findings)?;
            look_inside(&store, &mut findings)?;
        }
        Err(error @ StateDirError::Io { .. }) => findings.push(Finding::bad("bridge", error.to_string())),
    }
    let mut out = std::io::stdout().lock();
    for finding in &findings {
        writeln!(out, "{finding}")?;
    }
    let healthy = findings.iter().all(|finding| finding.health != Health::Bad);
    Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Tries both ends; nothing else uses them.
async fn look_outside(options: &Options, findings: &mut Vec<Finding>) {
    findings.push(match check_hub_address(&options.hub) {
        Ok(()) => look_at_hub(&options.hub, &Secret::new(options.token.clone()), PATIENCE).await,
        Err(error) => Finding::bad("hub", error.to_string()),
    });
    findings.extend(match options.gateway.prepare() {
        Ok(side) => {
            let token = side.tokens.get(&side.config.token_key(&side.identity));
            look_at_gateway(side.config, side.identity, token, PATIENCE).await
        }
        Err(error) => vec![Finding::bad("gateway", format!("{error:#}"))],
    });
}

/// Reads why the last run ended, when the hub had ended it: a token alone does not tell.
fn look_back(store: &Store, findings: &mut Vec<Finding>) -> anyhow::Result<()> {
    let row: Value =
        store.state(HUB_ROW)?.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    if row.get("state").and_then(Value::as_str) == Some("stopped") {
        let reason = row.get("reason").and_then(Value::as_str).unwrap_or("it gave no reason");
        findings.push(Finding::bad("hub", format!("the last run was ended by the hub: {reason}")));
    }
    Ok(())
}

/// Reads what the running bridge wrote down last.
fn look_at_running(store: &Store, findings: &mut Vec<Finding>) -> anyhow::Result<()> {
    for (subject, key) in [("hub", HUB_ROW), ("gateway", GATEWAY_ROW)] {
        let row: Value =
            store.state(key)?.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let text = |field: &str| row.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (state, reason, since) = (text("state"), text("reason"), text("since"));
        let words = if reason.is_empty() {
            format!("{state} since {since}")
        } else {
            format!("{state} since {since}: {reason}")
        };
        let health = if state == "online" { Health::Good } else { Health::Bad };
        findings.push(Finding { subject, health, words });
    }
    let facts = store.state(FACTS_ROW)?.and_then(|text| serde_json::from_str::<GatewayFacts>(&text).ok());
    findings.extend(facts.iter().flat_map(GatewayFacts::findings));
    Ok(())
}

/// What waits, and what the hub refused for good.
fn look_inside(store: &Store, findings: &mut Vec<Finding>) -> anyhow::Result<()> {
    let depth = store.depth()?;
    findings.push(Finding::good("outbox", format!("{} events wait for the hub", depth.pending)));
    for letter in store.dead_letters()?.into_iter().take(MAX_LETTERS) {
        let place = letter.pointer.map(|pointer| format!(" at {pointer}")).unwrap_or_default();
        findings.push(Finding::bad(
            "refused",
            format!("{} ({}{place}): {}", letter.id, letter.code, head(&letter.text)),
        ));
    }
    if depth.dead > 0 {
        findings.push(Finding::bad(
            "refused",
            format!(
                "{} events in all; after an upgrade of the hub run this again with --requeue",
                depth.dead
            ),
        ));
    }
    Ok(())
}

#[allow(clippy::redundant_closure_for_method_calls, reason = "the path is not general over the lifetime")]
fn requeue(store: &Store, findings: &mut Vec<Finding>) -> anyhow::Result<()> {
    let count = store.transaction::<_, otter_client_native::StoreError>(|tx| tx.requeue_dead_letters())?;
    findings.push(Finding::good("refused", format!("{count} events are published once more")));
    Ok(())
}

fn head(text: &str) -> String {
    text.chars().take(160).collect()
}

const PATIENCE: Duration = Duration::from_secs(20);
const MAX_LETTERS: usize = 20;
