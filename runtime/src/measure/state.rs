//! What a large cluster's state costs: `GET /state` with many agents and tasks, what it does to
//! other calls meanwhile, and the master's memory.
//!
//! A real master, and agents that are nothing but connections: each returns with its tasks, as
//! after an election, and answers pings.

use super::Figures;
use super::cluster::{free_ports, own_binary};
use super::launch::spoken::{Place, Subscription};
use crate::http::client;
use crate::net::Kind;
use crate::net::dial::{connect, halves};
use crate::net::framing::encode_frame;
use nix::sys::resource::{Resource as Limit, getrlimit, setrlimit};
use serde::Serialize;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tepui_core::ids::{AgentId, FrameworkId, TaskId};
use tepui_core::message::agent::{AgentRun, Reregistration, TaskReport, ToAgent, ToMaster};
use tepui_core::model::{AgentInfo, Capabilities, CommandInfo, FrameworkInfo, TaskInfo, TaskState};
use tepui_core::resources::{Attributes, Resources, Role};
use tokio::io::AsyncWriteExt;
use tokio::sync::Notify;

/// How long the master may take to know all.
const PATIENCE: Duration = Duration::from_secs(600);

/// How many agents connect at once.
const AT_ONCE: usize = 64;

/// How many frameworks the tasks belong to.
const FRAMEWORKS: usize = 100;

/// What is measured.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many agents.
    pub agents: usize,
    /// How many tasks they run together.
    pub tasks: usize,
    /// How many schedulers subscribe.
    pub schedulers: usize,
    /// How often the state is read.
    pub reads: usize,
}

/// What came out.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// How many agents.
    pub agents: usize,
    /// How many tasks.
    pub tasks: usize,
    /// How many schedulers subscribed.
    pub schedulers: usize,
    /// The length of `/state`.
    pub state_bytes: usize,
    /// From the request to the last byte.
    pub state: Figures,
    /// Calls that the node answers, while nothing else is asked.
    pub calls_idle: Figures,
    /// The same calls while one client reads the state again and again.
    pub calls_during_state: Figures,
    /// The master's memory for each agent.
    pub bytes_per_agent: u64,
    /// For each task.
    pub bytes_per_task: u64,
    /// For each subscribed scheduler.
    pub bytes_per_scheduler: u64,
    /// The master's memory with all of them, after the reads.
    pub master_bytes: u64,
}

/// Measures.
///
/// # Errors
/// When the master does not come to know all in time.
pub async fn measure(plan: &Plan) -> Result<Report, String> {
    let text = |error: std::io::Error| error.to_string();
    let (_, most) = getrlimit(Limit::RLIMIT_NOFILE).map_err(|error| error.to_string())?;
    setrlimit(Limit::RLIMIT_NOFILE, most, most).map_err(|error| error.to_string())?;
    let folder = tempfile::tempdir().map_err(text)?;
    let address = format!("127.0.0.1:{}", free_ports(1).map_err(text)?[0]);
    let master = Master::start(folder.path(), &address).map_err(text)?;
    wait_for(&address, "master/elected", 1.0).await?;
    let empty = master.memory();
    let report = Arc::new(Notify::new());
    start_agents(plan, &address, &report).await?;
    wait_for(&address, "master/slaves_active", plan.agents as f64).await?;
    let with_agents = master.memory();
    report.notify_waiters();
    wait_for(&address, "master/tasks_running", plan.tasks as f64).await?;
    let with_tasks = master.memory();
    let subscriptions = subscribe(plan, &address)?;
    let with_schedulers = master.memory();
    let at = address.clone();
    let reads = plan.reads;
    let read = tokio::task::spawn_blocking(move || read(&at, reads)).await;
    let (state_bytes, state, calls_idle, calls_during_state) =
        read.map_err(|error| error.to_string())?.map_err(text)?;
    drop(subscriptions);
    let each = |more: u64, less: u64, count: usize| more.saturating_sub(less) / count.max(1) as u64;
    Ok(Report {
        agents: plan.agents,
        tasks: plan.tasks,
        schedulers: plan.schedulers,
        state_bytes,
        state,
        calls_idle,
        calls_during_state,
        bytes_per_agent: each(with_agents, empty, plan.agents),
        bytes_per_task: each(with_tasks, with_agents, plan.tasks),
        bytes_per_scheduler: each(with_schedulers, with_tasks, plan.schedulers),
        master_bytes: master.memory(),
    })
}

/// The process that is measured.
struct Master(Child);

impl Drop for Master {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Master {
    fn start(folder: &Path, address: &str) -> std::io::Result<Master> {
        let port = address.rsplit(':').next().unwrap_or_default();
        let log = std::fs::File::create(folder.join("master.log"))?;
        let child = Command::new(own_binary())
            .arg("master")
            .arg(format!("--port={port}"))
            .arg(format!("--work_dir={}", folder.join("master").display()))
            .arg("--logging_level=ERROR")
            .arg("--end_with_parent")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        Ok(Master(child))
    }

    /// What of it is in memory.
    fn memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.0.id());
        let status = std::fs::read_to_string(path).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
        kib.unwrap_or(0) * 1024
    }
}

async fn wait_for(address: &str, metric: &str, value: f64) -> Result<(), String> {
    let start = Instant::now();
    loop {
        let answer = client::get(address, "/metrics/snapshot").await;
        let metrics = answer.ok().and_then(|answer| {
            let metrics: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
            metrics[metric].as_f64()
        });
        if metrics == Some(value) {
            return Ok(());
        }
        if start.elapsed() > PATIENCE {
            return Err(format!("{metric} is {metrics:?} and not {value}"));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn start_agents(plan: &Plan, address: &str, report: &Arc<Notify>) -> Result<(), String> {
    let frameworks: Vec<_> = (0..FRAMEWORKS).map(framework).collect();
    let frameworks: Arc<[Arc<FrameworkInfo>]> = frameworks.into();
    for first in (0..plan.agents).step_by(AT_ONCE) {
        let last = (first + AT_ONCE).min(plan.agents);
        for index in first..last {
            let of_agent = tasks_of(plan, index);
            let stream = connect(address, Kind::Agent).await;
            let stream = stream.map_err(|error| error.to_string())?;
            let agent = Agent {
                index,
                tasks: of_agent,
                frameworks: Arc::clone(&frameworks),
            };
            tokio::spawn(agent.run(stream, Arc::clone(report)));
        }
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Which tasks an agent runs: all agents nearly as many.
fn tasks_of(plan: &Plan, index: usize) -> std::ops::Range<usize> {
    let upto = |index: usize| plan.tasks * index / plan.agents;
    upto(index)..upto(index + 1)
}

fn framework(index: usize) -> Arc<FrameworkInfo> {
    let id = FrameworkId::new(&format!("framework-{index:03}"));
    Arc::new(FrameworkInfo {
        id: Some(id.expect("made of letters and digits")),
        user: "root".to_owned(),
        name: format!("framework {index}"),
        roles: vec![Role::any()],
        failover_timeout: Duration::from_secs(3600),
        checkpoint: true,
        capabilities: Capabilities::default(),
        principal: None,
        hostname: String::new(),
        webui_url: None,
        verbatim: Arc::default(),
    })
}

/// An agent that is nothing but a connection.
struct Agent {
    index: usize,
    tasks: std::ops::Range<usize>,
    frameworks: Arc<[Arc<FrameworkInfo>]>,
}

impl Agent {
    fn id(&self) -> AgentId {
        AgentId::new(&format!("agent-{:05}", self.index)).expect("made of letters and digits")
    }

    fn report(&self, with_tasks: bool) -> ToMaster {
        let resources = Resources::parse(
            "cpus:32;mem:65536;disk:100000;ports:[31000-32000]",
            &Role::any(),
        );
        let attributes = Attributes::parse(&format!("rack:r{};zone:a", self.index % 100));
        let info = AgentInfo {
            id: Some(self.id()),
            hostname: format!("host-{:05}.example", self.index),
            ip: "127.0.0.1".to_owned(),
            port: 5051,
            resources: resources.expect("written correctly"),
            attributes: attributes.expect("written correctly"),
            domain: None,
        };
        let shown = if with_tasks { self.tasks.clone() } else { 0..0 };
        let tasks: Vec<_> = shown.map(|number| self.task(number)).collect();
        let used = |f: &&Arc<FrameworkInfo>| {
            tasks
                .iter()
                .any(|task| Some(&task.framework_id) == f.id.as_ref())
        };
        let frameworks = self.frameworks.iter().filter(used).cloned().collect();
        ToMaster::Reregister(Arc::new(Reregistration {
            info: Arc::new(info),
            run: AgentRun(1),
            executors: Vec::new(),
            frameworks,
            tasks,
            kept: Resources::default(),
            operations: Vec::new(),
        }))
    }

    fn task(&self, number: usize) -> TaskReport {
        let owner = &self.frameworks[number % self.frameworks.len()];
        let role = Role::any();
        let resources = Resources::parse("cpus:0.1;mem:32", &role).expect("written correctly");
        let info = TaskInfo {
            task_id: TaskId::new(&format!("task-{number:06}")).expect("letters and digits"),
            name: format!("task {number}"),
            agent_id: self.id(),
            resources: resources.allocated_to(&role),
            executor: None,
            command: Some(CommandInfo::shell("exec sleep 100000")),
            data: Arc::default(),
            labels: Vec::new(),
            kill_grace: None,
            verbatim: Arc::default(),
        };
        TaskReport {
            framework_id: owner.id.clone().expect("each has one"),
            info: Arc::new(info),
            state: TaskState::Running,
            unacknowledged: None,
            latest_state: TaskState::Running,
        }
    }

    /// Returns without tasks, and once more with them when `report` says so.
    async fn run(self, stream: tokio::net::TcpStream, report: Arc<Notify>) -> Result<(), String> {
        let mut stream = halves(stream);
        let mut frame = Vec::new();
        let asked = report.notified();
        tokio::pin!(asked);
        let mut reported = false;
        encode_frame(&self.report(false), &mut frame).map_err(|error| error.to_string())?;
        loop {
            stream
                .writer
                .write_all(&frame)
                .await
                .map_err(|error| error.to_string())?;
            frame.clear();
            let message = tokio::select! {
                message = stream.reader.next::<ToAgent>() => message,
                () = &mut asked, if !reported => {
                    reported = true;
                    let message = self.report(true);
                    encode_frame(&message, &mut frame).map_err(|error| error.to_string())?;
                    continue;
                }
            };
            match message.map_err(|error| error.to_string())? {
                None => return Ok(()),
                Some(ToAgent::Ping { .. }) => {
                    encode_frame(&ToMaster::Pong, &mut frame).map_err(|error| error.to_string())?;
                }
                Some(_) => {}
            }
        }
    }
}

fn subscribe(plan: &Plan, address: &str) -> Result<Vec<Subscription>, String> {
    let place = Place {
        address: address.to_owned(),
        path: "/api/v1/scheduler".to_owned(),
    };
    let open = |index: usize| {
        let call = serde_json::json!({
            "type": "SUBSCRIBE",
            "subscribe": {
                "framework_info": {
                    "user": "root",
                    "name": format!("idle {index}"),
                    "roles": ["idle"],
                    "capabilities": [{ "type": "MULTI_ROLE" }],
                },
                "suppressed_roles": ["idle"],
            },
        });
        let mut stream = Subscription::open(&place, call.to_string().as_bytes())?;
        stream.read()?;
        Ok(stream)
    };
    let all: std::io::Result<Vec<_>> = (0..plan.schedulers).map(open).collect();
    all.map_err(|error| error.to_string())
}

type Read4 = (usize, Figures, Figures, Figures);

fn read(address: &str, reads: usize) -> std::io::Result<Read4> {
    const IDLE: Duration = Duration::from_secs(5);
    let start = Instant::now();
    let mut idle = Vec::new();
    while start.elapsed() < IDLE {
        idle.push(call(address)?);
    }
    let done = Arc::new(AtomicBool::new(false));
    let (at, until) = (address.to_owned(), Arc::clone(&done));
    let calls = std::thread::spawn(move || {
        let mut during = Vec::new();
        while !until.load(Ordering::Acquire) {
            during.push(call(&at)?);
        }
        Ok::<_, std::io::Error>(during)
    });
    let mut state = Vec::new();
    let mut bytes = 0;
    for _ in 0..reads {
        let start = Instant::now();
        bytes = get(address, "GET /state HTTP/1.1", "")?;
        state.push(start.elapsed());
    }
    done.store(true, Ordering::Release);
    let during = calls.join();
    let during = during.map_err(|_| std::io::Error::other("a reader panicked"))??;
    Ok((
        bytes,
        Figures::of(state),
        Figures::of(idle),
        Figures::of(during),
    ))
}

/// A small call that the node itself answers.
fn call(address: &str) -> std::io::Result<Duration> {
    let start = Instant::now();
    get(
        address,
        "POST /api/v1 HTTP/1.1",
        r#"{"type":"GET_WEIGHTS"}"#,
    )?;
    Ok(start.elapsed())
}

/// Asks, and reads the answer to its end; how long its body is.
fn get(address: &str, line: &str, body: &str) -> std::io::Result<usize> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let head = format!(
        "{line}\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let ok = bytes.starts_with(b"HTTP/1.1 200");
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    match end {
        Some(end) if ok => Ok(bytes.len() - end - 4),
        _ => Err(std::io::Error::other("refused")),
    }
}
