//! Request bodies, bounded in size, in time, and all together.

use crate::mesos::limits;
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body as _, Bytes};
use std::error::Error;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Room for bodies is given out in pieces of this size.
const PIECE_BYTES: usize = 1 << 10;

/// The room for the bodies of all requests of this process.
fn room() -> &'static Arc<Semaphore> {
    static ROOM: OnceLock<Arc<Semaphore>> = OnceLock::new();
    ROOM.get_or_init(|| {
        let pieces = limits::current().bodies_bytes.div_ceil(PIECE_BYTES);
        Arc::new(Semaphore::new(pieces.min(Semaphore::MAX_PERMITS)))
    })
}

/// A body and the room that it takes, for as long as anybody holds it.
struct Held {
    bytes: Vec<u8>,
    taken: Option<OwnedSemaphorePermit>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The whole body, chunked or not.
///
/// # Errors
/// The answer to a body that is too large, too slow, or broken, or that finds no room.
pub async fn read(body: Body, bytes_max: usize, timeout: Duration) -> Result<Bytes, Response> {
    // Who announces too much need not send it.
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(too_large(bytes_max));
    }
    match tokio::time::timeout(timeout, gather(body, bytes_max, room())).await {
        Ok(read) => read,
        Err(_) => {
            let why = format!("the body did not arrive within {timeout:?}");
            Err((StatusCode::REQUEST_TIMEOUT, why).into_response())
        }
    }
}

async fn gather(body: Body, bytes_max: usize, room: &Arc<Semaphore>) -> Result<Bytes, Response> {
    let mut body = Limited::new(body, bytes_max);
    let mut held = Held {
        bytes: Vec::new(),
        taken: None,
    };
    let mut pieces = 0;
    while let Some(frame) = body.frame().await {
        let data = match frame.map(hyper::body::Frame::into_data) {
            Err(error) if is_too_large(&*error) => return Err(too_large(bytes_max)),
            Err(error) => {
                let why = format!("broken body: {error}");
                return Err((StatusCode::BAD_REQUEST, why).into_response());
            }
            Ok(Err(_trailers)) => continue,
            Ok(Ok(data)) => data,
        };
        let needed = (held.bytes.len() + data.len()).div_ceil(PIECE_BYTES);
        let more = u32::try_from(needed - pieces).unwrap_or(u32::MAX);
        let Ok(permit) = Arc::clone(room).try_acquire_many_owned(more) else {
            let why = "too many large requests at once: try again later";
            return Err((StatusCode::SERVICE_UNAVAILABLE, why).into_response());
        };
        match &mut held.taken {
            Some(taken) => taken.merge(permit),
            none => *none = Some(permit),
        }
        pieces = needed;
        held.bytes.extend_from_slice(&data);
    }
    Ok(Bytes::from_owner(held))
}

fn too_large(bytes_max: usize) -> Response {
    let why = format!("the body is larger than {bytes_max} bytes");
    (StatusCode::PAYLOAD_TOO_LARGE, why).into_response()
}

fn is_too_large(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<LengthLimitError>().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_bodies_together_are_bounded() {
        let room = Arc::new(Semaphore::new(3));
        let body = |length: usize| Body::from(vec![7; length]);
        let first = gather(body(PIECE_BYTES + 1), 1 << 20, &room).await.unwrap();
        assert_eq!(first, vec![7; PIECE_BYTES + 1]);
        let refused = gather(body(PIECE_BYTES + 1), 1 << 20, &room).await;
        assert_eq!(
            refused.unwrap_err().status(),
            StatusCode::SERVICE_UNAVAILABLE
        );
        // Whoever has a part of a body still has it in memory.
        let part = first.slice(..10);
        drop(first);
        assert_eq!(room.available_permits(), 1);
        drop(part);
        assert_eq!(room.available_permits(), 3);
        assert!(gather(body(3 * PIECE_BYTES), 1 << 20, &room).await.is_ok());
        let refused = gather(body(100), 99, &room).await.unwrap_err();
        assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(gather(Body::empty(), 0, &room).await.unwrap(), Bytes::new());
    }
}
