//! Follows the output of tasks: reads their files from the agents' sandboxes as they grow.

use crate::http::client;
use crate::net::find::Masters;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;
use tepui_core::ids::{AgentId, FrameworkId, TaskId};

/// Between two looks at a file that has not grown.
const PAUSE: Duration = Duration::from_millis(100);

/// How often an agent that does not answer is asked again for what is left at the end.
const TRIES_MAX: usize = 50;

/// Where one task's output is.
#[derive(Clone, Debug)]
pub struct Source {
    /// Masters to ask where the agent is.
    pub masters: Masters,
    /// Whose.
    pub framework_id: FrameworkId,
    /// Which.
    pub task_id: TaskId,
    /// Where.
    pub agent_id: AgentId,
}

/// Copies a task's stdout and stderr to ours until `over` says that the task is over and all of
/// it was read.
pub async fn follow(source: Source, mut over: tokio::sync::watch::Receiver<bool>) {
    let mut address = None;
    let mut offsets = BTreeMap::from([("stdout", 0), ("stderr", 0)]);
    let mut failures = 0;
    loop {
        // What is written before a task is over is there when that is known.
        let last = *over.borrow_and_update();
        match round(&source, &mut address, &mut offsets).await {
            Ok(grown) => {
                if last && !grown {
                    return;
                }
                if grown {
                    continue;
                }
            }
            Err(error) => {
                tracing::debug!(%error, "cannot read the output");
                address = None;
                failures += 1;
                if last && failures > TRIES_MAX {
                    eprintln!(
                        "tepui: the rest of the output of {} is lost: {error}",
                        source.task_id
                    );
                    return;
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            changed = over.changed() => if changed.is_err() {
                return;
            },
        }
    }
}

/// Reads what is new in both files. Says whether anything was.
async fn round(
    source: &Source,
    address: &mut Option<String>,
    offsets: &mut BTreeMap<&'static str, u64>,
) -> Result<bool, String> {
    let agent = match address {
        Some(address) => address.clone(),
        None => address.insert(find_agent(source).await?).clone(),
    };
    let mut grown = false;
    for (name, offset) in offsets.iter_mut() {
        let path = format!(
            "/files/download?offset={offset}&path=/frameworks/{}/executors/{}/runs/latest/{name}",
            encode(source.framework_id.as_str()),
            encode(source.task_id.as_str()),
        );
        let answer = client::get(&agent, &path).await?;
        // A task that never started has no files.
        if answer.status == hyper::StatusCode::NOT_FOUND {
            continue;
        }
        if !answer.status.is_success() {
            return Err(format!("{agent}{path}: {}", answer.status));
        }
        if answer.body.is_empty() {
            continue;
        }
        grown = true;
        *offset += answer.body.len() as u64;
        show(name, &answer.body);
    }
    Ok(grown)
}

fn show(name: &str, bytes: &[u8]) {
    // Whoever reads our output may have gone: that does not end the task.
    let _ = if name == "stdout" {
        let mut out = std::io::stdout().lock();
        out.write_all(bytes).and_then(|()| out.flush())
    } else {
        std::io::stderr().lock().write_all(bytes)
    };
}

/// `host:port` of the task's agent, from whichever master knows.
async fn find_agent(source: &Source) -> Result<String, String> {
    let mut error = String::from("no master to ask");
    for master in source.masters.addresses() {
        let target = source.masters.target(master.clone());
        let answer = match target.find().await {
            Ok(address) => client::get(&address, "/slaves").await,
            Err(why) => Err(why.to_string()),
        };
        match answer {
            Err(why) => error = why,
            Ok(answer) => {
                let found = serde_json::from_slice::<Value>(&answer.body)
                    .ok()
                    .and_then(|value| address_of(&value, &source.agent_id));
                match found {
                    Some(address) => return Ok(address),
                    None => error = format!("{master} does not know {}", source.agent_id),
                }
            }
        }
    }
    Err(error)
}

fn address_of(slaves: &Value, agent_id: &AgentId) -> Option<String> {
    let list = slaves.get("slaves")?.as_array()?;
    let agent = list.iter().find(|agent| agent["id"] == agent_id.as_str())?;
    Some(format!("{}:{}", agent["hostname"].as_str()?, agent["port"]))
}

/// Ids may hold anything but slashes.
fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
