//! The agent as one machine: who handles what, and nothing leaves before it is durable.

use super::executors::{ExecutorRun, ExecutorState};
use super::invariants::INVARIANTS;
use super::registration::Registration;
use super::{Checkpoint, Config, Effect, Input, Notice, Probe, Recovered, Write};
use crate::durable::Parked;
use crate::ids::{
    AgentId, ContainerId, ExecutorId, FrameworkId, OperationUuid, Peer, TaskId, UpdateId,
};
use crate::invariant::{self, Cost, Violation};
use crate::log::Ballot;
use crate::machine::Machine;
use crate::message::agent::ToMaster;
use crate::model::{AgentInfo, DrainConfig, TaskState};
use crate::outbox::Outbox;
use crate::resources::Resources;
use crate::rng::Rng;
use crate::time::{Now, Time, Wall};
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// A bound on what one input may cause, for drivers' outboxes: an executor with as many tasks as
/// [`Config::tasks_max`] allows by default may end all at once.
pub const EFFECTS_MAX: usize = 1 << 17;

/// How many parked effects leave with one input; the rest follows at once, with the next.
const RELEASED_MAX: usize = 4096;

/// What the agent is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Not begun.
    Starting,
    /// Waits for executors to come back before it tells a master.
    Recovering,
    /// Registers and runs tasks.
    Serving,
    /// Told to end for good; waits for its containers.
    Ending {
        /// Whether the master is to be told.
        unregister: bool,
    },
    /// Over.
    Ended,
}

/// Names of the agent's deadlines.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// To begin.
    Start,
    /// The link to the master.
    Registration,
    /// The wait for executors.
    Recovery,
    /// An executor's registration, end or destruction.
    Executor(ContainerId),
    /// The retry of a task's update.
    Update(FrameworkId, TaskId),
    /// The retry of an operation's outcome.
    Operation(OperationUuid),
}

/// What the leader said when it wanted the agent to be empty. Said again whenever the agent
/// returns, so that it need not be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drain {
    /// How.
    pub config: DrainConfig,
    /// When it was said first.
    pub since: Wall,
}

/// The agent.
#[derive(Clone, Debug)]
pub struct AgentNode {
    pub(super) config: Config,
    pub(super) rng: Rng,
    pub(super) info: Arc<AgentInfo>,
    pub(super) boot_id: String,
    pub(super) live_containers: Vec<ContainerId>,
    pub(super) lost_in_recovery: usize,
    pub(super) stage: Stage,
    pub(super) checkpoint: Checkpoint,
    pub(super) parked: Parked<Effect>,
    pub(super) writes_since_snapshot: u64,
    /// After how many writes the journal's length is looked at again.
    look_after_writes: u64,
    pub(super) registration: Registration,
    pub(super) runs: BTreeMap<ContainerId, ExecutorRun>,
    pub(super) executor_peers: BTreeMap<Peer, ContainerId>,
    /// Heads in flight: which update, and how often it was sent again.
    pub(super) flights: BTreeMap<(FrameworkId, TaskId), (UpdateId, u32)>,
    /// Outcomes of operations in flight: how often each was sent again.
    pub(super) operation_flights: BTreeMap<OperationUuid, u32>,
    /// What its flags say it has, with all that came to be of that at run time.
    pub(super) total: Resources,
    pub(super) timers: Timers,
    pub(super) drain: Option<Drain>,
    last: Time,
}

type Timers = crate::timers::Timers<Timer>;

impl AgentNode {
    /// An agent whose work directory is empty.
    #[must_use]
    pub fn new(config: Config, rng: Rng, info: AgentInfo, now: Now, boot_id: &str) -> AgentNode {
        let recovered = Recovered {
            boot_id: String::from(boot_id),
            ..Recovered::default()
        };
        AgentNode::recover(config, rng, info, now, recovered)
    }

    /// An agent rebuilt from its journal. It begins with its first input; `info.id` is ignored,
    /// the journal knows it.
    ///
    /// # Panics
    /// When [`Config::validate`] would refuse `config`.
    #[must_use]
    pub fn recover(
        config: Config,
        rng: Rng,
        info: AgentInfo,
        now: Now,
        recovered: Recovered,
    ) -> AgentNode {
        let valid = config.validate();
        assert!(
            valid.is_ok(),
            "{valid:?}: validate what was changed from the defaults"
        );
        let checkpoint = Checkpoint::replay(&recovered.writes);
        let registration = Registration::new(&config, &rng);
        let mut timers = Timers::default();
        timers.set(Timer::Start, now.mono);
        let total = info.resources.unallocated();
        AgentNode {
            config,
            rng,
            info: Arc::new(AgentInfo { id: None, ..info }),
            boot_id: recovered.boot_id,
            live_containers: recovered.live_containers,
            lost_in_recovery: 0,
            stage: Stage::Starting,
            checkpoint,
            parked: Parked::default(),
            writes_since_snapshot: recovered.writes.len() as u64,
            look_after_writes: 0,
            registration,
            runs: BTreeMap::new(),
            executor_peers: BTreeMap::new(),
            flights: BTreeMap::new(),
            operation_flights: BTreeMap::new(),
            total,
            timers,
            drain: None,
            last: now.mono,
        }
    }

    /// The agent's id, once it was admitted.
    #[must_use]
    pub fn agent_id(&self) -> Option<&AgentId> {
        self.checkpoint.agent_id.as_ref()
    }

    /// The leader that the agent is registered with now.
    #[must_use]
    pub fn registered_with(&self) -> Option<Ballot> {
        let registered = self.registration.registered();
        registered.map(|_| self.checkpoint.ballot)
    }

    /// All that it would remember after a restart, once its writes are durable.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// All tasks that are not over or not wholly acknowledged, with their newest states.
    pub fn tasks(&self) -> impl Iterator<Item = (&FrameworkId, &TaskId, TaskState)> {
        let tasks = self.checkpoint.tasks();
        tasks.map(|(framework, id, task)| (framework, id, task.updates.latest()))
    }

    /// Whether the agent is being drained: until nothing is left to end.
    #[must_use]
    pub fn drain(&self) -> Option<Drain> {
        self.drain
            .filter(|_| !self.checkpoint.frameworks.is_empty())
    }

    /// The living run of an executor, and how far it is.
    #[must_use]
    pub fn executor_run(
        &self,
        framework_id: &FrameworkId,
        executor_id: &ExecutorId,
    ) -> Option<(&ContainerId, ExecutorState)> {
        let record = self.checkpoint.executor(framework_id, executor_id)?;
        let run = self.runs.get(&record.container_id)?;
        Some((&record.container_id, run.state))
    }

    /// Whether it still waits for executors of its former run.
    #[must_use]
    pub fn is_recovering(&self) -> bool {
        matches!(self.stage, Stage::Starting | Stage::Recovering)
    }

    /// Whether it has nothing more to do.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.stage == Stage::Ended
    }

    /// The invariants that do not hold; empty unless there is a bug.
    #[must_use]
    pub fn check(&self, cost: Cost) -> Vec<Violation> {
        invariant::check(INVARIANTS, self, cost)
    }

    /// Changes what must survive a restart, here and on disk.
    pub(super) fn persist(&mut self, write: Write, fx: &mut Outbox<Effect>) {
        self.checkpoint.apply(&write);
        self.writes_since_snapshot += 1;
        let sequence = self.parked.issue();
        fx.push(Effect::Persist { sequence, write });
    }

    /// Lets an effect out once all writes so far are durable.
    pub(super) fn say(&mut self, effect: Effect, fx: &mut Outbox<Effect>) {
        if let Some(effect) = self.parked.park(effect) {
            fx.push(effect);
        }
    }

    /// Says something to the leader, if the agent is registered with one.
    pub(super) fn tell_master(&mut self, message: ToMaster, fx: &mut Outbox<Effect>) {
        if let Some(peer) = self.registration.registered() {
            self.say(Effect::ToMaster { peer, message }, fx);
        }
    }

    /// Somebody asked for what cannot be.
    pub(super) fn refuse(&mut self, what: String, fx: &mut Outbox<Effect>) {
        fx.push(Effect::Notice(Notice::Refused { what }));
    }

    fn release(&mut self, fx: &mut Outbox<Effect>) {
        for _ in 0..RELEASED_MAX {
            let Some(effect) = self.parked.pop() else {
                return;
            };
            fx.push(effect);
        }
    }

    fn on_tick(&mut self, now: Now, fx: &mut Outbox<Effect>) {
        // A handler may set a timer that is due at once: its round is the next tick's.
        let due = self.timers.len();
        for _ in 0..due {
            let Some(timer) = self.timers.pop_due(now.mono) else {
                return;
            };
            match timer {
                Timer::Start => self.start(now, fx),
                Timer::Registration => self.on_registration_timer(now, fx),
                Timer::Recovery => self.finish_recovery(now, fx),
                Timer::Executor(container_id) => self.on_executor_timer(now, &container_id, fx),
                Timer::Update(framework_id, task_id) => {
                    self.on_update_timer(now, (framework_id, task_id), fx);
                }
                Timer::Operation(uuid) => self.on_operation_timer(now, uuid, fx),
            }
        }
    }

    /// Ends everything for good: the master removed the agent, or the operator takes it away.
    pub(super) fn on_shutdown(&mut self, now: Now, unregister: bool, fx: &mut Outbox<Effect>) {
        if matches!(self.stage, Stage::Ending { .. } | Stage::Ended) {
            return;
        }
        self.stage = Stage::Ending { unregister };
        self.timers.cancel(&Timer::Recovery);
        if !unregister {
            self.pause_updates();
            self.close_link(fx);
        }
        let containers: Vec<_> = self.runs.keys().cloned().collect();
        for container_id in containers {
            self.end_executor(now, &container_id, None, fx);
        }
        self.exit_if_ended(fx);
    }

    /// Exits once the last container is over.
    pub(super) fn exit_if_ended(&mut self, fx: &mut Outbox<Effect>) {
        let Stage::Ending { unregister } = self.stage else {
            return;
        };
        if !self.runs.is_empty() {
            return;
        }
        if unregister {
            self.tell_master(ToMaster::Unregister, fx);
        }
        self.retire(fx);
        self.close_link(fx);
        self.stage = Stage::Ended;
        self.say(Effect::Exit, fx);
    }

    fn dispatch(&mut self, now: Now, input: Input, fx: &mut Outbox<Effect>) {
        match input {
            Input::Tick => self.on_tick(now, fx),
            Input::Persisted { up_to } => self.parked.persisted(up_to),
            Input::Connected { peer } => self.on_connected(now, peer, fx),
            Input::Disconnected { peer } => {
                self.on_master_disconnected(now, peer, fx);
                self.on_executor_disconnected(peer);
            }
            Input::FromMaster { peer, message } => self.on_master(now, peer, message, fx),
            Input::FromExecutor { peer, message } => self.on_executor(now, peer, message, fx),
            Input::ContainerStarted { container_id, .. } => {
                self.on_container_started(&container_id, fx);
            }
            Input::ContainerExited {
                container_id,
                status,
                message,
            } => self.on_container_exited(now, &container_id, status, &message, fx),
            Input::Shutdown => self.on_shutdown(now, true, fx),
        }
    }

    /// Replaces the journal once it is much longer than what it says.
    fn compact(&mut self, fx: &mut Outbox<Effect>) {
        if self.writes_since_snapshot < self.look_after_writes {
            return;
        }
        // To count takes as long as there are records: once for as many writes, not for each.
        let records = self.checkpoint.tasks().count() + self.checkpoint.executors().count();
        let long = self.config.snapshot_after_writes.max(4 * records as u64);
        if self.writes_since_snapshot < long {
            self.look_after_writes = long;
            return;
        }
        self.writes_since_snapshot = 0;
        self.look_after_writes = self.config.snapshot_after_writes;
        let sequence = self.parked.issue();
        let write = Write::Snapshot(Arc::new(self.checkpoint.clone()));
        fx.push(Effect::Persist { sequence, write });
        fx.push(Effect::Notice(Notice::Probe(Probe::Snapshot)));
    }
}

impl Machine for AgentNode {
    type Input = Input;
    type Effect = Effect;

    fn handle(&mut self, now: Now, input: Input, fx: &mut Outbox<Effect>) {
        assert!(now.mono >= self.last, "time went backwards");
        self.last = now.mono;
        if self.stage == Stage::Starting {
            self.timers.cancel(&Timer::Start);
            self.start(now, fx);
        }
        if self.stage != Stage::Ended || matches!(input, Input::Persisted { .. }) {
            self.dispatch(now, input, fx);
            self.compact(fx);
        }
        self.release(fx);
        if self.stage == Stage::Ended {
            self.timers = Timers::default();
        }
        let broken = self.check(Cost::Constant);
        assert!(broken.is_empty(), "{broken:?}");
    }

    fn deadline(&self) -> Option<Time> {
        if self.parked.is_ready() {
            return Some(self.last);
        }
        self.timers.next()
    }
}
