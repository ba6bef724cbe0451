//! Where an executor's tasks run, put into what it says of them.

use crate::container::kind::nested_id;
use crate::mesos::convert::ids;
use crate::mesos::protobuf;
use crate::mesos::v1;
use crate::mesos::v1::network_info::{IpAddress, Protocol};
use std::net::IpAddr;
use std::sync::Arc;
use tepui_core::ids::ContainerId;
use tepui_core::message::executor::Call;
use tepui_core::model::TaskStatus;

/// Where an executor runs.
#[derive(Debug)]
pub(super) struct Place {
    /// Its container.
    pub(super) container_id: ContainerId,
    /// Its first process, if that was seen.
    pub(super) pid: Option<u32>,
    /// Whether its tasks have containers of their own within it.
    pub(super) nests: bool,
    /// Where it and its tasks are reached.
    pub(super) ip: IpAddr,
}

impl Place {
    /// A call whose statuses say in which container and where the task runs, as a scheduler wants
    /// to know and an executor does not.
    pub(super) fn told_in(&self, call: Call) -> Call {
        let told = |status: Arc<TaskStatus>| Arc::new(self.told_in_status(&status));
        match call {
            Call::Update { status } => Call::Update {
                status: told(status),
            },
            Call::Subscribe {
                unacknowledged_tasks,
                unacknowledged_updates,
            } => Call::Subscribe {
                unacknowledged_tasks,
                unacknowledged_updates: unacknowledged_updates.into_iter().map(told).collect(),
            },
            call @ Call::Message { .. } => call,
        }
    }

    fn told_in_status(&self, status: &TaskStatus) -> TaskStatus {
        let mut more = described(status);
        let mut container = more.container_status.take().unwrap_or_default();
        container
            .container_id
            .get_or_insert_with(|| self.container_of(status));
        container.executor_pid = container.executor_pid.or(self.pid);
        if container.network_infos.is_empty() {
            container.network_infos.push(v1::NetworkInfo {
                ip_addresses: vec![address(self.ip)],
                ..v1::NetworkInfo::default()
            });
        }
        more.container_status = Some(container);
        TaskStatus {
            verbatim: protobuf::encode(&more).into(),
            ..status.clone()
        }
    }

    fn container_of(&self, status: &TaskStatus) -> v1::ContainerId {
        let own = ids::container_id_to_v1(&self.container_id);
        match self.nests {
            false => own,
            true => v1::ContainerId {
                value: Some(nested_id(&self.container_id, &status.task_id)),
                parent: Some(Box::new(own)),
            },
        }
    }
}

/// What the status' sender wrote; what a status without that would say at least.
fn described(status: &TaskStatus) -> v1::TaskStatus {
    let written = protobuf::decode(&status.verbatim).ok();
    written.unwrap_or_else(|| v1::TaskStatus {
        task_id: Some(ids::task_id_to_v1(&status.task_id)),
        state: Some(v1::TaskState::Running),
        ..v1::TaskStatus::default()
    })
}

fn address(ip: IpAddr) -> IpAddress {
    let protocol = match ip {
        IpAddr::V4(_) => Protocol::Ipv4,
        IpAddr::V6(_) => Protocol::Ipv6,
    };
    IpAddress {
        protocol: Some(protocol),
        ip_address: Some(ip.to_string()),
    }
}
