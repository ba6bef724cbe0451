//! One agent on a bench: inputs in, effects out, a disk that is instant unless told otherwise.

use crate::agent::{
    AgentNode, Config, EFFECTS_MAX, Effect, Input, Notice, Probe, Recovered, Write,
};
use crate::durable::WriteSequence;
use crate::ids::{AgentId, ContainerId, ExecutorId, FrameworkId, MasterId, Peer, TaskId, UpdateId};
use crate::invariant::Cost;
use crate::log::Ballot;
use crate::machine::Machine;
use crate::message::agent::{ToAgent, ToMaster};
use crate::message::executor::{self, Call, Event};
use crate::model::{
    AgentInfo, Capabilities, CommandInfo, ExecutorInfo, FrameworkInfo, Source, StatusUpdate,
    TaskInfo, TaskState, TaskStatus,
};
use crate::outbox::Outbox;
use crate::resources::{Attributes, Resources, Role};
use crate::rng::Rng;
use crate::time::{Now, Time, Wall};
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

pub const PING_TIMEOUT: Duration = Duration::from_secs(75);

pub fn ballot(round: u64) -> Ballot {
    Ballot {
        round,
        proposer: MasterId(1),
    }
}

pub fn framework_id() -> FrameworkId {
    FrameworkId::new("f").unwrap()
}

pub fn agent_id() -> AgentId {
    AgentId::new("S1").unwrap()
}

pub fn task_id(name: &str) -> TaskId {
    TaskId::new(name).unwrap()
}

pub fn resources(text: &str) -> Resources {
    Resources::parse(text, &Role::any()).unwrap()
}

pub fn framework(partition_aware: bool) -> Arc<FrameworkInfo> {
    Arc::new(FrameworkInfo {
        id: Some(framework_id()),
        user: String::from("nobody"),
        name: String::from("framework"),
        roles: vec![Role::any()],
        failover_timeout: Duration::ZERO,
        checkpoint: true,
        capabilities: Capabilities {
            partition_aware,
            task_killing_state: true,
            ..Capabilities::default()
        },
        principal: None,
        hostname: String::from("h"),
        webui_url: None,
        verbatim: Arc::default(),
    })
}

pub fn agent_info() -> AgentInfo {
    AgentInfo {
        id: None,
        hostname: String::from("host"),
        ip: String::new(),
        port: 5051,
        resources: resources("cpus:1000;mem:100000;disk:1000"),
        attributes: Attributes::default(),
        domain: None,
    }
}

pub fn executor_info(name: &str) -> Arc<ExecutorInfo> {
    Arc::new(ExecutorInfo {
        executor_id: ExecutorId::new(name).unwrap(),
        framework_id: framework_id(),
        command: CommandInfo::shell("executor"),
        resources: resources("cpus:0.1"),
        name: String::from(name),
        data: Arc::from([]),
        shutdown_grace: None,
        verbatim: Arc::default(),
    })
}

pub fn command_task(name: &str) -> Arc<TaskInfo> {
    task(name, None)
}

pub fn task(name: &str, executor: Option<&str>) -> Arc<TaskInfo> {
    Arc::new(TaskInfo {
        task_id: task_id(name),
        name: String::from(name),
        agent_id: agent_id(),
        resources: resources("cpus:1;mem:32"),
        executor: executor.map(executor_info),
        command: executor.is_none().then(|| CommandInfo::shell("true")),
        data: Arc::from([]),
        labels: Vec::new(),
        kill_grace: None,
        verbatim: Arc::default(),
    })
}

pub fn update_id(n: u8) -> UpdateId {
    UpdateId([n; 16])
}

pub fn status(name: &str, state: TaskState, id: u8) -> Arc<TaskStatus> {
    Arc::new(TaskStatus {
        task_id: task_id(name),
        state,
        source: Source::Executor,
        reason: None,
        message: String::new(),
        agent_id: None,
        executor_id: None,
        timestamp: Wall(0),
        update_id: Some(update_id(id)),
        healthy: None,
        data: Arc::from([]),
        unreachable_at: None,
        verbatim: Arc::default(),
    })
}

pub struct Bench {
    pub node: AgentNode,
    pub now: Now,
    pub journal: Vec<Write>,
    pub notices: Vec<Notice>,
    /// Whether writes are durable at once.
    pub instant: bool,
    pub issued: WriteSequence,
    inbound: u64,
    /// An attempt that nobody answered yet.
    connecting: Option<Peer>,
    fx: Outbox<Effect>,
}

impl Bench {
    pub fn new() -> Bench {
        Bench::restart(Recovered {
            boot_id: String::from("boot 1"),
            ..Recovered::default()
        })
    }

    pub fn restart(recovered: Recovered) -> Bench {
        Bench::restart_as(recovered, agent_info())
    }

    pub fn restart_as(recovered: Recovered, info: AgentInfo) -> Bench {
        let now = Now {
            mono: Time::ZERO,
            wall: Wall(1),
        };
        let journal = recovered.writes.clone();
        let rng = Rng::from_seed(1, "agent");
        Bench {
            node: AgentNode::recover(Config::default(), rng, info, now, recovered),
            now,
            journal,
            notices: Vec::new(),
            instant: true,
            issued: WriteSequence::default(),
            inbound: 100,
            connecting: None,
            fx: Outbox::new(EFFECTS_MAX),
        }
    }

    /// A bench whose agent is registered, and the connection.
    pub fn registered() -> (Bench, Peer) {
        let mut bench = Bench::new();
        bench.input(Input::Tick);
        let peer = bench.register(5);
        (bench, peer)
    }

    /// The same agent after a restart of its process; `live` are the containers found.
    pub fn restarted(&self, live: &[&ContainerId]) -> Bench {
        Bench::restart(Recovered {
            writes: self.journal.clone(),
            live_containers: live.iter().copied().cloned().collect(),
            boot_id: String::from("boot 1"),
        })
    }

    /// What one input causes, without writes and notices.
    pub fn input(&mut self, input: Input) -> Vec<Effect> {
        let mut said = Vec::new();
        if let Input::Disconnected { peer } | Input::Connected { peer } = &input {
            self.connecting = self.connecting.filter(|open| open != peer);
        }
        self.node.handle(self.now, input, &mut self.fx);
        for _ in 0..1000 {
            let before = self.issued;
            for effect in self.fx.drain() {
                match effect {
                    Effect::Persist { sequence, write } => {
                        assert_eq!(sequence, self.issued.next());
                        self.issued = sequence;
                        self.journal.push(write);
                    }
                    Effect::Notice(notice) => {
                        assert!(!notice.to_string().is_empty());
                        self.notices.push(notice);
                    }
                    effect => {
                        if let Effect::Connect { peer, .. } = &effect {
                            self.connecting = Some(*peer);
                        }
                        said.push(effect);
                    }
                }
            }
            let broken = self.node.check(Cost::Linear);
            assert!(broken.is_empty(), "{broken:?}");
            if !self.instant || self.issued == before {
                return said;
            }
            let up_to = self.issued;
            self.node
                .handle(self.now, Input::Persisted { up_to }, &mut self.fx);
        }
        panic!("the agent writes for ever");
    }

    pub fn persist_all(&mut self) -> Vec<Effect> {
        let up_to = self.issued;
        self.input(Input::Persisted { up_to })
    }

    pub fn advance(&mut self, duration: Duration) -> Vec<Effect> {
        let end = self.now.mono + duration;
        let mut said = Vec::new();
        while let Some(deadline) = self.node.deadline().filter(|at| *at <= end) {
            self.now.mono = self.now.mono.max(deadline);
            said.extend(self.input(Input::Tick));
        }
        self.now.mono = end;
        said
    }

    /// Waits for the next attempt to connect and opens it.
    pub fn connect(&mut self) -> (Peer, Vec<Effect>) {
        if self.connecting.is_none() {
            self.until_connect();
        }
        let peer = self.connecting.expect("an attempt");
        (peer, self.input(Input::Connected { peer }))
    }

    pub fn until_connect(&mut self) -> (Vec<Effect>, Duration) {
        let start = self.now.mono;
        let mut said = Vec::new();
        for _ in 0..100 {
            let at = self.node.deadline().expect("something is timed");
            self.now.mono = self.now.mono.max(at);
            said.extend(self.input(Input::Tick));
            if matches!(said.last(), Some(Effect::Connect { .. })) {
                return (said, self.now.mono.since(start));
            }
        }
        panic!("no attempt in {said:?}");
    }

    /// Lets the agent find a leader of this ballot, which takes it.
    pub fn register(&mut self, round: u64) -> Peer {
        let (peer, said) = self.connect();
        let message = match &said[..] {
            [Effect::ToMaster { message, .. }] => message,
            other => panic!("{other:?}"),
        };
        let answer = match message {
            ToMaster::Register { .. } => ToAgent::Registered {
                agent_id: agent_id(),
                ballot: ballot(round),
                ping_timeout: PING_TIMEOUT,
            },
            ToMaster::Reregister(_) => reregistered(round, vec![]),
            other => panic!("{other:?}"),
        };
        self.master(peer, answer);
        peer
    }

    pub fn master(&mut self, peer: Peer, message: ToAgent) -> Vec<Effect> {
        self.input(Input::FromMaster { peer, message })
    }

    pub fn run(&mut self, master: Peer, tasks: &[Arc<TaskInfo>]) -> Vec<Effect> {
        let message = ToAgent::Run {
            framework: framework(true),
            tasks: tasks.to_vec(),
            group: false,
        };
        self.master(master, message)
    }

    pub fn kill(&mut self, master: Peer, name: &str) -> Vec<Effect> {
        let message = ToAgent::Kill {
            framework_id: framework_id(),
            task_id: task_id(name),
            grace: None,
        };
        self.master(master, message)
    }

    pub fn acknowledge(&mut self, master: Peer, name: &str, id: UpdateId) -> Vec<Effect> {
        let message = ToAgent::Acknowledge {
            framework_id: framework_id(),
            task_id: task_id(name),
            update_id: id,
        };
        self.master(master, message)
    }

    /// The container of an executor that the agent knows.
    pub fn container(&self, executor: &str) -> ContainerId {
        let id = ExecutorId::new(executor).unwrap();
        let record = self.node.checkpoint().executor(&framework_id(), &id);
        record.expect("the agent runs it").container_id.clone()
    }

    pub fn call(&mut self, peer: Peer, executor: &str, call: Call) -> Vec<Effect> {
        let container_id = self.container(executor);
        self.call_as(peer, executor, container_id, call)
    }

    pub fn call_as(
        &mut self,
        peer: Peer,
        executor: &str,
        container_id: ContainerId,
        call: Call,
    ) -> Vec<Effect> {
        let message = executor::ToAgent {
            framework_id: framework_id(),
            executor_id: ExecutorId::new(executor).unwrap(),
            container_id,
            call,
        };
        self.input(Input::FromExecutor { peer, message })
    }

    /// An executor subscribes on a new connection.
    pub fn subscribe(&mut self, executor: &str) -> (Peer, Vec<Effect>) {
        self.resubscribe(executor, &[], &[])
    }

    pub fn resubscribe(
        &mut self,
        executor: &str,
        tasks: &[Arc<TaskInfo>],
        updates: &[Arc<TaskStatus>],
    ) -> (Peer, Vec<Effect>) {
        self.inbound += 1;
        let peer = Peer::Inbound(self.inbound);
        let call = Call::Subscribe {
            unacknowledged_tasks: tasks.to_vec(),
            unacknowledged_updates: updates.to_vec(),
        };
        let said = self.call(peer, executor, call);
        (peer, said)
    }

    pub fn update(&mut self, peer: Peer, executor: &str, s: Arc<TaskStatus>) -> Vec<Effect> {
        self.call(peer, executor, Call::Update { status: s })
    }

    pub fn exited(&mut self, container_id: &ContainerId, status: Option<i32>) -> Vec<Effect> {
        self.input(Input::ContainerExited {
            container_id: container_id.clone(),
            status,
            message: String::from("no such image"),
        })
    }

    /// A command task that is running, its executor's connection and its container.
    pub fn running(&mut self, master: Peer, name: &str) -> (Peer, ContainerId) {
        self.run(master, &[command_task(name)]);
        let container = self.container(name);
        let (peer, _) = self.subscribe(name);
        self.update(peer, name, status(name, TaskState::Running, 1));
        self.acknowledge(master, name, update_id(1));
        (peer, container)
    }

    pub fn state(&self, name: &str) -> Option<TaskState> {
        let task = self.node.checkpoint().task(&framework_id(), &task_id(name));
        task.map(|task| task.updates.latest())
    }

    pub fn has_probe(&self, probe: Probe) -> bool {
        self.notices.contains(&Notice::Probe(probe))
    }
}

pub fn reregistered(round: u64, reconcile: Vec<(FrameworkId, TaskId)>) -> ToAgent {
    ToAgent::Reregistered {
        ballot: ballot(round),
        ping_timeout: PING_TIMEOUT,
        reconcile,
    }
}

/// The updates among some effects.
pub fn updates(said: &[Effect]) -> Vec<StatusUpdate> {
    said.iter()
        .filter_map(|effect| match effect {
            Effect::ToMaster {
                message: ToMaster::Update(update),
                ..
            } => Some(update.clone()),
            _ => None,
        })
        .collect()
}

/// The states of those updates.
pub fn states(said: &[Effect]) -> Vec<TaskState> {
    updates(said).iter().map(|u| u.status.state).collect()
}

/// What executors are told.
pub fn events(said: &[Effect]) -> Vec<Event> {
    said.iter()
        .filter_map(|effect| match effect {
            Effect::ToExecutor { event, .. } => Some(event.clone()),
            _ => None,
        })
        .collect()
}

/// The containers asked for.
pub fn launches(said: &[Effect]) -> usize {
    said.iter()
        .filter(|effect| matches!(effect, Effect::Launch(_)))
        .count()
}

/// The containers to be destroyed.
pub fn destroyed(said: &[Effect]) -> Vec<ContainerId> {
    said.iter()
        .filter_map(|effect| match effect {
            Effect::Destroy { container_id } => Some(container_id.clone()),
            _ => None,
        })
        .collect()
}

/// Whether a launch of this task is among what executors are told.
pub fn launched(said: &[Effect], name: &str) -> bool {
    events(said).iter().any(|event| match event {
        Event::Launch { task } => task.task_id == task_id(name),
        Event::LaunchGroup { tasks } => tasks.iter().any(|t| t.task_id == task_id(name)),
        _ => false,
    })
}
