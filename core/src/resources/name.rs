//! Names of resources and attributes, and members of sets.

use alloc::string::{String, ToString};
use thiserror::Error;

/// The longest name, in bytes.
pub const NAME_BYTES_MAX: usize = 255;

/// Why a string cannot name a resource.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NameError {
    /// Nothing in it.
    #[error("a name is missing")]
    Empty,
    /// Longer than [`NAME_BYTES_MAX`].
    #[error("a name of {0} bytes is too long: at most {NAME_BYTES_MAX}")]
    Long(usize),
    /// A character with a meaning in the text form, or one that does not show.
    #[error("'{0}' must not contain {1:?}")]
    Character(String, char),
}

/// The characters that structure the text form; a name without them prints and parses back.
const STRUCTURE: &[char] = &['(', ')', '[', ']', '{', '}', ':', ';', ','];

/// Checks a resource's or attribute's name, or a member of a set.
pub(super) fn validate(text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.len() > NAME_BYTES_MAX {
        return Err(NameError::Long(text.len()));
    }
    let bad = |c: &char| c.is_whitespace() || c.is_control() || STRUCTURE.contains(c);
    match text.chars().find(bad) {
        Some(c) => Err(NameError::Character(text.to_string(), c)),
        None => Ok(()),
    }
}
