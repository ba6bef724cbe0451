//! How much more fits, and what the totals would have promised.

use super::placer::Placer;
use super::workload::{Order, Workload};
use tepui_core::placement::{Free, Measure, Policy, Shape, WHOLE_GPU_MILLI};

/// How many more tasks of one shape fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Headroom {
    /// The shape.
    pub shape: Shape,
    /// How many tasks of the workload have it.
    pub count: usize,
    /// How many more really fit.
    pub fit_more: i64,
    /// How many more the sums of what is free suggest.
    pub by_totals: i64,
}

/// Which resource keeps more tasks of a shape off a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lacks {
    /// Cpus.
    Cpu,
    /// Memory.
    Memory,
    /// Disk.
    Disk,
    /// Ports.
    Ports,
    /// GPUs with enough free.
    Gpu,
    /// A GPU of a model that will do.
    Model,
}

/// How many more tasks of a shape fit on one machine, and what then runs out first.
#[must_use]
pub fn on_machine(free: &Free, shape: &Shape) -> (i64, Lacks) {
    if shape.gpus > 0 && !shape.models.allow(free.model) {
        return (0, Lacks::Model);
    }
    let of = |free: i64, asked: i64| if asked > 0 { free / asked } else { i64::MAX };
    let bounds = [
        (of(free.cpu_milli, shape.cpu_milli), Lacks::Cpu),
        (of(free.memory_mib, shape.memory_mib), Lacks::Memory),
        (of(free.disk_mib, shape.disk_mib), Lacks::Disk),
        (of(free.ports, shape.ports), Lacks::Ports),
        (by_devices(free, shape), Lacks::Gpu),
    ];
    let least = bounds.iter().min_by_key(|(count, _)| *count);
    *least.expect("there are some")
}

/// How many groups of GPUs, each with enough free, there are.
fn by_devices(free: &Free, shape: &Shape) -> i64 {
    if shape.gpus == 0 {
        return i64::MAX;
    }
    let milli = shape.gpu_milli.max(1);
    let slots: Vec<i64> = free
        .devices()
        .iter()
        .map(|d| i64::from(d / milli))
        .collect();
    let gpus = i64::from(shape.gpus);
    // So many tasks fit if each of their GPUs finds a slot on another device: a device serves a
    // task at most once.
    let fits =
        |tasks: i64| slots.iter().map(|slots| (*slots).min(tasks)).sum::<i64>() >= tasks * gpus;
    let most: i64 = slots.iter().sum::<i64>() / gpus;
    let (mut yes, mut no) = (0, most + 1);
    while no - yes > 1 {
        let middle = i64::midpoint(yes, no);
        if fits(middle) {
            yes = middle;
        } else {
            no = middle;
        }
    }
    yes
}

/// How many more fit on all machines together.
#[must_use]
pub fn fit_more(free: &[Free], shape: &Shape) -> i64 {
    free.iter().map(|free| on_machine(free, shape).0).sum()
}

/// How many more the totals promise.
#[must_use]
pub fn by_totals(free: &[Free], shape: &Shape) -> i64 {
    let sum = |of: fn(&Free) -> i64| free.iter().map(of).sum::<i64>();
    let of = |free: i64, asked: i64| if asked > 0 { free / asked } else { i64::MAX };
    let cpu = of(sum(|free| free.cpu_milli), shape.cpu_milli);
    let memory = of(sum(|free| free.memory_mib), shape.memory_mib);
    let disk = of(sum(|free| free.disk_mib), shape.disk_mib);
    let ports = of(sum(|free| free.ports), shape.ports);
    let gpu = of(sum(|free| free.gpu_milli), shape.gpu_milli_total());
    [cpu, memory, disk, ports, gpu]
        .into_iter()
        .min()
        .unwrap_or(0)
}

/// Places arrivals until the GPU milli that arrived are `load` percent of all; without GPUs, all
/// arrivals.
#[must_use]
pub fn fill<'a>(
    workload: &'a Workload,
    order: &Order,
    measure: &'a Measure,
    policy: Policy,
    (load, seed): (u32, u64),
) -> Placer<'a> {
    let free = workload.free(&order.machines);
    let mut placer = Placer::new(policy, free, &workload.shapes, measure, seed);
    for shape in up_to_load(workload, order, load) {
        placer.place(shape);
    }
    placer
}

/// The shapes of the first arrivals, up to a load.
pub fn up_to_load<'a>(
    workload: &'a Workload,
    order: &'a Order,
    load: u32,
) -> impl Iterator<Item = usize> + 'a {
    arrivals_up_to_load(workload, order, load).map(|task| workload.shape_of[task])
}

/// The first arrivals, up to a load: places in the list of tasks.
pub fn arrivals_up_to_load<'a>(
    workload: &'a Workload,
    order: &'a Order,
    load: u32,
) -> impl Iterator<Item = usize> + 'a {
    let bound = workload.gpu_milli() * i64::from(load);
    order
        .arrivals
        .iter()
        .copied()
        .scan(0, move |arrived, task| {
            // The one that reaches the load is still among them.
            let goes_on = bound == 0 || 100 * *arrived < bound;
            let shape = workload.shape_of[task];
            *arrived += workload.shapes[shape].gpu_milli_total();
            goes_on.then_some(task)
        })
}

/// The headroom of a filled cluster for each shape of its workload, the commonest first.
#[must_use]
pub fn headroom(workload: &Workload, free: &[Free]) -> Vec<Headroom> {
    let mut counts = vec![0; workload.shapes.len()];
    for shape in &workload.shape_of {
        counts[*shape] += 1;
    }
    let shapes = workload.shapes.iter().zip(counts);
    let mut all: Vec<Headroom> = shapes
        .map(|(shape, count)| Headroom {
            shape: *shape,
            count,
            fit_more: fit_more(free, shape),
            by_totals: by_totals(free, shape),
        })
        .collect();
    all.sort_by_key(|headroom| (std::cmp::Reverse(headroom.count), headroom.shape));
    all
}

/// What a whole GPU is, for those who count in GPUs.
#[must_use]
pub fn whole_gpus(milli: i64) -> f64 {
    milli as f64 / f64::from(WHOLE_GPU_MILLI)
}
