//! What may happen to the allocator in a property test.

use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

pub(super) const ROLES: [&str; 6] = ["*", "a", "a/b", "a/c", "a/b/d", "e"];

pub(super) const TOTALS: [&str; 9] = [
    "cpus:4;mem:4096;ports:[1-9]",
    "cpus:1;mem:8192;licences:2",
    "cpus:2;mem:64;cpus(a):1;mem(a):640;zones:{x,y}",
    "cpus:0.5;cpus(a/b):3;cpus(e):2;mem(a):31;ports(e):[1-9]",
    "mem(a/b/d):1024;mem(a/b):1024",
    "cpus:0.001;mem:1",
    "cpus:2;mem:512;gpus:1",
    REFINED,
    REVOCABLE,
];

/// Of which half of what is reserved is so twice.
pub(super) const REFINED: &str = "cpus:3;mem:512;cpus(a):2;mem(a):64";

/// As before, and half of the rest may be taken back at any time. The last, for runs without
/// quota: the books of quota do not tell such resources from others that a role holds.
pub(super) const REVOCABLE: &str = "cpus:1;mem:512;cpus(a):2;mem(a):64";

pub(super) const REFUSALS: [u64; 5] = [0, 1, 5, 6, 31_536_000];

/// What may happen. Numbers choose, modulo, among what there is.
#[derive(Clone, Debug)]
pub(super) enum Action {
    AddAgent {
        total: usize,
        claims: Vec<(usize, usize)>,
    },
    RemoveAgent(usize),
    SetAgentActive(usize, bool),
    UpdateTotal(usize, usize),
    AddFramework {
        roles: u8,
        suppressed: u8,
    },
    RemoveFramework(usize),
    SetFrameworkActive(usize, bool),
    UpdateRoles(usize, u8, u8),
    Suppress(usize, u8),
    Revive(usize, u8),
    SetWeight(usize, u32),
    SetQuota {
        role: usize,
        guarantee: u32,
        limit: Option<u32>,
    },
    Recover {
        held: usize,
        part: bool,
        refuse: usize,
    },
    RecoverAll {
        refuse: usize,
    },
    SetTakes(usize, u8),
    SetRemote(usize, bool),
    Claim {
        framework: usize,
        role: usize,
        agent: usize,
    },
    Allocate {
        after_ms: u64,
    },
    /// Tasks of so many cpus and GPUs are typical.
    SetTypical(Vec<(u8, u8)>),
}

pub(super) fn action() -> impl Strategy<Value = Action> {
    use Action::{
        AddAgent, AddFramework, Allocate, Claim, Recover, RecoverAll, RemoveAgent, RemoveFramework,
        Revive, SetAgentActive, SetFrameworkActive, SetQuota, SetRemote, SetTakes, SetTypical,
        SetWeight, Suppress, UpdateRoles, UpdateTotal,
    };
    let n = || any::<usize>();
    let claims = prop::collection::vec((n(), n()), 0..3);
    prop_oneof![
        3 => (n(), claims).prop_map(|(total, claims)| AddAgent { total, claims }),
        1 => n().prop_map(RemoveAgent),
        1 => (n(), any::<bool>()).prop_map(|(agent, active)| SetAgentActive(agent, active)),
        1 => (n(), n()).prop_map(|(agent, total)| UpdateTotal(agent, total)),
        2 => (any::<u8>(), any::<u8>())
            .prop_map(|(roles, suppressed)| AddFramework { roles, suppressed: suppressed & 9 }),
        1 => n().prop_map(RemoveFramework),
        3 => (n(), prop::bool::weighted(0.8))
            .prop_map(|(framework, active)| SetFrameworkActive(framework, active)),
        1 => (n(), any::<u8>(), any::<u8>())
            .prop_map(|(framework, roles, suppressed)| UpdateRoles(framework, roles, suppressed)),
        1 => (n(), any::<u8>()).prop_map(|(framework, roles)| Suppress(framework, roles)),
        2 => (n(), any::<u8>()).prop_map(|(framework, roles)| Revive(framework, roles)),
        1 => (n(), 1..4_000_u32).prop_map(|(role, weight)| SetWeight(role, weight)),
        3 => (n(), 0..5_000_u32, prop::option::of(0..5_000_u32))
            .prop_map(|(role, guarantee, limit)| SetQuota { role, guarantee, limit }),
        2 => (n(), any::<u8>()).prop_map(|(framework, takes)| SetTakes(framework, takes)),
        1 => (n(), any::<bool>()).prop_map(|(agent, remote)| SetRemote(agent, remote)),
        8 => (n(), any::<bool>(), n())
            .prop_map(|(held, part, refuse)| Recover { held, part, refuse }),
        2 => n().prop_map(|refuse| RecoverAll { refuse }),
        1 => (n(), n(), n())
            .prop_map(|(framework, role, agent)| Claim { framework, role, agent }),
        8 => prop_oneof![Just(0), Just(300), Just(1_000), Just(7_000)]
            .prop_map(|after_ms| Allocate { after_ms }),
        1 => prop::collection::vec((0..4_u8, 0..3_u8), 0..4).prop_map(SetTypical),
    ]
}
