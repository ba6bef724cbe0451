//! Identifiers. Strings as in Mesos, validated where they enter; the master turns them into
//! indices once and never lets an index leave the process.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use core::fmt;
use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;

/// The longest identifier, in bytes, as in Mesos (it must fit a file name).
pub const ID_BYTES_MAX: usize = 255;

/// Why a string is not an identifier.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum IdError {
    /// Nothing in it.
    #[error("an id must not be empty")]
    Empty,
    /// Longer than [`ID_BYTES_MAX`].
    #[error("an id of {0} bytes is too long: at most {ID_BYTES_MAX}")]
    Long(usize),
    /// `.` or `..`, which name folders.
    #[error("'{0}' is not allowed as an id: it names a folder")]
    Folder(String),
    /// A character that could escape a path or a terminal.
    #[error("an id must not contain {0:?}")]
    Character(char),
}

/// Whether `text` may be an identifier, of whatever.
pub(crate) fn validate(text: &str) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if text.len() > ID_BYTES_MAX {
        return Err(IdError::Long(text.len()));
    }
    if text == "." || text == ".." {
        return Err(IdError::Folder(text.to_string()));
    }
    match text
        .chars()
        .find(|c| c.is_control() || *c == '/' || *c == '\\')
    {
        Some(c) => Err(IdError::Character(c)),
        None => Ok(()),
    }
}

macro_rules! string_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(Arc<str>);

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl $name {
            /// Validates `text`.
            ///
            /// # Errors
            /// When it is empty, too long, or could be mistaken for a path.
            pub fn new(text: &str) -> Result<$name, IdError> {
                validate(text)?;
                Ok($name(Arc::from(text)))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<$name, IdError> {
                $name::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

string_id! {
    /// An agent, for as long as it keeps its work directory; made by the master that admits it.
    AgentId
}
string_id! {
    /// A framework, for ever: a scheduler that comes back names it.
    FrameworkId
}
string_id! {
    /// An executor, unique within one framework and agent; chosen by the framework.
    ExecutorId
}
string_id! {
    /// A task, unique within one framework; chosen by the framework.
    TaskId
}
string_id! {
    /// An offer, unique for ever; made by the master.
    OfferId
}
string_id! {
    /// One run of an executor; made by the agent.
    ContainerId
}
string_id! {
    /// An operation on resources, unique within one framework; chosen by the framework.
    OperationId
}

/// A master (and its replica of the log): a small number, given by configuration, that orders
/// ballots of equal round.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct MasterId(pub u32);

impl fmt::Display for MasterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "master-{}", self.0)
    }
}

/// Names one status update; a UUID on the wire, drawn from the machine's own stream.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UpdateId(pub [u8; 16]);

impl UpdateId {
    /// A version 4 UUID out of two draws.
    #[must_use]
    pub fn draw(rng: &mut crate::rng::Rng) -> UpdateId {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&rng.next_u64().to_le_bytes());
        bytes[8..].copy_from_slice(&rng.next_u64().to_le_bytes());
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        UpdateId(bytes)
    }
}

impl fmt::Display for UpdateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, byte) in self.0.iter().enumerate() {
            if matches!(i, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for UpdateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Names one operation on an agent's resources, for masters and agents; a UUID on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OperationUuid(pub [u8; 16]);

impl OperationUuid {
    /// A version 4 UUID out of two draws.
    #[must_use]
    pub fn draw(rng: &mut crate::rng::Rng) -> OperationUuid {
        OperationUuid(UpdateId::draw(rng).0)
    }
}

impl fmt::Display for OperationUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        UpdateId(self.0).fmt(f)
    }
}

impl fmt::Debug for OperationUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A connection, named by whoever opened it: the driver numbers those that come in, the core
/// numbers those that it asks for. Never reused within one run of a node, and always growing: of
/// two connections of one agent the later has the greater number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Peer {
    /// Accepted by the driver.
    Inbound(u64),
    /// Asked for by the core with a `Connect` effect.
    Outbound(u64),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire;

    #[test]
    fn what_could_be_a_path_is_not_an_id() {
        for bad in ["", ".", "..", "../../x", "a/b", "a\\b", "a\nb", "a\0b"] {
            assert!(TaskId::new(bad).is_err(), "{bad:?}");
        }
        assert!(TaskId::new(&"x".repeat(256)).is_err());
        assert!(TaskId::new("web.1_-~ü").is_ok());
    }

    #[test]
    fn a_bad_id_on_the_wire_is_refused() {
        assert!(wire::decode::<TaskId>(&wire::encode("../../x")).is_err());
        let id = TaskId::new("t").unwrap();
        assert_eq!(wire::decode::<TaskId>(&wire::encode(&id)), Ok(id));
    }

    #[test]
    fn an_update_id_reads_as_a_version_4_uuid() {
        let text = UpdateId::draw(&mut crate::rng::Rng::from_seed(1, "x")).to_string();
        assert_eq!((text.len(), text.as_bytes()[14]), (36, b'4'));
    }
}
