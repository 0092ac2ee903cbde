//! The hub as a program: what it prints, what it logs, how it ends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

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
    /// Starts it on a free port with every log line on; waits until it listens.
    pub(crate) fn start(dir: TempDir, args: &[&str]) -> (Self, Option<String>) {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new(env!("CARGO_BIN_EXE_otter-server"));
        command.arg("--data-dir").arg(dir.path()).args(["--listen", &format!("127.0.0.1:{port}")]).args(args);
        command.env("RUST_LOG", "trace").env_remove("PORT");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, stdout) = channel();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut stderr = child.stderr.take().unwrap();
        let log = thread::spawn(move || {
            let mut log = String::new();
            stderr.read_to_string(&mut log).unwrap();
            log
        });
        let addr = format!("127.0.0.1:{port}").parse().unwrap();
        let deadline = Instant::now() + LONG;
        while !answers(addr) {
            assert!(Instant::now() < deadline, "the hub does not answer");
            thread::sleep(Duration::from_millis(20));
        }
        // It prints before it answers.
        let line = stdout.recv_timeout(Duration::from_millis(500)).ok();
        let setup = line.map(|line| {
            let address = line.strip_prefix("setup link: ").unwrap();
            address.strip_prefix(&format!("http://localhost:{port}/auth#t=")).unwrap().to_owned()
        });
        let hub = Hub::outside(dir, addr, setup.clone());
        (Self { child: Running(child), stdout, log, hub }, setup)
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.0.id()
    }

    /// Asks it to stop; gives how it ended, what it logged, what else it printed, and its data.
    fn stop(mut self) -> (ExitStatus, String, Vec<String>, TempDir) {
        let pid = self.child.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let status = self.child.0.wait().unwrap();
        let log = self.log.join().unwrap();
        (status, log, self.stdout.iter().collect(), self.hub.dir)
    }

    /// Ends it as a crash does; gives its data.
    pub(crate) fn kill(mut self) -> TempDir {
        self.child.0.kill().unwrap();
        self.child.0.wait().unwrap();
        self.hub.dir
    }
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
    let (status, log, _, dir) = program.stop();
    assert!(start.elapsed() < Duration::from_secs(25), "{:?}", start.elapsed());
    assert!(status.success(), "{status}\n{log}");
    assert!(log.contains("--allow-origin https://refused.example"), "{log}");
    let token = token.split('_').nth(3).unwrap();
    for hidden in [setup.as_str(), secret.as_str(), token, "query-marker"] {
        assert!(!log.contains(hidden), "{hidden} was logged");
    }
    let (program, setup) = Program::start(dir, &[]);
    assert_eq!(setup, None, "there is an owner");
    program.stop();
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
