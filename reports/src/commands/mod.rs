//! One module a report.

pub mod mutants;

use std::fmt::Display;

/// Why a report could not be made, with what to do about it.
#[derive(Debug)]
pub struct Error(pub String);

impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Error {
        Error(error.to_string())
    }
}

/// Says where an error happened.
pub(crate) fn at<T, E: Display>(place: impl Display, result: Result<T, E>) -> Result<T, Error> {
    result.map_err(|error| Error(format!("{place}: {error}")))
}
