use crate::ids::MasterId;
use alloc::string::String;
use serde::{Deserialize, Serialize};

/// A master as others know it; a member of the log's membership.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MasterInfo {
    /// Its number.
    pub id: MasterId,
    /// `host:port`, where masters, agents, frameworks and operators reach it.
    pub address: String,
}
