//! An executor's stream of events: one record for each, one chunk for each record.

use crate::http::records::Records;
use crate::mesos::convert::executor::event_to_v1;
use crate::mesos::media::Codec;
use crate::mesos::recordio;
use crate::mesos::v1;
use crate::net::connection::Wishes;
use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::Response;
use std::time::Duration;
use tepui_core::message::executor::Event;
use tokio::sync::mpsc;

/// How many records wait for the connection; more wait as events, which are smaller.
const RECORDS_MAX: usize = 64;

/// Both ends of a stream of records.
pub(crate) fn channel() -> (mpsc::Sender<Bytes>, mpsc::Receiver<Bytes>) {
    mpsc::channel(RECORDS_MAX)
}

/// An answer that goes on, and where its records go.
pub(super) fn open(codec: Codec) -> (Response, mpsc::Sender<Bytes>) {
    let (sender, records) = channel();
    let mut response = Response::new(Body::new(Records::new(records)));
    *response.status_mut() = StatusCode::OK;
    let kind = header::HeaderValue::from_static(codec.media_type());
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    (response, sender)
}

/// Writes what the machine says until either side ends the stream.
pub(super) async fn run(
    wishes: Wishes<Event>,
    outgoing: mpsc::Sender<Bytes>,
    (codec, interval): (Codec, Duration),
) {
    let Wishes { mut queue, kill } = wishes;
    let mut heartbeat = tokio::time::interval(interval);
    heartbeat.tick().await;
    tokio::pin!(kill);
    let mut killable = true;
    loop {
        let event = tokio::select! {
            biased;
            told = &mut kill, if killable => match told {
                Ok(()) => return,
                // The machine let go of the stream: what it said before is still written.
                Err(_) => { killable = false; continue }
            },
            () = outgoing.closed() => return,
            event = queue.recv() => match event {
                Some(event) => event_to_v1(&event),
                None => return,
            },
            _ = heartbeat.tick() => heartbeat_event(),
        };
        let record = recordio::encode(&codec.encode(&event));
        tokio::select! {
            sent = outgoing.send(record.into()) => if sent.is_err() { return },
            Ok(()) = &mut kill, if killable => return,
        }
    }
}

fn heartbeat_event() -> v1::executor::Event {
    v1::executor::Event {
        r#type: Some(v1::executor::event::Type::Heartbeat),
        ..v1::executor::Event::default()
    }
}
