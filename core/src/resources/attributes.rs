//! What agents say about themselves and nobody uses up, such as the rack they stand in.

use super::name::{self, NAME_BYTES_MAX, NameError};
use super::parse::{self, ParseError, ParseProblem};
use super::ranges::Ranges;
use super::resource::KindError;
use super::scalar::Scalar;
use super::value::Value;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Serialize};

/// The value of one attribute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AttributeValue {
    /// A figure, such as a bandwidth.
    Scalar(Scalar),
    /// Numbers.
    Ranges(Ranges),
    /// Anything else.
    Text(Arc<str>),
}

/// One attribute of an agent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Attribute {
    /// Such as `rack`.
    pub name: Arc<str>,
    /// Such as `r1`.
    pub value: AttributeValue,
}

/// An agent's attributes, in the order in which its operator gave them; a name may come twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<Attribute>")]
pub struct Attributes(Vec<Attribute>);

impl Attributes {
    /// Reads `rack:r1;zone:a;bandwidth:10;ports_open:[80-90]`.
    ///
    /// # Errors
    /// Says at which byte what is wrong.
    pub fn parse(text: &str) -> Result<Attributes, ParseError> {
        let parse_one = |(offset, item): (usize, &str)| {
            attribute(item).map_err(|why| ParseError {
                offset,
                item: item.to_string(),
                why,
            })
        };
        let list: Result<Vec<Attribute>, ParseError> = parse::items(text).map(parse_one).collect();
        Ok(Attributes(list?))
    }

    /// In the operator's order.
    pub fn iter(&self) -> core::slice::Iter<'_, Attribute> {
        self.0.iter()
    }

    /// The first value of `name`.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&AttributeValue> {
        let found = self.0.iter().find(|attribute| &*attribute.name == name);
        found.map(|attribute| &attribute.value)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn attribute(item: &str) -> Result<Attribute, ParseProblem> {
    let (name, text) = item.split_once(':').ok_or(ParseProblem::Colon)?;
    let (name, text) = (name.trim(), text.trim());
    parse::check_name(name)?;
    let value = match text.chars().next() {
        Some('[') => match parse::parse_value(text)? {
            Value::Ranges(ranges) => AttributeValue::Ranges(ranges),
            _ => return Err(ParseProblem::Unclosed(']')),
        },
        _ => match Scalar::parse(text) {
            Ok(scalar) => AttributeValue::Scalar(scalar),
            Err(_) => {
                check_text(text).map_err(KindError::Name)?;
                AttributeValue::Text(Arc::from(text))
            }
        },
    };
    Ok(Attribute {
        name: Arc::from(name),
        value,
    })
}

impl TryFrom<Vec<Attribute>> for Attributes {
    type Error = NameError;
    fn try_from(list: Vec<Attribute>) -> Result<Attributes, NameError> {
        for attribute in &list {
            name::validate(&attribute.name)?;
            if let AttributeValue::Text(text) = &attribute.value {
                check_text(text)?;
            }
        }
        Ok(Attributes(list))
    }
}

/// Attribute texts may be addresses or sentences; only what would end the item is refused.
fn check_text(text: &str) -> Result<(), NameError> {
    if text.len() > 16 * NAME_BYTES_MAX {
        return Err(NameError::Long(text.len()));
    }
    match text.chars().find(|c| c.is_control() || *c == ';') {
        Some(c) => Err(NameError::Character(text.to_string(), c)),
        None => Ok(()),
    }
}

impl FromStr for Attributes {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Attributes, ParseError> {
        Attributes::parse(text)
    }
}

impl fmt::Display for AttributeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AttributeValue::Scalar(scalar) => scalar.fmt(f),
            AttributeValue::Ranges(ranges) => ranges.fmt(f),
            AttributeValue::Text(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, attribute) in self.0.iter().enumerate() {
            let separator = if i == 0 { "" } else { ";" };
            write!(f, "{separator}{}:{}", attribute.name, attribute.value)?;
        }
        Ok(())
    }
}
