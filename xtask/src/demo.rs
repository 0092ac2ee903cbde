//! `cargo xtask demo`: everything on this machine, with nothing to install but Rust.

use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::browser_client::{self, Optimise};
use crate::shell;

const START: Duration = Duration::from_secs(15);

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Port of the hub; another one is taken when it is in use.
    #[arg(long, default_value_t = 4200)]
    port: u16,
    /// Prints the address and opens no browser.
    #[arg(long)]
    no_open: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    println!("building the browser client and the hub (the first time takes some minutes)");
    browser_client::build(Optimise::Never)?;
    shell::run(&mut shell::cargo(["build", "-p", "otter-server", "-p", "otter-example-fleet"]))?;
    let data = shell::target().join("demo");
    if data.exists() {
        fs::remove_dir_all(&data)?;
    }
    fs::create_dir_all(&data)?;
    let port = free_port(options.port)?;
    let (mut hub, link) = start_hub(&data, port)?;
    let mut fleet = start_fleet(&data, port)?;
    println!("\nconsole: {link}\nThe link signs you in once, as the owner. Ctrl-C ends the demo.\n");
    if !options.no_open {
        open(&link);
    }
    let ended = wait(&mut hub.0, &mut fleet.0)?;
    bail!("{ended} ended; the demo needs both")
}

/// A child that does not outlive this process's interest in it.
struct Owned(Child);

impl Drop for Owned {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn free_port(wanted: u16) -> Result<u16> {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let listener = bind(wanted).or_else(|_| bind(0))?;
    Ok(listener.local_addr()?.port())
}

/// Starts the hub and waits for the link of its first owner.
fn start_hub(data: &Path, port: u16) -> Result<(Owned, String)> {
    let mut hub = Command::new(shell::built("otter-server"));
    hub.arg("--data-dir").arg(data.join("hub")).args(["--listen", &format!("127.0.0.1:{port}"), "--dev"]);
    quiet(&mut hub);
    let mut child =
        Owned(hub.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("the hub cannot be started")?);
    let stdout = child.0.stdout.take().context("the hub has no standard output")?;
    let mut lines = BufReader::new(stdout).lines();
    let link = lines
        .by_ref()
        .map_while(Result::ok)
        .find_map(|line| line.split_once("setup link: ").map(|(_, link)| link.trim().to_owned()))
        .context("the hub ended before it printed its setup link")?;
    // What the hub prints later must be read, or its pipe fills up.
    thread::spawn(move || lines.map_while(Result::ok).for_each(|line| println!("{line}")));
    wait_for_port(port)?;
    Ok((child, link))
}

fn wait_for_port(port: u16) -> Result<()> {
    let deadline = Instant::now() + START;
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        if Instant::now() > deadline {
            bail!("the hub does not listen on port {port}");
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn start_fleet(data: &Path, port: u16) -> Result<Owned> {
    let mut tokens = Vec::new();
    for name in ["Studio Mac", "ThinkPad", "Build server"] {
        let add = ["instance", "add", "--name", name, "--data-dir"];
        let token =
            shell::output(shell::command(shell::built("otter-server")).args(add).arg(data.join("hub")))?;
        tokens.push(token.trim().to_owned());
    }
    let mut fleet = Command::new(shell::built("otter-example-fleet"));
    let hub = format!("ws://127.0.0.1:{port}/ws/openclaw");
    fleet.args(["--hub", &hub]).env("OTTER_TOKENS", tokens.join(","));
    fleet.arg("--state-dir").arg(data.join("fleet"));
    quiet(&mut fleet);
    Ok(Owned(fleet.stdin(Stdio::null()).spawn().context("the fleet cannot be started")?))
}

/// Only trouble belongs beside the link, unless somebody asks for more.
fn quiet(command: &mut Command) {
    if env::var_os("RUST_LOG").is_none() {
        command.env("RUST_LOG", "warn");
    }
}

fn wait(hub: &mut Child, fleet: &mut Child) -> Result<&'static str> {
    loop {
        if hub.try_wait()?.is_some() {
            return Ok("the hub");
        }
        if fleet.try_wait()?.is_some() {
            return Ok("the fleet");
        }
        thread::sleep(Duration::from_millis(200));
    }
}

/// Opens the page where the system has a way to; the printed link serves everybody else.
fn open(link: &str) {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    if let Some(opener) = shell::find(opener) {
        let quiet = Command::new(opener)
            .arg(link)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        drop(quiet);
    }
}
