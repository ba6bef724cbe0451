//! What is offered to whom, by what frameworks say that they understand.

use super::harness::{Harness, agent_info, framework_info, resources, role};
use crate::master::leading::Config;
use crate::message::agent::{AgentRun, ToMaster};
use crate::message::scheduler::Call;
use crate::model::{AgentInfo, Capabilities, Domain};
use crate::resources::{Disk, Reservation, ReservationType, Resource, Resources, Volume};
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;

fn register(harness: &mut Harness, from: u64, info: AgentInfo) {
    let message = ToMaster::Register {
        info: Arc::new(info),
        run: AgentRun(1),
        nonce: from,
        kept: Resources::EMPTY,
    };
    harness.agent(from, message);
    harness.take();
}

/// What the framework at connection 2 is offered, by its capabilities; all together.
fn offered(harness: &mut Harness, capable: impl Fn(&mut Capabilities)) -> Resources {
    let mut info = framework_info(None);
    capable(&mut info.capabilities);
    harness.subscribe(2, info);
    let offers = harness.offers();
    let sum = offers.iter().fold(Resources::EMPTY, |sum, offer| {
        sum.checked_add(&offer.resources).unwrap()
    });
    harness.call(2, Call::Teardown);
    sum
}

fn nothing(_: &mut Capabilities) {}

#[test]
fn agents_with_gpus_are_for_those_who_want_gpus() {
    let mut harness = Harness::new(&Config::default());
    let mut info = agent_info(None);
    info.resources = resources("cpus:4;mem:4096;gpus:1");
    register(&mut harness, 1, info.clone());
    assert_eq!(offered(&mut harness, nothing), Resources::EMPTY);
    assert_eq!(
        offered(&mut harness, |c| c.gpu_resources = true),
        info.resources
    );
}

#[test]
fn agents_of_other_regions_are_for_those_who_know_regions() {
    let config = Config {
        region: Some("here".to_string()),
        ..Config::default()
    };
    let mut harness = Harness::new(&config);
    for (from, region) in [(1, "here"), (3, "there")] {
        let mut info = agent_info(None);
        info.resources = match from {
            1 => resources("cpus:1;mem:64"),
            _ => resources("cpus:2;mem:64"),
        };
        info.domain = Some(Domain {
            region: region.to_string(),
            zone: "z".to_string(),
        });
        register(&mut harness, from, info);
    }
    assert_eq!(offered(&mut harness, nothing), resources("cpus:1;mem:64"));
    let all = offered(&mut harness, |c| c.region_aware = true);
    assert_eq!(all, resources("cpus:3;mem:128"));
}

/// Plain CPUs and memory, and one of each that not everybody takes.
fn odd() -> (Resources, [Resources; 3]) {
    let one = |text: &str, change: &dyn Fn(&mut Resource)| {
        let mut items: Vec<Resource> = resources(text).iter().cloned().collect();
        items.iter_mut().for_each(change);
        Resources::new(items).unwrap()
    };
    let revocable = one("cpus:2", &|item| item.kind.revocable = true);
    let refined = one("cpus(web):3", &|item| {
        item.kind.reservations.push(Reservation {
            kind: ReservationType::Dynamic,
            ..Reservation::fixed(role("web/sub"))
        });
    });
    let shared = one("disk(web/sub):10", &|item| {
        item.kind.shared = true;
        item.kind.disk = Some(Disk {
            volume: Some(Volume::new("v", "data")),
            source: None,
        });
    });
    (resources("cpus:1;mem:64"), [revocable, refined, shared])
}

#[test]
fn of_what_not_everybody_takes_each_is_offered_what_it_takes() {
    let mut harness = Harness::new(&Config::default());
    let (plain, parts) = odd();
    let mut info = agent_info(None);
    info.resources = parts
        .iter()
        .fold(plain.clone(), |sum, part| sum.checked_add(part).unwrap());
    register(&mut harness, 1, info.clone());
    let capable = |bits: u8| {
        move |c: &mut Capabilities| {
            c.revocable_resources = bits & 1 != 0;
            c.reservation_refinement = bits & 2 != 0;
            c.shared_resources = bits & 4 != 0;
            c.multi_role = true;
        }
    };
    for bits in 0..8 {
        let mut expected = plain.clone();
        for (at, part) in parts.iter().enumerate() {
            if bits >> at & 1 == 1 {
                expected = expected.checked_add(part).unwrap();
            }
        }
        let mut info = framework_info(None);
        capable(bits)(&mut info.capabilities);
        info.roles = [role("web/sub")].into();
        harness.subscribe(2, info);
        let offers = harness.offers();
        assert_eq!(offers[0].resources, expected, "{bits:03b}");
        harness.call(2, Call::Teardown);
    }
}

#[test]
fn a_framework_that_learns_is_offered_more() {
    let mut harness = Harness::new(&Config::default());
    let mut agent = agent_info(None);
    agent.resources = resources("cpus:4;mem:4096;gpus:1");
    register(&mut harness, 1, agent);
    let id = harness.subscribe(2, framework_info(None));
    assert_eq!(harness.offers().len(), 0);
    let mut info = framework_info(Some(id.as_str()));
    info.capabilities.gpu_resources = true;
    harness.call(
        2,
        Call::UpdateFramework {
            framework: Arc::new(info),
            suppressed_roles: [].into(),
        },
    );
    assert_eq!(harness.offers().len(), 1);
}
