//! Agents that return, and what a leader learns from them.

use super::harness::{
    Harness, agent_info, framework_id, framework_info, report, reregistration, resources, role,
    status, task, task_id, to_agent, told, told_states, update_id,
};
use crate::ids::{AgentId, ExecutorId, FrameworkId};
use crate::master::leading::{Config, Effect};
use crate::message::agent::{AgentRun, Reregistration, TaskReport, ToAgent, ToMaster};
use crate::message::scheduler::Call;
use crate::model::{CommandInfo, ExecutorInfo, Reason, TaskState};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

fn back(harness: &mut Harness, from: u64, agent: &AgentId, tasks: Vec<TaskReport>) {
    let report = reregistration(agent.as_str(), 1, tasks);
    harness.agent(from, ToMaster::Reregister(Arc::new(report)));
}

fn running(framework: &FrameworkId, agent: &AgentId) -> TaskReport {
    let task = task("t", agent);
    report(framework.as_str(), &task, TaskState::Running, None)
}

fn missing(said: &[Effect]) -> Vec<(FrameworkId, crate::ids::TaskId)> {
    let lists = said.iter().filter_map(|effect| match effect {
        Effect::ToAgent {
            message: ToAgent::Reregistered { reconcile, .. },
            ..
        } => Some(reconcile.clone()),
        _ => None,
    });
    lists.flatten().collect()
}

#[test]
fn a_new_leader_learns_tasks_and_frameworks_from_agents() {
    let (harness, agent, framework) = Harness::with_running_task(&Config::default());
    let mut next = harness.fail_over();
    back(&mut next, 5, &agent, [running(&framework, &agent)].into());
    let view = next.leading.agent(&agent).unwrap();
    assert_eq!(view.used, resources("cpus:1;mem:128"));
    assert_eq!(view.free, resources("cpus:3;mem:3968;disk:1000"));
    let known = next.leading.framework(&framework).unwrap();
    assert!(!known.connected);
    assert_eq!(known.tasks[0].state, TaskState::Running);
    // The scheduler comes and finds its task, and the rest is offered to it.
    next.subscribe(6, framework_info(Some(framework.as_str())));
    assert_eq!(
        next.offers()[0].resources,
        resources("cpus:3;mem:3968;disk:1000")
    );
    next.agent(5, ToMaster::Pong);
    next.call(6, Call::Reconcile { tasks: [].into() });
    assert_eq!(told_states(&next.take()), [TaskState::Running]);
}

#[test]
fn what_only_an_old_report_named_is_over_and_nobody_is_told_again() {
    let (harness, agent, framework) = Harness::with_running_task(&Config::default());
    let mut next = harness.fail_over();
    // Long on its way: through a leader in between the task ended, and that was acknowledged.
    back(&mut next, 5, &agent, [running(&framework, &agent)].into());
    next.subscribe(6, framework_info(Some(framework.as_str())));
    next.take();
    back(&mut next, 7, &agent, [].into());
    let said = next.take();
    assert_eq!(missing(&said), []);
    assert_eq!(told_states(&said), []);
    assert_eq!(next.leading.framework(&framework).unwrap().tasks, []);
    let view = next.leading.agent(&agent).unwrap();
    assert_eq!(view.used, resources(""));
    next.agent(7, ToMaster::Pong);
    next.call(6, Call::Reconcile { tasks: [].into() });
    assert_eq!(told_states(&next.take()), []);
}

#[test]
fn a_framework_known_from_agents_only_may_take_as_long_to_return_as_an_agent() {
    let config = Config::default();
    let (harness, agent, framework) = Harness::with_running_task(&config);
    let mut next = harness.fail_over();
    back(&mut next, 5, &agent, [running(&framework, &agent)].into());
    let own = framework_info(None).failover_timeout;
    assert!(own < config.agent_reregister_timeout);
    next.wait(own + Duration::from_secs(1));
    assert_eq!(next.leading.summary().frameworks, 1);
    next.wait(config.agent_reregister_timeout);
    assert_eq!(next.leading.summary().frameworks, 0);
}

#[test]
fn an_update_that_waits_at_the_agent_is_the_answer_until_it_is_acknowledged() {
    let (harness, agent, framework) = Harness::with_running_task(&Config::default());
    let mut next = harness.fail_over();
    let mut task = running(&framework, &agent);
    task.unacknowledged = Some(update_id(8));
    task.latest_state = TaskState::Failed;
    back(&mut next, 5, &agent, [task].into());
    next.subscribe(6, framework_info(Some(framework.as_str())));
    next.agent(5, ToMaster::Pong);
    next.call(6, Call::Reconcile { tasks: [].into() });
    assert_eq!(told_states(&next.take()), [TaskState::Running]);
    let view = next.leading.agent(&agent).unwrap();
    assert_eq!(view.used, resources(""), "it is over already");
    next.acknowledge(6, &agent, "t", 8);
    let acknowledge = ToAgent::Acknowledge {
        framework_id: framework,
        task_id: task_id("t"),
        update_id: update_id(8),
    };
    assert_eq!(next.take(), [to_agent(5, acknowledge)]);
}

#[test]
fn tasks_return_from_a_partition_and_their_framework_is_told() {
    for aware in [true, false] {
        let mut harness = Harness::new(&Config::default());
        let agent = harness.register(1);
        let mut info = framework_info(None);
        info.capabilities.partition_aware = aware;
        let framework = harness.subscribe(2, info);
        let offer = harness.offers()[0].id.clone();
        harness.accept(2, &offer, &[task("t", &agent)]);
        harness.wait(Duration::from_secs(90));
        harness.take();
        back(
            &mut harness,
            3,
            &agent,
            [running(&framework, &agent)].into(),
        );
        let said = harness.take();
        let told = told(&said);
        assert_eq!(told_states(&said), [TaskState::Running]);
        assert_eq!(told[0].reason, Some(Reason::AgentReregistered));
        let view = harness.leading.agent(&agent).unwrap();
        assert_eq!(view.used, resources("cpus:1;mem:128"));
    }
}

#[test]
fn an_end_during_a_partition_is_told_by_the_agent_itself() {
    let (mut harness, agent, framework) = Harness::with_running_task(&Config::default());
    harness.wait(Duration::from_secs(90));
    harness.take();
    let mut task = running(&framework, &agent);
    task.state = TaskState::Finished;
    task.latest_state = TaskState::Finished;
    task.unacknowledged = Some(update_id(7));
    back(&mut harness, 3, &agent, [task].into());
    assert_eq!(told_states(&harness.take()), []);
    let finished = status("t", &agent, TaskState::Finished, Some(7));
    harness.update(3, &framework, finished);
    assert_eq!(told_states(&harness.take()), [TaskState::Finished]);
}

#[test]
fn an_end_that_was_told_stays_the_answer_while_its_agent_is_away() {
    let (mut harness, agent, framework) = Harness::with_running_task(&Config::default());
    let finished = status("t", &agent, TaskState::Finished, Some(7));
    harness.update(1, &framework, finished);
    harness.wait(Duration::from_secs(90));
    harness.take();
    harness.call(2, Call::Reconcile { tasks: [].into() });
    assert_eq!(told_states(&harness.take()), [TaskState::Finished]);
    harness.acknowledge(2, &agent, "t", 7);
    assert_eq!(harness.leading.summary().tasks, [0; 14]);
}

#[test]
fn a_launch_on_its_way_is_the_agents_to_decide() {
    let mut harness = Harness::new(&Config::default());
    let agent = harness.register(1);
    let framework = harness.subscribe(2, framework_info(None));
    let offer = harness.offers()[0].id.clone();
    harness.accept(2, &offer, &[task("t", &agent)]);
    harness.take();
    // The report was made before the launch arrived.
    back(&mut harness, 1, &agent, [].into());
    let said = harness.take();
    assert_eq!(told_states(&said), []);
    assert_eq!(missing(&said), [(framework.clone(), task_id("t"))]);
    let known = harness.leading.task(&framework, &task_id("t")).unwrap();
    assert_eq!(known.state, TaskState::Staging);
    // It had not got it: only now it is over.
    let dropped = status("t", &agent, TaskState::Dropped, Some(1));
    harness.update(1, &framework, dropped);
    assert_eq!(told_states(&harness.take()), [TaskState::Dropped]);
}

#[test]
fn a_task_that_was_out_of_sight_and_is_missing_waits_for_its_agents_word() {
    let (mut harness, agent, framework) = Harness::with_running_task(&Config::default());
    harness.wait(Duration::from_secs(90));
    harness.take();
    back(&mut harness, 3, &agent, [].into());
    let said = harness.take();
    assert_eq!(missing(&said), [(framework.clone(), task_id("t"))]);
    assert_eq!(told_states(&said), []);
    let dropped = status("t", &agent, TaskState::Dropped, None);
    harness.update(3, &framework, dropped);
    assert_eq!(told_states(&harness.take()), [TaskState::Dropped]);
    assert_eq!(harness.leading.summary().tasks, [0; 14]);
}

#[test]
fn a_task_tried_again_elsewhere_runs_once() {
    let mut harness = Harness::new(&Config::default());
    let first = harness.register(1);
    let mut info = framework_info(None);
    info.capabilities.partition_aware = false;
    let framework = harness.subscribe(2, info);
    let offer = harness.offers()[0].id.clone();
    harness.accept(2, &offer, &[task("t", &first)]);
    harness.wait(Duration::from_secs(90));
    let second = harness.register(3);
    let offer = harness.offers()[0].id.clone();
    harness.accept(2, &offer, &[task("t", &second)]);
    harness.take();
    back(
        &mut harness,
        4,
        &first,
        [running(&framework, &first)].into(),
    );
    let said = harness.take();
    let kill = ToAgent::Kill {
        framework_id: framework.clone(),
        task_id: task_id("t"),
        grace: None,
    };
    assert!(said.contains(&to_agent(4, kill)));
    assert_eq!(told_states(&said), []);
    // What becomes of the old one concerns nobody.
    let killed = status("t", &first, TaskState::Killed, Some(5));
    harness.update(4, &framework, killed);
    assert_eq!(told_states(&harness.take()), []);
    let known = harness.leading.task(&framework, &task_id("t")).unwrap();
    assert_eq!(
        (&known.info.agent_id, known.state),
        (&second, TaskState::Staging)
    );
}

#[test]
fn an_unreachable_tasks_id_is_not_used_again_by_who_understands_partitions() {
    let (mut harness, _, _) = Harness::with_running_task(&Config::default());
    harness.wait(Duration::from_secs(90));
    let second = harness.register(3);
    let offer = harness.offers()[0].id.clone();
    harness.accept(2, &offer, &[task("t", &second)]);
    assert_eq!(told_states(&harness.take()), [TaskState::Error]);
}

#[test]
fn an_agent_that_returns_with_an_ended_framework_is_told_so() {
    let (mut harness, agent, framework) = Harness::with_running_task(&Config::default());
    harness.disconnect(1);
    harness.call(2, Call::Teardown);
    harness.take();
    back(
        &mut harness,
        3,
        &agent,
        [running(&framework, &agent)].into(),
    );
    let shutdown = ToAgent::ShutdownFramework {
        framework_id: framework.clone(),
    };
    assert!(harness.take().contains(&to_agent(3, shutdown)));
    assert_eq!(harness.leading.summary().tasks, [0; 14]);
    assert!(harness.leading.framework(&framework).is_none());
}

#[test]
fn an_end_that_was_acknowledged_does_not_come_back_with_an_old_report() {
    let (mut harness, agent, framework) = Harness::with_running_task(&Config::default());
    let finished = status("t", &agent, TaskState::Finished, Some(7));
    harness.update(1, &framework, finished);
    harness.acknowledge(2, &agent, "t", 7);
    // The acknowledgement got lost with the connection.
    let mut task = running(&framework, &agent);
    task.state = TaskState::Finished;
    task.latest_state = TaskState::Finished;
    task.unacknowledged = Some(update_id(7));
    back(&mut harness, 3, &agent, [task].into());
    assert_eq!(harness.leading.summary().tasks, [0; 14]);
}

#[test]
fn a_report_that_cannot_be_is_passed_over() {
    let (harness, agent, framework) = Harness::with_running_task(&Config::default());
    let mut next = harness.fail_over();
    let elsewhere = running(&framework, &super::harness::agent_id("other"));
    let mut unknown = running(&framework, &agent);
    unknown.state = TaskState::Unknown;
    let mut orphan = running(&framework_id("nobody"), &agent);
    orphan.state = TaskState::Running;
    let mut report = reregistration(agent.as_str(), 1, [elsewhere, unknown, orphan].into());
    report.frameworks = [Arc::new(framework_info(Some(framework.as_str())))].into();
    next.agent(5, ToMaster::Reregister(Arc::new(report)));
    assert_eq!(next.leading.summary().tasks, [0; 14]);
    assert_eq!(next.leading.summary().agents, 1);
}

#[test]
fn more_than_an_agent_has_is_taken_as_it_is() {
    let (harness, agent, framework) = Harness::with_running_task(&Config::default());
    let mut next = harness.fail_over();
    let reports = ["a", "b"].map(|name| {
        let mut task = task(name, &agent);
        task.resources = resources("cpus:3;mem:128");
        report(framework.as_str(), &task, TaskState::Running, None)
    });
    back(&mut next, 5, &agent, reports.into());
    let view = next.leading.agent(&agent).unwrap();
    assert_eq!(view.used, resources("cpus:3;mem:128"));
    assert_eq!(next.leading.summary().tasks[TaskState::Running as usize], 2);
    for name in ["a", "b"] {
        let finished = status(name, &agent, TaskState::Finished, Some(1));
        next.update(5, &framework, finished);
    }
    let view = next.leading.agent(&agent).unwrap();
    assert_eq!(view.free, resources("cpus:4;mem:4096;disk:1000"));
}

#[test]
fn executors_are_what_the_agent_says_unless_their_launch_is_on_its_way() {
    let mut harness = Harness::new(&Config::default());
    let agent = harness.register(1);
    let framework = harness.subscribe(2, framework_info(None));
    let executor = |name: &str| ExecutorInfo {
        executor_id: ExecutorId::new(name).unwrap(),
        framework_id: framework.clone(),
        command: CommandInfo::shell("run"),
        resources: resources("cpus:0.5").allocated_to(&role("web")),
        name: String::new(),
        data: Arc::from([]),
        shutdown_grace: None,
        verbatim: Arc::default(),
    };
    let offer = harness.offers()[0].id.clone();
    let mut own = task("t", &agent);
    own.executor = Some(Arc::new(executor("launched")));
    own.command = None;
    harness.accept(2, &offer, &[own]);
    let mut report = reregistration(agent.as_str(), 1, [].into());
    report.executors = [Arc::new(executor("idle"))].into();
    harness.agent(1, ToMaster::Reregister(Arc::new(report.clone())));
    let names = |harness: &Harness| -> Vec<String> {
        let view = harness.leading.agent(&agent).unwrap();
        view.executors
            .iter()
            .map(|(_, id)| id.as_str().into())
            .collect()
    };
    assert_eq!(names(&harness), ["idle", "launched"]);
    let dropped = status("t", &agent, TaskState::Dropped, None);
    harness.update(1, &framework, dropped);
    report.executors.clear();
    harness.agent(1, ToMaster::Reregister(Arc::new(report)));
    assert_eq!(names(&harness), [""; 0]);
    let view = harness.leading.agent(&agent).unwrap();
    assert_eq!(view.free, resources("cpus:4;mem:4096;disk:1000"));
}

#[test]
fn a_framework_described_anew_meanwhile_is_told_to_the_agent() {
    let (mut harness, agent, framework) = Harness::with_running_task(&Config::default());
    harness.disconnect(1);
    let mut info = framework_info(Some(framework.as_str()));
    info.failover_timeout = Duration::from_secs(1_000);
    harness.subscribe(3, info.clone());
    back(
        &mut harness,
        4,
        &agent,
        [running(&framework, &agent)].into(),
    );
    let framework = Arc::new(info);
    let update = ToAgent::UpdateFramework { framework };
    assert!(harness.take().contains(&to_agent(4, update)));
}

#[test]
fn an_agent_without_an_id_cannot_return_nor_one_with_an_id_register() {
    let mut harness = Harness::new(&Config::default());
    let report = Reregistration {
        info: Arc::new(agent_info(None)),
        run: AgentRun(1),
        tasks: Vec::new(),
        executors: Vec::new(),
        frameworks: Vec::new(),
        kept: crate::resources::Resources::EMPTY,
        operations: Vec::new(),
    };
    harness.agent(1, ToMaster::Reregister(Arc::new(report)));
    harness.agent(
        2,
        ToMaster::Register {
            info: Arc::new(agent_info(Some("mine"))),
            run: AgentRun(1),
            nonce: 1,
            kept: crate::resources::Resources::EMPTY,
        },
    );
    let close = |n| Effect::Close {
        peer: super::harness::peer(n),
    };
    assert_eq!(harness.take(), [close(1), close(2)]);
    assert_eq!(harness.leading.summary().agents, 0);
}
