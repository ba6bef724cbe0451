//! Bytes as bytes: serde's own form of a slice is a list of numbers, handled one by one. The
//! encoded form is the same.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::ser::Serializer;

/// What can be made of bytes.
pub trait FromBytes: AsRef<[u8]> {
    /// Takes a copy.
    fn from_slice(bytes: &[u8]) -> Self;
}

impl FromBytes for Arc<[u8]> {
    fn from_slice(bytes: &[u8]) -> Arc<[u8]> {
        Arc::from(bytes)
    }
}

impl FromBytes for Vec<u8> {
    fn from_slice(bytes: &[u8]) -> Vec<u8> {
        Vec::from(bytes)
    }
}

impl FromBytes for Box<[u8]> {
    fn from_slice(bytes: &[u8]) -> Box<[u8]> {
        Box::from(bytes)
    }
}

/// For `#[serde(with = "crate::wire::bytes")]`.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<T: FromBytes, S: Serializer>(bytes: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes.as_ref())
}

/// For `#[serde(with = "crate::wire::bytes")]`.
///
/// # Errors
/// Those of the deserializer.
pub fn deserialize<'de, T: FromBytes, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    deserializer.deserialize_bytes(BytesVisitor(PhantomData))
}

struct BytesVisitor<T>(PhantomData<T>);

impl<'de, T: FromBytes> Visitor<'de> for BytesVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }
    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<T, E> {
        Ok(T::from_slice(bytes))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<T, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = seq.next_element()? {
            bytes.push(byte);
        }
        Ok(T::from_slice(&bytes))
    }
}

#[cfg(test)]
mod tests {
    use crate::wire;
    use alloc::sync::Arc;
    use alloc::vec::Vec;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Plain(Arc<[u8]>);

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Fast(#[serde(with = "crate::wire::bytes")] Arc<[u8]>);

    #[test]
    fn the_form_is_that_of_a_list() {
        let bytes: Vec<u8> = (0..=255).collect();
        let plain = wire::encode(&Plain(Arc::from(bytes.as_slice())));
        let fast = Fast(Arc::from(bytes));
        assert_eq!(wire::encode(&fast), plain);
        assert_eq!(wire::decode(&plain), Ok(fast));
    }
}
