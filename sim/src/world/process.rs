//! Processes and hosts: started, killed, stopped, cut off from power.

use super::{Delivery, World};
use crate::clock::Clock;
use crate::disk::{Disk, Storage};
use crate::host::Host;
use crate::machine::{SimNode, Spec};
use crate::node::{Node, NodeIndex, Process, Role};
use crate::observe::Occurrence;
use crate::record::Start;
use crate::replica::{Applied, LogReplica};
use crate::time::SimTime;
use std::collections::VecDeque;
use tepui_core::agent::AgentNode;
use tepui_core::master::MasterNode;
use tepui_core::{agent, log, master};

/// How a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// `kill -9`: the host lives and resets its connections.
    Killed,
    /// The host lost power: silence.
    PowerCut,
}

impl World {
    /// Adds a node that does not run yet.
    pub fn add_node(&mut self, name: &str, role: Role, spec: Spec, clock: Clock) -> NodeIndex {
        let index = NodeIndex(self.nodes.len() as u32);
        let disk = match role {
            Role::Master => Disk::Master(Storage::default()),
            Role::Agent => Disk::Agent(Storage::default()),
            Role::Framework => Disk::Framework(Storage::default()),
            Role::Executor => Disk::None,
        };
        if role == Role::Master {
            self.masters.push(index);
        }
        if role != Role::Executor {
            self.addresses.insert(format!("{name}:5050"), index);
        }
        self.net.add_node();
        self.observer.add_node(name, role);
        self.nodes.push(Node {
            name: name.to_owned(),
            role,
            process: Process::Down,
            host_up: true,
            run: 0,
            machine: None,
            spec,
            clock,
            disk,
            host: Host::default(),
            tick_at: SimTime::MAX,
            backlog: VecDeque::new(),
            outbound: Vec::new(),
            cancelled: Vec::new(),
            written_off: false,
            halted: None,
            left: false,
        });
        index
    }

    /// Starts a process from what is on its disk. A host without power gets it back first.
    pub fn start(&mut self, index: NodeIndex) {
        let node = &mut self.nodes[index.slot()];
        if node.process != Process::Down || node.left {
            return;
        }
        let was_dark = !node.host_up;
        node.host_up = true;
        node.run += 1;
        node.process = Process::Up;
        node.halted = None;
        node.clock.restart(self.now);
        node.tick_at = SimTime::MAX;
        let first = node.run == 1;
        let stream = format!("{}#{}", node.name, node.run);
        self.nodes[index.slot()]
            .disk
            .check_bytes(&mut self.streams.disk);
        self.observer.on_start(self.now, index, first);
        self.build(index, &stream);
        if was_dark {
            self.resume_stalled();
        }
    }

    fn build(&mut self, index: NodeIndex, stream: &str) {
        let rng = self.streams.nodes.fork(stream);
        let node = &mut self.nodes[index.slot()];
        let now = node.clock.read(self.now);
        match &node.spec {
            Spec::Log(config) => {
                let recovered = recovered(&node.disk);
                self.observer.on_recovered(self.now, index);
                let config = log::Config::clone(config);
                let replica = log::Node::recover(config, rng, recovered, now, &mut self.log_fx);
                let replica = LogReplica {
                    node: replica,
                    applied: Applied::default(),
                };
                node.machine = Some(SimNode::Log(Box::new(replica)));
                self.settle_log(index);
            }
            Spec::Master(config) => {
                let recovered = recovered(&node.disk);
                self.observer.on_recovered(self.now, index);
                let config = master::Config::clone(config);
                self.recorder.start(index, stream, now, || Start::Master {
                    config: config.clone(),
                    recovered: recovered.clone(),
                });
                let master = MasterNode::recover(config, &rng, now, recovered, &mut self.master_fx);
                node.machine = Some(SimNode::Master(Box::new(master)));
                self.settle_master(index);
            }
            Spec::Agent(spec) => {
                let Disk::Agent(storage) = &node.disk else {
                    unreachable!("agents have agents' disks");
                };
                let recovered = agent::Recovered {
                    writes: storage.durable(0).to_vec(),
                    live_containers: node.host.containers.keys().cloned().collect(),
                    boot_id: node.host.boot_id(),
                };
                let (config, info) = (spec.config.clone(), spec.info.clone());
                self.recorder.start(index, stream, now, || Start::Agent {
                    config: config.clone(),
                    info: info.clone(),
                    recovered: recovered.clone(),
                });
                let agent = AgentNode::recover(config, rng, info, now, recovered);
                node.machine = Some(SimNode::Agent(Box::new(agent)));
            }
            Spec::Framework(spec) => {
                let Disk::Framework(storage) = &node.disk else {
                    unreachable!("frameworks have frameworks' disks");
                };
                let writes = storage.durable(0).to_vec();
                self.recorder
                    .start(index, stream, now, || Start::Framework {
                        writes: writes.clone(),
                    });
                let framework = spec
                    .build(&rng, now, writes)
                    .expect("a scheduler reads what it wrote");
                node.machine = Some(SimNode::Framework(Box::new(framework)));
            }
            Spec::Executor => unreachable!("executors are started by their agents"),
        }
        self.plan_tick(index);
    }

    /// Ends a process.
    pub fn crash(&mut self, index: NodeIndex, death: Death) {
        let node = &mut self.nodes[index.slot()];
        if node.process == Process::Down {
            if death == Death::PowerCut {
                node.host_up = false;
            }
            return;
        }
        node.process = Process::Down;
        node.machine = None;
        node.host_up = death == Death::Killed;
        node.backlog.clear();
        node.tick_at = SimTime::MAX;
        let (now, observer) = (self.now, &mut self.observer);
        node.disk.crash(&mut self.streams.disk, |write| {
            observer.on_log_durable(now, index, write);
        });
        self.observer.on_death(self.now, index);
        self.drop_connections(index);
        if death == Death::Killed {
            self.break_links(index);
        } else {
            self.reboot_host(index);
        }
    }

    /// A host without power takes everything on it down; it boots anew when it returns.
    fn reboot_host(&mut self, index: NodeIndex) {
        let host = &mut self.nodes[index.slot()].host;
        host.boot += 1;
        host.last_pid = 0;
        let containers: Vec<_> = host.containers.values().copied().collect();
        for executor in containers {
            self.remove_container(executor);
        }
    }

    /// A process has done its work and ends.
    pub(super) fn leave(&mut self, index: NodeIndex, why: &str) {
        self.crash(index, Death::Killed);
        self.nodes[index.slot()].left = true;
        self.observer.note(self.now, index, why);
    }

    /// The other masters' connections to a dead one are reset.
    fn break_links(&mut self, index: NodeIndex) {
        let Some(with) = self.master_id(index) else {
            return;
        };
        for place in 0..self.masters.len() {
            let other = self.masters[place];
            if other != index && !self.net.partitions.blocks(index, other) {
                let at = self.now + self.net.latency(index, other);
                self.plan_local(at, other, Delivery::LinkBroken { with });
            }
        }
    }

    /// A process cannot go on and ends itself.
    pub(super) fn halt(&mut self, index: NodeIndex, why: &str) {
        self.crash(index, Death::Killed);
        self.nodes[index.slot()].halted = Some(why.to_owned());
        self.observer
            .note(self.now, index, &format!("HALTED: {why}"));
        self.observer.occur(Occurrence::Halted { node: index });
    }

    /// SIGSTOP.
    pub fn pause(&mut self, index: NodeIndex) {
        let node = &mut self.nodes[index.slot()];
        if node.process == Process::Up {
            node.process = Process::Paused;
            self.observer.on_pause(index);
        }
    }

    /// SIGCONT: everything that came in meanwhile is handled now, and timers are late.
    pub fn resume(&mut self, index: NodeIndex) {
        let node = &mut self.nodes[index.slot()];
        if node.process != Process::Paused {
            return;
        }
        node.process = Process::Up;
        let backlog = std::mem::take(&mut node.backlog);
        self.plan_tick(index);
        let run = self.nodes[index.slot()].run;
        for delivery in backlog {
            if self.nodes[index.slot()].run != run {
                break;
            }
            self.deliver(index, delivery);
        }
    }

    /// The disk of a dead process is replaced by an empty one.
    pub fn wipe(&mut self, index: NodeIndex) {
        let node = &mut self.nodes[index.slot()];
        assert_eq!(
            node.process,
            Process::Down,
            "only a dead process loses its disk"
        );
        node.disk.wipe();
        self.observer.on_wipe(self.now, index);
    }

    /// A container is killed from outside, as by the kernel when memory runs out.
    pub fn kill_executor(&mut self, index: NodeIndex) {
        self.end_container(index, Some(137));
    }

    /// A node's monotonic clock runs at another speed from now on.
    pub fn drift(&mut self, index: NodeIndex, ppm: i32) {
        let now = self.now;
        let node = &mut self.nodes[index.slot()];
        node.clock.drift(now, ppm);
        // The planned tick was reckoned at the old speed.
        node.tick_at = SimTime::MAX;
        self.plan_tick(index);
    }

    /// A record that was durable rots on the disk of a dead node.
    pub fn rot(&mut self, index: NodeIndex) {
        let rng = &mut self.streams.disk;
        self.nodes[index.slot()].disk.rot(rng);
        self.observer.on_rot(self.now, index);
    }
}

/// What a master's driver finds on its disk.
fn recovered(disk: &Disk) -> log::Recovered {
    let Disk::Master(storage) = disk else {
        unreachable!("masters have masters' disks");
    };
    let snapshot =
        storage
            .durable(Disk::SNAPSHOT_LANE)
            .iter()
            .rev()
            .find_map(|write| match write {
                log::Write::Snapshot(snapshot) => Some(log::Snapshot::clone(snapshot)),
                _ => None,
            });
    log::Recovered {
        writes: storage.durable(0).to_vec(),
        snapshot,
        damage: storage.damage().cloned(),
    }
}
