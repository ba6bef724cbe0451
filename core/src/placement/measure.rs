//! How much of what is free is of no use to the tasks that come (Weng et al., "Beware of
//! Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation Gradient Descent", USENIX
//! ATC 2023, section 4).
//!
//! The fragment of a machine for one class is all of its free GPU milli if no such task runs
//! there, and else what is free on GPUs that have too little for one. The measure is the sum over
//! the typical classes, weighted by how often each comes. It is kept in integers: weighted by
//! counts, and divided by their sum only to be shown.

use super::classes::Class;
use super::free::Free;
use super::shape::Models;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// The measure, prepared for a mix of tasks.
#[derive(Clone, Debug)]
pub struct Measure {
    classes: Vec<Class>,
    /// The sum of all classes' counts.
    pub count: i64,
    by_model: BTreeMap<Models, OfModel>,
}

/// What the classes come to on machines with GPUs of one model.
#[derive(Clone, Debug, Default)]
struct OfModel {
    /// Counts of the classes that can never run there, or need no GPU.
    strangers: i64,
    /// The others, by how much of a GPU they need.
    levels: Vec<Level>,
}

/// Classes that need the same of each GPU.
#[derive(Clone, Debug)]
struct Level {
    gpu_milli: i32,
    /// Number of GPUs, cpu, count.
    classes: Vec<(u32, i64, i64)>,
}

impl Measure {
    /// For these classes, on machines with these models.
    pub fn new(classes: &[Class], models: impl IntoIterator<Item = Models>) -> Measure {
        let mut by_model = BTreeMap::new();
        for model in models {
            by_model
                .entry(model)
                .or_insert_with(|| OfModel::new(classes, model));
        }
        Measure {
            classes: classes.to_vec(),
            count: classes.iter().map(|class| class.count).sum(),
            by_model,
        }
    }

    /// The typical classes.
    #[must_use]
    pub fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// The fragment of one machine, in milli times [`Measure::count`].
    ///
    /// # Panics
    /// When its model was not named.
    #[must_use]
    pub fn of(&self, free: &Free) -> i64 {
        if free.gpu_milli == 0 {
            return 0;
        }
        let of_model = self
            .by_model
            .get(&free.model)
            .expect("all models are named");
        let mut weight = of_model.strangers;
        let mut sum = 0;
        for level in &of_model.levels {
            let (mut enough, mut small) = (0, 0);
            for device in free.devices() {
                if *device >= level.gpu_milli {
                    enough += 1;
                } else {
                    small += i64::from(*device);
                }
            }
            for (gpus, cpu_milli, count) in &level.classes {
                if *gpus <= enough && *cpu_milli <= free.cpu_milli {
                    sum += count * small;
                } else {
                    weight += count;
                }
            }
        }
        sum + weight * free.gpu_milli
    }

    /// The same by its definition, class by class: slow, and there to compare with.
    #[must_use]
    pub fn by_definition(&self, free: &Free) -> i64 {
        let weighted = |class: &Class| class.count * fragment_for(class, free);
        self.classes.iter().map(weighted).sum()
    }
}

/// What of a machine's GPUs is of no use to one class, in milli.
fn fragment_for(class: &Class, free: &Free) -> i64 {
    if class.gpus == 0 || !free.runs(&class.shape()) {
        return free.gpu_milli;
    }
    let small = free.devices().iter().filter(|d| **d < class.gpu_milli);
    small.map(|device| i64::from(*device)).sum()
}

impl OfModel {
    fn new(classes: &[Class], model: Models) -> OfModel {
        let mut of_model = OfModel::default();
        let mut levels: BTreeMap<i32, Vec<(u32, i64, i64)>> = BTreeMap::new();
        for class in classes {
            if class.gpus == 0 || !class.models.allow(model) {
                of_model.strangers += class.count;
                continue;
            }
            let level = levels.entry(class.gpu_milli).or_default();
            level.push((class.gpus, class.cpu_milli, class.count));
        }
        let level = |(gpu_milli, classes)| Level { gpu_milli, classes };
        of_model.levels = levels.into_iter().map(level).collect();
        of_model
    }
}
