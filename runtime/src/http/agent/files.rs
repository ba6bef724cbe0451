//! `/files/{browse,read,download,debug}` of an agent.

use super::AgentHttp;
use super::answers::{json, text};
use super::paths::{self, Entry, PathError, mode_text};
use crate::http::{download, ending};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json as value};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

/// The most that one read returns, as in Mesos: sixteen pages. Readers ask again.
pub const READ_BYTES_MAX: u64 = 16 * 4096;

/// The name under which tools find the agent's log.
const LOG: &str = "/slave/log";

/// A query's parameters.
#[must_use]
pub fn parameters(query: Option<&str>) -> BTreeMap<String, String> {
    let pairs = query.unwrap_or_default().split('&');
    pairs
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (unescaped(name), unescaped(value))
        })
        .collect()
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

fn refusal(error: &PathError) -> Response {
    match error {
        PathError::NotFound => text(StatusCode::NOT_FOUND, ""),
        PathError::Folder => text(StatusCode::BAD_REQUEST, "Cannot read a directory.\n"),
        PathError::Failed(error) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}.\n")),
    }
}

/// The path that a query must name.
#[allow(clippy::result_large_err)]
fn wanted(parameters: &BTreeMap<String, String>) -> Result<&str, Response> {
    let path = parameters.get("path").filter(|path| !path.is_empty());
    path.map(String::as_str).ok_or_else(|| {
        let message = "Expecting 'path=value' in query.\n";
        text(StatusCode::BAD_REQUEST, message)
    })
}

#[allow(clippy::result_large_err)]
fn number(parameters: &BTreeMap<String, String>, name: &str) -> Result<Option<i64>, Response> {
    let Some(given) = parameters.get(name) else {
        return Ok(None);
    };
    given.parse().map(Some).map_err(|_| {
        let message = format!("Failed to parse {name}: Failed to convert '{given}' to number.\n");
        text(StatusCode::BAD_REQUEST, message)
    })
}

/// `/files/browse`: what is in a folder.
pub async fn browse(State(agent): State<AgentHttp>, RawQuery(query): RawQuery) -> Response {
    let parameters = parameters(query.as_deref());
    let path = match wanted(&parameters) {
        Ok(path) => path.to_owned(),
        Err(refused) => return refused,
    };
    match agent.list(path).await {
        Err(error) => refusal(&error),
        Ok(entries) => {
            let entries: Vec<Value> = entries.iter().map(shown).collect();
            json(&entries, parameters.get("jsonp").map(String::as_str))
        }
    }
}

fn shown(entry: &Entry) -> Value {
    value!({
        "gid": entry.group,
        "mode": mode_text(entry.mode),
        "mtime": entry.modified as f64,
        "nlink": entry.links,
        "path": entry.path,
        "size": entry.size,
        "uid": entry.user,
    })
}

/// `/files/read`: a portion of a file as text, or its size where no offset is named.
pub async fn read(State(agent): State<AgentHttp>, RawQuery(query): RawQuery) -> Response {
    let parameters = parameters(query.as_deref());
    match read_as_asked(&agent, &parameters).await {
        Ok(answer) | Err(answer) => answer,
    }
}

async fn read_as_asked(
    agent: &AgentHttp,
    parameters: &BTreeMap<String, String>,
) -> Result<Response, Response> {
    let path = wanted(parameters)?.to_owned();
    let offset = number(parameters, "offset")?.unwrap_or(-1);
    if offset < -1 {
        let message = format!("Negative offset provided: {offset}.\n");
        return Err(text(StatusCode::BAD_REQUEST, message));
    }
    let length = number(parameters, "length")?.filter(|length| *length != -1);
    let length = match length.map(u64::try_from) {
        Some(Err(_)) => {
            let given = length.unwrap_or_default();
            let message = format!("Negative length provided: {given}.\n");
            return Err(text(StatusCode::BAD_REQUEST, message));
        }
        Some(Ok(length)) => length.min(READ_BYTES_MAX),
        None => READ_BYTES_MAX,
    };
    let start = u64::try_from(offset).ok();
    let portion = agent.portion(path, start, length).await;
    let (bytes, size) = portion.map_err(|error| refusal(&error))?;
    let jsonp = parameters.get("jsonp").map(String::as_str);
    let (data, at) = match start {
        None => (String::new(), size),
        Some(start) => (whole_text(&bytes, start, size), start),
    };
    Ok(json(&value!({ "data": data, "offset": at }), jsonp))
}

/// Bytes as text. A character that the portion cuts is left to the next one, which a reader
/// begins where this one ended.
fn whole_text(bytes: &[u8], start: u64, size: u64) -> String {
    let more = start + (bytes.len() as u64) < size;
    let cut = match std::str::from_utf8(bytes) {
        Err(error) if more && error.error_len().is_none() && error.valid_up_to() > 0 => {
            error.valid_up_to()
        }
        _ => bytes.len(),
    };
    String::from_utf8_lossy(&bytes[..cut]).into_owned()
}

/// `/files/download`: the file's bytes as they are; `Range: bytes=N-` gives those from N on.
pub async fn download(
    State(agent): State<AgentHttp>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let parameters = parameters(query.as_deref());
    let path = match wanted(&parameters) {
        Ok(path) => path.to_owned(),
        Err(refused) => return refused,
    };
    let from = headers
        .get(header::RANGE)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
    let start = from.or_else(|| parameters.get("offset")?.parse().ok());
    let name = path.rsplit('/').next().unwrap_or_default().to_owned();
    let opening = tokio::task::spawn_blocking(move || {
        let file = agent.open(&path)?;
        Ok(download::answer(file, start.unwrap_or(0), &name)?)
    });
    match opening.await {
        Err(_) => ending(),
        Ok(Err(error)) => refusal(&error),
        Ok(Ok(answer)) => answer,
    }
}

/// `/files/debug`: under which names which folders can be read.
pub async fn debug(State(agent): State<AgentHttp>, RawQuery(query): RawQuery) -> Response {
    let parameters = parameters(query.as_deref());
    let mut names = BTreeMap::new();
    {
        let book = agent.book.lock();
        let agent_id = book.agent_id.as_ref().map_or("", |id| id.as_str());
        let living = book.frameworks.iter();
        let over = book
            .completed_frameworks
            .iter()
            .map(|(id, entry)| (id, entry));
        for (framework_id, framework) in living.chain(over) {
            let over = framework.completed_executors.iter();
            for executor in over.chain(framework.executors.values()) {
                let runs = format!(
                    "/frameworks/{framework_id}/executors/{}/runs",
                    executor.info.executor_id
                );
                let root = agent.work_dir.root().display();
                let absolute = format!("{root}/slaves/{agent_id}{runs}");
                let sandbox = format!("{absolute}/{}", executor.container_id);
                names.insert(format!("{runs}/latest"), sandbox.clone());
                names.insert(format!("{absolute}/latest"), sandbox.clone());
                names.insert(sandbox.clone(), sandbox);
            }
        }
    }
    if let Some(log) = &agent.log_file {
        names.insert(LOG.to_owned(), log.display().to_string());
    }
    json(&names, parameters.get("jsonp").map(String::as_str))
}

impl AgentHttp {
    fn agent_id(&self) -> String {
        let book = self.book.lock();
        let agent_id = book.agent_id.as_ref();
        agent_id
            .map(|id| id.as_str().to_owned())
            .unwrap_or_default()
    }

    /// Opens a sandbox's file, or the log.
    fn open(&self, path: &str) -> Result<File, PathError> {
        match &self.log_file {
            Some(log) if path.trim_end_matches('/') == LOG => Ok(File::open(log)?),
            _ => paths::open_file(&self.work_dir, &self.agent_id(), path),
        }
    }

    /// Lists a folder.
    pub(super) async fn list(&self, path: String) -> Result<Vec<Entry>, PathError> {
        let (work_dir, agent_id) = (self.work_dir.clone(), self.agent_id());
        let listing = tokio::task::spawn_blocking(move || paths::list(&work_dir, &agent_id, &path));
        let listed = listing.await;
        listed.unwrap_or_else(|panic| Err(PathError::Failed(std::io::Error::other(panic))))
    }

    /// Reads from `offset` on; only the file's size without one.
    pub(super) async fn portion(
        &self,
        path: String,
        offset: Option<u64>,
        length: u64,
    ) -> Result<(Vec<u8>, u64), PathError> {
        let agent = self.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let mut file = agent.open(&path)?;
            let size = file.metadata()?.len();
            let mut bytes = Vec::new();
            if let Some(offset) = offset {
                file.seek(SeekFrom::Start(offset))?;
                file.take(length).read_to_end(&mut bytes)?;
            }
            Ok((bytes, size))
        });
        let read = reading.await;
        read.unwrap_or_else(|panic| Err(PathError::Failed(std::io::Error::other(panic))))
    }
}
