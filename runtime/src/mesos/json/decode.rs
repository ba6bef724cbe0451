//! From JSON to a message, in one pass and without a tree in between.

use super::scalar::{BASE64, Number, is_number, parse_number};
use crate::mesos::limits::Budget;
use crate::mesos::reflect::{self, Field, FieldInfo, Kind, Label, Message, Reflect, Scalar};
use base64::Engine as _;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Deserializer;
use std::cell::RefCell;
use std::fmt;
use thiserror::Error;

/// How many missing fields an error names.
const MISSING_NAMED_MAX: usize = 16;

/// The most of a body that an error quotes, in bytes.
const QUOTED_BYTES_MAX: usize = 256;

/// Why a body is not the message that it should be, in Mesos' words.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum JsonError {
    /// Not JSON.
    #[error("Failed to parse body into JSON: {0}")]
    Syntax(String),
    /// JSON, but not this message.
    #[error("Failed to convert JSON into {name} protobuf: {problem}")]
    Convert {
        /// Which message.
        name: &'static str,
        /// What is wrong.
        problem: String,
    },
}

/// The message in `bytes`.
///
/// # Errors
/// When they are not JSON, a field has another type, or a required field is missing.
pub fn decode<M: Message>(bytes: &[u8]) -> Result<M, JsonError> {
    let mut message = M::default();
    let context = Context::default();
    let root = Root {
        message: &mut message,
        context: &context,
    };
    read(root, &context, bytes, M::NAME)?;
    check_missing::<M>([&message as &dyn Reflect])?;
    Ok(message)
}

/// The messages in the array that `bytes` are.
///
/// # Errors
/// As [`decode`].
pub fn decode_list<M: Message>(bytes: &[u8]) -> Result<Vec<M>, JsonError> {
    let mut messages: Vec<M> = Vec::new();
    let context = Context::default();
    let list = List {
        messages: &mut messages,
        context: &context,
    };
    read(list, &context, bytes, M::NAME)?;
    check_missing::<M>(messages.iter().map(|message| message as &dyn Reflect))?;
    Ok(messages)
}

fn check_missing<'a, M: Message>(
    messages: impl IntoIterator<Item = &'a dyn Reflect>,
) -> Result<(), JsonError> {
    for message in messages {
        let missing = reflect::missing(message, MISSING_NAMED_MAX);
        if !missing.is_empty() {
            let problem = format!("Missing required fields: {}", missing.join(", "));
            let name = M::NAME;
            return Err(JsonError::Convert { name, problem });
        }
    }
    Ok(())
}

/// What all parts of one decoding share.
#[derive(Default)]
struct Context {
    budget: RefCell<Budget>,
    /// What is wrong with a field; serde's own error would add a place that Mesos does not name.
    problem: RefCell<Option<String>>,
}

impl Context {
    fn problem<E: serde::de::Error>(&self, text: String) -> E {
        let error = E::custom(&text);
        *self.problem.borrow_mut() = Some(text);
        error
    }

    fn unexpected<E: serde::de::Error>(&self, what: &str, info: &FieldInfo) -> E {
        self.problem(format!(
            "Not expecting a JSON {what} for field '{}'",
            info.name
        ))
    }

    fn spend<E: serde::de::Error>(&self, bytes: usize) -> Result<(), E> {
        match self.budget.borrow_mut().spend(bytes) {
            true => Ok(()),
            false => Err(self.problem("The message would need too much memory".to_owned())),
        }
    }
}

fn read<'a>(
    seed: impl DeserializeSeed<'a, Value = ()>,
    context: &Context,
    bytes: &'a [u8],
    name: &'static str,
) -> Result<(), JsonError> {
    let mut deserializer = Deserializer::from_slice(bytes);
    let outcome = seed.deserialize(&mut deserializer);
    let problem = context.problem.borrow_mut().take();
    match (outcome, problem) {
        (Ok(()), _) => deserializer.end().map_err(|_| {
            let text = "Parsed JSON included non-whitespace trailing characters";
            JsonError::Syntax(text.to_owned())
        }),
        (Err(_), Some(problem)) => match serde_json::from_slice::<IgnoredAny>(bytes) {
            // Whatever is wrong with a field, what is no JSON at all is told first.
            Err(error) => Err(syntax(&error, bytes)),
            Ok(_) => Err(JsonError::Convert { name, problem }),
        },
        (Err(error), None) => Err(syntax(&error, bytes)),
    }
}

fn syntax(error: &serde_json::Error, bytes: &[u8]) -> JsonError {
    let (line, column) = (error.line().max(1), error.column().max(1));
    let text = bytes.split(|byte| *byte == b'\n').nth(line - 1);
    let near = match (error.is_eof(), text) {
        (false, Some(text)) => text.get(column - 1..).unwrap_or_default(),
        _ => &[],
    };
    let near = String::from_utf8_lossy(&near[..near.len().min(QUOTED_BYTES_MAX)]).into_owned();
    JsonError::Syntax(format!("syntax error at line {line} near: {near}"))
}

/// The body as a whole: one message.
struct Root<'a> {
    message: &'a mut dyn Reflect,
    context: &'a Context,
}

/// The body as a whole: an array of messages.
struct List<'a, M> {
    messages: &'a mut Vec<M>,
    context: &'a Context,
}

macro_rules! not_a {
    ($text:literal) => {
        fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
            Err(self.context.problem($text.to_owned()))
        }

        fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
            self.visit_unit()
        }

        fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
            self.visit_unit()
        }

        fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
            self.visit_unit()
        }

        fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
            self.visit_unit()
        }

        fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
            self.visit_unit()
        }
    };
}

impl<'de> DeserializeSeed<'de> for Root<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Root<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    not_a!("Expecting a JSON object");

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        self.visit_unit()
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        fill(self.message, map, self.context)
    }
}

impl<'de, M: Message> DeserializeSeed<'de> for List<'_, M> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, M: Message> Visitor<'de> for List<'_, M> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    not_a!("Expecting a JSON array");

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        self.visit_unit()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        loop {
            let mut message = M::default();
            let root = Root {
                message: &mut message,
                context: self.context,
            };
            if list.next_element_seed(root)?.is_none() {
                return Ok(());
            }
            self.context.spend(size_of::<M>())?;
            self.messages.push(message);
        }
    }
}

/// Fills a message from an object.
fn fill<'de, A: MapAccess<'de>>(
    message: &mut dyn Reflect,
    mut map: A,
    context: &Context,
) -> Result<(), A::Error> {
    while let Some(info) = map.next_key_seed(Name(message.fields()))? {
        let field = info.and_then(|info| Some((message.field_mut(info.number)?, info)));
        let Some((field, info)) = field else {
            map.next_value::<IgnoredAny>()?;
            continue;
        };
        // Of a name that stands there twice, the last one counts.
        field.clear();
        map.next_value_seed(Value {
            field,
            info,
            key: None,
            context,
        })?;
    }
    Ok(())
}

/// The name of a field of these.
struct Name(&'static [FieldInfo]);

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<&'static FieldInfo>;

    fn deserialize<D: serde::Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Option<&'static FieldInfo>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().find(|info| info.name == name))
    }
}

/// The value of a field.
struct Value<'a> {
    field: &'a mut dyn Field,
    info: &'a FieldInfo,
    /// Where the field is a map: whose value this is, once that is known.
    key: Option<&'a str>,
    context: &'a Context,
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value of field '{}'", self.info.name)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        match self.scalar_kind() {
            Some(Kind::Bool) => self.put(Scalar::Bool(value)),
            _ => Err(self.context.unexpected("boolean", self.info)),
        }
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        self.number(Number::Whole(i128::from(value)))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        self.number(Number::Whole(i128::from(value)))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        self.number(Number::Double(value))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        let Some(kind) = self.scalar_kind() else {
            return Err(self.context.unexpected("string", self.info));
        };
        match kind {
            Kind::Str => self.put(Scalar::Str(text)),
            Kind::Bytes => self.bytes(text),
            Kind::Enumeration(all) => match all.iter().find(|(name, _)| *name == text) {
                Some((_, number)) => self.put(Scalar::Enumeration(*number)),
                None if self.info.label == Label::Required => {
                    let problem = format!("Failed to find enum for '{text}'");
                    Err(self.context.problem(problem))
                }
                None => Ok(()),
            },
            Kind::Bool => match text.trim() {
                "true" => self.put(Scalar::Bool(true)),
                "false" => self.put(Scalar::Bool(false)),
                _ => Err(self.unreadable(text, "boolean")),
            },
            _ => match parse_number(text.trim(), kind) {
                Some(number) => self.number(number),
                None => Err(self.unreadable(text, "number")),
            },
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let many = matches!(self.info.label, Label::Repeated | Label::Map);
        if !many || self.key.is_some() {
            return Err(self.context.unexpected("array", self.info));
        }
        loop {
            let value = Value {
                field: &mut *self.field,
                info: self.info,
                key: None,
                context: self.context,
            };
            if list.next_element_seed(value)?.is_none() {
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        if self.info.label == Label::Map && self.key.is_none() {
            while let Some(key) = map.next_key::<String>()? {
                self.context.spend(key.len())?;
                self.field.remove(&key);
                map.next_value_seed(Value {
                    field: &mut *self.field,
                    info: self.info,
                    key: Some(&key),
                    context: self.context,
                })?;
            }
            return Ok(());
        }
        match self.field.message(self.key.unwrap_or_default()) {
            Some((message, size)) => {
                self.context.spend(size)?;
                fill(message, map, self.context)
            }
            None => Err(self.context.unexpected("object", self.info)),
        }
    }
}

impl Value<'_> {
    /// What the field takes, other than messages and, before a key is known, maps.
    fn scalar_kind(&self) -> Option<Kind> {
        match (self.info.label, self.key, self.info.kind) {
            (_, _, Kind::Message) | (Label::Map, None, _) => None,
            (_, _, kind) => Some(kind),
        }
    }

    fn put<E: serde::de::Error>(self, scalar: Scalar<'_>) -> Result<(), E> {
        self.field.put(self.key.unwrap_or_default(), scalar);
        Ok(())
    }

    fn unreadable<E: serde::de::Error>(&self, text: &str, what: &str) -> E {
        let name = self.info.name;
        let problem = format!("Failed to parse '{text}' as a JSON {what} for field '{name}'");
        self.context.problem(problem)
    }

    fn number<E: serde::de::Error>(self, number: Number) -> Result<(), E> {
        let Some(kind) = self.scalar_kind().filter(|kind| is_number(*kind)) else {
            return Err(self.context.unexpected("number", self.info));
        };
        match number.of_kind(kind) {
            Some(scalar) => self.put(scalar),
            None => {
                let name = self.info.name;
                let problem = format!("Number {number} is out of range for field '{name}'");
                Err(self.context.problem(problem))
            }
        }
    }

    fn bytes<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        match BASE64.decode(text) {
            Ok(bytes) => self.put(Scalar::Bytes(&bytes)),
            Err(error) => {
                let name = self.info.name;
                let problem = format!("Failed to base64 decode bytes field '{name}': {error}");
                Err(self.context.problem(problem))
            }
        }
    }
}
