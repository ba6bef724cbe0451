//! Launches tasks through the v1 scheduler API in JSON and measures how fast they run.

pub mod executor;
pub mod spoken;

use super::Figures;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use spoken::{Calls, Place, Subscription};
use std::collections::BTreeMap;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long the tasks may take together.
const PATIENCE: Duration = Duration::from_secs(400);

/// What runs the tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// `/bin/true`, each with the agent's own command executor.
    Cmd,
    /// One executor for all, which answers at once.
    Exec,
}

/// What is launched.
#[derive(Clone, Debug)]
pub struct Plan {
    /// `host:port` of the leader.
    pub master: String,
    /// How many tasks.
    pub tasks: usize,
    /// What runs them.
    pub mode: Mode,
    /// How many may be in flight; 0 for all.
    pub window: usize,
}

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What ran the tasks.
    pub mode: Mode,
    /// How many ended well; all, or there is no report.
    pub finished: usize,
    /// From the first ACCEPT to the last end.
    pub tasks_per_s_to_finished: f64,
    /// From each task's ACCEPT until its RUNNING was here.
    pub running: Figures,
}

#[derive(Deserialize)]
struct Event {
    r#type: String,
    subscribed: Option<Subscribed>,
    offers: Option<Offers>,
    update: Option<Update>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Subscribed {
    framework_id: Value,
}

#[derive(Deserialize)]
struct Offers {
    offers: Vec<Offer>,
}

#[derive(Deserialize)]
struct Offer {
    id: Value,
    agent_id: Value,
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    name: String,
    scalar: Option<Scalar>,
}

#[derive(Deserialize)]
struct Scalar {
    value: f64,
}

#[derive(Deserialize)]
struct Update {
    status: Status,
}

#[derive(Deserialize)]
struct Status {
    task_id: TaskId,
    state: String,
    uuid: Option<String>,
    agent_id: Option<Value>,
    message: Option<String>,
}

#[derive(Deserialize)]
struct TaskId {
    value: String,
}

struct Driver {
    plan: Plan,
    program: String,
    framework_id: Value,
    calls: mpsc::Sender<Vec<u8>>,
    launched: usize,
    began: Option<Instant>,
    sent: BTreeMap<String, Instant>,
    running: BTreeMap<String, Duration>,
    finished: usize,
}

/// Launches and waits for all ends.
///
/// # Errors
/// When a task did not end well, a call was not taken, or all took too long.
pub fn measure(plan: &Plan) -> Result<Report, String> {
    let failed = |error: std::io::Error| error.to_string();
    let place = Place {
        address: plan.master.clone(),
        path: String::from("/api/v1/scheduler"),
    };
    let info = json!({ "user": "root", "name": "launch", "roles": ["*"],
                       "capabilities": [{ "type": "MULTI_ROLE" }] });
    let call = json!({ "type": "SUBSCRIBE", "subscribe": { "framework_info": info } });
    let mut stream = Subscription::open(&place, call.to_string().as_bytes()).map_err(failed)?;
    let mut connection = Calls::open(&place, stream.head.stream_id.clone()).map_err(failed)?;
    let (calls, queue) = mpsc::channel::<Vec<u8>>();
    let sender = std::thread::spawn(move || {
        while let Ok(first) = queue.recv() {
            let mut batch = vec![first];
            batch.extend(queue.try_iter());
            connection.make(&batch)?;
        }
        Ok::<(), std::io::Error>(())
    });
    let program = std::env::current_exe().map_err(failed)?;
    let mut driver = Driver {
        plan: plan.clone(),
        program: program.display().to_string(),
        framework_id: Value::Null,
        calls,
        launched: 0,
        began: None,
        sent: BTreeMap::new(),
        running: BTreeMap::new(),
        finished: 0,
    };
    let result = driver.drive(&mut stream);
    driver.say("TEARDOWN", json!({}));
    drop(driver);
    let sent = sender
        .join()
        .map_err(|_| String::from("the sender panicked"))?;
    sent.map_err(failed)?;
    result
}

impl Driver {
    fn say(&self, kind: &str, mut call: Value) {
        call["type"] = json!(kind);
        call["framework_id"] = self.framework_id.clone();
        // A sender that ended says itself why.
        let _ = self.calls.send(call.to_string().into_bytes());
    }

    fn drive(&mut self, stream: &mut Subscription) -> Result<Report, String> {
        let started = Instant::now();
        while self.finished < self.plan.tasks {
            if started.elapsed() > PATIENCE {
                return Err(format!("only {} tasks ended", self.finished));
            }
            let record = stream.read().map_err(|error| error.to_string())?;
            let event: Event =
                serde_json::from_slice(&record).map_err(|error| error.to_string())?;
            if let Some(error) = event.error {
                return Err(format!("{}: {error}", event.r#type));
            }
            if let Some(subscribed) = event.subscribed {
                self.framework_id = subscribed.framework_id;
            }
            for offer in event.offers.map(|event| event.offers).unwrap_or_default() {
                self.on_offer(&offer);
            }
            if let Some(update) = event.update {
                self.on_update(update.status)?;
            }
        }
        let began = self.began.ok_or("no offer came")?;
        Ok(Report {
            mode: self.plan.mode,
            finished: self.finished,
            tasks_per_s_to_finished: self.finished as f64 / began.elapsed().as_secs_f64(),
            running: Figures::of(self.running.values().copied()),
        })
    }

    /// How many tasks go into an offer, some room for executors left.
    fn room(&self, offer: &Offer) -> usize {
        let amount = |name: &str| {
            let found = offer.resources.iter().filter(|r| r.name == name);
            found
                .filter_map(|r| r.scalar.as_ref())
                .map(|s| s.value)
                .sum::<f64>()
        };
        let fit = ((amount("cpus") - 0.2) / 0.001).min(amount("mem") - 64.0);
        let in_flight = self.launched - self.finished;
        let window = match self.plan.window {
            0 => usize::MAX,
            window => window.saturating_sub(in_flight),
        };
        let left = self.plan.tasks - self.launched;
        (fit.max(0.0) as usize).min(left).min(window)
    }

    fn on_offer(&mut self, offer: &Offer) {
        let count = self.room(offer);
        if count == 0 {
            let refuse = if self.launched < self.plan.tasks {
                0
            } else {
                1_000
            };
            let decline = json!({ "decline": {
                "offer_ids": [offer.id], "filters": { "refuse_seconds": refuse } } });
            self.say("DECLINE", decline);
            return;
        }
        let names = (self.launched..self.launched + count).map(|n| format!("t{n}"));
        let names: Vec<String> = names.collect();
        let tasks: Vec<Value> = names.iter().map(|name| self.task(name, offer)).collect();
        let accept = json!({ "accept": {
            "offer_ids": [offer.id],
            "operations": [{ "type": "LAUNCH", "launch": { "task_infos": tasks } }],
            "filters": { "refuse_seconds": 0 },
        } });
        let now = Instant::now();
        self.began.get_or_insert(now);
        self.sent.extend(names.into_iter().map(|name| (name, now)));
        self.launched += count;
        self.say("ACCEPT", accept);
    }

    fn task(&self, name: &str, offer: &Offer) -> Value {
        let scalar = |name: &str, value: f64| {
            let amount = json!({ "value": value });
            json!({ "name": name, "type": "SCALAR", "scalar": amount })
        };
        let mut task = json!({
            "name": name,
            "task_id": { "value": name },
            "agent_id": offer.agent_id,
            "resources": [scalar("cpus", 0.001), scalar("mem", 1.0)],
        });
        match self.plan.mode {
            Mode::Cmd => {
                let command =
                    json!({ "shell": false, "value": "/bin/true", "arguments": ["true"] });
                task["command"] = command;
            }
            Mode::Exec => {
                let line = format!("exec {} measure executor", self.program);
                task["executor"] = json!({
                    "type": "CUSTOM",
                    "executor_id": { "value": "shared" },
                    "framework_id": self.framework_id,
                    "name": "shared",
                    "command": { "shell": true, "value": line },
                    "resources": [scalar("cpus", 0.1), scalar("mem", 32.0)],
                });
            }
        }
        task
    }

    fn on_update(&mut self, status: Status) -> Result<(), String> {
        let name = status.task_id.value;
        if let (Some(uuid), Some(agent_id)) = (status.uuid, status.agent_id) {
            let acknowledge = json!({ "acknowledge": {
                "agent_id": agent_id, "task_id": { "value": &name }, "uuid": uuid } });
            self.say("ACKNOWLEDGE", acknowledge);
        }
        match status.state.as_str() {
            "TASK_STAGING" | "TASK_STARTING" => {}
            "TASK_RUNNING" => {
                if let Some(sent) = self.sent.get(&name) {
                    self.running.entry(name).or_insert(sent.elapsed());
                }
            }
            "TASK_FINISHED" => self.finished += 1,
            state => {
                let message = status.message.unwrap_or_default();
                return Err(format!("{name}: {state} {message}"));
            }
        }
        Ok(())
    }
}
