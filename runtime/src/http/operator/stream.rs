//! One listener's stream: first the state of things, then what happens, and a heartbeat.

use super::document::Document;
use super::events::{Listener, RECORDS_MAX, record};
use super::lists;
use crate::http::ending;
use crate::http::hangup::Hangup;
use crate::http::leader::to_leader;
use crate::http::master::{MasterHttp, Taken};
use crate::http::records::Records;
use crate::http::reply::text;
use crate::mesos::media::Codec;
use crate::mesos::recordio;
use crate::mesos::v1::master::{Event, event};
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};

/// How often a listener hears that the stream lives, as in Mesos.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// How many records are under way to a listener, besides those in its queue.
const UNDER_WAY_MAX: usize = 4;

/// Answers `SUBSCRIBE`.
pub async fn subscribe(master: &MasterHttp, head: &Parts, codec: Codec) -> Response {
    let path = super::path_and_query(head);
    let Some(place) = master.events.place() else {
        let why = "Too many listen to the events of this master";
        return text(StatusCode::SERVICE_UNAVAILABLE, why);
    };
    let (records, queue) = mpsc::channel(RECORDS_MAX);
    let cut = Arc::new(Notify::new());
    let listener = Listener {
        codec,
        records,
        cut: Arc::clone(&cut),
        place,
    };
    let events = master.events.clone();
    let joined = master.node.inspect(move |node| {
        let taken = Taken::of(node)?;
        events.join(listener);
        Some(taken)
    });
    let taken = match joined.await {
        None => return ending(),
        Some(None) => return to_leader(None, path),
        Some(Some(taken)) => taken,
    };
    let (out, body) = mpsc::channel(UNDER_WAY_MAX);
    let hangup = head.extensions.get::<Hangup>().cloned();
    tokio::spawn(async move {
        tokio::select! {
            () = feed(taken, codec, queue, out) => {}
            // A reader that reads nothing is not waited for.
            () = cut.notified() => {
                if let Some(hangup) = hangup {
                    hangup.now();
                }
            }
        }
    });
    let headers = [(header::CONTENT_TYPE, codec.media_type())];
    (headers, Body::new(Records::new(body))).into_response()
}

/// The first event: all that there is.
fn subscribed(taken: Taken, codec: Codec) -> Bytes {
    let cluster = taken.sums();
    let kind = event::Type::Subscribed;
    let event = Document::write(codec, |document| {
        document.enumeration(("type", 1), (kind.name(), kind as i32));
        document.part(("subscribed", 2), |part| {
            part.part(("get_state", 1), |state| lists::state(&cluster, state));
            part.double(("heartbeat_interval_seconds", 2), HEARTBEAT.as_secs_f64());
        });
    });
    Bytes::from(recordio::encode(&event))
}

fn heartbeat(codec: Codec) -> Bytes {
    let event = Event {
        r#type: Some(event::Type::Heartbeat),
        ..Event::default()
    };
    record(codec, &event)
}

/// Brings a listener what it is to hear, until it goes away or nothing more is to be heard.
async fn feed(
    taken: Taken,
    codec: Codec,
    mut queue: mpsc::Receiver<Bytes>,
    out: mpsc::Sender<Bytes>,
) {
    let first = tokio::task::spawn_blocking(move || subscribed(taken, codec)).await;
    let Ok(first) = first else { return };
    if out.send(first).await.is_err() || out.send(heartbeat(codec)).await.is_err() {
        return;
    }
    let mut beats = tokio::time::interval_at(tokio::time::Instant::now() + HEARTBEAT, HEARTBEAT);
    beats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let record = tokio::select! {
            record = queue.recv() => match record {
                Some(record) => record,
                None => return,
            },
            _ = beats.tick() => heartbeat(codec),
            () = out.closed() => return,
        };
        if out.send(record).await.is_err() {
            return;
        }
    }
}
