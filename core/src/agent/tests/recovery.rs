use super::bench::*;
use crate::agent::{Checkpoint, Effect, Fatal, Input, Probe, Recovered, Write};
use crate::message::agent::{ToAgent, ToMaster};
use crate::message::executor::Event;
use crate::model::{AgentInfo, Reason, TaskState};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

fn report(said: &[Effect]) -> Vec<(crate::ids::TaskId, TaskState)> {
    match said {
        [
            Effect::ToMaster {
                message: ToMaster::Reregister(sent),
                ..
            },
        ] => sent
            .tasks
            .iter()
            .map(|task| (task.info.task_id.clone(), task.latest_state))
            .collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_master_is_told_once_the_executors_are_back() {
    let (mut bench, peer) = Bench::registered();
    let (_, container) = bench.running(peer, "t");
    let mut bench = bench.restarted(&[&container]);
    assert_eq!(bench.input(Input::Tick), []);
    let unheard = [
        status("t", TaskState::Running, 1),
        status("t", TaskState::Killing, 2),
    ];
    let (_, said) = bench.resubscribe("t", &[], &unheard);
    assert_eq!(events(&said).len(), 3, "subscribed, and both acknowledged");
    let (_, said) = bench.connect();
    assert_eq!(report(&said), [(task_id("t"), TaskState::Killing)]);
    assert!(bench.has_probe(Probe::UpdateRepeated));
}

#[test]
fn an_executor_that_does_not_come_back_is_destroyed() {
    let (mut bench, peer) = Bench::registered();
    let (_, container) = bench.running(peer, "t");
    let mut bench = bench.restarted(&[&container]);
    bench.input(Input::Tick);
    assert_eq!(bench.advance(Duration::from_millis(1900)), []);
    let said = bench.advance(Duration::from_millis(100));
    assert_eq!(destroyed(&said), core::slice::from_ref(&container));
    bench.exited(&container, Some(137));
    let task = bench.node.checkpoint().task(&framework_id(), &task_id("t"));
    let head = Arc::clone(task.unwrap().updates.head().unwrap());
    assert_eq!(head.state, TaskState::Failed);
    let reason = Some(Reason::ExecutorReregistrationTimeout);
    assert_eq!(head.reason, reason);
}

#[test]
fn tasks_of_a_dead_executor_get_their_last_update() {
    let (mut bench, peer) = Bench::registered();
    bench.running(peer, "t");
    let mut bench = bench.restarted(&[]);
    bench.input(Input::Tick);
    let (peer, said) = bench.connect();
    assert_eq!(report(&said), [(task_id("t"), TaskState::Failed)]);
    let said = bench.master(peer, reregistered(5, alloc::vec![]));
    assert_eq!(states(&said), [TaskState::Failed]);
}

#[test]
fn a_launch_that_the_executor_never_saw_is_sent_after_the_restart() {
    let (mut bench, peer) = Bench::registered();
    bench.run(peer, &[task("a", Some("e")), task("b", Some("e"))]);
    bench.subscribe("e");
    let container = bench.container("e");
    let mut bench = bench.restarted(&[&container]);
    bench.input(Input::Tick);
    let (_, said) = bench.resubscribe("e", &[task("a", Some("e"))], &[]);
    assert!(!launched(&said, "a") && launched(&said, "b"));
}

#[test]
fn after_a_boot_nothing_is_alive_whatever_seems_to_be() {
    let (mut bench, peer) = Bench::registered();
    let (_, container) = bench.running(peer, "t");
    let mut bench = Bench::restart(Recovered {
        writes: bench.journal.clone(),
        live_containers: alloc::vec![container],
        boot_id: String::from("boot 2"),
    });
    let said = bench.input(Input::Tick);
    assert_eq!(
        destroyed(&said),
        [],
        "a reused pid belongs to somebody else"
    );
    assert!(bench.has_probe(Probe::Rebooted));
    let (_, said) = bench.connect();
    assert_eq!(report(&said), [(task_id("t"), TaskState::Gone)]);
}

#[test]
fn a_container_that_nobody_knows_is_destroyed() {
    let (bench, _) = Bench::registered();
    let orphan = crate::ids::ContainerId::new("orphan").unwrap();
    let mut bench = bench.restarted(&[&orphan]);
    let said = bench.input(Input::Tick);
    assert_eq!(destroyed(&said), [orphan]);
}

#[test]
fn a_changed_host_is_a_new_agent_only_when_nothing_runs() {
    let (mut bench, peer) = Bench::registered();
    let smaller = || AgentInfo {
        resources: resources("cpus:1"),
        ..agent_info()
    };
    let recovered = |bench: &Bench, boot: &str| Recovered {
        writes: bench.journal.clone(),
        live_containers: Vec::new(),
        boot_id: String::from(boot),
    };
    bench.running(peer, "t");
    let mut halted = Bench::restart_as(recovered(&bench, "boot 1"), smaller());
    let changed = String::from("resources");
    let halt = Effect::Halt(Fatal::Incompatible { changed });
    assert_eq!(halted.input(Input::Tick), [halt]);
    assert_eq!(halted.advance(Duration::from_secs(60)), []);

    let mut fresh = Bench::restart_as(recovered(&bench, "boot 2"), smaller());
    fresh.input(Input::Tick);
    assert_eq!(fresh.node.agent_id(), None);
    let (_, said) = fresh.connect();
    assert!(matches!(
        &said[..],
        [Effect::ToMaster {
            message: ToMaster::Register { .. },
            ..
        }]
    ));
}

#[test]
fn a_torn_down_frameworks_executor_is_destroyed_after_a_restart() {
    let (mut bench, peer) = Bench::registered();
    let (_, container) = bench.running(peer, "t");
    let framework_id = framework_id();
    bench.master(peer, ToAgent::ShutdownFramework { framework_id });
    let mut bench = bench.restarted(&[&container]);
    let said = bench.input(Input::Tick);
    assert_eq!(destroyed(&said), core::slice::from_ref(&container));
    let (_, said) = bench.subscribe("t");
    assert!(events(&said).contains(&Event::Shutdown));
    bench.exited(&container, Some(0));
    assert!(bench.node.checkpoint().frameworks.is_empty());
}

#[test]
fn a_snapshot_stands_for_all_before_it() {
    let (mut bench, peer) = Bench::registered();
    for i in 0..300 {
        let name = alloc::format!("t{i}");
        bench.run(peer, &[command_task(&name)]);
        let container = bench.container(&name);
        let said = bench.exited(&container, None);
        let id = updates(&said)[0].status.update_id.unwrap();
        if i % 3 > 0 {
            bench.acknowledge(peer, &name, id);
        }
    }
    assert!(bench.has_probe(Probe::Snapshot));
    let is_snapshot = |write: &Write| matches!(write, Write::Snapshot(_));
    let last = bench.journal.iter().rposition(is_snapshot).unwrap();
    let without: Vec<_> = bench
        .journal
        .iter()
        .filter(|write| !is_snapshot(write))
        .cloned()
        .collect();
    assert!(last > 500);
    let all = Checkpoint::replay(&without);
    assert_eq!(Checkpoint::replay(&bench.journal[last..]), all);
    assert_eq!(*bench.node.checkpoint(), all);
    let bytes = crate::wire::encode(&bench.journal);
    assert_eq!(crate::wire::decode::<Vec<Write>>(&bytes), Ok(bench.journal));
}
