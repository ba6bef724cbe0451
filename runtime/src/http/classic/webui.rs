//! The stock web interface, served from where it was installed, or a page that says where things
//! are.

use crate::http::ending;
use crate::http::master::MasterHttp;
use crate::http::reply::not_found;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::path::{Component, Path as FilePath, PathBuf};

/// The largest file that is served; the interface's own are far smaller.
const FILE_BYTES_MAX: u64 = 16 << 20;

const PAGE: &str = "<!DOCTYPE html><html><head><meta charset=\"utf-8\"><title>Tepui</title></head>\
    <body><h1>Tepui</h1><p>This master serves Mesos' API: \
    <a href=\"/state\">/state</a>, <a href=\"/slaves\">/slaves</a>, \
    <a href=\"/frameworks\">/frameworks</a>, <a href=\"/tasks\">/tasks</a>, \
    <a href=\"/roles\">/roles</a>, <a href=\"/metrics/snapshot\">/metrics/snapshot</a>. \
    Start it with --webui_dir for the web interface.</p></body></html>";

/// `/`
pub async fn index(State(master): State<MasterHttp>) -> Response {
    match &master.about.webui_dir {
        Some(folder) => serve(folder.join("index.html")).await,
        None => ([(header::CONTENT_TYPE, "text/html")], PAGE).into_response(),
    }
}

/// `/app/..`
pub async fn app(State(master): State<MasterHttp>, Path(path): Path<String>) -> Response {
    below(&master, "app", &path).await
}

/// `/assets/..`
pub async fn assets(State(master): State<MasterHttp>, Path(path): Path<String>) -> Response {
    below(&master, "assets", &path).await
}

async fn below(master: &MasterHttp, folder: &str, path: &str) -> Response {
    let Some(root) = &master.about.webui_dir else {
        return not_found();
    };
    match within(&root.join(folder), path) {
        Some(file) => serve(file).await,
        None => not_found(),
    }
}

/// The file of this name in `folder`, unless the name leads out of it.
fn within(folder: &FilePath, path: &str) -> Option<PathBuf> {
    let path = FilePath::new(path);
    let inside = path
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    inside.then(|| folder.join(path))
}

async fn serve(file: PathBuf) -> Response {
    let kind = match file.extension().and_then(|name| name.to_str()) {
        Some("html") => "text/html",
        Some("js") => "text/javascript",
        Some("css") => "text/css",
        Some("json") => "application/json",
        Some("png") => "image/png",
        Some("svg") => "image/svg+xml",
        Some("ico") => "image/x-icon",
        Some("woff") => "font/woff",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    };
    let reading = tokio::task::spawn_blocking(move || {
        let metadata = std::fs::metadata(&file).ok()?;
        let small = metadata.is_file() && metadata.len() <= FILE_BYTES_MAX;
        small.then(|| std::fs::read(&file).ok())?
    });
    match reading.await {
        Err(_) => ending(),
        Ok(None) => not_found(),
        Ok(Some(bytes)) => ([(header::CONTENT_TYPE, kind)], bytes).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let folder = FilePath::new("/webui/app");
        let inside = Some(PathBuf::from("/webui/app/controllers.js"));
        assert_eq!(within(folder, "controllers.js"), inside);
        for bad in ["../secret", "a/../../b", "/etc/passwd", ".."] {
            assert_eq!(within(folder, bad), None, "{bad}");
        }
    }
}
