//! How many events the simulator handles a second on one core: a replicated log alone, and a
//! whole cluster. All checks are on, as in every run.

use criterion::{BenchmarkId, Criterion, Throughput};
use std::time::Duration;
use tepui_benches::sim_speed::{LOG_ONLY, WHOLE_CLUSTER};
use tepui_sim::run::{Options, Plan, Run, Verdict};
use tepui_sim::scenario;

fn run(plan: &Plan) -> u64 {
    let (outcome, _) = Run::new(plan, 1, Options::default()).finish();
    assert_eq!(outcome.verdict, Verdict::Passed, "{:?}", outcome.violations);
    outcome.events
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(5))
        .without_plots()
        .configure_from_args();
    let mut group = criterion.benchmark_group("sim_speed");
    for (name, text) in [("log-only", LOG_ONLY), ("whole-cluster", WHOLE_CLUSTER)] {
        let scenario = scenario::parse(name, text).expect("a valid scenario");
        let plan = Plan::new(name, scenario).expect("a valid plan");
        group.throughput(Throughput::Elements(run(&plan)));
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(|| run(&plan));
        });
    }
    group.finish();
    criterion.final_summary();
}
