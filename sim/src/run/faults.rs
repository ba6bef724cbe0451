//! What the steps of a scenario do.

use super::{Run, Undo};
use crate::net::{Rule, RuleAction};
use crate::node::{NodeIndex, Process};
use crate::scenario::{Disk, Script, Step, Target};
use crate::world::{Death, Delivery};
use std::sync::Arc;
use std::time::Duration;
use tepui_core::frameworks::service::Request;
use tepui_core::wire;

impl Run<'_> {
    /// Does what a step says. False when it found nobody to do it to.
    pub(super) fn act(&mut self, step: &Step) -> bool {
        let lasts = step.lasts.map(|span| span.0);
        if let Some(target) = &step.crash {
            return self.kill(target, lasts, Death::Killed);
        }
        if let Some(target) = &step.power_cut {
            return self.kill(target, lasts, Death::PowerCut);
        }
        if let Some(target) = &step.wipe {
            return self.wipe(target, lasts);
        }
        if let Some(partition) = &step.partition {
            return self.part(partition, lasts);
        }
        if let Some(clog) = &step.clog {
            return self.clog(clog, lasts);
        }
        if let Some(disk) = &step.disk {
            return self.break_disk(disk, lasts);
        }
        if let Some(name) = &step.release {
            self.announce(&format!("what '{name}' held back is sent on"));
            let held = self.world.net.rules.release(name);
            self.world.send_held(held);
            return true;
        }
        if step.heal.is_some() {
            self.announce("the network heals");
            self.heal_network();
            return true;
        }
        self.act_on_processes(step, lasts)
            || self.act_on_messages(step, lasts)
            || self.operate(step)
    }

    /// Those of a target that can be hit, with a word about it.
    fn hit(&mut self, target: &Target, what: &str) -> Vec<NodeIndex> {
        let nodes = self.resolve(target);
        if !nodes.is_empty() {
            let names = self.names(&nodes);
            self.announce(&format!("{what} {names}"));
        }
        nodes
    }

    fn kill(&mut self, target: &Target, lasts: Option<Duration>, death: Death) -> bool {
        let what = match death {
            Death::Killed => "kill -9:",
            Death::PowerCut => "power cut:",
        };
        let nodes = self.hit(target, what);
        for node in &nodes {
            if self.world.node(*node).role == crate::node::Role::Executor {
                self.world.kill_executor(*node);
            } else {
                self.world.crash(*node, death);
            }
        }
        let found = !nodes.is_empty();
        self.later(lasts, Undo::Start(nodes));
        found
    }

    pub(super) fn wipe(&mut self, target: &Target, lasts: Option<Duration>) -> bool {
        let nodes = self.hit(target, "disk lost:");
        for node in &nodes {
            self.world.crash(*node, Death::PowerCut);
            self.world.wipe(*node);
        }
        let found = !nodes.is_empty();
        let lasts = lasts.unwrap_or(Duration::from_millis(500));
        self.later(Some(lasts), Undo::Start(nodes));
        found
    }

    fn act_on_processes(&mut self, step: &Step, lasts: Option<Duration>) -> bool {
        if let Some(target) = &step.start {
            let nodes = self.hit(target, "started:");
            for node in &nodes {
                self.world.start(*node);
            }
            return !nodes.is_empty();
        }
        if let Some(target) = &step.pause {
            let nodes = self.hit(target, "stopped (SIGSTOP):");
            for node in &nodes {
                self.world.pause(*node);
            }
            let found = !nodes.is_empty();
            self.later(lasts, Undo::Resume(nodes));
            return found;
        }
        if let Some(target) = &step.resume {
            let nodes = self.hit(target, "goes on (SIGCONT):");
            for node in &nodes {
                self.world.resume(*node);
            }
            return !nodes.is_empty();
        }
        if let Some(target) = &step.reset {
            let nodes = self.hit(target, "all connections reset:");
            for node in &nodes {
                self.reset(*node);
            }
            return !nodes.is_empty();
        }
        if let Some(jump) = &step.clock_jump {
            let nodes = self.hit(&jump.of, "wall clock jumps:");
            let by = i64::try_from(jump.by.0.as_millis()).unwrap_or(i64::MAX);
            for node in &nodes {
                let by = if jump.back { -by } else { by };
                self.world.nodes[node.slot()].clock.jump_wall(by);
            }
            return !nodes.is_empty();
        }
        if let Some(drift) = &step.clock_drift {
            let nodes = self.hit(&drift.of, "clock drifts:");
            for node in &nodes {
                self.world.drift(*node, drift.ppm);
            }
            return !nodes.is_empty();
        }
        false
    }

    /// All connections of a node break.
    pub(super) fn reset(&mut self, node: NodeIndex) {
        for (key, _) in self.world.connections_of(node) {
            self.world.sever(key);
        }
    }

    fn act_on_messages(&mut self, step: &Step, lasts: Option<Duration>) -> bool {
        let by = |script: &Script| script.by.unwrap_or_default().0;
        let rule = match (&step.drop, &step.delay, &step.hold, &step.duplicate) {
            (Some(script), ..) => Some((script, RuleAction::Drop, "lost")),
            (_, Some(script), ..) => Some((script, RuleAction::Delay(by(script)), "late")),
            (_, _, Some(script), _) => Some((script, RuleAction::Hold, "held back")),
            (.., Some(script)) => Some((script, RuleAction::Duplicate, "doubled")),
            _ => None,
        };
        let Some((script, action, word)) = rule else {
            return false;
        };
        let from = script.from.as_ref().map(|target| self.resolve(target));
        let to = script.to.as_ref().map(|target| self.resolve(target));
        if [&from, &to].into_iter().flatten().any(Vec::is_empty) {
            return false;
        }
        let show = |target: &Option<Target>| {
            target
                .as_ref()
                .map_or("anybody".into(), ToString::to_string)
        };
        self.announce(&format!(
            "{} {} from {} to {} {word}",
            script.count.map_or("all".into(), |count| count.to_string()),
            script.kind.as_deref().unwrap_or("messages"),
            show(&script.from),
            show(&script.to),
        ));
        let key = self.world.net.rules.add(Rule {
            from,
            to,
            kind: script.kind.clone(),
            skip: script.skip,
            count: script.count,
            action,
            name: script.name.clone(),
        });
        self.later(lasts, Undo::EndRule(key));
        true
    }

    fn break_disk(&mut self, disk: &Disk, lasts: Option<Duration>) -> bool {
        let nodes = self.hit(&disk.of, "disk trouble:");
        for node in &nodes {
            if let Some(faults) = self.world.disk_faults(*node) {
                faults.full |= disk.full;
                faults.fail_sync |= disk.fail_sync;
                faults.slow = disk.slow.map_or(faults.slow, |span| span.0);
            }
            if disk.rot || disk.torn {
                self.world.crash(*node, Death::PowerCut);
                if disk.rot {
                    self.world.rot(*node);
                }
            }
        }
        let found = !nodes.is_empty();
        if disk.rot || disk.torn {
            let lasts = lasts.unwrap_or(Duration::from_millis(500));
            self.later(Some(lasts), Undo::Start(nodes));
        } else {
            self.later(lasts, Undo::MendDisk(nodes));
        }
        found
    }

    fn operate(&mut self, step: &Step) -> bool {
        if let Some(operator) = &step.operator {
            return self.on_operator_step(operator);
        }
        if let Some(append) = &step.append {
            let nodes = self.hit(
                &append.to,
                &format!("a client appends '{}' at", append.value),
            );
            for node in &nodes {
                self.append(*node, Arc::from(append.value.as_bytes()));
            }
            return !nodes.is_empty();
        }
        if let Some(scale) = &step.scale {
            let instances = scale.instances;
            let nodes = self.hit(&scale.service, &format!("scale to {instances}:"));
            let body: Arc<[u8]> = Arc::from(wire::encode(&Request::Scale { instances }));
            return self.tell(&nodes, &Delivery::Request { body });
        }
        let (target, what, delivery) = if let Some(target) = &step.teardown {
            (target, "torn down:", Delivery::Stop { teardown: true })
        } else if let Some(target) = &step.stop {
            (target, "told to end:", Delivery::Stop { teardown: false })
        } else if let Some(target) = &step.shutdown {
            (target, "shut down for good:", Delivery::Shutdown)
        } else {
            return false;
        };
        let nodes = self.hit(target, what);
        self.tell(&nodes, &delivery)
    }

    fn tell(&mut self, nodes: &[NodeIndex], delivery: &Delivery) -> bool {
        let now = self.world.now;
        let mut told = false;
        for node in nodes {
            if self.world.node(*node).process != Process::Down {
                self.world.plan_local(now, *node, delivery.clone());
                told = true;
            }
        }
        told
    }
}
