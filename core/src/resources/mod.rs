//! Resources: what agents have and tasks use.

use alloc::string::String;
use serde::{Deserialize, Serialize};

/// Placeholder until the arithmetic lands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Resources(String);

/// Placeholder until the arithmetic lands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Attributes(String);

/// Placeholder until the arithmetic lands.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Role(String);
