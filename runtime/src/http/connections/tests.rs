use super::*;

#[tokio::test]
async fn a_new_connection_takes_the_place_of_the_longest_silent() {
    let all = Connections::new(2);
    let (first, second) = (Hangup::default(), Hangup::default());
    let a = all.enter(first.clone()).unwrap();
    let b = all.enter(second.clone()).unwrap();
    // A request on the first: now the second is silent for longer.
    drop(a.busy());
    let c = all.enter(Hangup::default()).unwrap();
    second.wanted().await;
    assert_eq!(all.count(), 2);
    // The end of what was turned out frees nothing again.
    drop(b);
    assert_eq!(all.count(), 2);
    drop((a, c));
    assert_eq!(all.count(), 0);
}

#[test]
fn connections_with_requests_keep_their_places() {
    let all = Connections::new(1);
    let only = all.enter(Hangup::default()).unwrap();
    let answering = only.busy();
    assert!(all.enter(Hangup::default()).is_none());
    drop(answering);
    assert!(all.enter(Hangup::default()).is_some());
}

/// Whether a head has begun and not arrived, given no time at all.
async fn is_late(connection: &Connection) -> bool {
    let looking = connection.head_is_late(Duration::ZERO);
    tokio::time::timeout(Duration::ZERO, looking).await.is_ok()
}

#[tokio::test]
async fn silence_is_no_reason_to_end_but_half_a_head_is() {
    let all = Connections::new(1);
    let only = all.enter(Hangup::default()).unwrap();
    assert!(!is_late(&only).await, "nothing had begun");
    only.stirred();
    let answering = only.busy();
    only.stirred();
    assert!(!is_late(&only).await, "that was the body of a request");
    drop(answering);
    assert!(!is_late(&only).await, "nothing had begun again");
    only.stirred();
    assert!(is_late(&only).await);
}

#[tokio::test]
async fn more_of_a_head_gives_no_more_time() {
    let all = Connections::new(1);
    let only = all.enter(Hangup::default()).unwrap();
    let since = || match *lock(&only.0.now) {
        Now::Silent { head_since, .. } => head_since,
        Now::Busy => None,
    };
    only.stirred();
    let began = since();
    assert!(began.is_some());
    tokio::time::sleep(Duration::from_millis(2)).await;
    only.stirred();
    assert_eq!(since(), began);
}
