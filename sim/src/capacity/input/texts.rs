//! Resources and attributes in the text forms that operators use.

use super::AMOUNT_MAX;
use crate::capacity::amounts::{Amounts, Resource};
use crate::capacity::roles::ANY;
use std::collections::BTreeMap;
use std::sync::Arc;
use tepui_core::placement::{Capacity, GPUS_MAX, WHOLE_GPU_MILLI};
use tepui_core::resources::{Resources, Role, Value};

/// Reads the text form of agents' flags, such as `cpus:16;ports:[31000-32000];cpus(web):2`: amounts
/// by role, those that are for everybody under `*`.
///
/// # Errors
/// Says what is wrong in it.
pub fn parse_resources(text: &str) -> Result<BTreeMap<Arc<str>, Amounts>, String> {
    let resources = Resources::parse(text, &Role::any()).map_err(|error| error.to_string())?;
    let mut by_role: BTreeMap<Arc<str>, Amounts> = BTreeMap::new();
    for item in resources.iter() {
        let resource = Resource::ALL
            .into_iter()
            .find(|one| one.name() == item.name());
        let Some(resource) = resource else {
            let name = item.name();
            return Err(format!(
                "'{name}' is not planned with: cpus, mem, disk, ports, gpus are"
            ));
        };
        let amount = match &item.value {
            Value::Scalar(scalar) => scalar.milli() * resource.units() / 1000,
            Value::Ranges(ranges) => ranges.count() as i64,
            Value::Set(set) => set.as_slice().len() as i64,
        };
        if amount > AMOUNT_MAX {
            return Err(format!(
                "{resource} must be at most {}",
                resource.shown(AMOUNT_MAX)
            ));
        }
        let role = item.kind.reserved_role().map_or(ANY, Role::as_str);
        by_role.entry(Arc::from(role)).or_default()[resource] += amount;
    }
    Ok(by_role)
}

/// The capacity that has these amounts.
///
/// # Errors
/// When GPUs are too many or not whole.
pub(super) fn capacity(amounts: &Amounts) -> Result<Capacity, String> {
    let (gpus, whole) = (amounts[Resource::Gpu], i64::from(WHOLE_GPU_MILLI));
    if gpus % whole != 0 || gpus / whole > GPUS_MAX as i64 {
        return Err(format!(
            "a machine has up to {GPUS_MAX} whole GPUs, not {}",
            Resource::Gpu.shown(gpus)
        ));
    }
    Ok(Capacity {
        cpu_milli: amounts[Resource::Cpu],
        memory_mib: amounts[Resource::Memory],
        disk_mib: amounts[Resource::Disk],
        ports: amounts[Resource::Ports],
        gpus: (gpus / whole) as usize,
        ..Capacity::default()
    })
}

/// Checks that no more is reserved than there is, and takes out what is reserved for everybody.
///
/// # Errors
/// Says of what too much is reserved.
pub(super) fn reservations(
    by_role: BTreeMap<Arc<str>, Amounts>,
    capacity: &Capacity,
) -> Result<BTreeMap<Arc<str>, Amounts>, String> {
    let mut reserved = by_role;
    reserved.remove(ANY);
    let mut sum = Amounts::default();
    reserved.values().for_each(|amounts| sum += *amounts);
    let all = Amounts::of_capacity(capacity);
    for (resource, amount) in sum.iter() {
        if amount > all[resource] {
            return Err(format!(
                "{} {resource} are reserved, but there are only {}",
                resource.shown(amount),
                resource.shown(all[resource])
            ));
        }
    }
    Ok(reserved)
}

/// Reads `rack=r1;zone=z1`.
///
/// # Errors
/// Names the part that is no attribute.
pub(super) fn attributes(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut all = BTreeMap::new();
    for part in text.split(';').filter(|part| !part.trim().is_empty()) {
        let pair = part
            .split_once('=')
            .map(|(name, value)| (name.trim(), value.trim()));
        match pair {
            Some((name, value)) if !name.is_empty() => {
                all.insert(name.to_owned(), value.to_owned());
            }
            _ => return Err(format!("'{part}' is no attribute: write rack=r1;zone=z1")),
        }
    }
    Ok(all)
}

/// Reads a price, in thousandths.
///
/// # Errors
/// When it is none.
pub(super) fn price(text: &str) -> Result<i64, String> {
    match text.parse::<f64>() {
        Ok(price) if (0.0..=1e9).contains(&price) => Ok((price * 1000.0).round() as i64),
        _ => Err(format!("'{text}' is no price: write a number such as 1.25")),
    }
}

/// Checks a role.
///
/// # Errors
/// When it is none.
pub fn role(text: &str) -> Result<Arc<str>, String> {
    let role = Role::new(text).map_err(|error| error.to_string())?;
    Ok(Arc::from(role.as_str()))
}
