//! Quota.

use crate::mesos::v1::{self, Resource};

message! {
    QuotaInfo {
        optional role: String = 1;
        optional principal: String = 2;
        repeated guarantee: Resource = 3;
    }

    QuotaRequest {
        optional force: bool = 1;
        optional role: String = 2;
        repeated guarantee: Resource = 3;
    }

    QuotaConfig {
        required role: String = 1;
        map guarantees: v1::value::Scalar = 2;
        map limits: v1::value::Scalar = 3;
    }

    QuotaStatus {
        repeated infos: QuotaInfo = 1;
        repeated configs: QuotaConfig = 2;
    }
}
