//! Resources as the classic pages have them: amounts by name.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use tepui_core::model::Limits;
use tepui_core::resources::{
    AttributeValue, Attributes, Quantities, Resource, Resources, Role, Value,
};

/// What the pages always show, whether there is any of it or not.
const ALWAYS: [&str; 4] = ["disk", "mem", "gpus", "cpus"];

/// Amounts by name; those that may be taken back apart from the others.
#[derive(Clone, Copy, Debug)]
pub struct Amounts<'a>(pub &'a Resources);

impl Serialize for Amounts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut scalars: Vec<(&str, bool, i64)> =
            ALWAYS.iter().map(|name| (*name, false, 0)).collect();
        let mut others: Vec<(&str, bool, Value)> = Vec::new();
        for item in self.0.iter() {
            let key = (item.name(), item.kind.revocable);
            match &item.value {
                Value::Scalar(scalar) => {
                    let found = scalars.iter_mut().find(|s| (s.0, s.1) == key);
                    match found {
                        Some(sum) => sum.2 = sum.2.saturating_add(scalar.milli()),
                        None => scalars.push((key.0, key.1, scalar.milli())),
                    }
                }
                value => match others.iter_mut().find(|o| (o.0, o.1) == key) {
                    Some(sum) => {
                        if let Ok(both) = sum.2.checked_add(value) {
                            sum.2 = both;
                        }
                    }
                    None => others.push((key.0, key.1, value.clone())),
                },
            }
        }
        let mut map = serializer.serialize_map(None)?;
        for (name, revocable, milli) in scalars {
            map.serialize_entry(&*named(name, revocable), &(milli as f64 / 1e3))?;
        }
        for (name, revocable, value) in others {
            map.serialize_entry(&*named(name, revocable), &value.to_string())?;
        }
        map.end()
    }
}

fn named(name: &str, revocable: bool) -> std::borrow::Cow<'_, str> {
    match revocable {
        false => name.into(),
        true => format!("{name}_revocable").into(),
    }
}

/// Amounts of scalars, and how many of what is counted; nothing else, as quota knows it.
#[derive(Clone, Debug, Default)]
pub struct Counted(pub Vec<(String, f64)>);

impl From<&Quantities> for Counted {
    fn from(amounts: &Quantities) -> Counted {
        let amounts = amounts.iter();
        Counted(
            amounts
                .map(|(name, milli)| (name.to_owned(), milli as f64 / 1e3))
                .collect(),
        )
    }
}

impl From<&Limits> for Counted {
    fn from(limits: &Limits) -> Counted {
        let limits = limits.iter();
        Counted(
            limits
                .map(|(name, limit)| (name.to_owned(), limit.to_f64()))
                .collect(),
        )
    }
}

impl Serialize for Counted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, amount)| (name, amount)))
    }
}

/// Scalars by amount, ranges and sets by how many there are.
#[must_use]
pub fn counted<'a>(items: impl Iterator<Item = &'a Resource>) -> Quantities {
    let mut sum = Quantities::default();
    for item in items {
        let milli = match &item.value {
            Value::Scalar(scalar) => scalar.milli(),
            Value::Ranges(ranges) => count_milli(ranges.count()),
            Value::Set(set) => count_milli(set.as_slice().len() as u64),
        };
        sum.add_milli(&item.kind.name, milli);
    }
    sum
}

fn count_milli(count: u64) -> i64 {
    i64::try_from(count)
        .unwrap_or(i64::MAX)
        .saturating_mul(1000)
}

/// Attributes by name.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a>(pub &'a Attributes);

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let mut seen: Vec<&str> = Vec::new();
        for attribute in self.0.iter() {
            // A name that comes twice would be no JSON that everybody reads.
            if seen.contains(&&*attribute.name) {
                continue;
            }
            seen.push(&attribute.name);
            match &attribute.value {
                AttributeValue::Scalar(scalar) => {
                    map.serialize_entry(&*attribute.name, &scalar.to_f64())?;
                }
                AttributeValue::Ranges(ranges) => {
                    map.serialize_entry(&*attribute.name, &ranges.to_string())?;
                }
                AttributeValue::Text(text) => {
                    map.serialize_entry(&*attribute.name, &**text)?;
                }
            }
        }
        map.end()
    }
}

/// What is reserved, by the role that it is reserved for.
#[must_use]
pub fn by_role(resources: &Resources) -> Vec<(Role, Resources)> {
    let mut roles: Vec<Role> = Vec::new();
    for item in resources.iter() {
        if let Some(role) = item.kind.reserved_role()
            && !roles.contains(role)
        {
            roles.push(role.clone());
        }
    }
    roles
        .into_iter()
        .map(|role| {
            let of_role = resources.filter(|item| item.kind.reserved_role() == Some(&role));
            (role, of_role)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesos::json::to_vec;

    fn shown(text: &str) -> String {
        let resources = Resources::parse(text, &Role::any()).unwrap();
        String::from_utf8(to_vec(&Amounts(&resources))).unwrap()
    }

    #[test]
    fn what_is_always_asked_for_is_always_there() {
        let empty = r#"{"disk":0.0,"mem":0.0,"gpus":0.0,"cpus":0.0}"#;
        assert_eq!(shown(""), empty);
    }

    #[test]
    fn reservations_are_added_up_and_ranges_are_text() {
        let text = "cpus:1;cpus(web):0.5;ports:[1-2];ports(web):[3-4];zones:{a}";
        let sums = r#"{"disk":0.0,"mem":0.0,"gpus":0.0,"cpus":1.5,"ports":"[1-4]","zones":"{a}"}"#;
        assert_eq!(shown(text), sums);
    }

    #[test]
    fn quantities_count_what_is_no_amount() {
        let resources = Resources::parse("cpus:0.5;ports:[1-2]", &Role::any()).unwrap();
        let counted = counted(resources.iter());
        let text = String::from_utf8(to_vec(&Counted::from(&counted))).unwrap();
        assert_eq!(text, r#"{"cpus":0.5,"ports":2.0}"#);
    }
}
