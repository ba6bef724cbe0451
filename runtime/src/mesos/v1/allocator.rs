//! What schedulers answer to inverse offers.

use crate::mesos::v1::{FrameworkId, TimeInfo};

message! {
    InverseOfferStatus {
        required status: inverse_offer_status::Status = 1;
        required framework_id: FrameworkId = 2;
        required timestamp: TimeInfo = 3;
    }
}

/// What belongs to [`InverseOfferStatus`].
pub mod inverse_offer_status {
    enumeration! {
        Status {
            Unknown = 1 => "UNKNOWN",
            Accept = 2 => "ACCEPT",
            Decline = 3 => "DECLINE",
        }
    }
}
