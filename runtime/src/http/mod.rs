//! HTTP on the same port. Thin for now: health, state for people and tools, files.

pub mod agent;
pub mod body;
pub mod classic;
pub mod client;
pub mod cluster;
pub mod executor;
pub mod hangup;
pub mod leader;
pub mod master;
pub mod operator;
pub mod refusal;
pub mod reply;
pub mod roles;
pub mod scheduler;
pub mod version;

use axum::Extension;
use axum::Json;
use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hangup::Hangup;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use std::time::Duration;
use tepui_core::invariant::Violation;
use tokio::net::TcpStream;

/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// Serves one connection.
pub async fn serve(stream: TcpStream, router: Router) {
    let hangup = Hangup::default();
    let service = TowerToHyperService::new(router.layer(Extension(hangup.clone())));
    let serving = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        // Nothing may be gathered for pipelined requests: with that, answers are not bounded.
        .title_case_headers(true)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        served = serving => {
            if let Err(error) = served {
                tracing::debug!(%error, "an HTTP connection broke");
            }
        }
        () = hangup.wanted() => tracing::debug!("hung up an HTTP connection"),
    }
}

/// What masters and agents have in common.
pub fn common<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/health", get(|| async { StatusCode::OK }))
        .route("/version", get(|| async { Json(version()) }))
}

fn version() -> Value {
    json!({ "version": env!("CARGO_PKG_VERSION"), "name": "tepui" })
}

/// The answer once the node has ended.
pub fn ending() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, "this node is ending").into_response()
}

/// The answer of `/debug/invariants`.
pub fn invariants(violations: &[Violation]) -> Response {
    let list: Vec<Value> = violations
        .iter()
        .map(|violation| json!({ "id": violation.invariant, "found": violation.found }))
        .collect();
    let status = if list.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::INTERNAL_SERVER_ERROR
    };
    (status, Json(json!({ "violations": list }))).into_response()
}
