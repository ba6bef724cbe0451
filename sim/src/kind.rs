//! The name of a message, read off its own description of itself.
//!
//! Scripted faults say `drop: { kind: accept }`; a serializer that writes down the names of the
//! variants it meets spares a list of all messages that would have to be kept up to date.

use serde::Serialize;
use serde::ser::{self, Error as _};
use std::fmt;

/// The variants' names that lead to a message, outermost first, such as
/// `["event", "offers"]`, in lower case with dashes.
#[must_use]
pub fn names<T: Serialize + ?Sized>(message: &T) -> Vec<String> {
    let mut namer = Namer::default();
    // The namer stops as soon as it knows enough, by an error that means "done".
    let _ = message.serialize(&mut namer);
    namer.names
}

/// Whether a message is of the kind that a script names: any part of its path (`update`), or the
/// whole path with dots (`update.finished`).
#[must_use]
pub fn matches<T: Serialize + ?Sized>(message: &T, kind: &str) -> bool {
    let names = names(message);
    names.iter().any(|name| name == kind) || names.join(".") == kind
}

/// Variants deeper than this say how a message is made, not what it is.
const DEPTH_MAX: usize = 2;

#[derive(Default)]
struct Namer {
    names: Vec<String>,
}

impl Namer {
    fn variant(&mut self, name: &str) -> Result<(), Done> {
        let mut text = String::with_capacity(name.len() + 4);
        for (i, c) in name.chars().enumerate() {
            if c.is_ascii_uppercase() && i > 0 {
                text.push('-');
            }
            text.push(c.to_ascii_lowercase());
        }
        self.names.push(text);
        if self.names.len() < DEPTH_MAX {
            Ok(())
        } else {
            Err(Done)
        }
    }
}

#[derive(Debug)]
struct Done;

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the message's name is known")
    }
}

impl std::error::Error for Done {}

impl ser::Error for Done {
    fn custom<T: fmt::Display>(_: T) -> Done {
        Done
    }
}

macro_rules! ignore {
    ($($method:ident($type:ty)),* $(,)?) => {
        $(fn $method(self, _: $type) -> Result<(), Done> { Ok(()) })*
    };
}

impl ser::Serializer for &mut Namer {
    type Ok = ();
    type Error = Done;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    ignore!(
        serialize_bool(bool),
        serialize_i8(i8),
        serialize_i16(i16),
        serialize_i32(i32),
        serialize_i64(i64),
        serialize_u8(u8),
        serialize_u16(u16),
        serialize_u32(u32),
        serialize_u64(u64),
        serialize_f32(f32),
        serialize_f64(f64),
        serialize_char(char),
        serialize_str(&str),
        serialize_bytes(&[u8]),
        serialize_unit_struct(&'static str),
    );

    fn serialize_none(self) -> Result<(), Done> {
        Ok(())
    }
    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<(), Done> {
        Ok(())
    }
    fn serialize_unit(self) -> Result<(), Done> {
        Ok(())
    }
    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
    ) -> Result<(), Done> {
        self.variant(name)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Done> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> Result<(), Done> {
        self.variant(name)?;
        value.serialize(self)
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Done> {
        Err(Done::custom("what is inside a list is not the name"))
    }
    fn serialize_tuple(self, _: usize) -> Result<Self, Done> {
        Ok(self)
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Done> {
        Ok(self)
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Self, Done> {
        self.variant(name)?;
        Ok(self)
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Self, Done> {
        Err(Done)
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Done> {
        Ok(self)
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Self, Done> {
        // The fields of a named variant are its content.
        self.variant(name)?;
        Err(Done)
    }
}

macro_rules! compound {
    ($($trait:ident $method:ident($($skip:ty)?)),* $(,)?) => {
        $(
            impl ser::$trait for &mut Namer {
                type Ok = ();
                type Error = Done;
                fn $method<T: Serialize + ?Sized>(
                    &mut self,
                    $(_: $skip,)?
                    value: &T,
                ) -> Result<(), Done> {
                    value.serialize(&mut **self)
                }
                fn end(self) -> Result<(), Done> {
                    Ok(())
                }
            }
        )*
    };
}

compound!(
    SerializeSeq serialize_element(),
    SerializeTuple serialize_element(),
    SerializeTupleStruct serialize_field(),
    SerializeTupleVariant serialize_field(),
    SerializeStruct serialize_field(&'static str),
    SerializeStructVariant serialize_field(&'static str),
);

impl ser::SerializeMap for &mut Namer {
    type Ok = ();
    type Error = Done;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<(), Done> {
        Ok(())
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<(), Done> {
        Ok(())
    }
    fn end(self) -> Result<(), Done> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tepui_core::message::scheduler::{Call, CallId, Event, ToMaster, ToScheduler};

    #[test]
    fn a_message_is_named_by_its_variants() {
        let offers = ToScheduler::Event(Event::Offers(Vec::new()));
        assert_eq!(names(&offers), ["event", "offers"]);
        let call = ToMaster {
            id: CallId(1),
            framework_id: None,
            call: Call::Teardown,
        };
        assert_eq!(names(&call), ["teardown"]);
        assert!(matches(&offers, "offers") && matches(&offers, "event.offers"));
        assert!(matches(&offers, "event") && !matches(&offers, "rescind"));
    }
}
