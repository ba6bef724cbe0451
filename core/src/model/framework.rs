use crate::ids::FrameworkId;
use crate::resources::Role;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// What a framework says that it understands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools)]
pub struct Capabilities {
    /// Wants UNREACHABLE, DROPPED, GONE .. instead of LOST.
    pub partition_aware: bool,
    /// Takes part in several roles.
    pub multi_role: bool,
    /// Takes agents that have GPUs.
    pub gpu_resources: bool,
    /// Understands the KILLING state.
    pub task_killing_state: bool,
    /// Takes resources that may be taken back.
    pub revocable_resources: bool,
    /// Understands reservations that refine another.
    pub reservation_refinement: bool,
    /// Takes shared volumes.
    pub shared_resources: bool,
    /// Takes agents of other regions.
    pub region_aware: bool,
}

/// A framework as it describes itself on subscribing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrameworkInfo {
    /// `None` on the first subscription; the master gives it, the scheduler keeps it for ever.
    pub id: Option<FrameworkId>,
    /// Whose account its tasks run under unless they say otherwise.
    pub user: String,
    /// For people.
    pub name: String,
    /// The roles in which it takes offers; one, or any number with
    /// [`Capabilities::multi_role`].
    pub roles: Vec<Role>,
    /// How long its tasks outlive its scheduler.
    pub failover_timeout: Duration,
    /// Whether its executors and updates survive the agent's restart.
    pub checkpoint: bool,
    /// What it understands.
    pub capabilities: Capabilities,
    /// Whom it authenticated as.
    pub principal: Option<String>,
    /// Where its scheduler runs.
    pub hostname: String,
    /// Its own web page.
    pub webui_url: Option<String>,
    /// The description as its sender wrote it (Mesos' v1 protobuf form), unread by the core: what
    /// the core does not decide by is in here and nowhere else. Empty if there is none.
    #[serde(with = "crate::wire::bytes")]
    pub verbatim: Arc<[u8]>,
}
