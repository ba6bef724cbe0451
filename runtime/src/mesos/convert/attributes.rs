//! Attributes of agents.

use super::ConvertError;
use super::resources::{ranges_to_core, ranges_to_v1, scalar_to_core, scalar_to_v1};
use crate::mesos::v1;
use crate::mesos::v1::value;
use std::sync::Arc;
use tepui_core::resources::{Attribute, AttributeValue, Attributes};

/// What an agent says of itself.
///
/// # Errors
/// When a value is not of its type, or of one that no attribute has.
pub fn to_core(list: &[v1::Attribute]) -> Result<Attributes, ConvertError> {
    let attributes: Result<Vec<Attribute>, ConvertError> = list
        .iter()
        .map(|attribute| {
            let name = attribute.name.as_deref().unwrap_or_default();
            let (scalar, ranges) = (&attribute.scalar, &attribute.ranges);
            let value = match (attribute.r#type, scalar, ranges, &attribute.text) {
                (Some(value::Type::Scalar), Some(scalar), ..) => {
                    AttributeValue::Scalar(scalar_to_core(scalar)?)
                }
                (Some(value::Type::Ranges), _, Some(ranges), _) => {
                    AttributeValue::Ranges(ranges_to_core(ranges)?)
                }
                (Some(value::Type::Text), .., Some(text)) => {
                    AttributeValue::Text(Arc::from(text.value.as_deref().unwrap_or_default()))
                }
                _ => return Err(ConvertError::new(format!("Invalid attribute '{name}'"))),
            };
            let name = Arc::from(name);
            Ok(Attribute { name, value })
        })
        .collect();
    Attributes::try_from(attributes?).map_err(|error| ConvertError::new(error.to_string()))
}

/// See [`to_core`].
#[must_use]
pub fn to_v1(attributes: &Attributes) -> Vec<v1::Attribute> {
    let one = |attribute: &Attribute| {
        let mut out = v1::Attribute {
            name: Some(attribute.name.as_ref().to_owned()),
            ..Default::default()
        };
        match &attribute.value {
            AttributeValue::Scalar(scalar) => {
                out.r#type = Some(value::Type::Scalar);
                out.scalar = Some(scalar_to_v1(*scalar));
            }
            AttributeValue::Ranges(ranges) => {
                out.r#type = Some(value::Type::Ranges);
                out.ranges = Some(ranges_to_v1(ranges));
            }
            AttributeValue::Text(text) => {
                out.r#type = Some(value::Type::Text);
                out.text = Some(value::Text {
                    value: Some(text.as_ref().to_owned()),
                });
            }
        }
        out
    };
    attributes.iter().map(one).collect()
}
