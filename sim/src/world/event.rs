//! What can be planned, and what can happen to a node. Planned events are small: what is large
//! lies in slabs.

use crate::net::{ConnectionKey, RuleAction, RuleKey, Rules, Side};
use crate::node::NodeIndex;
use std::sync::Arc;
use tepui_core::agent::ContainerLaunch;
use tepui_core::durable::WriteSequence;
use tepui_core::ids::{ContainerId, MasterId, Peer, TaskId};
use tepui_core::log;
use tepui_core::message::operator::{Request, RequestId};
use tepui_core::message::{agent, executor, scheduler};

/// An entry of the queue.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// A datagram arrives.
    Datagram {
        /// Whose.
        from: NodeIndex,
        /// At whom.
        to: NodeIndex,
        /// What.
        payload: u32,
    },
    /// The next piece of a connection arrives.
    Arrival {
        /// On which.
        key: ConnectionKey,
        /// Who sent it.
        from: Side,
        /// What.
        payload: u32,
    },
    /// What was held back on a connection may go on.
    Resume {
        /// On which.
        key: ConnectionKey,
        /// Who sent it.
        from: Side,
    },
    /// Data on a connection was not acknowledged for too long.
    StallTimeout {
        /// On which.
        key: ConnectionKey,
        /// Who sent it.
        from: Side,
        /// Which stall; an older one has passed.
        stall: u16,
    },
    /// A deadline came.
    Tick {
        /// Whose.
        node: NodeIndex,
    },
    /// A disk's sync is done.
    Synced {
        /// Whose.
        node: NodeIndex,
        /// In which run.
        run: u32,
        /// Which lane.
        lane: u8,
    },
    /// Something that concerns one node alone.
    Local {
        /// Whom.
        node: NodeIndex,
        /// In which run.
        run: u32,
        /// What.
        delivery: u32,
    },
    /// An attempt to connect arrives.
    Dial {
        /// Names it.
        attempt: u32,
    },
    /// A step of the scenario.
    Step {
        /// Which.
        index: u32,
    },
}

const _: () = assert!(size_of::<Event>() <= 16);

/// What travels between nodes.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    /// Between masters.
    Log(log::Message),
    /// From an agent to a master.
    AgentToMaster(agent::ToMaster),
    /// From a master to an agent.
    MasterToAgent(agent::ToAgent),
    /// From a scheduler to a master.
    SchedulerToMaster(scheduler::ToMaster),
    /// From a master to a scheduler.
    MasterToScheduler(scheduler::ToScheduler),
    /// From an executor to its agent.
    ExecutorToAgent(executor::ToAgent),
    /// From an agent to an executor.
    AgentToExecutor(executor::Event),
    /// The sender closed the connection, or its process died.
    End,
}

/// What happens to a node.
#[derive(Clone, Debug, PartialEq)]
pub enum Delivery {
    /// Its deadline came.
    Tick,
    /// A datagram of another master.
    Datagram {
        /// Whose.
        from: MasterId,
        /// What.
        message: log::Message,
    },
    /// A connection to another master broke.
    LinkBroken {
        /// To whom.
        with: MasterId,
    },
    /// Writes are durable.
    Persisted {
        /// Of which lane.
        lane: u8,
        /// Up to which.
        up_to: WriteSequence,
    },
    /// A connection that it asked for is open.
    Connected {
        /// Which.
        peer: Peer,
    },
    /// A connection broke or could not be opened.
    Disconnected {
        /// Which.
        peer: Peer,
    },
    /// Something on a connection.
    Message {
        /// Which.
        peer: Peer,
        /// What.
        payload: Payload,
    },
    /// The workload of a `log` cluster wants this appended.
    Append {
        /// Names it.
        token: u64,
        /// What.
        value: Arc<[u8]>,
    },
    /// An operator asks a master for something.
    Operator {
        /// Names the request.
        id: RequestId,
        /// What.
        request: Request,
    },
    /// A container is ready to be started on an agent's host.
    LaunchContainer(Arc<ContainerLaunch>),
    /// A container is over.
    ContainerExited {
        /// Which.
        container_id: ContainerId,
        /// Exit code, or 128 + signal.
        status: Option<i32>,
    },
    /// A task's process runs.
    ProcessStarted {
        /// Whose.
        task_id: TaskId,
    },
    /// A task's process is over.
    ProcessExited {
        /// Whose.
        task_id: TaskId,
        /// Which run; of another nobody is told.
        serial: u64,
        /// Exit code, or 128 + signal.
        status: i32,
    },
    /// A framework's operator asks for something.
    Request {
        /// What.
        body: Arc<[u8]>,
    },
    /// A scheduler is told to end.
    Stop {
        /// Whether the framework ends with it.
        teardown: bool,
    },
    /// An agent is shut down for good.
    Shutdown,
    /// The state machine of a `log` cluster answers.
    SnapshotTaken {
        /// What it covers.
        through: log::Position,
        /// Its bytes.
        state: Arc<[u8]>,
    },
}

impl Payload {
    /// What the scripted faults do with it.
    pub(super) fn judge(
        &self,
        rules: &mut Rules,
        from: NodeIndex,
        to: NodeIndex,
    ) -> Option<(RuleKey, RuleAction)> {
        match self {
            Payload::Log(message) => rules.judge(from, to, message),
            Payload::AgentToMaster(message) => rules.judge(from, to, message),
            Payload::MasterToAgent(message) => rules.judge(from, to, message),
            Payload::SchedulerToMaster(message) => rules.judge(from, to, message),
            Payload::MasterToScheduler(message) => rules.judge(from, to, message),
            Payload::ExecutorToAgent(message) => rules.judge(from, to, message),
            Payload::AgentToExecutor(message) => rules.judge(from, to, message),
            Payload::End => None,
        }
    }
}
