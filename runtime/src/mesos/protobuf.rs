//! Protobuf's binary form.
//!
//! Unknown fields are skipped, and so are known ones of another wire type, as protobuf's own
//! library does. A message without a field that it requires is refused.

use super::limits::{Budget, DEPTH_MAX};
use super::reflect::{self, Field, FieldInfo, Kind, Label, Message, Read, Reflect, Scalar};
use thiserror::Error;

const VARINT: u8 = 0;
const FIXED64: u8 = 1;
const BYTES: u8 = 2;
const GROUP_START: u8 = 3;
const GROUP_END: u8 = 4;
const FIXED32: u8 = 5;

/// Bytes that are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ProtobufError {
    /// They end in the middle of a field, or a number is too long.
    #[error("the message is cut off or malformed")]
    Malformed,
    /// Messages in messages, too deep.
    #[error("more than {DEPTH_MAX} messages in each other")]
    Deep,
    /// Small on the wire, large in memory.
    #[error("the message would need too much memory")]
    Large,
    /// A string is not UTF-8.
    #[error("a string is not UTF-8")]
    Text,
    /// A required field is not there.
    #[error("a required field is missing")]
    Missing,
}

/// The bytes of `message`.
#[must_use]
pub fn encode<M: Message>(message: &M) -> Vec<u8> {
    let mut out = Vec::new();
    write_message(message, &mut out);
    out
}

/// The message in `bytes`.
///
/// # Errors
/// When they are not one, or a required field is missing.
pub fn decode<M: Message>(bytes: &[u8]) -> Result<M, ProtobufError> {
    let mut message = M::default();
    read_message(&mut message, bytes, 0, &mut Budget::default())?;
    match reflect::missing(&message, 1).is_empty() {
        true => Ok(message),
        false => Err(ProtobufError::Missing),
    }
}

fn write_message(message: &dyn Reflect, out: &mut Vec<u8>) {
    for info in message.fields() {
        let Some(field) = message.field(info.number) else {
            continue;
        };
        field.each(&mut |key, value| match info.label {
            Label::Map => {
                write_key(info.number, BYTES, out);
                write_sized(out, |out| {
                    write_value(1, Read::Str(key), out);
                    write_value(2, value, out);
                });
            }
            _ => write_value(info.number, value, out),
        });
    }
}

fn write_value(number: u32, value: Read<'_>, out: &mut Vec<u8>) {
    let mut varint = |value: u64| {
        write_key(number, VARINT, out);
        write_varint(value, out);
    };
    match value {
        Read::Bool(value) => varint(u64::from(value)),
        // Negative numbers are sign-extended to 64 bits, as protobuf has it.
        Read::I32(value) | Read::Enumeration(_, value) => varint(i64::from(value) as u64),
        Read::U32(value) => varint(u64::from(value)),
        Read::I64(value) => varint(value as u64),
        Read::U64(value) => varint(value),
        Read::F64(value) => {
            write_key(number, FIXED64, out);
            out.extend_from_slice(&value.to_le_bytes());
        }
        Read::Str(text) => write_bytes(number, text.as_bytes(), out),
        Read::Bytes(bytes) => write_bytes(number, bytes, out),
        Read::Message(message) => {
            write_key(number, BYTES, out);
            write_sized(out, |out| write_message(message, out));
        }
    }
}

fn write_key(number: u32, wire_type: u8, out: &mut Vec<u8>) {
    write_varint(u64::from(number) << 3 | u64::from(wire_type), out);
}

fn write_bytes(number: u32, bytes: &[u8], out: &mut Vec<u8>) {
    write_key(number, BYTES, out);
    write_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// What `write` writes, with its length in front. Most messages are shorter than 128 bytes, so
/// one byte is kept free for the length; a longer one is moved.
fn write_sized(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.push(0);
    write(out);
    let length = out.len() - at - 1;
    if length < 0x80 {
        out[at] = length as u8;
        return;
    }
    let mut prefix = Vec::with_capacity(5);
    write_varint(length as u64, &mut prefix);
    out.splice(at..=at, prefix);
}

fn write_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn read_message(
    message: &mut dyn Reflect,
    mut bytes: &[u8],
    depth: usize,
    budget: &mut Budget,
) -> Result<(), ProtobufError> {
    if depth > DEPTH_MAX {
        return Err(ProtobufError::Deep);
    }
    let fields = message.fields();
    while !bytes.is_empty() {
        let (number, wire_type) = read_key(&mut bytes)?;
        let raw = read_raw(wire_type, number, &mut bytes)?;
        let Some(info) = fields.iter().find(|info| info.number == number) else {
            continue;
        };
        if let Some(field) = message.field_mut(number) {
            read_field(field, info, raw, depth, budget)?;
        }
    }
    Ok(())
}

/// A value of which only the wire type is known.
#[derive(Clone, Copy)]
enum Raw<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Bytes(&'a [u8]),
    /// Of a wire type that no field of ours has.
    Other,
}

fn read_field(
    field: &mut dyn Field,
    info: &FieldInfo,
    raw: Raw<'_>,
    depth: usize,
    budget: &mut Budget,
) -> Result<(), ProtobufError> {
    match (info.label, info.kind, raw) {
        (Label::Map, _, Raw::Bytes(bytes)) => read_entry(field, info.kind, bytes, depth, budget),
        (Label::Map, ..) => Ok(()),
        (_, kind, raw) => read_value(field, "", kind, raw, depth, budget),
    }
}

fn read_value(
    field: &mut dyn Field,
    key: &str,
    kind: Kind,
    raw: Raw<'_>,
    depth: usize,
    budget: &mut Budget,
) -> Result<(), ProtobufError> {
    let scalar = match (kind, raw) {
        (Kind::Message, Raw::Bytes(bytes)) => {
            let Some((message, size)) = field.message(key) else {
                return Ok(());
            };
            if !budget.spend(size) {
                return Err(ProtobufError::Large);
            }
            return read_message(message, bytes, depth + 1, budget);
        }
        (Kind::Str, Raw::Bytes(bytes)) => {
            Scalar::Str(std::str::from_utf8(bytes).map_err(|_| ProtobufError::Text)?)
        }
        (Kind::Bytes, Raw::Bytes(bytes)) => Scalar::Bytes(bytes),
        (Kind::Message | Kind::Str | Kind::Bytes, _) => return Ok(()),
        (_, Raw::Bytes(bytes)) => return read_packed(field, key, kind, bytes),
        (kind, raw) => match number(kind, raw) {
            Some(scalar) => scalar,
            None => return Ok(()),
        },
    };
    field.put(key, scalar);
    Ok(())
}

/// A varint or fixed value as a number of this kind.
fn number(kind: Kind, raw: Raw<'_>) -> Option<Scalar<'static>> {
    Some(match (kind, raw) {
        (Kind::Bool, Raw::Varint(value)) => Scalar::Bool(value != 0),
        (Kind::I32, Raw::Varint(value)) => Scalar::I32(value as i32),
        (Kind::U32, Raw::Varint(value)) => Scalar::U32(value as u32),
        (Kind::I64, Raw::Varint(value)) => Scalar::I64(value as i64),
        (Kind::U64, Raw::Varint(value)) => Scalar::U64(value),
        (Kind::Enumeration(_), Raw::Varint(value)) => Scalar::Enumeration(value as i32),
        (Kind::F64, Raw::Fixed64(bytes)) => Scalar::F64(f64::from_le_bytes(bytes)),
        _ => return None,
    })
}

/// Many numbers in one field, which protobuf allows wherever a field is repeated.
fn read_packed(
    field: &mut dyn Field,
    key: &str,
    kind: Kind,
    mut bytes: &[u8],
) -> Result<(), ProtobufError> {
    let wire_type = if kind == Kind::F64 { FIXED64 } else { VARINT };
    while !bytes.is_empty() {
        let raw = read_raw(wire_type, 0, &mut bytes)?;
        if let Some(scalar) = number(kind, raw) {
            field.put(key, scalar);
        }
    }
    Ok(())
}

/// One entry of a map: a message of a key and a value, in either order.
fn read_entry(
    field: &mut dyn Field,
    kind: Kind,
    mut bytes: &[u8],
    depth: usize,
    budget: &mut Budget,
) -> Result<(), ProtobufError> {
    let (mut key, mut value): (&[u8], _) = (&[], None);
    while !bytes.is_empty() {
        let (number, wire_type) = read_key(&mut bytes)?;
        match (number, read_raw(wire_type, number, &mut bytes)?) {
            (1, Raw::Bytes(bytes)) => key = bytes,
            (2, raw) => value = Some(raw),
            _ => {}
        }
    }
    let key = std::str::from_utf8(key).map_err(|_| ProtobufError::Text)?;
    if !budget.spend(key.len()) {
        return Err(ProtobufError::Large);
    }
    field.remove(key);
    let absent = Raw::Bytes(&[]);
    read_value(field, key, kind, value.unwrap_or(absent), depth, budget)
}

fn read_key(bytes: &mut &[u8]) -> Result<(u32, u8), ProtobufError> {
    let key = read_varint(bytes)?;
    let number = u32::try_from(key >> 3).map_err(|_| ProtobufError::Malformed)?;
    match number {
        0 => Err(ProtobufError::Malformed),
        _ => Ok((number, key as u8 & 7)),
    }
}

fn read_raw<'a>(
    wire_type: u8,
    number: u32,
    bytes: &mut &'a [u8],
) -> Result<Raw<'a>, ProtobufError> {
    Ok(match wire_type {
        VARINT => Raw::Varint(read_varint(bytes)?),
        FIXED64 => {
            let (value, rest) = bytes
                .split_first_chunk::<8>()
                .ok_or(ProtobufError::Malformed)?;
            *bytes = rest;
            Raw::Fixed64(*value)
        }
        BYTES => {
            let length = read_varint(bytes)?;
            Raw::Bytes(take(bytes, length)?)
        }
        GROUP_START => {
            skip_group(number, bytes)?;
            Raw::Other
        }
        FIXED32 => {
            take(bytes, 4)?;
            Raw::Other
        }
        _ => return Err(ProtobufError::Malformed),
    })
}

/// Skips to the end of a group, which may hold groups. Kept on a list of our own, so that no
/// input makes the stack deep.
fn skip_group(number: u32, bytes: &mut &[u8]) -> Result<(), ProtobufError> {
    let mut open = vec![number];
    while let Some(inner) = open.last().copied() {
        let (number, wire_type) = read_key(bytes)?;
        match wire_type {
            GROUP_START if open.len() >= DEPTH_MAX => return Err(ProtobufError::Deep),
            GROUP_START => open.push(number),
            GROUP_END if number == inner => {
                open.pop();
            }
            GROUP_END => return Err(ProtobufError::Malformed),
            _ => {
                read_raw(wire_type, number, bytes)?;
            }
        }
    }
    Ok(())
}

fn take<'a>(bytes: &mut &'a [u8], length: u64) -> Result<&'a [u8], ProtobufError> {
    let length = usize::try_from(length).map_err(|_| ProtobufError::Malformed)?;
    let (taken, rest) = bytes
        .split_at_checked(length)
        .ok_or(ProtobufError::Malformed)?;
    *bytes = rest;
    Ok(taken)
}

fn read_varint(bytes: &mut &[u8]) -> Result<u64, ProtobufError> {
    let mut value = 0;
    for (index, byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            *bytes = &bytes[index + 1..];
            return Ok(value);
        }
    }
    Err(ProtobufError::Malformed)
}
