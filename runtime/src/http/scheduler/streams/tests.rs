use super::*;
use std::time::Duration;
use tepui_core::ids::MasterId;
use tepui_core::model::MasterInfo;

fn streams(bytes_max: usize) -> Streams {
    Streams::bounded(&Rng::from_seed(1, "streams"), bytes_max)
}

fn peer(number: u64) -> Peer {
    Peer::Inbound(number)
}

fn subscribed(id: &str) -> ToScheduler {
    ToScheduler::Event(Event::Subscribed {
        framework_id: FrameworkId::new(id).unwrap(),
        heartbeat_interval: Duration::from_secs(15),
        master: MasterInfo {
            id: MasterId(1),
            address: String::from("127.0.0.1:5050"),
        },
    })
}

fn heartbeat() -> ToScheduler {
    ToScheduler::Event(Event::Heartbeat)
}

#[test]
fn calls_find_the_stream_of_their_framework() {
    let streams = streams(usize::MAX);
    let id = FrameworkId::new("f").unwrap();
    let first = streams.open(peer(1), None);
    assert_eq!(
        streams.route(&id, Some(&first.stream_id)),
        Err(Astray::NotHere)
    );
    assert_eq!(streams.send(peer(1), subscribed("f")), None);
    assert_eq!(streams.route(&id, Some(&first.stream_id)), Ok(peer(1)));
    assert_eq!(streams.route(&id, None), Err(Astray::Unnamed));
    assert_eq!(streams.route(&id, Some("xyz")), Err(Astray::Other));

    let second = streams.open(peer(2), None);
    assert_ne!(first.stream_id, second.stream_id);
    assert_eq!(streams.send(peer(2), subscribed("f")), None);
    assert_eq!(streams.route(&id, Some(&second.stream_id)), Ok(peer(2)));
    assert_eq!(
        streams.route(&id, Some(&first.stream_id)),
        Err(Astray::Other)
    );

    streams.close(peer(1));
    assert_eq!(streams.route(&id, Some(&second.stream_id)), Ok(peer(2)));
    assert!(streams.ended(peer(2)), "the core has yet to be told");
    assert_eq!(
        streams.route(&id, Some(&second.stream_id)),
        Err(Astray::NotHere)
    );
}

#[test]
fn what_is_no_stream_is_given_back() {
    let streams = streams(usize::MAX);
    assert_eq!(streams.send(peer(7), heartbeat()), Some(heartbeat()));
    assert!(streams.expect_answer(peer(7), None).is_none());
    assert!(!streams.ended(peer(7)));
}

#[tokio::test]
async fn answers_find_their_calls() {
    let streams = streams(usize::MAX);
    let _reading = streams.open(peer(1), None);
    let (first, one) = streams.expect_answer(peer(1), None).unwrap();
    let (second, two) = streams.expect_answer(peer(1), None).unwrap();
    assert_ne!(first, second);
    let refused = Err(Reject::Invalid(String::from("no")));
    let reply = |id, result| ToScheduler::Reply { id, result };
    assert_eq!(streams.send(peer(1), reply(second, refused.clone())), None);
    assert_eq!(two.await, Ok(refused));
    streams.close(peer(1));
    assert!(one.await.is_err(), "the stream ended before its answer");
}

#[tokio::test]
async fn a_slow_reader_is_cut_off_and_others_are_not() {
    let weight = weight(&Event::Heartbeat);
    let streams = streams(2 * weight);
    let hangup = Hangup::default();
    let mut slow = streams.open(peer(1), Some(hangup.clone()));
    let mut quick = streams.open(peer(2), None);
    for _ in 0..100 {
        streams.send(peer(1), heartbeat());
        streams.send(peer(2), heartbeat());
        let (_, weight) = quick.events.recv().await.unwrap();
        quick.backlog.taken(weight);
    }
    hangup.wanted().await;
    assert!(slow.backlog.is_cut());
    assert!(!quick.backlog.is_cut());
    let mut kept = 0;
    while slow.events.try_recv().is_ok() {
        kept += 1;
    }
    assert_eq!(kept, 2, "no more waits than the bound allows");
    assert!(streams.ended(peer(1)), "the core is to be told");
}
