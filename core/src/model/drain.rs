use core::time::Duration;
use serde::{Deserialize, Serialize};

/// How an agent is drained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrainConfig {
    /// No task gets longer than this to end; each as long as it says itself when not set.
    pub max_grace_period: Option<Duration>,
    /// Whether the agent is gone for ever once it is drained.
    pub mark_gone: bool,
}

/// How far an agent is drained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DrainState {
    /// Something may still run there.
    Draining,
    /// Nothing runs there any more.
    Drained,
}

/// An agent that is drained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrainInfo {
    /// How far.
    pub state: DrainState,
    /// How.
    pub config: DrainConfig,
}

/// What an operator said of an agent, kept until it is taken back. An agent that carries a mark
/// is never offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentMark {
    /// Set while it is drained, and after; without it the agent is only deactivated.
    pub drain: Option<DrainInfo>,
}
