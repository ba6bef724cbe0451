//! HTTP on the same port: Mesos' v1 APIs, its classic endpoints, and files.

pub mod agent;
pub mod body;
pub mod classic;
pub mod client;
pub mod cluster;
pub mod connections;
pub mod download;
pub mod executor;
pub mod file_query;
pub mod gzip;
pub mod hangup;
pub mod leader;
pub mod master;
pub mod operator;
pub mod records;
pub mod refusal;
pub mod reply;
pub mod roles;
pub mod scheduler;
pub mod version;

use crate::mesos::limits;
use axum::Extension;
use axum::Json;
use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use connections::{AnswerBody, Connections, Watched};
use hangup::Hangup;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::time::Duration;
use tepui_core::invariant::Violation;
use tokio::net::TcpStream;

/// How long a client may take to send a request's head, once it began.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// Serves one connection, if there is a place for it.
pub async fn serve(stream: TcpStream, router: Router, connections: Connections) {
    let hangup = Hangup::default();
    let Some(connection) = connections.enter(hangup.clone()) else {
        return tracing::warn!("refused an HTTP connection: all places have requests");
    };
    let routed = TowerToHyperService::new(router.layer(Extension(hangup.clone())));
    let here = connection.clone();
    let service = service_fn(move |request| {
        let answering = here.busy();
        let wants_gzip = gzip::is_read(request.headers());
        let answered = routed.call(gzip::decompress(request));
        async move {
            let mut answer = answered.await?;
            if wants_gzip {
                answer = gzip::compress(answer).await;
            }
            Ok::<_, Infallible>(answer.map(|body| AnswerBody::new(body, answering)))
        }
    });
    let stream = Watched::new(stream, connection.clone());
    let serving = hyper::server::conn::http1::Builder::new()
        // It would also end connections that merely wait between requests.
        .header_read_timeout(None)
        .max_buf_size(limits::current().head_bytes)
        // Nothing may be gathered for pipelined requests: with that, answers are not bounded.
        .title_case_headers(true)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        served = serving => {
            if let Err(error) = served {
                tracing::debug!(%error, "an HTTP connection broke");
            }
        }
        () = connection.head_is_late(HEAD_TIMEOUT) => {
            tracing::debug!("hung up an HTTP connection: a head did not arrive in time");
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
