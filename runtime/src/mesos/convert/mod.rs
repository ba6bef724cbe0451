//! Between Mesos' messages and the core's model.
//!
//! Each subject has its file, in which `to_core` and `to_v1` functions stand side by side. What
//! the core has no use for travels with it unread, as the bytes of the message (`verbatim`), and
//! is found again on the way back: there the core's fields win over those of the bytes.

pub mod agent;
pub mod attributes;
pub mod checks;
pub mod executor;
pub mod framework;
pub mod ids;
pub mod offer;
pub mod operation;
pub mod resources;
pub mod scheduler;
pub mod status;
pub mod task;
pub mod time;

#[cfg(test)]
mod tests;

use super::protobuf;
use super::reflect::Message;
use std::sync::Arc;
use thiserror::Error;

/// Why a message makes no sense to the core, in words for its sender.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct ConvertError(pub String);

impl ConvertError {
    /// With this text.
    pub fn new(text: impl Into<String>) -> ConvertError {
        ConvertError(text.into())
    }

    /// A field that is not there.
    #[must_use]
    pub fn missing(field: &str) -> ConvertError {
        ConvertError(format!("Expecting '{field}' to be present"))
    }
}

/// The bytes of a message, to travel with what the core makes of it.
fn verbatim<M: Message>(message: &M) -> Arc<[u8]> {
    protobuf::encode(message).into()
}

/// The message that travelled as these bytes; an empty one where there are none. Only what we
/// encoded ourselves is kept this way, so that it always decodes.
fn restore<M: Message>(bytes: &[u8]) -> M {
    match bytes {
        [] => M::default(),
        bytes => protobuf::decode(bytes).unwrap_or_default(),
    }
}

/// A text, none where it is empty.
fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
