//! Small clusters for tests of the planner.

#![allow(dead_code, reason = "each test uses a part of it")]

use proptest::prelude::*;
use tepui_core::placement::{Capacity, Policy, Shape};
use tepui_sim::capacity::machine::Machine;
use tepui_sim::capacity::task::Task;
use tepui_sim::capacity::workload::Workload;

pub fn machine(number: usize, cpu_milli: i64, memory_mib: i64, gpus: usize) -> Machine {
    Machine {
        name: format!("m{number:04}"),
        capacity: Capacity {
            cpu_milli,
            memory_mib,
            gpus,
            ..Capacity::default()
        },
        ..Machine::default()
    }
}

pub fn shape(cpu_milli: i64, memory_mib: i64, gpus: u32, gpu_milli: i32) -> Shape {
    Shape {
        cpu_milli,
        memory_mib,
        gpus,
        gpu_milli: if gpus == 0 { 0 } else { gpu_milli },
        ..Shape::default()
    }
}

pub fn task(number: usize, shape: Shape) -> Task {
    Task {
        name: format!("t{number:04}"),
        application: format!("a{}", number % 3).into(),
        shape,
        ..Task::default()
    }
}

pub fn a_shape() -> impl Strategy<Value = Shape> {
    let gpus = prop_oneof![
        Just((0, 0)),
        (1_i32..=10).prop_map(|tenths| (1, 100 * tenths)),
        (1_u32..=4).prop_map(|gpus| (gpus, 1000)),
    ];
    (1_i64..9, 1_i64..9, gpus)
        .prop_map(|(cpu, memory, (gpus, milli))| shape(cpu * 500, memory * 256, gpus, milli))
}

pub fn a_cluster() -> impl Strategy<Value = Workload> {
    let machines = prop::collection::vec((1_i64..17, 1_i64..17, 0_usize..5), 1..12);
    let tasks = prop::collection::vec(a_shape(), 1..60);
    (machines, tasks).prop_map(|(machines, tasks)| {
        let machines = machines.into_iter().enumerate();
        let machines =
            machines.map(|(n, (cpu, mem, gpus))| machine(n, cpu * 1000, mem * 512, gpus));
        let tasks = tasks.into_iter().enumerate();
        let tasks = tasks.map(|(number, shape)| task(number, shape));
        Workload::new(machines.collect(), tasks.collect(), Vec::new())
    })
}

pub fn a_policy() -> impl Strategy<Value = Policy> {
    prop::sample::select(Policy::all().collect::<Vec<_>>())
}
