//! What masters, agents, frameworks and tasks do, as the watcher sees it.

use super::{Observer, Occurrence};
use crate::node::NodeIndex;
use crate::time::SimTime;
use tepui_core::ids::{FrameworkId, TaskId};
use tepui_core::master::leading::Notice as ClusterNotice;
use tepui_core::master::{MasterNode, Notice as MasterNotice};
use tepui_core::message::agent::{OperationReport, ToAgent};
use tepui_core::message::operator::{Answer, Refusal, Request, RequestId};
use tepui_core::message::scheduler::{Call, Event, ToMaster, ToScheduler};
use tepui_core::model::{
    AgentMark, DrainState, OfferOperation, OperationState, TaskState, TaskStatus,
};
use tepui_core::resources::Resources;
use tepui_core::{agent, scheduler};

const fn marked(mark: Option<AgentMark>) -> &'static str {
    match mark {
        None => "agent-reactivated",
        Some(AgentMark { drain: None }) => "agent-deactivated",
        Some(AgentMark { drain: Some(drain) }) => match drain.state {
            DrainState::Draining => "agent-draining",
            DrainState::Drained => "agent-drained",
        },
    }
}

impl Observer {
    /// A master handled an input.
    pub fn on_registry(&mut self, at: SimTime, node: NodeIndex, master: &MasterNode) {
        let applied = master.applied();
        let result = self
            .registry
            .on_replica(node.slot(), applied, master.registry());
        self.judge(at, node, result);
        if let Some(leading) = master.leading() {
            let result = self.quota.on_handled(leading);
            self.judge(at, node, result);
        }
        let leads = self.leading.is_some_and(|(leader, _)| leader == node);
        if leads && !self.operators.is_idle() && master.leading().is_some() {
            let result = self.operators.on_registry(master.registry());
            self.judge(at, node, result);
        }
    }

    /// A master takes in what an operator asks.
    pub fn on_operator_request(&mut self, id: RequestId, request: &Request) {
        if matches!(request, Request::StartMaintenance { .. }) {
            self.tasks.gone_may_run = true;
        }
        if let Request::Operate { operation, .. } = request {
            self.volumes.on_asked(operation);
        }
        self.operators.on_request(id, request);
    }

    /// An operator is answered.
    pub fn on_operator_answer(
        &mut self,
        at: SimTime,
        node: NodeIndex,
        id: RequestId,
        answer: &Result<Answer, Refusal>,
        told: &str,
    ) {
        let done = answer.is_ok();
        self.operators.on_answer(id, done);
        self.answers.push((id, answer.clone()));
        let name = if done {
            "operator-done"
        } else {
            "operator-refused"
        };
        self.probe(if done {
            "operator.done"
        } else {
            "operator.refused"
        });
        self.occur(Occurrence::Cluster { name, node });
        if self.timeline.enabled() {
            self.note(at, node, told);
        }
    }

    /// A line of a master.
    pub fn on_master_notice(&mut self, at: SimTime, node: NodeIndex, notice: &MasterNotice) {
        match notice {
            MasterNotice::Elected { ballot } => self.on_master_elected(at, node, *ballot),
            MasterNotice::Demoted { ballot, why } => self.on_demoted(at, node, *ballot, *why),
            MasterNotice::Leading {
                ballot,
                version,
                agents,
            } => {
                self.operators.on_leader();
                self.occur(Occurrence::LeaderServes { node });
                if self.timeline.enabled() {
                    let text = format!(
                        "serves with ballot {ballot}, registry version {version}, waits for \
                         {agents} agents"
                    );
                    self.note(at, node, &text);
                }
            }
            MasterNotice::RegistrarEnded { why } => {
                self.probe("master.registrar-ended");
                if self.timeline.enabled() {
                    self.note(at, node, &format!("its registrar ended: {why}"));
                }
            }
            MasterNotice::SteppingDown { why } => {
                self.probe("master.stepping-down");
                if self.timeline.enabled() {
                    self.note(at, node, &format!("steps down: {why}"));
                }
            }
            MasterNotice::Cluster(notice) => self.on_cluster_notice(at, node, notice),
            MasterNotice::OperationRejected { why } => {
                self.probe("master.operation-rejected");
                if self.timeline.enabled() {
                    self.note(at, node, &format!("an operation was rejected: {why}"));
                }
            }
            MasterNotice::Log(_)
            | MasterNotice::LeaderChanged { .. }
            | MasterNotice::Stored { .. } => {}
        }
    }

    fn on_cluster_notice(&mut self, at: SimTime, node: NodeIndex, notice: &ClusterNotice) {
        let (probe, occurrence, loud) = match notice {
            ClusterNotice::AgentAdmitted { .. } => {
                self.tallies.agents_admitted += 1;
                ("master.agent-admitted", Some("agent-registered"), true)
            }
            ClusterNotice::AgentReregistered { .. } => (
                "master.agent-reregistered",
                Some("agent-reregistered"),
                true,
            ),
            ClusterNotice::AgentDisconnected { .. } => (
                "master.agent-disconnected",
                Some("agent-disconnected"),
                true,
            ),
            ClusterNotice::AgentUnreachable { .. } => {
                self.tallies.agents_unreachable += 1;
                ("master.agent-unreachable", Some("agent-unreachable"), true)
            }
            ClusterNotice::AgentGone { .. } => ("master.agent-gone", Some("agent-gone"), true),
            ClusterNotice::AgentRemoved { .. } => {
                self.tallies.agents_removed += 1;
                ("master.agent-removed", Some("agent-removed"), true)
            }
            ClusterNotice::AgentMarked { mark, .. } => {
                ("master.agent-marked", Some(marked(*mark)), true)
            }
            ClusterNotice::AgentRefused { .. } => ("master.agent-refused", None, true),
            ClusterNotice::FrameworkSubscribed { .. } => (
                "master.framework-subscribed",
                Some("framework-subscribed"),
                true,
            ),
            ClusterNotice::FrameworkChanged { .. } => ("master.framework-changed", None, true),
            ClusterNotice::FrameworkFailedOver { .. } => (
                "master.framework-failed-over",
                Some("framework-failed-over"),
                true,
            ),
            ClusterNotice::FrameworkDisconnected { .. } => {
                ("master.framework-disconnected", None, true)
            }
            ClusterNotice::FrameworkRecovered { .. } => ("master.framework-recovered", None, true),
            ClusterNotice::FrameworkRemoved { .. } => {
                self.tallies.frameworks_removed += 1;
                ("master.framework-removed", Some("framework-removed"), true)
            }
            ClusterNotice::TaskState { .. } => ("master.task-state", None, false),
            ClusterNotice::Offered { count, .. } => {
                self.tallies.offers += *count as u64;
                ("master.offered", Some("offered"), false)
            }
            ClusterNotice::Rescinded { .. } => ("master.rescinded", Some("rescinded"), false),
            ClusterNotice::AskedToLeave { .. } => {
                ("master.asked-to-leave", Some("asked-to-leave"), true)
            }
            ClusterNotice::Operation { .. } => ("master.operation", Some("operation"), true),
            ClusterNotice::Ignored { .. } => ("master.ignored", None, false),
            ClusterNotice::Probe(probe) => (probe.name(), None, false),
        };
        self.probe(probe);
        if let Some(name) = occurrence {
            self.occur(Occurrence::Cluster { name, node });
        }
        if self.timeline.enabled() && (loud || self.timeline.chatty()) {
            self.note(at, node, &notice.to_string());
        }
    }

    /// A line of an agent.
    pub fn on_agent_notice(&mut self, at: SimTime, node: NodeIndex, notice: &agent::Notice) {
        use agent::Notice as N;
        let loud = matches!(
            notice,
            N::Recovered { .. } | N::Reregistered { .. } | N::LostMaster(_) | N::StaleLeader { .. }
        );
        match notice {
            N::Probe(probe) => self.probe(probe.id()),
            N::StaleLeader { .. } => self.probe("agent.stale-leader-refused"),
            N::LostMaster(agent::LostMaster::Silent) => self.probe("agent.master-silent"),
            N::Refused { .. } => self.probe("agent.refused"),
            _ => {}
        }
        if self.timeline.enabled() && (loud || self.timeline.chatty()) {
            self.note(at, node, &notice.to_string());
        }
    }

    /// A line of a framework.
    pub fn on_framework_notice(
        &mut self,
        at: SimTime,
        node: NodeIndex,
        notice: &scheduler::Notice,
    ) {
        use scheduler::Notice as N;
        let loud = matches!(
            notice,
            N::Subscribed { .. }
                | N::Disconnected { .. }
                | N::Reconciled { .. }
                | N::Settled
                | N::Stopping { .. }
                | N::CallRejected { .. }
        );
        match notice {
            N::CallRejected { .. } => self.probe("scheduler.call-rejected"),
            N::CallDropped { .. } => self.probe("scheduler.call-dropped"),
            N::DuplicateUpdate { .. } => self.probe("scheduler.duplicate-update"),
            N::Reconciled { .. } => self.probe("scheduler.reconciled"),
            N::Settled => self.occur(Occurrence::Cluster {
                name: "settled",
                node,
            }),
            N::JobOver { .. } => self.tallies.jobs_over += 1,
            _ => {}
        }
        if self.timeline.enabled() && (loud || self.timeline.chatty()) {
            self.note(at, node, &notice.to_string());
        }
    }

    /// A scheduler hears something.
    pub fn on_scheduler_event(&mut self, at: SimTime, node: NodeIndex, message: &ToScheduler) {
        let ToScheduler::Event(event) = message else {
            return;
        };
        match event {
            Event::Subscribed { framework_id, .. } => {
                self.on_subscribed(at, node, framework_id);
            }
            Event::Update { status } => {
                let Some(framework) = self.frameworks.get(&node).cloned() else {
                    return;
                };
                self.on_told(at, node, &framework, &status.task_id, status.state);
            }
            _ => {}
        }
    }

    fn on_subscribed(&mut self, at: SimTime, node: NodeIndex, framework: &FrameworkId) {
        let before = self.frameworks.insert(node, framework.clone());
        if before.is_some_and(|before| before != *framework) {
            self.probe("scheduler.became-another-framework");
        }
        let twice = self
            .frameworks
            .iter()
            .any(|(other, id)| *other != node && id == framework);
        if twice && !self.shared_frameworks {
            let found = format!("{framework} was given to two schedulers");
            self.violate(at, node, "frameworks.one-identity", found);
        }
        self.occur(Occurrence::Cluster {
            name: "subscribed",
            node,
        });
    }

    fn on_told(
        &mut self,
        at: SimTime,
        node: NodeIndex,
        framework: &FrameworkId,
        task: &TaskId,
        state: TaskState,
    ) {
        let result = self.tasks.on_told(framework, task, state);
        self.judge(at, node, result);
        match state {
            TaskState::Lost | TaskState::Gone | TaskState::Dropped => self.tallies.tasks_lost += 1,
            TaskState::Unreachable => self.tallies.tasks_unreachable += 1,
            TaskState::Failed | TaskState::Error => self.tallies.tasks_failed += 1,
            TaskState::Killed => self.tallies.tasks_killed += 1,
            TaskState::Finished => self.tallies.tasks_finished += 1,
            _ => {}
        }
        self.occur(Occurrence::Task { node, state });
        let rare = matches!(
            state,
            TaskState::Lost
                | TaskState::Gone
                | TaskState::Dropped
                | TaskState::Unreachable
                | TaskState::Unknown
                | TaskState::Error
        );
        if self.timeline.enabled() && (rare || self.timeline.chatty()) {
            self.note(at, node, &format!("is told that {task} is {state}"));
        }
    }

    /// A scheduler says something.
    pub fn on_scheduler_call(&mut self, _at: SimTime, _node: NodeIndex, message: &ToMaster) {
        self.tallies.calls += 1;
        if let Call::Accept { operations, .. } = &message.call {
            for operation in operations {
                if let OfferOperation::Resources { operation, .. } = operation {
                    self.volumes.on_asked(operation);
                }
            }
        }
    }

    /// A master speaks to an agent.
    pub fn on_master_to_agent(&mut self, at: SimTime, node: NodeIndex, message: &ToAgent) {
        match message {
            ToAgent::Acknowledge { update_id, .. } => self.tasks.on_acknowledge(*update_id),
            ToAgent::Run { tasks, .. } if !self.operators.is_idle() => {
                for task in tasks {
                    let result = self.operators.on_launch(&task.agent_id);
                    self.judge(at, node, result);
                }
            }
            _ => {}
        }
    }

    /// A master speaks to a scheduler.
    pub fn on_master_to_scheduler(&mut self, at: SimTime, node: NodeIndex, message: &ToScheduler) {
        if let ToScheduler::Event(Event::Offers(offers)) = message
            && !self.operators.is_idle()
        {
            for offer in offers {
                self.quota.on_offer(offer);
                let result = self.operators.on_offer(offer);
                self.judge(at, node, result);
            }
        }
    }

    /// An agent hands a write to its disk.
    pub fn on_agent_write(&mut self, at: SimTime, node: NodeIndex, write: &agent::Write) {
        if let agent::Write::UpdateAcknowledged { update_id, .. } = write {
            let result = self.tasks.on_acknowledged(*update_id);
            self.judge(at, node, result);
        }
    }

    /// An agent tells a master of an update while these of its writes are not durable.
    pub fn on_agent_update<'a>(
        &mut self,
        at: SimTime,
        node: NodeIndex,
        status: &TaskStatus,
        mut unsynced: impl Iterator<Item = &'a agent::Write>,
    ) {
        let is_early = unsynced.any(|write| {
            matches!(write, agent::Write::UpdateReceived { status: written, .. }
                if written.update_id == status.update_id)
        });
        if is_early {
            let found = format!("{} of {} is told early", status.state, status.task_id);
            self.violate(at, node, "agents.vouched-is-durable", found);
        }
    }

    /// An agent tells a master how an operation went, while these of its writes are not durable.
    pub fn on_agent_operation<'a>(
        &mut self,
        at: SimTime,
        node: NodeIndex,
        report: &OperationReport,
        mut unsynced: impl Iterator<Item = &'a agent::Write>,
    ) {
        let is_early = unsynced.any(|write| {
            matches!(write, agent::Write::OperationSettled { report: written, .. }
                if written.uuid == report.uuid)
        });
        if is_early {
            let found = format!("how operation {} went is told early", report.uuid);
            self.violate(at, node, "agents.vouched-is-durable", found);
        }
        if report.status.state == OperationState::Finished {
            self.volumes.on_done(node.slot(), &report.operation);
        }
    }

    /// An agent tells a master that it is there, with all that it has.
    pub fn on_agent_report(&mut self, at: SimTime, node: NodeIndex, total: &Resources) {
        let result = self.volumes.on_report(node.slot(), total);
        self.judge(at, node, result);
    }

    /// An agent's host empties volumes.
    pub fn on_volumes_wiped(&mut self, at: SimTime, node: NodeIndex, volumes: &Resources) {
        let result = self.volumes.on_wiped(node.slot(), volumes);
        self.judge(at, node, result);
    }

    /// A task's process starts.
    pub fn on_process_start(
        &mut self,
        at: SimTime,
        node: NodeIndex,
        framework: &FrameworkId,
        task: &TaskId,
    ) {
        self.tallies.task_starts += 1;
        let result = self.tasks.on_start(framework, task);
        self.judge(at, node, result);
        self.occur(Occurrence::Cluster {
            name: "process-started",
            node,
        });
        if self.timeline.chatty() {
            self.note(at, node, &format!("a process of {framework}/{task} starts"));
        }
    }

    /// A task's process is over.
    pub fn on_process_end(
        &mut self,
        at: SimTime,
        node: NodeIndex,
        framework: &FrameworkId,
        task: &TaskId,
    ) {
        self.tasks.on_end(framework, task);
        if self.timeline.chatty() {
            self.note(at, node, &format!("the process of {framework}/{task} ends"));
        }
    }
}
