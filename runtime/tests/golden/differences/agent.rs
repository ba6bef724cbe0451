//! What agents answer differently.

use super::Difference;

/// All of it.
pub const DIFFERENCES: &[Difference] = &[];
