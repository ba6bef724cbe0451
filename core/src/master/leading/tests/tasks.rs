//! Tasks: updates, acknowledgements, kills, agents that stay away.

use super::harness::{
    Harness, event, framework_id, framework_info, resources, status, task, task_id, to_agent, told,
    told_states, update_id,
};
use crate::ids::{AgentId, ExecutorId, FrameworkId};
use crate::master::leading::{Config, Effect, Notice, Probe};
use crate::message::agent::{ToAgent, ToMaster};
use crate::message::scheduler::{Call, Event};
use crate::model::{Reason, TaskState};
use crate::time::Wall;
use alloc::sync::Arc;
use core::time::Duration;

fn kill(agent: Option<&AgentId>) -> Call {
    Call::Kill {
        task_id: task_id("t"),
        agent_id: agent.cloned(),
        grace: Some(Duration::from_secs(9)),
    }
}

fn killed(framework: &FrameworkId) -> ToAgent {
    ToAgent::Kill {
        framework_id: framework.clone(),
        task_id: task_id("t"),
        grace: Some(Duration::from_secs(9)),
    }
}

fn acknowledged(framework: &FrameworkId, task: &str, update: u8) -> ToAgent {
    ToAgent::Acknowledge {
        framework_id: framework.clone(),
        task_id: task_id(task),
        update_id: update_id(update),
    }
}

fn update_of(status: crate::model::TaskStatus) -> Event {
    Event::Update {
        status: Arc::new(status),
    }
}

#[test]
fn an_update_goes_to_the_scheduler_and_its_acknowledgement_back() {
    let mut harness = Harness::new(&Config::default());
    let agent = harness.register(1);
    let framework = harness.subscribe(2, framework_info(None));
    let offer = harness.offers()[0].id.clone();
    harness.accept(2, &offer, &[task("t", &agent)]);
    harness.take();
    let running = status("t", &agent, TaskState::Running, Some(1));
    harness.update(1, &framework, running.clone());
    assert_eq!(harness.take(), [event(2, update_of(running))]);
    // Of another update, or another agent, or from another connection: not passed on.
    harness.acknowledge(2, &agent, "t", 9);
    harness.acknowledge(2, &super::harness::agent_id("other"), "t", 1);
    harness.acknowledge(3, &agent, "t", 1);
    assert_eq!(harness.take(), []);
    harness.acknowledge(2, &agent, "t", 1);
    let expected = to_agent(1, acknowledged(&framework, "t", 1));
    assert_eq!(harness.take(), [expected]);
    harness.acknowledge(2, &agent, "t", 1);
    assert_eq!(harness.take(), []);
}

#[test]
fn resources_are_free_at_the_end_and_the_record_goes_at_its_acknowledgement() {
    let (mut harness, agent, framework) = Harness::with_running_task(&Config::default());
    // The agent tells the oldest update, and says that the task is over already.
    let running = status("t", &agent, TaskState::Running, Some(2));
    harness.update_with(1, &framework, running, TaskState::Finished);
    let view = harness.leading.agent(&agent).unwrap();
    assert_eq!(view.used, resources(""));
    let known = harness.leading.task(&framework, &task_id("t")).unwrap();
    assert_eq!(known.state, TaskState::Finished);
    assert_eq!(known.reported, TaskState::Running);
    harness.acknowledge(2, &agent, "t", 2);
    assert!(harness.leading.task(&framework, &task_id("t")).is_some());
    let finished = status("t", &agent, TaskState::Finished, Some(3));
    harness.update(1, &framework, finished);
    harness.acknowledge(2, &agent, "t", 3);
    assert!(harness.leading.task(&framework, &task_id("t")).is_none());
    let ended = &harness.leading.view().frameworks[0].ended_tasks;
    assert_eq!(ended[0].state, TaskState::Finished);
}

#[test]
fn an_update_that_is_sent_again_after_its_record_went_is_acknowledged_again() {
    let (mut harness, agent, framework) = Harness::with_running_task(&Config::default());
    let finished = status("t", &agent, TaskState::Finished, Some(3));
    harness.update(1, &framework, finished.clone());
    harness.acknowledge(2, &agent, "t", 3);
    harness.take();
    // The acknowledgement got lost on its way to the agent.
    harness.update(1, &framework, finished.clone());
    harness.acknowledge(2, &agent, "t", 3);
    let expected = [
        event(2, update_of(finished)),
        to_agent(1, acknowledged(&framework, "t", 3)),
    ];
    assert_eq!(harness.take(), expected);
}

#[test]
fn what_is_over_stays_over() {
    let (mut harness, agent, framework) = Harness::with_running_task(&Config::default());
    let finished = status("t", &agent, TaskState::Finished, Some(3));
    harness.update(1, &framework, finished);
    harness.take();
    // A second end, or life after it, is never told: its agent is told that it was taken.
    for (state, id) in [(TaskState::Failed, 4), (TaskState::Running, 5)] {
        let again = status("t", &agent, state, Some(id));
        harness.update(1, &framework, again);
        let expected = to_agent(1, acknowledged(&framework, "t", id));
        assert_eq!(harness.take(), [expected]);
    }
    let known = harness.leading.task(&framework, &task_id("t")).unwrap();
    assert_eq!(known.state, TaskState::Finished);
}

#[test]
fn a_kill_is_never_undone_by_a_late_word() {
    let (mut harness, agent, framework) = Harness::with_running_task(&Config::default());
    let killing = status("t", &agent, TaskState::Killing, Some(3));
    harness.update(1, &framework, killing);
    let running = status("t", &agent, TaskState::Running, Some(4));
    harness.update(1, &framework, running);
    let known = harness.leading.task(&framework, &task_id("t")).unwrap();
    assert_eq!(known.state, TaskState::Killing);
    assert_eq!(told_states(&harness.take()), [TaskState::Killing]);
}

#[test]
fn states_that_only_a_master_gives_are_not_taken_from_agents() {
    let (mut harness, agent, framework) = Harness::with_running_task(&Config::default());
    for state in [
        TaskState::Unknown,
        TaskState::Unreachable,
        TaskState::GoneByOperator,
    ] {
        let odd = status("t", &agent, state, Some(9));
        harness.update(1, &framework, odd);
    }
    assert_eq!(told_states(&harness.take()), []);
    let known = harness.leading.task(&framework, &task_id("t")).unwrap();
    assert_eq!(known.state, TaskState::Running);
}

#[test]
fn an_update_waits_at_its_agent_while_the_scheduler_is_away() {
    let (mut harness, agent, framework) = Harness::with_running_task(&Config::default());
    harness.disconnect(2);
    harness.take();
    let finished = status("t", &agent, TaskState::Finished, Some(3));
    harness.update(1, &framework, finished.clone());
    assert_eq!(harness.take(), []);
    // Known all the same, and what it used is free.
    let view = harness.leading.agent(&agent).unwrap();
    assert_eq!(view.used, resources(""));
    harness.subscribe(3, framework_info(Some(framework.as_str())));
    harness.update(1, &framework, finished);
    assert_eq!(told_states(&harness.take()), [TaskState::Finished]);
}

#[test]
fn updates_of_an_ended_framework_are_not_sent_for_ever() {
    let (mut harness, agent, framework) = Harness::with_running_task(&Config::default());
    harness.call(2, Call::Teardown);
    harness.take();
    let finished = status("t", &agent, TaskState::Finished, Some(3));
    harness.update(1, &framework, finished);
    let framework_id = framework;
    let forget = ToAgent::ShutdownFramework { framework_id };
    assert_eq!(harness.take(), [to_agent(1, forget)]);
}

#[test]
fn an_update_of_a_framework_that_nobody_knows_is_ignored() {
    let (mut harness, agent, _) = Harness::with_running_task(&Config::default());
    let finished = status("t", &agent, TaskState::Finished, Some(3));
    harness.update(1, &framework_id("other"), finished);
    assert_eq!(harness.take(), []);
}

#[test]
fn a_kill_goes_to_the_agent_and_again_when_that_returns() {
    let (mut harness, agent, framework) = Harness::with_running_task(&Config::default());
    harness.call(2, kill(None));
    assert_eq!(harness.take(), [to_agent(1, killed(&framework))]);
    harness.call(2, kill(Some(&super::harness::agent_id("other"))));
    assert_eq!(harness.take(), []);
    harness.disconnect(1);
    harness.call(2, kill(Some(&agent)));
    assert!(
        harness
            .notices
            .contains(&Notice::Probe(Probe::KillDeferred))
    );
    let running = super::harness::report(
        framework.as_str(),
        &task("t", &agent),
        TaskState::Running,
        None,
    );
    let back = super::harness::reregistration(agent.as_str(), 1, [running].into());
    harness.take();
    harness.agent(3, ToMaster::Reregister(Arc::new(back)));
    assert!(harness.take().contains(&to_agent(3, killed(&framework))));
}

#[test]
fn the_kill_of_a_task_that_is_not_there_is_answered_as_a_question() {
    let (mut harness, agent, _) = Harness::with_running_task(&Config::default());
    let unknown = |agent: Option<&AgentId>| Call::Kill {
        task_id: task_id("never"),
        agent_id: agent.cloned(),
        grace: None,
    };
    harness.call(2, unknown(None));
    harness.call(2, unknown(Some(&agent)));
    let expected = [TaskState::Unknown, TaskState::Gone];
    assert_eq!(told_states(&harness.take()), expected);
    harness.wait(Duration::from_secs(90));
    harness.take();
    harness.call(2, kill(None));
    assert_eq!(told_states(&harness.take()), [TaskState::Unreachable]);
}

#[test]
fn tasks_of_an_unreachable_agent_are_told_in_the_frameworks_own_words() {
    for (aware, expected) in [(true, TaskState::Unreachable), (false, TaskState::Lost)] {
        let mut harness = Harness::new(&Config::default());
        let agent = harness.register(1);
        let mut info = framework_info(None);
        info.capabilities.partition_aware = aware;
        harness.subscribe(2, info);
        let offer = harness.offers()[0].id.clone();
        harness.accept(2, &offer, &[task("t", &agent)]);
        harness.take();
        harness.wait(Duration::from_secs(90));
        let said = harness.take();
        let told = told(&said);
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].state, expected);
        assert_eq!(told[0].update_id, None, "nobody acknowledges it");
        assert_eq!(told[0].reason, Some(Reason::AgentRemoved));
        assert_eq!(told[0].unreachable_at, Some(Wall(75_000)));
        let failure = Event::Failure {
            agent_id: agent,
            executor_id: None,
            status: None,
        };
        assert!(said.contains(&event(2, failure)));
        assert_eq!(harness.leading.summary().tasks[expected as usize], 1);
    }
}

#[test]
fn a_task_of_an_agent_that_is_gone_is_gone() {
    let (mut harness, agent, _) = Harness::with_running_task(&Config::default());
    harness.mark_gone(&agent).unwrap();
    let said = harness.take();
    assert_eq!(told_states(&said), [TaskState::GoneByOperator]);
    assert_eq!(harness.leading.summary().tasks, [0; 14]);
}

#[test]
fn a_task_that_was_out_of_sight_is_gone_with_its_agent() {
    let (mut harness, agent, _) = Harness::with_running_task(&Config::default());
    harness.wait(Duration::from_secs(90));
    harness.mark_gone(&agent).unwrap();
    let expected = [TaskState::Unreachable, TaskState::GoneByOperator];
    assert_eq!(told_states(&harness.take()), expected);
    assert_eq!(harness.leading.summary().tasks, [0; 14]);
}

#[test]
fn tasks_of_an_agent_that_says_farewell_are_gone() {
    let (mut harness, _, _) = Harness::with_running_task(&Config::default());
    harness.agent(1, ToMaster::Unregister);
    assert_eq!(told_states(&harness.take()), [TaskState::Gone]);
}

#[test]
fn an_end_that_its_agent_cannot_tell_any_more_is_told_for_it() {
    // The end waits behind an update that was not acknowledged when the agent says farewell.
    let (mut harness, agent, framework) = Harness::with_running_task(&Config::default());
    let killing = status("t", &agent, TaskState::Killing, Some(2));
    harness.update_with(1, &framework, killing, TaskState::Killed);
    assert_eq!(told_states(&harness.take()), [TaskState::Killing]);
    harness.agent(1, ToMaster::Unregister);
    assert_eq!(told_states(&harness.take()), [TaskState::Killed]);
    assert_eq!(harness.leading.summary().tasks, [0; 14]);
}

#[test]
fn words_of_an_agent_that_is_not_registered_count_for_nothing() {
    let (mut harness, agent, framework) = Harness::with_running_task(&Config::default());
    let finished = status("t", &agent, TaskState::Finished, Some(3));
    harness.update(9, &framework, finished);
    let not_registered = ToAgent::Ping { registered: false };
    assert_eq!(harness.take(), [to_agent(9, not_registered)]);
    let known = harness.leading.task(&framework, &task_id("t")).unwrap();
    assert_eq!(known.state, TaskState::Running);
    // Nor does one agent speak of what runs on another.
    harness.register(8);
    let finished = status("t", &agent, TaskState::Finished, Some(3));
    harness.update(8, &framework, finished);
    assert_eq!(harness.take(), []);
}

#[test]
fn ended_tasks_are_kept_up_to_a_bound() {
    let config = Config {
        max_completed_tasks_per_framework: 2,
        max_unreachable_tasks_per_framework: 1,
        ..Config::default()
    };
    let mut harness = Harness::new(&config);
    let agent = harness.register(1);
    let framework = harness.subscribe(2, framework_info(None));
    let offer = harness.offers()[0].id.clone();
    let tasks = ["a", "b", "c", "d"].map(|name| task(name, &agent));
    harness.accept(2, &offer, &tasks);
    harness.wait(Duration::from_secs(90));
    assert_eq!(
        harness.leading.summary().tasks[TaskState::Unreachable as usize],
        1
    );
    let view = harness.leading.framework(&framework).unwrap();
    assert_eq!(view.ended_tasks.len(), 2);
    assert_eq!(told_states(&harness.take()), [TaskState::Unreachable; 4]);
}

#[test]
fn an_agents_end_without_an_acknowledgement_leaves_no_record() {
    let (mut harness, agent, framework) = Harness::with_running_task(&Config::default());
    let dropped = status("t", &agent, TaskState::Dropped, None);
    harness.update(1, &framework, dropped);
    assert_eq!(told_states(&harness.take()), [TaskState::Dropped]);
    assert_eq!(harness.leading.summary().tasks, [0; 14]);
    let closed = harness
        .said
        .iter()
        .any(|e| matches!(e, Effect::Close { .. }));
    assert!(!closed);
}

#[test]
fn messages_pass_unread_between_schedulers_and_executors() {
    let (mut harness, agent, framework) = Harness::with_running_task(&Config::default());
    let executor_id = ExecutorId::new("e").unwrap();
    let data: Arc<[u8]> = Arc::from([1, 2, 3]);
    harness.call(
        2,
        Call::Message {
            agent_id: agent.clone(),
            executor_id: executor_id.clone(),
            data: data.clone(),
        },
    );
    harness.agent(
        1,
        ToMaster::ExecutorMessage {
            framework_id: framework.clone(),
            executor_id: executor_id.clone(),
            data: data.clone(),
        },
    );
    harness.call(
        2,
        Call::Shutdown {
            executor_id: executor_id.clone(),
            agent_id: agent.clone(),
        },
    );
    let there = ToAgent::FrameworkMessage {
        framework_id: framework.clone(),
        executor_id: executor_id.clone(),
        data: data.clone(),
    };
    let back = Event::Message {
        agent_id: agent,
        executor_id: executor_id.clone(),
        data,
    };
    let end = ToAgent::ShutdownExecutor {
        framework_id: framework,
        executor_id,
    };
    let expected = [to_agent(1, there), event(2, back), to_agent(1, end)];
    assert_eq!(harness.take(), expected);
}
