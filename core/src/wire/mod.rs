//! Bytes: how messages, log records and checkpoints leave and enter a process.
//!
//! Every envelope opens with a format version, so that a newer master can read what an older one
//! wrote and an older one says clearly what it cannot read.

pub mod bytes;

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// The version that this build writes. Raise it when the shape of a message or record changes,
/// and keep a decoder of the one before.
pub const VERSION: u16 = 1;

/// Why bytes were refused. Nothing was changed by them.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// Fewer bytes than an envelope's header.
    #[error("{0} bytes are too few for an envelope: the sender or the file was cut short")]
    Short(usize),
    /// Written by a build that this one cannot read.
    #[error(
        "format version {found} cannot be read (this build reads {VERSION}): upgrade \
         the older side first"
    )]
    Version {
        /// What the envelope says.
        found: u16,
    },
    /// The header is right but the body is not what it should be.
    #[error("not a {expected}: {why}")]
    Malformed {
        /// The type that was expected.
        expected: &'static str,
        /// What the decoder met.
        why: String,
    },
    /// The body is followed by bytes that belong to nothing.
    #[error("{0} bytes follow the message")]
    Trailing(usize),
}

/// Appends the envelope of `value` to `buffer`.
pub fn encode_into<T: Serialize + ?Sized>(value: &T, buffer: &mut Vec<u8>) {
    buffer.extend_from_slice(&VERSION.to_le_bytes());
    let taken = core::mem::take(buffer);
    *buffer =
        postcard::to_extend(value, taken).expect("plain data in a growing buffer always encodes");
}

/// The envelope of `value`.
#[must_use]
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut buffer = Vec::new();
    encode_into(value, &mut buffer);
    buffer
}

/// How many bytes `value` takes inside an envelope, found without building one.
#[must_use]
pub fn encoded_len<T: Serialize + ?Sized>(value: &T) -> usize {
    postcard::serialize_with_flavor(value, postcard::ser_flavors::Size::default())
        .expect("plain data can always be measured")
}

/// Reads back one whole envelope.
///
/// # Errors
/// When the bytes are not exactly one `T` of a version that this build reads.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    let Some((version, body)) = bytes.split_first_chunk::<2>() else {
        return Err(DecodeError::Short(bytes.len()));
    };
    let found = u16::from_le_bytes(*version);
    if found != VERSION {
        return Err(DecodeError::Version { found });
    }
    match postcard::take_from_bytes(body) {
        Ok((value, [])) => Ok(value),
        Ok((_, rest)) => Err(DecodeError::Trailing(rest.len())),
        Err(error) => Err(DecodeError::Malformed {
            expected: short_name::<T>(),
            why: error.to_string(),
        }),
    }
}

fn short_name<T>() -> &'static str {
    let name = core::any::type_name::<T>();
    name.rsplit("::").next().unwrap_or(name)
}

#[cfg(test)]
mod tests;
