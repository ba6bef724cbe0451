//! What a master serves.

use super::classic;
use super::classic::metrics::RegistrySize;
use super::cluster::Cluster;
use super::leader::{Leader, Standing, to_leader};
use super::operator::{self, Events, Requests};
use super::reply::not_found;
use super::{ending, invariants};
use crate::cli::logging::Verbosity;
use crate::driver::Handle;
use crate::node::counters::Counters;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use tepui_core::invariant::Cost;
use tepui_core::master::MasterNode;
use tepui_core::master::leading::Snapshot;
use tepui_core::registry::OperatorState;

/// What never changes while a master runs.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// The cluster's name.
    pub cluster: String,
    /// The flags by Mesos' names, as text.
    pub flags: BTreeMap<String, String>,
    /// Where it logs, if that is a file.
    pub log_file: Option<PathBuf>,
    /// Where the web interface is, if it is there.
    pub webui_dir: Option<PathBuf>,
    /// Whether metrics name every framework.
    pub per_framework_metrics: bool,
    /// When it started: seconds since the Unix epoch.
    pub started_at: f64,
}

/// What the handlers need.
#[derive(Clone, Debug)]
pub struct MasterHttp {
    /// The machine.
    pub node: Handle<MasterNode>,
    /// Who leads.
    pub leader: Leader,
    /// What never changes.
    pub about: Arc<About>,
    /// What is counted.
    pub counters: Counters,
    /// Operators that wait for the node's answer.
    pub requests: Requests,
    /// Those who listen to what happens.
    pub events: Events,
    /// How much is logged.
    pub logging: Verbosity,
    /// How large the registry is.
    pub registry_size: RegistrySize,
}

/// All that a master serves, apart from the scheduler API.
pub fn router(master: &MasterHttp) -> Router {
    Router::new()
        .route("/debug/invariants", get(check))
        .with_state(master.clone())
        .merge(operator::router(master.clone()))
        .merge(classic::router(master))
        .fallback(async || not_found())
}

/// One moment's view of a leader.
#[derive(Debug)]
pub struct Taken {
    /// What it knows.
    pub snapshot: Snapshot,
    /// What operators have set.
    pub settings: OperatorState,
}

impl Taken {
    /// Of a node, if it leads.
    #[must_use]
    pub fn of(node: &MasterNode) -> Option<Taken> {
        Some(Taken {
            snapshot: node.leading()?.snapshot(),
            settings: node.registry().operator().clone(),
        })
    }

    /// Adds it up, which takes time.
    #[must_use]
    pub fn sums(self) -> Cluster {
        Cluster::new(self.snapshot, self.settings)
    }
}

impl MasterHttp {
    /// The way to the leader, unless this master is it.
    #[must_use]
    pub fn elsewhere(&self, path_and_query: &str) -> Option<Response> {
        let leader = match self.leader.standing() {
            Standing::Here => return None,
            Standing::Elsewhere(leader) => Some(leader),
            Standing::Nobody => None,
        };
        Some(to_leader(leader.as_ref(), path_and_query))
    }

    /// One moment's view, if this master leads.
    ///
    /// # Errors
    /// The answer that says who does.
    pub async fn snapshot(&self, path_and_query: &str) -> Result<Taken, Response> {
        if let Some(elsewhere) = self.elsewhere(path_and_query) {
            return Err(elsewhere);
        }
        match self.node.inspect(Taken::of).await {
            None => Err(ending()),
            Some(Some(taken)) => Ok(taken),
            // It stopped leading a moment ago.
            Some(None) => Err(to_leader(None, path_and_query)),
        }
    }

    /// Where the leader is.
    pub async fn redirect(&self) -> Response {
        let leader = self.node.inspect(|node| node.leader().cloned()).await;
        match leader {
            None => ending(),
            Some(leader) => to_leader(leader.as_ref(), ""),
        }
    }
}

async fn check(State(master): State<MasterHttp>) -> Response {
    let violations = master.node.inspect(|node| node.check(Cost::Linear)).await;
    violations.map_or_else(ending, |found| invariants(&found))
}
