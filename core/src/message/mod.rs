//! What nodes say to each other. Masters among themselves speak [`crate::log`]'s messages.

pub mod agent;
pub mod executor;
pub mod operator;
pub mod scheduler;

use crate::model::MasterInfo;
use alloc::string::String;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A legal "no", sent to the peer as data. The state was not changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Error)]
pub enum Reject {
    /// This master does not lead.
    #[error("this master does not lead: {}", whom_to_ask(leader.as_ref()))]
    NotLeading {
        /// Who does, if known.
        leader: Option<MasterInfo>,
    },
    /// The call is not one that this framework, or anybody, may make now.
    #[error("{0}")]
    Invalid(String),
    /// The framework is not subscribed through this connection.
    #[error("{0}")]
    NotSubscribed(String),
    /// Not allowed to this principal.
    #[error("{0}")]
    Forbidden(String),
    /// A bound was reached; try again later.
    #[error("{0}")]
    Busy(String),
    /// The framework may not subscribe. A stream says so with its only event, ERROR.
    #[error("{0}")]
    Refused(String),
    /// The call is a good one, and there is nothing for it to act on: an offer, a task or an
    /// executor that is not there any more, another's role. Mesos accepts such calls and drops
    /// them.
    #[error("{0}")]
    Dropped(String),
    /// No framework of this id is known.
    #[error("{0}")]
    NoSuchFramework(String),
}

fn whom_to_ask(leader: Option<&MasterInfo>) -> String {
    match leader {
        Some(leader) => alloc::format!("ask {}", leader.address),
        None => String::from("there is no leader now, try again"),
    }
}
