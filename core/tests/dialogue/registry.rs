//! Masters around one log: each has a replica of the registry and, once elected, a registrar.
//!
//! - `elect ROUND.MASTER`: the master is elected with what it has applied so far.
//! - `store MASTER OPERATION AGENT [TIME]`: hands an operation to its registrar.
//! - `append MASTER`: its waiting record gets into the log; `lose MASTER`: it does not.
//! - `apply MASTER`: it applies what is new in the log.
//! - `wait MASTER SECONDS`: time passes, and it is given a tick.
//! - `snapshot FROM TO`: one replica is replaced by another's snapshot.
//! - `show MASTER`: its replica.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;
use tepui_core::ids::{AgentId, MasterId};
use tepui_core::invariant::{self, Cost};
use tepui_core::log::Ballot;
use tepui_core::model::{AgentInfo, MasterInfo};
use tepui_core::outbox::Outbox;
use tepui_core::registry::{
    Batch, Config, Effect, INVARIANTS, Operation, Outcome, REGISTRAR_INVARIANTS, Registrar,
    Registry, snapshot,
};
use tepui_core::resources::{Attributes, Resources};
use tepui_core::time::{Now, Wall};

#[test]
fn dialogues_of_the_registry() {
    crate::run("registry", World::default, World::say);
}

#[derive(Default)]
struct World {
    log: Vec<Arc<[u8]>>,
    masters: BTreeMap<u32, Master>,
}

#[derive(Default)]
struct Master {
    registry: Registry,
    applied: usize,
    registrar: Option<Registrar>,
    /// What it wants to have in the log.
    records: VecDeque<Arc<[u8]>>,
    now: Now,
}

impl World {
    fn say(&mut self, words: &[&str]) -> String {
        match words {
            ["elect", ballot] => {
                let (round, id) = ballot.split_once('.').expect("ROUND.MASTER");
                let proposer = MasterId(id.parse().unwrap());
                let round = round.parse().unwrap();
                self.master(id).elect(Ballot { round, proposer })
            }
            ["store", id, operation @ ..] => self.master(id).store(parse(operation)),
            ["append", id] => {
                let record = self.master(id).records.pop_front().expect("a record waits");
                self.log.push(record);
                format!("at {}\n", self.log.len())
            }
            ["lose", id] => {
                self.master(id).records.pop_front().expect("a record waits");
                String::from("lost\n")
            }
            ["apply", id] => {
                let log = self.log.clone();
                self.master(id).apply(&log)
            }
            ["wait", id, seconds] => {
                let seconds = Duration::from_secs(seconds.parse().unwrap());
                self.master(id).wait(seconds)
            }
            ["snapshot", from, to] => {
                let from = self.master(from);
                let (bytes, applied) = (snapshot::encode(&from.registry), from.applied);
                let to = self.master(to);
                to.registry = snapshot::decode(&bytes).unwrap();
                to.applied = applied;
                format!("{} bytes through {applied}\n", bytes.len())
            }
            ["show", id] => show(&self.master(id).registry),
            other => panic!("no such command: {other:?}"),
        }
    }

    fn master(&mut self, id: &str) -> &mut Master {
        self.masters.entry(id.parse().unwrap()).or_default()
    }
}

impl Master {
    fn elect(&mut self, ballot: Ballot) -> String {
        let version = self.registry.version();
        self.registrar = Some(Registrar::new(Config::default(), ballot, version));
        self.records.clear();
        let id = ballot.proposer;
        let master = MasterInfo {
            id,
            address: format!("{id}:5050"),
        };
        self.store(Operation::SetLeader { master, ballot })
    }

    fn store(&mut self, operation: Operation) -> String {
        let now = self.now;
        self.with_registrar(|registrar, fx| {
            let refused = registrar.store(now, operation, fx).err();
            refused.map_or(String::new(), |refused| format!("refused: {refused}\n"))
        })
    }

    fn wait(&mut self, time: Duration) -> String {
        self.now.mono = self.now.mono + time;
        let now = self.now;
        self.with_registrar(|registrar, fx| {
            registrar.tick(now, fx);
            String::new()
        })
    }

    fn apply(&mut self, log: &[Arc<[u8]>]) -> String {
        let mut said = String::new();
        for record in &log[self.applied..] {
            self.applied += 1;
            let batch = Batch::decode(record).unwrap();
            let outcome = self.registry.apply(&batch);
            let position = self.applied;
            match &outcome {
                Outcome::Void(void) => writeln!(said, "{position} void: {void}").unwrap(),
                Outcome::Effective(_) => {
                    let version = self.registry.version();
                    writeln!(said, "{position} makes version {version}").unwrap();
                }
            }
            let now = self.now;
            if self.registrar.is_some() {
                said += &self.with_registrar(|registrar, fx| {
                    registrar.on_applied(now, &batch, outcome, fx);
                    String::new()
                });
            }
            let broken = invariant::check(INVARIANTS, &self.registry, Cost::Linear);
            assert_eq!(broken, []);
        }
        said
    }

    /// Says what the registrar wants done, one line each.
    fn with_registrar(
        &mut self,
        act: impl FnOnce(&mut Registrar, &mut Outbox<Effect>) -> String,
    ) -> String {
        let registrar = self.registrar.as_mut().expect("elected before");
        let mut fx = Outbox::new(1_000);
        let mut said = act(registrar, &mut fx);
        let broken = invariant::check(REGISTRAR_INVARIANTS, registrar, Cost::Linear);
        assert_eq!(broken, []);
        for effect in fx.drain() {
            match effect {
                Effect::Store { record, operations } => {
                    let expected = Batch::decode(&record).unwrap().expected_version;
                    let what = format!("{operations} operations against version {expected}");
                    writeln!(said, "  store {what}").unwrap();
                    self.records.push_back(record);
                }
                Effect::Stored { operation, result } => {
                    let result = result.map_or_else(|why| why.to_string(), |()| "done".into());
                    writeln!(said, "  {}: {result}", operation.name()).unwrap();
                }
                Effect::Ended(why) => writeln!(said, "  ended: {why}").unwrap(),
            }
        }
        said
    }
}

fn parse(words: &[&str]) -> Operation {
    let agent_id = AgentId::new(words[1]).unwrap();
    let info = Arc::new(AgentInfo {
        id: Some(agent_id.clone()),
        hostname: format!("host-{agent_id}"),
        ip: String::new(),
        port: 5051,
        resources: Resources::default(),
        attributes: Attributes::default(),
        domain: None,
    });
    let number = || words[2].parse().unwrap();
    match words[0] {
        "admit" => Operation::AdmitAgent {
            info,
            nonce: number() as u64,
        },
        "unreachable" => Operation::MarkUnreachable {
            agent_id,
            at: Wall(number()),
        },
        "reachable" => Operation::MarkReachable { info },
        "gone" => Operation::MarkGone {
            agent_id,
            at: Wall(number()),
        },
        "remove" => Operation::RemoveAgent { agent_id },
        "update" => Operation::UpdateAgent { info },
        other => panic!("no such operation: {other}"),
    }
}

fn show(registry: &Registry) -> String {
    let mut said = format!("version {}\n", registry.version());
    if let Some(leader) = registry.leader() {
        writeln!(said, "leader {} under {}", leader.master.id, leader.ballot).unwrap();
    }
    for id in registry.admitted().keys() {
        writeln!(said, "admitted {id}").unwrap();
    }
    for (id, unreachable) in registry.unreachable() {
        writeln!(said, "unreachable {id} since {}", unreachable.since.0).unwrap();
    }
    for (id, since) in registry.gone() {
        writeln!(said, "gone {id} since {}", since.0).unwrap();
    }
    said
}
