//! The same seed gives the same run, whatever is watched or recorded; another seed another one.

use tepui_sim::run::{Options, Outcome, Plan, Run};
use tepui_sim::scenario::parse;

const SCENARIO: &str = "
cluster:
  agents: 6
  network: { loss: 1%, duplication: 1% }
  clock: { skew: 1s, drift_ppm: 200 }
  master: { log: { snapshot_every: 16, retain: 4 } }
workload:
  - service: { name: web, instances: 8 }
  - batch: { name: etl, jobs: 20, every: 300ms, lasts: [200ms, 3s] }
random:
  crash: { per_minute: 20, of: [random master, random agent], for: [100ms, 2s] }
  power_cut: { per_minute: 10, of: random agent, for: [100ms, 2s] }
  isolate: { per_minute: 10, for: [200ms, 3s] }
  pause: { per_minute: 10, for: [200ms, 2s] }
  wipe: { per_minute: 2 }
liveness: { after: 20s, within: 120s }
";

fn run(seed: u64, options: Options) -> Outcome {
    let plan = Plan::new("test", parse("test", SCENARIO).unwrap()).unwrap();
    Run::new(&plan, seed, options).finish().0
}

#[test]
fn a_run_repeats_itself_whoever_watches() {
    for seed in 0..6 {
        let quiet = run(seed, Options::default());
        let watched = run(
            seed,
            Options {
                timeline: true,
                chatty: true,
                record: true,
            },
        );
        assert_eq!(quiet.trace_hash, watched.trace_hash, "seed {seed}");
        assert_eq!(quiet.events, watched.events);
        assert!(quiet.events > 1_000, "a run in which something happens");
    }
}

#[test]
fn another_seed_is_another_run() {
    let (one, two) = (run(1, Options::default()), run(2, Options::default()));
    assert_ne!(one.trace_hash, two.trace_hash);
}
