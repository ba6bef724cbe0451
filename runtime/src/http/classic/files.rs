//! `/files/{browse,read,download,debug}` of a master, which shows its log file and nothing else.

use crate::http::file_query::{self, Portion};
use crate::http::master::MasterHttp;
use crate::http::reply::{Parameters, json, text};
use crate::http::{download, ending};
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::PathBuf;

/// The name under which tools find the log.
pub const LOG: &str = "/master/log";

/// The log file, if that is what `path` names.
fn resolve(master: &MasterHttp, path: &str) -> Option<PathBuf> {
    let log = master.about.log_file.clone();
    log.filter(|_| path.trim_end_matches('/') == LOG)
}

/// A portion of the log file, and its size.
///
/// # Errors
/// The answer to a path that names nothing, or that cannot be read.
pub async fn portion(
    master: &MasterHttp,
    path: &str,
    portion: Portion,
) -> Result<(Vec<u8>, u64), Response> {
    let Some(file) = resolve(master, path) else {
        return Err(text(StatusCode::NOT_FOUND, ""));
    };
    let reading = tokio::task::spawn_blocking(move || portion.read(File::open(file)?));
    match reading.await {
        Err(_) => Err(ending()),
        Ok(Ok(read)) => Ok(read),
        Ok(Err(error)) => Err(failed(&error)),
    }
}

/// `/files/browse`: there is no folder to look into.
pub async fn browse(RawQuery(query): RawQuery) -> Response {
    let asked = Parameters::of(query.as_deref());
    match file_query::path(&asked) {
        Ok(_) => text(StatusCode::NOT_FOUND, ""),
        Err(refused) => refused.into_response(),
    }
}

/// `/files/read`: a portion of the log as text, or its size where no offset is named.
pub async fn read(State(master): State<MasterHttp>, RawQuery(query): RawQuery) -> Response {
    let asked = Parameters::of(query.as_deref());
    let asked_for = file_query::path(&asked).and_then(|path| Ok((path, Portion::asked(&asked)?)));
    let (path, wanted) = match asked_for {
        Ok(asked_for) => asked_for,
        Err(refused) => return refused.into_response(),
    };
    match portion(&master, path, wanted).await {
        Err(refused) => refused,
        Ok((bytes, size)) => json(&wanted.shown(&bytes, size), asked.jsonp()),
    }
}

/// `/files/download`: the log as it is.
pub async fn download(State(master): State<MasterHttp>, RawQuery(query): RawQuery) -> Response {
    let asked = Parameters::of(query.as_deref());
    let path = match file_query::path(&asked) {
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
    json(&names, Parameters::of(query.as_deref()).jsonp())
}
