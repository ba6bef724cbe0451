//! Apache Mesos' allocation cycle, as measured, for the benchmark `allocator_cycle`.
//!
//! Mesos 1.12.0, hierarchical DRF, gcc -O2, 2 cores, Debian 12; medians of CPU milliseconds of one
//! cycle. Agents `cpus:24;mem:4096;disk:4096;ports:[31000-32000]`, of which 16 cpus, 2014 MB, 1024
//! MB of disk and 16 port ranges are in use; every agent has something to offer, every framework
//! wants offers, all offers were returned without filter before the cycle.

/// One measured cycle of Mesos.
#[derive(Clone, Copy, Debug)]
pub struct MesosCycle {
    /// How many agents.
    pub agents: usize,
    /// How many frameworks.
    pub frameworks: usize,
    /// With all frameworks in one role.
    pub one_role_ms: f64,
    /// With a role for each framework; not measured for a single one.
    pub role_each_ms: Option<f64>,
}

const fn measured(
    agents: usize,
    frameworks: usize,
    one_role_ms: f64,
    role_each_ms: Option<f64>,
) -> MesosCycle {
    MesosCycle {
        agents,
        frameworks,
        one_role_ms,
        role_each_ms,
    }
}

/// All offered, all returned without filter before each cycle.
pub const MESOS_OFFERED: &[MesosCycle] = &[
    measured(1_000, 1, 21.0, None),
    measured(1_000, 50, 20.0, Some(18.0)),
    measured(1_000, 200, 23.0, Some(26.0)),
    measured(1_000, 1_000, 39.0, Some(54.0)),
    measured(5_000, 1, 170.0, None),
    measured(5_000, 50, 167.0, Some(126.0)),
    measured(5_000, 200, 177.0, Some(149.0)),
    measured(5_000, 1_000, 194.0, Some(318.0)),
    measured(10_000, 1, 322.0, None),
    measured(10_000, 50, 316.0, Some(265.0)),
    measured(10_000, 200, 325.0, Some(318.0)),
    measured(10_000, 1_000, 393.0, Some(653.0)),
];

/// All agents fully used: (agents, frameworks, milliseconds).
pub const MESOS_USED: &[(usize, usize, f64)] = &[(1_000, 200, 0.5), (10_000, 1_000, 7.8)];

/// Every framework filters every agent: (agents, frameworks, milliseconds).
pub const MESOS_FILTERED: &[(usize, usize, f64)] = &[(1_000, 50, 220.0)];

/// Each framework declines for ever what it is offered, so that filters pile up.
pub const MESOS_DECLINED_FOREVER: &[(usize, usize, f64)] = &[(10_000, 1_000, 465.0)];

/// Adding 10,000 agents to 1,000 frameworks with a role each.
pub const MESOS_ADD_AGENTS: &[(usize, usize, f64)] = &[(10_000, 1_000, 9_700.0)];

/// How many times less than Mesos a full cycle of 10,000 agents and 1,000 frameworks should take.
pub const GOAL_TIMES_LESS: f64 = 100.0;
/// What a cycle should take at most where nothing changed.
pub const GOAL_UNCHANGED_MS: f64 = 0.1;
/// What a full cycle of 50,000 agents and 1,000 frameworks should take at most.
pub const GOAL_LARGE_MS: f64 = 10.0;

/// Mesos' figure for a full cycle, if it was measured.
#[must_use]
pub fn mesos_offered_ms(agents: usize, frameworks: usize, role_each: bool) -> Option<f64> {
    let mut rows = MESOS_OFFERED.iter();
    let row = rows.find(|row| (row.agents, row.frameworks) == (agents, frameworks))?;
    if role_each {
        row.role_each_ms
    } else {
        Some(row.one_role_ms)
    }
}

/// A figure out of one of the lists.
#[must_use]
pub fn mesos_ms(list: &[(usize, usize, f64)], agents: usize, frameworks: usize) -> Option<f64> {
    let mut rows = list.iter();
    let row = rows.find(|row| (row.0, row.1) == (agents, frameworks))?;
    Some(row.2)
}
