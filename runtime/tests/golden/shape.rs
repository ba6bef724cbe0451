//! The shape of JSON: which keys there are, and of what types their values.

use super::differences::Kind;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Keys whose values are maps from names that depend on the run.
const MAPS: [&str; 3] = ["/flags", "/reserved_resources", "/reserved_resources_full"];

/// A key without what depends on the run: the names and ids of frameworks.
fn normal(key: &str) -> Cow<'_, str> {
    const OF_FRAMEWORKS: &str = "master/frameworks/";
    let Some(rest) = key.strip_prefix(OF_FRAMEWORKS) else {
        return key.into();
    };
    let mut parts = rest.splitn(3, '/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(_), Some(_), Some(rest)) => format!("{OF_FRAMEWORKS}*/*/{rest}").into(),
        _ => key.into(),
    }
}

/// Every path in a value, with the types found there. Elements of a list share one path.
fn paths(value: &Value, at: &str, found: &mut BTreeMap<String, BTreeSet<&'static str>>) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "double",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    };
    found.entry(at.to_owned()).or_default().insert(kind);
    match value {
        Value::Array(list) => {
            for item in list {
                paths(item, &format!("{at}[]"), found);
            }
        }
        Value::Object(map) if !MAPS.iter().any(|name| at.ends_with(name)) => {
            for (key, item) in map {
                // Names of files depend on the run.
                let key = if key.starts_with('/') { "*" } else { key };
                paths(item, &format!("{at}/{}", normal(key)), found);
            }
        }
        _ => {}
    }
    names(value, at, found);
}

/// Flags and metrics are lists of names and values: the names count.
fn names(value: &Value, at: &str, found: &mut BTreeMap<String, BTreeSet<&'static str>>) {
    if let Value::Array(list) = value
        && (at.ends_with("/flags") || at.ends_with("/metrics"))
    {
        for name in list.iter().filter_map(|item| item["name"].as_str()) {
            found
                .entry(format!("{at}/{}", normal(name)))
                .or_default()
                .insert("named");
        }
    }
    if let Value::Object(map) = value
        && at.ends_with("/flags")
    {
        for name in map.keys() {
            found
                .entry(format!("{at}/{name}"))
                .or_default()
                .insert("named");
        }
    }
}

/// What is in one and not in the other, or is there with other types.
pub fn differences(theirs: &Value, ours: &Value) -> Vec<(Kind, String)> {
    let (mut their, mut our) = (BTreeMap::new(), BTreeMap::new());
    paths(theirs, "", &mut their);
    paths(ours, "", &mut our);
    let mut found = Vec::new();
    // What is missing is named once, not again for all that is in it.
    let under = |path: &str, known: &BTreeSet<String>| {
        known.iter().any(|top| {
            let rest = path.strip_prefix(top.as_str());
            rest.is_some_and(|rest| rest.starts_with(['/', '[']))
        })
    };
    let mut missing = BTreeSet::new();
    for (path, kinds) in &their {
        match our.get(path) {
            None if under(path, &missing) => {}
            None => {
                missing.insert(path.clone());
                found.push((Kind::Missing, path.clone()));
            }
            Some(here) if here != kinds => {
                found.push((Kind::Type, format!("{path}: {kinds:?} is {here:?} here")));
            }
            Some(_) => {}
        }
    }
    let mut more = BTreeSet::new();
    for path in our.keys().filter(|path| !their.contains_key(*path)) {
        if !under(path, &more) {
            more.insert(path.clone());
            found.push((Kind::More, path.clone()));
        }
    }
    found
}
