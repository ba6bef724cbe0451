//! What operations on resources do, and which of them make sense.

use super::ResourceOperation;
use crate::ids::{self, IdError};
use crate::resources::{
    Conversion, DiskSourceKind, KindError, Resource, Resources, ResourcesError, Role, Scalar, Value,
};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use thiserror::Error;

/// Why an operation makes no sense, whoever asks for it. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OperationError {
    /// It names nothing.
    #[error("the operation names no resources")]
    Empty,
    /// Of a resource provider; there are none but agents.
    #[error("{0} is of a resource provider, and no provider takes operations")]
    Provider(String),
    /// Not reserved at run time.
    #[error("{0} is not dynamically reserved")]
    NotDynamic(String),
    /// A volume is in the way.
    #[error("{0} is a persistent volume: destroy it first, then unreserve what it was made of")]
    IsVolume(String),
    /// A volume was expected.
    #[error("{0} is not a persistent volume")]
    NotVolume(String),
    /// Volumes lie on reserved disks.
    #[error("persistent volume {0} is not reserved")]
    Unreserved(String),
    /// Volumes are for writing.
    #[error("read-only persistent volume {0} is not supported")]
    ReadOnly(String),
    /// A volume is found somewhere.
    #[error("Expecting 'volume' to be set for persistent volume {0}")]
    NoPath(String),
    /// A volume's id names a folder.
    #[error("persistence ID '{id}': {why}")]
    Persistence {
        /// The id.
        id: String,
        /// What is wrong with it.
        why: IdError,
    },
    /// GPUs come whole.
    #[error("the 'gpus' resource must be an unsigned integer, not {0}")]
    Gpus(Scalar),
    /// More than one reservation on either side of a re-reservation.
    #[error("{0} have different reservations, and are to have one together")]
    Mixed(String),
    /// The two sides of a re-reservation are not the same amounts.
    #[error("{source} and {target} are not the same amounts", source = .0, target = .1)]
    Amounts(String, String),
    /// One volume at a time.
    #[error("one volume is resized at a time, not {0}")]
    Several(usize),
    /// Shared volumes keep their size.
    #[error("shared persistent volume {0} cannot be resized")]
    Shared(String),
    /// By nothing, or by all.
    #[error("volume {volume} cannot be resized by {by}")]
    Size {
        /// The volume.
        volume: String,
        /// By how much.
        by: String,
    },
    /// Devices that are given out as a whole keep their size, and what is added must be of the
    /// volume's own kind.
    #[error("{addition} is not of the kind that volume {volume} is made of")]
    Incompatible {
        /// The volume.
        volume: String,
        /// What was to be added or freed.
        addition: String,
    },
    /// Marked for another role than the one that it was offered to.
    #[error("{0} is marked as allocated to role '{1}'")]
    Marked(String, Role),
    /// See [`KindError`].
    #[error(transparent)]
    Kind(#[from] KindError),
    /// See [`ResourcesError`].
    #[error(transparent)]
    Sum(#[from] ResourcesError),
}

/// What holds for resources that anyone asks for, beyond what holds for every collection.
///
/// # Errors
/// The first thing that makes no sense.
pub fn check_resources(resources: &Resources) -> Result<(), OperationError> {
    for item in resources {
        if let (Value::Scalar(amount), "gpus") = (&item.value, item.name())
            && amount.milli() % 1000 != 0
        {
            return Err(OperationError::Gpus(*amount));
        }
        let Some(volume) = item.kind.volume() else {
            continue;
        };
        if item.kind.reservations.is_empty() {
            return Err(OperationError::Unreserved(item.to_string()));
        }
        if volume.container_path.is_empty() {
            return Err(OperationError::NoPath(item.to_string()));
        }
        ids::validate(&volume.id).map_err(|why| OperationError::Persistence {
            id: volume.id.to_string(),
            why,
        })?;
    }
    Ok(())
}

impl ResourceOperation {
    /// Mesos' name, such as `RESERVE`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            ResourceOperation::Reserve { .. } => "RESERVE",
            ResourceOperation::Unreserve { .. } => "UNRESERVE",
            ResourceOperation::Create { .. } => "CREATE",
            ResourceOperation::Destroy { .. } => "DESTROY",
            ResourceOperation::Grow { .. } => "GROW_VOLUME",
            ResourceOperation::Shrink { .. } => "SHRINK_VOLUME",
        }
    }

    /// All resources that it names.
    pub fn parts(&self) -> impl Iterator<Item = &Resources> {
        let (first, second) = match self {
            ResourceOperation::Reserve { source, resources } => (resources, Some(source)),
            ResourceOperation::Unreserve { resources } => (resources, None),
            ResourceOperation::Create { volumes } | ResourceOperation::Destroy { volumes } => {
                (volumes, None)
            }
            ResourceOperation::Grow { volume, addition } => (volume, Some(addition)),
            ResourceOperation::Shrink { volume, .. } => (volume, None),
        };
        core::iter::once(first).chain(second)
    }

    /// The same with every resource named as the agent lists it.
    ///
    /// # Errors
    /// When a resource is marked for another role than `role`, or, without one, for any.
    pub fn unmarked(&self, role: Option<&Role>) -> Result<ResourceOperation, OperationError> {
        let strip = |all: &Resources| -> Result<Resources, OperationError> {
            for item in all {
                if let Some(marked) = &item.kind.allocation
                    && Some(marked) != role
                {
                    return Err(OperationError::Marked(item.to_string(), marked.clone()));
                }
            }
            Ok(all.unmarked()?)
        };
        Ok(match self {
            ResourceOperation::Reserve { source, resources } => ResourceOperation::Reserve {
                source: strip(source)?,
                resources: strip(resources)?,
            },
            ResourceOperation::Unreserve { resources } => ResourceOperation::Unreserve {
                resources: strip(resources)?,
            },
            ResourceOperation::Create { volumes } => ResourceOperation::Create {
                volumes: strip(volumes)?,
            },
            ResourceOperation::Destroy { volumes } => ResourceOperation::Destroy {
                volumes: strip(volumes)?,
            },
            ResourceOperation::Grow { volume, addition } => ResourceOperation::Grow {
                volume: strip(volume)?,
                addition: strip(addition)?,
            },
            ResourceOperation::Shrink { volume, subtract } => ResourceOperation::Shrink {
                volume: strip(volume)?,
                subtract: *subtract,
            },
        })
    }

    /// Whether it makes sense by itself. Whether it may be done, and can be done now, depends on
    /// who asks and on what is there.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn validate(&self) -> Result<(), OperationError> {
        let mut parts = self.parts();
        let named = parts.next().is_some_and(|first| !first.is_empty());
        if !named {
            return Err(OperationError::Empty);
        }
        for part in self.parts() {
            if let Some(item) = part.iter().find(|item| item.kind.provider.is_some()) {
                return Err(OperationError::Provider(item.to_string()));
            }
            check_resources(part)?;
        }
        match self {
            ResourceOperation::Reserve { source, resources } => {
                each(resources, must_be_dynamic)?;
                check_source(source, resources)
            }
            ResourceOperation::Unreserve { resources } => each(resources, |item| {
                must_be_dynamic(item)?;
                match item.kind.volume() {
                    Some(_) => Err(OperationError::IsVolume(item.to_string())),
                    None => Ok(()),
                }
            }),
            ResourceOperation::Create { volumes } | ResourceOperation::Destroy { volumes } => {
                each(volumes, must_be_volume)
            }
            ResourceOperation::Grow { volume, addition } => check_growth(volume, addition),
            ResourceOperation::Shrink { volume, subtract } => check_shrinkage(volume, *subtract),
        }
    }

    /// What it does, step by step.
    ///
    /// # Errors
    /// When its resources do not add up; never for one that was validated, short of a sum that is
    /// too large.
    pub fn conversions(&self) -> Result<Vec<Conversion>, OperationError> {
        let mut steps = Vec::new();
        match self {
            ResourceOperation::Reserve { source, resources } => {
                let consumed = match source.is_empty() {
                    true => resources.popped()?,
                    false => source.clone(),
                };
                steps.push(Conversion::new(consumed, resources.clone()));
            }
            ResourceOperation::Unreserve { resources } => {
                for item in resources {
                    let consumed = Resources::new([item.clone()])?;
                    let converted = consumed.popped()?;
                    steps.push(Conversion::new(consumed, converted));
                }
            }
            ResourceOperation::Create { volumes } => {
                for item in volumes {
                    let converted = Resources::new([item.clone()])?;
                    let consumed = converted.without_volumes()?;
                    steps.push(Conversion::new(consumed, converted));
                }
            }
            ResourceOperation::Destroy { volumes } => {
                for item in volumes {
                    let consumed = Resources::new([item.clone()])?;
                    let converted = consumed.without_volumes()?;
                    let last = item.kind.shared;
                    steps.push(Conversion {
                        consumed,
                        converted,
                        last,
                    });
                }
            }
            ResourceOperation::Grow { volume, addition } => {
                let added = amount(addition);
                let grown = resized(volume, |size| size.checked_add(added))?;
                steps.push(Conversion::new(volume.checked_add(addition)?, grown));
            }
            ResourceOperation::Shrink { volume, subtract } => {
                let shrunk = resized(volume, |size| size.checked_sub(*subtract))?;
                let freed = resized(&volume.without_volumes()?, |_| Some(*subtract))?;
                let converted = shrunk.checked_add(&freed)?;
                steps.push(Conversion::new(volume.clone(), converted));
            }
        }
        Ok(steps)
    }
}

fn each(
    resources: &Resources,
    check: impl Fn(&Resource) -> Result<(), OperationError>,
) -> Result<(), OperationError> {
    resources.iter().try_for_each(check)
}

fn must_be_dynamic(item: &Resource) -> Result<(), OperationError> {
    match item.kind.is_dynamically_reserved() {
        true => Ok(()),
        false => Err(OperationError::NotDynamic(item.to_string())),
    }
}

fn must_be_volume(item: &Resource) -> Result<(), OperationError> {
    let Some(volume) = item.kind.volume() else {
        return Err(OperationError::NotVolume(item.to_string()));
    };
    if item.value.scalar().is_none() {
        return Err(OperationError::NotVolume(item.to_string()));
    }
    if volume.read_only {
        return Err(OperationError::ReadOnly(item.to_string()));
    }
    Ok(())
}

fn check_source(source: &Resources, target: &Resources) -> Result<(), OperationError> {
    if source.is_empty() {
        return Ok(());
    }
    for side in [source, target] {
        let mut stacks = side.iter().map(|item| &item.kind.reservations);
        let first = stacks.next();
        if stacks.any(|stack| Some(stack) != first) {
            return Err(OperationError::Mixed(side.to_string()));
        }
    }
    if source.unreserved_form()? != target.unreserved_form()? {
        let texts = (source.to_string(), target.to_string());
        return Err(OperationError::Amounts(texts.0, texts.1));
    }
    Ok(())
}

/// The one volume that is resized, and its size.
fn only_volume(volume: &Resources) -> Result<(&Resource, Scalar), OperationError> {
    let mut items = volume.iter();
    let (Some(item), None) = (items.next(), items.next()) else {
        return Err(OperationError::Several(volume.len()));
    };
    must_be_volume(item)?;
    if item.kind.shared {
        return Err(OperationError::Shared(item.to_string()));
    }
    Ok((item, item.value.scalar().unwrap_or_default()))
}

fn check_growth(volume: &Resources, addition: &Resources) -> Result<(), OperationError> {
    let (item, _) = only_volume(volume)?;
    if amount(addition).is_zero() {
        return Err(OperationError::Size {
            volume: item.to_string(),
            by: addition.to_string(),
        });
    }
    let under = volume.without_volumes()?;
    let same = |more: &Resource| under.find(&more.kind).is_some() && more.kind.merges();
    if addition.len() != 1 || !addition.iter().all(same) {
        return Err(OperationError::Incompatible {
            volume: item.to_string(),
            addition: addition.to_string(),
        });
    }
    Ok(())
}

fn check_shrinkage(volume: &Resources, subtract: Scalar) -> Result<(), OperationError> {
    let (item, size) = only_volume(volume)?;
    if subtract.is_zero() || subtract >= size {
        return Err(OperationError::Size {
            volume: item.to_string(),
            by: subtract.to_string(),
        });
    }
    let source = item
        .kind
        .disk
        .as_ref()
        .and_then(|disk| disk.source.as_ref());
    if source.is_some_and(|source| source.kind != DiskSourceKind::Path) {
        return Err(OperationError::Incompatible {
            volume: item.to_string(),
            addition: subtract.to_string(),
        });
    }
    Ok(())
}

fn amount(all: &Resources) -> Scalar {
    let amounts = all.iter().filter_map(|item| item.value.scalar());
    amounts.fold(Scalar::ZERO, Scalar::saturating_add)
}

/// The same with another amount, which must be one.
fn resized(
    all: &Resources,
    size: impl Fn(Scalar) -> Option<Scalar>,
) -> Result<Resources, OperationError> {
    let mut items = Vec::new();
    for item in all {
        let before = item.value.scalar().and_then(&size);
        let after = before.ok_or_else(|| OperationError::Size {
            volume: item.to_string(),
            by: String::from("so much"),
        })?;
        let mut item = item.clone();
        item.value = Value::Scalar(after);
        items.push(item);
    }
    Ok(Resources::new(items)?)
}

#[cfg(test)]
mod tests;
