//! The classic endpoints of a master: pages for people and tools, and forms for operators, each
//! with and without the prefix that Mesos' masters have.

pub mod agents;
pub mod amounts;
pub mod files;
pub mod forms;
pub mod frameworks;
pub mod metrics;
pub mod pages;
pub mod tasks;
mod webui;

use super::cluster::Cluster;
use super::master::{About, MasterHttp};
use super::reply::{Parameters, empty, json, text, written};
use super::{ending, version};
use axum::Router;
use axum::extract::{RawQuery, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::any;
use serde_json::json as value;

/// Mesos' prefix for a master's endpoints.
const PREFIX: &str = "/master";

/// The classic endpoints.
pub fn router(master: &MasterHttp) -> Router {
    let pages = |prefix: &str| {
        let at = |path: &str| format!("{prefix}{path}");
        Router::new()
            .route(&at("/state"), any(state))
            .route(&at("/state-summary"), any(state_summary))
            .route(&at("/slaves"), any(slaves))
            .route(&at("/frameworks"), any(frameworks))
            .route(&at("/tasks"), any(tasks))
            .route(&at("/roles"), any(roles))
            .route(&at("/quota"), any(forms::quota))
            .route(&at("/quota/{*role}"), any(forms::quota))
            .route(&at("/weights"), any(forms::weights))
            .route(&at("/maintenance/schedule"), any(forms::schedule))
            .route(&at("/maintenance/status"), any(forms::machines))
            .route(&at("/machine/down"), any(forms::machine_down))
            .route(&at("/machine/up"), any(forms::machine_up))
            .route(&at("/teardown"), any(forms::teardown))
            .route(&at("/reserve"), any(forms::operation))
            .route(&at("/unreserve"), any(forms::operation))
            .route(&at("/create-volumes"), any(forms::operation))
            .route(&at("/destroy-volumes"), any(forms::operation))
            .route(&at("/flags"), any(flags))
            .route(&at("/health"), any(async || empty(StatusCode::OK)))
            .route(&at("/redirect"), any(redirect))
            .route(&at("/app/{*path}"), any(webui::app))
            .route(&at("/assets/{*path}"), any(webui::assets))
            .with_state(master.clone())
    };
    Router::new()
        .route("/version", any(version_page))
        .route("/metrics/snapshot", any(metrics::snapshot))
        .route("/files/browse", any(files::browse))
        .route("/files/read", any(files::read))
        .route("/files/download", any(files::download))
        .route("/files/debug", any(files::debug))
        .route("/", any(webui::index))
        .route("/master/", any(webui::index))
        .route("/logging/toggle", any(logging))
        .route("/system/stats.json", any(metrics::system_page))
        .with_state(master.clone())
        .merge(pages(""))
        .merge(pages(PREFIX))
}

/// Answers with a page of the leader, written on a thread of its own.
async fn leader_page(
    master: MasterHttp,
    request: Request,
    write: impl FnOnce(&About, &Cluster, &Parameters) -> Vec<u8> + Send + 'static,
) -> Response {
    let uri = request.uri();
    let asked = Parameters::read(uri.query().unwrap_or_default());
    let path = uri.path_and_query().map_or("/", |whole| whole.as_str());
    let taken = match master.snapshot(path).await {
        Ok(taken) => taken,
        Err(elsewhere) => return elsewhere,
    };
    let about = master.about.clone();
    let writing = tokio::task::spawn_blocking(move || {
        let body = write(&about, &taken.sums(), &asked);
        written(body, asked.jsonp())
    });
    writing.await.unwrap_or_else(|_| ending())
}

async fn state(State(master): State<MasterHttp>, request: Request) -> Response {
    leader_page(master, request, |about, cluster, _| {
        pages::state(about, cluster)
    })
    .await
}

async fn state_summary(State(master): State<MasterHttp>, request: Request) -> Response {
    let write =
        |about: &About, cluster: &Cluster, _: &Parameters| pages::state_summary(about, cluster);
    leader_page(master, request, write).await
}

async fn slaves(State(master): State<MasterHttp>, request: Request) -> Response {
    leader_page(master, request, |_, cluster, asked| {
        pages::slaves(cluster, asked)
    })
    .await
}

async fn frameworks(State(master): State<MasterHttp>, request: Request) -> Response {
    leader_page(master, request, |_, cluster, asked| {
        pages::frameworks(cluster, asked)
    })
    .await
}

async fn tasks(State(master): State<MasterHttp>, request: Request) -> Response {
    leader_page(master, request, |_, cluster, asked| {
        pages::tasks(cluster, asked)
    })
    .await
}

async fn roles(State(master): State<MasterHttp>, request: Request) -> Response {
    leader_page(master, request, |_, cluster, _| pages::roles(cluster)).await
}

async fn flags(State(master): State<MasterHttp>, RawQuery(query): RawQuery) -> Response {
    let asked = Parameters::read(query.as_deref().unwrap_or_default());
    json(&value!({ "flags": master.about.flags }), asked.jsonp())
}

async fn version_page(RawQuery(query): RawQuery) -> Response {
    let asked = Parameters::read(query.as_deref().unwrap_or_default());
    json(&version::page(), asked.jsonp())
}

async fn redirect(State(master): State<MasterHttp>) -> Response {
    master.redirect().await
}

/// How much more than usual is logged; with `level` and `duration`, for so long.
async fn logging(State(master): State<MasterHttp>, RawQuery(query): RawQuery) -> Response {
    let asked = Parameters::read(query.as_deref().unwrap_or_default());
    let bad = |message: &str| text(StatusCode::BAD_REQUEST, message);
    let (level, duration) = match (asked.get("level"), asked.get("duration")) {
        (None, None) => return text(StatusCode::OK, format!("{}\n", master.logging.level())),
        (None, Some(_)) => return bad("Expecting 'level=value' in query.\n"),
        (Some(_), None) => return bad("Expecting 'duration=value' in query.\n"),
        (Some(level), Some(duration)) => (level, duration),
    };
    let Ok(level) = level.parse::<u32>() else {
        return bad(&format!("Failed to convert '{level}' to number.\n"));
    };
    match crate::cli::flags::duration(duration) {
        Err(why) => bad(&format!("{why}.\n")),
        Ok(duration) => {
            master.logging.set(level, duration);
            empty(StatusCode::OK)
        }
    }
}
