//! Ids, times, and where things are.

message! {
    FrameworkId {
        required value: String = 1;
    }

    OfferId {
        required value: String = 1;
    }

    AgentId {
        required value: String = 1;
    }

    TaskId {
        required value: String = 1;
    }

    ExecutorId {
        required value: String = 1;
    }

    ContainerId {
        required value: String = 1;
        optional parent: Box<ContainerId> = 2;
    }

    ResourceProviderId {
        required value: String = 1;
    }

    OperationId {
        required value: String = 1;
    }

    Uuid {
        required value: Vec<u8> = 1;
    }

    TimeInfo {
        required nanoseconds: i64 = 1;
    }

    DurationInfo {
        required nanoseconds: i64 = 1;
    }

    Address {
        optional hostname: String = 1;
        optional ip: String = 2;
        required port: i32 = 3;
    }

    Url {
        required scheme: String = 1;
        required address: Address = 2;
        optional path: String = 3;
        repeated query: Parameter = 4;
        optional fragment: String = 5;
    }

    Unavailability {
        required start: TimeInfo = 1;
        optional duration: DurationInfo = 2;
    }

    MachineId {
        optional hostname: String = 1;
        optional ip: String = 2;
    }

    MachineInfo {
        required id: MachineId = 1;
        optional mode: machine_info::Mode = 2;
        optional unavailability: Unavailability = 3;
    }

    Parameter {
        required key: String = 1;
        required value: String = 2;
    }

    Parameters {
        repeated parameter: Parameter = 1;
    }

    Labels {
        repeated labels: Label = 1;
    }

    Label {
        required key: String = 1;
        optional value: String = 2;
    }

    DomainInfo {
        optional fault_domain: domain_info::FaultDomain = 1;
    }
}

/// What belongs to [`MachineInfo`].
pub mod machine_info {
    enumeration! {
        Mode {
            Up = 1 => "UP",
            Draining = 2 => "DRAINING",
            Down = 3 => "DOWN",
        }
    }
}

/// What belongs to [`DomainInfo`].
pub mod domain_info {
    message! {
        FaultDomain {
            required region: fault_domain::RegionInfo = 1;
            required zone: fault_domain::ZoneInfo = 2;
        }
    }

    /// What belongs to [`FaultDomain`].
    pub mod fault_domain {
        message! {
            RegionInfo {
                required name: String = 1;
            }

            ZoneInfo {
                required name: String = 1;
            }
        }
    }
}

message! {
    /// `google.protobuf.Duration`, which one call uses in place of [`DurationInfo`].
    ProtobufDuration {
        optional seconds: i64 = 1;
        optional nanos: i32 = 2;
    }
}
