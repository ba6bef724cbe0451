//! Values, attributes and resources.

use crate::mesos::v1::ResourceProviderId;

message! {
    Value {
        required r#type: value::Type = 1;
        optional scalar: value::Scalar = 2;
        optional ranges: value::Ranges = 3;
        optional set: value::Set = 4;
        optional text: value::Text = 5;
    }

    Attribute {
        required name: String = 1;
        required r#type: value::Type = 2;
        optional scalar: value::Scalar = 3;
        optional ranges: value::Ranges = 4;
        optional set: value::Set = 6;
        optional text: value::Text = 5;
    }

    Resource {
        optional provider_id: ResourceProviderId = 12;
        required name: String = 1;
        required r#type: value::Type = 2;
        optional scalar: value::Scalar = 3;
        optional ranges: value::Ranges = 4;
        optional set: value::Set = 5;
        optional role: String = 6;
        optional allocation_info: resource::AllocationInfo = 11;
        optional reservation: resource::ReservationInfo = 8;
        repeated reservations: resource::ReservationInfo = 13;
        optional disk: Box<resource::DiskInfo> = 7;
        optional revocable: resource::RevocableInfo = 9;
        optional shared: resource::SharedInfo = 10;
    }
}

/// What belongs to [`Value`].
pub mod value {
    enumeration! {
        Type {
            Scalar = 0 => "SCALAR",
            Ranges = 1 => "RANGES",
            Set = 2 => "SET",
            Text = 3 => "TEXT",
        }
    }

    message! {
        Scalar {
            required value: f64 = 1;
        }

        Range {
            required begin: u64 = 1;
            required end: u64 = 2;
        }

        Ranges {
            repeated range: Range = 1;
        }

        Set {
            repeated item: String = 1;
        }

        Text {
            required value: String = 1;
        }
    }
}

/// What belongs to [`Resource`].
pub mod resource {
    use crate::mesos::v1::{Labels, Volume};

    message! {
        AllocationInfo {
            optional role: String = 1;
        }

        ReservationInfo {
            optional r#type: reservation_info::Type = 4;
            optional role: String = 3;
            optional principal: String = 1;
            optional labels: Labels = 2;
        }

        DiskInfo {
            optional persistence: disk_info::Persistence = 1;
            optional volume: Volume = 2;
            optional source: disk_info::Source = 3;
        }

        RevocableInfo {}

        SharedInfo {}
    }

    /// What belongs to [`ReservationInfo`].
    pub mod reservation_info {
        enumeration! {
            Type {
                Unknown = 0 => "UNKNOWN",
                Static = 1 => "STATIC",
                Dynamic = 2 => "DYNAMIC",
            }
        }
    }

    /// What belongs to [`DiskInfo`].
    pub mod disk_info {
        use crate::mesos::v1::Labels;

        message! {
            Persistence {
                required id: String = 1;
                optional principal: String = 2;
            }

            Source {
                required r#type: source::Type = 1;
                optional path: source::Path = 2;
                optional mount: source::Mount = 3;
                optional vendor: String = 7;
                optional id: String = 4;
                optional metadata: Labels = 5;
                optional profile: String = 6;
            }
        }

        /// What belongs to [`Source`].
        pub mod source {
            enumeration! {
                Type {
                    Unknown = 0 => "UNKNOWN",
                    Path = 1 => "PATH",
                    Mount = 2 => "MOUNT",
                    Block = 3 => "BLOCK",
                    Raw = 4 => "RAW",
                }
            }

            message! {
                Path {
                    optional root: String = 1;
                }

                Mount {
                    optional root: String = 1;
                }
            }
        }
    }
}
