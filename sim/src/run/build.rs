//! From a plan to a world at time zero.

use super::Options;
use super::plan::{Masters, Plan};
use crate::clock::Clock;
use crate::machine::{Logic, Spec};
use crate::node::Role;
use crate::observe::{Observer, Timeline};
use crate::time::SimTime;
use crate::world::World;
use tepui_core::rng::Rng;

pub(super) fn world(plan: &Plan, seed: u64, options: Options) -> World {
    let observer = Observer::new(Timeline::new(options.timeline, options.chatty));
    let mut world = World::new(seed, plan.network, plan.disks, observer);
    world.observer.one_acting_leader = plan.scenario.expect.names("masters.one-acting-leader");
    if options.record {
        world.recorder.enable();
    }
    let root = Rng::from_seed(seed, "clocks");
    let clock = |name: &str| draw_clock(plan, &root, name);
    match &plan.masters {
        Masters::Log(configs) => {
            for config in configs {
                let name = config.me.to_string();
                let spec = Spec::Log(Box::new(config.clone()));
                world.add_node(&name, Role::Master, spec, clock(&name));
            }
        }
        Masters::Whole(configs) => {
            for config in configs {
                let name = config.log.me.to_string();
                let spec = Spec::Master(Box::new(config.clone()));
                world.add_node(&name, Role::Master, spec, clock(&name));
            }
        }
    }
    for spec in &plan.agents {
        let name = spec.info.hostname.clone();
        let spec = Spec::Agent(Box::new(spec.clone()));
        world.add_node(&name, Role::Agent, spec, clock(&name));
    }
    for framework in &plan.frameworks {
        let mut spec = framework.spec.clone();
        if let Logic::Batch(_, jobs) = &mut spec.logic {
            *jobs = Rng::from_seed(seed, &framework.name);
        }
        if let Logic::Reserver(_, dice) = &mut spec.logic {
            *dice = Rng::from_seed(seed, &framework.name);
        }
        let spec = Spec::Framework(Box::new(spec));
        world.add_node(
            &framework.name,
            Role::Framework,
            spec,
            clock(&framework.name),
        );
        world.observer.shared_frameworks |= framework.same_as.is_some();
    }
    for node in world.indices() {
        world.start(node);
    }
    world
}

fn draw_clock(plan: &Plan, root: &Rng, name: &str) -> Clock {
    let clocks = &plan.scenario.cluster.clock;
    let mut rng = root.fork(name);
    let skew_ms = clocks.skew.map_or(0, |span| span.0.as_millis() as i64);
    let mut within = |bound: i64| match bound {
        0 => 0,
        bound => rng.below(2 * bound as u64 + 1) as i64 - bound,
    };
    let skew_ms = within(skew_ms);
    let drift_ppm = within(i64::from(clocks.drift_ppm)) as i32;
    Clock::new(SimTime::ZERO, drift_ppm, skew_ms)
}
