//! Machines and tasks as the allocator and its frameworks speak of them.
//!
//! A GPU is a thousand of the scalar `gpus`, which must be whole, and a share of one is a part of
//! that, so that shares of GPUs count in dominant shares and in quota as they should. Which GPU
//! has how much free is said by
//! the ranges [`SLOTS`]: a thousand numbers for each GPU, and whoever has a number has a
//! thousandth of that GPU. Ranges count neither in shares nor in quota.

use super::amounts::{Amounts, Resource as Kind};
use super::error::PlanError;
use super::machine::Machine;
use super::roles;
use std::collections::BTreeMap;
use std::sync::Arc;
use tepui_core::frameworks::Room;
use tepui_core::placement::{Devices, Free, Shape, WHOLE_GPU_MILLI};
use tepui_core::resources::{
    Range, Ranges, Reservation, Resource, ResourceKind, Resources, Role, Scalar, Value,
};

/// The ranges that say which GPUs are free.
pub const SLOTS: &str = "gpu_slots";

/// As many numbers as a GPU has thousandths.
const GPU: u64 = WHOLE_GPU_MILLI as u64;

const SCALARS: [Kind; 4] = [Kind::Cpu, Kind::Memory, Kind::Disk, Kind::Gpu];

/// What is reserved on a machine, and for whom.
pub type Reserved = BTreeMap<Arc<str>, Amounts>;

/// A role by its name; those that name none have `*`.
///
/// # Errors
/// When it cannot be one.
pub fn role(name: &str) -> Result<Role, PlanError> {
    let name = roles::named(name);
    Role::new(name).map_err(|why| PlanError::Mismatch(format!("role '{name}': {why}")))
}

/// An amount as a scalar, in thousandths.
#[must_use]
pub fn scalar_milli(resource: Kind, amount: i64) -> i64 {
    match resource {
        Kind::Cpu => amount,
        _ => amount.saturating_mul(1000),
    }
}

/// The reverse of [`scalar_milli`].
#[must_use]
pub fn amount(resource: Kind, scalar_milli: i64) -> i64 {
    match resource {
        Kind::Cpu => scalar_milli,
        _ => scalar_milli / 1000,
    }
}

fn scalars(amounts: &Amounts, role: Option<&Role>, into: &mut Vec<Resource>) -> Result<(), String> {
    for name in SCALARS.into_iter().filter(|name| amounts[*name] > 0) {
        let milli = scalar_milli(name, amounts[name]);
        let amount = Scalar::from_milli(milli).map_err(|why| format!("{name}: {why}"))?;
        into.push(Resource::new(
            kind(name.name(), role),
            Value::Scalar(amount),
        ));
    }
    Ok(())
}

fn kind(name: &str, role: Option<&Role>) -> ResourceKind {
    let mut kind = ResourceKind::plain(name);
    kind.reservations = role.cloned().map(Reservation::fixed).into_iter().collect();
    kind
}

fn numbers(name: &str, role: Option<&Role>, ranges: Vec<Range>) -> Resource {
    let ranges = Ranges::new(ranges).expect("they do not overlap");
    Resource::new(kind(name, role), Value::Ranges(ranges))
}

/// What a machine has in amounts: all but ports, and which GPUs are free.
///
/// # Errors
/// When it is more than the allocator counts, or more is reserved than there is.
pub fn amounts_of(name: &str, free: &Free, reserved: &Reserved) -> Result<Resources, PlanError> {
    let bad = |why: String| PlanError::Mismatch(format!("machine '{name}': {why}"));
    let mut left = Amounts::of_free(free);
    let mut items = Vec::new();
    for (owner, amounts) in reserved {
        if !left.contains(amounts) {
            return Err(bad("more is reserved than it has".to_owned()));
        }
        left -= *amounts;
        scalars(amounts, Some(&role(owner)?), &mut items).map_err(bad)?;
    }
    scalars(&left, None, &mut items).map_err(bad)?;
    Resources::new(items).map_err(|why| bad(why.to_string()))
}

/// All that a machine has.
///
/// # Errors
/// As [`amounts_of`].
pub fn machine(machine: &Machine) -> Result<Resources, PlanError> {
    let amounts = amounts_of(&machine.name, &machine.free(), &machine.reserved)?;
    let mut items: Vec<Resource> = amounts.iter().cloned().collect();
    let mut port = 1;
    let mut ports = |count: i64, role: Option<&Role>| {
        let end = port + u64::try_from(count).unwrap_or(0);
        if end > port {
            let range = Range {
                begin: port,
                end: end - 1,
            };
            items.push(numbers("ports", role, vec![range]));
            port = end;
        }
    };
    let mut left = machine.capacity.ports;
    for (owner, amounts) in &machine.reserved {
        ports(amounts[Kind::Ports], Some(&role(owner)?));
        left -= amounts[Kind::Ports];
    }
    ports(left, None);
    if machine.capacity.gpus > 0 {
        let end = machine.capacity.gpus as u64 * GPU - 1;
        items.push(numbers(SLOTS, None, vec![Range { begin: 0, end }]));
    }
    Resources::new(items)
        .map_err(|why| PlanError::Mismatch(format!("machine '{}': {why}", machine.name)))
}

/// What a task asks for in amounts.
///
/// # Errors
/// When it is more than the allocator counts.
pub fn task(shape: &Shape) -> Result<Resources, PlanError> {
    let bad = |why: String| PlanError::Mismatch(format!("a task: {why}"));
    let mut items = Vec::new();
    scalars(&Amounts::of_shape(shape), None, &mut items).map_err(bad)?;
    Resources::new(items).map_err(|why| bad(why.to_string()))
}

/// The ranges of `name`.
fn ranges<'a>(resources: &'a Resources, name: &'a str) -> impl Iterator<Item = &'a Range> {
    let items = resources.iter().filter(move |item| item.name() == name);
    items.flat_map(|item| match &item.value {
        Value::Ranges(ranges) => ranges.as_slice(),
        _ => &[],
    })
}

/// How many of the numbers from `begin` to `end` there are.
fn count(resources: &Resources, name: &str, begin: u64, end: u64) -> u64 {
    let within = ranges(resources, name).map(|range| (range.begin.max(begin), range.end.min(end)));
    within
        .filter(|(begin, end)| begin <= end)
        .map(|(begin, end)| end - begin + 1)
        .sum()
}

/// The first `wanted` of the numbers from `begin` to `end`, as ranges; nothing if there are fewer.
fn first(
    resources: &Resources,
    name: &str,
    (begin, end): (u64, u64),
    wanted: u64,
) -> Option<Vec<Range>> {
    let (mut left, mut found) = (wanted, Vec::new());
    for range in ranges(resources, name) {
        let (begin, end) = (range.begin.max(begin), range.end.min(end));
        if left == 0 || begin > end {
            continue;
        }
        let end = end.min(begin + (left - 1));
        left -= end - begin + 1;
        found.push(Range { begin, end });
    }
    (left == 0).then_some(found)
}

/// What of a machine is in an offer, or free.
#[must_use]
pub fn free(resources: &Resources, machine: &Machine) -> Free {
    let mut free = machine.free();
    for device in 0..machine.capacity.gpus {
        let begin = device as u64 * GPU;
        let left = count(resources, SLOTS, begin, begin + GPU - 1);
        let used = WHOLE_GPU_MILLI - left as i32;
        if used > 0 {
            let taken = Shape {
                gpus: 1,
                gpu_milli: used,
                ..Shape::default()
            };
            free.take(&taken, Devices(1 << device));
        }
    }
    let units = |name: &str| resources.scalar(name).milli();
    free.cpu_milli = units("cpus");
    free.memory_mib = units("mem") / 1000;
    free.disk_mib = units("disk") / 1000;
    free.ports = count(resources, "ports", 0, u64::MAX) as i64;
    free
}

/// Cuts a task out of an offer, on these GPUs of the machine; nothing where it does not fit.
/// `amounts` is [`task`] of the shape.
pub fn cut(
    room: &mut Room,
    amounts: &Resources,
    shape: &Shape,
    devices: Devices,
) -> Option<Resources> {
    let mut trial = room.clone();
    let mut taken = trial.take(amounts)?;
    let ports = u64::try_from(shape.ports).ok()?;
    let all = (0, u64::MAX);
    let ports = first(trial.left(), "ports", all, ports)?.into_iter();
    let mut wanted: Vec<(&str, Range)> = ports.map(|range| ("ports", range)).collect();
    for device in (0..u32::BITS).filter(|device| devices.0 >> device & 1 == 1) {
        let begin = u64::from(device) * GPU;
        let milli = u64::try_from(shape.gpu_milli).ok()?;
        let slots = first(trial.left(), SLOTS, (begin, begin + GPU - 1), milli)?;
        wanted.extend(slots.into_iter().map(|range| (SLOTS, range)));
    }
    for (name, range) in wanted {
        let part = Resources::new([numbers(name, None, vec![range])]).expect("one item");
        taken = taken.checked_add(&trial.take(&part)?).ok()?;
    }
    *room = trial;
    Some(taken)
}
