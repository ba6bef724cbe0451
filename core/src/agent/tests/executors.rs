use super::bench::*;
use crate::agent::{Effect, Input};
use crate::ids::{ExecutorId, Peer};
use crate::message::agent::{ToAgent, ToMaster};
use crate::message::executor::{Call, Event};
use crate::model::{Reason, TaskState};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

fn shutdown_executor(name: &str) -> ToAgent {
    ToAgent::ShutdownExecutor {
        framework_id: framework_id(),
        executor_id: ExecutorId::new(name).unwrap(),
    }
}

#[test]
fn a_launch_that_fails_frees_everything_and_says_why() {
    let (mut bench, peer) = Bench::registered();
    bench.run(peer, &[command_task("t")]);
    let container = bench.container("t");
    let said = bench.exited(&container, None);
    let [update] = &updates(&said)[..] else {
        panic!("{said:?}");
    };
    assert_eq!(update.status.state, TaskState::Failed);
    assert_eq!(update.status.reason, Some(Reason::ContainerLaunchFailed));
    assert_eq!(update.status.message, "no such image");
    assert_eq!(bench.node.checkpoint().executors().count(), 0);
    let id = update.status.update_id.unwrap();
    bench.acknowledge(peer, "t", id);
    assert!(bench.node.checkpoint().frameworks.is_empty());
}

#[test]
fn an_executor_that_does_not_register_in_time_is_destroyed() {
    let (mut bench, peer) = Bench::registered();
    bench.run(peer, &[command_task("t")]);
    let container = bench.container("t");
    let pid = 7;
    let container_id = container.clone();
    bench.input(Input::ContainerStarted { container_id, pid });
    bench.master(peer, ToAgent::Ping { registered: true });
    let said = bench.advance(Duration::from_secs(61));
    assert_eq!(destroyed(&said), core::slice::from_ref(&container));
    // Again and again, until it is over.
    let said = bench.advance(Duration::from_secs(10));
    assert_eq!(destroyed(&said), core::slice::from_ref(&container));
    let said = bench.exited(&container, Some(137));
    let [update] = &updates(&said)[..] else {
        panic!("{said:?}");
    };
    let reason = Some(Reason::ExecutorRegistrationTimeout);
    assert_eq!(update.status.reason, reason);
}

#[test]
fn an_executor_that_ends_ends_its_tasks() {
    let (mut bench, peer) = Bench::registered();
    bench.run(peer, &[task("a", Some("e")), task("b", Some("e"))]);
    let container = bench.container("e");
    let (executor, said) = bench.subscribe("e");
    assert!(launched(&said, "a") && launched(&said, "b"));
    bench.update(executor, "e", status("a", TaskState::Finished, 1));
    let said = bench.exited(&container, Some(1));
    // The first task is over already: only the second gets an update, behind none.
    assert_eq!(states(&said), [TaskState::Failed]);
    assert_eq!(bench.state("a"), Some(TaskState::Finished));
    assert_eq!(bench.state("b"), Some(TaskState::Failed));
    let exited = ToMaster::ExecutorExited {
        framework_id: framework_id(),
        executor_id: ExecutorId::new("e").unwrap(),
        status: 1,
    };
    assert!(said.contains(&Effect::ToMaster {
        peer,
        message: exited
    }));
    // The exit said twice changes nothing.
    assert_eq!(bench.exited(&container, Some(1)), []);
}

#[test]
fn tasks_of_one_executor_share_one_container() {
    let (mut bench, peer) = Bench::registered();
    let said = bench.run(peer, &[task("a", Some("e")), task("b", Some("e"))]);
    assert_eq!(launches(&said), 1);
    let (_, said) = bench.subscribe("e");
    assert!(matches!(
        events(&said)[..],
        [
            Event::Subscribed { .. },
            Event::Launch { .. },
            Event::Launch { .. }
        ]
    ));
    let said = bench.run(peer, &[task("c", Some("e"))]);
    assert_eq!(launches(&said), 0);
    assert!(launched(&said, "c"));
}

#[test]
fn tasks_reach_their_executor_in_the_order_of_their_launch() {
    let (mut bench, peer) = Bench::registered();
    bench.run(peer, &[task("z", Some("e"))]);
    bench.run(peer, &[task("a", Some("e"))]);
    bench.run(peer, &[task("m", Some("e"))]);
    let (_, said) = bench.subscribe("e");
    let order: Vec<_> = events(&said)
        .into_iter()
        .filter_map(|event| match event {
            Event::Launch { task } => Some(task.task_id.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(order, [task_id("z"), task_id("a"), task_id("m")]);
}

#[test]
fn a_group_is_launched_together_and_killed_together() {
    let (mut bench, peer) = Bench::registered();
    let group = |names: [&str; 2]| ToAgent::Run {
        framework: framework(true),
        tasks: names.map(|name| task(name, Some("e"))).to_vec(),
        group: true,
    };
    bench.master(peer, group(["a", "b"]));
    bench.master(peer, group(["c", "d"]));
    let said = bench.kill(peer, "a");
    assert_eq!(states(&said), [TaskState::Killed, TaskState::Killed]);
    let (_, said) = bench.subscribe("e");
    let [_, Event::LaunchGroup { tasks }] = &events(&said)[..] else {
        panic!("{said:?}");
    };
    assert_eq!(tasks.len(), 2);
    assert_eq!(tasks[0].task_id, task_id("c"));
}

#[test]
fn a_new_connection_replaces_the_old_one() {
    let (mut bench, peer) = Bench::registered();
    let (old, _) = bench.running(peer, "t");
    let (new, said) = bench.subscribe("t");
    assert_eq!(said[0], Effect::Close { peer: old });
    let container = bench.container("t");
    let update = status("t", TaskState::Finished, 2);
    let call = Call::Update { status: update };
    let said = bench.call_as(old, "t", container, call.clone());
    assert!(matches!(events(&said)[..], [Event::Error { .. }]));
    assert_eq!(bench.state("t"), Some(TaskState::Running));
    bench.call(new, "t", call);
    assert_eq!(bench.state("t"), Some(TaskState::Finished));
}

#[test]
fn a_call_of_an_unknown_run_is_refused() {
    let (mut bench, peer) = Bench::registered();
    bench.running(peer, "t");
    let stranger = Peer::Inbound(7);
    let run = crate::ids::ContainerId::new("another").unwrap();
    let call = Call::Subscribe {
        unacknowledged_tasks: vec![],
        unacknowledged_updates: vec![],
    };
    let said = bench.call_as(stranger, "t", run, call);
    assert!(matches!(events(&said)[..], [Event::Error { .. }]));
    assert_eq!(said.last(), Some(&Effect::Close { peer: stranger }));
}

#[test]
fn an_executor_gets_its_grace_and_then_is_destroyed() {
    let (mut bench, peer) = Bench::registered();
    let (_, container) = bench.running(peer, "t");
    let said = bench.master(peer, shutdown_executor("t"));
    assert_eq!(events(&said), [Event::Shutdown]);
    assert_eq!(bench.master(peer, shutdown_executor("t")), []);
    assert_eq!(bench.advance(Duration::from_millis(4900)), []);
    let said = bench.advance(Duration::from_millis(200));
    assert_eq!(destroyed(&said), core::slice::from_ref(&container));
}

#[test]
fn a_task_for_an_ending_executor_is_dropped() {
    let (mut bench, peer) = Bench::registered();
    bench.run(peer, &[task("a", Some("e"))]);
    bench.subscribe("e");
    bench.master(peer, shutdown_executor("e"));
    let said = bench.run(peer, &[task("b", Some("e"))]);
    assert_eq!(states(&said), [TaskState::Dropped]);
    assert_eq!(launches(&said), 0);
}

#[test]
fn a_command_executor_that_stays_after_its_task_is_ended() {
    let (mut bench, peer) = Bench::registered();
    let (executor, container) = bench.running(peer, "t");
    bench.update(executor, "t", status("t", TaskState::Finished, 2));
    let said = bench.advance(Duration::from_secs(6));
    assert_eq!(destroyed(&said), core::slice::from_ref(&container));
    assert_eq!(states(&bench.exited(&container, Some(137))), []);
    assert_eq!(bench.state("t"), Some(TaskState::Finished));
}

#[test]
fn a_container_that_starts_after_its_end_is_destroyed() {
    let (mut bench, peer) = Bench::registered();
    bench.run(peer, &[command_task("t")]);
    let container = bench.container("t");
    bench.kill(peer, "t");
    bench.exited(&container, None);
    let container_id = container.clone();
    let said = bench.input(Input::ContainerStarted {
        container_id,
        pid: 7,
    });
    assert_eq!(destroyed(&said), [container]);
}

#[test]
fn messages_pass_both_ways() {
    let (mut bench, peer) = Bench::registered();
    bench.run(peer, &[task("a", Some("e"))]);
    let (executor, _) = bench.subscribe("e");
    let data: Arc<[u8]> = Arc::from(*b"x");
    let down = ToAgent::FrameworkMessage {
        framework_id: framework_id(),
        executor_id: ExecutorId::new("e").unwrap(),
        data: Arc::clone(&data),
    };
    let said = bench.master(peer, down);
    let heard = Event::Message {
        data: Arc::clone(&data),
    };
    assert_eq!(events(&said), [heard]);
    let said = bench.call(executor, "e", Call::Message { data });
    assert!(matches!(
        &said[..],
        [Effect::ToMaster {
            message: ToMaster::ExecutorMessage { .. },
            ..
        }]
    ));
}

#[test]
fn a_container_is_sized_for_its_executor_and_first_tasks() {
    let (mut bench, peer) = Bench::registered();
    let tasks = vec![task("a", Some("e")), task("b", Some("e"))];
    let message = ToAgent::Run {
        framework: framework(true),
        tasks,
        group: true,
    };
    let said = bench.master(peer, message);
    let [Effect::Launch(launch)] = &said[..] else {
        panic!("{said:?}");
    };
    assert_eq!(launch.resources, resources("cpus:2.1;mem:64"));
    assert_eq!(launch.user, String::from("nobody"));
}
