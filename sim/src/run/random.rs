//! Faults at random, each kind at its own rate.

use super::{Planned, Run, Undo};
use crate::net::Latency;
use crate::node::{NodeIndex, Role};
use crate::scenario::{Clog, REQUESTS, Rate, Target};
use crate::time::SimTime;
use crate::units::Span;
use crate::world::Death;
use std::time::Duration;

/// How long a random fault lasts when the scenario does not say.
const LASTS: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

impl Run<'_> {
    pub(super) fn plan_random(&mut self) {
        let Some(random) = &self.plan.scenario.random else {
            return;
        };
        let from = SimTime::ZERO + random.from.unwrap_or_default().0;
        for (index, (_, rate)) in random.rates().iter().enumerate() {
            let gap = self.gap(rate);
            self.plan(from + gap, Planned::Random(index));
        }
    }

    /// The time to the next fault of a kind: exponential, so that they come in bursts.
    fn gap(&mut self, rate: &Rate) -> Duration {
        let per_minute = rate.per_minute.max(0.001);
        let mean = Duration::from_nanos((60e9 / per_minute) as u64);
        let latency = Latency::Exponential {
            least: Span(Duration::ZERO),
            mean: Span(mean),
        };
        latency.draw(&mut self.world.streams.faults)
    }

    pub(super) fn on_random(&mut self, index: usize) {
        let plan = self.plan;
        let Some(random) = &plan.scenario.random else {
            return;
        };
        let until = random.until.map(|span| SimTime::ZERO + span.0);
        if self.healing || until.is_some_and(|until| self.world.now >= until) {
            return;
        }
        let (kind, rate) = random.rates()[index];
        self.break_something(kind, rate);
        let gap = self.gap(rate);
        let at = self.world.now + gap;
        self.plan(at, Planned::Random(index));
    }

    fn break_something(&mut self, kind: &str, rate: &Rate) {
        let lasts = rate.lasts.map_or(LASTS, |(low, high)| (low.0, high.0));
        let lasts = self.world.streams.faults.between(lasts.0, lasts.1);
        if REQUESTS.contains(&kind) {
            return self.random_request(kind, rate, lasts);
        }
        let target = rate.of.clone().unwrap_or(Target::Random(1, Role::Master));
        let nodes = self.resolve(&target);
        let Some(first) = nodes.first().copied() else {
            return;
        };
        self.world.counts.faults += 1;
        match kind {
            "crash" => self.random_death(nodes, lasts, Death::Killed),
            "power_cut" | "torn" => self.random_death(nodes, lasts, Death::PowerCut),
            "wipe" if self.may_lose_disk(first) => {
                let name = self.world.node(first).name.clone();
                self.wipe(&Target::Named(name), Some(lasts));
            }
            "rot" if self.may_lose_disk(first) => {
                let names = self.names(&[first]);
                self.announce(&format!("a record rots on the disk of {names}"));
                self.world.crash(first, Death::PowerCut);
                self.world.rot(first);
                self.later(Some(lasts), Undo::Start(vec![first]));
            }
            "wipe" | "rot" => {}
            "pause" => {
                let names = self.names(&nodes);
                self.announce(&format!("stopped (SIGSTOP): {names}"));
                for node in &nodes {
                    self.world.pause(*node);
                }
                self.later(Some(lasts), Undo::Resume(nodes));
            }
            "isolate" | "one_way" | "halves" => self.random_cut(kind, &nodes, lasts),
            "clog" => {
                let delay = Span(
                    self.world
                        .streams
                        .faults
                        .between(Duration::from_millis(20), Duration::from_secs(2)),
                );
                let nodes = target;
                let clog = Clog {
                    nodes,
                    delay,
                    swizzle: None,
                };
                self.clog(&clog, Some(lasts));
            }
            "reset" => {
                let names = self.names(&nodes);
                self.announce(&format!("all connections reset: {names}"));
                nodes.into_iter().for_each(|node| self.reset(node));
            }
            "lossy" => self.lossy(lasts),
            "clock_jump" => self.random_jump(first),
            _ => self.random_disk(kind, nodes, lasts),
        }
    }

    fn random_death(&mut self, nodes: Vec<NodeIndex>, lasts: Duration, death: Death) {
        let names = self.names(&nodes);
        let what = match death {
            Death::Killed => "kill -9:",
            Death::PowerCut => "power cut:",
        };
        self.announce(&format!("{what} {names}"));
        for node in &nodes {
            if self.world.node(*node).role == Role::Executor {
                self.world.kill_executor(*node);
            } else {
                self.world.crash(*node, death);
            }
        }
        self.later(Some(lasts), Undo::Start(nodes));
    }

    fn random_cut(&mut self, kind: &str, nodes: &[NodeIndex], lasts: Duration) {
        let (a, b) = if kind == "halves" {
            let masters = self.world.masters().to_vec();
            self.halves(masters)
        } else {
            let outside = self.everyone();
            let outside = outside.into_iter().filter(|node| !nodes.contains(node));
            (nodes.to_vec(), outside.collect())
        };
        let one_way = kind == "one_way";
        let inward = one_way && self.world.streams.faults.chance(1, 2);
        let groups = match (one_way, inward) {
            (true, true) => vec![(b, a)],
            (true, false) => vec![(a, b)],
            (false, _) => vec![(a.clone(), b.clone()), (b, a)],
        };
        let names = self.names(&groups[0].0);
        let way = if one_way { "one way" } else { "both ways" };
        self.announce(&format!(
            "partition, {way}: {names} not heard by the others"
        ));
        let cuts = self.cut_all(&groups);
        self.later(Some(lasts), Undo::Heal(cuts));
    }

    fn random_jump(&mut self, node: NodeIndex) {
        let by = self.world.streams.faults.below(600_000) as i64 - 300_000;
        let names = self.names(&[node]);
        self.announce(&format!("wall clock of {names} jumps by {by} ms"));
        self.world.nodes[node.slot()].clock.jump_wall(by);
    }

    fn random_disk(&mut self, kind: &str, nodes: Vec<NodeIndex>, lasts: Duration) {
        let names = self.names(&nodes);
        self.announce(&format!("{}: {names}", kind.replace('_', " ")));
        for node in &nodes {
            if let Some(faults) = self.world.disk_faults(*node) {
                match kind {
                    "disk_full" => faults.full = true,
                    "fail_sync" => faults.fail_sync = true,
                    "slow_disk" => faults.slow = Duration::from_millis(100),
                    other => unreachable!("nobody wrote down what {other} does"),
                }
            }
        }
        self.later(Some(lasts), Undo::MendDisk(nodes));
    }
}
