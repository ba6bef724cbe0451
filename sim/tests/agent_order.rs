//! Orders of agents, on tasks that come and go.

use std::time::Duration;
use tepui_core::frameworks::batch::Waiting;
use tepui_core::placement::{Capacity, Shape, WHOLE_GPU_MILLI};
use tepui_sim::capacity::churn::{Options, Outcome, run, run_all};
use tepui_sim::capacity::machine::Machine;
use tepui_sim::capacity::report::Origin;
use tepui_sim::capacity::report::agent_order::Compared;
use tepui_sim::capacity::task::Task;
use tepui_sim::capacity::workload::Workload;
use tepui_sim::machine::{Framework, SimNode};
use tepui_sim::run::{Options as RunOptions, Plan, Run, Verdict};
use tepui_sim::scenario::parse;

/// Twenty machines with eight GPUs; of ten tasks, nine want one, and one wants all eight.
fn workload() -> Workload {
    let machine = |number: u32| Machine {
        name: format!("m{number:02}"),
        capacity: Capacity {
            cpu_milli: 64_000,
            memory_mib: 1 << 18,
            gpus: 8,
            ..Capacity::default()
        },
        ..Machine::default()
    };
    let task = |number: u32| Task {
        name: format!("t{number}"),
        shape: Shape {
            cpu_milli: 1_000,
            memory_mib: 1_024,
            gpus: if number == 0 { 8 } else { 1 },
            gpu_milli: WHOLE_GPU_MILLI,
            ..Shape::default()
        },
        ..Task::default()
    };
    Workload::new(
        (0..20).map(machine).collect(),
        (0..10).map(task).collect(),
        Vec::new(),
    )
}

fn options(order: &str, seed: u64) -> Options {
    Options {
        order: order.parse().unwrap(),
        frameworks: 3,
        load_percent: 70,
        mean_s: 100,
        patience_s: 20,
        seed,
    }
}

fn outcome(order: &str, seed: u64) -> Outcome {
    run(&workload(), &options(order, seed)).unwrap()
}

#[test]
fn packing_orders_leave_room_for_large_tasks_and_harm_no_share() {
    let failed = |order: &str| -> (u64, f64, f64) {
        let runs = (1..=3).map(|seed| outcome(order, seed));
        let all: Vec<Outcome> = runs.collect();
        let mean = |of: fn(&Outcome) -> f64| all.iter().map(of).sum::<f64>() / 3.0;
        (
            all.iter().map(|one| one.failed_large).sum(),
            mean(|one| one.mean.frag_idle_pct),
            mean(|one| one.mean.spread_pct),
        )
    };
    let random = failed("random");
    for order in ["bestfit", "gpupacking", "fgd", "fgdx", "fgdq40"] {
        let (large, fragments, spread) = failed(order);
        assert!(large < random.0, "{order}: {large} of {random:?}");
        assert!(fragments < random.1, "{order}: {fragments} of {random:?}");
        assert!(spread < random.2 + 5.0, "{order}: {spread} of {random:?}");
    }
    let (large, ..) = failed("worstfit");
    assert!(large >= random.0, "{large} of {random:?}");
}

#[test]
fn a_run_is_a_function_of_its_options() {
    for order in ["random", "fgd"] {
        let (one, again, other) = (outcome(order, 1), outcome(order, 1), outcome(order, 2));
        assert_eq!(one, again);
        assert_ne!(one, other);
        assert!(one.arrived > 100 && one.checks > 1 && one.offers > 0);
        // As many GPUs as were asked for, but for what failed.
        assert!(
            (40.0..75.0).contains(&one.mean.alloc_pct),
            "{}",
            one.mean.alloc_pct
        );
    }
}

#[test]
fn orders_are_compared_in_a_table_and_in_pictures() {
    let workload = workload();
    let at = |order: &str, load_percent: u32| Options {
        load_percent,
        ..options(order, 1)
    };
    let all = [
        at("random", 50),
        at("bestfit", 50),
        at("random", 70),
        at("bestfit", 70),
    ];
    let runs = run_all(&workload, &all).unwrap();
    let compared = Compared {
        machines: workload.machines.len(),
        runs: &runs,
    };
    let table = compared.table().csv();
    assert_eq!(table.lines().count(), 5, "{table}");
    assert!(table.contains("bestfit"), "{table}");
    let report = compared.report();
    assert!(report.summary[0].starts_with("At a load of 70 %, failed launches are"));
    let page = report.html(&Origin::default()).unwrap();
    assert_eq!(page.matches("<svg").count(), 3);
    assert_eq!(page, report.html(&Origin::default()).unwrap());
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let wrong = Options {
        frameworks: 0,
        ..options("random", 1)
    };
    let error = run(&workload(), &wrong).unwrap_err().to_string();
    assert_eq!(error, "--frameworks 0 is not between 1 and 1000");
    let no_gpus = Workload::new(workload().machines, vec![Task::default()], Vec::new());
    let error = run(&no_gpus, &options("random", 1))
        .unwrap_err()
        .to_string();
    assert!(error.contains("compared by GPUs"), "{error}");
}

/// Three masters, and jobs that need a whole agent each among many that need a sixteenth.
const WHOLE_AGENTS: &str = "
cluster: { masters: 3, agents: 24, resources: 'cpus:16;mem:65536', agent_order: ORDER }
workload:
  - batch:
      { name: small, jobs: 300, every: 100ms, lasts: [10s, 20s], resources: 'cpus:1;mem:64',
        framework: { role: small } }
  - batch:
      { name: large, jobs: 20, every: 1s, lasts: [2s, 4s], resources: 'cpus:16;mem:64',
        framework: { role: large } }
liveness: { after: 60s, within: 120s }
";

/// How long the large jobs waited in a whole cluster, with every invariant checked all along.
fn waits(order: &str, seed: u64) -> Waiting {
    let text = WHOLE_AGENTS.replace("ORDER", order);
    let plan = Plan::new("orders", parse("orders", &text).unwrap()).unwrap();
    let (outcome, world) = Run::new(&plan, seed, RunOptions::default()).finish();
    assert_eq!(
        outcome.verdict,
        Verdict::Passed,
        "{order}: {:?}",
        outcome.violations
    );
    assert_eq!(outcome.counts["jobs_over"], 320, "{order}");
    let large = world
        .nodes
        .iter()
        .find(|node| node.name == "large")
        .unwrap();
    match &large.machine {
        Some(SimNode::Framework(framework)) => match &**framework {
            Framework::Batch(node) => node.logic().waits(),
            other => panic!("{other:?} is no batch"),
        },
        other => panic!("{other:?} is no framework"),
    }
}

#[test]
fn under_real_masters_large_jobs_wait_less_when_agents_in_use_come_first() {
    let wait = |order: &str| -> Duration { (1..=2).map(|seed| waits(order, seed).sum).sum() };
    let random = wait("random");
    for order in ["bestfit", "fgd", "firstfit"] {
        let ordered = wait(order);
        assert!(ordered < random / 2, "{order}: {ordered:?} of {random:?}");
    }
}

#[test]
fn an_unknown_order_in_a_scenario_is_refused() {
    let text = WHOLE_AGENTS.replace("ORDER", "tetris");
    let error = parse("orders", &text).unwrap_err().to_string();
    assert!(
        error.contains("there is no order of agents 'tetris'"),
        "{error}"
    );
}
