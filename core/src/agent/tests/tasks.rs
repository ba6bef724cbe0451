use super::bench::*;
use crate::agent::{Effect, Input, Probe};
use crate::message::agent::{ToAgent, ToMaster};
use crate::message::executor::{Call, Event};
use crate::model::{Reason, TaskInfo, TaskState};
use alloc::sync::Arc;
use alloc::vec;
use core::time::Duration;

#[test]
fn nothing_leaves_before_it_is_durable() {
    let (mut bench, peer) = Bench::registered();
    bench.instant = false;
    assert_eq!(bench.run(peer, &[command_task("t")]), []);
    assert_eq!(launches(&bench.persist_all()), 1);
    let (executor, said) = bench.subscribe("t");
    assert!(launched(&said, "t"));
    let said = bench.update(executor, "t", status("t", TaskState::Running, 1));
    assert_eq!(said, [], "neither the executor nor the master may know");
    let said = bench.persist_all();
    assert_eq!(states(&said), [TaskState::Running]);
    assert_eq!(events(&said).len(), 1);
    let said = bench.acknowledge(peer, "t", update_id(1));
    assert_eq!(said, []);
    bench.update(executor, "t", status("t", TaskState::Finished, 2));
    assert_eq!(states(&bench.persist_all()), [TaskState::Finished]);
}

#[test]
fn a_command_task_runs_to_its_end() {
    let (mut bench, peer) = Bench::registered();
    let said = bench.run(peer, &[command_task("t")]);
    assert_eq!(launches(&said), 1);
    let (executor, said) = bench.subscribe("t");
    assert!(launched(&said, "t"));
    let said = bench.update(executor, "t", status("t", TaskState::Starting, 1));
    assert_eq!(states(&said), [TaskState::Starting]);
    let acknowledged = Event::Acknowledged {
        task_id: task_id("t"),
        update_id: update_id(1),
    };
    assert_eq!(events(&said), [acknowledged]);
    // Only the head is in flight, and it tells of the newest state when sent again.
    let said = bench.update(executor, "t", status("t", TaskState::Running, 2));
    assert_eq!(states(&said), []);
    bench.update(executor, "t", status("t", TaskState::Finished, 3));
    let said = bench.acknowledge(peer, "t", update_id(1));
    let [update] = &updates(&said)[..] else {
        panic!("{said:?}");
    };
    assert_eq!(update.status.state, TaskState::Running);
    assert_eq!(update.latest_state, TaskState::Finished);
    assert_eq!(update.status.agent_id, Some(agent_id()));
    let said = bench.acknowledge(peer, "t", update_id(2));
    assert_eq!(states(&said), [TaskState::Finished]);
    assert_eq!(states(&bench.acknowledge(peer, "t", update_id(3))), []);
    let container = bench.container("t");
    bench.exited(&container, Some(0));
    assert!(bench.node.checkpoint().frameworks.is_empty());
}

#[test]
fn a_task_killed_before_its_executor_registers_never_runs() {
    let (mut bench, peer) = Bench::registered();
    bench.run(peer, &[command_task("t")]);
    let container = bench.container("t");
    let said = bench.kill(peer, "t");
    assert_eq!(states(&said), [TaskState::Killed]);
    assert_eq!(destroyed(&said), core::slice::from_ref(&container));
    assert!(bench.has_probe(Probe::KilledBeforeLaunch));
    // The executor was faster than its end.
    let (_, said) = bench.subscribe("t");
    assert!(!launched(&said, "t"));
    assert_eq!(events(&said)[1], Event::Shutdown);
    assert_eq!(states(&bench.kill(peer, "t")), []);
    assert_eq!(states(&bench.exited(&container, Some(0))), []);
}

#[test]
fn a_task_killed_before_its_launch_is_durable_never_runs() {
    let (mut bench, peer) = Bench::registered();
    bench.instant = false;
    bench.run(peer, &[command_task("t")]);
    let container = bench.container("t");
    bench.kill(peer, "t");
    let said = bench.persist_all();
    // The container is asked for and destroyed, in this order; its executor gets no task.
    assert_eq!(launches(&said), 1);
    assert_eq!(destroyed(&said), core::slice::from_ref(&container));
    assert_eq!(states(&said), [TaskState::Killed]);
    bench.exited(&container, None);
    assert_eq!(states(&bench.persist_all()), []);
}

#[test]
fn a_kill_among_other_queued_tasks_leaves_the_others() {
    let (mut bench, peer) = Bench::registered();
    bench.run(peer, &[task("a", Some("e")), task("b", Some("e"))]);
    let said = bench.kill(peer, "a");
    assert_eq!(states(&said), [TaskState::Killed]);
    assert_eq!(destroyed(&said), []);
    let (_, said) = bench.subscribe("e");
    assert!(!launched(&said, "a"));
    assert!(launched(&said, "b"));
}

#[test]
fn a_kill_reaches_a_running_task_and_a_hung_executor_is_destroyed() {
    let (mut bench, peer) = Bench::registered();
    let (_, container) = bench.running(peer, "t");
    let said = bench.kill(peer, "t");
    let kill = Event::Kill {
        task_id: task_id("t"),
        grace: None,
    };
    assert_eq!(events(&said), [kill]);
    let said = bench.advance(Duration::from_secs(9));
    assert_eq!(destroyed(&said), core::slice::from_ref(&container));
    let said = bench.exited(&container, Some(137));
    assert_eq!(states(&said), [TaskState::Killed]);
}

#[test]
fn a_kill_while_the_executor_is_disconnected_is_not_lost() {
    let (mut bench, peer) = Bench::registered();
    let (executor, container) = bench.running(peer, "t");
    bench.input(Input::Disconnected { peer: executor });
    assert_eq!(events(&bench.kill(peer, "t")), []);
    // Nor by a restart of the agent.
    let mut bench = bench.restarted(&[&container]);
    bench.input(Input::Tick);
    let (_, said) = bench.subscribe("t");
    let kill = Event::Kill {
        task_id: task_id("t"),
        grace: None,
    };
    assert_eq!(events(&said)[1], kill);
}

#[test]
fn a_launch_lost_with_its_connection_is_sent_again_or_killed() {
    let (mut bench, peer) = Bench::registered();
    bench.run(peer, &[task("a", Some("e"))]);
    let (first, said) = bench.subscribe("e");
    assert!(launched(&said, "a"));
    bench.input(Input::Disconnected { peer: first });
    bench.run(peer, &[task("b", Some("e"))]);
    bench.kill(peer, "a");
    let (second, said) = bench.subscribe("e");
    assert!(!launched(&said, "a") && launched(&said, "b"));
    assert_eq!(states(&said), [TaskState::Killed]);
    assert!(bench.has_probe(Probe::LaunchRepeated));
    // Seen this time: not sent again.
    bench.input(Input::Disconnected { peer: second });
    let (_, said) = bench.resubscribe("e", &[task("b", Some("e"))], &[]);
    assert!(!launched(&said, "b"));
}

#[test]
fn a_task_is_not_run_twice() {
    let (mut bench, peer) = Bench::registered();
    bench.run(peer, &[command_task("t")]);
    assert_eq!(bench.run(peer, &[command_task("t")]), []);
    assert!(bench.has_probe(Probe::RunRepeated));
    bench.subscribe("t");
    assert_eq!(bench.run(peer, &[command_task("t")]), []);
}

#[test]
fn what_cannot_run_gets_an_error() {
    let (mut bench, peer) = Bench::registered();
    let broken = TaskInfo {
        command: None,
        ..TaskInfo::clone(&command_task("t"))
    };
    let said = bench.run(peer, &[Arc::new(broken)]);
    assert_eq!(states(&said), [TaskState::Error]);
    assert_eq!(launches(&said), 0);
    let elsewhere = TaskInfo {
        agent_id: crate::ids::AgentId::new("S2").unwrap(),
        ..TaskInfo::clone(&command_task("u"))
    };
    let said = bench.run(peer, &[Arc::new(elsewhere)]);
    assert_eq!(states(&said), [TaskState::Dropped]);
    let twice = ToAgent::Run {
        framework: framework(true),
        tasks: vec![task("v", Some("e")), task("v", Some("e"))],
        group: true,
    };
    assert_eq!(states(&bench.master(peer, twice)), [TaskState::Error]);
}

#[test]
fn unknown_tasks_are_answered_for_as_their_framework_understands() {
    let (mut bench, peer) = Bench::registered();
    bench.running(peer, "t");
    bench.master(peer, ToAgent::Ping { registered: false });
    let reconcile = vec![
        (framework_id(), task_id("t")),
        (framework_id(), task_id("u")),
    ];
    let said = bench.master(peer, reregistered(5, reconcile.clone()));
    let [update] = &updates(&said)[..] else {
        panic!("{said:?}");
    };
    assert_eq!(update.status.task_id, task_id("u"));
    assert_eq!(update.status.state, TaskState::Dropped);
    assert_eq!(update.status.reason, Some(Reason::Reconciliation));
    assert_eq!(bench.state("t"), Some(TaskState::Running));
    // Asked again: the same answer, and nothing is kept of it.
    assert_eq!(update.status.update_id, None);
    bench.master(peer, ToAgent::Ping { registered: false });
    let said = bench.master(peer, reregistered(5, reconcile));
    assert_eq!(updates(&said), core::slice::from_ref(update));

    let framework = framework(false);
    bench.master(peer, ToAgent::UpdateFramework { framework });
    let said = bench.kill(peer, "v");
    assert_eq!(states(&said), [TaskState::Lost]);
}

#[test]
fn a_torn_down_framework_leaves_nothing() {
    let (mut bench, peer) = Bench::registered();
    let (executor, container) = bench.running(peer, "t");
    bench.update(executor, "t", status("t", TaskState::Killing, 2));
    let framework_id = framework_id();
    let down = ToAgent::ShutdownFramework { framework_id };
    let said = bench.master(peer, down.clone());
    assert_eq!(events(&said), [Event::Shutdown]);
    assert_eq!(bench.state("t"), None);
    assert_eq!(bench.run(peer, &[command_task("u")]), []);
    assert_eq!(bench.state("u"), None);
    // Its executor is heard, so that it can end, but nothing is kept or sent.
    let said = bench.update(executor, "t", status("t", TaskState::Killed, 3));
    assert_eq!(states(&said), []);
    assert_eq!(events(&said).len(), 1);
    let said = bench.exited(&container, Some(0));
    assert_eq!(said, [Effect::Close { peer: executor }]);
    assert!(bench.node.checkpoint().frameworks.is_empty());
    assert_eq!(bench.master(peer, down), []);
}

#[test]
fn an_update_is_sent_until_it_is_acknowledged_ever_more_rarely() {
    let (mut bench, peer) = Bench::registered();
    bench.run(peer, &[command_task("t")]);
    let (executor, _) = bench.subscribe("t");
    bench.update(executor, "t", status("t", TaskState::Running, 1));
    let mut sent = vec![];
    for second in 1..=1500_u64 {
        let said = bench.advance(Duration::from_secs(1));
        if !updates(&said).is_empty() {
            sent.push(second);
        }
        if second % 15 == 0 {
            bench.master(peer, ToAgent::Ping { registered: true });
        }
    }
    assert_eq!(sent, [10, 30, 70, 150, 310, 630, 1230]);
    assert_eq!(bench.acknowledge(peer, "t", update_id(9)), []);
    assert!(bench.has_probe(Probe::AcknowledgementIgnored));
    bench.acknowledge(peer, "t", update_id(1));
    let said = bench.advance(Duration::from_secs(60));
    assert_eq!(updates(&said), []);
}

#[test]
fn updates_wait_for_a_leader_and_then_go_out_at_once() {
    let (mut bench, peer) = Bench::registered();
    bench.run(peer, &[command_task("t")]);
    let (executor, _) = bench.subscribe("t");
    bench.update(executor, "t", status("t", TaskState::Starting, 1));
    bench.input(Input::Disconnected { peer });
    let said = bench.update(executor, "t", status("t", TaskState::Running, 2));
    assert_eq!(states(&said), []);
    let (peer, said) = bench.connect();
    let [
        Effect::ToMaster {
            message: ToMaster::Reregister(sent),
            ..
        },
    ] = &said[..]
    else {
        panic!("{said:?}");
    };
    let report = &sent.tasks[0];
    assert_eq!(report.state, TaskState::Starting);
    assert_eq!(report.latest_state, TaskState::Running);
    assert_eq!(report.unacknowledged, Some(update_id(1)));
    assert_eq!(sent.frameworks.len(), 1);
    assert_eq!(
        sent.executors.len(),
        0,
        "command executors are the agent's own"
    );
    let said = bench.master(peer, reregistered(6, vec![]));
    assert_eq!(states(&said), [TaskState::Starting]);
}

#[test]
fn terminal_is_final_and_a_kill_is_not_undone() {
    let (mut bench, peer) = Bench::registered();
    let (executor, _) = bench.running(peer, "t");
    bench.update(executor, "t", status("t", TaskState::Killing, 2));
    let said = bench.update(executor, "t", status("t", TaskState::Running, 3));
    assert_eq!(
        events(&said).len(),
        1,
        "acknowledged, so that it is not sent again"
    );
    assert_eq!(bench.state("t"), Some(TaskState::Killing));
    bench.update(executor, "t", status("t", TaskState::Killed, 4));
    bench.update(executor, "t", status("t", TaskState::Finished, 5));
    assert_eq!(bench.state("t"), Some(TaskState::Killed));
    assert!(bench.has_probe(Probe::UpdateIllegal));
    let said = bench.acknowledge(peer, "t", update_id(2));
    assert_eq!(states(&said), [TaskState::Killed]);
    assert_eq!(states(&bench.acknowledge(peer, "t", update_id(4))), []);
}

#[test]
fn a_repeated_update_is_acknowledged_again_and_nothing_else() {
    let (mut bench, peer) = Bench::registered();
    let (executor, _) = bench.running(peer, "t");
    let said = bench.update(executor, "t", status("t", TaskState::Running, 1));
    assert_eq!((events(&said).len(), states(&said).len()), (1, 0));
    bench.update(executor, "t", status("t", TaskState::Finished, 2));
    bench.acknowledge(peer, "t", update_id(2));
    assert_eq!(bench.state("t"), None);
    let said = bench.update(executor, "t", status("t", TaskState::Finished, 2));
    assert_eq!((events(&said).len(), states(&said).len()), (1, 0));
    assert_eq!(bench.state("t"), None);
}

#[test]
fn an_update_that_makes_no_sense_is_refused() {
    let (mut bench, peer) = Bench::registered();
    let (executor, _) = bench.running(peer, "t");
    let mut nameless = crate::model::TaskStatus::clone(&status("t", TaskState::Finished, 2));
    nameless.update_id = None;
    let said = bench.update(executor, "t", Arc::new(nameless));
    assert_eq!(said, []);
    let said = bench.update(executor, "t", status("t", TaskState::Staging, 3));
    assert_eq!(said, []);
    assert_eq!(bench.state("t"), Some(TaskState::Running));
    // One executor may not speak for the task of another.
    bench.running(peer, "u");
    let call = Call::Update {
        status: status("u", TaskState::Failed, 4),
    };
    assert_eq!(bench.call(executor, "t", call), []);
    assert_eq!(bench.state("u"), Some(TaskState::Running));
}
