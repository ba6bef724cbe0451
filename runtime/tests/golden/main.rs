//! The shape of our answers beside that of a real Mesos master's and agent's.
//!
//! A small cluster of real processes gets the requests of every capture, in the order in which
//! they were captured. Status, media type and reason must be the same; of JSON, the same keys must
//! be there with values of the same types. What differs is listed in `differences`, each with its
//! reason, and nothing on that list may be without effect. Skipped where the captures are not
//! there.

mod agents;
mod differences;
mod masters;
mod shape;
mod streams;
#[path = "../support/mod.rs"]
mod support;

use differences::{Difference, Kind};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Child;
use support::client::{Answer, Request, ask};
use support::pair::Pair;
use support::{Running, http_json, until};

/// One capture: what was asked, and what came back.
struct Capture {
    name: String,
    request: Request,
    status: u16,
    content_type: Option<String>,
    allow: Option<String>,
    text: Option<String>,
    body: Option<Value>,
}

impl Capture {
    fn read(folder: &Path, name: &str) -> Option<Capture> {
        let text = fs::read_to_string(folder.join(format!("{name}.meta.json"))).ok()?;
        let meta: Value = serde_json::from_str(&text).unwrap();
        let asked = &meta["request"];
        let header = |name: &str| {
            let headers = meta["headers"].as_array()?.iter();
            let mut found = headers.filter(|pair| pair[0] == name);
            Some(found.next()?[1].as_str()?.to_owned())
        };
        let file = folder.join(format!("{name}.json"));
        let body = fs::read_to_string(file).ok();
        let headers = asked["headers"].as_object().into_iter().flatten();
        Some(Capture {
            name: name.to_owned(),
            request: Request {
                method: asked["method"].as_str()?.to_owned(),
                path: asked["path"].as_str()?.to_owned(),
                headers: headers
                    .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
                    .collect(),
                body: body_of(&asked["body"]),
            },
            status: u16::try_from(meta["status"].as_u64()?).ok()?,
            content_type: header("Content-Type"),
            allow: header("Allow"),
            text: meta["body_text"].as_str().map(str::to_owned),
            body: body.and_then(|body| serde_json::from_str(&body).ok()),
        })
    }
}

/// Bodies that are no text were written down as Python writes bytes.
fn body_of(body: &Value) -> Vec<u8> {
    match body.as_str() {
        None => Vec::new(),
        Some("b'\\xff\\xff'") => vec![0xff, 0xff],
        Some(text) => text.as_bytes().to_vec(),
    }
}

/// A master and an agent like the captured ones.
struct Cluster {
    master: String,
    agent: String,
    folder: tempfile::TempDir,
    running: Vec<Running>,
    runner: Option<Child>,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut runner) = self.runner.take() {
            let _ = runner.kill();
            let _ = runner.wait();
        }
    }
}

impl Cluster {
    fn start() -> Cluster {
        Cluster::start_with(&[])
    }

    /// As [`Cluster::start`], with more flags for the master.
    fn start_with(flags: &[&str]) -> Cluster {
        let folder = tempfile::tempdir().unwrap();
        let webui = folder.path().join("webui");
        fs::create_dir(&webui).unwrap();
        fs::write(webui.join("index.html"), "<html></html>").unwrap();
        let webui = format!("--webui_dir={}", webui.display());
        let master = [&[webui.as_str(), "--cluster=peer"], flags].concat();
        let agent = [
            "--resources=cpus:4;mem:4096;disk:10000;ports:[31000-32000]",
            "--attributes=rack:r1;zone:a",
        ];
        let pair = Pair::start(folder.path(), &master, &agent);
        Cluster {
            master: pair.master,
            agent: pair.agent,
            folder,
            running: vec![pair.master_runs, pair.agent_runs],
            runner: None,
        }
    }

    /// Where the running task's files are.
    fn sandbox(&self) -> String {
        until("the agent shows the task's sandbox", || {
            let state = http_json(&self.agent, "/state")?;
            let executor = &state["frameworks"][0]["executors"][0];
            Some(executor["directory"].as_str()?.to_owned())
        })
    }
}

/// A capture's path with our ids: the folder that it names is our task's.
fn here(path: &str, sandbox: &str) -> String {
    let Some((before, after)) = path.split_once("path=") else {
        return path.to_owned();
    };
    let Some(at) = after.find("%2Fruns%2F") else {
        return path.to_owned();
    };
    // What is behind the container's id, which has 36 characters.
    let rest = &after[at + "%2Fruns%2F".len() + 36..];
    format!("{before}path={}{rest}", sandbox.replace('/', "%2F"))
}

/// What differs between a capture and our answer: what, and where.
fn compare(capture: &Capture, ours: &Answer) -> BTreeSet<(Kind, String)> {
    let mut found = BTreeSet::new();
    if ours.status != capture.status {
        let both = format!("{} is {} here", capture.status, ours.status);
        found.insert((Kind::Status, both));
        return found;
    }
    let kind = |text: &Option<String>| text.clone().unwrap_or_default();
    let (theirs, our) = (kind(&capture.content_type), kind(&ours.content_type));
    if theirs != our && capture.request.method != "HEAD" {
        found.insert((Kind::ContentType, format!("'{theirs}' is '{our}' here")));
    }
    if capture.allow != ours.allow {
        found.insert((
            Kind::Allow,
            format!("{:?} is {:?} here", capture.allow, ours.allow),
        ));
    }
    if ours.status >= 400 && capture.request.method != "HEAD" {
        let theirs = capture.text.clone().unwrap_or_default();
        let our = String::from_utf8_lossy(&ours.body).into_owned();
        if theirs != our {
            found.insert((Kind::Reason, format!("'{theirs}' is '{our}' here")));
        }
    }
    if let Some(theirs) = &capture.body
        && capture.request.method != "HEAD"
    {
        match serde_json::from_slice::<Value>(&ours.body) {
            Err(_) => {
                found.insert((Kind::Type, "no JSON".to_owned()));
            }
            Ok(our) => found.extend(shape::differences(theirs, &our)),
        }
    }
    found
}

fn captures(folder: &Path) -> Vec<Capture> {
    let index = fs::read_to_string(folder.join("INDEX.http.json")).unwrap();
    let index: Vec<Value> = serde_json::from_str(&index).unwrap();
    let names = index.iter().map(|entry| entry[0].as_str().unwrap());
    // Not all that the index names are in the folder.
    names
        .filter_map(|name| Capture::read(folder, name))
        .collect()
}

fn is_listed(
    listed: &[Difference],
    (name, kind, what): (&str, Kind, &str),
    used: &mut BTreeSet<usize>,
) -> bool {
    let fits = |pattern: &str, text: &str| match pattern.strip_suffix('*') {
        Some(prefix) => text.starts_with(prefix),
        None => pattern == text,
    };
    let mut found = false;
    for (at, difference) in listed.iter().enumerate() {
        let same = difference.kind == kind
            && difference
                .captures
                .iter()
                .any(|pattern| fits(pattern, name))
            && difference.what.iter().any(|pattern| fits(pattern, what));
        if same {
            assert!(!difference.why.is_empty(), "{difference:?} has no reason");
            used.insert(at);
            found = true;
        }
    }
    found
}

fn is_of_agent(name: &str) -> bool {
    name.starts_with("agent.") || name.starts_with("err.agent")
}
