use std::fmt::Write as _;

use otter_proto::connection::server::{Admission, Need, ServerConfig};
use otter_proto::frame::ServerInfo;
use otter_proto::id::{Epoch, OrgId};
use otter_proto::{Instant, UnixMillis};
use pretty_assertions::assert_eq;

use super::*;

fn principal(principal_type: PrincipalType, role: Option<&str>) -> Principal {
    let org = OrgId::new("org_secret").unwrap();
    let id = if principal_type == PrincipalType::Member { "mb_1" } else { "in_1" };
    Principal { principal_type, id: id.into(), org, name: Some("Ada".into()), role: role.map(str::to_owned) }
}

fn machine(principal: Principal) -> ServerConnection {
    let info = ServerInfo { name: "t".into(), version: "0".into() };
    let mut machine = ServerConnection::new(ServerConfig::new(info), Instant(0));
    let hello = r#"{"type":"hello","protocol":{"min":1,"max":1},"client":{"name":"t","version":"0"}}"#;
    machine.handle_message(hello, Instant(0));
    assert!(matches!(machine.poll_event(), Some(Need::Hello(_))));
    let epoch = Epoch::new("e1").unwrap();
    machine.welcome(Admission { principal, server_time: UnixMillis(0), epoch, lanes: None }, Instant(0));
    while machine.poll_transmit().is_some() {}
    machine
}

#[test]
fn a_known_sequence_makes_exactly_this_text() {
    let metrics = Arc::new(Metrics::default());
    let bridge = metrics.connected(1, &principal(PrincipalType::Instance, None));
    let mut ada = metrics.connected(2, &principal(PrincipalType::Member, Some("owner")));
    let gone = metrics.connected(3, &principal(PrincipalType::Member, Some("viewer")));
    let mut machine = machine(principal(PrincipalType::Member, Some("owner")));
    for frame in [
        r#"{"type":"subscribe","scope":"org","sub":1,"trouble":"hash"}"#,
        r#"{"type":"subscribe","scope":"org","sub":2,"trouble":"gap"}"#,
        "nonsense",
    ] {
        machine.handle_message(frame, Instant(1));
    }
    for _ in 0..23 {
        let typing = r#"{"type":"signal","scope":"org","kind":"typing","data":{}}"#;
        machine.handle_message(typing, Instant(1));
    }
    ada.note(&machine);
    ada.note(&machine);
    ada.behind(7);
    bridge.behind(2);
    drop(gone);
    for micros in [400, 500, 501, 3_000_000] {
        metrics.fsync.observe(Duration::from_micros(micros));
    }
    metrics.commits.add(3);
    metrics.events.add(5);
    metrics.published.add(4);
    metrics.rejected.add(1);
    metrics.snapshot_reads.add(2);
    metrics.page_reads.add(6);
    let text = metrics.text(Gauges { log_queue_bytes: 512, open_commands: Some(9) });
    assert_eq!(text, include_str!("expected.txt"));
    assert!(!text.contains("org_secret") && !text.contains("mb_1") && !text.contains("Ada"));
}

#[test]
fn operations_name_every_number_and_no_other() {
    let text = Metrics::default().text(Gauges { open_commands: Some(0), ..Gauges::default() });
    let names = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    let operations = include_str!("../../../docs/operations.md");
    let documented =
        operations.lines().filter_map(|line| line.strip_prefix("| `otter_")?.split(['`', '{']).next());
    let mut sorted = (String::new(), String::new());
    for name in names {
        writeln!(sorted.0, "{name}").unwrap();
    }
    for name in documented {
        writeln!(sorted.1, "otter_{name}").unwrap();
    }
    assert_eq!(sorted.1, sorted.0);
}
