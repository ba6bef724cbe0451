//! Checks and health checks of tasks.

use crate::mesos::v1::{CommandInfo, DurationInfo};

message! {
    CheckInfo {
        optional r#type: check_info::Type = 1;
        optional command: check_info::Command = 2;
        optional http: check_info::Http = 3;
        optional tcp: check_info::Tcp = 7;
        optional delay_seconds: f64 = 4 [F64(15.0)];
        optional interval_seconds: f64 = 5 [F64(10.0)];
        optional timeout_seconds: f64 = 6 [F64(20.0)];
    }

    HealthCheck {
        optional delay_seconds: f64 = 2 [F64(15.0)];
        optional interval_seconds: f64 = 3 [F64(10.0)];
        optional timeout_seconds: f64 = 4 [F64(20.0)];
        optional consecutive_failures: u32 = 5 [U32(3)];
        optional grace_period_seconds: f64 = 6 [F64(10.0)];
        optional r#type: health_check::Type = 8;
        optional command: CommandInfo = 7;
        optional http: health_check::HttpCheckInfo = 1;
        optional tcp: health_check::TcpCheckInfo = 9;
    }

    CheckStatusInfo {
        optional r#type: check_info::Type = 1;
        optional command: check_status_info::Command = 2;
        optional http: check_status_info::Http = 3;
        optional tcp: check_status_info::Tcp = 4;
    }

    KillPolicy {
        optional grace_period: DurationInfo = 1;
    }
}

/// What belongs to [`CheckInfo`].
pub mod check_info {
    use crate::mesos::v1::CommandInfo;

    enumeration! {
        Type {
            Unknown = 0 => "UNKNOWN",
            Command = 1 => "COMMAND",
            Http = 2 => "HTTP",
            Tcp = 3 => "TCP",
        }
    }

    message! {
        Command {
            required command: CommandInfo = 1;
        }

        Http {
            required port: u32 = 1;
            optional path: String = 2;
        }

        Tcp {
            required port: u32 = 1;
        }
    }
}

/// What belongs to [`HealthCheck`].
pub mod health_check {
    use crate::mesos::v1;

    enumeration! {
        Type {
            Unknown = 0 => "UNKNOWN",
            Command = 1 => "COMMAND",
            Http = 2 => "HTTP",
            Tcp = 3 => "TCP",
        }
    }

    message! {
        HttpCheckInfo {
            optional protocol: v1::network_info::Protocol = 5 [Enum("IPv4")];
            optional scheme: String = 3;
            required port: u32 = 1;
            optional path: String = 2;
            repeated statuses: u32 = 4;
        }

        TcpCheckInfo {
            optional protocol: v1::network_info::Protocol = 2 [Enum("IPv4")];
            required port: u32 = 1;
        }
    }
}

/// What belongs to [`CheckStatusInfo`].
pub mod check_status_info {
    message! {
        Command {
            optional exit_code: i32 = 1;
        }

        Http {
            optional status_code: u32 = 1;
        }

        Tcp {
            optional succeeded: bool = 1;
        }
    }
}
