//! What the cluster is made of: plain data that machines, messages and checkpoints share.
//!
//! Immutable payloads travel in [`Arc`](alloc::sync::Arc)s: a task's description is cloned into
//! messages, checkpoints and views without being copied.

mod agent;
mod command;
mod convert;
mod drain;
mod framework;
mod maintenance;
mod master;
mod offer;
mod operation;
mod quota;
mod status;
mod task;

pub use agent::{AgentInfo, Domain};
pub use command::CommandInfo;
pub use convert::{OperationError, check_resources};
pub use drain::{AgentMark, DrainConfig, DrainInfo, DrainState};
pub use framework::{Capabilities, FrameworkInfo};
pub use maintenance::{
    InverseOfferAnswer, InverseOfferStatus, Machine, MachineId, MachineMode, Unavailability, Window,
};
pub use master::MasterInfo;
pub use offer::{Filters, InverseOffer, MalformedTask, Offer, OfferOperation};
pub use operation::{OperationState, OperationStatus, ResourceOperation};
pub use quota::{Limits, Quota, listed};
pub use status::{Reason, Source, StatusUpdate, TaskStatus};
pub use task::{ExecutorInfo, Label, TaskInfo, TaskState};
