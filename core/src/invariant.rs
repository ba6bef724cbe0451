//! Invariants, declared once next to the state they guard.
//!
//! The same tables are read by the simulator, the property tests, a live master's debug endpoint
//! and the README's list of guarantees.

use alloc::string::String;
use alloc::vec::Vec;

/// What it costs to check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// Checked after every input, in every build.
    Constant,
    /// Walks the state: checked by tests, by the simulator and on demand.
    Linear,
}

/// Something that is true of a machine after every input.
pub struct Invariant<S: ?Sized> {
    /// The same string in code, scenarios and reports, such as `allocator.no-double-offer`.
    pub id: &'static str,
    /// What it promises, in one sentence for users.
    pub why: &'static str,
    /// What it costs to check.
    pub cost: Cost,
    /// The check; the error says what was found.
    pub holds: fn(&S) -> Result<(), String>,
}

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The invariant's [`Invariant::id`].
    pub invariant: &'static str,
    /// What was found.
    pub found: String,
}

/// Checks those of `table` that cost at most `cost`.
pub fn check<S: ?Sized>(table: &[Invariant<S>], state: &S, cost: Cost) -> Vec<Violation> {
    table
        .iter()
        .filter(|invariant| cost == Cost::Linear || invariant.cost == Cost::Constant)
        .filter_map(|invariant| {
            (invariant.holds)(state).err().map(|found| Violation {
                invariant: invariant.id,
                found,
            })
        })
        .collect()
}
