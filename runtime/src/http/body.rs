//! Request bodies, bounded in size and in time.

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body as _, Bytes};
use std::error::Error;
use std::time::Duration;

/// The whole body, chunked or not.
///
/// # Errors
/// The answer to a body that is too large, too slow, or broken.
pub async fn read(body: Body, bytes_max: usize, timeout: Duration) -> Result<Bytes, Response> {
    let too_large = || {
        let why = format!("the body is larger than {bytes_max} bytes");
        (StatusCode::PAYLOAD_TOO_LARGE, why)
    };
    // Who announces too much need not send it.
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(too_large().into_response());
    }
    let reading = Limited::new(body, bytes_max).collect();
    let refusal = match tokio::time::timeout(timeout, reading).await {
        Ok(Ok(whole)) => return Ok(whole.to_bytes()),
        Ok(Err(error)) if is_too_large(&*error) => too_large(),
        Ok(Err(error)) => (StatusCode::BAD_REQUEST, format!("broken body: {error}")),
        Err(_) => {
            let why = format!("the body did not arrive within {timeout:?}");
            (StatusCode::REQUEST_TIMEOUT, why)
        }
    };
    Err(refusal.into_response())
}

fn is_too_large(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<LengthLimitError>().is_some()
}
