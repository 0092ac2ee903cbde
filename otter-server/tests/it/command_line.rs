//! Commands that write credential rows beside a running hub.

use std::process::{Command, Output};

use pretty_assertions::assert_eq;
use tempfile::TempDir;

use crate::net::{Hub, ended, greeted, open, refusal};

fn cli(dir: &TempDir, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_otter-server"));
    command.args(words).arg("--data-dir").arg(dir.path()).env_remove("PORT").output().unwrap()
}

fn line(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    text.trim().to_owned()
}

#[tokio::test]
async fn the_command_line_adds_people_and_instances_while_the_hub_runs() {
    let hub = Hub::start().await;
    hub.owner().await;
    let token = line(&cli(&hub.dir, &["instance", "add", "--name", "laptop"]));
    hub.socket("/ws/openclaw", &[("authorization", &format!("Bearer {token}"))]).await;
    let link = line(&cli(&hub.dir, &["invite", "--name", "Ann", "--role", "viewer"]));
    let secret = link.strip_prefix(&format!("{}/auth#t=", hub.origin())).unwrap();
    let cookie = hub.sign_in(secret, "").await;
    open(&hub, &cookie).await;
    let members = String::from_utf8(cli(&hub.dir, &["members"]).stdout).unwrap();
    let rows: Vec<Vec<&str>> =
        members.lines().map(|line| line.split('\t').skip(1).take(2).collect()).collect();
    assert_eq!(rows, [["Ada", "owner"], ["Ann", "viewer"]]);
    let link = line(&cli(&hub.dir, &["link", "--member", "Ann"]));
    let secret = link.split_once("#t=").unwrap().1;
    open(&hub, &hub.sign_in(secret, "Mallory").await).await;
    let members = String::from_utf8(cli(&hub.dir, &["members"]).stdout).unwrap();
    assert_eq!(members.lines().count(), 2, "a sign-in link makes no member: {members}");
    assert!(cli(&hub.dir, &["instance", "revoke", "laptop"]).status.success());
    assert!(!cli(&hub.dir, &["instance", "revoke", "laptop"]).status.success());
    let got = hub.refused("/ws/openclaw", &[("authorization", &format!("Bearer {token}"))]).await;
    assert_eq!(got, refusal(4503, "revoked"));
}

#[tokio::test]
async fn a_removed_instance_is_off_at_once_and_its_id_is_not_let_in_again() {
    let hub = Hub::start().await;
    let cookie = hub.owner().await;
    let token = line(&cli(&hub.dir, &["instance", "add", "--name", "laptop"]));
    let bearer = format!("Bearer {token}");
    let mut socket = greeted(hub.socket("/ws/openclaw", &[("authorization", &bearer)]).await, &["b1"]).await;
    assert!(cli(&hub.dir, &["instance", "remove", "laptop"]).status.success());
    assert_eq!(ended(&mut socket).await.0, 4503);
    assert_eq!(hub.refused("/ws/openclaw", &[("authorization", &bearer)]).await, refusal(4503, "revoked"));
    assert!(!cli(&hub.dir, &["instance", "remove", "desktop"]).status.success());
    open(&hub, &cookie).await;
}

#[test]
fn without_tls_the_hub_serves_this_machine_only() {
    let dir = tempfile::tempdir().unwrap();
    let output = cli(&dir, &["--listen", "0.0.0.0:0"]);
    assert!(!output.status.success());
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("--behind-proxy --public-url https://name, or listen on 127.0.0.1"), "{words}");
}
