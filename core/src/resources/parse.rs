//! The text form of resources, as agents' flags and `tepui execute` take it.

use super::name;
use super::ranges::{Range, Ranges, RangesError};
use super::resource::{KindError, Reservation, Resource, ResourceKind};
use super::role::{Role, RoleError};
use super::scalar::{Scalar, ScalarError};
use super::set::{Set, SetError};
use super::sum::{Resources, ResourcesError};
use super::value::Value;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use thiserror::Error;

/// Why a text is not resources or attributes, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("'{item}' at byte {offset}: {why}")]
pub struct ParseError {
    /// Where in the text the item starts.
    pub offset: usize,
    /// The part between two semicolons that is wrong.
    pub item: String,
    /// What is wrong with it.
    pub why: ParseProblem,
}

/// What can be wrong with one item.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParseProblem {
    /// No colon.
    #[error("expected NAME:VALUE, such as cpus:4")]
    Colon,
    /// A parenthesis that does not close, or closes nothing.
    #[error("expected NAME(ROLE):VALUE, such as cpus(web):2")]
    Parenthesis,
    /// An opening bracket without its closing one.
    #[error("expected '{0}' at the end")]
    Unclosed(char),
    /// Not `first-last` in whole numbers.
    #[error("'{0}' is not a range: write FIRST-LAST in whole numbers, such as 31000-32000")]
    Range(String),
    /// The same name with different types of value.
    #[error("'{0}' is a {1} here and a {2} before: one name has one type")]
    Type(String, &'static str, &'static str),
    /// See [`RoleError`].
    #[error(transparent)]
    Role(#[from] RoleError),
    /// See [`ScalarError`].
    #[error(transparent)]
    Scalar(#[from] ScalarError),
    /// See [`RangesError`].
    #[error(transparent)]
    Ranges(#[from] RangesError),
    /// See [`SetError`].
    #[error(transparent)]
    Set(#[from] SetError),
    /// See [`KindError`].
    #[error(transparent)]
    Kind(#[from] KindError),
    /// See [`ResourcesError`].
    #[error(transparent)]
    Sum(#[from] ResourcesError),
}

/// The items between semicolons, with their offsets, without what is blank.
pub(super) fn items(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let base = text.as_ptr() as usize;
    text.split(';').filter_map(move |raw| {
        let item = raw.trim();
        (!item.is_empty()).then(|| (item.as_ptr() as usize - base, item))
    })
}

pub(super) fn resources(text: &str, default_role: &Role) -> Result<Resources, ParseError> {
    let mut sum = Resources::EMPTY;
    for (offset, item) in items(text) {
        resource(item, default_role)
            .and_then(|resource| {
                check_type(&sum, &resource)?;
                Ok(sum.include(&resource)?)
            })
            .map_err(|why| ParseError {
                offset,
                item: item.to_string(),
                why,
            })?;
    }
    Ok(sum)
}

fn check_type(sum: &Resources, new: &Resource) -> Result<(), ParseProblem> {
    let (name, now) = (new.name(), new.value.type_name());
    let before = sum.iter().find(|item| item.name() == name);
    match before.map(|item| item.value.type_name()) {
        Some(before) if before != now => Err(ParseProblem::Type(name.to_string(), now, before)),
        _ => Ok(()),
    }
}

fn resource(item: &str, default_role: &Role) -> Result<Resource, ParseProblem> {
    // A role may contain colons, so the name and its role are read first.
    let head_end = item.find(['(', ':']).ok_or(ParseProblem::Colon)?;
    let (name, mut rest) = (item[..head_end].trim(), &item[head_end..]);
    let mut role = default_role.clone();
    if let Some(after) = rest.strip_prefix('(') {
        let (inside, after) = after.split_once(')').ok_or(ParseProblem::Parenthesis)?;
        role = Role::new(inside.trim())?;
        rest = after.trim_start();
    }
    let value = rest.strip_prefix(':').ok_or(ParseProblem::Parenthesis)?;
    let mut kind = ResourceKind::plain(name);
    if !role.is_any() {
        kind.reservations.push(Reservation::fixed(role));
    }
    kind.validate()?;
    Ok(Resource::new(kind, parse_value(value.trim())?))
}

/// A scalar, `[ranges]` or `{set}`.
pub(super) fn parse_value(text: &str) -> Result<Value, ParseProblem> {
    let inside = |rest: &str, close: char| {
        let inside = rest.strip_suffix(close);
        inside
            .map(ToString::to_string)
            .ok_or(ParseProblem::Unclosed(close))
    };
    if let Some(rest) = text.strip_prefix('[') {
        return Ok(Value::Ranges(parse_ranges(&inside(rest, ']')?)?));
    }
    if let Some(rest) = text.strip_prefix('{') {
        let inside = inside(rest, '}')?;
        let items = inside.split(',').map(str::trim);
        let items: Vec<Arc<str>> = match inside.trim() {
            "" => Vec::new(),
            _ => items.map(Arc::from).collect(),
        };
        return Ok(Value::Set(Set::new(items)?));
    }
    Ok(Value::Scalar(Scalar::parse(text)?))
}

fn parse_ranges(inside: &str) -> Result<Ranges, ParseProblem> {
    if inside.trim().is_empty() {
        return Ok(Ranges::default());
    }
    let parse_one = |text: &str| {
        let bad = || ParseProblem::Range(text.trim().to_string());
        let (begin, end) = text.split_once('-').ok_or_else(bad)?;
        let number = |text: &str| {
            let text = text.trim();
            // `parse` alone would take a plus sign.
            let digits = text.bytes().all(|b| b.is_ascii_digit());
            text.parse::<u64>().ok().filter(|_| digits).ok_or_else(bad)
        };
        Ok(Range {
            begin: number(begin)?,
            end: number(end)?,
        })
    };
    let ranges: Result<Vec<Range>, ParseProblem> = inside.split(',').map(parse_one).collect();
    Ok(Ranges::new(ranges?)?)
}

/// The name in front of an attribute's colon.
pub(super) fn check_name(text: &str) -> Result<(), ParseProblem> {
    Ok(name::validate(text).map_err(KindError::Name)?)
}
