//! The rules by example.

use super::*;
use crate::invariant::{Cost, check};
use crate::rng::Rng;
use crate::time::Time;
use alloc::format;
use alloc::vec;

/// An allocator with a clock, and names for what it hands out.
struct Cluster {
    allocator: Allocator,
    now: Time,
}

impl Cluster {
    fn new() -> Cluster {
        let rng = Rng::from_seed(7, "allocator");
        Cluster {
            allocator: Allocator::new(Options::default(), rng),
            now: Time::ZERO,
        }
    }

    fn framework(&mut self, id: &str, roles: &[&str]) -> FrameworkIndex {
        let id = FrameworkId::new(id).unwrap();
        let roles: Vec<Role> = roles.iter().map(|name| role(name)).collect();
        let framework = self.allocator.add_framework(id, &roles, &[]).unwrap();
        self.allocator.activate_framework(framework).unwrap();
        framework
    }

    fn agent(&mut self, id: &str, total: &str) -> AgentIndex {
        let id = AgentId::new(id).unwrap();
        self.allocator.add_agent(id, resources(total), &[]).unwrap()
    }

    fn wait(&mut self, millis: u64) {
        self.now = self.now + Duration::from_millis(millis);
    }

    fn allocate(&mut self) -> Vec<Allocation> {
        let mut out = vec![];
        self.allocator.allocate(self.now, &mut out);
        let broken = check(INVARIANTS, &self.allocator, Cost::Linear);
        assert!(broken.is_empty(), "{broken:?}");
        out
    }

    fn served(&mut self) -> Vec<FrameworkIndex> {
        let out = self.allocate();
        out.iter().map(|allocation| allocation.framework).collect()
    }

    fn give_back(&mut self, allocation: &Allocation, part: &Resources, refuse_ms: u64) {
        let Allocation {
            framework,
            role,
            agent,
            ..
        } = allocation;
        let refuse = Some(Duration::from_millis(refuse_ms));
        self.allocator
            .recover_resources(self.now, *framework, role, *agent, part.clone(), refuse)
            .unwrap();
    }

    fn decline(&mut self, allocation: &Allocation, refuse_ms: u64) {
        self.give_back(allocation, &allocation.resources, refuse_ms);
    }
}

fn role(name: &str) -> Role {
    Role::new(name).unwrap()
}

fn resources(text: &str) -> Resources {
    text.parse().unwrap()
}

/// Ghodsi et al., section 4.1: of 9 CPUs and 18 GB, A (1 CPU, 4 GB a task) runs 3 tasks and B (3
/// CPUs, 1 GB a task) runs 2, and each has two thirds of what it needs most.
#[test]
fn the_example_of_the_paper() {
    let mut cluster = Cluster::new();
    cluster.agent("s1", "cpus:9;mem:18432");
    let a = cluster.framework("A", &["a"]);
    let b = cluster.framework("B", &["b"]);
    let task = |who| {
        resources(if who == a {
            "cpus:1;mem:4096"
        } else {
            "cpus:3;mem:1024"
        })
    };
    let mut tasks = [0, 0];
    for _ in 0..20 {
        for allocation in cluster.allocate() {
            match allocation
                .resources
                .checked_sub(&task(allocation.framework))
            {
                Ok(rest) => {
                    tasks[usize::from(allocation.framework == b)] += 1;
                    cluster.give_back(&allocation, &rest, 0);
                }
                Err(_) => cluster.decline(&allocation, 0),
            }
        }
        cluster.wait(1_000);
    }
    assert_eq!(tasks, [3, 2]);
    // What is left over went round in offers; the shares are those of the tasks.
    cluster.allocate();
    let share = |name| cluster.allocator.role_share(&role(name)).unwrap();
    assert!(share("a") >= 0.666 && share("b") >= 0.666);
}

/// MESOS-1086: under churn, ties always went to the framework whose name sorts first.
#[test]
fn ties_go_round() {
    let mut cluster = Cluster::new();
    cluster.agent("s1", "cpus:1;mem:1024");
    let all = ["f1", "f2", "f3"].map(|id| cluster.framework(id, &["*"]));
    let mut served = vec![];
    for _ in 0..9 {
        let out = cluster.allocate();
        served.push(out[0].framework);
        cluster.decline(&out[0], 0);
        cluster.wait(1_000);
    }
    for framework in all {
        assert_eq!(
            served.iter().filter(|other| **other == framework).count(),
            3
        );
    }
}

/// MESOS-4302: a filter must not end before an allocation has used it, however slow those are.
#[test]
fn a_filter_is_used_before_it_ends() {
    let mut cluster = Cluster::new();
    cluster.agent("s1", "cpus:1;mem:1024");
    let picky = cluster.framework("f1", &["a"]);
    let out = cluster.allocate();
    assert_eq!(out[0].framework, picky);
    let other = cluster.framework("f2", &["b"]);
    cluster
        .allocator
        .set_weight(&role("a"), Scalar::from_units(9))
        .unwrap();
    cluster.decline(&out[0], 5_000);
    cluster.wait(60_000);
    assert_eq!(
        cluster.served(),
        [other],
        "the filter is long over, but was not used"
    );
    assert_eq!(cluster.allocate(), []);
}

#[test]
fn a_filter_lasts_at_least_one_interval_and_hides_no_more_than_was_refused() {
    let mut cluster = Cluster::new();
    cluster.agent("s1", "cpus:4;mem:1024");
    let only = cluster.framework("f1", &["*"]);
    let out = cluster.allocate();
    let half = resources("cpus:2");
    cluster.give_back(&out[0], &half, 31_536_000_000);
    cluster.wait(1_000);
    assert_eq!(cluster.served(), [], "what is free was refused");
    cluster.give_back(&out[0], &resources("cpus:1"), 0);
    cluster.wait(1_000);
    let out = cluster.allocate();
    assert_eq!(
        out[0].resources,
        resources("cpus:3"),
        "there is more than was refused"
    );
    cluster.give_back(&out[0], &out[0].resources, 1);
    cluster.wait(500);
    assert_eq!(
        cluster.served(),
        [],
        "a millisecond is extended to an interval"
    );
    cluster.wait(600);
    assert_eq!(cluster.served(), [only]);
}

#[test]
fn revive_forgets_the_filters_of_its_roles_and_suppress_ends_offers() {
    let mut cluster = Cluster::new();
    cluster.agent("s1", "cpus:1");
    let f1 = cluster.framework("f1", &["a"]);
    let out = cluster.allocate();
    cluster.decline(&out[0], 31_536_000_000);
    assert_eq!(cluster.served(), []);
    assert_eq!(
        cluster.allocator.deadline().map(|due| due > cluster.now),
        Some(true)
    );
    cluster.allocator.revive(f1, &[role("b")]).unwrap();
    assert_eq!(cluster.served(), [], "not a role of it");
    cluster.allocator.revive(f1, &[]).unwrap();
    assert!(cluster.allocator.deadline() <= Some(cluster.now), "at once");
    let out = cluster.allocate();
    cluster.allocator.suppress(f1, &[]).unwrap();
    cluster.decline(&out[0], 0);
    assert_eq!(cluster.served(), []);
    let later = cluster.now + Duration::from_secs(300 * 86_400);
    let due = cluster.allocator.deadline();
    assert!(
        due.is_none_or(|due| due > later),
        "nothing to wait for but the filter's end"
    );
    cluster.allocator.revive(f1, &[role("a")]).unwrap();
    assert_eq!(cluster.served(), [f1]);
}

#[test]
fn reserved_parts_go_to_their_roles_and_below() {
    let mut cluster = Cluster::new();
    cluster.agent("s1", "cpus:1;cpus(a):2;cpus(b):4;cpus(a/x):8");
    let b = cluster.framework("f1", &["b"]);
    let ax = cluster.framework("f2", &["a/x"]);
    let c = cluster.framework("f3", &["c"]);
    let mut cpus: Vec<_> = cluster
        .allocate()
        .iter()
        .map(|one| (one.framework, one.resources.scalar("cpus").milli() / 1000))
        .collect();
    cpus.sort_unstable();
    // The unreserved CPU goes to the role that comes first by name, all having nothing yet.
    assert_eq!(cpus, [(b, 4), (ax, 11)]);
    assert_eq!(
        cluster.allocator.held(c, &role("c")).unwrap().milli("cpus"),
        0
    );
}

#[test]
fn shares_follow_the_weights_at_every_level() {
    let mut cluster = Cluster::new();
    for at in 0..60 {
        cluster.agent(&format!("s{at}"), "cpus:1");
    }
    let all = [
        cluster.framework("f1", &["a/x"]),
        cluster.framework("f2", &["a/y"]),
        cluster.framework("f3", &["b"]),
    ];
    let weigh = |cluster: &mut Cluster, name, units| {
        let weight = Scalar::from_units(units);
        cluster.allocator.set_weight(&role(name), weight).unwrap();
    };
    weigh(&mut cluster, "a", 2);
    weigh(&mut cluster, "a/x", 3);
    assert_eq!(
        cluster.allocator.set_weight(&role("b"), Scalar::ZERO),
        Err(AllocatorError::Weight(Scalar::ZERO))
    );
    let out = cluster.served();
    let counts = all.map(|who| out.iter().filter(|other| **other == who).count());
    assert_eq!(counts, [30, 10, 20]);
}

#[test]
fn what_is_not_held_cannot_be_given_back() {
    let mut cluster = Cluster::new();
    let agent = cluster.agent("s1", "cpus:4;ports:[1-9]");
    let f1 = cluster.framework("f1", &["a", "b"]);
    let out = cluster.allocate();
    let mut refused = |name, text: &str| {
        let allocator = &mut cluster.allocator;
        let free = allocator.free(agent).cloned();
        let back = resources(text);
        let role = role(name);
        let error = allocator.recover_resources(Time::ZERO, f1, &role, agent, back, None);
        assert!(error.is_err(), "{text}");
        assert_eq!(allocator.free(agent), free.as_ref());
    };
    refused("b", "cpus:1");
    refused("a", "cpus:5");
    refused("a", "mem:1");
    refused("a", "ports:[9-10]");
    cluster.give_back(&out[0], &resources("cpus:1;ports:[1-2]"), 0);
    let error = cluster
        .allocator
        .claim(f1, &role("a"), agent, &resources("cpus:2"));
    assert!(error.is_err());
    let twice = FrameworkId::new("f1").unwrap();
    assert!(cluster.allocator.add_framework(twice, &[], &[]).is_err());
    assert_eq!(
        cluster.allocator.free(agent),
        Some(&resources("cpus:1;ports:[1-2]"))
    );
    let ports = resources("ports:[2-3]");
    let again = cluster
        .allocator
        .recover_resources(Time::ZERO, f1, &role("a"), agent, ports, None);
    assert!(again.is_err(), "port 2 is free already");
    cluster.allocate();
}

#[test]
fn the_tasks_of_a_framework_that_is_gone_give_back_what_they_used() {
    let mut cluster = Cluster::new();
    let agent = cluster.agent("s1", "cpus:4;mem:64");
    let gone = cluster.framework("f1", &["a"]);
    let out = cluster.allocate();
    cluster.allocator.remove_framework(gone).unwrap();
    assert_eq!(
        cluster.allocator.remove_framework(gone),
        Err(AllocatorError::UnknownFramework)
    );
    let heir = cluster.framework("f1", &["a"]);
    assert_eq!(cluster.served(), []);
    cluster.give_back(&out[0], &resources("cpus:3"), 5_000);
    let out = cluster.allocate();
    assert_eq!(
        (out[0].framework, &out[0].resources),
        (heir, &resources("cpus:3"))
    );
    cluster.allocator.remove_agent(agent).unwrap();
    assert_eq!(
        cluster.allocator.remove_agent(agent),
        Err(AllocatorError::UnknownAgent)
    );
    assert!(cluster.allocator.held(heir, &role("a")).unwrap().is_zero());
    cluster.allocate();
}

#[test]
fn an_agent_that_comes_back_with_more_than_it_has_offers_nothing_until_that_is_over() {
    let mut cluster = Cluster::new();
    let f1 = cluster.framework("f1", &["a"]);
    let used = [(f1, role("a"), resources("cpus:3;ports:[1-5]"))];
    let id = AgentId::new("s1").unwrap();
    let total = resources("cpus:2;ports:[4-9]");
    let agent = cluster.allocator.add_agent(id, total, &used).unwrap();
    assert_eq!(
        cluster.allocator.free(agent),
        Some(&resources("ports:[6-9]"))
    );
    assert_eq!(cluster.served(), []);
    let back = resources("cpus:2;ports:[1-4]");
    let (now, role) = (cluster.now, role("a"));
    cluster
        .allocator
        .recover_resources(now, f1, &role, agent, back, None)
        .unwrap();
    assert_eq!(
        cluster.allocator.free(agent),
        Some(&resources("cpus:1;ports:[4-4,6-9]"))
    );
    cluster
        .allocator
        .update_agent_total(agent, resources("cpus:9"))
        .unwrap();
    assert_eq!(cluster.allocate()[0].resources, resources("cpus:8"));
}

#[test]
fn amounts_too_large_to_be_summed_are_refused() {
    let mut cluster = Cluster::new();
    let huge = format!("cpus:{}", Scalar::MAX);
    let mut refused = None;
    for at in 0..10_000 {
        let id = AgentId::new(&format!("s{at}")).unwrap();
        refused = cluster.allocator.add_agent(id, resources(&huge), &[]).err();
        if refused.is_some() {
            break;
        }
    }
    assert!(matches!(refused, Some(AllocatorError::TooLarge(_))));
    cluster.framework("f1", &["a"]);
    assert_eq!(cluster.allocate().len(), 9_223);
}

#[test]
fn an_agent_that_is_away_offers_nothing() {
    let mut cluster = Cluster::new();
    let agent = cluster.agent("s1", "cpus:1");
    cluster.allocator.deactivate_agent(agent).unwrap();
    let f1 = cluster.framework("f1", &["a"]);
    assert_eq!(cluster.served(), []);
    cluster.allocator.activate_agent(agent).unwrap();
    assert_eq!(cluster.served(), [f1]);
}

/// Two runs of the same verbs hand out the same, in the same order, and another seed does not.
#[test]
fn the_order_of_agents_is_drawn_from_the_seed() {
    let run = |seed| {
        let mut cluster = Cluster::new();
        cluster.allocator.rng = Rng::from_seed(seed, "allocator");
        for at in 0..40 {
            cluster.agent(&format!("s{at}"), "cpus:1");
        }
        cluster.framework("f1", &["a"]);
        cluster.framework("f2", &["a"]);
        cluster.served()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}
