//! The HTTP connections of a node: how many there may be, and for how long each may be silent.
//!
//! Mesos' own libraries keep a connection open between calls and take its end for the end of
//! their master or agent, so that a connection without a request is never ended for its age. Only
//! when there are too many does a new one take the place of that which was silent for longest. A
//! request's head, once begun, must arrive within a bounded time.

use super::hangup::Hangup;
use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::Instant;

/// All HTTP connections of a node.
#[derive(Clone, Debug)]
pub struct Connections(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    connections_max: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    count: usize,
    /// Counts the times that a connection fell silent, which orders them.
    silences: u64,
    silent: BTreeMap<u64, Hangup>,
}

/// The state stays whole whatever panicked while it was held: every change is one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Connections {
    /// At most `connections_max` at once.
    #[must_use]
    pub fn new(connections_max: usize) -> Connections {
        Connections(Arc::new(Shared {
            connections_max,
            open: Mutex::default(),
        }))
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        lock(&self.0.open).count
    }

    /// A place for one more; none when all that there are have a request.
    #[must_use]
    pub fn enter(&self, hangup: Hangup) -> Option<Connection> {
        let silent_as = {
            let mut open = lock(&self.0.open);
            if open.count >= self.0.connections_max {
                // Its task ends soon; its place is free from now on.
                let (_, longest) = open.silent.pop_first()?;
                longest.now();
                open.count -= 1;
            }
            open.count += 1;
            open.fall_silent(&hangup)
        };
        Some(Connection(Arc::new(State {
            all: Arc::clone(&self.0),
            hangup,
            now: Mutex::new(Now::Silent {
                silent_as,
                head_since: None,
            }),
            head_began: Notify::new(),
        })))
    }
}

impl Open {
    fn fall_silent(&mut self, hangup: &Hangup) -> u64 {
        self.silences += 1;
        self.silent.insert(self.silences, hangup.clone());
        self.silences
    }
}

/// One connection; the last clone gives its place back.
#[derive(Clone, Debug)]
pub struct Connection(Arc<State>);

#[derive(Debug)]
struct State {
    all: Arc<Shared>,
    hangup: Hangup,
    now: Mutex<Now>,
    head_began: Notify,
}

#[derive(Debug)]
enum Now {
    /// Between requests, or within a head that began to arrive.
    Silent {
        silent_as: u64,
        head_since: Option<Instant>,
    },
    /// A request is being answered.
    Busy,
}

impl Connection {
    /// A head is there; until what this returns is dropped, the request is being answered.
    #[must_use]
    pub fn busy(&self) -> Answering {
        let mut now = lock(&self.0.now);
        if let Now::Silent { silent_as, .. } = *now {
            // What was turned out to make room is no longer in the list and counts no more.
            if lock(&self.0.all.open).silent.remove(&silent_as).is_some() {
                *now = Now::Busy;
            }
        }
        Answering(self.clone())
    }

    /// Bytes came.
    fn stirred(&self) {
        if let Now::Silent { head_since, .. } = &mut *lock(&self.0.now)
            && head_since.is_none()
        {
            *head_since = Some(Instant::now());
            self.0.head_began.notify_one();
        }
    }

    /// Resolves when a head that began has not arrived within `timeout`.
    pub async fn head_is_late(&self, timeout: Duration) {
        loop {
            let since = match *lock(&self.0.now) {
                Now::Silent { head_since, .. } => head_since,
                Now::Busy => None,
            };
            match since {
                None => self.0.head_began.notified().await,
                Some(since) if since.elapsed() >= timeout => return,
                Some(since) => tokio::time::sleep_until(since + timeout).await,
            }
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        let mut open = lock(&self.all.open);
        let counts = match *lock(&self.now) {
            Now::Busy => true,
            Now::Silent { silent_as, .. } => open.silent.remove(&silent_as).is_some(),
        };
        if counts {
            open.count -= 1;
        }
    }
}

/// As long as this lives, a request is being answered.
#[derive(Debug)]
pub struct Answering(Connection);

impl Drop for Answering {
    fn drop(&mut self) {
        let state = &self.0.0;
        let mut now = lock(&state.now);
        if matches!(*now, Now::Busy) {
            let silent_as = lock(&state.all.open).fall_silent(&state.hangup);
            *now = Now::Silent {
                silent_as,
                head_since: None,
            };
        }
    }
}

/// An answer's body that knows which request it answers.
#[derive(Debug)]
pub struct AnswerBody {
    body: Body,
    _answering: Answering,
}

impl AnswerBody {
    /// `body`, the end of which is the end of `answering`.
    #[must_use]
    pub fn new(body: Body, answering: Answering) -> AnswerBody {
        AnswerBody {
            body,
            _answering: answering,
        }
    }
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream that tells its connection when bytes come.
#[derive(Debug)]
pub struct Watched<S> {
    stream: S,
    connection: Connection,
}

impl<S> Watched<S> {
    /// `stream`, which is `connection`.
    #[must_use]
    pub fn new(stream: S, connection: Connection) -> Watched<S> {
        Watched { stream, connection }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, into);
        if into.filled().len() > before {
            self.connection.stirred();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        from: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, from)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests;
