//! Reservations and volumes on the agent: done once, remembered, told of until acknowledged.

use super::bench::*;
use crate::agent::{Effect, Fatal, Input, LostMaster, Notice, OPERATIONS_MAX, Probe, Recovered};
use crate::ids::{OperationId, OperationUuid, Peer};
use crate::message::agent::{OperationReport, ToAgent, ToMaster};
use crate::model::{OperationState, Reason, ResourceOperation, TaskInfo, TaskState};
use crate::resources::{Disk, Reservation, ReservationType, Resources, Role, Volume};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

fn reserved(text: &str) -> Resources {
    Resources::new(resources(text).iter().map(|item| {
        let mut item = item.clone();
        item.kind.reservations.push(Reservation {
            kind: ReservationType::Dynamic,
            role: Role::new("web").unwrap(),
            principal: None,
            labels: Vec::new(),
        });
        item
    }))
    .unwrap()
}

fn volume(size: u32) -> Resources {
    let space = reserved(&alloc::format!("disk:{size}"));
    Resources::new(space.iter().map(|item| {
        let mut item = item.clone();
        item.kind.disk = Some(Disk {
            volume: Some(Volume::new("v", "data")),
            source: None,
        });
        item
    }))
    .unwrap()
}

fn reserve(text: &str) -> ResourceOperation {
    ResourceOperation::Reserve {
        source: Resources::EMPTY,
        resources: reserved(text),
    }
}

fn operate(bench: &mut Bench, master: Peer, n: u8, operation: ResourceOperation) -> Vec<Effect> {
    let message = ToAgent::Operate {
        uuid: OperationUuid([n; 16]),
        operation_id: Some(OperationId::new("o").unwrap()),
        framework_id: Some(framework_id()),
        operation: Arc::new(operation),
    };
    bench.master(master, message)
}

fn outcomes(said: &[Effect]) -> Vec<Arc<OperationReport>> {
    let told = said.iter().filter_map(|effect| match effect {
        Effect::ToMaster {
            message: ToMaster::Operation(report),
            ..
        } => Some(report.clone()),
        _ => None,
    });
    told.collect()
}

fn acknowledge(bench: &mut Bench, master: Peer, report: &OperationReport) {
    let uuid = report.uuid;
    let update_id = report.status.update_id.unwrap();
    let said = bench.master(master, ToAgent::AcknowledgeOperation { uuid, update_id });
    assert_eq!(said, []);
}

/// What the agent tells a leader that it registers with.
fn told(bench: &mut Bench) -> (Resources, usize) {
    let (_, said) = bench.connect();
    match &said[..] {
        [
            Effect::ToMaster {
                message: ToMaster::Reregister(sent),
                ..
            },
        ] => (sent.kept.clone(), sent.operations.len()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_operation_is_done_once_and_told_of_until_that_is_acknowledged() {
    let (mut bench, master) = Bench::registered();
    let said = operate(&mut bench, master, 1, reserve("cpus:1"));
    let [report] = &outcomes(&said)[..] else {
        panic!("{said:?}")
    };
    assert_eq!(report.status.state, OperationState::Finished);
    assert!(bench.node.total().contains(&reserved("cpus:1")));
    assert_eq!(operate(&mut bench, master, 1, reserve("cpus:1")), []);
    assert!(bench.has_probe(Probe::OperationRepeated));
    let again = bench.advance(Duration::from_secs(10));
    assert_eq!(&outcomes(&again)[..], [Arc::clone(report)]);
    acknowledge(&mut bench, master, report);
    assert!(bench.node.checkpoint().operations.is_empty());
    assert_eq!(outcomes(&bench.advance(Duration::from_secs(30))), []);
}

#[test]
fn reservations_and_volumes_outlive_the_agents_process() {
    let (mut bench, master) = Bench::registered();
    let said = operate(&mut bench, master, 1, reserve("disk:50"));
    acknowledge(&mut bench, master, &outcomes(&said)[0]);
    let volumes = volume(20);
    let wiped = Effect::WipeVolumes {
        volumes: volumes.clone(),
    };
    let said = operate(&mut bench, master, 2, ResourceOperation::Create { volumes });
    assert!(
        said.contains(&wiped),
        "what an earlier one of that name left is gone"
    );
    let mut bench = bench.restarted(&[]);
    bench.input(Input::Tick);
    assert!(bench.node.total().contains(&volume(20)));
    let kept = volume(20).checked_add(&reserved("disk:30")).unwrap();
    assert_eq!(told(&mut bench), (kept, 1));
}

#[test]
fn volumes_outlive_a_change_of_the_agents_resources_that_leaves_room_for_them() {
    let (mut bench, master) = Bench::registered();
    operate(&mut bench, master, 1, reserve("disk:50"));
    let volumes = volume(50);
    operate(&mut bench, master, 2, ResourceOperation::Create { volumes });
    let restart = |text: &str| {
        let mut info = agent_info();
        info.resources = resources(text);
        let recovered = Recovered {
            writes: bench.journal.clone(),
            live_containers: Vec::new(),
            boot_id: String::from("boot 1"),
        };
        Bench::restart_as(recovered, info)
    };
    let mut more = restart("cpus:2000;mem:100000;disk:2000");
    more.input(Input::Tick);
    assert!(more.node.total().contains(&volume(50)));
    assert_eq!(more.node.agent_id(), None, "as a new agent");
    let mut less = restart("cpus:1000;mem:100000;disk:20");
    let said = less.input(Input::Tick);
    let halted = |effect: &Effect| matches!(effect, Effect::Halt(Fatal::Incompatible { .. }));
    assert!(said.iter().any(halted), "{said:?}");
}

#[test]
fn a_leader_that_is_wrong_is_told_the_truth_and_not_obeyed_until_it_knows() {
    let (mut bench, master) = Bench::registered();
    let before = bench.node.total().clone();
    let said = operate(&mut bench, master, 1, reserve("cpus:2000"));
    assert_eq!(said, [Effect::Close { peer: master }]);
    let lost = Notice::LostMaster(LostMaster::Contradicted);
    assert!(bench.notices.contains(&lost));
    assert_eq!(*bench.node.total(), before);
    assert_eq!(operate(&mut bench, master, 2, reserve("cpus:1")), []);
    assert_eq!(*bench.node.total(), before);
    assert_eq!(told(&mut bench), (Resources::EMPTY, 1));
    let report = bench.node.checkpoint().operations.values().next().cloned();
    assert_eq!(report.unwrap().status.state, OperationState::Dropped);
}

#[test]
fn what_nobody_acknowledges_is_bounded_and_the_rest_is_as_if_it_never_arrived() {
    let (mut bench, master) = Bench::registered();
    let said = operate(&mut bench, master, 1, reserve("cpus:1"));
    let report = &outcomes(&said)[0];
    for number in 0..OPERATIONS_MAX as u32 - 1 {
        let mut uuid = [255; 16];
        uuid[..4].copy_from_slice(&number.to_be_bytes());
        let mut another = OperationReport::clone(report);
        another.uuid = OperationUuid(uuid);
        let operations = &mut bench.node.checkpoint.operations;
        operations.insert(another.uuid, Arc::new(another));
    }
    let before = bench.node.total().clone();
    let said = operate(&mut bench, master, 2, reserve("cpus:1"));
    assert_eq!(said, [Effect::Close { peer: master }]);
    assert_eq!(*bench.node.total(), before);
    let operations = &bench.node.checkpoint().operations;
    assert_eq!(operations.len(), OPERATIONS_MAX);
    assert!(!operations.contains_key(&OperationUuid([2; 16])));
}

fn using(name: &str, used: &Resources) -> Arc<TaskInfo> {
    let mut info = TaskInfo::clone(&command_task(name));
    info.resources = used.allocated_to(&Role::new("web").unwrap());
    Arc::new(info)
}

#[test]
fn what_a_task_uses_stays_what_it_is() {
    let (mut bench, master) = Bench::registered();
    operate(&mut bench, master, 1, reserve("cpus:1;disk:50"));
    let volumes = volume(20);
    operate(&mut bench, master, 2, ResourceOperation::Create { volumes });
    let used = reserved("cpus:1").checked_add(&volume(20)).unwrap();
    bench.run(master, &[using("t", &used)]);
    assert_eq!(bench.state("t"), Some(TaskState::Staging));
    let volumes = volume(20);
    let said = operate(
        &mut bench,
        master,
        3,
        ResourceOperation::Destroy { volumes },
    );
    assert_eq!(said, [Effect::Close { peer: master }]);
    assert!(bench.node.total().contains(&volume(20)));
}

#[test]
fn a_task_is_not_run_on_a_volume_that_is_not_there() {
    let (mut bench, master) = Bench::registered();
    let said = bench.run(master, &[using("t", &volume(20))]);
    let [update] = &updates(&said)[..] else {
        panic!("{said:?}")
    };
    assert_eq!(update.status.state, TaskState::Dropped);
    assert_eq!(update.status.reason, Some(Reason::ResourcesUnknown));
}
