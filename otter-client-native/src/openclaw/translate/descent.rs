//! Who began a session, as frames and rows say it. What a session that is not shown begins is not shown either.

use serde_json::Value;

use crate::openclaw::frame::GatewayEvent;
use crate::openclaw::ids::SessionKey;
use crate::openclaw::json::Fields as _;
use crate::openclaw::observed::Observed;
use crate::openclaw::time::Now;
use crate::openclaw::translate::{Output, handle_excluded, step};

/// Takes what a frame says about who began a session, and ends what is open in one that turns out to be private.
pub(super) fn translate(observed: &mut Observed, event: &GatewayEvent, now: Now) -> Vec<Output> {
    let payload = &event.payload;
    let mut is_news = named(observed, payload.text("sessionKey"), payload);
    is_news |= row(observed, payload.field("session"));
    is_news |= task(observed, payload.field("task"));
    if let Some(child) = step::spawned_session(payload.field("data")) {
        is_news |= note(observed, Some(child), payload.text("sessionKey"));
    }
    if is_news { handle_excluded(observed, now) } else { Vec::new() }
}

/// The same of rows that were listed.
pub(super) fn rows(observed: &mut Observed, rows: &[Value], now: Now) -> Vec<Output> {
    let news = rows.iter().filter(|session| row(observed, session)).count();
    if news > 0 { handle_excluded(observed, now) } else { Vec::new() }
}

/// The same of tasks that were listed.
pub(super) fn tasks(observed: &mut Observed, rows: &[Value], now: Now) -> Vec<Output> {
    let news = rows.iter().filter(|row| task(observed, row)).count();
    if news > 0 { handle_excluded(observed, now) } else { Vec::new() }
}

fn row(observed: &mut Observed, session: &Value) -> bool {
    named(observed, session.text("key"), session)
}

fn named(observed: &mut Observed, child: Option<&str>, fields: &Value) -> bool {
    let parents = PARENTS.iter().filter(|field| note(observed, child, fields.text(field)));
    parents.count() > 0
}

fn task(observed: &mut Observed, task: &Value) -> bool {
    note(observed, task.text("childSessionKey"), task.text("ownerKey"))
}

fn note(observed: &mut Observed, child: Option<&str>, parent: Option<&str>) -> bool {
    let (Some(child), Some(parent)) = (child, parent) else { return false };
    observed.note_descent(&SessionKey::new(child), &SessionKey::new(parent))
}

/// Where a session names those that it comes from.
const PARENTS: [&str; 3] = ["spawnedBy", "parentSessionKey", "controlOwnerSessionKey"];
