//! Parity: what the simulator's nodes did, the production node loop does byte for byte.
//!
//! A scenario with crashes is run and recorded in the simulator. Every node is then built again
//! from what the recording says it was built from, driven by the production loop with the
//! recorded moments and inputs, and its effects are compared as bytes.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use tepui_core::agent::{self, AgentNode};
use tepui_core::executor::{self, CommandExecutor};
use tepui_core::frameworks::batch::Batch;
use tepui_core::frameworks::execute::Execute;
use tepui_core::frameworks::reserver::Reserver;
use tepui_core::frameworks::service::Service;
use tepui_core::machine::Machine;
use tepui_core::master::{self, MasterNode};
use tepui_core::rng::Rng;
use tepui_core::scheduler::{self, FrameworkNode};
use tepui_core::time::Now;
use tepui_core::wire;
use tepui_runtime::driver::{Driven, Ended, NodeLoop, Ports};
use tepui_sim::machine::{Framework, Spec};
use tepui_sim::node::NodeIndex;
use tepui_sim::record::{Entry, Start};
use tepui_sim::run::{Options, Plan, Run};
use tepui_sim::world::World;

/// Takes effects down as bytes, and ends the node as the production ports do.
struct Recorder<M: Machine> {
    effects: Vec<Vec<u8>>,
    is_end: fn(&M::Effect) -> bool,
}

impl<M: Machine> Ports<M> for Recorder<M>
where
    M::Effect: serde::Serialize,
{
    fn perform(&mut self, _now: Now, effect: M::Effect) -> ControlFlow<Ended> {
        self.effects.push(wire::encode(&effect));
        if (self.is_end)(&effect) {
            return ControlFlow::Break(Ended::Done);
        }
        ControlFlow::Continue(())
    }
}

type Loop<M> = NodeLoop<M, Recorder<M>>;

#[expect(clippy::large_enum_variant, reason = "there are few")]
enum Node {
    Master(Loop<MasterNode>),
    Agent(Loop<AgentNode>),
    Executor(Loop<CommandExecutor>),
    Execute(Loop<FrameworkNode<Execute>>),
    Service(Loop<FrameworkNode<Service>>),
    Batch(Loop<FrameworkNode<Batch>>),
    Reserver(Loop<FrameworkNode<Reserver>>),
}

fn recorder<M: Machine>(is_end: fn(&M::Effect) -> bool) -> Recorder<M> {
    Recorder {
        effects: Vec::new(),
        is_end,
    }
}

fn framework_end(effect: &scheduler::Effect) -> bool {
    matches!(effect, scheduler::Effect::Exit(_))
}

fn build(world: &World, node: u32, stream: &str, now: Now, start: Start) -> (Node, Vec<Vec<u8>>) {
    let rng: Rng = world.streams.nodes.fork(stream);
    let node = match start {
        Start::Master { config, recovered } => {
            let ports = recorder(|effect| matches!(effect, master::Effect::Halt(_)));
            let mut master = NodeLoop::built(ports, |fx| {
                MasterNode::recover(config, &rng, now, recovered, fx)
            });
            let _ = master.start(now);
            let effects = std::mem::take(&mut master.ports_mut().effects);
            return (Node::Master(master), effects);
        }
        Start::Agent {
            config,
            info,
            recovered,
        } => {
            let machine = AgentNode::recover(config, rng, info, now, recovered);
            let is_end = |effect: &agent::Effect| {
                matches!(effect, agent::Effect::Exit | agent::Effect::Halt(_))
            };
            Node::Agent(NodeLoop::new(machine, recorder(is_end)))
        }
        Start::Executor {
            config,
            identity,
            mode,
        } => {
            let machine = CommandExecutor::new(config, identity, mode, &rng, now);
            let is_end = |effect: &executor::Effect| matches!(effect, executor::Effect::Exit);
            Node::Executor(NodeLoop::new(machine, recorder(is_end)))
        }
        Start::Framework { writes } => {
            let Spec::Framework(spec) = &world.node(NodeIndex(node)).spec else {
                panic!("node {node} is no framework");
            };
            match spec.build(&rng, now, writes).unwrap() {
                Framework::Execute(machine) => {
                    Node::Execute(NodeLoop::new(machine, recorder(framework_end)))
                }
                Framework::Service(machine) => {
                    Node::Service(NodeLoop::new(machine, recorder(framework_end)))
                }
                Framework::Batch(machine) => {
                    Node::Batch(NodeLoop::new(machine, recorder(framework_end)))
                }
                Framework::Reserver(machine) => {
                    Node::Reserver(NodeLoop::new(machine, recorder(framework_end)))
                }
                Framework::Instances(_) => panic!("only plans have these, and nobody records one"),
            }
        }
    };
    (node, Vec::new())
}

fn step<M: Driven>(node: &mut Loop<M>, now: Now, input: &[u8]) -> Vec<Vec<u8>>
where
    M::Input: serde::de::DeserializeOwned,
    M::Effect: serde::Serialize,
{
    let input = wire::decode(input).expect("an input that was recorded");
    // What ends the node is the last effect, here as in the recording.
    let _ = node.handle(now, input);
    std::mem::take(&mut node.ports_mut().effects)
}

impl Node {
    fn handle(&mut self, now: Now, input: &[u8]) -> Vec<Vec<u8>> {
        match self {
            Node::Master(node) => step(node, now, input),
            Node::Agent(node) => step(node, now, input),
            Node::Executor(node) => step(node, now, input),
            Node::Execute(node) => step(node, now, input),
            Node::Service(node) => step(node, now, input),
            Node::Batch(node) => step(node, now, input),
            Node::Reserver(node) => step(node, now, input),
        }
    }
}

#[test]
fn the_node_loop_does_what_the_simulator_did() {
    let path = "../scenarios/failover/leader_dies_mid_offer.yaml";
    let plan = Plan::load(Path::new(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let options = Options {
        timeline: false,
        chatty: false,
        record: true,
    };
    let (_, mut world) = Run::new(&plan, 7, options).finish();
    let entries = world.recorder.take();

    let mut nodes: BTreeMap<u32, Node> = BTreeMap::new();
    let (mut inputs, mut effects, mut starts) = (0, 0, 0);
    let mut entries = entries.into_iter().enumerate().peekable();
    while let Some((place, entry)) = entries.next() {
        let (node, done) = match entry {
            Entry::Start {
                node,
                stream,
                now,
                start,
            } => {
                starts += 1;
                let (built, done) = build(&world, node, &stream, now, *start);
                nodes.insert(node, built);
                (node, done)
            }
            Entry::Input { node, now, input } => {
                inputs += 1;
                let machine = nodes.get_mut(&node).expect("it was started");
                (node, machine.handle(now, &input))
            }
            Entry::Effect { node, .. } => panic!("entry {place}: node {node} did this of itself"),
        };
        for done in done {
            match entries.next() {
                Some((_, Entry::Effect { node: by, effect })) => {
                    assert_eq!(by, node);
                    assert_eq!(effect, done, "node {node}, after entry {place}");
                    effects += 1;
                }
                other => panic!("node {node}, entry {place}: only the loop does that: {other:?}"),
            }
        }
        if let Some((_, Entry::Effect { node: by, .. })) = entries.peek() {
            panic!("node {by}, entry {place}: only the simulator did more");
        }
    }
    println!("{starts} starts, {inputs} inputs, {effects} effects are the same");
    assert!(
        starts > 100 && inputs > 1_000 && effects > 1_000,
        "too small a run to tell"
    );
}
