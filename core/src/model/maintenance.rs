use crate::time::Wall;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;
use serde::{Deserialize, Serialize};

/// A machine, by the name or the address of its host, or both. Names differ in more than case.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct MachineId {
    /// Empty when only the address is given.
    pub hostname: String,
    /// Empty when only the name is given.
    pub ip: String,
}

impl MachineId {
    fn key(&self) -> impl Iterator<Item = u8> {
        let name = self.hostname.bytes().map(|byte| byte.to_ascii_lowercase());
        name.chain([0]).chain(self.ip.bytes())
    }
}

impl PartialEq for MachineId {
    fn eq(&self, other: &MachineId) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for MachineId {}

impl PartialOrd for MachineId {
    fn partial_cmp(&self, other: &MachineId) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for MachineId {
    fn cmp(&self, other: &MachineId) -> Ordering {
        self.key().cmp(other.key())
    }
}

/// As JSON, as operators wrote it.
impl fmt::Display for MachineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = (!self.hostname.is_empty()).then_some(("hostname", &self.hostname));
        let ip = (!self.ip.is_empty()).then_some(("ip", &self.ip));
        f.write_str("{")?;
        for (i, (key, value)) in [name, ip].into_iter().flatten().enumerate() {
            let separator = if i == 0 { "" } else { "," };
            write!(f, "{separator}\"{key}\":{value:?}")?;
        }
        f.write_str("}")
    }
}

/// When a machine will be away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unavailability {
    /// From when, in nanoseconds since the Unix epoch.
    pub start_nanos: i64,
    /// For how long; for ever when it is not said.
    pub duration_nanos: Option<i64>,
}

/// Machines that will be away together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Which.
    pub machines: Vec<MachineId>,
    /// When.
    pub unavailability: Unavailability,
}

/// Where a machine of the schedule stands. One that is up is not recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MachineMode {
    /// Frameworks are asked to leave.
    Draining,
    /// Its agents are shut down, and refused.
    Down,
}

/// A machine of the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Where it stands.
    pub mode: MachineMode,
    /// When it will be away.
    pub unavailability: Unavailability,
}

/// What a framework says to an inverse offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InverseOfferAnswer {
    /// It leaves in time.
    Accepted,
    /// It cannot.
    Declined,
}

/// The answer of one framework for one agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InverseOfferStatus {
    /// Whose.
    pub framework_id: crate::ids::FrameworkId,
    /// What it said.
    pub answer: InverseOfferAnswer,
    /// When.
    pub at: Wall,
}
