//! The hub as a program: what it prints, what it logs, how it ends.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use otter_server::auth::{CredentialStore, unix_now};
use pretty_assertions::assert_eq;
use serde_json::json;
use tempfile::TempDir;

use crate::net::{Hub, LONG};

/// A child that does not outlive its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The program, its output collected.
pub(crate) struct Program {
    child: Running,
    stdout: Receiver<String>,
    log: thread::JoinHandle<String>,
    pub(crate) hub: Hub,
}

impl Program {
    /// Starts it on a free port with every log line on; waits until it answers. Gives its setup link's secret, while
    /// it has one.
    pub(crate) fn start(dir: TempDir, args: &[&str]) -> (Self, Option<String>) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_otter-server"));
        command.arg("--data-dir").arg(dir.path()).args(["--listen", "127.0.0.1:0"]).args(args);
        command.env("RUST_LOG", "trace").env_remove("PORT");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, stdout) = channel();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let (told, address) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let log = thread::spawn(move || collect(stderr, &told));
        let child = Running(child);
        let addr = address.recv_timeout(LONG).expect("it says where it listens");
        let deadline = Instant::now() + LONG;
        while !answers(addr) {
            assert!(Instant::now() < deadline, "the hub does not answer");
            thread::sleep(Duration::from_millis(20));
        }
        let store = CredentialStore::open(dir.path()).unwrap();
        let has_owner = store.has_owner(&store.org(unix_now()).unwrap()).unwrap();
        let setup = (!has_owner).then(|| {
            let line = stdout.recv_timeout(LONG).unwrap();
            let address = line.strip_prefix("setup link: ").unwrap();
            address.strip_prefix(&format!("http://localhost:{}/auth#t=", addr.port())).unwrap().to_owned()
        });
        let hub = Hub::outside(dir, addr, setup.clone());
        (Self { child, stdout, log, hub }, setup)
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.0.id()
    }

    /// Asks it to stop, as a terminal and a supervisor do at the same time; gives what it logged, what else it printed,
    /// and its data.
    fn stop(mut self) -> (String, Vec<String>, TempDir) {
        let pid = self.child.0.id().to_string();
        for _ in 0..2 {
            assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        }
        let status = self.child.0.wait().unwrap();
        let log = self.log.join().unwrap();
        assert!(status.success(), "{status}\n{log}");
        (log, self.stdout.iter().collect(), self.hub.dir)
    }

    /// Ends it as a crash does; gives its data.
    pub(crate) fn kill(mut self) -> TempDir {
        self.child.0.kill().unwrap();
        self.child.0.wait().unwrap();
        self.hub.dir
    }
}

/// All that is logged; the address at which it listens is told at once.
fn collect(stderr: impl BufRead, told: &Sender<SocketAddr>) -> String {
    let mut log = String::new();
    for line in stderr.lines().map_while(Result::ok) {
        if let Some((at, _)) = line.split_once("listening on ").and_then(|(_, rest)| rest.split_once(',')) {
            // Nobody waits for it a second time.
            let _ = told.send(at.parse().unwrap());
        }
        log.push_str(&line);
        log.push('\n');
    }
    log
}

fn answers(addr: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(addr) else { return false };
    let mut answer = Vec::new();
    let request = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(request).and_then(|()| stream.read_to_end(&mut answer)).is_ok_and(|length| length > 0)
}

#[tokio::test]
async fn a_signal_stops_the_hub_in_time_and_nothing_secret_was_logged() {
    let (program, setup) = Program::start(tempfile::tempdir().unwrap(), &[]);
    let hub = &program.hub;
    let setup = setup.unwrap();
    hub.post("/auth/link", &[], json!({ "token": setup })).await;
    let cookie = hub.owner().await;
    let token = hub.instance();
    let secret = cookie.split_once('.').unwrap().1.to_owned();
    let origin = hub.origin();
    let _browser = hub.socket("/ws?leaked=query-marker", &[("origin", &origin), ("cookie", &cookie)]).await;
    let _bridge = hub.socket("/ws/openclaw", &[("authorization", &format!("Bearer {token}"))]).await;
    hub.refused("/ws?leaked=query-marker", &[("origin", "https://refused.example"), ("cookie", &cookie)])
        .await;
    hub.get("/?leaked=query-marker").await;
    let start = Instant::now();
    let (log, _, dir) = program.stop();
    assert!(start.elapsed() < Duration::from_secs(25), "{:?}", start.elapsed());
    assert!(log.contains("--allow-origin https://refused.example"), "{log}");
    let token = token.split('_').nth(3).unwrap();
    for hidden in [setup.as_str(), secret.as_str(), token, "query-marker"] {
        assert!(!log.contains(hidden), "{hidden} was logged");
    }
    let (program, _) = Program::start(dir, &[]);
    let (_, printed, _) = program.stop();
    assert_eq!(printed, Vec::<String>::new(), "there is an owner, so there is no setup link");
}

#[test]
fn a_second_hub_on_the_same_directory_is_refused() {
    let (program, _) = Program::start(tempfile::tempdir().unwrap(), &[]);
    let mut second = Command::new(env!("CARGO_BIN_EXE_otter-server"));
    second.arg("--data-dir").arg(program.hub.dir.path()).args(["--listen", "127.0.0.1:0"]);
    let output = second.output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("another otter-server uses"));
    program.stop();
}
