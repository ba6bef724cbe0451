//! Maintenance schedules.

use crate::mesos::v1::{MachineId, Unavailability};

message! {
    Window {
        repeated machine_ids: MachineId = 1;
        required unavailability: Unavailability = 2;
    }

    Schedule {
        repeated windows: Window = 1;
    }

    ClusterStatus {
        repeated draining_machines: cluster_status::DrainingMachine = 1;
        repeated down_machines: MachineId = 2;
    }
}

/// What belongs to [`ClusterStatus`].
pub mod cluster_status {
    use crate::mesos::v1::{self, MachineId};

    message! {
        DrainingMachine {
            required id: MachineId = 1;
            repeated statuses: v1::allocator::InverseOfferStatus = 2;
        }
    }
}
