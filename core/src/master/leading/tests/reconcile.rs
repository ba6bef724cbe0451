//! Questions of schedulers, and honest answers.

use super::harness::{
    Harness, agent_id, framework_info, reregistration, status, task, task_id, told, told_states,
};
use crate::ids::AgentId;
use crate::master::leading::{Config, Notice, Probe};
use crate::message::agent::ToMaster;
use crate::message::scheduler::Call;
use crate::model::{Reason, TaskState};
use crate::time::Wall;
use alloc::sync::Arc;
use core::time::Duration;

fn ask(task: &str, agent: Option<&AgentId>) -> Call {
    Call::Reconcile {
        tasks: [(task_id(task), agent.cloned())].into(),
    }
}

fn ask_all() -> Call {
    Call::Reconcile { tasks: [].into() }
}

#[test]
fn the_answer_is_what_was_told_last_and_not_what_is_newest() {
    let (mut harness, agent, framework) = Harness::with_running_task(&Config::default());
    let starting = status("t", &agent, TaskState::Running, Some(2));
    harness.update_with(1, &framework, starting, TaskState::Finished);
    harness.take();
    harness.call(2, ask("t", Some(&agent)));
    harness.call(2, ask_all());
    let said = harness.take();
    assert_eq!(told_states(&said), [TaskState::Running; 2]);
    for answer in told(&said) {
        assert_eq!(answer.reason, Some(Reason::Reconciliation));
        assert_eq!(answer.update_id, None);
    }
    // A question behind an update is answered behind it.
    let finished = status("t", &agent, TaskState::Finished, Some(3));
    harness.update(1, &framework, finished);
    harness.call(2, ask("t", None));
    let said = told(&harness.take());
    let ids: std::vec::Vec<_> = said
        .iter()
        .map(|s| (s.state, s.update_id.is_some()))
        .collect();
    assert_eq!(
        ids,
        [(TaskState::Finished, true), (TaskState::Finished, false)]
    );
}

#[test]
fn an_unknown_task_is_told_by_what_is_known_of_its_agent() {
    let mut harness = Harness::new(&Config::default());
    let here = harness.register(1);
    let silent = harness.register(2);
    let gone = harness.register(3);
    harness.mark_gone(&gone).unwrap();
    harness.subscribe(4, framework_info(None));
    for _ in 0..6 {
        harness.agent(1, ToMaster::Pong);
        harness.wait(Duration::from_secs(15));
    }
    harness.take();
    let never = agent_id("never");
    let agents = [Some(&here), Some(&silent), Some(&gone), Some(&never), None];
    for agent in agents {
        harness.call(4, ask("t", agent));
    }
    let said = told(&harness.take());
    let states: std::vec::Vec<_> = said.iter().map(|status| status.state).collect();
    use TaskState as S;
    let expected = [
        S::Gone,
        S::Unreachable,
        S::GoneByOperator,
        S::Unknown,
        S::Unknown,
    ];
    assert_eq!(states, expected);
    assert_eq!(said[1].unreachable_at, Some(Wall(75_000)));
    // Nothing is known of any task.
    harness.call(4, ask_all());
    assert_eq!(harness.take(), []);
}

#[test]
fn a_framework_without_partition_awareness_hears_lost_for_all_of_them() {
    let mut harness = Harness::new(&Config::default());
    let here = harness.register(1);
    let mut info = framework_info(None);
    info.capabilities.partition_aware = false;
    harness.subscribe(4, info);
    harness.call(4, ask("t", Some(&here)));
    harness.call(4, ask("t", None));
    assert_eq!(told_states(&harness.take()), [TaskState::Lost; 2]);
}

#[test]
fn nobody_is_answered_while_agents_are_missing() {
    let mut harness = Harness::new(&Config::default());
    let back = harness.register(1);
    let missing = harness.register(2);
    let mut next = harness.fail_over();
    next.subscribe(4, framework_info(Some("1.1-0000")));
    let report = reregistration(back.as_str(), 1, [].into());
    next.agent(1, ToMaster::Reregister(Arc::new(report)));
    next.take();
    next.call(4, ask("t", Some(&missing)));
    next.call(4, ask("t", None));
    assert_eq!(next.take(), []);
    assert!(
        next.notices
            .contains(&Notice::Probe(Probe::ReconcileSilent))
    );
    // One that has returned may have closed that connection since: until it answers, what it
    // reported may be older than what the leader before told.
    next.call(4, ask("t", Some(&back)));
    assert_eq!(next.take(), []);
    next.agent(1, ToMaster::Pong);
    next.call(4, ask("t", Some(&back)));
    assert_eq!(told_states(&next.take()), [TaskState::Gone]);
    // Once the other is given up, the answer is honest again.
    for _ in 0..600 {
        next.agent(1, ToMaster::Pong);
        next.wait(Duration::from_secs(1));
    }
    next.take();
    next.call(4, ask("t", Some(&missing)));
    next.call(4, ask("t", None));
    let expected = [TaskState::Unreachable, TaskState::Unknown];
    assert_eq!(told_states(&next.take()), expected);
}

#[test]
fn nobody_is_answered_while_an_agent_is_being_marked() {
    let mut harness = Harness::new(&Config::default());
    let agent = harness.register(1);
    harness.subscribe(4, framework_info(None));
    harness.prompt = false;
    harness.wait(Duration::from_secs(75));
    harness.take();
    harness.call(4, ask("t", Some(&agent)));
    harness.call(4, ask("t", None));
    assert_eq!(harness.take(), []);
    harness.store();
    harness.take();
    harness.call(4, ask("t", Some(&agent)));
    assert_eq!(told_states(&harness.take()), [TaskState::Unreachable]);
}

#[test]
fn all_tasks_are_told_in_implicit_reconciliation() {
    let mut harness = Harness::new(&Config::default());
    let agent = harness.register(1);
    harness.subscribe(2, framework_info(None));
    let offer = harness.offers()[0].id.clone();
    let tasks = ["a", "b", "c"].map(|name| task(name, &agent));
    harness.accept(2, &offer, &tasks);
    harness.take();
    harness.call(2, ask_all());
    assert_eq!(told_states(&harness.take()), [TaskState::Staging; 3]);
}

#[test]
fn an_end_that_nobody_acknowledges_is_forgotten_once_its_scheduler_is_told() {
    let (mut harness, agent, framework) = Harness::with_running_task(&Config::default());
    harness.disconnect(2);
    let mut unknown = status("t", &agent, TaskState::Dropped, None);
    unknown.update_id = None;
    harness.update(1, &framework, unknown);
    harness.subscribe(3, framework_info(Some(framework.as_str())));
    harness.take();
    harness.call(3, ask_all());
    assert_eq!(told_states(&harness.take()), [TaskState::Dropped]);
    harness.call(3, ask_all());
    assert_eq!(told_states(&harness.take()), []);
}
