//! Machines and tasks as the allocator and its frameworks speak of them.
//!
//! A GPU is one of the scalar `gpus`, and a share of one is a part of that, so that shares of GPUs
//! count in dominant shares and in quota as they should.

use super::error::PlanError;
use tepui_core::placement::{Free, Shape};
use tepui_core::resources::{Resource, ResourceKind, Resources, Scalar, Value};

/// Amounts by their resources' names, in thousandths.
type Amounts = [(&'static str, i64); 4];

fn resources(amounts: Amounts, whose: &str) -> Result<Resources, PlanError> {
    let mut items = Vec::new();
    for (name, milli) in amounts.into_iter().filter(|(_, milli)| *milli > 0) {
        let amount = Scalar::from_milli(milli)
            .map_err(|why| PlanError::Mismatch(format!("{whose}: {name}: {why}")))?;
        items.push(Resource::new(
            ResourceKind::plain(name),
            Value::Scalar(amount),
        ));
    }
    Resources::new(items).map_err(|why| PlanError::Mismatch(format!("{whose}: {why}")))
}

/// What is free on a machine, ports left out: any number will do, so they are only counted.
///
/// # Errors
/// When it is more than the allocator counts.
pub fn machine(name: &str, free: &Free) -> Result<Resources, PlanError> {
    let amounts = [
        ("cpus", free.cpu_milli),
        ("mem", free.memory_mib.saturating_mul(1000)),
        ("disk", free.disk_mib.saturating_mul(1000)),
        ("gpus", free.gpu_milli),
    ];
    resources(amounts, &format!("machine '{name}'"))
}

/// What a task asks for, ports left out.
///
/// # Errors
/// When it is more than the allocator counts.
pub fn task(shape: &Shape) -> Result<Resources, PlanError> {
    let amounts = [
        ("cpus", shape.cpu_milli),
        ("mem", shape.memory_mib.saturating_mul(1000)),
        ("disk", shape.disk_mib.saturating_mul(1000)),
        ("gpus", shape.gpu_milli_total()),
    ];
    resources(amounts, "a task")
}
