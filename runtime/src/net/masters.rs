//! The links between masters: one connection in each direction, each written by the side that
//! opened it. What cannot be sent at once is dropped: the log sends again what it needs.

use super::dial::connect;
use super::framing::{Kind, encode_frame};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tepui_core::ids::MasterId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};

/// How many messages wait for one master before further ones are dropped.
const QUEUE_MAX: usize = 4_096;

/// How many messages are encoded into one write.
const WRITE_BATCH_MAX: usize = 256;

/// The first wait before connecting again; doubles up to [`RETRY_MAX`].
const RETRY_MIN: Duration = Duration::from_millis(20);

/// The longest wait before connecting again.
const RETRY_MAX: Duration = Duration::from_millis(500);

#[derive(Debug)]
struct Link<T> {
    address: String,
    queue: mpsc::Sender<T>,
    wake: Arc<Notify>,
    task: tokio::task::JoinHandle<()>,
}

impl<T> Drop for Link<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The links from this master to the others.
#[derive(Debug)]
pub struct MasterLinks<T> {
    me: MasterId,
    links: BTreeMap<MasterId, Link<T>>,
    broken: mpsc::Sender<MasterId>,
}

impl<T: Serialize + Send + 'static> MasterLinks<T> {
    /// No links yet. Whose link breaks is said through `broken`.
    #[must_use]
    pub fn new(me: MasterId, broken: mpsc::Sender<MasterId>) -> MasterLinks<T> {
        MasterLinks {
            me,
            links: BTreeMap::new(),
            broken,
        }
    }

    /// Keeps links to exactly these masters, this one left out.
    pub fn keep(&mut self, members: impl IntoIterator<Item = (MasterId, String)>) {
        let mut former = std::mem::take(&mut self.links);
        for (id, address) in members {
            if id == self.me {
                continue;
            }
            let link = match former.remove(&id) {
                Some(link) if link.address == address => link,
                _ => self.open(id, address),
            };
            self.links.insert(id, link);
        }
    }

    fn open(&self, id: MasterId, address: String) -> Link<T> {
        let (queue, wanted) = mpsc::channel(QUEUE_MAX);
        let wake = Arc::new(Notify::new());
        let far = Far {
            me: self.me,
            id,
            address: address.clone(),
            broken: self.broken.clone(),
            wake: Arc::clone(&wake),
        };
        Link {
            address,
            queue,
            wake,
            task: tokio::spawn(far.serve(wanted)),
        }
    }

    /// Sends, or drops the message when the master is not linked or falls behind.
    pub fn send(&self, to: MasterId, message: T) {
        if let Some(link) = self.links.get(&to) {
            // A full queue or a link under way: the message is lost, as any datagram may be.
            let _ = link.queue.try_send(message);
        }
    }

    /// What wakes the link to each master, for those who hear first that it is back.
    #[must_use]
    pub fn wakers(&self) -> BTreeMap<MasterId, Arc<Notify>> {
        let waker = |(id, link): (&MasterId, &Link<T>)| (*id, Arc::clone(&link.wake));
        self.links.iter().map(waker).collect()
    }
}

/// One other master.
struct Far {
    me: MasterId,
    id: MasterId,
    address: String,
    broken: mpsc::Sender<MasterId>,
    wake: Arc<Notify>,
}

impl Far {
    async fn serve<T: Serialize>(self, mut queue: mpsc::Receiver<T>) {
        let mut wait = RETRY_MIN;
        loop {
            match connect(&self.address, Kind::Master(self.me)).await {
                Ok(stream) => {
                    wait = RETRY_MIN;
                    tracing::debug!(to = %self.id, "linked");
                    speak(stream, &mut queue).await;
                    tracing::debug!(to = %self.id, "the link broke");
                    if self.broken.send(self.id).await.is_err() {
                        return;
                    }
                }
                Err(error) => tracing::debug!(to = %self.id, %error, "cannot link"),
            }
            self.pause(wait, &mut queue).await;
            wait = (wait * 2).min(RETRY_MAX);
        }
    }

    /// Waits, unless the other master shows up first; drops what is sent meanwhile.
    async fn pause<T>(&self, wait: Duration, queue: &mut mpsc::Receiver<T>) {
        let over = tokio::time::sleep(wait);
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = &mut over => return,
                () = self.wake.notified() => return,
                message = queue.recv() => if message.is_none() {
                    return;
                },
            }
        }
    }
}

/// Writes what is sent until the connection breaks. The other side never writes on it, so that
/// the end of its stream, or a reset, is the first sign of its death.
async fn speak<T: Serialize>(stream: TcpStream, queue: &mut mpsc::Receiver<T>) {
    let (mut read, mut write) = stream.into_split();
    let mut batch = Vec::new();
    let mut bytes = Vec::new();
    let mut unexpected = [0; 1];
    loop {
        tokio::select! {
            _ = read.read(&mut unexpected) => return,
            count = queue.recv_many(&mut batch, WRITE_BATCH_MAX) => {
                if count == 0 {
                    return;
                }
                bytes.clear();
                for message in batch.drain(..) {
                    if let Err(error) = encode_frame(&message, &mut bytes) {
                        tracing::error!(%error, "dropped a message to a master");
                    }
                }
                if write.write_all(&bytes).await.is_err() {
                    return;
                }
            }
        }
    }
}
