//! A small HTTP client, for the tools.

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::net::TcpStream;

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How often a redirect is followed.
const REDIRECTS_MAX: usize = 5;

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its body.
    pub body: Bytes,
}

/// Asks `http://address/path`, following redirects.
///
/// # Errors
/// Says who could not be asked.
pub async fn get(address: &str, path: &str) -> Result<Answer, String> {
    follow(address, path, (TIMEOUT, true)).await
}

/// As [`get`], for the status alone, within so much time.
///
/// # Errors
/// Says who could not be asked.
pub async fn status(address: &str, path: &str, patience: Duration) -> Result<u16, String> {
    let answer = follow(address, path, (patience, false)).await?;
    Ok(answer.status.as_u16())
}

async fn follow(
    address: &str,
    path: &str,
    (patience, reads): (Duration, bool),
) -> Result<Answer, String> {
    let asked = async {
        let (mut address, mut path) = (address.to_owned(), path.to_owned());
        for _ in 0..REDIRECTS_MAX {
            let (answer, location) = get_once(&address, &path, reads).await?;
            let Some(location) = location else {
                return Ok(answer);
            };
            let rest = location
                .trim_start_matches("http:")
                .trim_start_matches("//");
            let (host, tail) = rest.split_once('/').unwrap_or((rest, ""));
            address = host.to_owned();
            path = format!("/{tail}");
        }
        Err(format!("{address} redirects in circles"))
    };
    match tokio::time::timeout(patience, asked).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("{address} does not answer")),
    }
}

async fn get_once(
    address: &str,
    path: &str,
    reads: bool,
) -> Result<(Answer, Option<String>), String> {
    let failed = |error: &dyn std::fmt::Display| format!("cannot ask {address}: {error}");
    let stream = TcpStream::connect(address)
        .await
        .map_err(|error| failed(&error))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| failed(&error))?;
    let serving = tokio::spawn(connection);
    let request = Request::get(path)
        .header("Host", address)
        .header("Connection", "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| failed(&error))?;
    let response = sender
        .send_request(request)
        .await
        .map_err(|error| failed(&error))?;
    let status = response.status();
    let location = response
        .headers()
        .get("location")
        .filter(|_| status.is_redirection())
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let body = match reads {
        false => Bytes::new(),
        true => {
            let body = response.into_body().collect().await;
            body.map_err(|error| failed(&error))?.to_bytes()
        }
    };
    serving.abort();
    Ok((Answer { status, body }, location))
}
