//! What an agent serves.

use crate::container::sandbox::WorkDir;
use crate::driver::Handle;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::{self, Read, Seek, SeekFrom};
use tepui_core::agent::AgentNode;
use tepui_core::invariant::Cost;

/// The most that one read of a file returns; readers ask again.
const READ_BYTES_MAX: u64 = 16 << 20;

/// What the handlers need.
#[derive(Clone, Debug)]
pub struct AgentHttp {
    /// The machine.
    pub node: Handle<AgentNode>,
    /// Where the files are.
    pub work_dir: WorkDir,
}

/// All that an agent serves.
pub fn router(agent: AgentHttp) -> Router {
    super::common()
        .route("/state", get(state))
        .route("/debug/invariants", get(invariants))
        .route("/files/read", get(read))
        .route("/files/download", get(download))
        .with_state(agent)
}

async fn state(State(agent): State<AgentHttp>) -> Response {
    let summary = agent.node.inspect(summary).await;
    summary.map_or_else(super::ending, |summary| Json(summary).into_response())
}

fn summary(agent: &AgentNode) -> Value {
    let tasks: Vec<Value> = agent
        .tasks()
        .map(|(framework_id, task_id, state)| {
            json!({
                "framework_id": framework_id.as_str(),
                "id": task_id.as_str(),
                "state": state.to_string(),
            })
        })
        .collect();
    json!({
        "id": agent.agent_id().map(tepui_core::ids::AgentId::as_str),
        "registered": agent.registered_with().is_some(),
        "registered_with": agent.registered_with().map(|ballot| ballot.to_string()),
        "tasks": tasks,
    })
}

async fn invariants(State(agent): State<AgentHttp>) -> Response {
    let violations = agent.node.inspect(|agent| agent.check(Cost::Linear)).await;
    violations.map_or_else(super::ending, |found| super::invariants(&found))
}

#[derive(Debug, Deserialize)]
struct Span {
    path: String,
    /// Where to begin; the file's length is asked for with a negative one, as in Mesos.
    offset: Option<i64>,
    length: Option<u64>,
}

async fn read(State(agent): State<AgentHttp>, Query(span): Query<Span>) -> Response {
    if let Some(offset) = span.offset.filter(|offset| *offset < -1) {
        let message = format!("Negative offset provided: {offset}");
        return (StatusCode::BAD_REQUEST, message).into_response();
    }
    let offset = span.offset.unwrap_or(-1);
    match portion(&agent, span.path, u64::try_from(offset).ok(), span.length).await {
        Err(error) => refusal(&error),
        Ok((_, size)) if offset < 0 => Json(json!({ "data": "", "offset": size })).into_response(),
        Ok((bytes, _)) => {
            let data = String::from_utf8_lossy(&bytes);
            Json(json!({ "data": data, "offset": offset })).into_response()
        }
    }
}

/// The file's bytes as they are; `Range: bytes=N-` gives those from N on.
async fn download(
    State(agent): State<AgentHttp>,
    headers: HeaderMap,
    Query(span): Query<Span>,
) -> Response {
    let from = headers
        .get(header::RANGE)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
    let start = from.or(span.offset.and_then(|offset| u64::try_from(offset).ok()));
    match portion(&agent, span.path, Some(start.unwrap_or(0)), None).await {
        Err(error) => refusal(&error),
        Ok((bytes, _)) => {
            let kind = [(header::CONTENT_TYPE, "application/octet-stream")];
            (kind, bytes).into_response()
        }
    }
}

/// Reads from `offset` on; only the file's size without one.
async fn portion(
    agent: &AgentHttp,
    path: String,
    offset: Option<u64>,
    length: Option<u64>,
) -> io::Result<(Vec<u8>, u64)> {
    let agent_id = agent
        .node
        .inspect(|agent| agent.agent_id().map(|id| id.as_str().to_owned()))
        .await
        .flatten()
        .unwrap_or_default();
    let work_dir = agent.work_dir.clone();
    let reading = tokio::task::spawn_blocking(move || {
        let mut file = work_dir.open_for_reading(&agent_id, &path)?;
        let size = file.metadata()?.len();
        let mut bytes = Vec::new();
        if let Some(offset) = offset {
            file.seek(SeekFrom::Start(offset))?;
            let most = length.unwrap_or(READ_BYTES_MAX).min(READ_BYTES_MAX);
            file.take(most).read_to_end(&mut bytes)?;
        }
        Ok((bytes, size))
    });
    reading.await.map_err(io::Error::other)?
}

fn refusal(error: &io::Error) -> Response {
    let status = match error.kind() {
        io::ErrorKind::NotFound => StatusCode::NOT_FOUND,
        io::ErrorKind::InvalidInput => StatusCode::BAD_REQUEST,
        _ => StatusCode::FORBIDDEN,
    };
    (status, error.to_string()).into_response()
}
