//! What is wrong with what a planner was given.

use std::io;
use std::path::Path;
use thiserror::Error;

/// Why nothing can be planned.
#[derive(Debug, Error)]
pub enum PlanError {
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{path}, line {line}: {problem}")]
    Line {
        /// Which file.
        path: String,
        /// Counted from 1, the header among them.
        line: usize,
        /// What is wrong there, and what is expected.
        problem: String,
    },
    /// Two things that were given do not go together.
    #[error("{0}")]
    Mismatch(String),
    /// A policy that does not exist.
    #[error(transparent)]
    Policy(#[from] tepui_core::placement::UnknownPolicy),
}

impl PlanError {
    /// Says which file it was.
    pub(super) fn file(path: &Path, source: io::Error) -> PlanError {
        PlanError::File {
            path: path.display().to_string(),
            source,
        }
    }
}
