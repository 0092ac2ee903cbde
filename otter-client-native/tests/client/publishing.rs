use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use otter_client_native::transport::{MemoryHub, Outgoing};
use otter_client_native::{
    Client, ClientEvent, CommandOutcome, CommandRequest, Depth, EventDraft, FlushError, NotLive, NotWelcome,
    PublishError, StartError, StateDir, Store, StoreError,
};
use otter_proto::connection::client::Role;
use otter_proto::frame::Lane as WireLane;
use otter_proto::id::{EntityId, EntityKey, Scope};
use otter_proto::publish::RestateReason;
use pretty_assertions::assert_eq;
use serde_json::json;
use tokio::sync::oneshot;

use crate::hub::{Lane, builder, pair, welcome};

fn message(id: &str) -> EventDraft {
    let subject = EntityId::new(&format!("in_1:{id}")).unwrap();
    EventDraft::new("message.created", subject, &json!({"text": id})).unwrap()
}

fn subjects(publish: &serde_json::Value) -> Vec<&str> {
    let events = publish["events"].as_array().unwrap();
    events.iter().map(|event| event["subject"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_is_published_offline_arrives_once_and_in_order_over_cuts() {
    let (mut hub, transport) = pair();
    let client = builder(transport).start().unwrap();
    client.publish_all(vec![message("a"), message("b")]).await.unwrap();
    let mut lane = Lane::default();
    let (mut peer, _) = welcome(&mut hub, &lane).await;
    // The hub has it on disk, its answer is lost.
    let publish = peer.next("publish").await;
    assert_eq!((publish["first"].as_u64(), subjects(&publish)), (Some(1), vec!["in_1:a", "in_1:b"]));
    lane = Lane { epoch: 1, up_to: 2, last_id: publish["events"][1]["id"].as_str().map(str::to_owned) };
    drop(peer);
    client.publish(message("c")).await.unwrap();
    let (mut peer, _) = welcome(&mut hub, &lane).await;
    let publish = peer.take(&mut lane).await;
    assert_eq!((publish["first"].as_u64(), subjects(&publish)), (Some(3), vec!["in_1:c"]));
    client.flush().await.unwrap();
    assert_eq!(client.store().depth().unwrap(), Depth { pending: 0, dead: 0 });
    client.shutdown().await;
}

#[tokio::test]
async fn the_outbox_of_a_killed_process_is_sent_by_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let (mut hub, transport) = pair();
    let client = builder(transport.clone()).state_dir(folder.path()).start().unwrap();
    client.publish(message("a")).await.unwrap();
    let (mut peer, first) = welcome(&mut hub, &Lane::default()).await;
    peer.next("publish").await;
    client.shutdown().await;
    drop((client, peer));
    let client = builder(transport).state_dir(folder.path()).start().unwrap();
    let mut lane = Lane::default();
    let (mut peer, second) = welcome(&mut hub, &lane).await;
    assert_eq!(subjects(&peer.take(&mut lane).await), ["in_1:a"]);
    let (first, second) = (first["boots"].as_array().unwrap(), second["boots"].as_array().unwrap());
    assert_eq!((first.len(), second.len(), &first[0]), (1, 2, &second[1]));
    client.shutdown().await;
}

/// Goes on with a future as soon as it is woken, before the one who woke it does anything else.
struct AtOnce(Mutex<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl Wake for AtOnce {
    fn wake(self: Arc<Self>) {
        let waker = Waker::from(Arc::clone(&self));
        let _ready = self.0.lock().unwrap().as_mut().poll(&mut Context::from_waker(&waker));
    }
}

#[tokio::test]
async fn the_state_folder_of_a_client_is_free_when_it_is_shut_down() {
    let folder = tempfile::tempdir().unwrap();
    let start = || builder(pair().1).state_dir(folder.path());
    let handler = |_: Client, _: CommandRequest| async { CommandOutcome::completed() };
    for builder in [start(), start().handler(handler)] {
        let (client, path) = (builder.start().unwrap(), folder.path().to_owned());
        let (tell, free) = oneshot::channel();
        let ends = async move {
            client.shutdown().await;
            drop(client);
            tell.send(StateDir::open(path).map(drop)).unwrap();
        };
        Arc::new(AtOnce(Mutex::new(Box::pin(ends)))).wake();
        free.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_hub_that_knows_another_history_makes_the_owner_restate() {
    let (mut hub, transport) = pair();
    let (client, mut events) = builder(transport).start_with_events().unwrap();
    let lane = Lane { epoch: 4, up_to: 9, last_id: Some("ev_x".to_owned()) };
    let (mut peer, _) = welcome(&mut hub, &lane).await;
    client.publish(message("a")).await.unwrap();
    let publish = peer.next("publish").await;
    assert_eq!((publish["producerEpoch"].as_u64(), publish["first"].as_u64()), (Some(5), Some(1)));
    assert!(matches!(events.recv().await, Some(ClientEvent::Online { .. })));
    let restated = events.recv().await;
    assert!(
        matches!(restated, Some(ClientEvent::Restate { reason: RestateReason::OutboxIsOld, .. })),
        "{restated:?}"
    );
}

#[tokio::test]
async fn what_has_to_be_restated_is_told_until_it_is_done_also_after_a_kill() {
    let store = Store::in_memory().unwrap();
    let (mut hub, transport) = pair();
    let lane = Lane { epoch: 4, up_to: 9, last_id: Some("ev_x".to_owned()) };
    let (client, mut events) = builder(transport).store(store.clone()).start_with_events().unwrap();
    let (_peer, _) = welcome(&mut hub, &lane).await;
    assert!(matches!(events.recv().await, Some(ClientEvent::Online { .. })));
    // Its owner ends without having done it, as `otter-bridge adopt` does.
    client.shutdown().await;

    let (mut hub, transport) = pair();
    let (client, mut events) = builder(transport).store(store.clone()).start_with_events().unwrap();
    let (peer, _) = welcome(&mut hub, &lane).await;
    assert!(matches!(events.recv().await, Some(ClientEvent::Online { .. })));
    let restate = ClientEvent::Restate { lane: WireLane::Main, reason: RestateReason::OutboxIsOld };
    assert_eq!(events.recv().await, Some(restate));
    store.transaction(|tx| tx.restated(WireLane::Main)).unwrap();
    // Done: the next welcome asks for nothing.
    drop(peer);
    let (_peer, _) = welcome(&mut hub, &Lane { epoch: 5, ..Lane::default() }).await;
    assert_eq!(events.recv().await, Some(ClientEvent::Lost));
    assert!(matches!(events.recv().await, Some(ClientEvent::Online { .. })));
    client.shutdown().await;
    assert_eq!(events.recv().await, None);
}

#[test]
fn an_instance_says_where_its_state_is() {
    let (_hub, transport) = pair();
    let refused = Client::builder("ws://memory").transport(transport).start();
    assert!(matches!(refused, Err(StartError::NoState)), "{refused:?}");
}

#[tokio::test]
async fn a_person_needs_no_state() {
    let (_hub, transport) = pair();
    Client::builder("ws://memory").role(Role::Member).transport(transport).start().unwrap();
}

#[tokio::test]
async fn a_person_publishes_nothing_and_waits_for_nothing() {
    let (_hub, transport) = pair();
    let client = Client::builder("ws://memory").role(Role::Member).transport(transport).start().unwrap();
    let one = client.publish(message("a")).await;
    assert!(matches!(one, Err(PublishError::NotAnInstance)), "{one:?}");
    let many = client.publish_all(vec![message("a"), message("b")]).await;
    assert!(matches!(many, Err(PublishError::NotAnInstance)), "{many:?}");
    assert_eq!(client.store().depth().unwrap(), Depth { pending: 0, dead: 0 });
    client.flush().await.unwrap();
    // What its program wrote by itself is not sent either.
    client.store().transaction(|tx| tx.append(&message("a").into_event())).unwrap();
    let flushed = client.flush().await;
    assert!(matches!(flushed, Err(FlushError::NotAnInstance)), "{flushed:?}");
}

#[tokio::test]
async fn a_refused_event_is_a_dead_letter_and_the_next_one_goes_on() {
    let (mut hub, transport) = pair();
    let client = builder(transport).start().unwrap();
    let (mut peer, _) = welcome(&mut hub, &Lane::default()).await;
    client.publish_all(vec![message("a"), message("b")]).await.unwrap();
    peer.next("publish").await;
    peer.say(&json!({"type": "published", "lane": "main", "producerEpoch": 1, "upTo": 2,
        "rejected": [{"n": 1, "code": "invalidData", "pointer": "/author"}]}))
        .await;
    let confirmed = peer.next("publish").await;
    assert_eq!(confirmed["rejectedSeen"], 1);
    assert_eq!(client.store().depth().unwrap(), Depth { pending: 0, dead: 1 });
    assert_eq!(client.store().dead_letters().unwrap()[0].pointer.as_deref(), Some("/author"));
}

#[tokio::test]
async fn an_event_over_the_limit_is_told_to_its_publisher_and_blocks_nothing() {
    let (mut hub, transport) = pair();
    let client = builder(transport).start().unwrap();
    let subject = EntityId::new("in_1:big").unwrap();
    let big = EventDraft::new("message.created", subject, &json!({"text": "x".repeat(600_000)})).unwrap();
    let refused = client.publish_all(vec![message("a"), big]).await;
    assert!(matches!(refused, Err(PublishError::Append(_))), "{refused:?}");
    client.publish(message("b")).await.unwrap();
    let mut lane = Lane::default();
    let (mut peer, _) = welcome(&mut hub, &lane).await;
    assert_eq!(subjects(&peer.take(&mut lane).await), ["in_1:b"]);
}

#[tokio::test]
async fn one_transaction_spans_events_and_own_state() {
    let (_hub, transport) = pair();
    let client = builder(transport).start().unwrap();
    let stored: Result<(), StoreError> = client
        .store()
        .run(|tx| {
            tx.append(&message("a").into_event())?;
            tx.put_state("position/s1", "7")
        })
        .await;
    stored.unwrap();
    assert_eq!(client.store().state("position/s1").unwrap().as_deref(), Some("7"));
    assert_eq!(client.store().depth().unwrap().pending, 1);
}

#[tokio::test]
async fn a_flush_ends_when_the_hub_has_answered_for_everything_and_not_before() {
    let (mut hub, transport) = pair();
    let client = builder(transport).start().unwrap();
    client.publish_all(vec![message("a"), message("b")]).await.unwrap();
    let flush = tokio::spawn({
        let client = client.clone();
        async move { client.flush().await.map_err(|error| error.to_string()) }
    });
    let (mut peer, _) = welcome(&mut hub, &Lane::default()).await;
    assert_eq!(subjects(&peer.next("publish").await), ["in_1:a", "in_1:b"]);
    let answer = |up_to: u64| json!({"type": "published", "lane": "main", "producerEpoch": 1, "upTo": up_to});
    peer.say(&answer(1)).await;
    while client.store().depth().unwrap().pending > 1 {
        tokio::task::yield_now().await;
    }
    // The client answers this after it has told the flush of the first answer.
    let key = EntityKey::new("message", "in_1:a").unwrap();
    assert_eq!(client.entity(Scope::Org, key).await.unwrap(), None);
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert!(!flush.is_finished(), "b waits");
    peer.say(&answer(2)).await;
    assert_eq!(flush.await.unwrap(), Ok(()));
    assert_eq!(client.store().depth().unwrap(), Depth { pending: 0, dead: 0 });
    client.publish(message("c")).await.unwrap();
    let (flushed, ()) = tokio::join!(client.flush(), client.shutdown());
    assert!(matches!(flushed, Err(FlushError::Closed)), "{flushed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_hub_that_says_nothing_is_called_again() {
    let (mut hub, transport) = pair();
    let client = builder(transport).start().unwrap();
    tokio::time::sleep(Duration::from_secs(20)).await;
    let (_peer, _) = welcome(&mut hub, &Lane::default()).await;
    let principal = tokio::time::timeout(Duration::from_mins(1), client.principal()).await;
    assert_eq!(principal.unwrap().unwrap().id.as_str(), "in_1");
}

#[tokio::test]
async fn a_copy_that_shall_go_on_says_so() {
    let (mut hub, transport) = pair();
    let _client = builder(transport).adopt().start().unwrap();
    let (_peer, hello) = welcome(&mut hub, &Lane::default()).await;
    assert_eq!(hello["capabilities"], json!(["adopt"]));
}

#[tokio::test]
async fn a_client_that_is_not_let_in_hears_why_instead_of_waiting() {
    let (mut hub, transport) = pair();
    let client = builder(transport).start().unwrap();
    let socket = hub.accept().await.unwrap();
    let error = json!({"code": "forked", "message": "another copy was connected", "retryable": false});
    let refuse = Outgoing::Message(json!({"type": "refuse", "error": error}).to_string());
    socket.outgoing.send(refuse).await.unwrap();
    socket.close(4504, "forked".to_owned()).await;
    assert_eq!(client.principal().await, Err(NotWelcome("another copy was connected".to_owned())));
    assert!(client.flush().await.is_ok(), "nothing waits");
    client.publish(message("a")).await.unwrap();
    let flushed = client.flush().await;
    assert!(
        matches!(&flushed, Err(FlushError::NotWelcome(why)) if why == "another copy was connected"),
        "{flushed:?}"
    );
}

/// Takes the next connection and closes it because of its token.
async fn refuse_token(hub: &mut MemoryHub) {
    let socket = hub.accept().await.unwrap();
    let error = json!({"code": "authRequired", "message": "the token is not known", "retryable": false});
    let refuse = Outgoing::Message(json!({"type": "refuse", "error": error}).to_string());
    socket.outgoing.send(refuse).await.unwrap();
    socket.close(4200, "authRequired".to_owned()).await;
}

#[tokio::test]
async fn a_person_who_has_to_sign_in_hears_it_instead_of_waiting() {
    let (mut hub, transport) = pair();
    let client = Client::builder("ws://memory").role(Role::Member).transport(transport).start().unwrap();
    refuse_token(&mut hub).await;
    assert_eq!(client.principal().await, Err(NotWelcome("the token is not known".to_owned())));
    let mut org = client.subscribe(Scope::Org).await.unwrap();
    assert_eq!(org.live().await, Err(NotLive::NotWelcome("the token is not known".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn an_instance_whose_token_is_refused_waits_until_the_hub_takes_it() {
    let (mut hub, transport) = pair();
    let client = builder(transport).start().unwrap();
    client.publish(message("a")).await.unwrap();
    let flush = tokio::spawn({
        let client = client.clone();
        async move {
            client.flush().await.map_err(|error| error.to_string())?;
            client.principal().await.map_err(|error| error.to_string())
        }
    });
    refuse_token(&mut hub).await;
    let mut lane = Lane::default();
    let (mut peer, _) = welcome(&mut hub, &lane).await;
    assert!(!flush.is_finished(), "the hub may take the token again");
    peer.take(&mut lane).await;
    assert_eq!(flush.await.unwrap().unwrap().id.as_str(), "in_1");
}
