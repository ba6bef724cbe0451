//! What the codecs know of a message: its fields by number, each to be read, filled and cleared.
//!
//! One small table and three functions for each message serve JSON and protobuf both ways, the
//! search for missing fields, and random messages in tests.

use std::collections::BTreeMap;
use std::fmt;

/// A message that both codecs read and write.
pub trait Message: Reflect + Default + Clone + PartialEq {
    /// Mesos' name, without its package.
    const NAME: &'static str;
}

/// A message whose type the codec does not know.
pub trait Reflect: fmt::Debug + Send + Sync {
    /// Mesos' name, without its package.
    fn name(&self) -> &'static str;
    /// Its fields, in the order of the declaration.
    fn fields(&self) -> &'static [FieldInfo];
    /// The field of this number.
    fn field(&self, number: u32) -> Option<&dyn Field>;
    /// The field of this number.
    fn field_mut(&mut self, number: u32) -> Option<&mut dyn Field>;
}

/// How often a field may be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// At most once.
    Optional,
    /// Once; a message without it is refused.
    Required,
    /// Any number of times.
    Repeated,
    /// Once for each key.
    Map,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `bool`
    Bool,
    /// `int32`
    I32,
    /// `uint32`
    U32,
    /// `int64`
    I64,
    /// `uint64`
    U64,
    /// `double`
    F64,
    /// `string`
    Str,
    /// `bytes`
    Bytes,
    /// An enumeration, by names and numbers.
    Enumeration(&'static [(&'static str, i32)]),
    /// Another message.
    Message,
}

/// What an absent field means, where the API says so.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FieldDefault {
    /// Of a `bool`.
    Bool(bool),
    /// Of an `int32`.
    I32(i32),
    /// Of a `uint32`.
    U32(u32),
    /// Of a `double`.
    F64(f64),
    /// Of a `string`.
    Str(&'static str),
    /// Of an enumeration: its name.
    Enum(&'static str),
    /// Of a repeated field: JSON says that nothing is in it.
    EmptyList,
}

/// One field, as it was declared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FieldInfo {
    /// In JSON.
    pub name: &'static str,
    /// In protobuf.
    pub number: u32,
    /// How often.
    pub label: Label,
    /// What.
    pub kind: Kind,
    /// What an absent one means.
    pub default: Option<FieldDefault>,
}

/// A value that is not a message, on its way into a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar<'a> {
    /// For a `bool`.
    Bool(bool),
    /// For an `int32`.
    I32(i32),
    /// For a `uint32`.
    U32(u32),
    /// For an `int64`.
    I64(i64),
    /// For a `uint64`.
    U64(u64),
    /// For a `double`.
    F64(f64),
    /// For a `string`.
    Str(&'a str),
    /// For `bytes`.
    Bytes(&'a [u8]),
    /// For an enumeration.
    Enumeration(i32),
}

/// A value on its way out of a field.
#[derive(Clone, Copy, Debug)]
pub enum Read<'a> {
    /// Of a `bool`.
    Bool(bool),
    /// Of an `int32`.
    I32(i32),
    /// Of a `uint32`.
    U32(u32),
    /// Of an `int64`.
    I64(i64),
    /// Of a `uint64`.
    U64(u64),
    /// Of a `double`.
    F64(f64),
    /// Of a `string`.
    Str(&'a str),
    /// Of `bytes`.
    Bytes(&'a [u8]),
    /// Of an enumeration: name and number.
    Enumeration(&'static str, i32),
    /// Of a message.
    Message(&'a dyn Reflect),
}

/// The type of one value of a field.
pub trait Single: Sized + Send + Sync + fmt::Debug {
    /// Which it is.
    const KIND: Kind;
    /// From a value of this kind; none for another kind or an enumeration's unknown number.
    fn from_scalar(scalar: Scalar<'_>) -> Option<Self>;
    /// The value.
    fn read(&self) -> Read<'_>;
    /// An empty message; none where this is not a message.
    fn blank() -> Option<Self> {
        None
    }
    /// Itself, where it is a message.
    fn as_message(&mut self) -> Option<&mut dyn Reflect> {
        None
    }
}

/// A field of any label.
pub trait Field {
    /// Whether nothing is there.
    fn is_absent(&self) -> bool;
    /// Takes everything out.
    fn clear(&mut self);
    /// Takes out what `key` has, where this is a map.
    fn remove(&mut self, _key: &str) {}
    /// Puts a value in: the only one, one more, or that of `key`. An unknown number of an
    /// enumeration is left out, as by protobuf.
    fn put(&mut self, key: &str, scalar: Scalar<'_>);
    /// The message that is there or, where there is none yet, a new empty one; always a new one
    /// where the field is repeated. With it, how many bytes it takes. None where the field holds
    /// no messages.
    fn message(&mut self, key: &str) -> Option<(&mut dyn Reflect, usize)>;
    /// Visits the values, with their keys in a map.
    fn each(&self, visit: &mut dyn FnMut(&str, Read<'_>));
}

impl<T: Single> Field for Option<T> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }

    fn clear(&mut self) {
        *self = None;
    }

    fn put(&mut self, _: &str, scalar: Scalar<'_>) {
        if let Some(value) = T::from_scalar(scalar) {
            *self = Some(value);
        }
    }

    fn message(&mut self, _: &str) -> Option<(&mut dyn Reflect, usize)> {
        if self.is_none() {
            *self = T::blank();
        }
        Some((self.as_mut()?.as_message()?, size_of::<T>()))
    }

    fn each(&self, visit: &mut dyn FnMut(&str, Read<'_>)) {
        if let Some(value) = self {
            visit("", value.read());
        }
    }
}

impl<T: Single> Field for Vec<T> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn clear(&mut self) {
        Vec::clear(self);
    }

    fn put(&mut self, _: &str, scalar: Scalar<'_>) {
        self.extend(T::from_scalar(scalar));
    }

    fn message(&mut self, _: &str) -> Option<(&mut dyn Reflect, usize)> {
        self.push(T::blank()?);
        Some((self.last_mut()?.as_message()?, size_of::<T>()))
    }

    fn each(&self, visit: &mut dyn FnMut(&str, Read<'_>)) {
        for value in self {
            visit("", value.read());
        }
    }
}

impl<T: Single> Field for BTreeMap<String, T> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn clear(&mut self) {
        BTreeMap::clear(self);
    }

    fn remove(&mut self, key: &str) {
        BTreeMap::remove(self, key);
    }

    fn put(&mut self, key: &str, scalar: Scalar<'_>) {
        if let Some(value) = T::from_scalar(scalar) {
            self.insert(key.to_owned(), value);
        }
    }

    fn message(&mut self, key: &str) -> Option<(&mut dyn Reflect, usize)> {
        if !self.contains_key(key) {
            self.insert(key.to_owned(), T::blank()?);
        }
        let value = self.get_mut(key)?;
        Some((value.as_message()?, size_of::<T>()))
    }

    fn each(&self, visit: &mut dyn FnMut(&str, Read<'_>)) {
        for (key, value) in self {
            visit(key, value.read());
        }
    }
}

impl<T: Single> Single for Box<T> {
    const KIND: Kind = T::KIND;

    fn from_scalar(scalar: Scalar<'_>) -> Option<Self> {
        T::from_scalar(scalar).map(Box::new)
    }

    fn read(&self) -> Read<'_> {
        T::read(self)
    }

    fn blank() -> Option<Self> {
        T::blank().map(Box::new)
    }

    fn as_message(&mut self) -> Option<&mut dyn Reflect> {
        T::as_message(self)
    }
}

macro_rules! single {
    ($type:ty, $kind:ident) => {
        impl Single for $type {
            const KIND: Kind = Kind::$kind;

            fn from_scalar(scalar: Scalar<'_>) -> Option<Self> {
                match scalar {
                    Scalar::$kind(value) => Some(value.into()),
                    _ => None,
                }
            }

            fn read(&self) -> Read<'_> {
                Read::$kind((*self).into())
            }
        }
    };
}

single!(bool, Bool);
single!(i32, I32);
single!(u32, U32);
single!(i64, I64);
single!(u64, U64);
single!(f64, F64);

impl Single for String {
    const KIND: Kind = Kind::Str;

    fn from_scalar(scalar: Scalar<'_>) -> Option<Self> {
        match scalar {
            Scalar::Str(text) => Some(text.to_owned()),
            _ => None,
        }
    }

    fn read(&self) -> Read<'_> {
        Read::Str(self)
    }
}

impl Single for Vec<u8> {
    const KIND: Kind = Kind::Bytes;

    fn from_scalar(scalar: Scalar<'_>) -> Option<Self> {
        match scalar {
            Scalar::Bytes(bytes) => Some(bytes.to_vec()),
            _ => None,
        }
    }

    fn read(&self) -> Read<'_> {
        Read::Bytes(self)
    }
}

/// A field's name without the mark by which Rust tells it from a keyword.
#[must_use]
pub const fn plain_name(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}

/// The required fields that are not there, as paths such as `accept.offer_ids[0].value`, at most
/// `limit` of them.
#[must_use]
pub fn missing(message: &dyn Reflect, limit: usize) -> Vec<String> {
    let mut found = Vec::new();
    let mut path = String::new();
    find_missing(message, &mut path, &mut found, limit);
    found
}

fn find_missing(message: &dyn Reflect, path: &mut String, found: &mut Vec<String>, limit: usize) {
    for info in message.fields() {
        let Some(field) = message.field(info.number) else {
            continue;
        };
        if info.label == Label::Required && field.is_absent() && found.len() < limit {
            found.push(format!("{path}{}", info.name));
        }
        if info.kind != Kind::Message {
            continue;
        }
        let mut index = 0;
        field.each(&mut |_, value| {
            let Read::Message(inner) = value else { return };
            let length = path.len();
            path.push_str(info.name);
            if matches!(info.label, Label::Repeated | Label::Map) {
                path.push_str(&format!("[{index}]"));
            }
            path.push('.');
            find_missing(inner, path, found, limit);
            path.truncate(length);
            index += 1;
        });
    }
}
