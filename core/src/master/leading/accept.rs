//! Offers used: tasks are checked, put on the books, and sent to their agent.

use super::agents::Agent;
use super::arena::Index;
use super::frameworks::Framework;
use super::notice::{Notice, Probe};
use super::pool::Pool;
use super::tasks::{Arrival, Fate};
use super::validation::Need;
use super::{Effect, Leading};
use crate::ids::OfferId;
use crate::message::agent::ToAgent;
use crate::model::{
    ExecutorInfo, Filters, MalformedTask, OfferOperation, Reason, TaskInfo, TaskState,
};
use crate::outbox::Outbox;
use crate::resources::{Resources, Role};
use crate::time::Now;
use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

impl Leading {
    pub(super) fn accept(
        &mut self,
        now: Now,
        framework: Index<Framework>,
        offer_ids: &[OfferId],
        operations: &[OfferOperation],
        filters: Filters,
        fx: &mut Outbox<Effect>,
    ) {
        let pool = self.pool(framework, offer_ids);
        let mut pool = match pool {
            Ok(pool) => pool,
            Err(why) => {
                fx.push(Effect::Notice(Notice::Probe(Probe::InvalidOffers)));
                return self.drop_all(now, framework, offer_ids, operations, &why, fx);
            }
        };
        for operation in operations {
            match operation {
                OfferOperation::Launch(tasks) => self.launch(now, &mut pool, tasks, fx),
                OfferOperation::LaunchGroup { executor, tasks } => {
                    self.launch_group(now, &mut pool, executor, tasks, fx);
                }
                OfferOperation::Malformed { tasks, group } => {
                    self.refuse_malformed(now, framework, tasks, *group, fx);
                }
                OfferOperation::Resources { id, operation } => {
                    self.convert(&mut pool, id.as_ref(), operation, fx);
                }
                OfferOperation::MalformedResources { id, why } => {
                    let why = alloc::format!("Operation attempted with invalid resources: {why}");
                    self.refuse_operation(framework, id.as_ref(), &why, fx);
                }
            }
        }
        self.give_back_rest(&pool, filters);
    }

    /// Ends the offers and adds them up, if they all stand and belong together.
    fn pool(&mut self, framework: Index<Framework>, offer_ids: &[OfferId]) -> Result<Pool, String> {
        let numbers = self.check_offers(framework, offer_ids)?;
        let mut basis: Option<(Index<Agent>, Role)> = None;
        let mut left = Resources::EMPTY;
        for (id, number) in offer_ids.iter().zip(&numbers) {
            let offered = &self.offers.by_number[number];
            let (agent, role) = (offered.agent, &offered.offer.role);
            let (first, first_role) = basis.get_or_insert_with(|| (agent, role.clone()));
            if first_role != role {
                return Err(alloc::format!(
                    "Aggregated offers must be allocated to the same role. Offer {id} uses role \
                     '{role}' but another is using role '{first_role}'"
                ));
            }
            if *first != agent {
                let (one, other) = (&self.agents.arena[agent].id, &self.agents.arena[*first].id);
                return Err(alloc::format!(
                    "Aggregated offers must belong to one single agent. Offer {id} uses agent \
                     {one} and agent {other}"
                ));
            }
            let more = left.checked_add(&offered.offer.resources);
            left = more.map_err(|error| error.to_string())?;
        }
        let (agent, role) = basis.ok_or_else(|| String::from("No offers specified"))?;
        for number in numbers {
            self.take_offer(number);
        }
        Ok(Pool {
            framework,
            agent,
            role,
            offered: left.clone(),
            left,
            resized: Resources::EMPTY,
        })
    }

    /// The numbers of offers that are each named once, stand, and are this framework's.
    fn check_offers(
        &self,
        framework: Index<Framework>,
        offer_ids: &[OfferId],
    ) -> Result<Vec<u64>, String> {
        let mut seen = BTreeSet::new();
        if let Some(twice) = offer_ids.iter().find(|id| !seen.insert(*id)) {
            return Err(alloc::format!("Duplicate offer {twice} in offer list"));
        }
        let mut numbers = Vec::with_capacity(offer_ids.len());
        for id in offer_ids {
            let number = self.offer_number(id);
            numbers.push(number.ok_or_else(|| alloc::format!("Offer {id} is no longer valid"))?);
        }
        for (id, number) in offer_ids.iter().zip(&numbers) {
            let offer = &self.offers.by_number[number].offer;
            let own = &self.frameworks.arena[framework].id;
            if offer.framework_id != *own {
                return Err(alloc::format!(
                    "Offer {id} has invalid framework {} while framework {own} is expected",
                    offer.framework_id
                ));
            }
        }
        Ok(numbers)
    }

    /// No task of an accept is launched; its own offers are given back.
    fn drop_all(
        &mut self,
        now: Now,
        framework: Index<Framework>,
        offer_ids: &[OfferId],
        operations: &[OfferOperation],
        why: &str,
        fx: &mut Outbox<Effect>,
    ) {
        for id in offer_ids {
            let number = self.offer_number(id);
            if let Some(number) = number.filter(|n| self.offers.by_number[n].framework == framework)
            {
                self.give_back(number, None);
            }
        }
        let fate = Fate {
            state: TaskState::Dropped,
            reason: Reason::InvalidOffers,
            message: alloc::format!("Task launched with invalid offers: {why}"),
        };
        for operation in operations {
            for task in operation.tasks() {
                self.tell_of_unlaunched(framework, now, task, &fate, fx);
            }
            match operation {
                OfferOperation::Launch(_) | OfferOperation::LaunchGroup { .. } => {}
                OfferOperation::Malformed { tasks, .. } => {
                    for task in tasks {
                        self.tell_of_malformed(framework, now, task, &fate, fx);
                    }
                }
                OfferOperation::Resources { id, .. }
                | OfferOperation::MalformedResources { id, .. } => {
                    let why = alloc::format!("Operation attempted with invalid offers: {why}");
                    self.refuse_operation(framework, id.as_ref(), &why, fx);
                }
            }
        }
    }

    /// Tasks that are none by their descriptions.
    fn refuse_malformed(
        &self,
        now: Now,
        framework: Index<Framework>,
        tasks: &[MalformedTask],
        group: bool,
        fx: &mut Outbox<Effect>,
    ) {
        for task in tasks {
            let fate = Fate {
                state: TaskState::Error,
                reason: match group {
                    true => Reason::TaskGroupInvalid,
                    false => Reason::TaskInvalid,
                },
                message: task.why.clone(),
            };
            self.tell_of_malformed(framework, now, task, &fate, fx);
        }
    }

    fn launch(
        &mut self,
        now: Now,
        pool: &mut Pool,
        tasks: &[Arc<TaskInfo>],
        fx: &mut Outbox<Effect>,
    ) {
        // Neighbours of one executor travel together.
        let mut batch: Vec<Arc<TaskInfo>> = Vec::new();
        for task in tasks {
            let need = match self.check_task(pool.place(), &pool.left, task) {
                Ok(need) => need,
                Err(why) => {
                    self.refuse_task(now, pool.framework, task, why, fx);
                    continue;
                }
            };
            let task = self.book(now, pool, task, &need, fx);
            let same = |last: &Arc<TaskInfo>| {
                let ids = (&last.executor, &task.executor);
                matches!(ids, (Some(a), Some(b)) if a.executor_id == b.executor_id)
            };
            if !batch.is_empty() && !batch.last().is_some_and(same) {
                self.send_run(pool, core::mem::take(&mut batch), false, fx);
            }
            batch.push(task);
        }
        if !batch.is_empty() {
            self.send_run(pool, batch, false, fx);
        }
    }

    /// All tasks of a group are launched, or none.
    fn launch_group(
        &mut self,
        now: Now,
        pool: &mut Pool,
        executor: &Arc<ExecutorInfo>,
        tasks: &[Arc<TaskInfo>],
        fx: &mut Outbox<Effect>,
    ) {
        let needs = self.check_group(pool.place(), &pool.left, executor, tasks);
        let needs = match needs {
            Ok(needs) => needs,
            Err(message) => {
                let fate = Fate {
                    state: TaskState::Error,
                    reason: Reason::TaskGroupInvalid,
                    message,
                };
                for task in tasks {
                    self.tell_of_unlaunched(pool.framework, now, task, &fate, fx);
                }
                return;
            }
        };
        let mut run = Vec::new();
        for (task, need) in tasks.iter().zip(&needs) {
            let mut task = (**task).clone();
            task.executor = Some(executor.clone());
            run.push(self.book(now, pool, &task, need, fx));
        }
        if !run.is_empty() {
            self.send_run(pool, run, true, fx);
        }
    }

    fn refuse_task(
        &self,
        now: Now,
        framework: Index<Framework>,
        task: &TaskInfo,
        message: String,
        fx: &mut Outbox<Effect>,
    ) {
        let fate = Fate {
            state: TaskState::Error,
            reason: Reason::TaskInvalid,
            message,
        };
        self.tell_of_unlaunched(framework, now, task, &fate, fx);
    }

    /// Puts a task, and its executor if that is new, on the books. Returns it as it is sent, with
    /// its resources marked for the role: so the agent reports it to the next leader.
    fn book(
        &mut self,
        now: Now,
        pool: &mut Pool,
        task: &TaskInfo,
        need: &Need,
        fx: &mut Outbox<Effect>,
    ) -> Arc<TaskInfo> {
        let framework = pool.framework;
        if let Some(lost) = self.frameworks.arena[framework].tasks.get(&task.task_id) {
            self.remove_task(now, *lost);
        }
        pool.left = take(&pool.left, need);
        let executor = need.executor.as_ref().map(|(_, resources)| resources);
        for used in core::iter::once(&need.task).chain(executor) {
            let copies = used.shared();
            if !copies.is_empty() {
                let role = &pool.role;
                let taken = self.allocation.charge(framework, pool.agent, role, &copies);
                assert!(taken, "what is shared and was offered is there");
            }
        }
        let mut info = task.clone();
        info.resources = need.task.allocated_to(&pool.role);
        info.executor = info.executor.map(|executor| {
            let mut marked = (*executor).clone();
            marked.resources = marked.resources.unallocated().allocated_to(&pool.role);
            Arc::new(marked)
        });
        if need.executor.is_some()
            && let Some(executor) = &info.executor
        {
            self.add_executor(pool.agent, framework, executor.clone(), true, fx);
        }
        let info = Arc::new(info);
        let arrival = Arrival {
            info: info.clone(),
            state: TaskState::Staging,
            reported: TaskState::Staging,
            awaiting: None,
            charged: true,
            only_reported: false,
        };
        self.add_task(now, framework, pool.agent, arrival, fx);
        info
    }

    fn send_run(
        &self,
        pool: &Pool,
        tasks: Vec<Arc<TaskInfo>>,
        group: bool,
        fx: &mut Outbox<Effect>,
    ) {
        let peer = self.agents.arena[pool.agent].peer;
        let peer = peer.expect("only agents that are connected have offers");
        let framework = self.frameworks.arena[pool.framework].info.clone();
        let message = ToAgent::Run {
            framework,
            tasks,
            group,
        };
        fx.push(Effect::ToAgent { peer, message });
    }
}

/// What is left once a task was launched that was checked against `left`.
///
/// A shared volume stays: however many tasks use it, each holds a copy of its own.
fn take(left: &Resources, need: &Need) -> Resources {
    let rest = left.checked_sub(&need.task.exclusive());
    let rest = match &need.executor {
        Some((_, executor)) => rest.and_then(|rest| rest.checked_sub(&executor.exclusive())),
        None => rest,
    };
    rest.expect("checked to be within what is left")
}
