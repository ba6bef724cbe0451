//! `/files/{browse,read,download,debug}` of an agent.

use super::AgentHttp;
use super::paths::{self, Entry, PathError, mode_text};
use crate::http::file_query::{self, Portion};
use crate::http::reply::{Parameters, json, text};
use crate::http::{download, ending};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json as value};
use std::collections::BTreeMap;
use std::fs::File;

/// The name under which tools find the agent's log.
const LOG: &str = "/slave/log";

fn refusal(error: &PathError) -> Response {
    match error {
        PathError::NotFound => text(StatusCode::NOT_FOUND, ""),
        PathError::Folder => text(StatusCode::BAD_REQUEST, "Cannot read a directory.\n"),
        PathError::Failed(error) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}.\n")),
    }
}

/// `/files/browse`: what is in a folder.
pub async fn browse(State(agent): State<AgentHttp>, RawQuery(query): RawQuery) -> Response {
    let asked = Parameters::of(query.as_deref());
    let path = match file_query::path(&asked) {
        Ok(path) => path.to_owned(),
        Err(refused) => return refused.into_response(),
    };
    match agent.list(path).await {
        Err(error) => refusal(&error),
        Ok(entries) => {
            let entries: Vec<Value> = entries.iter().map(shown).collect();
            json(&entries, asked.jsonp())
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
    let asked = Parameters::of(query.as_deref());
    let asked_for = file_query::path(&asked).and_then(|path| Ok((path, Portion::asked(&asked)?)));
    let (path, portion) = match asked_for {
        Ok((path, portion)) => (path.to_owned(), portion),
        Err(refused) => return refused.into_response(),
    };
    match agent.portion(path, portion).await {
        Err(error) => refusal(&error),
        Ok((bytes, size)) => json(&portion.shown(&bytes, size), asked.jsonp()),
    }
}

/// `/files/download`: the file's bytes as they are; `Range: bytes=N-` gives those from N on.
pub async fn download(
    State(agent): State<AgentHttp>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let asked = Parameters::of(query.as_deref());
    let path = match file_query::path(&asked) {
        Ok(path) => path.to_owned(),
        Err(refused) => return refused.into_response(),
    };
    let from = headers
        .get(header::RANGE)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
    let start = from.or_else(|| asked.get("offset")?.parse().ok());
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
    let asked = Parameters::of(query.as_deref());
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
    json(&names, asked.jsonp())
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

    /// A portion of a file, and the file's size.
    pub(super) async fn portion(
        &self,
        path: String,
        portion: Portion,
    ) -> Result<(Vec<u8>, u64), PathError> {
        let agent = self.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let file = agent.open(&path)?;
            Ok(portion.read(file)?)
        });
        let read = reading.await;
        read.unwrap_or_else(|panic| Err(PathError::Failed(std::io::Error::other(panic))))
    }
}
