//! Accepts connections and finds out what they are: ours, or HTTP.

use super::framing::{FrameError, FrameReader, HELLO_TIMEOUT, PREFACE, PREFACE_NAME_BYTES};
use super::{Hello, connection::Stream};
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tepui_core::ids::Peer;
use tokio::net::{TcpListener, TcpStream};

/// How long to wait when the host has no more connections to give.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// What came in.
#[derive(Debug)]
pub enum Incoming {
    /// One of ours, introduced.
    Native(Hello, Stream),
    /// Anything else.
    Http(TcpStream),
}

/// Listens on `ip:port`.
///
/// # Errors
/// Says which port is taken and what to do.
pub async fn listen(ip: IpAddr, port: u16) -> Result<TcpListener, String> {
    let address = SocketAddr::new(ip, port);
    TcpListener::bind(address).await.map_err(|error| {
        let remedy = match error.kind() {
            io::ErrorKind::AddrInUse => {
                "another process listens there; choose another port with --port"
            }
            io::ErrorKind::PermissionDenied => {
                "ports below 1024 need root; choose another port with --port"
            }
            io::ErrorKind::AddrNotAvailable => {
                "this host does not have that address; choose another with --ip"
            }
            _ => "choose another address with --ip and --port",
        };
        format!("cannot listen on {address}: {error}; {remedy}")
    })
}

/// Names the connections that come in.
#[derive(Clone, Debug, Default)]
pub struct InboundNames(Arc<AtomicU64>);

impl InboundNames {
    /// A name that was never given before in this run.
    #[must_use]
    pub fn next(&self) -> Peer {
        Peer::Inbound(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// Accepts for ever; `serve` gets every connection in a task of its own.
pub async fn accept<F, S>(listener: TcpListener, serve: F)
where
    F: Fn(Incoming) -> S + Clone + Send + 'static,
    S: Future<Output = ()> + Send,
{
    loop {
        match listener.accept().await {
            Ok((stream, from)) => {
                let serve = serve.clone();
                tokio::spawn(async move {
                    match introduce(stream).await {
                        Ok(incoming) => serve(incoming).await,
                        Err(error) => tracing::debug!(%from, %error, "refused a connection"),
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection; trying again");
                tokio::time::sleep(EXHAUSTED_PAUSE).await;
            }
        }
    }
}

async fn introduce(stream: TcpStream) -> Result<Incoming, FrameError> {
    stream.set_nodelay(true)?;
    let ours = match tokio::time::timeout(HELLO_TIMEOUT, is_ours(&stream)).await {
        Ok(ours) => ours?,
        // Ours introduce themselves at once. HTTP clients may keep a connection in reserve.
        Err(_) if said_nothing(&stream).await => false,
        Err(_) => return Err(FrameError::Silent),
    };
    if !ours {
        return Ok(Incoming::Http(stream));
    }
    let (read, writer) = stream.into_split();
    let mut reader = FrameReader::new(read);
    let hello = reader.hello().await?;
    Ok(Incoming::Native(hello, Stream { reader, writer }))
}

async fn said_nothing(stream: &TcpStream) -> bool {
    let mut seen = [0; 1];
    let peeking = tokio::time::timeout(Duration::ZERO, stream.peek(&mut seen));
    peeking.await.is_err()
}

/// Looks at the first bytes without taking them.
async fn is_ours(stream: &TcpStream) -> Result<bool, FrameError> {
    let mut seen = [0; PREFACE_NAME_BYTES];
    loop {
        let count = stream.peek(&mut seen).await?;
        if count == 0 {
            return Err(FrameError::Cut);
        }
        if seen[..count] != PREFACE[..count] {
            return Ok(false);
        }
        if count == PREFACE_NAME_BYTES {
            return Ok(true);
        }
        // Peeking again at the same bytes would return at once.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
