//! What to run, and in which environment.

use crate::mesos::v1::{
    ContainerInfo, DiscoveryInfo, DurationInfo, ExecutorId, FrameworkId, Labels, Resource,
};

message! {
    CommandInfo {
        repeated uris: command_info::Uri = 1;
        optional environment: Environment = 2;
        optional shell: bool = 6 [Bool(true)];
        optional value: String = 3;
        repeated arguments: String = 7;
        optional user: String = 5;
    }

    Environment {
        repeated variables: environment::Variable = 1;
    }

    Secret {
        optional r#type: secret::Type = 1;
        optional reference: secret::Reference = 2;
        optional value: secret::Value = 3;
    }

    Credential {
        required principal: String = 1;
        optional secret: String = 2;
    }

    Credentials {
        repeated credentials: Credential = 1;
    }

    ExecutorInfo {
        optional r#type: executor_info::Type = 15;
        required executor_id: ExecutorId = 1;
        optional framework_id: FrameworkId = 8;
        optional command: CommandInfo = 7;
        optional container: Box<ContainerInfo> = 11;
        repeated resources: Resource = 5;
        optional name: String = 9;
        optional source: String = 10;
        optional data: Vec<u8> = 4;
        optional discovery: Box<DiscoveryInfo> = 12;
        optional shutdown_grace_period: DurationInfo = 13;
        optional labels: Labels = 14;
    }
}

/// What belongs to [`CommandInfo`].
pub mod command_info {
    message! {
        Uri {
            required value: String = 1;
            optional executable: bool = 2;
            optional extract: bool = 3 [Bool(true)];
            optional cache: bool = 4;
            optional output_file: String = 5;
        }
    }
}

/// What belongs to [`Environment`].
pub mod environment {
    use crate::mesos::v1::Secret;

    message! {
        Variable {
            required name: String = 1;
            optional r#type: variable::Type = 3 [Enum("VALUE")];
            optional value: String = 2;
            optional secret: Secret = 4;
        }
    }

    /// What belongs to [`Variable`].
    pub mod variable {
        enumeration! {
            Type {
                Unknown = 0 => "UNKNOWN",
                Value = 1 => "VALUE",
                Secret = 2 => "SECRET",
            }
        }
    }
}

/// What belongs to [`Secret`].
pub mod secret {
    enumeration! {
        Type {
            Unknown = 0 => "UNKNOWN",
            Reference = 1 => "REFERENCE",
            Value = 2 => "VALUE",
        }
    }

    message! {
        Reference {
            required name: String = 1;
            optional key: String = 2;
        }

        Value {
            required data: Vec<u8> = 1;
        }
    }
}

/// What belongs to [`ExecutorInfo`].
pub mod executor_info {
    enumeration! {
        Type {
            Unknown = 0 => "UNKNOWN",
            Default = 1 => "DEFAULT",
            Custom = 2 => "CUSTOM",
        }
    }
}
