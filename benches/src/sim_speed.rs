//! What the benchmark `sim_speed` runs, and how fast it should be.

/// Three replicas of the log and four clients that append without a pause.
pub const LOG_ONLY: &str = "\
cluster: { kind: log, masters: 3 }
workload: [ { append: { clients: 16, every: 0s } } ]
liveness: { after: 30s, within: 10s }
";

/// Three masters, a hundred agents, a service and a stream of short jobs.
pub const WHOLE_CLUSTER: &str = "\
cluster: { masters: 3, agents: 100 }
workload:
  - service: { name: web, instances: 300 }
  - batch: { name: etl, jobs: 3000, every: 10ms, lasts: [100ms, 1s] }
liveness: { after: 40s, within: 30s }
";

/// Events a second on one core, the log alone.
pub const GOAL_LOG_ONLY: f64 = 3e6;
/// Events a second on one core, a whole cluster.
pub const GOAL_WHOLE_CLUSTER: f64 = 1e6;
/// Public simulators of tokio programs, messages or events a second on this kind of machine:
/// madsim 0.2.34 with 1 to 500 pairs, turmoil 0.7.2 with 10 pairs.
pub const PEERS: &[(&str, f64)] = &[("madsim 0.2.34", 1.0e6), ("turmoil 0.7.2, 10 pairs", 270e3)];
