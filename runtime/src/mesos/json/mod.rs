//! JSON as Mesos reads and prints it.
//!
//! In: `null` is as good as nothing, unknown fields are ignored, one value will do for a repeated
//! field, an enumeration's unknown name is as good as nothing (unless it is required), `bytes` are
//! base64, numbers may stand in strings. Out: Mesos' names, in its order, what is absent left out
//! unless the API gives it a meaning, doubles always with a decimal point.

mod decode;
mod encode;
mod scalar;

pub use decode::{JsonError, decode, decode_list};
pub use encode::{Shown, encode, to_vec};

#[cfg(test)]
mod tests;
