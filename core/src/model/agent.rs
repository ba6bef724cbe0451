use crate::ids::AgentId;
use crate::resources::{Attributes, Resources};
use alloc::string::String;
use serde::{Deserialize, Serialize};

/// Where an agent stands, for frameworks that spread over failure domains.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Domain {
    /// A region: far apart.
    pub region: String,
    /// A zone within the region: fails together.
    pub zone: String,
}

/// What an agent says of itself, and what the registry keeps of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentInfo {
    /// Given by the master that admits it; `None` before the first registration.
    pub id: Option<AgentId>,
    /// The name under which frameworks see the host.
    pub hostname: String,
    /// The address of the host, as operators name machines by it; empty where it is not known.
    pub ip: String,
    /// The port on which the agent serves executors and operators.
    pub port: u16,
    /// All that it offers, static reservations included.
    pub resources: Resources,
    /// What frameworks may select by.
    pub attributes: Attributes,
    /// Where it stands, if the operator says.
    pub domain: Option<Domain>,
}
