//! A master that does what a test tells it: it speaks to one real agent.
#![allow(dead_code)]

use crate::support::PATIENCE;
use std::sync::Arc;
use tepui_core::ids::{AgentId, ExecutorId, FrameworkId, MasterId, TaskId};
use tepui_core::log::Ballot;
use tepui_core::message::agent::{Reregistration, ToAgent, ToMaster};
use tepui_core::model::{
    Capabilities, CommandInfo, ExecutorInfo, FrameworkInfo, TaskInfo, TaskState, TaskStatus,
};
use tepui_core::resources::{Resources, Role};
use tepui_runtime::net::framing::{FrameReader, Kind, encode_frame};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

/// The framework of all tasks.
pub fn framework_id() -> FrameworkId {
    FrameworkId::new("f1").unwrap()
}

/// A task that runs a line of shell.
pub fn task(id: &str, line: &str) -> Arc<TaskInfo> {
    Arc::new(TaskInfo {
        task_id: TaskId::new(id).unwrap(),
        name: String::from(id),
        agent_id: AgentId::new("agent-1").unwrap(),
        resources: Resources::parse("cpus:0.1;mem:32", &Role::any()).unwrap(),
        executor: None,
        command: Some(CommandInfo::shell(line)),
        data: Arc::default(),
        labels: Vec::new(),
        kill_grace: Some(std::time::Duration::from_millis(300)),
        verbatim: Arc::default(),
    })
}

/// A task of a custom executor that runs a line of shell.
pub fn executor_task(id: &str, executor: &str, line: &str) -> Arc<TaskInfo> {
    let executor = ExecutorInfo {
        executor_id: ExecutorId::new(executor).unwrap(),
        framework_id: framework_id(),
        command: CommandInfo::shell(line),
        resources: Resources::parse("cpus:0.1;mem:32", &Role::any()).unwrap(),
        name: String::from(executor),
        data: Arc::default(),
        shutdown_grace: None,
        verbatim: Arc::default(),
    };
    let plain = task(id, "");
    Arc::new(TaskInfo {
        executor: Some(Arc::new(executor)),
        command: None,
        ..(*plain).clone()
    })
}

/// Waits for one agent after another.
pub struct FakeMaster {
    listener: TcpListener,
    round: u64,
}

/// One agent's connection.
pub struct Connection {
    reader: FrameReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    /// What it reported, if it was here before.
    pub reported: Option<Arc<Reregistration>>,
    /// Every status that came, in order.
    seen: Vec<Arc<TaskStatus>>,
}

impl FakeMaster {
    /// Listens.
    pub async fn start() -> (FakeMaster, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        (FakeMaster { listener, round: 0 }, address)
    }

    /// Takes the next agent that registers.
    pub async fn registered(&mut self) -> Connection {
        let (stream, _) = timeout(PATIENCE, self.listener.accept())
            .await
            .expect("an agent comes")
            .unwrap();
        let (read, writer) = stream.into_split();
        let mut reader = FrameReader::new(read);
        assert_eq!(reader.hello().await.unwrap().kind, Kind::Agent);
        self.round += 1;
        let ballot = Ballot {
            round: self.round,
            proposer: MasterId(1),
        };
        let mut connection = Connection {
            reader,
            writer,
            reported: None,
            seen: Vec::new(),
        };
        match connection.hear().await {
            ToMaster::Register { .. } => {
                let agent_id = AgentId::new("agent-1").unwrap();
                let answer = ToAgent::Registered {
                    agent_id,
                    ballot,
                    ping_timeout: PATIENCE,
                };
                connection.say(answer).await;
            }
            ToMaster::Reregister(report) => {
                connection.reported = Some(report);
                let answer = ToAgent::Reregistered {
                    ballot,
                    ping_timeout: PATIENCE,
                    reconcile: Vec::new(),
                };
                connection.say(answer).await;
            }
            other => panic!("{other:?} before a registration"),
        }
        connection
    }
}

impl Connection {
    /// Says something.
    pub async fn say(&mut self, message: ToAgent) {
        let mut bytes = Vec::new();
        encode_frame(&message, &mut bytes).unwrap();
        self.writer.write_all(&bytes).await.unwrap();
    }

    /// The next message.
    pub async fn hear(&mut self) -> ToMaster {
        let heard = timeout(PATIENCE, self.reader.next()).await;
        heard.expect("the agent speaks").unwrap().expect("it stays")
    }

    /// Has tasks run.
    pub async fn run(&mut self, tasks: Vec<Arc<TaskInfo>>) {
        self.run_as("f1", tasks).await;
    }

    /// Has tasks run, of another framework.
    pub async fn run_as(&mut self, framework_id: &str, tasks: Vec<Arc<TaskInfo>>) {
        let framework = Arc::new(FrameworkInfo {
            id: Some(FrameworkId::new(framework_id).unwrap()),
            user: String::new(),
            name: String::from("test"),
            roles: vec![Role::any()],
            failover_timeout: PATIENCE,
            checkpoint: true,
            capabilities: Capabilities::default(),
            principal: None,
            hostname: String::new(),
            webui_url: None,
            verbatim: Arc::default(),
        });
        self.say(ToAgent::Run {
            framework,
            tasks,
            group: false,
        })
        .await;
    }

    /// Acknowledges updates until `task` is in `state` or over, and returns that status.
    pub async fn until(&mut self, task: &str, state: TaskState) -> Arc<TaskStatus> {
        loop {
            let found = self.seen.iter().find(|status| {
                let over = status.state == state || status.state.is_terminal();
                status.task_id.as_str() == task && over
            });
            if let Some(status) = found {
                assert_eq!(status.state, state, "{status:?}");
                return Arc::clone(status);
            }
            let ToMaster::Update(update) = self.hear().await else {
                continue;
            };
            self.seen.push(Arc::clone(&update.status));
            if let Some(update_id) = update.status.update_id {
                self.say(ToAgent::Acknowledge {
                    framework_id: update.framework_id,
                    task_id: update.status.task_id.clone(),
                    update_id,
                })
                .await;
            }
        }
    }
}
