//! Small answers that all of an agent's endpoints have in common.

use crate::mesos::json;
use axum::body::Body;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// A status with a line of text.
pub fn text(status: StatusCode, message: impl Into<String>) -> Response {
    (status, message.into()).into_response()
}

/// A status alone.
#[must_use]
pub fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Nothing is there.
pub async fn not_found() -> Response {
    text(StatusCode::NOT_FOUND, "404 Not Found.")
}

/// The answer to a method that an endpoint does not have.
#[must_use]
pub fn method_not_allowed(method: &Method, allowed: &[&str]) -> Response {
    let quoted: Vec<_> = allowed.iter().map(|name| format!("'{name}'")).collect();
    let message = format!(
        "405 Method Not Allowed. Expecting one of {{ {} }}, but received '{method}'.",
        quoted.join(", ")
    );
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, message);
    if let Ok(value) = HeaderValue::from_str(&allowed.join(", ")) {
        response.headers_mut().insert(header::ALLOW, value);
    }
    response
}

/// JSON, or a call of the function that `jsonp` names.
pub fn json<T: Serialize + ?Sized>(value: &T, jsonp: Option<&str>) -> Response {
    let body = json::to_vec(value);
    let (kind, body) = match jsonp {
        None => ("application/json", body),
        Some(function) => {
            let mut script = format!("{function}(").into_bytes();
            script.extend_from_slice(&body);
            script.extend_from_slice(b");");
            ("text/javascript", script)
        }
    };
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}
