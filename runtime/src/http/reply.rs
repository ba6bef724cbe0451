//! Small answers that many endpoints have in common, and the query that they are asked with.

use crate::mesos::json;
use axum::body::Body;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::collections::BTreeMap;

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
#[must_use]
pub fn not_found() -> Response {
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
    written(json::to_vec(value), jsonp)
}

/// JSON that is written already, or a call of the function that `jsonp` names.
#[must_use]
pub fn written(body: Vec<u8>, jsonp: Option<&str>) -> Response {
    let (kind, body) = match jsonp {
        None => ("application/json", body),
        Some(function) => {
            let mut script = Vec::with_capacity(function.len() + body.len() + 2);
            script.extend_from_slice(function.as_bytes());
            script.push(b'(');
            script.extend_from_slice(&body);
            script.push(b')');
            ("text/javascript", script)
        }
    };
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}

/// The parameters of a query or of a form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Of a request's query.
    #[must_use]
    pub fn of(query: Option<&str>) -> Parameters {
        Parameters::read(query.unwrap_or_default())
    }

    /// Of `a=1&b=2`.
    #[must_use]
    pub fn read(text: &str) -> Parameters {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        Parameters(
            pairs
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (unescaped(name), unescaped(value))
                })
                .collect(),
        )
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The function that the answer is to call.
    #[must_use]
    pub fn jsonp(&self) -> Option<&str> {
        self.get("jsonp")
    }
}

/// Text of a query as it was before it was made part of one.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        rest = others;
        let hex = |bytes: &[u8]| u8::from_str_radix(std::str::from_utf8(bytes).ok()?, 16).ok();
        match (first, others.get(..2).and_then(hex)) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &others[2..];
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_as_it_was_meant() {
        let read = Parameters::read("path=%2Ftmp%2Fa+b&offset=-1&&flag&bad=%zz&utf=%C3%A9");
        assert_eq!(read.get("path"), Some("/tmp/a b"));
        assert_eq!(read.get("offset"), Some("-1"));
        assert_eq!(read.get("flag"), Some(""));
        assert_eq!(read.get("bad"), Some("%zz"));
        assert_eq!(read.get("utf"), Some("é"));
        assert_eq!(read.get("none"), None);
    }

    #[test]
    fn what_is_not_allowed_says_what_is() {
        let refused = method_not_allowed(&Method::PATCH, &["GET", "POST"]);
        assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(refused.headers()[header::ALLOW], "GET, POST");
    }
}
