//! One subscription's answer: the stream of its events, one record in each chunk.

use super::streams::{Backlog, Reading, Streams};
use crate::driver::{Clock, Handle};
use crate::mesos::convert::scheduler::event_to_v1;
use crate::mesos::media::Codec;
use crate::mesos::recordio;
use hyper::body::{Body, Bytes, Frame};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tepui_core::ids::Peer;
use tepui_core::master::{Input, MasterNode};
use tepui_core::message::scheduler::Event;
use tokio::sync::mpsc;

/// Ends a subscription in the core when its reader goes away, however that happens.
#[derive(Debug)]
pub struct Held {
    /// Which.
    pub peer: Peer,
    /// Where it is listed.
    pub streams: Streams,
    /// Whom to tell.
    pub node: Handle<MasterNode>,
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.streams.ended(self.peer) {
            return;
        }
        let (peer, node) = (self.peer, self.node.clone());
        // Without a runtime the process is ending, and the core with it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { node.input(Input::Disconnected { peer }).await });
        }
    }
}

/// The reader was too slow: the stream breaks off without its last chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CutOff;

impl fmt::Display for CutOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the reader of this stream was too slow")
    }
}

impl std::error::Error for CutOff {}

/// The body of a subscription's answer.
#[derive(Debug)]
pub struct EventStream {
    events: mpsc::UnboundedReceiver<(Event, usize)>,
    backlog: Arc<Backlog>,
    codec: Codec,
    /// What is said after the last event, if the subscription was refused.
    last: Option<Event>,
    _held: Held,
}

impl EventStream {
    /// What `reading` brings, in `codec`'s records.
    #[must_use]
    pub fn new(reading: Reading, codec: Codec, held: Held) -> EventStream {
        EventStream {
            events: reading.events,
            backlog: reading.backlog,
            codec,
            last: None,
            _held: held,
        }
    }

    /// A stream that says why there is none, and ends.
    #[must_use]
    pub fn refused(mut self, message: String) -> EventStream {
        self.events.close();
        self.last = Some(Event::Error { message });
        self
    }
}

impl Body for EventStream {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        let event = match ready!(self.events.poll_recv(context)) {
            _ if self.backlog.is_cut() => return Poll::Ready(Some(Err(CutOff))),
            Some((event, weight)) => {
                self.backlog.taken(weight);
                event
            }
            None => match self.last.take() {
                Some(event) => event,
                None => return Poll::Ready(None),
            },
        };
        let event = event_to_v1(&event, self.backlog.form(), Clock::start().now().wall);
        let record = recordio::encode(&self.codec.encode(&event));
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(record)))))
    }
}
