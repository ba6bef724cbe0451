//! The body of an answer that goes on: records, one in each chunk.

use axum::body::Bytes;
use hyper::body::Frame;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// Ends when nobody sends any more.
#[derive(Debug)]
pub struct Records(mpsc::Receiver<Bytes>);

impl Records {
    /// The records that come through `records`.
    #[must_use]
    pub fn new(records: mpsc::Receiver<Bytes>) -> Records {
        Records(records)
    }
}

impl hyper::body::Body for Records {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.0.poll_recv(context);
        next.map(|record| record.map(|bytes| Ok(Frame::data(bytes))))
    }
}
