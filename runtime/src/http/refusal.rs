//! How a refusal looks on the wire.

use crate::mesos::media::{Headers, Refusal};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status);
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        match self.allow {
            Some(allow) => (status, [(header::ALLOW, allow)], self.text).into_response(),
            None => (status, self.text).into_response(),
        }
    }
}

/// What a request says of its codec and its answer's.
#[must_use]
pub fn media_headers(headers: &HeaderMap) -> Headers<'_> {
    let text = |name: &str| {
        let value = headers.get(name)?;
        // What is no text names no media type.
        Some(value.to_str().unwrap_or("?"))
    };
    Headers {
        content_type: text("content-type"),
        accept: text("accept"),
        message_content_type: text("message-content-type"),
        message_accept: text("message-accept"),
    }
}
