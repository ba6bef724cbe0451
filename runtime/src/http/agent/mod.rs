//! What an agent serves: the v1 executor and operator APIs, the classic pages, and files; each
//! with and without the prefix that Mesos' agents have.

mod containers;
mod convert;
mod files;
mod lists;
mod metrics;
mod model;
mod operator;
pub mod paths;
mod providers;
mod state;

use super::executor::{self, ExecutorApi};
use crate::cli::logging::Verbosity;
use crate::container::Containers;
use crate::container::nested::Nested;
use crate::container::sandbox::WorkDir;
use crate::driver::Handle;
use crate::net::find::Masters;
use crate::node::book::SharedBook;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{any, get};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use tepui_core::agent::AgentNode;
use tepui_core::invariant::Cost;

/// What the handlers need.
#[derive(Clone, Debug)]
pub struct AgentHttp {
    /// The machine.
    pub node: Handle<AgentNode>,
    /// Where the files are.
    pub work_dir: WorkDir,
    /// What runs and ran here.
    pub book: SharedBook,
    /// The flags, as text.
    pub flags: Arc<BTreeMap<String, String>>,
    /// Where masters are looked for.
    pub masters: Masters,
    /// `host:port` under which others reach the agent.
    pub address: String,
    /// Where it logs, if that is a file.
    pub log_file: Option<PathBuf>,
    /// How much is logged.
    pub logging: Verbosity,
    /// Executors' containers.
    pub executors: Containers,
    /// Containers that are not executors'.
    pub nested: Nested,
    /// How long it took to find what was left of a former run.
    pub recovery_secs: f64,
}

impl AgentHttp {
    /// The agent's name among Mesos' processes.
    #[must_use]
    pub fn pid(&self) -> String {
        format!("slave(1)@{}", self.address)
    }
}

/// Mesos' prefix for an agent's endpoints.
const PREFIX: &str = "/slave(1)";

/// All that an agent serves.
pub fn router(agent: &AgentHttp, executors: &ExecutorApi) -> Router {
    let apis = |prefix: &str| {
        let at = |path: &str| format!("{prefix}{path}");
        let executors = Router::new()
            .route(&at("/api/v1/executor"), any(executor::serve))
            .with_state(executors.clone());
        Router::new()
            .route(&at("/api/v1"), any(operator::serve))
            .route(&at("/api/v1/operator"), any(operator::serve))
            .route(&at("/health"), get(health))
            .route(&at("/state"), get(state::state))
            .route(&at("/state.json"), get(state::state))
            .route(&at("/containers"), get(state::containers))
            .route(&at("/monitor/statistics"), get(state::statistics))
            .route(&at("/monitor/statistics.json"), get(state::statistics))
            .route(&at("/flags"), get(state::flags))
            .with_state(agent.clone())
            .merge(executors)
    };
    let files = [
        ("/files/browse", get(files::browse)),
        ("/files/read", get(files::read)),
        ("/files/download", get(files::download)),
        ("/files/debug", get(files::debug)),
    ];
    let mut router: Router<AgentHttp> = Router::new();
    for (path, handler) in files {
        router = router
            .route(path, handler.clone())
            .route(&format!("{path}.json"), handler);
    }
    router
        .route("/version", get(state::version))
        .route("/metrics/snapshot", get(metrics::snapshot))
        .route("/metrics/snapshot.json", get(metrics::snapshot))
        .route("/debug/invariants", get(invariants))
        .with_state(agent.clone())
        .merge(apis(""))
        .merge(apis(PREFIX))
        .fallback(async || super::reply::not_found())
}

async fn health() -> axum::http::StatusCode {
    axum::http::StatusCode::OK
}

async fn invariants(State(agent): State<AgentHttp>) -> Response {
    let violations = agent.node.inspect(|agent| agent.check(Cost::Linear)).await;
    violations.map_or_else(super::ending, |found| super::invariants(&found))
}
