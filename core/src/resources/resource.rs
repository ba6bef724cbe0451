//! One resource: how much of what, reserved how, on which disk.

use super::name::{self, NameError};
use super::role::Role;
use super::value::Value;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The most refinements of one reservation.
pub const RESERVATIONS_MAX: usize = 16;

/// Who made a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ReservationType {
    /// The agent's own flags.
    Static,
    /// A framework or operator, at run time.
    Dynamic,
}

/// One level of a reservation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Reservation {
    /// Who made it.
    pub kind: ReservationType,
    /// For whom; never `*`.
    pub role: Role,
    /// In whose name it was made.
    pub principal: Option<Arc<str>>,
    /// Free text of whoever made it; part of its identity.
    pub labels: Vec<(Arc<str>, Arc<str>)>,
}

impl Reservation {
    /// One that an agent's flags make for `role`.
    #[must_use]
    pub const fn fixed(role: Role) -> Reservation {
        Reservation {
            kind: ReservationType::Static,
            role,
            principal: None,
            labels: Vec::new(),
        }
    }

    fn is_plain(&self) -> bool {
        self.kind == ReservationType::Static && self.principal.is_none() && self.labels.is_empty()
    }
}

/// Which disk a `disk` resource lies on, and whether it is a volume.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Disk {
    /// A volume that outlives its task.
    pub volume: Option<Volume>,
    /// The device; none is the agent's work directory.
    pub source: Option<DiskSource>,
}

/// A persistent volume; no two of the same id exist for one role on one agent.
///
/// Its id is all that it is known by: tasks may mount one volume in different ways, and whoever
/// names it need not repeat in whose name it was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Volume {
    /// Chosen by the framework.
    pub id: Arc<str>,
    /// In whose name it was made.
    pub principal: Option<Arc<str>>,
    /// Where a task finds it, seen from its sandbox.
    pub container_path: Arc<str>,
    /// Whether a task may only read it.
    pub read_only: bool,
}

impl Volume {
    /// One to be read and written.
    #[must_use]
    pub fn new(id: &str, container_path: &str) -> Volume {
        Volume {
            id: Arc::from(id),
            principal: None,
            container_path: Arc::from(container_path),
            read_only: false,
        }
    }
}

impl PartialEq for Volume {
    fn eq(&self, other: &Volume) -> bool {
        self.id == other.id
    }
}

impl Eq for Volume {}

impl PartialOrd for Volume {
    fn partial_cmp(&self, other: &Volume) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Volume {
    fn cmp(&self, other: &Volume) -> Ordering {
        self.id.cmp(&other.id)
    }
}

impl Hash for Volume {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

/// A device other than the agent's work directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DiskSource {
    /// What it is.
    pub kind: DiskSourceKind,
    /// Its mount point or path.
    pub root: Option<Arc<str>>,
    /// Its id, where a storage provider gave one.
    pub id: Option<Arc<str>>,
}

/// The ways in which a device is given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum DiskSourceKind {
    /// A folder; may be given out in parts.
    Path,
    /// A mounted file system; only as a whole.
    Mount,
    /// A block device; only as a whole.
    Block,
    /// Space that is neither formatted nor mounted.
    Raw,
}

/// What a resource is, apart from how much of it there is. Amounts of two resources add up only
/// where the kinds are equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ResourceKind {
    /// Such as `cpus`.
    pub name: Arc<str>,
    /// The role to which it is offered or allocated; none on the agent's own list.
    pub allocation: Option<Role>,
    /// From the outermost reservation to the innermost, each for a strict sub-role of the one
    /// before; empty is unreserved.
    pub reservations: Vec<Reservation>,
    /// For `disk` only.
    pub disk: Option<Disk>,
    /// The resource provider, where it is not the agent itself.
    pub provider: Option<Arc<str>>,
    /// It may be taken back at any time.
    pub revocable: bool,
    /// Many tasks may use it at once; only volumes.
    pub shared: bool,
}

/// Why a kind makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KindError {
    /// See [`NameError`].
    #[error(transparent)]
    Name(#[from] NameError),
    /// A reservation for everybody.
    #[error("nothing can be reserved for role '*'")]
    Anybody,
    /// More than [`RESERVATIONS_MAX`].
    #[error("{0} refinements of a reservation are too many: at most {RESERVATIONS_MAX}")]
    Deep(usize),
    /// A refinement that is not for a strict sub-role, or is static.
    #[error("a reservation for '{inner}' cannot refine one for '{outer}'")]
    Refinement {
        /// The reservation outside.
        outer: Role,
        /// The one that should refine it.
        inner: Role,
    },
    /// Offered to a role for which it is not reserved.
    #[error("reserved for '{reserved}', so it cannot be allocated to '{allocated}'")]
    Allocation {
        /// For whom it is reserved.
        reserved: Role,
        /// Who was to have it.
        allocated: Role,
    },
    /// Disk information on something else.
    #[error("only 'disk' lies on a disk")]
    Disk,
    /// A reservation or volume of what may vanish.
    #[error("a revocable resource can neither be reserved nor hold a volume")]
    Revocable,
    /// Only persistent volumes can be shared.
    #[error("only a persistent volume can be shared")]
    Shared,
}

impl ResourceKind {
    /// Unreserved, unallocated, of the agent itself.
    #[must_use]
    pub fn plain(name: &str) -> ResourceKind {
        ResourceKind {
            name: Arc::from(name),
            allocation: None,
            reservations: Vec::new(),
            disk: None,
            provider: None,
            revocable: false,
            shared: false,
        }
    }

    /// The role that it is reserved for, innermost; none when unreserved.
    #[must_use]
    pub fn reserved_role(&self) -> Option<&Role> {
        self.reservations.last().map(|inner| &inner.role)
    }

    /// Whether it may be offered to `role`: unreserved, or reserved for it or an ancestor.
    #[must_use]
    pub fn is_allocatable_to(&self, role: &Role) -> bool {
        self.reserved_role().is_none_or(|owner| owner.covers(role))
    }

    /// The persistent volume, if it is one.
    #[must_use]
    pub fn volume(&self) -> Option<&Volume> {
        self.disk.as_ref()?.volume.as_ref()
    }

    /// Whether two amounts of this kind make one larger amount. A volume and a device that is
    /// given out as a whole are single things.
    #[must_use]
    pub fn merges(&self) -> bool {
        let Some(disk) = &self.disk else { return true };
        let whole = |source: &DiskSource| {
            matches!(source.kind, DiskSourceKind::Mount | DiskSourceKind::Block)
                || (source.kind == DiskSourceKind::Raw && source.id.is_some())
        };
        disk.volume.is_none() && !disk.source.as_ref().is_some_and(whole)
    }

    /// Checks that the parts go together.
    ///
    /// # Errors
    /// The first thing that makes no sense.
    pub fn validate(&self) -> Result<(), KindError> {
        name::validate(&self.name)?;
        self.validate_reservations()?;
        if self.disk.is_some() && &*self.name != "disk" {
            return Err(KindError::Disk);
        }
        let volume = self.volume().is_some();
        if self.revocable && (volume || !self.reservations.is_empty()) {
            return Err(KindError::Revocable);
        }
        if self.shared && !volume {
            return Err(KindError::Shared);
        }
        Ok(())
    }

    fn validate_reservations(&self) -> Result<(), KindError> {
        if self.reservations.len() > RESERVATIONS_MAX {
            return Err(KindError::Deep(self.reservations.len()));
        }
        if self.reservations.iter().any(|level| level.role.is_any()) {
            return Err(KindError::Anybody);
        }
        for pair in self.reservations.windows(2) {
            let (outer, inner) = (&pair[0].role, &pair[1].role);
            if pair[1].kind == ReservationType::Static || !outer.is_ancestor_of(inner) {
                let (outer, inner) = (outer.clone(), inner.clone());
                return Err(KindError::Refinement { outer, inner });
            }
        }
        match (self.reserved_role(), &self.allocation) {
            (Some(reserved), Some(allocated)) if !reserved.covers(allocated) => {
                let (reserved, allocated) = (reserved.clone(), allocated.clone());
                Err(KindError::Allocation {
                    reserved,
                    allocated,
                })
            }
            _ => Ok(()),
        }
    }
}

/// The text form of what is in front of the colon. A plain static reservation reads as
/// `cpus(web)`, which parses; what else a kind can say is shown, but has no text form to parse.
impl fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(role) = &self.allocation {
            write!(f, "(allocated: {role})")?;
        }
        for (depth, level) in self.reservations.iter().enumerate() {
            match level.kind {
                _ if depth == 0 && level.is_plain() => write!(f, "({})", level.role)?,
                ReservationType::Static => write!(f, "(static: {})", level.role)?,
                ReservationType::Dynamic => write!(f, "(dynamic: {})", level.role)?,
            }
        }
        if let Some(source) = self.disk.as_ref().and_then(|disk| disk.source.as_ref()) {
            let root = source.root.as_deref().unwrap_or_default();
            write!(f, "({:?}: {root})", source.kind)?;
        }
        if let Some(volume) = self.volume() {
            write!(f, "(volume: {})", volume.id)?;
        }
        if let Some(provider) = &self.provider {
            write!(f, "(provider: {provider})")?;
        }
        if self.revocable {
            f.write_str("(revocable)")?;
        }
        if self.shared {
            f.write_str("(shared)")?;
        }
        Ok(())
    }
}

/// So much of one kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Resource {
    /// Of what.
    pub kind: ResourceKind,
    /// How much.
    pub value: Value,
    /// How often a shared volume is held; 1 for everything else.
    pub copies: u32,
}

impl Resource {
    /// One, not shared.
    #[must_use]
    pub const fn new(kind: ResourceKind, value: Value) -> Resource {
        Resource {
            kind,
            value,
            copies: 1,
        }
    }

    /// The resource's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.kind.name
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.value)
    }
}
