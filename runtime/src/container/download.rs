//! Gets a file over HTTP, piece by piece, onto the disk.

use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use std::fs::File;
use std::io::Write;
use std::time::Duration;
use tokio::net::TcpStream;

/// How often a redirect is followed.
const REDIRECTS_MAX: usize = 10;

/// Why a file could not be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GetError {
    /// It is at an address that plain HTTP does not reach.
    Elsewhere(String),
    /// Why.
    Failed(String),
}

/// Writes what `url` has to `file`. Blocks, on a thread that is not the runtime's own.
///
/// # Errors
/// When nobody answers, or with something else than the file, or with too much or too slowly.
pub fn get(url: &str, file: File, bytes_max: u64, timeout: Duration) -> Result<(), GetError> {
    // A runtime of its own: the file is written between two pieces, which must not hold up the
    // agent.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| failed("cannot start", &error))?;
    let got = runtime.block_on(async {
        let getting = follow(url, file, bytes_max);
        tokio::time::timeout(timeout, getting).await
    });
    got.unwrap_or_else(|_| Err(GetError::Failed(format!("it took longer than {timeout:?}"))))
}

fn failed(what: &str, error: &dyn std::fmt::Display) -> GetError {
    GetError::Failed(format!("{what}: {error}"))
}

async fn follow(url: &str, mut file: File, bytes_max: u64) -> Result<(), GetError> {
    let mut url = url.to_owned();
    for _ in 0..REDIRECTS_MAX {
        match get_once(&url, &mut file, bytes_max).await? {
            None => return Ok(()),
            Some(location) if location.starts_with("http://") => url = location,
            Some(location) if location.starts_with('/') => {
                let rest = url.strip_prefix("http://").unwrap_or(&url);
                let host = rest.split('/').next().unwrap_or_default();
                url = format!("http://{host}{location}");
            }
            Some(location) if location.starts_with("https://") => {
                return Err(GetError::Elsewhere(location));
            }
            Some(location) => return Err(failed("it redirects to", &location)),
        }
    }
    Err(GetError::Failed(String::from("it redirects in circles")))
}

/// One request; where to go on, if the answer is a redirect.
async fn get_once(url: &str, file: &mut File, bytes_max: u64) -> Result<Option<String>, GetError> {
    let rest = url.strip_prefix("http://").unwrap_or(url);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let address = if host
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok())
    {
        host.to_owned()
    } else {
        format!("{host}:80")
    };
    let stream = TcpStream::connect(&address).await;
    let stream = stream.map_err(|error| failed(&format!("cannot reach {address}"), &error))?;
    let shaken = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(|error| failed("no HTTP", &error))?;
    tokio::spawn(connection);
    let path = path.split('#').next().unwrap_or_default();
    let request = Request::get(format!("/{path}"))
        .header("Host", host)
        .header("User-Agent", "tepui")
        .header("Connection", "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| failed("not an address", &error))?;
    let answered = sender.send_request(request).await;
    let response = answered.map_err(|error| failed("no answer", &error))?;
    let status = response.status();
    if status.is_redirection() {
        let location = response.headers().get("location");
        let location = location.and_then(|value| value.to_str().ok());
        return match location {
            Some(location) => Ok(Some(location.to_owned())),
            None => Err(failed("redirected nowhere", &status)),
        };
    }
    if !status.is_success() {
        return Err(failed("the answer is", &status));
    }
    let mut body = response.into_body();
    let mut written = 0_u64;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| failed("it broke off", &error))?;
        let Ok(piece) = frame.into_data() else {
            continue;
        };
        written += piece.len() as u64;
        if written > bytes_max {
            return Err(GetError::Failed(format!(
                "it is larger than {bytes_max} bytes"
            )));
        }
        file.write_all(&piece)
            .map_err(|error| failed("cannot write", &error))?;
    }
    Ok(None)
}
