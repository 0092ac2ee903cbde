//! The sending end of one lane.

use std::collections::VecDeque;

use crate::Instant;
use crate::error::ErrorCode;
use crate::frame::{Lane, LaneCursor, Publish, Published, Rejection};
use crate::limits::Limits;
use crate::publish::{LaneState, Outbox, PublishNews, RestateReason};
use crate::wire::Json;

/// What was sent of a lane and not acknowledged, and where to go on.
#[derive(Debug)]
pub(super) struct LaneSender {
    lane: Lane,
    /// Whether the outbox may have rows that were not sent.
    pub(super) more: bool,
    link: Option<Linked>,
}

/// The lane on one connection.
#[derive(Debug)]
struct Linked {
    epoch: u64,
    /// The highest number sent.
    sent: u64,
    /// What is on its way: the last number and the bytes of each publish.
    flight: VecDeque<(u64, u64)>,
    publish_bytes: u64,
    /// The highest refused number whose confirmation is to be sent.
    rejected_seen: Option<u64>,
    /// The highest one that was sent: sent again after an error, which may mean that nobody read it.
    confirmed: Option<u64>,
    retry_at: Option<Instant>,
    refusals: u32,
}

impl LaneSender {
    pub(super) const fn new(lane: Lane) -> Self {
        Self { lane, more: true, link: None }
    }

    pub(super) fn disconnected(&mut self) {
        self.link = None;
    }

    pub(super) fn is_idle(&self) -> bool {
        self.link.as_ref().is_none_or(|link| !self.more && link.rejected_seen.is_none())
    }

    pub(super) fn retry_at(&self) -> Option<Instant> {
        self.link.as_ref()?.retry_at
    }

    /// Compares what the hub has with what the outbox has.
    pub(super) fn welcomed<O: Outbox>(
        &mut self,
        hub: &LaneCursor,
        limits: &Limits,
        outbox: &mut O,
    ) -> Result<Vec<PublishNews>, O::Error> {
        let own = outbox.lane(self.lane)?;
        let verdict = self.compare(hub, own, outbox)?;
        let mut news = Vec::new();
        let mut rejected_seen = None;
        let (epoch, sent) = match verdict {
            Verdict::GoOn => {
                rejected_seen = self.bury(&hub.rejected, outbox, &mut news)?;
                outbox.set_acked(self.lane, hub.up_to)?;
                (own.epoch, hub.up_to)
            }
            Verdict::FromTheStart => {
                outbox.set_acked(self.lane, 0)?;
                (own.epoch, 0)
            }
            Verdict::Renew { after, reason } => {
                let epoch = own.epoch.max(hub.producer_epoch) + 1;
                outbox.renew(self.lane, epoch, after, reason)?;
                news.push(PublishNews::Restate { lane: self.lane, epoch, reason });
                (epoch, 0)
            }
        };
        outbox.welcomed(self.lane)?;
        self.more = true;
        self.link = Some(Linked {
            epoch,
            sent,
            flight: VecDeque::new(),
            publish_bytes: limits.publish_bytes,
            rejected_seen,
            confirmed: None,
            retry_at: None,
            refusals: 0,
        });
        Ok(news)
    }

    fn compare<O: Outbox>(&self, hub: &LaneCursor, own: LaneState, outbox: &O) -> Result<Verdict, O::Error> {
        if hub.producer_epoch > own.epoch {
            return Ok(Verdict::Renew { after: own.acked, reason: RestateReason::OutboxIsOld });
        }
        if hub.producer_epoch < own.epoch {
            // A lane that was never used is in its first epoch, which the hub has not heard of.
            return Ok(if own.trimmed == 0 {
                Verdict::FromTheStart
            } else {
                Verdict::Renew { after: 0, reason: RestateReason::HubLostEvents }
            });
        }
        if hub.up_to < own.trimmed {
            return Ok(Verdict::Renew { after: 0, reason: RestateReason::HubLostEvents });
        }
        let same = hub.up_to == 0 || outbox.id_at(self.lane, hub.up_to)? == hub.last_id;
        if hub.up_to > own.last || !same {
            return Ok(Verdict::Renew {
                after: own.acked.max(self.taken(hub, outbox)?).min(own.last),
                reason: RestateReason::OutboxLostTail,
            });
        }
        Ok(Verdict::GoOn)
    }

    /// Rows that the hub has for sure although the tail behind them is lost: they are not sent again.
    fn taken<O: Outbox>(&self, hub: &LaneCursor, outbox: &O) -> Result<u64, O::Error> {
        Ok(outbox.opened_at(self.lane)?.map_or(0, |opened| opened.min(hub.up_to)))
    }

    /// The hub's answer to a publish of this lane.
    pub(super) fn published<O: Outbox>(
        &mut self,
        answer: &Published,
        outbox: &mut O,
        now: Instant,
    ) -> Result<Vec<PublishNews>, O::Error> {
        let mut news = Vec::new();
        let Some(epoch) =
            self.link.as_ref().map(|link| link.epoch).filter(|epoch| *epoch == answer.producer_epoch)
        else {
            return Ok(news);
        };
        let own = outbox.lane(self.lane)?;
        if own.epoch != epoch || answer.up_to > own.last {
            news.push(PublishNews::Reconnect);
            return Ok(news);
        }
        let seen = self.bury(&answer.rejected, outbox, &mut news)?;
        if answer.up_to > own.acked {
            outbox.set_acked(self.lane, answer.up_to)?;
        }
        let Some(link) = &mut self.link else { return Ok(news) };
        link.rejected_seen = link.rejected_seen.max(seen);
        while link.flight.front().is_some_and(|(last, _)| *last <= answer.up_to) {
            link.flight.pop_front();
        }
        match &answer.error {
            None => link.refusals = 0,
            Some(error) => {
                // Whatever else is on its way gets the same answer; it is sent again from here.
                let again = answer.expected.map_or(answer.up_to, |expected| expected.saturating_sub(1));
                let known = again >= own.trimmed && again <= own.last;
                if error.code == ErrorCode::StaleProducerEpoch || !known {
                    news.push(PublishNews::Reconnect);
                    return Ok(news);
                }
                let waiting = link.retry_at.is_some_and(|at| at > now);
                link.sent = again;
                link.flight.clear();
                link.rejected_seen = link.rejected_seen.max(link.confirmed);
                if !waiting && error.code != ErrorCode::PublishGap {
                    link.refusals = (link.refusals + 1).min(6);
                    let pause = if error.retryable { 500 << link.refusals } else { FINAL_PAUSE_MS };
                    link.retry_at = Some(now.plus(error.retry_after_ms.unwrap_or(pause)));
                    news.push(PublishNews::Refused { lane: self.lane, error: error.clone() });
                }
                self.more = true;
            }
        }
        Ok(news)
    }

    /// The next publish, when the window has room for one.
    pub(super) fn next<O: Outbox>(&mut self, outbox: &O, now: Instant) -> Result<Option<Publish>, O::Error> {
        let Some(link) = &mut self.link else { return Ok(None) };
        if link.retry_at.is_some_and(|at| now < at) {
            return Ok(None);
        }
        link.retry_at = None;
        let flying: u64 = link.flight.iter().map(|(_, bytes)| bytes).sum();
        let room = link.publish_bytes.saturating_sub(flying);
        let mut rows = Vec::new();
        if self.more && room > 0 {
            rows = outbox.rows(self.lane, link.sent, FRAME_BYTES.min(room))?;
            let bytes: u64 = rows.iter().map(|row| row.text.len() as u64).sum();
            if rows.is_empty() {
                self.more = false;
            } else if flying > 0 && bytes > room {
                rows.clear();
            } else if let Some(last) = rows.last() {
                link.flight.push_back((last.n, bytes));
            }
        }
        if rows.is_empty() && link.rejected_seen.is_none() {
            return Ok(None);
        }
        let first = link.sent + 1;
        link.confirmed = link.confirmed.max(link.rejected_seen);
        link.sent = rows.last().map_or(link.sent, |row| row.n);
        Ok(Some(Publish {
            lane: self.lane,
            producer_epoch: link.epoch,
            first,
            events: rows.into_iter().map(|row| Json::trusted(row.text)).collect(),
            rejected_seen: link.rejected_seen.take(),
        }))
    }

    /// Moves refused events to the dead letters; returns the highest number among them.
    fn bury<O: Outbox>(
        &self,
        rejected: &[Rejection],
        outbox: &mut O,
        news: &mut Vec<PublishNews>,
    ) -> Result<Option<u64>, O::Error> {
        if rejected.is_empty() {
            return Ok(None);
        }
        let count = outbox.reject(self.lane, rejected)?;
        if count > 0 {
            news.push(PublishNews::DeadLetters { lane: self.lane, count });
        }
        Ok(rejected.iter().map(|rejection| rejection.n).max())
    }
}

/// How a lane goes on after a welcome.
enum Verdict {
    /// After what the hub has.
    GoOn,
    /// With the first event of the own epoch.
    FromTheStart,
    /// With another epoch, of the rows after `after`.
    Renew { after: u64, reason: RestateReason },
}

/// Events are sent in frames of about this size, so that acknowledgements flow while more is sent.
const FRAME_BYTES: u64 = 64 << 10;
/// The pause after an error that does not pass by itself.
const FINAL_PAUSE_MS: u64 = 60_000;
