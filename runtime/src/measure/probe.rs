//! A framework that launches as many tasks as it is told to and reports all that it sees.

use crate::driver::{Clock, Handle, NodeLoop};
use crate::net::find::Masters;
use crate::node::framework::FrameworkPorts;
use crate::node::fresh_rng;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tepui_core::frameworks::Room;
use tepui_core::ids::{AgentId, TaskId};
use tepui_core::invariant::Invariant;
use tepui_core::message::scheduler::Call;
use tepui_core::model::{
    Capabilities, CommandInfo, Filters, FrameworkInfo, Offer, OfferOperation, TaskInfo, TaskState,
};
use tepui_core::outbox::Outbox;
use tepui_core::resources::{Resources, Role};
use tepui_core::scheduler::{Action, Config, Event, FrameworkNode, Input, Logic};
use tepui_core::time::{Now, Time};
use tepui_core::wire::{self, DecodeError};
use tokio::sync::{Notify, mpsc};

/// How much of what it saw waits for whoever looks.
const SEEN_MAX: usize = 1 << 16;

/// Something that the framework saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A leader took it.
    Subscribed(String),
    /// Its leader is gone.
    Disconnected,
    /// So many offers came.
    Offers(usize),
    /// Something was said of a task.
    Task(TaskId, TaskState, String),
}

/// When it saw what.
#[derive(Clone, Debug)]
pub struct Seen {
    /// On the host's clock.
    pub at: Instant,
    /// What.
    pub what: What,
}

/// What tasks are to be.
#[derive(Clone, Debug)]
pub struct Template {
    /// Of each task.
    pub resources: Resources,
    /// What each runs; it finds its id in `MESOS_TASK_ID`.
    pub command: CommandInfo,
}

/// The logic.
#[derive(Debug)]
pub struct Probe {
    template: Template,
    wanted: u64,
    launched: u64,
    tasks: BTreeMap<TaskId, (AgentId, TaskState)>,
    seen: mpsc::Sender<Seen>,
}

impl Probe {
    fn report(&self, what: What) {
        let at = Instant::now();
        // Whoever does not look any more misses nothing.
        let _ = self.seen.try_send(Seen { at, what });
    }

    fn on_offers(&mut self, offers: &[Arc<Offer>], out: &mut Outbox<Action>) {
        self.report(What::Offers(offers.len()));
        for offer in offers {
            let mut room = Room::new(&offer.resources);
            let mut tasks = Vec::new();
            while self.wanted > 0
                && let Some(resources) = room.take(&self.template.resources)
            {
                self.wanted -= 1;
                tasks.push(self.task(offer, resources));
            }
            let offer_ids = vec![offer.id.clone()];
            let filters = Filters::NONE;
            out.push(Action::Call(if tasks.is_empty() {
                Call::Decline { offer_ids, filters }
            } else {
                Call::Accept {
                    offer_ids,
                    operations: vec![OfferOperation::Launch(tasks)],
                    filters,
                }
            }));
        }
    }

    fn task(&mut self, offer: &Offer, resources: Resources) -> Arc<TaskInfo> {
        self.launched += 1;
        let name = format!("probe-{:04}", self.launched);
        let task_id = TaskId::new(&name).expect("letters and digits");
        let place = (offer.agent_id.clone(), TaskState::Staging);
        self.tasks.insert(task_id.clone(), place);
        Arc::new(TaskInfo {
            task_id,
            name,
            agent_id: offer.agent_id.clone(),
            resources,
            executor: None,
            command: Some(self.template.command.clone()),
            data: Arc::default(),
            labels: Vec::new(),
            kill_grace: None,
            verbatim: Arc::default(),
        })
    }
}

impl Logic for Probe {
    fn on_event(&mut self, _now: Now, event: &Event, out: &mut Outbox<Action>) {
        match event {
            Event::Subscribed { master, .. } => {
                self.report(What::Subscribed(master.address.clone()));
            }
            Event::Disconnected => self.report(What::Disconnected),
            Event::Offers(offers) => self.on_offers(offers, out),
            Event::Update { status } => {
                if let Some((_, state)) = self.tasks.get_mut(&status.task_id) {
                    *state = status.state;
                }
                let task_id = status.task_id.clone();
                self.report(What::Task(task_id, status.state, status.message.clone()));
            }
            Event::LaunchDropped { task_ids } => {
                for task_id in task_ids {
                    self.tasks.remove(task_id);
                    self.wanted += 1;
                }
            }
            Event::Rescind { .. }
            | Event::Message { .. }
            | Event::Failure { .. }
            | Event::InverseOffers(_)
            | Event::RescindInverseOffer { .. }
            | Event::Operation { .. }
            | Event::Reconciled => {}
        }
    }

    fn on_tick(&mut self, _now: Now, _out: &mut Outbox<Action>) {}

    fn deadline(&self) -> Option<Time> {
        None
    }

    /// The body says how many more tasks to launch.
    fn on_request(&mut self, _now: Now, body: &[u8], out: &mut Outbox<Action>) {
        if let Ok(more) = wire::decode::<u64>(body) {
            self.wanted += more;
            out.push(Action::Call(Call::Revive { roles: Vec::new() }));
        }
    }

    fn tasks(&self) -> Vec<(TaskId, Option<AgentId>)> {
        let live = self.tasks.iter().filter(|(_, (_, s))| !s.is_terminal());
        live.map(|(id, (agent, _))| (id.clone(), Some(agent.clone())))
            .collect()
    }

    /// It is never restarted.
    fn snapshot(&self) -> Vec<u8> {
        Vec::new()
    }

    fn restore(&mut self, _now: Now, _snapshot: &[u8]) -> Result<(), DecodeError> {
        Ok(())
    }

    fn replay(&mut self, _now: Now, _record: &[u8]) -> Result<(), DecodeError> {
        Ok(())
    }

    const INVARIANTS: &'static [Invariant<Self>] = &[];
}

/// A running probe.
#[derive(Debug)]
pub struct Running {
    node: Handle<FrameworkNode<Probe>>,
    seen: mpsc::Receiver<Seen>,
    /// The newest state of every task.
    pub tasks: BTreeMap<TaskId, TaskState>,
}

impl Running {
    /// Starts a probe in this process.
    ///
    /// # Errors
    /// When the host has no entropy.
    pub fn start(masters: Vec<String>, template: Template) -> std::io::Result<Running> {
        let (seen_by, seen) = mpsc::channel(SEEN_MAX);
        let logic = Probe {
            template,
            wanted: 0,
            launched: 0,
            tasks: BTreeMap::new(),
            seen: seen_by,
        };
        let info = FrameworkInfo {
            id: None,
            user: String::new(),
            name: String::from("tepui-probe"),
            roles: vec![Role::any()],
            failover_timeout: Duration::from_secs(3_600),
            checkpoint: true,
            capabilities: Capabilities {
                partition_aware: true,
                multi_role: true,
                ..Capabilities::default()
            },
            principal: None,
            hostname: String::new(),
            webui_url: None,
            verbatim: Arc::default(),
        };
        let clock = Clock::start();
        let rng = fresh_rng("probe")?;
        let found = Masters::known(masters);
        let masters = found.addresses().to_vec();
        let machine =
            FrameworkNode::new(Config::default(), info, logic, &rng, masters, clock.now());
        let (node, inputs) = Handle::queue();
        // Nobody reads its notices: the logic itself reports.
        let (notices, _) = mpsc::channel(1);
        let ports = FrameworkPorts::new(found, node.clone(), notices);
        tokio::spawn(async move {
            let mut node_loop = NodeLoop::new(machine, ports);
            node_loop.run(clock, inputs, Arc::new(Notify::new())).await;
        });
        Ok(Running {
            node,
            seen,
            tasks: BTreeMap::new(),
        })
    }

    /// Wants so many more tasks.
    pub async fn launch(&self, more: u64) {
        let body = Arc::from(wire::encode(&more));
        self.node.input(Input::Request { body }).await;
    }

    /// Waits for the next thing that `wanted` accepts; keeps book of tasks on the way.
    ///
    /// # Errors
    /// When it does not come in time.
    pub async fn until(
        &mut self,
        patience: Duration,
        mut wanted: impl FnMut(&What, &BTreeMap<TaskId, TaskState>) -> bool,
    ) -> Result<Instant, String> {
        let waiting = async {
            while let Some(seen) = self.seen.recv().await {
                if let What::Task(task_id, state, _) = &seen.what {
                    self.tasks.insert(task_id.clone(), *state);
                }
                if wanted(&seen.what, &self.tasks) {
                    return Ok(seen.at);
                }
            }
            Err(String::from("the framework ended"))
        };
        tokio::time::timeout(patience, waiting)
            .await
            .unwrap_or_else(|_| Err(format!("waited in vain for {} s", patience.as_secs())))
    }

    /// Forgets what was seen and not looked at, but for tasks' states.
    pub fn catch_up(&mut self) {
        while let Ok(seen) = self.seen.try_recv() {
            if let What::Task(task_id, state, _) = seen.what {
                self.tasks.insert(task_id, state);
            }
        }
    }

    /// How many tasks are in this state.
    #[must_use]
    pub fn count(&self, state: TaskState) -> usize {
        self.tasks.values().filter(|s| **s == state).count()
    }

    /// Ends the framework and all its tasks.
    pub async fn teardown(&self) {
        self.node.input(Input::Stop { teardown: true }).await;
    }
}
