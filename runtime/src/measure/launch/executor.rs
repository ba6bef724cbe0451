//! The shared executor: every task runs and finishes at once.

use super::spoken::{Calls, Place, Subscription};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};
use tepui_core::ids::UpdateId;
use tepui_core::rng::Rng;

/// Runs until the agent says that it is over.
///
/// # Errors
/// When the environment is not an executor's, or the agent goes away.
pub fn run() -> Result<(), String> {
    let variable = |name: &str| std::env::var(name).map_err(|_| format!("{name} is not set"));
    let place = Place {
        address: variable("MESOS_AGENT_ENDPOINT")?,
        path: String::from("/slave(1)/api/v1/executor"),
    };
    let framework = json!({ "value": variable("MESOS_FRAMEWORK_ID")? });
    let executor = json!({ "value": variable("MESOS_EXECUTOR_ID")? });
    let call = |kind: &str, mut call: Value| {
        call["type"] = json!(kind);
        call["framework_id"] = framework.clone();
        call["executor_id"] = executor.clone();
        call.to_string().into_bytes()
    };
    let nothing: [Value; 0] = [];
    let subscribe = json!({ "subscribe": {
        "unacknowledged_tasks": nothing, "unacknowledged_updates": nothing } });
    let failed = |error: std::io::Error| error.to_string();
    let mut stream = Subscription::open(&place, &call("SUBSCRIBE", subscribe)).map_err(failed)?;
    let mut calls = Calls::open(&place, None).map_err(failed)?;
    let mut rng = crate::node::fresh_rng("executor").map_err(failed)?;
    let mut waiting = Vec::new();
    loop {
        let record = stream.read().map_err(failed)?;
        let event: Value = serde_json::from_slice(&record).map_err(|error| error.to_string())?;
        match event["type"].as_str() {
            Some("LAUNCH") => {
                let task_id = &event["launch"]["task"]["task_id"];
                for state in ["TASK_RUNNING", "TASK_FINISHED"] {
                    let status = status(task_id, state, &mut rng);
                    waiting.push(call("UPDATE", json!({ "update": { "status": status } })));
                }
            }
            Some("SHUTDOWN") => return Ok(()),
            _ => {}
        }
        if !waiting.is_empty() && !stream.has_more() {
            calls.make(&waiting).map_err(failed)?;
            waiting.clear();
        }
    }
}

fn status(task_id: &Value, state: &str, rng: &mut Rng) -> Value {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = since.map_or(0.0, |since| since.as_secs_f64());
    json!({
        "task_id": task_id,
        "state": state,
        "source": "SOURCE_EXECUTOR",
        "uuid": BASE64_STANDARD.encode(UpdateId::draw(rng).0),
        "timestamp": now,
    })
}
