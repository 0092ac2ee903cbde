//! The text format of Prometheus, version 0.0.4.

use std::fmt::{Display, Write as _};
use std::sync::atomic::Ordering;

use super::{BOUNDS, Metrics, Role, Timing};
use crate::fanout::locked;

/// What is not counted but looked at when somebody asks.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Gauges {
    /// Bytes of requests that wait for the log's writer.
    pub(crate) log_queue_bytes: u64,
    /// Commands that have not ended; unknown when the store does not answer.
    pub(crate) open_commands: Option<u64>,
}

#[derive(Debug, Default)]
struct Readers {
    by_role: [u64; Role::ALL.len()],
    paused: u64,
    behind: u64,
    behind_most: u64,
    queue_bytes: u64,
}

impl Metrics {
    /// Everything as text.
    pub(crate) fn text(&self, gauges: Gauges) -> String {
        let mut text = Text::default();
        write_readers(&mut text, &self.readers(), gauges);
        text.counter("commits", "Transactions on disk that had something for somebody.", &self.commits);
        text.counter("events", "Events in them.", &self.events);
        text.timing("fsync", "From the end of a transaction's work until it is on disk.", &self.fsync);
        text.counter("published", "Events taken from instances, known ones included.", &self.published);
        text.counter("rejected", "Events of instances rejected for good.", &self.rejected);
        text.counter("refused_frames", "Frames refused, in all connections.", &self.refused);
        text.counter("dropped_signals", "Signals dropped because they came too fast.", &self.dropped_signals);
        text.counter("resyncs", "Subscriptions whose client gave its position up.", &self.resyncs);
        text.counter(
            "hash_mismatches",
            "Those because client and hub had different states: must stay 0.",
            &self.hash_mismatches,
        );
        text.counter("snapshot_reads", "Pages of snapshots read from the store.", &self.snapshot_reads);
        text.counter("log_reads", "Pages of the log read for readers behind the rings.", &self.log_reads);
        text.counter("page_reads", "Pages of rows and whole texts that clients fetched.", &self.page_reads);
        text.0
    }

    fn readers(&self) -> Readers {
        let mut sum = Readers::default();
        for reader in locked(&self.readers).values() {
            if let Some(count) = sum.by_role.get_mut(reader.role as usize) {
                *count += 1;
            }
            sum.paused += u64::from(reader.paused.load(Ordering::Relaxed));
            let behind = reader.behind.load(Ordering::Relaxed);
            sum.behind += behind;
            sum.behind_most = sum.behind_most.max(behind);
            sum.queue_bytes += reader.queue_bytes.load(Ordering::Relaxed);
        }
        sum
    }
}

fn write_readers(text: &mut Text, readers: &Readers, gauges: Gauges) {
    text.family("connections", "gauge", "Open connections by role.");
    for (role, count) in Role::ALL.iter().zip(readers.by_role) {
        text.sample("connections", &format!("{{role=\"{}\"}}", role.as_str()), count);
    }
    text.gauge("readers_paused", "Connections that wait for their client's ack.", readers.paused);
    text.gauge(
        "events_behind",
        "Events not yet sent, at each reader's last heartbeat: the sum.",
        readers.behind,
    );
    text.gauge("events_behind_most", "Those of the reader that is furthest behind.", readers.behind_most);
    text.family("queue_bytes", "gauge", "Bytes that wait: for sockets, for the log's writer.");
    text.sample("queue_bytes", "{queue=\"sockets\"}", readers.queue_bytes);
    text.sample("queue_bytes", "{queue=\"log\"}", gauges.log_queue_bytes);
    if let Some(open) = gauges.open_commands {
        text.gauge("open_commands", "Commands that have not ended.", open);
    }
}

#[derive(Debug, Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = write!(self.0, "# HELP otter_{name} {help}\n# TYPE otter_{name} {kind}\n");
    }

    fn sample(&mut self, name: &str, labels: &str, value: impl Display) {
        let _ = writeln!(self.0, "otter_{name}{labels} {value}");
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, "gauge", help);
        self.sample(name, "", value);
    }

    fn counter(&mut self, name: &str, help: &str, counter: &super::Counter) {
        let name = format!("{name}_total");
        self.family(&name, "counter", help);
        self.sample(&name, "", counter.get());
    }

    fn timing(&mut self, name: &str, help: &str, timing: &Timing) {
        let name = format!("{name}_seconds");
        self.family(&name, "histogram", help);
        let mut count = 0;
        let bounds = BOUNDS.iter().map(|(_, bound)| *bound).chain(["+Inf"]);
        for (bound, counter) in bounds.zip(&timing.counts) {
            count += counter.get();
            self.sample(&format!("{name}_bucket"), &format!("{{le=\"{bound}\"}}"), count);
        }
        let micros = timing.micros.get();
        let sum = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
        self.sample(&format!("{name}_sum"), "", sum);
        self.sample(&format!("{name}_count"), "", count);
    }
}
