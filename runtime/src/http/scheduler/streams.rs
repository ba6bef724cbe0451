//! The subscriptions that schedulers hold over HTTP, as the node's loop and the handlers of calls
//! see them.
//!
//! The loop puts events into a queue for each stream and never waits. The queue is bounded by what
//! its events weigh: who falls further behind is cut off, so that a slow reader costs others
//! neither time nor memory.

use crate::http::hangup::Hangup;
use crate::mesos::convert::resources::Form;
use crate::mesos::limits;
use std::collections::BTreeMap;
use std::mem::size_of;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tepui_core::ids::{FrameworkId, Peer, UpdateId};
use tepui_core::message::Reject;
use tepui_core::message::scheduler::{CallId, Event, ToScheduler};
use tepui_core::rng::Rng;
use tokio::sync::{mpsc, oneshot};

/// An answer of the core that an HTTP request waits for.
pub type Answer = Result<(), Reject>;

/// What one stream's queue shares with its reader.
#[derive(Debug, Default)]
pub struct Backlog {
    /// The weight of what waits.
    bytes: AtomicUsize,
    /// Whether the reader fell too far behind; its queue ends without all that was said.
    cut: AtomicBool,
    /// Whether the framework understands refined reservations.
    refined: AtomicBool,
}

impl Backlog {
    /// The reader took an event out.
    pub fn taken(&self, weight: usize) {
        self.bytes.fetch_sub(weight, Ordering::Relaxed);
    }

    /// How the framework writes reservations.
    #[must_use]
    pub fn form(&self) -> Form {
        Form::of_framework(self.refined.load(Ordering::Acquire))
    }

    /// Whether the stream's end is a cut and not a proper one.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Acquire)
    }
}

/// What the task that writes a stream needs.
#[derive(Debug)]
pub struct Reading {
    /// Its events, each with its weight; its end is the stream's.
    pub events: mpsc::UnboundedReceiver<(Event, usize)>,
    /// What it tells of its progress.
    pub backlog: Arc<Backlog>,
    /// The stream's name, for `Mesos-Stream-Id`.
    pub stream_id: String,
}

/// A call that waits for its answer.
#[derive(Debug)]
struct Waiting {
    answer: oneshot::Sender<Answer>,
    /// Whether the framework understands refined reservations once the call is taken.
    refined: Option<bool>,
}

#[derive(Debug)]
struct Stream {
    events: mpsc::UnboundedSender<(Event, usize)>,
    backlog: Arc<Backlog>,
    hangup: Option<Hangup>,
    stream_id: String,
    framework_id: Option<FrameworkId>,
    waiting: BTreeMap<CallId, Waiting>,
}

#[derive(Debug, Default)]
struct Table {
    streams: BTreeMap<Peer, Stream>,
    frameworks: BTreeMap<FrameworkId, Peer>,
}

impl Table {
    fn remove(&mut self, peer: Peer) -> Option<Stream> {
        let stream = self.streams.remove(&peer)?;
        if let Some(id) = &stream.framework_id
            && self.frameworks.get(id) == Some(&peer)
        {
            self.frameworks.remove(id);
        }
        Some(stream)
    }
}

/// Why a call does not belong to any stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Astray {
    /// No scheduler is subscribed over HTTP for this framework.
    NotHere,
    /// The call names no stream.
    Unnamed,
    /// The call names another stream than the framework's.
    Other,
}

/// All streams.
#[derive(Clone, Debug)]
pub struct Streams {
    table: Arc<Mutex<Table>>,
    names: Arc<Mutex<Rng>>,
    calls: Arc<AtomicU64>,
    bytes_max: usize,
}

impl Streams {
    /// None yet. `rng` must be another in each run: the streams' names are drawn from it.
    #[must_use]
    pub fn new(rng: &Rng) -> Streams {
        Streams::bounded(rng, limits::current().backlog_bytes)
    }

    /// As [`Streams::new`], with another bound on what waits for one reader.
    #[must_use]
    pub fn bounded(rng: &Rng, bytes_max: usize) -> Streams {
        Streams {
            table: Arc::default(),
            names: Arc::new(Mutex::new(rng.fork("streams"))),
            calls: Arc::default(),
            bytes_max,
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // No code under this lock can leave the table half changed.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new subscription; the core has yet to hear of it.
    #[must_use]
    pub fn open(&self, peer: Peer, hangup: Option<Hangup>) -> Reading {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let stream_id = UpdateId::draw(&mut names).to_string();
        drop(names);
        let (events, reading) = mpsc::unbounded_channel();
        let backlog = Arc::new(Backlog::default());
        let stream = Stream {
            events,
            backlog: Arc::clone(&backlog),
            hangup,
            stream_id: stream_id.clone(),
            framework_id: None,
            waiting: BTreeMap::new(),
        };
        let former = self.table().streams.insert(peer, stream);
        assert!(former.is_none(), "{peer:?} named two subscriptions");
        Reading {
            events: reading,
            backlog,
            stream_id,
        }
    }

    /// Where a call belongs that names a framework and perhaps a stream.
    ///
    /// # Errors
    /// Says why it belongs nowhere.
    pub fn route(&self, framework: &FrameworkId, stream_id: Option<&str>) -> Result<Peer, Astray> {
        let table = self.table();
        let peer = *table.frameworks.get(framework).ok_or(Astray::NotHere)?;
        let stream = table.streams.get(&peer).ok_or(Astray::NotHere)?;
        match stream_id {
            None => Err(Astray::Unnamed),
            Some(named) if named != stream.stream_id => Err(Astray::Other),
            Some(_) => Ok(peer),
        }
    }

    /// Names a call through `peer` whose answer is waited for. `None` once the stream has ended.
    /// `refined` is what the call says of the framework's reservations, if it says anything.
    #[must_use]
    pub fn expect_answer(
        &self,
        peer: Peer,
        refined: Option<bool>,
    ) -> Option<(CallId, oneshot::Receiver<Answer>)> {
        let id = CallId(self.calls.fetch_add(1, Ordering::Relaxed) + 1);
        let (answer, answered) = oneshot::channel();
        let mut table = self.table();
        let stream = table.streams.get_mut(&peer)?;
        stream.waiting.insert(id, Waiting { answer, refined });
        Some((id, answered))
    }

    /// Hands on what the core says to `peer`; gives it back when that is no HTTP subscription.
    pub fn send(&self, peer: Peer, message: ToScheduler) -> Option<ToScheduler> {
        let mut table = self.table();
        let Some(stream) = table.streams.get_mut(&peer) else {
            return Some(message);
        };
        match message {
            ToScheduler::Reply { id, result } => {
                if let Some(Waiting { answer, refined }) = stream.waiting.remove(&id) {
                    if let (Some(refined), true) = (refined, result.is_ok()) {
                        stream.backlog.refined.store(refined, Ordering::Release);
                    }
                    // Whoever asked may have gone away meanwhile.
                    let _ = answer.send(result);
                }
            }
            ToScheduler::Event(event) => {
                if let Event::Subscribed { framework_id, .. } = &event {
                    stream.framework_id = Some(framework_id.clone());
                    let id = framework_id.clone();
                    push(stream, event, self.bytes_max);
                    // Clients take the first one for the proof that the stream works.
                    push(stream, Event::Heartbeat, self.bytes_max);
                    table.frameworks.insert(id, peer);
                } else {
                    push(stream, event, self.bytes_max);
                }
            }
        }
        None
    }

    /// Ends the stream once what was said is written. Nothing is reported of it any more.
    pub fn close(&self, peer: Peer) {
        self.table().remove(peer);
    }

    /// The stream's reader is gone. Says whether the core still held it, and is to be told.
    #[must_use]
    pub fn ended(&self, peer: Peer) -> bool {
        self.table().remove(peer).is_some()
    }

    /// How many subscriptions there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.table().streams.len()
    }
}

fn push(stream: &mut Stream, event: Event, bytes_max: usize) {
    if stream.backlog.is_cut() {
        return;
    }
    let weight = weight(&event);
    let waits = stream.backlog.bytes.fetch_add(weight, Ordering::Relaxed);
    if waits.saturating_add(weight) <= bytes_max {
        // The reader's end is reported by the reader.
        let _ = stream.events.send((event, weight));
        return;
    }
    tracing::warn!(stream = %stream.stream_id, waits, "cut a stream off: its reader is too slow");
    stream.backlog.cut.store(true, Ordering::Release);
    if let Some(hangup) = stream.hangup.take() {
        hangup.now();
    }
}

/// What an event costs while it waits, shared parts counted as if they were its own.
fn weight(event: &Event) -> usize {
    /// A status or an offer with the usual texts.
    const USUAL: usize = 256;
    size_of::<Event>()
        + match event {
            Event::Offers(offers) => offers.len() * 2 * USUAL,
            Event::Update { status } => USUAL + status.data.len() + status.message.len(),
            Event::Message { data, .. } => data.len(),
            Event::Malformed { task, .. } => USUAL + task.why.len(),
            _ => 0,
        }
}

#[cfg(test)]
mod tests;
