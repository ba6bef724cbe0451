//! Who leads, as every HTTP handler sees it without asking the node, and what those are told who
//! ask the wrong master.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use tepui_core::master::MasterNode;
use tepui_core::model::MasterInfo;
use tokio::sync::watch;

/// Where calls belong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Nobody leads, or nobody knows who; also while this master is on its way to lead.
    #[default]
    Nobody,
    /// This master leads.
    Here,
    /// Another one leads.
    Elsewhere(MasterInfo),
}

/// The standing that the node's loop saw last, shared by those who serve.
#[derive(Clone, Debug, Default)]
pub struct Leader(Arc<watch::Sender<Standing>>);

impl Leader {
    /// The standing now.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.0.borrow().clone()
    }

    /// The standing now and its changes.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Standing> {
        self.0.subscribe()
    }

    /// Called after every input of the node, so it looks before it copies.
    pub fn observe(&self, node: &MasterNode) {
        let unchanged = {
            let known = self.0.borrow();
            match (&*known, node.leading(), other_leader(node)) {
                (Standing::Here, Some(_), _) | (Standing::Nobody, None, None) => true,
                (Standing::Elsewhere(known), None, Some(leader)) => known == leader,
                _ => false,
            }
        };
        if unchanged {
            return;
        }
        let standing = match (node.leading(), other_leader(node)) {
            (Some(_), _) => Standing::Here,
            (None, Some(leader)) => Standing::Elsewhere(leader.clone()),
            (None, None) => Standing::Nobody,
        };
        self.0.send_replace(standing);
    }
}

/// The leader, if it is known and not this master, which may be on its way to lead.
#[must_use]
pub fn other_leader(node: &MasterNode) -> Option<&MasterInfo> {
    let leader = node.leader()?;
    (leader.id != node.log().me()).then_some(leader)
}

/// The way to the leader: 307 with the same path, or 503 while nobody is known.
#[must_use]
pub fn to_leader(leader: Option<&MasterInfo>, path_and_query: &str) -> Response {
    match leader {
        Some(leader) => {
            let location = format!("//{}{path_and_query}", leader.address);
            let headers = [(header::LOCATION, location)];
            (StatusCode::TEMPORARY_REDIRECT, headers).into_response()
        }
        None => (StatusCode::SERVICE_UNAVAILABLE, "No leader elected").into_response(),
    }
}
