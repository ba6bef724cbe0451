//! What a master serves.

use super::leader::{other_leader, to_leader};
use crate::driver::Handle;
use axum::extract::{OriginalUri, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tepui_core::invariant::Cost;
use tepui_core::log::Status;
use tepui_core::master::MasterNode;
use tepui_core::master::leading::Leading;
use tepui_core::model::{MasterInfo, TaskState};

/// What the handlers need.
#[derive(Clone, Debug)]
pub struct MasterHttp {
    /// The machine.
    pub node: Handle<MasterNode>,
    /// The cluster's name.
    pub cluster: String,
}

/// All that a master serves.
pub fn router(master: MasterHttp) -> Router {
    super::common()
        .route("/state", get(state))
        .route("/master/state", get(state))
        .route("/slaves", get(slaves))
        .route("/master/slaves", get(slaves))
        .route("/metrics/snapshot", get(metrics))
        .route("/debug/invariants", get(invariants))
        .route("/redirect", get(redirect))
        .route("/master/redirect", get(redirect))
        .with_state(master)
}

/// What a question to a master comes to.
enum Answer {
    Here(Value),
    Elsewhere(Option<MasterInfo>),
}

/// Asks the machine, if it leads; else says who does: 307, or 503 while nobody is known.
async fn of_leader(
    master: &MasterHttp,
    uri: &str,
    read: impl FnOnce(&MasterNode) -> Value + Send + 'static,
) -> Response {
    let asked = master.node.inspect(move |node| {
        if node.leading().is_some() {
            return Answer::Here(read(node));
        }
        Answer::Elsewhere(other_leader(node).cloned())
    });
    match asked.await {
        None => super::ending(),
        Some(Answer::Here(value)) => Json(value).into_response(),
        Some(Answer::Elsewhere(leader)) => to_leader(leader.as_ref(), uri),
    }
}

async fn redirect(State(master): State<MasterHttp>) -> Response {
    let leader = master.node.inspect(|node| node.leader().cloned()).await;
    match leader {
        None => super::ending(),
        Some(leader) => to_leader(leader.as_ref(), ""),
    }
}

async fn state(State(master): State<MasterHttp>, uri: OriginalUri) -> Response {
    let cluster = master.cluster.clone();
    of_leader(&master, uri.path(), move |node| {
        let mut state = node.leading().map_or_else(|| json!({}), summary);
        state["cluster"] = json!(cluster);
        state["version"] = json!(env!("CARGO_PKG_VERSION"));
        state["leader"] = json!(node.leader().map(|leader| leader.address.clone()));
        state["registry_version"] = json!(node.registry().version());
        state
    })
    .await
}

/// Counts only: the whole state comes with the operator API.
fn summary(leading: &Leading) -> Value {
    let summary = leading.summary();
    let states = TaskState::ALL.iter().zip(summary.tasks);
    let tasks: serde_json::Map<String, Value> = states
        .map(|(state, count)| (state.to_string(), json!(count)))
        .collect();
    json!({
        "elected_time": summary.elected_at.0 as f64 / 1e3,
        "activated_slaves": summary.agents,
        "missing_slaves": summary.agents_missing,
        "unreachable_slaves": summary.agents_unreachable,
        "gone_slaves": summary.agents_gone,
        "frameworks": summary.frameworks,
        "offers": summary.offers,
        "tasks": tasks,
    })
}

async fn slaves(State(master): State<MasterHttp>, uri: OriginalUri) -> Response {
    of_leader(&master, uri.path(), |node| {
        let agents = node.registry().admitted().iter().map(|(id, admission)| {
            json!({
                "id": id.as_str(),
                "hostname": admission.info.hostname,
                "port": admission.info.port,
                "resources": admission.info.resources.to_string(),
            })
        });
        json!({ "slaves": agents.collect::<Vec<_>>() })
    })
    .await
}

async fn metrics(State(master): State<MasterHttp>) -> Response {
    let values = master.node.inspect(|node| {
        let registry = node.registry();
        let leading = node.leading().map(Leading::summary).unwrap_or_default();
        let leader = node.leader().map_or(0, |leader| leader.id.0);
        json!({
            "master/elected": f64::from(u8::from(node.leading().is_some())),
            "master/slaves_active": leading.agents,
            "master/slaves_missing": leading.agents_missing,
            "master/slaves_admitted": registry.admitted().len(),
            "master/slaves_unreachable": registry.unreachable().len(),
            "master/frameworks_active": leading.frameworks,
            "master/outstanding_offers": leading.offers,
            "registrar/version": registry.version(),
            "registrar/log/recovered": u8::from(node.log().status() == Status::Voting),
            "registrar/log/ensemble_size": node.log().membership().masters().len(),
            "log/applied": node.applied().0,
            "log/leader": leader,
        })
    });
    let values = values.await;
    values.map_or_else(super::ending, |values| Json(values).into_response())
}

async fn invariants(State(master): State<MasterHttp>) -> Response {
    let violations = master.node.inspect(|node| node.check(Cost::Linear)).await;
    violations.map_or_else(super::ending, |found| super::invariants(&found))
}
