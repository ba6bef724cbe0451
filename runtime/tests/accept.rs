//! Unmodified public clients against a cluster of real processes.
//!
//! The scripts and the facts that they check come from a folder beside this repository
//! (`TEPUI_SHARED`, or `../shared`), and their Python environment from `TEPUI_ACCEPT_VENV`, or
//! `accept-venv` beside the build's target folder, as `.ci/run` makes it. Where either is missing
//! these tests say so and do nothing.

mod support;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use support::{PATIENCE, Running, free_stretch, http_json, shared, tepui, until};
use tepui_runtime::measure::cluster as measure;

/// How long a script may take; it gives up by itself before.
const SCRIPT_TIMEOUT: Duration = Duration::from_secs(300);

struct Clients {
    python: PathBuf,
    scripts: PathBuf,
}

impl Clients {
    /// The clients, or the printed reason why there are none.
    fn here() -> Option<Clients> {
        let scripts = shared("accept")?;
        let environment = std::env::var_os("TEPUI_ACCEPT_VENV").map(PathBuf::from);
        let binary = Path::new(env!("CARGO_BIN_EXE_tepui"));
        let beside = binary
            .ancestors()
            .nth(2)
            .map(|target| target.join("accept-venv"));
        let environment = environment.or(beside)?;
        let python = environment.join("bin/python");
        if environment.join(".ready").exists() && python.exists() {
            return Some(Clients { python, scripts });
        }
        println!(
            "skipped: no clients in {}; make them with V={} {}",
            environment.display(),
            environment.display(),
            scripts.join("setup.sh").display()
        );
        None
    }

    fn command(&self, script: &Path, master: &str) -> Command {
        let mut command = Command::new(&self.python);
        command
            .arg(script)
            .env("MASTER", master)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        command
    }

    /// Runs a script to its end, which must be a good one.
    fn pass(&self, script: &str, master: &str) {
        let mut command = self.command(&self.scripts.join(script), master);
        let (status, said) = ended(command.spawn().unwrap());
        assert!(status.success(), "{script}: {status}\n{said}");
    }

    /// As [`Clients::pass`], with what the script logs in `log`, from an address that sends
    /// clients on to the leader. pymesos tells its scheduler of a disconnection when it is told to
    /// try again, and of two when it is sent on: of the connection that was, and of one to the
    /// same master that it opens before it goes on. A script that counts them sees these, with
    /// any master. Nothing else may go amiss, and no other disconnection.
    fn pass_sent_on(&self, script: &str, master: &str, log: &Path) {
        let mut command = self.command(&self.scripts.join(script), master);
        let file = std::fs::File::create(log).unwrap();
        let (status, said) = ended(command.stderr(file).spawn().unwrap());
        let log = std::fs::read_to_string(log).unwrap();
        let sent_on = log.matches("Try to redirect to new master").count();
        let waited = log.matches("Master is not available, retry").count();
        let mut failed = log.lines().filter_map(|line| line.split_once("] FAIL "));
        let counted = failed.next().and_then(|(_, check)| {
            let count = check.strip_prefix("no error event, no disconnect ([], ")?;
            count.trim_end().strip_suffix(')')?.parse::<usize>().ok()
        });
        let expected = sent_on + waited..=2 * sent_on + waited;
        let alone = failed.next().is_none();
        let only = alone && counted.is_some_and(|count| count > 0 && expected.contains(&count));
        assert!(
            status.success() || only,
            "{script}: {status}\n{said}\n{log}"
        );
    }
}

/// Waits for a script's end.
fn ended(mut child: Child) -> (ExitStatus, String) {
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if began.elapsed() > SCRIPT_TIMEOUT {
            child.kill().unwrap();
            break child.wait().unwrap();
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let output = BufReader::new(child.stdout.take().unwrap()).lines();
    let lines: Vec<String> = output.map_while(Result::ok).collect();
    let said = lines.join("\n");
    println!("{said}");
    (status, said)
}

struct Cluster {
    _running: Running,
    masters: Vec<String>,
}

impl Cluster {
    fn start(folder: &Path, masters: u16, agents: u16) -> Cluster {
        let first = free_stretch(masters + agents);
        let mut command = tepui();
        command
            .arg("local")
            .arg(format!("--masters={masters}"))
            .arg(format!("--agents={agents}"))
            .arg(format!("--port={first}"))
            .arg(format!("--work_dir={}", folder.join("work").display()))
            .arg("--resources=cpus:4;mem:4096;disk:4096;ports:[31000-32000]")
            .stdout(Stdio::piped());
        let mut running = Running::start(&mut command, &folder.join("local.log"));
        let mut lines = BufReader::new(running.child.stdout.take().unwrap()).lines();
        let ready = lines.next().expect("it becomes ready").unwrap();
        assert!(ready.starts_with("ready http://"), "{ready}");
        Cluster {
            _running: running,
            masters: (first..first + masters)
                .map(|port| format!("127.0.0.1:{port}"))
                .collect(),
        }
    }

    fn leads(address: &str) -> bool {
        let metrics = http_json(address, "/metrics/snapshot");
        metrics.is_some_and(|metrics| metrics["master/elected"] == 1.0)
    }

    fn leader(&self) -> usize {
        until("a master leads", || {
            self.masters.iter().position(|address| Self::leads(address))
        })
    }

    /// A master that does not lead.
    fn follower(&self) -> &str {
        let leader = self.leader();
        let other = (leader + 1) % self.masters.len();
        &self.masters[other]
    }
}

const SCRIPTS: [&str; 5] = [
    "pymesos_run_tasks.py",
    "pymesos_failover.py",
    "pymesos_custom_executor.py",
    "pymesos_operator.py",
    "task_processing_run.py",
];

#[test]
fn real_clients_work_with_one_master() {
    let Some(clients) = Clients::here() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(folder.path(), 1, 1);
    for script in SCRIPTS {
        clients.pass(script, &cluster.masters[0]);
    }
}

#[test]
fn real_clients_work_through_a_follower() {
    let Some(clients) = Clients::here() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(folder.path(), 3, 1);
    for script in SCRIPTS {
        let log = folder.path().join(script).with_extension("log");
        clients.pass_sent_on(script, cluster.follower(), &log);
    }
}

/// Runs one of our own scripts, which says when the leader is to be killed. A supervisor starts
/// the killed master again, as its client may know no other address.
async fn leader_dies(script: &str) {
    let Some(clients) = Clients::here() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut cluster = measure::Cluster::start(measure::Plan {
        binary: PathBuf::from(env!("CARGO_BIN_EXE_tepui")),
        folder: folder.path().to_owned(),
        masters: 3,
        agents: 2,
        resources: String::from("cpus:2;mem:1024;disk:1024"),
        master_flags: Vec::new(),
    })
    .unwrap();
    let (leader, _) = cluster.wait_for_leader(PATIENCE).await.unwrap();
    cluster.wait_for_agents(leader, PATIENCE).await.unwrap();
    let follower = cluster.address((leader + 1) % 3).to_owned();
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/accept")
        .join(script);
    let mut command = clients.command(&path, &follower);
    let mut child = command
        .env("RUNS", folder.path().join("runs"))
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut killed = false;
    while let Some(Ok(line)) = lines.next() {
        println!("{line}");
        if line == "HALF" {
            let (leader, _) = cluster.wait_for_leader(PATIENCE).await.unwrap();
            cluster.kill(leader).unwrap();
            cluster.wait_for_leader(PATIENCE).await.unwrap();
            cluster.restart(leader).unwrap();
            killed = true;
        }
    }
    let status = child.wait().unwrap();
    assert!(
        status.success() && killed,
        "{script}: {status}\n{}",
        cluster.logs()
    );
}

#[tokio::test]
async fn a_pymesos_scheduler_lives_through_its_leaders_death() {
    leader_dies("pymesos_leader_dies.py").await;
}

#[tokio::test]
async fn task_processing_lives_through_its_leaders_death() {
    leader_dies("task_processing_leader_dies.py").await;
}
