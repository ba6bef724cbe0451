//! Role names: a path in the tree in which resources are shared.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use core::fmt;
use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;

/// The longest role, in bytes.
pub const ROLE_BYTES_MAX: usize = 255;

/// Why a string is not a role.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RoleError {
    /// Nothing in it, or nothing between two slashes, or a slash at an end.
    #[error("role '{0}' has an empty part: write a role as 'a' or 'a/b'")]
    Empty(String),
    /// Longer than [`ROLE_BYTES_MAX`].
    #[error("a role of {0} bytes is too long: at most {ROLE_BYTES_MAX}")]
    Long(usize),
    /// `.`, `..` or `*` as a part of a path.
    #[error("role '{0}' has the part '{1}', which is reserved")]
    Part(String, String),
    /// Command lines would take it for a flag.
    #[error("role '{0}' has a part that starts with '-'")]
    Dash(String),
    /// White space, a control character, or one that structures the text form of resources.
    #[error("role '{0}' must not contain {1:?}")]
    Character(String, char),
}

/// A role: `*`, a name, or a path such as `web/frontend`, in which every part shares what its
/// parent has.
///
/// The rules are Mesos', and in addition `(`, `)` and `;` are refused, so that every role can be
/// written in the text form of resources.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Role(Arc<str>);

impl Serialize for Role {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl Role {
    /// Validates `text`.
    ///
    /// # Errors
    /// When it is not `*` and not a path of plain parts.
    pub fn new(text: &str) -> Result<Role, RoleError> {
        if text != "*" {
            validate(text)?;
        }
        Ok(Role(Arc::from(text)))
    }

    /// `*`, the role of those that name none; nothing is ever reserved for it.
    #[must_use]
    pub fn any() -> Role {
        Role(Arc::from("*"))
    }

    /// Whether this is `*`.
    #[must_use]
    pub fn is_any(&self) -> bool {
        &*self.0 == "*"
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parts of the path, outermost first.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// The role one level up; none at the top.
    #[must_use]
    pub fn parent(&self) -> Option<Role> {
        let (parent, _) = self.0.rsplit_once('/')?;
        Some(Role(Arc::from(parent)))
    }

    /// The outermost part, where quota is set.
    #[must_use]
    pub fn top(&self) -> Role {
        match self.0.split_once('/') {
            Some((top, _)) => Role(Arc::from(top)),
            None => self.clone(),
        }
    }

    /// Whether `other` lies strictly below this role.
    #[must_use]
    pub fn is_ancestor_of(&self, other: &Role) -> bool {
        let rest = other.0.strip_prefix(&*self.0);
        rest.is_some_and(|rest| rest.starts_with('/'))
    }

    /// Whether what is reserved for this role may be given to `other`.
    #[must_use]
    pub fn covers(&self, other: &Role) -> bool {
        self == other || self.is_ancestor_of(other)
    }
}

fn validate(text: &str) -> Result<(), RoleError> {
    if text.len() > ROLE_BYTES_MAX {
        return Err(RoleError::Long(text.len()));
    }
    let bad = |c: &char| c.is_whitespace() || c.is_control() || matches!(c, '(' | ')' | ';' | '\\');
    if let Some(c) = text.chars().find(bad) {
        return Err(RoleError::Character(text.to_string(), c));
    }
    for part in text.split('/') {
        match part {
            "" => return Err(RoleError::Empty(text.to_string())),
            "." | ".." | "*" => return Err(RoleError::Part(text.to_string(), part.to_string())),
            _ if part.starts_with('-') => return Err(RoleError::Dash(text.to_string())),
            _ => {}
        }
    }
    Ok(())
}

impl Default for Role {
    fn default() -> Role {
        Role::any()
    }
}

impl TryFrom<String> for Role {
    type Error = RoleError;
    fn try_from(text: String) -> Result<Role, RoleError> {
        Role::new(&text)
    }
}

impl From<Role> for String {
    fn from(role: Role) -> String {
        role.0.to_string()
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
