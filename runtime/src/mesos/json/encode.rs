//! From a message to JSON.

use crate::mesos::reflect::{FieldDefault, FieldInfo, Label, Message, Read, Reflect};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{Error as _, SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::ser::Formatter;
use std::io;

/// The JSON of `message`, on one line.
#[must_use]
pub fn encode<M: Message>(message: &M) -> Vec<u8> {
    to_vec(&Shown(message))
}

/// The JSON of anything, on one line, with doubles as Mesos prints them.
#[must_use]
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Doubles);
    value
        .serialize(&mut serializer)
        .expect("memory takes every byte, and keys are strings");
    out
}

/// A message as a part of other JSON.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a>(pub &'a dyn Reflect);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let message = self.0;
        let mut map = serializer.serialize_map(None)?;
        for info in message.fields() {
            let Some(field) = message.field(info.number) else {
                continue;
            };
            match (field.is_absent(), info.default) {
                (true, Some(default)) => map.serialize_entry(info.name, &Default(default))?,
                (true, None) => {}
                (false, _) => map.serialize_entry(info.name, &Value { message, info })?,
            }
        }
        map.end()
    }
}

/// A field that is there.
struct Value<'a> {
    message: &'a dyn Reflect,
    info: &'static FieldInfo,
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.info.label {
            Label::Repeated => {
                let mut list = serializer.serialize_seq(None)?;
                let mut outcome = Ok(());
                self.each(&mut |_, value| {
                    if outcome.is_ok() {
                        outcome = list.serialize_element(&Single(value));
                    }
                });
                outcome?;
                list.end()
            }
            Label::Map => {
                let mut map = serializer.serialize_map(None)?;
                let mut outcome = Ok(());
                self.each(&mut |key, value| {
                    if outcome.is_ok() {
                        outcome = map.serialize_entry(key, &Single(value));
                    }
                });
                outcome?;
                map.end()
            }
            Label::Optional | Label::Required => {
                let mut serializer = Some(serializer);
                let mut outcome = None;
                self.each(&mut |_, value| {
                    let serializer = serializer.take();
                    outcome = serializer.map(|serializer| Single(value).serialize(serializer));
                });
                outcome.unwrap_or_else(|| Err(S::Error::custom("the field is absent")))
            }
        }
    }
}

impl Value<'_> {
    fn each(&self, visit: &mut dyn FnMut(&str, Read<'_>)) {
        if let Some(field) = self.message.field(self.info.number) {
            field.each(visit);
        }
    }
}

struct Single<'a>(Read<'a>);

impl Serialize for Single<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Read::Bool(value) => serializer.serialize_bool(value),
            Read::I32(value) => serializer.serialize_i32(value),
            Read::U32(value) => serializer.serialize_u32(value),
            Read::I64(value) => serializer.serialize_i64(value),
            Read::U64(value) => serializer.serialize_u64(value),
            Read::F64(value) => serializer.serialize_f64(value),
            Read::Str(text) => serializer.serialize_str(text),
            Read::Bytes(bytes) => serializer.serialize_str(&STANDARD.encode(bytes)),
            Read::Enumeration(name, _) => serializer.serialize_str(name),
            Read::Message(message) => Shown(message).serialize(serializer),
        }
    }
}

struct Default(FieldDefault);

impl Serialize for Default {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            FieldDefault::Bool(value) => serializer.serialize_bool(value),
            FieldDefault::I32(value) => serializer.serialize_i32(value),
            FieldDefault::U32(value) => serializer.serialize_u32(value),
            FieldDefault::F64(value) => serializer.serialize_f64(value),
            FieldDefault::Str(text) | FieldDefault::Enum(text) => serializer.serialize_str(text),
            FieldDefault::EmptyList => serializer.serialize_seq(Some(0))?.end(),
        }
    }
}

/// Prints doubles as Mesos does: with a point, and with an exponent only where they are very
/// large or very small.
struct Doubles;

impl Formatter for Doubles {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        let size = value.abs();
        if value == 0.0 || (1e-6..1e21).contains(&size) {
            let point = if value.fract() == 0.0 { ".0" } else { "" };
            write!(writer, "{value}{point}")
        } else {
            write!(writer, "{value:e}")
        }
    }
}
