//! Resources.
//!
//! Mesos writes reservations in three ways: schedulers of old find the role in `role` and what
//! was reserved at run time in `reservation`; those that understand refined reservations find all
//! levels in `reservations`; operators find both. All three are read.

use super::{ConvertError, filled};
use crate::mesos::v1;
use crate::mesos::v1::resource::{AllocationInfo, DiskInfo, ReservationInfo};
use crate::mesos::v1::resource::{disk_info, reservation_info};
use crate::mesos::v1::value;
use crate::mesos::v1::volume::Mode;
use std::sync::Arc;
use tepui_core::resources::{
    Disk, DiskSource, DiskSourceKind, Range, Ranges, Reservation, ReservationType, Resource,
    ResourceKind, Resources, Role, Scalar, Set, Value, Volume,
};

/// How reservations are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// In `role` and `reservation`.
    Old,
    /// In `reservations`.
    Refined,
    /// In both, for operators.
    Both,
}

impl Form {
    /// For a framework that understands refined reservations, or one that does not.
    #[must_use]
    pub const fn of_framework(reservation_refinement: bool) -> Form {
        match reservation_refinement {
            true => Form::Refined,
            false => Form::Old,
        }
    }
}

/// All of `list` together.
///
/// # Errors
/// The first thing that makes no sense.
pub fn to_core(list: &[v1::Resource]) -> Result<Resources, ConvertError> {
    let items: Result<Vec<Resource>, ConvertError> = list.iter().map(resource_to_core).collect();
    Resources::new(items?).map_err(|error| ConvertError::new(error.to_string()))
}

/// Each kind by itself; what many hold, as often as they hold it.
#[must_use]
pub fn to_v1(resources: &Resources, form: Form) -> Vec<v1::Resource> {
    let mut list = Vec::with_capacity(resources.len());
    for resource in resources.iter() {
        let one = resource_to_v1(resource, form);
        for _ in 1..resource.copies {
            list.push(one.clone());
        }
        list.push(one);
    }
    list
}

/// One resource.
///
/// # Errors
/// The first thing that makes no sense.
pub fn resource_to_core(resource: &v1::Resource) -> Result<Resource, ConvertError> {
    let name = resource.name.as_deref().unwrap_or_default();
    if name.is_empty() {
        return Err(ConvertError::new("Empty resource name"));
    }
    let value = value_to_core(resource)?;
    let allocation = resource.allocation_info.as_ref();
    let allocation = allocation.and_then(|info| info.role.as_deref());
    let provider = resource.provider_id.as_ref();
    let provider = provider.and_then(|id| id.value.as_deref());
    let kind = ResourceKind {
        name: Arc::from(name),
        allocation: allocation.map(role_to_core).transpose()?,
        reservations: reservations_to_core(resource)?,
        disk: resource.disk.as_deref().map(disk_to_core).transpose()?,
        provider: provider.map(Arc::from),
        revocable: resource.revocable.is_some(),
        shared: resource.shared.is_some(),
    };
    Ok(Resource::new(kind, value))
}

/// A role, as the core checks it.
///
/// # Errors
/// When it is none.
pub fn role_to_core(text: &str) -> Result<Role, ConvertError> {
    Role::new(text).map_err(|error| ConvertError::new(error.to_string()))
}

fn value_to_core(resource: &v1::Resource) -> Result<Value, ConvertError> {
    let (scalar, ranges, set) = (&resource.scalar, &resource.ranges, &resource.set);
    match (resource.r#type, scalar, ranges, set) {
        (Some(value::Type::Scalar), Some(scalar), None, None) => {
            Ok(Value::Scalar(scalar_to_core(scalar)?))
        }
        (Some(value::Type::Ranges), None, Some(ranges), None) => {
            Ok(Value::Ranges(ranges_to_core(ranges)?))
        }
        (Some(value::Type::Set), None, None, Some(set)) => {
            let items = set.item.iter().map(|item| Arc::from(item.as_str()));
            let set = Set::new(items.collect());
            let set =
                set.map_err(|error| ConvertError::new(format!("Invalid set resource: {error}")))?;
            Ok(Value::Set(set))
        }
        (Some(value::Type::Scalar), ..) => Err(ConvertError::new("Invalid scalar resource")),
        (Some(value::Type::Ranges), ..) => Err(ConvertError::new("Invalid ranges resource")),
        (Some(value::Type::Set), ..) => Err(ConvertError::new("Invalid set resource")),
        (Some(value::Type::Text), ..) => Err(ConvertError::new("Unsupported resource type")),
        (None, ..) => Err(ConvertError::new("Invalid resource type")),
    }
}

/// An amount.
///
/// # Errors
/// When it is negative, too large or no number.
pub fn scalar_to_core(scalar: &value::Scalar) -> Result<Scalar, ConvertError> {
    let amount = Scalar::from_f64(scalar.value.unwrap_or(0.0));
    amount.map_err(|error| ConvertError::new(format!("Invalid scalar resource: {error}")))
}

/// See [`scalar_to_core`].
#[must_use]
pub fn scalar_to_v1(scalar: Scalar) -> value::Scalar {
    value::Scalar {
        value: Some(scalar.to_f64()),
    }
}

pub(super) fn ranges_to_core(ranges: &value::Ranges) -> Result<Ranges, ConvertError> {
    let ranges = ranges.range.iter().map(|range| Range {
        begin: range.begin.unwrap_or(0),
        end: range.end.unwrap_or(0),
    });
    let ranges = Ranges::new(ranges.collect());
    ranges.map_err(|error| ConvertError::new(format!("Invalid ranges resource: {error}")))
}

pub(super) fn ranges_to_v1(ranges: &Ranges) -> value::Ranges {
    let ranges = ranges.as_slice().iter().map(|range| value::Range {
        begin: Some(range.begin),
        end: Some(range.end),
    });
    value::Ranges {
        range: ranges.collect(),
    }
}

fn reservations_to_core(resource: &v1::Resource) -> Result<Vec<Reservation>, ConvertError> {
    let role = resource.role.as_deref().unwrap_or("*");
    if !resource.reservations.is_empty() {
        check_agreement(resource)?;
        return resource.reservations.iter().map(refined_to_core).collect();
    }
    let Some(reservation) = &resource.reservation else {
        return match role {
            "*" => Ok(Vec::new()),
            role => Ok(vec![Reservation::fixed(role_to_core(role)?)]),
        };
    };
    if reservation.r#type.is_some() || reservation.role.is_some() {
        let field = match reservation.r#type {
            Some(_) => "type",
            None => "role",
        };
        return Err(ConvertError::new(format!(
            "'Resource.ReservationInfo.{field}' must not be set for the 'Resource.reservation' \
             field"
        )));
    }
    if role == "*" {
        let text = "Invalid reservation: role \"*\" cannot be dynamically reserved";
        return Err(ConvertError::new(text));
    }
    Ok(vec![Reservation {
        kind: ReservationType::Dynamic,
        role: role_to_core(role)?,
        principal: reservation.principal.as_deref().map(Arc::from),
        labels: labels_to_core(reservation.labels.as_ref()),
    }])
}

/// Whoever fills both forms must say the same in both.
fn check_agreement(resource: &v1::Resource) -> Result<(), ConvertError> {
    let single = match resource.reservations.as_slice() {
        [single] => single,
        _ if resource.role.is_some() || resource.reservation.is_some() => {
            return Err(ConvertError::new(
                "Invalid resource format: neither 'Resource.role' nor 'Resource.reservation' may \
                 be set if there is more than one reservation in 'Resource.reservations'",
            ));
        }
        _ => return Ok(()),
    };
    match (&resource.role, &single.role) {
        (Some(ours), Some(theirs)) if ours != theirs => Err(ConvertError::new(format!(
            "Invalid resource format: 'Resource.role' field with '{ours}' does not match the \
             role '{theirs}' in 'Resource.reservations'"
        ))),
        _ => Ok(()),
    }
}

fn refined_to_core(info: &ReservationInfo) -> Result<Reservation, ConvertError> {
    let kind = match info.r#type {
        Some(reservation_info::Type::Static) => ReservationType::Static,
        Some(reservation_info::Type::Dynamic) => ReservationType::Dynamic,
        Some(reservation_info::Type::Unknown) => {
            return Err(ConvertError::new(
                "Unsupported 'Resource.ReservationInfo.Type'",
            ));
        }
        None => {
            return Err(ConvertError::new(
                "Invalid reservation: 'Resource.ReservationInfo.type' field must be set.",
            ));
        }
    };
    let Some(role) = info.role.as_deref() else {
        return Err(ConvertError::new(
            "Invalid reservation: 'Resource.ReservationInfo.role' field must be set.",
        ));
    };
    Ok(Reservation {
        kind,
        role: role_to_core(role)?,
        principal: info.principal.as_deref().map(Arc::from),
        labels: labels_to_core(info.labels.as_ref()),
    })
}

fn labels_to_core(labels: Option<&v1::Labels>) -> Vec<(Arc<str>, Arc<str>)> {
    let labels = labels.map(|labels| labels.labels.as_slice());
    let text = |text: &Option<String>| Arc::from(text.as_deref().unwrap_or_default());
    let labels = labels.unwrap_or_default().iter();
    labels.map(|l| (text(&l.key), text(&l.value))).collect()
}

fn labels_to_v1(labels: &[(Arc<str>, Arc<str>)]) -> Option<v1::Labels> {
    let label = |(key, value): &(Arc<str>, Arc<str>)| v1::Label {
        key: Some(key.as_ref().to_owned()),
        value: filled(value),
    };
    (!labels.is_empty()).then(|| v1::Labels {
        labels: labels.iter().map(label).collect(),
    })
}

fn disk_to_core(disk: &DiskInfo) -> Result<Disk, ConvertError> {
    let wrong = |what| ConvertError::new(format!("Invalid DiskInfo: {what}"));
    let mount = disk.volume.as_ref();
    let wanted = match (&disk.persistence, mount) {
        (Some(_), Some(mount)) if mount.host_path.is_some() => {
            Err("Expecting 'host_path' to be unset for persistent volume")
        }
        (None, Some(_)) => Err("Non-persistent volume not supported"),
        (None, None) if disk.source.is_none() => Err("DiskInfo is set but empty"),
        _ => Ok(()),
    };
    wanted.map_err(wrong)?;
    let path = mount.and_then(|mount| mount.container_path.as_deref());
    let mode = mount.and_then(|mount| mount.mode);
    let volume = disk.persistence.as_ref().map(|persistence| Volume {
        id: Arc::from(persistence.id.as_deref().unwrap_or_default()),
        principal: persistence.principal.as_deref().map(Arc::from),
        container_path: Arc::from(path.unwrap_or_default()),
        read_only: mode == Some(Mode::Ro),
    });
    let source = disk.source.as_ref().map(source_to_core).transpose()?;
    Ok(Disk { volume, source })
}

fn source_to_core(source: &disk_info::Source) -> Result<DiskSource, ConvertError> {
    use disk_info::source::Type;
    let path = source.path.as_ref().and_then(|path| path.root.as_deref());
    let mount = source
        .mount
        .as_ref()
        .and_then(|mount| mount.root.as_deref());
    let (kind, root) = match source.r#type {
        Some(Type::Path) => (DiskSourceKind::Path, path),
        Some(Type::Mount) => (DiskSourceKind::Mount, mount),
        Some(Type::Block) => (DiskSourceKind::Block, None),
        Some(Type::Raw) => (DiskSourceKind::Raw, None),
        Some(Type::Unknown) | None => {
            return Err(ConvertError::new("Unsupported 'DiskInfo.Source.Type'"));
        }
    };
    Ok(DiskSource {
        kind,
        root: root.map(Arc::from),
        id: source.id.as_deref().map(Arc::from),
    })
}

/// One resource.
#[must_use]
pub fn resource_to_v1(resource: &Resource, form: Form) -> v1::Resource {
    let kind = &resource.kind;
    let mut out = v1::Resource {
        name: Some(kind.name.as_ref().to_owned()),
        provider_id: kind.provider.as_ref().map(|id| v1::ResourceProviderId {
            value: Some(id.as_ref().to_owned()),
        }),
        allocation_info: kind.allocation.as_ref().map(|role| AllocationInfo {
            role: Some(role.as_str().to_owned()),
        }),
        disk: kind.disk.as_ref().map(|disk| Box::new(disk_to_v1(disk))),
        revocable: kind.revocable.then(Default::default),
        shared: kind.shared.then(Default::default),
        ..Default::default()
    };
    match &resource.value {
        Value::Scalar(scalar) => {
            out.r#type = Some(value::Type::Scalar);
            out.scalar = Some(scalar_to_v1(*scalar));
        }
        Value::Ranges(ranges) => {
            out.r#type = Some(value::Type::Ranges);
            out.ranges = Some(ranges_to_v1(ranges));
        }
        Value::Set(set) => {
            let items = set.as_slice().iter().map(|item| item.as_ref().to_owned());
            out.r#type = Some(value::Type::Set);
            out.set = Some(value::Set {
                item: items.collect(),
            });
        }
    }
    reservations_to_v1(&kind.reservations, form, &mut out);
    out
}

fn reservations_to_v1(reservations: &[Reservation], form: Form, out: &mut v1::Resource) {
    let info = |level: &Reservation| ReservationInfo {
        r#type: Some(match level.kind {
            ReservationType::Static => reservation_info::Type::Static,
            ReservationType::Dynamic => reservation_info::Type::Dynamic,
        }),
        role: Some(level.role.as_str().to_owned()),
        principal: level.principal.as_deref().map(str::to_owned),
        labels: labels_to_v1(&level.labels),
    };
    // Reservations of reservations have no old form.
    if form != Form::Old || reservations.len() > 1 {
        out.reservations = reservations.iter().map(info).collect();
    }
    if form == Form::Refined {
        return;
    }
    match reservations {
        [] => out.role = Some("*".to_owned()),
        [level] => {
            out.role = Some(level.role.as_str().to_owned());
            out.reservation = (level.kind == ReservationType::Dynamic).then(|| ReservationInfo {
                r#type: None,
                role: None,
                ..info(level)
            });
        }
        _ => {}
    }
}

fn disk_to_v1(disk: &Disk) -> DiskInfo {
    use disk_info::source::{Mount, Path, Type};
    let source = disk.source.as_ref().map(|source| {
        let root = source.root.as_deref().map(str::to_owned);
        let (r#type, path, mount) = match source.kind {
            DiskSourceKind::Path => (Type::Path, Some(Path { root }), None),
            DiskSourceKind::Mount => (Type::Mount, None, Some(Mount { root })),
            DiskSourceKind::Block => (Type::Block, None, None),
            DiskSourceKind::Raw => (Type::Raw, None, None),
        };
        disk_info::Source {
            r#type: Some(r#type),
            path,
            mount,
            id: source.id.as_deref().map(str::to_owned),
            ..Default::default()
        }
    });
    let persistence = disk.volume.as_ref().map(|volume| disk_info::Persistence {
        id: Some(volume.id.as_ref().to_owned()),
        principal: volume.principal.as_deref().map(str::to_owned),
    });
    let mount = |volume: &Volume| v1::Volume {
        mode: Some(match volume.read_only {
            true => Mode::Ro,
            false => Mode::Rw,
        }),
        container_path: Some(volume.container_path.as_ref().to_owned()),
        ..Default::default()
    };
    let mounted = disk.volume.as_ref();
    let mounted = mounted.filter(|volume| !volume.container_path.is_empty());
    DiskInfo {
        persistence,
        volume: mounted.map(mount),
        source,
    }
}
