//! `/files/{browse,read,download,debug}` of a master, which shows its log file and nothing else.

use crate::http::master::MasterHttp;
use crate::http::reply::{Parameters, json, text};
use crate::http::{download, ending};
use crate::mesos::media::Refusal;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json as value;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

/// The name under which tools find the log.
pub const LOG: &str = "/master/log";

/// The most that one read returns, as in Mesos: sixteen pages. Readers ask again.
const READ_BYTES_MAX: u64 = 16 * 4096;

/// The log file, if that is what `path` names.
fn resolve(master: &MasterHttp, path: &str) -> Option<PathBuf> {
    let log = master.about.log_file.clone();
    log.filter(|_| path.trim_end_matches('/') == LOG)
}

/// A portion of the log file, and its size; only that without an offset.
///
/// # Errors
/// The answer to a path that names nothing, or that cannot be read.
pub async fn portion(
    master: &MasterHttp,
    path: &str,
    offset: Option<u64>,
    length: u64,
) -> Result<(Vec<u8>, u64), Response> {
    let Some(file) = resolve(master, path) else {
        return Err(text(StatusCode::NOT_FOUND, ""));
    };
    let reading = tokio::task::spawn_blocking(move || -> io::Result<(Vec<u8>, u64)> {
        let mut file = File::open(file)?;
        let size = file.metadata()?.len();
        let mut bytes = Vec::new();
        if let Some(offset) = offset {
            file.seek(SeekFrom::Start(offset))?;
            file.take(length).read_to_end(&mut bytes)?;
        }
        Ok((bytes, size))
    });
    match reading.await {
        Err(_) => Err(ending()),
        Ok(Ok(read)) => Ok(read),
        Ok(Err(error)) => Err(failed(&error)),
    }
}

fn parameters(query: Option<&str>) -> Parameters {
    Parameters::read(query.unwrap_or_default())
}

/// The path that a query must name.
fn wanted(asked: &Parameters) -> Result<&str, Refusal> {
    let path = asked.get("path").filter(|path| !path.is_empty());
    path.ok_or_else(|| Refusal::bad("Expecting 'path=value' in query.\n"))
}

fn number(asked: &Parameters, name: &str) -> Result<Option<i64>, Refusal> {
    let Some(given) = asked.get(name) else {
        return Ok(None);
    };
    let refused = |_| {
        let message = format!("Failed to parse {name}: Failed to convert '{given}' to number.\n");
        Refusal::bad(message)
    };
    given.parse().map(Some).map_err(refused)
}

/// `/files/browse`: there is no folder to look into.
pub async fn browse(RawQuery(query): RawQuery) -> Response {
    let asked = parameters(query.as_deref());
    match wanted(&asked) {
        Ok(_) => text(StatusCode::NOT_FOUND, ""),
        Err(refused) => refused.into_response(),
    }
}

/// `/files/read`: a portion of the log as text, or its size where no offset is named.
pub async fn read(State(master): State<MasterHttp>, RawQuery(query): RawQuery) -> Response {
    let asked = parameters(query.as_deref());
    match read_as_asked(&master, &asked).await {
        Ok(answer) | Err(answer) => answer,
    }
}

async fn read_as_asked(master: &MasterHttp, asked: &Parameters) -> Result<Response, Response> {
    let path = wanted(asked).map_err(IntoResponse::into_response)?;
    let negative = |name: &str, given: i64| {
        let message = format!("Negative {name} provided: {given}.\n");
        text(StatusCode::BAD_REQUEST, message)
    };
    let offset = match number(asked, "offset").map_err(IntoResponse::into_response)? {
        None | Some(-1) => None,
        Some(given) => Some(u64::try_from(given).map_err(|_| negative("offset", given))?),
    };
    let length = match number(asked, "length").map_err(IntoResponse::into_response)? {
        None | Some(-1) => READ_BYTES_MAX,
        Some(given) => u64::try_from(given).map_err(|_| negative("length", given))?,
    };
    let length = length.min(READ_BYTES_MAX);
    let (bytes, size) = portion(master, path, offset, length).await?;
    let data = String::from_utf8_lossy(&bytes);
    let at = offset.unwrap_or(size);
    Ok(json(&value!({ "data": data, "offset": at }), asked.jsonp()))
}

/// `/files/download`: the log as it is.
pub async fn download(State(master): State<MasterHttp>, RawQuery(query): RawQuery) -> Response {
    let asked = parameters(query.as_deref());
    let path = match wanted(&asked) {
        Ok(path) => path,
        Err(refused) => return refused.into_response(),
    };
    let Some(file) = resolve(&master, path) else {
        return text(StatusCode::NOT_FOUND, "");
    };
    let opening =
        tokio::task::spawn_blocking(move || download::answer(File::open(file)?, 0, "log"));
    match opening.await {
        Err(_) => ending(),
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => failed(&error),
    }
}

fn failed(error: &io::Error) -> Response {
    match error.kind() {
        io::ErrorKind::NotFound => text(StatusCode::NOT_FOUND, ""),
        _ => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}.\n")),
    }
}

/// `/files/debug`: under which names which files can be read.
pub async fn debug(State(master): State<MasterHttp>, RawQuery(query): RawQuery) -> Response {
    let log = master.about.log_file.iter();
    let names: BTreeMap<&str, String> = log.map(|at| (LOG, at.display().to_string())).collect();
    json(&names, parameters(query.as_deref()).jsonp())
}
