//! One native connection: frames in, frames out, both bounded.

use super::framing::{FrameError, FrameReader, encode_frame};
use crate::driver::Handle;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::pin::pin;
use std::time::Duration;
use tepui_core::machine::Machine;
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};

/// How many messages are encoded into one write.
const WRITE_BATCH_MAX: usize = 256;

/// How long what was sent before a close may take to leave.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// How a conversation ended.
#[derive(Debug)]
pub enum Conversation {
    /// This side closed it, after all that it had said was written.
    Closed,
    /// This side gave it up: the other side read too slowly.
    TooSlow,
    /// The other side closed it.
    Ended,
    /// It broke.
    Broken(FrameError),
}

/// What a connection reads from and writes to.
#[derive(Debug)]
pub struct Stream {
    /// Frames that come in.
    pub reader: FrameReader<OwnedReadHalf>,
    /// Where bytes go out.
    pub writer: OwnedWriteHalf,
}

/// What the node wants of a connection.
#[derive(Debug)]
pub struct Wishes<Out> {
    /// What to send; its end closes the connection once everything is written.
    pub queue: mpsc::Receiver<Out>,
    /// Give the connection up at once.
    pub kill: oneshot::Receiver<()>,
}

/// Holds both halves of a conversation until one ends. Every message goes to the node as the
/// input that `heard` makes of it; while the node's queue is full nothing more is read, which
/// slows the other side down.
pub async fn converse<M, In, Out>(
    stream: Stream,
    wishes: Wishes<Out>,
    node: &Handle<M>,
    heard: impl Fn(In) -> M::Input,
) -> Conversation
where
    M: Machine + 'static,
    In: DeserializeOwned,
    Out: Serialize,
{
    let Stream { mut reader, writer } = stream;
    let Wishes { queue, kill } = wishes;
    let mut listening = pin!(async {
        loop {
            match reader.next::<In>().await {
                Ok(Some(message)) => {
                    if !node.input(heard(message)).await {
                        return Conversation::Closed;
                    }
                }
                Ok(None) => return Conversation::Ended,
                Err(error) => return Conversation::Broken(error),
            }
        }
    });
    let mut speaking = pin!(speak(writer, queue));
    let mut kill = pin!(kill);
    let mut killable = true;
    loop {
        tokio::select! {
            ended = &mut listening => return ended,
            result = &mut speaking => return match result {
                Ok(()) => Conversation::Closed,
                Err(error) => Conversation::Broken(error),
            },
            told = &mut kill, if killable => match told {
                Ok(()) => return Conversation::TooSlow,
                // The node let go of the connection: what it said before is still written.
                Err(_) => killable = false,
            },
        }
    }
}

/// Writes what comes through `queue`, many messages at once, until the queue ends.
async fn speak<Out: Serialize>(
    mut writer: OwnedWriteHalf,
    mut queue: mpsc::Receiver<Out>,
) -> Result<(), FrameError> {
    let mut batch = Vec::new();
    let mut bytes = Vec::new();
    while queue.recv_many(&mut batch, WRITE_BATCH_MAX).await > 0 {
        bytes.clear();
        for message in batch.drain(..) {
            encode_frame(&message, &mut bytes)?;
        }
        if queue.is_closed() {
            flush(&mut writer, &bytes).await?;
        } else {
            writer.write_all(&bytes).await?;
        }
    }
    // The other side may have closed first.
    let _ = writer.shutdown().await;
    Ok(())
}

async fn flush(writer: &mut OwnedWriteHalf, bytes: &[u8]) -> Result<(), FrameError> {
    match tokio::time::timeout(FLUSH_TIMEOUT, writer.write_all(bytes)).await {
        Ok(result) => Ok(result?),
        Err(_) => Err(FrameError::Io(io::ErrorKind::TimedOut.into())),
    }
}
