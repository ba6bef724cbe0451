//! What agents have and tasks use: exact arithmetic on scalars, ranges and sets.
//!
//! Scalars are fixed-point with three decimals, so that a tenth of a CPU given out and returned a
//! million times leaves nothing behind. [`Resources`] are always canonical: sorted by
//! [`ResourceKind`], without empty entries, so that equal amounts are equal values. Nothing here
//! panics on foreign data; every refusal says what was wrong and leaves both operands as they were.

mod attributes;
mod conversion;
mod name;
mod parse;
mod quantities;
mod ranges;
mod resource;
mod role;
mod scalar;
mod set;
mod sum;
mod value;
mod volumes;

pub use attributes::{Attribute, AttributeValue, Attributes};
pub use conversion::{Conversion, ConversionError};
pub use name::{NAME_BYTES_MAX, NameError};
pub use parse::{ParseError, ParseProblem};
pub use quantities::{CPUS, DENSE, DENSE_NAMES, DISK, GPUS, MEM, Quantities};
pub use ranges::{RANGES_MAX, Range, Ranges, RangesError};
pub use resource::{
    Disk, DiskSource, DiskSourceKind, KindError, RESERVATIONS_MAX, Reservation, ReservationType,
    Resource, ResourceKind, Volume,
};
pub use role::{ROLE_BYTES_MAX, Role, RoleError};
pub use scalar::{Scalar, ScalarError};
pub use set::{SET_ITEMS_MAX, Set, SetError};
pub use sum::{RESOURCES_MAX, Resources, ResourcesError};
pub use value::{Value, ValueError};

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
