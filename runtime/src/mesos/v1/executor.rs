//! The v1 executor API: calls to the agent, events from it.

use crate::mesos::v1::{ExecutorId, FrameworkId};

message! {
    Event {
        optional r#type: event::Type = 1;
        optional subscribed: event::Subscribed = 2;
        optional acknowledged: event::Acknowledged = 3;
        optional launch: event::Launch = 4;
        optional launch_group: event::LaunchGroup = 8;
        optional kill: event::Kill = 5;
        optional message: event::Message = 6;
        optional error: event::Error = 7;
    }

    Call {
        required executor_id: ExecutorId = 1;
        required framework_id: FrameworkId = 2;
        optional r#type: call::Type = 3;
        optional subscribe: call::Subscribe = 4;
        optional update: call::Update = 5;
        optional message: call::Message = 6;
    }
}

/// What belongs to [`Event`].
pub mod event {
    use crate::mesos::v1::{
        AgentInfo, ContainerId, ExecutorInfo, FrameworkInfo, KillPolicy, TaskGroupInfo, TaskId,
        TaskInfo,
    };

    enumeration! {
        Type {
            Unknown = 0 => "UNKNOWN",
            Subscribed = 1 => "SUBSCRIBED",
            Launch = 2 => "LAUNCH",
            LaunchGroup = 8 => "LAUNCH_GROUP",
            Kill = 3 => "KILL",
            Acknowledged = 4 => "ACKNOWLEDGED",
            Message = 5 => "MESSAGE",
            Error = 6 => "ERROR",
            Shutdown = 7 => "SHUTDOWN",
            Heartbeat = 9 => "HEARTBEAT",
        }
    }

    message! {
        Subscribed {
            required executor_info: ExecutorInfo = 1;
            required framework_info: FrameworkInfo = 2;
            required agent_info: AgentInfo = 3;
            optional container_id: ContainerId = 4;
        }

        Launch {
            required task: TaskInfo = 1;
        }

        LaunchGroup {
            required task_group: TaskGroupInfo = 1;
        }

        Kill {
            required task_id: TaskId = 1;
            optional kill_policy: KillPolicy = 2;
        }

        Acknowledged {
            required task_id: TaskId = 1;
            required uuid: Vec<u8> = 2;
        }

        Message {
            required data: Vec<u8> = 1;
        }

        Error {
            required message: String = 1;
        }
    }
}

/// What belongs to [`Call`].
pub mod call {
    use crate::mesos::v1::{TaskInfo, TaskStatus};

    enumeration! {
        Type {
            Unknown = 0 => "UNKNOWN",
            Subscribe = 1 => "SUBSCRIBE",
            Update = 2 => "UPDATE",
            Message = 3 => "MESSAGE",
            Heartbeat = 4 => "HEARTBEAT",
        }
    }

    message! {
        Subscribe {
            repeated unacknowledged_tasks: TaskInfo = 1;
            repeated unacknowledged_updates: Update = 2;
        }

        Update {
            required status: TaskStatus = 1;
        }

        Message {
            required data: Vec<u8> = 2;
        }
    }
}
