//! The connections of a node, as its loop sees them: a bounded queue each.

use super::connection::Wishes;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tepui_core::ids::Peer;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

/// How many messages wait for one peer. Who falls further behind is disconnected, so that a slow
/// reader costs others neither time nor memory.
pub const QUEUE_MAX: usize = 16_384;

#[derive(Debug)]
struct Link<Out> {
    queue: mpsc::Sender<Out>,
    kill: Option<oneshot::Sender<()>>,
}

/// All connections of one kind.
#[derive(Debug)]
pub struct Links<Out> {
    links: Arc<Mutex<BTreeMap<Peer, Link<Out>>>>,
}

impl<Out> Clone for Links<Out> {
    fn clone(&self) -> Self {
        Links {
            links: Arc::clone(&self.links),
        }
    }
}

impl<Out> Default for Links<Out> {
    fn default() -> Self {
        Links {
            links: Arc::default(),
        }
    }
}

impl<Out> Links<Out> {
    fn table(&self) -> MutexGuard<'_, BTreeMap<Peer, Link<Out>>> {
        // No code under this lock can leave the table half changed.
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new connection; what it returns is for the task that writes.
    #[must_use]
    pub fn open(&self, peer: Peer) -> Wishes<Out> {
        let (queue, wanted) = mpsc::channel(QUEUE_MAX);
        let (kill, killed) = oneshot::channel();
        let link = Link {
            queue,
            kill: Some(kill),
        };
        let former = self.table().insert(peer, link);
        assert!(former.is_none(), "{peer:?} named two connections");
        Wishes {
            queue: wanted,
            kill: killed,
        }
    }

    /// Sends, or drops the message when the connection is gone. A connection whose queue is full
    /// is given up; its task reports that it broke.
    pub fn send(&self, peer: Peer, message: Out) {
        let mut table = self.table();
        let Some(link) = table.get_mut(&peer) else {
            return;
        };
        if let Err(TrySendError::Full(_)) = link.queue.try_send(message) {
            tracing::warn!(?peer, "gave up a connection: {QUEUE_MAX} messages wait");
            if let Some(kill) = link.kill.take() {
                // Without a task there is nobody to tell.
                let _ = kill.send(());
            }
        }
    }

    /// Closes the connection once what was sent is written. Nothing is reported of it any more.
    pub fn close(&self, peer: Peer) {
        self.table().remove(&peer);
    }

    /// The connection's task is over. Says whether the node still held it, and is to be told.
    #[must_use]
    pub fn ended(&self, peer: Peer) -> bool {
        self.table().remove(&peer).is_some()
    }

    /// How many connections there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.table().len()
    }

    /// Closes all of them.
    pub fn close_all(&self) {
        self.table().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_slow_reader_is_given_up_and_others_are_not() {
        let links = Links::default();
        let slow = links.open(Peer::Inbound(1));
        let mut quick = links.open(Peer::Inbound(2));
        for n in 0..=QUEUE_MAX {
            links.send(Peer::Inbound(1), n);
        }
        links.send(Peer::Inbound(2), 7);
        assert_eq!(slow.kill.await, Ok(()));
        assert_eq!(quick.queue.recv().await, Some(7));
        assert!(links.ended(Peer::Inbound(1)), "the node has yet to be told");
        assert!(!links.ended(Peer::Inbound(1)));
    }

    #[tokio::test]
    async fn what_was_sent_before_a_close_still_leaves() {
        let links = Links::default();
        let mut wishes = links.open(Peer::Outbound(1));
        links.send(Peer::Outbound(1), 1);
        links.close(Peer::Outbound(1));
        links.send(Peer::Outbound(1), 2);
        assert_eq!(wishes.queue.recv().await, Some(1));
        assert_eq!(wishes.queue.recv().await, None);
        assert!(!links.ended(Peer::Outbound(1)), "nobody wants to know");
    }
}
