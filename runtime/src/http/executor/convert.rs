//! Where an executor's tasks run, put into what it says of them.

use crate::mesos::convert::ids;
use crate::mesos::protobuf;
use crate::mesos::v1;
use crate::mesos::v1::network_info::{IpAddress, Protocol};
use std::net::IpAddr;
use std::sync::Arc;
use tepui_core::ids::ContainerId;
use tepui_core::message::executor::Call;
use tepui_core::model::TaskStatus;

/// A call whose statuses say in which container and where the task runs, as a scheduler wants to
/// know and an executor does not.
pub(super) fn with_container(
    call: Call,
    container_id: &ContainerId,
    pid: Option<u32>,
    ip: IpAddr,
) -> Call {
    let located = |status: Arc<TaskStatus>| {
        let mut more = described(&status);
        let mut container = more.container_status.take().unwrap_or_default();
        let id = ids::container_id_to_v1(container_id);
        container.container_id.get_or_insert(id);
        container.executor_pid = container.executor_pid.or(pid);
        if container.network_infos.is_empty() {
            container.network_infos.push(v1::NetworkInfo {
                ip_addresses: vec![address(ip)],
                ..v1::NetworkInfo::default()
            });
        }
        more.container_status = Some(container);
        Arc::new(TaskStatus {
            verbatim: protobuf::encode(&more).into(),
            ..TaskStatus::clone(&status)
        })
    };
    match call {
        Call::Update { status } => Call::Update {
            status: located(status),
        },
        Call::Subscribe {
            unacknowledged_tasks,
            unacknowledged_updates,
        } => Call::Subscribe {
            unacknowledged_tasks,
            unacknowledged_updates: unacknowledged_updates.into_iter().map(located).collect(),
        },
        call @ Call::Message { .. } => call,
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
