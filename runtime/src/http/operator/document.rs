//! Answers of any size, written part by part in either codec: what a list holds is made, written
//! and dropped one by one, so that an answer costs its own bytes and little else.

use crate::mesos::media::Codec;
use crate::mesos::reflect::Message;
use crate::mesos::{json, protobuf};

/// The wire type of what has a length.
const LENGTH_DELIMITED: u64 = 2;

/// One message that is being written.
#[derive(Debug)]
pub struct Document {
    codec: Codec,
    out: Vec<u8>,
    empty: bool,
}

impl Document {
    /// A message written by `write`.
    pub fn write(codec: Codec, write: impl FnOnce(&mut Document)) -> Vec<u8> {
        let mut document = Document {
            codec,
            out: Vec::new(),
            empty: true,
        };
        document.braces(write);
        document.out
    }

    fn braces(&mut self, write: impl FnOnce(&mut Document)) {
        let json = self.codec == Codec::Json;
        if json {
            self.out.push(b'{');
        }
        let before = std::mem::replace(&mut self.empty, true);
        write(self);
        self.empty = before;
        if json {
            self.out.push(b'}');
        }
    }

    fn key(&mut self, name: &str) {
        if !std::mem::replace(&mut self.empty, false) {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.out.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.out.push(value as u8);
    }

    fn bytes(&mut self, number: u32, bytes: &[u8]) {
        self.varint(u64::from(number) << 3 | LENGTH_DELIMITED);
        self.varint(bytes.len() as u64);
        self.out.extend_from_slice(bytes);
    }

    /// An enumeration, by name and number.
    pub fn enumeration(&mut self, field: (&str, u32), value: (&str, i32)) {
        match self.codec {
            Codec::Json => {
                self.key(field.0);
                self.out.push(b'"');
                self.out.extend_from_slice(value.0.as_bytes());
                self.out.push(b'"');
            }
            Codec::Protobuf => {
                self.varint(u64::from(field.1) << 3);
                self.varint(i64::from(value.1) as u64);
            }
        }
    }

    /// A double.
    pub fn double(&mut self, field: (&str, u32), value: f64) {
        const FIXED_64: u64 = 1;
        match self.codec {
            Codec::Json => {
                self.key(field.0);
                self.out.extend_from_slice(&json::to_vec(&value));
            }
            Codec::Protobuf => {
                self.varint(u64::from(field.1) << 3 | FIXED_64);
                self.out.extend_from_slice(&value.to_le_bytes());
            }
        }
    }

    /// A message within this one, written by `write`.
    pub fn part(&mut self, field: (&str, u32), write: impl FnOnce(&mut Document)) {
        match self.codec {
            Codec::Json => {
                self.key(field.0);
                self.braces(write);
            }
            Codec::Protobuf => {
                let inner = Document::write(self.codec, write);
                self.bytes(field.1, &inner);
            }
        }
    }

    /// A message within this one.
    pub fn message<M: Message>(&mut self, field: (&str, u32), message: &M) {
        match self.codec {
            Codec::Json => {
                self.key(field.0);
                self.out.extend_from_slice(&json::encode(message));
            }
            Codec::Protobuf => self.bytes(field.1, &protobuf::encode(message)),
        }
    }

    /// A list of messages, which in JSON is there even if nothing is in it.
    pub fn list<M: Message>(&mut self, field: (&str, u32), items: impl Iterator<Item = M>) {
        match self.codec {
            Codec::Json => {
                self.key(field.0);
                self.out.push(b'[');
                for (place, item) in items.enumerate() {
                    if place > 0 {
                        self.out.push(b',');
                    }
                    self.out.extend_from_slice(&json::encode(&item));
                }
                self.out.push(b']');
            }
            Codec::Protobuf => {
                for item in items {
                    self.bytes(field.1, &protobuf::encode(&item));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesos::v1::master::{Response, response};
    use crate::mesos::v1::{AgentId, Role};

    fn sample() -> Response {
        let role = |name: &str| Role {
            name: Some(name.to_owned()),
            weight: Some(1.5),
            ..Role::default()
        };
        Response {
            r#type: Some(response::Type::GetRoles),
            get_roles: Some(response::GetRoles {
                roles: vec![role("a"), role("b")],
            }),
            ..Response::default()
        }
    }

    fn written(codec: Codec) -> Vec<u8> {
        let sample = sample();
        Document::write(codec, |document| {
            let kind = response::Type::GetRoles;
            document.enumeration(("type", 1), (kind.name(), kind as i32));
            document.part(("get_roles", 14), |document| {
                let roles = sample.get_roles.unwrap_or_default().roles;
                document.list(("roles", 1), roles.into_iter());
            });
        })
    }

    #[test]
    fn what_is_written_in_parts_is_what_is_written_whole() {
        assert_eq!(written(Codec::Json), json::encode(&sample()));
        assert_eq!(written(Codec::Protobuf), protobuf::encode(&sample()));
    }

    #[test]
    fn lists_without_anything_are_there_in_json() {
        let write = |codec| {
            Document::write(codec, |document| {
                document.list(("agents", 1), std::iter::empty::<AgentId>());
                document.double(("seconds", 2), 15.0);
            })
        };
        assert_eq!(write(Codec::Json), br#"{"agents":[],"seconds":15.0}"#);
        let mut bytes = vec![2 << 3 | 1];
        bytes.extend_from_slice(&15.0_f64.to_le_bytes());
        assert_eq!(write(Codec::Protobuf), bytes);
    }
}
