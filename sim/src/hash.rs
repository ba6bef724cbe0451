//! The trace hash: one number over everything that every node did, in order.
//!
//! A serde serializer that folds each primitive into the hash, so that every field of every effect
//! counts and no bytes are written. Two runs of one seed must end with the same number; the last
//! draw of the run's randomness (FoundationDB's "unseed") is folded in at the end.

use serde::Serialize;
use serde::ser;
use std::fmt;

/// A running hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceHash {
    low: u64,
    high: u64,
}

impl Default for TraceHash {
    fn default() -> Self {
        TraceHash {
            low: 0x9e37_79b9_7f4a_7c15,
            high: 0xc2b2_ae3d_27d4_eb4f,
        }
    }
}

impl TraceHash {
    /// Folds one number in.
    #[inline]
    pub fn word(&mut self, word: u64) {
        // Two independent lanes of multiply and rotate, as xxHash's rounds do.
        self.low = (self.low ^ word)
            .wrapping_mul(0x9e37_79b1_85eb_ca87)
            .rotate_left(31);
        self.high = self
            .high
            .rotate_left(27)
            .wrapping_add(word)
            .wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
    }

    /// Folds every field of `value` in.
    pub fn value<T: Serialize + ?Sized>(&mut self, value: &T) {
        value
            .serialize(&mut *self)
            .expect("folding into a hash never fails");
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u64);
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            let chunk: [u8; 8] = chunk.try_into().expect("chunks of eight");
            self.word(u64::from_le_bytes(chunk));
        }
        let mut last = [0; 8];
        let rest = chunks.remainder();
        last[..rest.len()].copy_from_slice(rest);
        self.word(u64::from_le_bytes(last));
    }

    /// The number so far.
    #[must_use]
    pub fn finish(self) -> u128 {
        let mix = |mut x: u64| {
            x ^= x >> 32;
            x = x.wrapping_mul(0xd6e8_feb8_6659_fd93);
            x ^ (x >> 29)
        };
        (u128::from(mix(self.high)) << 64) | u128::from(mix(self.low))
    }
}

impl fmt::Display for TraceHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.finish())
    }
}

/// Never happens; serde wants an error type.
#[derive(Debug)]
pub struct Never;

impl fmt::Display for Never {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("never")
    }
}

impl std::error::Error for Never {}

impl ser::Error for Never {
    fn custom<T: fmt::Display>(_: T) -> Never {
        Never
    }
}

macro_rules! words {
    ($($method:ident($type:ty)),* $(,)?) => {
        $(
            #[inline]
            fn $method(self, value: $type) -> Result<(), Never> {
                self.word(value as u64);
                Ok(())
            }
        )*
    };
}

impl<'a> ser::Serializer for &'a mut TraceHash {
    type Ok = ();
    type Error = Never;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    words!(
        serialize_bool(bool),
        serialize_i8(i8),
        serialize_i16(i16),
        serialize_i32(i32),
        serialize_i64(i64),
        serialize_u8(u8),
        serialize_u16(u16),
        serialize_u32(u32),
        serialize_u64(u64),
        serialize_char(char),
    );

    fn serialize_f32(self, value: f32) -> Result<(), Never> {
        self.word(u64::from(value.to_bits()));
        Ok(())
    }
    fn serialize_f64(self, value: f64) -> Result<(), Never> {
        self.word(value.to_bits());
        Ok(())
    }
    fn serialize_i128(self, value: i128) -> Result<(), Never> {
        self.word(value as u64);
        self.word((value >> 64) as u64);
        Ok(())
    }
    fn serialize_u128(self, value: u128) -> Result<(), Never> {
        self.word(value as u64);
        self.word((value >> 64) as u64);
        Ok(())
    }
    fn serialize_str(self, value: &str) -> Result<(), Never> {
        self.bytes(value.as_bytes());
        Ok(())
    }
    fn serialize_bytes(self, value: &[u8]) -> Result<(), Never> {
        self.bytes(value);
        Ok(())
    }
    fn serialize_none(self) -> Result<(), Never> {
        self.word(0);
        Ok(())
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Never> {
        self.word(1);
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<(), Never> {
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Never> {
        Ok(())
    }
    fn serialize_unit_variant(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
    ) -> Result<(), Never> {
        self.word(u64::from(index));
        Ok(())
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Never> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Never> {
        self.word(u64::from(index));
        value.serialize(self)
    }
    fn serialize_seq(self, len: Option<usize>) -> Result<&'a mut TraceHash, Never> {
        self.word(len.map_or(u64::MAX, |len| len as u64));
        Ok(self)
    }
    fn serialize_tuple(self, _: usize) -> Result<&'a mut TraceHash, Never> {
        Ok(self)
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<&'a mut TraceHash, Never> {
        Ok(self)
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        _: usize,
    ) -> Result<&'a mut TraceHash, Never> {
        self.word(u64::from(index));
        Ok(self)
    }
    fn serialize_map(self, len: Option<usize>) -> Result<&'a mut TraceHash, Never> {
        self.word(len.map_or(u64::MAX, |len| len as u64));
        Ok(self)
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<&'a mut TraceHash, Never> {
        Ok(self)
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        _: usize,
    ) -> Result<&'a mut TraceHash, Never> {
        self.word(u64::from(index));
        Ok(self)
    }
    fn is_human_readable(&self) -> bool {
        false
    }
}

macro_rules! compound {
    ($($trait:ident $method:ident),* $(,)?) => {
        $(
            impl ser::$trait for &mut TraceHash {
                type Ok = ();
                type Error = Never;
                #[inline]
                fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Never> {
                    value.serialize(&mut **self)
                }
                fn end(self) -> Result<(), Never> {
                    Ok(())
                }
            }
        )*
    };
}

compound!(
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field,
);

macro_rules! fields {
    ($($trait:ident),* $(,)?) => {
        $(
            impl ser::$trait for &mut TraceHash {
                type Ok = ();
                type Error = Never;
                #[inline]
                fn serialize_field<T: Serialize + ?Sized>(
                    &mut self,
                    _: &'static str,
                    value: &T,
                ) -> Result<(), Never> {
                    value.serialize(&mut **self)
                }
                fn end(self) -> Result<(), Never> {
                    Ok(())
                }
            }
        )*
    };
}

fields!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for &mut TraceHash {
    type Ok = ();
    type Error = Never;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Never> {
        key.serialize(&mut **self)
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Never> {
        value.serialize(&mut **self)
    }
    fn end(self) -> Result<(), Never> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    enum Sample {
        One { a: u64, b: String },
        Two(Vec<u8>),
    }

    fn hash(values: &[Sample]) -> u128 {
        let mut hash = TraceHash::default();
        for value in values {
            hash.value(value);
        }
        hash.finish()
    }

    #[test]
    fn every_field_and_the_order_count() {
        let one = |a, b: &str| Sample::One { a, b: b.into() };
        let base = hash(&[one(1, "x"), Sample::Two(vec![1])]);
        assert_eq!(base, hash(&[one(1, "x"), Sample::Two(vec![1])]));
        assert_ne!(base, hash(&[one(2, "x"), Sample::Two(vec![1])]));
        assert_ne!(base, hash(&[one(1, "y"), Sample::Two(vec![1])]));
        assert_ne!(base, hash(&[Sample::Two(vec![1]), one(1, "x")]));
        assert_ne!(base, hash(&[one(1, "x"), Sample::Two(vec![1, 0])]));
    }
}
