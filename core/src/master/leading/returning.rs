//! What a leader learns from an agent that returns: its tasks, executors and frameworks. After an
//! election this is all that there is to learn from; later it is compared with what is known.

use super::agents::{Agent, Executor, Returning};
use super::arena::Index;
use super::frameworks::Framework;
use super::notice::{Notice, Probe};
use super::registration::total_of;
use super::tasks::{Arrival, Task, may_be_said, newest, role_of};
use super::{Effect, Leading};
use crate::ids::{ExecutorId, FrameworkId, TaskId};
use crate::message::agent::{Reregistration, TaskReport, ToAgent};
use crate::model::{ExecutorInfo, Reason, TaskState};
use crate::outbox::Outbox;
use crate::resources::Resources;
use crate::time::Now;
use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// What an agent is to be told once its report is taken in.
#[derive(Default)]
struct Consequences {
    /// Tasks that it did not report.
    missing: Vec<(FrameworkId, TaskId)>,
    /// Frameworks that have ended.
    ended: BTreeSet<FrameworkId>,
    /// Tasks that are to end, with their grace period.
    kills: Vec<ToAgent>,
    returned: usize,
    /// Whether the registry called the agent unreachable: frameworks were told so of its tasks,
    /// perhaps by a leader before this one, which never heard of them.
    was_marked: bool,
}

impl Leading {
    /// Takes back an agent that is admitted in the registry, with all that it reports.
    pub(super) fn take_back(
        &mut self,
        now: Now,
        index: Index<Agent>,
        returning: &Returning,
        was_marked: bool,
        fx: &mut Outbox<Effect>,
    ) {
        let report = &*returning.report;
        if let Some(peer) = returning.peer {
            self.bind_agent(index, peer, fx);
        }
        self.rescind_agent(index, fx);
        let agent = &mut self.agents.arena[index];
        agent.run = report.run;
        agent.reregistered_at = Some(now.wall);
        let agent_id = agent.id.clone();
        self.take_total(index, report);
        self.recover_frameworks(now, report, fx);
        self.merge_operations(index, &report.operations, fx);
        let told = self.merge(now, index, report, was_marked, fx);
        fx.push(Effect::Notice(Notice::AgentReregistered {
            agent_id: agent_id.clone(),
            tasks: report.tasks.len(),
            was_unreachable: was_marked,
        }));
        if told.returned > 0 {
            fx.push(Effect::Notice(Notice::Probe(Probe::TasksReturned)));
        }
        let Some(peer) = returning.peer else {
            return;
        };
        if !told.missing.is_empty() {
            fx.push(Effect::Notice(Notice::Probe(Probe::TaskMissingInReport)));
        }
        let message = if returning.tell_id {
            self.registered(agent_id)
        } else {
            ToAgent::Reregistered {
                ballot: self.ballot,
                ping_timeout: self.config.agent_timeout(),
                reconcile: told.missing,
            }
        };
        self.greet_agent(now, index, message, fx);
        let ended = told.ended.into_iter();
        let ended = ended.map(|framework_id| ToAgent::ShutdownFramework { framework_id });
        for message in ended.chain(told.kills) {
            fx.push(Effect::ToAgent { peer, message });
        }
        self.tell_changed_frameworks(peer, report, fx);
        self.tell_to_drain(index, fx);
    }

    /// What an agent says that it has is what it has.
    fn take_total(&mut self, index: Index<Agent>, report: &Reregistration) {
        let agent = &mut self.agents.arena[index];
        let total = total_of(&agent.info, &report.kept);
        if total == agent.total {
            return;
        }
        agent.shrank |= !total.contains(&agent.total);
        if self.allocation.change_agent_total(index, &total) {
            agent.total = total;
        } else {
            // More than can be counted: what it has is not offered.
            let counted = self.allocation.change_agent_total(index, &Resources::EMPTY);
            agent.total = Resources::EMPTY;
            agent.shrank |= counted;
        }
    }

    /// Frameworks that a scheduler described anew while the agent was away.
    fn tell_changed_frameworks(
        &self,
        peer: crate::ids::Peer,
        report: &Reregistration,
        fx: &mut Outbox<Effect>,
    ) {
        for theirs in &report.frameworks {
            let Some(id) = &theirs.id else { continue };
            let Some(index) = self.frameworks.find(id) else {
                continue;
            };
            let ours = &self.frameworks.arena[index];
            if ours.heard_of && ours.info != *theirs {
                let framework = ours.info.clone();
                let message = ToAgent::UpdateFramework { framework };
                fx.push(Effect::ToAgent { peer, message });
            }
        }
    }

    /// Frameworks of which no scheduler has told this leader yet.
    fn recover_frameworks(&mut self, now: Now, report: &Reregistration, fx: &mut Outbox<Effect>) {
        for info in &report.frameworks {
            let Some(id) = &info.id else { continue };
            if self.frameworks.find(id).is_some() || self.frameworks.is_removed(id) {
                continue;
            }
            let mut framework = Framework::new(id.clone(), info.clone(), now.wall);
            framework.disconnected_at = Some(now.wall);
            let index = self.frameworks.insert(framework);
            let nothing = BTreeSet::new();
            self.allocation.put_framework(index, info, &nothing, false);
            // It was not its scheduler that went away: even a framework that is not to outlive
            // its scheduler may take as long to return as an agent may. (Mesos waits for ever.)
            self.start_failover(now, index, self.config.agent_reregister_timeout);
            fx.push(Effect::Notice(Notice::FrameworkRecovered {
                framework_id: id.clone(),
            }));
        }
    }

    fn merge(
        &mut self,
        now: Now,
        index: Index<Agent>,
        report: &Reregistration,
        was_marked: bool,
        fx: &mut Outbox<Effect>,
    ) -> Consequences {
        let mut told = Consequences {
            was_marked,
            ..Consequences::default()
        };
        let mut reported: BTreeSet<Index<Task>> = BTreeSet::new();
        for task in &report.tasks {
            if let Some(task) = self.merge_task(now, index, task, &mut told, fx) {
                reported.insert(task);
            }
        }
        self.find_missing(now, index, &reported, &mut told, fx);
        self.merge_executors(index, &report.executors, &mut told, fx);
        told
    }

    /// Compares one task with what is known of it. Returns it if it is one of this agent's.
    fn merge_task(
        &mut self,
        now: Now,
        agent: Index<Agent>,
        report: &TaskReport,
        told: &mut Consequences,
        fx: &mut Outbox<Effect>,
    ) -> Option<Index<Task>> {
        let (framework_id, task_id) = (&report.framework_id, &report.info.task_id);
        if self.frameworks.is_removed(framework_id) {
            told.ended.insert(framework_id.clone());
            return None;
        }
        let agent_id = &self.agents.arena[agent].id;
        let framework = self.frameworks.find(framework_id);
        let sensible = report.info.agent_id == *agent_id
            && may_be_said(report.state)
            && may_be_said(report.latest_state);
        let Some(framework) = framework.filter(|_| sensible) else {
            let what = alloc::format!(
                "{agent_id} reports task {task_id} of {framework_id} on {} as {}: it cannot",
                report.info.agent_id,
                report.latest_state
            );
            fx.push(Effect::Notice(Notice::Ignored { what }));
            return None;
        };
        let owner = &self.frameworks.arena[framework];
        let latest = newest(report.state, report.latest_state);
        let over = latest.is_terminal();
        let Some(known) = owner.tasks.get(task_id).copied() else {
            let ended = |e: &&Arc<super::tasks::Ended>| {
                e.info.task_id == *task_id && e.info.agent_id == *agent_id
            };
            if over && owner.completed.iter().any(|e| ended(&e)) {
                // The framework has acknowledged its end; should the agent still wait for that,
                // it sends its update again.
                return None;
            }
            let arrival = arrival_of(report, latest);
            let task = self.add_task(now, framework, agent, arrival, fx);
            if told.was_marked {
                self.tell_returned(now, task, report, told, fx);
            }
            return Some(task);
        };
        let record = &self.tasks[known];
        let ours = match record.agent {
            Some(holder) => holder == agent,
            None => record.info.agent_id == *agent_id,
        };
        if !ours {
            // The framework used the id anew while this agent was away: never two at a time.
            if !over {
                fx.push(Effect::Notice(Notice::Probe(Probe::DuplicateTaskKilled)));
                told.kills.push(ToAgent::Kill {
                    framework_id: framework_id.clone(),
                    task_id: task_id.clone(),
                    grace: None,
                });
            }
            return None;
        }
        self.refresh(now, known, agent, report, told, fx);
        Some(known)
    }

    /// The agent's word on one of its tasks.
    fn refresh(
        &mut self,
        now: Now,
        known: Index<Task>,
        agent: Index<Agent>,
        report: &TaskReport,
        told: &mut Consequences,
        fx: &mut Outbox<Effect>,
    ) {
        let before = self.tasks[known].state;
        if self.tasks[known].agent.is_none() {
            self.sight(known, agent, fx);
        }
        let latest = newest(report.state, report.latest_state);
        if before.may_become_at_master(latest) {
            let reason = Some(Reason::AgentReregistered);
            self.set_state(now, known, latest, reason, fx);
        } else if before != latest {
            fx.push(Effect::Notice(Notice::Probe(Probe::UpdateNotLegal)));
            return;
        }
        let record = &mut self.tasks[known];
        record.reported = report.state;
        record.awaiting = report.unacknowledged;
        record.only_reported = false;
        if let Some(kill) = record.kill.take()
            && !latest.is_terminal()
        {
            told.kills.push(ToAgent::Kill {
                framework_id: report.framework_id.clone(),
                task_id: report.info.task_id.clone(),
                grace: kill.grace,
            });
        }
        let returned =
            before == TaskState::Unreachable || before == TaskState::Lost && before != latest;
        if !returned {
            return;
        }
        self.tell_returned(now, known, report, told, fx);
    }

    /// What was said to be out of reach, or lost, is there again.
    fn tell_returned(
        &mut self,
        now: Now,
        task: Index<Task>,
        report: &TaskReport,
        told: &mut Consequences,
        fx: &mut Outbox<Effect>,
    ) {
        told.returned += 1;
        if report.state.is_terminal() {
            // An end is told by the agent itself, to be acknowledged.
            return;
        }
        let reason = Reason::AgentReregistered;
        let status = self.status_of(now, task, report.state, reason, "the agent is back");
        let status = Arc::new(status);
        self.tasks[task].history.note(&status);
        let framework = self.tasks[task].framework;
        self.tell(framework, status, fx);
    }

    /// A task that was out of sight is seen again.
    fn sight(&mut self, task: Index<Task>, agent: Index<Agent>, fx: &mut Outbox<Effect>) {
        let id = self.tasks[task].info.agent_id.clone();
        if let Some(lost) = self.out_of_sight.get_mut(&id) {
            lost.remove(&task);
            if lost.is_empty() {
                self.out_of_sight.remove(&id);
            }
        }
        self.attach_task(task, agent, fx);
    }

    /// Tasks that the agent did not report. A launch may still be on its way to it: the agent
    /// decides (MESOS-1696, MESOS-1715). What an older report named and nothing else did is over
    /// since, and its scheduler has acknowledged that, through an earlier leader: otherwise the
    /// agent would not have forgotten it.
    fn find_missing(
        &mut self,
        now: Now,
        agent: Index<Agent>,
        reported: &BTreeSet<Index<Task>>,
        told: &mut Consequences,
        fx: &mut Outbox<Effect>,
    ) {
        let record = &self.agents.arena[agent];
        let here = record.tasks.iter();
        let lost = self.out_of_sight.get(&record.id).into_iter().flatten();
        let missing: Vec<_> = here
            .chain(lost)
            .copied()
            .filter(|task| !reported.contains(task))
            .collect();
        for task in missing {
            let record = &self.tasks[task];
            if record.only_reported && !record.state.is_terminal() {
                fx.push(Effect::Notice(Notice::Probe(Probe::TaskOverBefore)));
                let reason = Some(Reason::Reconciliation);
                self.set_state(now, task, TaskState::Gone, reason, fx);
            }
            let record = &self.tasks[task];
            if record.state.is_terminal() {
                // Over, and the agent has nothing to say of it any more.
                self.remove_task(now, task);
                continue;
            }
            let framework = &self.frameworks.arena[record.framework];
            let names = (framework.id.clone(), record.info.task_id.clone());
            if record.agent.is_none() {
                self.sight(task, agent, fx);
            }
            told.missing.push(names);
        }
    }

    fn merge_executors(
        &mut self,
        agent: Index<Agent>,
        reported: &[Arc<ExecutorInfo>],
        told: &mut Consequences,
        fx: &mut Outbox<Effect>,
    ) {
        let mut seen: BTreeSet<(Index<Framework>, ExecutorId)> = BTreeSet::new();
        for info in reported {
            if self.frameworks.is_removed(&info.framework_id) {
                told.ended.insert(info.framework_id.clone());
                continue;
            }
            let Some(framework) = self.frameworks.find(&info.framework_id) else {
                continue;
            };
            let key = (framework, info.executor_id.clone());
            if !self.agents.arena[agent].executors.contains_key(&key) {
                self.add_executor(agent, framework, info.clone(), false, fx);
            }
            seen.insert(key);
        }
        let record = &self.agents.arena[agent];
        // An executor whose launch is still on its way has a task that was not reported either.
        for task in &record.tasks {
            let task = &self.tasks[*task];
            if !task.state.is_terminal()
                && let Some(executor) = task.executor_id()
            {
                seen.insert((task.framework, executor.clone()));
            }
        }
        let over: Vec<_> = record
            .executors
            .keys()
            .filter(|key| !seen.contains(*key))
            .cloned()
            .collect();
        for (framework, executor) in over {
            self.remove_executor(agent, framework, &executor);
        }
    }

    /// Keeps track of an executor on an agent. `charged` says that its resources were offered and
    /// are on the account already.
    pub(super) fn add_executor(
        &mut self,
        agent: Index<Agent>,
        framework: Index<Framework>,
        info: Arc<ExecutorInfo>,
        charged: bool,
        fx: &mut Outbox<Effect>,
    ) {
        let owner = &mut self.frameworks.arena[framework];
        let mut executor = Executor { info, charged };
        if !charged {
            let role = role_of(&executor.info.resources, &owner.info);
            let resources = executor.info.resources.unallocated();
            executor.charged = self.allocation.charge(framework, agent, &role, &resources);
        }
        if !executor.charged {
            let what = alloc::format!(
                "executor {} uses more than is left on its agent",
                executor.info.executor_id
            );
            fx.push(Effect::Notice(Notice::Ignored { what }));
        }
        owner.arrive(agent);
        let key = (framework, executor.info.executor_id.clone());
        let before = self.agents.arena[agent].executors.insert(key, executor);
        assert!(before.is_none(), "an executor runs once on an agent");
    }

    /// Forgets an executor, and gives back what it used.
    pub(super) fn remove_executor(
        &mut self,
        agent: Index<Agent>,
        framework: Index<Framework>,
        executor_id: &ExecutorId,
    ) -> bool {
        let key = (framework, executor_id.clone());
        let Some(executor) = self.agents.arena[agent].executors.remove(&key) else {
            return false;
        };
        let owner = &mut self.frameworks.arena[framework];
        owner.leave(agent);
        if executor.charged {
            let role = role_of(&executor.info.resources, &owner.info);
            let resources = executor.info.resources.unallocated();
            self.allocation
                .recover(framework, agent, &role, &resources, None);
        }
        true
    }
}

/// A task that this leader hears of for the first time.
fn arrival_of(report: &TaskReport, latest: TaskState) -> Arrival {
    Arrival {
        info: report.info.clone(),
        state: latest,
        reported: report.state,
        awaiting: report.unacknowledged,
        charged: false,
        only_reported: true,
    }
}
