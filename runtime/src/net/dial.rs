//! Opens the connections that a machine asks for.

use super::connection::{Conversation, Stream, converse};
use super::find::Target;
use super::framing::{FrameReader, Kind, opening};
use super::links::Links;
use crate::driver::Handle;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::time::Duration;
use tepui_core::ids::Peer;
use tepui_core::machine::Machine;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// How long the other side may take to accept.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Whom to call, and how the machine is told what came of it.
#[derive(Clone, Copy, Debug)]
pub struct Call<M: Machine, In> {
    /// As what this side introduces itself.
    pub kind: Kind,
    /// The machine's name for the connection.
    pub peer: Peer,
    /// Says that the connection is open.
    pub connected: fn(Peer) -> M::Input,
    /// Says that it is not, or no longer.
    pub disconnected: fn(Peer) -> M::Input,
    /// Brings a message.
    pub heard: fn(Peer, In) -> M::Input,
}

/// Connects to `address` and speaks its first bytes.
///
/// # Errors
/// When nobody answers there.
pub async fn connect(address: &str, kind: Kind) -> io::Result<TcpStream> {
    let mut stream = match tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await
    {
        Ok(stream) => stream?,
        Err(_) => return Err(io::ErrorKind::TimedOut.into()),
    };
    stream.set_nodelay(true)?;
    stream.write_all(&opening(kind)).await?;
    Ok(stream)
}

/// Connects to where `target` is now.
async fn reach(target: &Target, kind: Kind) -> io::Result<TcpStream> {
    connect(&target.find().await?, kind).await
}

/// Both halves of a connected stream.
#[must_use]
pub fn halves(stream: TcpStream) -> Stream {
    let (read, writer) = stream.into_split();
    Stream {
        reader: FrameReader::new(read),
        writer,
    }
}

/// Opens one connection for a machine and serves it, in a task of its own, which ends once all
/// that was sent has left.
pub fn dial<M, In, Out>(
    target: Target,
    call: &Call<M, In>,
    links: &Links<Out>,
    node: Handle<M>,
) -> JoinHandle<()>
where
    M: Machine + 'static,
    M::Input: Send,
    In: DeserializeOwned + Send + 'static,
    Out: Serialize + Send + 'static,
{
    let Call {
        kind,
        peer,
        connected,
        disconnected,
        heard,
    } = *call;
    let links = links.clone();
    let wishes = links.open(peer);
    tokio::spawn(async move {
        match reach(&target, kind).await {
            Err(error) => tracing::debug!(%target, %error, "cannot connect"),
            Ok(stream) => {
                if !node.input(connected(peer)).await {
                    return;
                }
                let heard = |message| heard(peer, message);
                let ended = converse(halves(stream), wishes, &node, heard).await;
                if let Conversation::Broken(error) = ended {
                    tracing::debug!(%target, %error, "the connection is over");
                }
            }
        }
        if links.ended(peer) {
            node.input(disconnected(peer)).await;
        }
    })
}
