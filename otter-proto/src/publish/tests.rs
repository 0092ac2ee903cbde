mod trim;

use pretty_assertions::assert_eq;

use super::*;
use crate::error::ErrorCode;
use crate::event::NewEvent;
use crate::frame::{LaneCursor, Rejection};
use crate::id::{EntityId, EventId};
use crate::wire::Json;

/// A hub that keeps the rules of producer epochs, for one lane.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Hub {
    epoch: u64,
    up_to: u64,
    last_id: Option<EventId>,
    /// Every event taken, by id.
    log: Vec<String>,
    gaps: u32,
    rejected: Vec<Rejection>,
    seen: Option<u64>,
}

impl Hub {
    fn lanes(&self) -> Lanes {
        let main = LaneCursor {
            producer_epoch: self.epoch,
            up_to: self.up_to,
            last_id: self.last_id.clone(),
            rejected: self.rejected.clone(),
        };
        let bulk = LaneCursor { producer_epoch: 0, up_to: 0, last_id: None, rejected: vec![] };
        Lanes { bulk, main }
    }

    fn take(&mut self, publish: &Publish) -> Published {
        self.seen = self.seen.max(publish.rejected_seen);
        if publish.producer_epoch > self.epoch {
            self.gaps += u32::from(self.epoch > 0);
            (self.epoch, self.up_to, self.last_id) = (publish.producer_epoch, 0, None);
        }
        let (mut rejected, mut error, mut expected) = (vec![], None, None);
        if publish.first > self.up_to + 1 {
            error = Some(ErrorBody::new(ErrorCode::PublishGap, "gap"));
            expected = Some(self.up_to + 1);
        } else {
            for (n, event) in (publish.first..).zip(&publish.events) {
                if n <= self.up_to {
                    continue;
                }
                let id = EventId::new(crate::text::member(event.as_str(), "id").unwrap().trim_matches('"'))
                    .unwrap();
                if event.as_str().contains("poison") {
                    let rejection =
                        Rejection { n, id: Some(id.clone()), code: ErrorCode::InvalidData, pointer: None };
                    rejected.push(rejection.clone());
                    self.rejected.push(rejection);
                } else {
                    self.log.push(id.as_str().to_owned());
                }
                (self.up_to, self.last_id) = (n, Some(id));
            }
        }
        Published {
            lane: publish.lane,
            producer_epoch: publish.producer_epoch,
            up_to: self.up_to,
            rejected,
            error,
            expected,
        }
    }
}

/// An instance with its outbox, on a connection that may be cut.
struct Instance {
    publisher: Publisher,
    outbox: MemoryOutbox,
    now: Instant,
    made: u32,
}

impl Instance {
    fn new() -> Self {
        Self { publisher: Publisher::new(), outbox: MemoryOutbox::new(), now: Instant(0), made: 0 }
    }

    fn make(&mut self, count: u32) {
        for _ in 0..count {
            self.append("{}");
        }
    }

    fn append(&mut self, data: &str) {
        self.made += 1;
        let event = NewEvent {
            id: EventId::new(&format!("ev_{}", self.made)).unwrap(),
            kind: "message.created".to_owned(),
            subject: EntityId::new("in_1:m").unwrap(),
            conversation: None,
            caused_by: None,
            observed_at: None,
            data: Json::new(data).unwrap(),
            effects: None,
        };
        self.outbox.append(&event);
        self.publisher.handle_appended();
    }

    fn connect(&mut self, hub: &Hub) -> Vec<PublishNews> {
        self.publisher.handle_disconnected();
        self.publisher.handle_welcome(&hub.lanes(), &Limits::V1, &mut self.outbox).unwrap()
    }

    fn next(&mut self) -> Option<Publish> {
        self.publisher.poll_publish(&self.outbox, self.now).unwrap()
    }

    fn hear(&mut self, answer: &Published) -> Vec<PublishNews> {
        self.publisher.handle_published(answer, &mut self.outbox, self.now).unwrap()
    }

    /// Everything that can be sent is sent and answered.
    fn flow(&mut self, hub: &mut Hub) -> Vec<PublishNews> {
        let mut news = vec![];
        while let Some(publish) = self.next() {
            let answer = hub.take(&publish);
            news.extend(self.hear(&answer));
        }
        news
    }
}

fn ids(numbers: impl IntoIterator<Item = u32>) -> Vec<String> {
    numbers.into_iter().map(|n| format!("ev_{n}")).collect()
}

#[test]
fn events_go_out_in_order_and_once_over_every_cut() {
    let (mut hub, mut instance) = (Hub::default(), Instance::new());
    instance.make(3);
    instance.connect(&hub);
    // The answer is lost with the connection, then the next publish is.
    hub.take(&instance.next().unwrap());
    instance.make(2);
    instance.connect(&hub);
    instance.next().unwrap();
    instance.connect(&hub);
    instance.flow(&mut hub);
    assert_eq!((hub.log, hub.gaps), (ids(1..=5), 0));
    assert_eq!(instance.outbox.lane(Lane::Main).unwrap().acked, 5);
    assert_eq!((instance.next(), instance.publisher.is_idle()), (None, true));
    instance.make(1);
    assert!(!instance.publisher.is_idle());
}

#[test]
fn what_is_unacknowledged_stays_within_the_window() {
    let mut instance = Instance::new();
    let big = format!(r#"{{"text":"{}"}}"#, "x".repeat(200 << 10));
    for _ in 0..20 {
        instance.append(&big);
    }
    let mut hub = Hub::default();
    instance.connect(&hub);
    let sent: Vec<Publish> = std::iter::from_fn(|| instance.next()).collect();
    assert_eq!(sent.iter().map(|publish| publish.events.len()).collect::<Vec<_>>(), [1; 5]);
    for publish in &sent {
        let answer = hub.take(publish);
        instance.hear(&answer);
    }
    instance.flow(&mut hub);
    assert_eq!(hub.log, ids(1..=20));
}

#[test]
fn a_poison_event_whose_answer_is_lost_becomes_a_dead_letter_and_holds_nothing_up() {
    let (mut hub, mut instance) = (Hub::default(), Instance::new());
    instance.make(1);
    instance.append(r#"{"poison":1}"#);
    instance.make(1);
    instance.connect(&hub);
    hub.take(&instance.next().unwrap());
    let news = instance.connect(&hub);
    assert_eq!(news, [PublishNews::DeadLetters { lane: Lane::Main, count: 1 }]);
    instance.flow(&mut hub);
    assert_eq!((hub.log.clone(), hub.seen), (ids([1, 3]), Some(2)));
    assert_eq!(instance.connect(&hub), []);
    assert_eq!(instance.outbox.dead_letters().len(), 1);
}

#[test]
fn a_refusal_that_passes_advances_nothing_and_is_tried_again() {
    let (mut hub, mut instance) = (Hub::default(), Instance::new());
    instance.make(2);
    instance.connect(&hub);
    let publish = instance.next().unwrap();
    let error =
        ErrorBody { retry_after_ms: Some(700), ..ErrorBody::retryable(ErrorCode::StorageFull, "full") };
    let answer = Published {
        lane: Lane::Main,
        producer_epoch: 1,
        up_to: 0,
        rejected: vec![],
        error: Some(error.clone()),
        expected: None,
    };
    assert_eq!(instance.hear(&answer), [PublishNews::Refused { lane: Lane::Main, error }]);
    assert_eq!((instance.next(), instance.publisher.poll_timeout()), (None, Some(Instant(700))));
    instance.now = Instant(700);
    assert_eq!(instance.next(), Some(publish.clone()));
    let answer = hub.take(&publish);
    instance.hear(&answer);
    assert_eq!(hub.log, ids(1..=2));
}

#[test]
fn a_gap_is_filled_from_the_number_that_the_hub_expects() {
    let (mut hub, mut instance) = (Hub::default(), Instance::new());
    instance.make(1);
    instance.connect(&hub);
    instance.next().unwrap();
    instance.make(1);
    let second = instance.next().unwrap();
    let answer = hub.take(&second);
    assert_eq!(answer.expected, Some(1));
    assert_eq!(instance.hear(&answer), []);
    instance.flow(&mut hub);
    assert_eq!(hub.log, ids(1..=2));
}

#[test]
fn a_hub_restored_from_a_backup_gets_the_kept_events_again() {
    let (mut hub, mut instance) = (Hub::default(), Instance::new());
    instance.make(4);
    instance.connect(&hub);
    instance.flow(&mut hub);
    let backup = hub.clone();
    instance.make(4);
    instance.flow(&mut hub);
    let mut hub = backup;
    assert_eq!(instance.connect(&hub), []);
    instance.flow(&mut hub);
    assert_eq!((hub.log, hub.gaps), (ids(1..=8), 0));
}

#[test]
fn a_hub_restored_behind_a_trimmed_outbox_is_told_of_the_hole() {
    let (mut hub, mut instance) = (Hub::default(), Instance::new());
    instance.make(2);
    instance.connect(&hub);
    instance.flow(&mut hub);
    let backup = hub.clone();
    instance.make(6);
    instance.flow(&mut hub);
    instance.outbox.trim(Lane::Main, 3);
    instance.make(1);
    let mut hub = backup;
    let reason = RestateReason::HubLostEvents;
    assert_eq!(instance.connect(&hub), [PublishNews::Restate { lane: Lane::Main, epoch: 2, reason }]);
    instance.flow(&mut hub);
    assert_eq!((hub.log.clone(), hub.gaps), (ids([1, 2, 6, 7, 8, 9]), 1));
    assert_eq!(instance.connect(&hub), []);
}

#[test]
fn a_hub_restored_exactly_to_the_trimmed_row_needs_no_new_epoch() {
    let (mut hub, mut instance) = (Hub::default(), Instance::new());
    instance.make(3);
    instance.connect(&hub);
    instance.flow(&mut hub);
    let mut backup = hub.clone();
    instance.make(3);
    instance.flow(&mut hub);
    instance.outbox.trim(Lane::Main, 3);
    assert_eq!(instance.connect(&backup), []);
    instance.flow(&mut backup);
    assert_eq!(backup.log, ids(1..=6));
}

#[test]
fn an_empty_hub_gets_everything_while_it_is_kept() {
    let (mut hub, mut instance) = (Hub::default(), Instance::new());
    instance.make(3);
    instance.connect(&hub);
    instance.flow(&mut hub);
    let mut empty = Hub::default();
    assert_eq!(instance.connect(&empty), []);
    instance.flow(&mut empty);
    assert_eq!(empty.log, ids(1..=3));
}

#[test]
fn an_outbox_that_lost_its_tail_takes_the_next_epoch() {
    let (mut hub, mut instance) = (Hub::default(), Instance::new());
    instance.make(5);
    instance.connect(&hub);
    instance.flow(&mut hub);
    instance.outbox.lose_tail(Lane::Main, 2);
    let reason = RestateReason::OutboxLostTail;
    let restate = PublishNews::Restate { lane: Lane::Main, epoch: 2, reason };
    assert_eq!(instance.connect(&hub), [restate]);
    instance.make(1);
    instance.flow(&mut hub);
    assert_eq!((hub.log, hub.epoch, hub.gaps), (ids([1, 2, 3, 4, 5, 6]), 2, 1));
}

#[test]
fn a_lost_tail_is_noticed_when_the_numbers_grew_back() {
    let (mut hub, mut instance) = (Hub::default(), Instance::new());
    instance.make(5);
    instance.connect(&hub);
    instance.flow(&mut hub);
    instance.outbox.lose_tail(Lane::Main, 2);
    instance.make(4);
    let reason = RestateReason::OutboxLostTail;
    assert_eq!(instance.connect(&hub), [PublishNews::Restate { lane: Lane::Main, epoch: 2, reason }]);
    instance.flow(&mut hub);
    assert_eq!(hub.log, ids(1..=9));
}

#[test]
fn an_outbox_put_back_to_an_earlier_epoch_goes_beyond_the_hubs() {
    let (mut hub, mut instance) = (Hub::default(), Instance::new());
    instance.make(2);
    instance.connect(&hub);
    instance.flow(&mut hub);
    hub.epoch = 6;
    let reason = RestateReason::OutboxIsOld;
    assert_eq!(instance.connect(&hub), [PublishNews::Restate { lane: Lane::Main, epoch: 7, reason }]);
    // It is on disk with the new epoch: whoever starts next knows what is to be done.
    assert_eq!(instance.outbox.restate(Lane::Main), Some(reason));
    assert_eq!(instance.connect(&hub), []);
    assert_eq!(instance.outbox.restate(Lane::Main), Some(reason));
    instance.outbox.restated(Lane::Main);
    assert_eq!(instance.outbox.restate(Lane::Main), None);
    instance.make(1);
    instance.flow(&mut hub);
    assert_eq!((hub.log, hub.epoch), (ids([1, 2, 3]), 7));
}

#[test]
fn a_stale_epoch_asks_for_a_new_connection() {
    let (hub, mut instance) = (Hub::default(), Instance::new());
    instance.make(1);
    instance.connect(&hub);
    instance.next();
    let answer = Published {
        lane: Lane::Main,
        producer_epoch: 1,
        up_to: 0,
        rejected: vec![],
        error: Some(ErrorBody::new(ErrorCode::StaleProducerEpoch, "stale")),
        expected: None,
    };
    assert_eq!(instance.hear(&answer), [PublishNews::Reconnect]);
}

#[test]
fn every_kind_has_the_lane_of_its_entity() {
    assert_eq!(lane_of("session.upserted"), Some(Lane::Bulk));
    assert_eq!(lane_of("message.created"), Some(Lane::Main));
    assert_eq!(lane_of("x.acme.deployed"), Some(Lane::Main));
    assert_eq!(["no.such", "message", "x.acme"].map(lane_of), [None; 3]);
}

#[test]
fn a_confirmation_that_was_answered_with_an_error_is_sent_again() {
    let (mut hub, mut instance) = (Hub::default(), Instance::new());
    instance.append(r#"{"poison":1}"#);
    instance.connect(&hub);
    instance.make(1);
    let first = instance.next().unwrap();
    let answer = hub.take(&first);
    instance.hear(&answer);
    instance.make(1);
    let confirming = instance.next().unwrap();
    assert_eq!(confirming.rejected_seen, Some(1));
    let error = Some(ErrorBody::retryable(ErrorCode::Overloaded, "busy"));
    let not_taken = Published {
        lane: Lane::Main,
        producer_epoch: 1,
        up_to: 0,
        rejected: vec![],
        error,
        expected: Some(confirming.first),
    };
    instance.hear(&not_taken);
    instance.now = instance.now.plus(60_000);
    let again = instance.next().unwrap();
    assert_eq!((again.first, again.rejected_seen), (confirming.first, Some(1)));
    hub.take(&again);
    assert_eq!((hub.seen, hub.log), (Some(1), ids([2, 3])));
}
