//! The task mix of a cluster: which classes of tasks are typical, and how often each comes.

use super::shape::{Models, Shape};
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// What of a shape matters for fragmentation; memory does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// Thousandths of a cpu.
    pub cpu_milli: i64,
    /// How much of each GPU.
    pub gpu_milli: i32,
    /// How many GPUs.
    pub gpus: u32,
    /// Which GPUs.
    pub models: Models,
    /// How many tasks are of this class.
    pub count: i64,
}

impl Class {
    /// A task of this class that needs no memory.
    #[must_use]
    pub fn shape(&self) -> Shape {
        Shape {
            cpu_milli: self.cpu_milli,
            gpus: self.gpus,
            gpu_milli: self.gpu_milli,
            models: self.models,
            ..Shape::default()
        }
    }
}

/// How much of the tasks the typical classes cover, in percent (Weng et al., ATC 2023, 4.2).
const COVERED_PERCENT: u64 = 95;

/// The classes that cover at least 95 % of the tasks, each given by its shape: by falling count,
/// then by falling cpu, milli of a GPU, number of GPUs and models, as `models_text` writes them.
pub fn typical<'a>(
    shapes: impl IntoIterator<Item = &'a Shape>,
    models_text: impl Fn(Models) -> String,
) -> Vec<Class> {
    typical_of(shapes.into_iter().map(|shape| (shape, 1)), models_text)
}

/// The same, of shapes with the number of tasks that have each.
pub fn typical_of<'a>(
    shapes: impl IntoIterator<Item = (&'a Shape, i64)>,
    models_text: impl Fn(Models) -> String,
) -> Vec<Class> {
    let mut counts: BTreeMap<(i64, i32, u32, String), (Models, i64)> = BTreeMap::new();
    let mut total = 0;
    for (shape, count) in shapes {
        total += count as u64;
        let text = models_text(shape.models);
        let key = (shape.cpu_milli, shape.gpu_milli, shape.gpus, text);
        counts.entry(key).or_insert((shape.models, 0)).1 += count;
    }
    let mut all: Vec<_> = counts.into_iter().collect();
    all.sort_by(|(left, (_, many)), (right, (_, more))| (more, right).cmp(&(many, left)));
    let mut covered = 0;
    let mut typical = Vec::new();
    for ((cpu_milli, gpu_milli, gpus, _), (models, count)) in all {
        if covered * 100 >= COVERED_PERCENT * total {
            break;
        }
        covered += count as u64;
        typical.push(Class {
            cpu_milli,
            gpu_milli,
            gpus,
            models,
            count,
        });
    }
    typical
}
