//! Tasks launched through the scheduler API of a real cluster, beside Mesos'.

use super::{Error, at, build_tepui};
use crate::{Provenance, Report};
use clap::Args;
use serde::Deserialize;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tepui_sim::draw::{Plot, Shape, Table};

/// How to measure.
#[derive(Args, Debug)]
pub struct Options {
    /// The folder of the driver `launch_bench.py`, with which Mesos was measured.
    #[arg(long, default_value = "../shared/bench")]
    driver: PathBuf,
    /// The Python that runs the driver and the executor of the tasks that share one.
    #[arg(long, default_value = "python3")]
    python: String,
    /// How often each is run; the median counts.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// The cluster's port.
    #[arg(long, default_value_t = 15_050)]
    port: u16,
}

/// Who launches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Driver {
    /// The script with which Mesos was measured.
    Script,
    /// `tepui measure launch`, for where the script takes more time than the cluster.
    Own,
}

/// One row: how the driver is called, and what Mesos 1.12.0 did.
struct Trial {
    name: &'static str,
    driver: Driver,
    tasks: u32,
    mode: &'static str,
    window: u32,
    mesos: Mesos,
    /// What is asked of us, in times of Mesos' tasks a second.
    goal: Option<f64>,
}

/// Figures of Mesos: tasks a second, p50 and p99 from ACCEPT to RUNNING in ms.
struct Mesos {
    rate: Option<f64>,
    p50_ms: f64,
    p99_ms: Option<f64>,
}

const fn mesos(rate: f64, p50_ms: f64, p99_ms: f64) -> Mesos {
    Mesos {
        rate: Some(rate),
        p50_ms,
        p99_ms: Some(p99_ms),
    }
}

const TRIALS: [Trial; 8] = [
    Trial {
        name: "1 command task, idle",
        driver: Driver::Script,
        tasks: 1,
        mode: "cmd",
        window: 0,
        mesos: Mesos {
            rate: None,
            p50_ms: 114.0,
            p99_ms: None,
        },
        goal: None,
    },
    Trial {
        name: "100 command tasks, one ACCEPT",
        driver: Driver::Script,
        tasks: 100,
        mode: "cmd",
        window: 0,
        mesos: mesos(15.0, 4_900.0, 6_600.0),
        goal: Some(20.0),
    },
    Trial {
        name: "1,000 command tasks, at most 64 in flight",
        driver: Driver::Script,
        tasks: 1_000,
        mode: "cmd",
        window: 64,
        mesos: mesos(11.6, 4_400.0, 5_800.0),
        goal: Some(20.0),
    },
    Trial {
        name: "1,000 command tasks, one ACCEPT",
        driver: Driver::Script,
        tasks: 1_000,
        mode: "cmd",
        window: 0,
        mesos: mesos(9.7, 94_000.0, 95_000.0),
        goal: Some(20.0),
    },
    Trial {
        name: "500 tasks on one shared executor, one ACCEPT",
        driver: Driver::Script,
        tasks: 500,
        mode: "exec",
        window: 0,
        mesos: mesos(550.0, 620.0, 900.0),
        goal: Some(30.0),
    },
    Trial {
        name: "1,000 tasks on one shared executor, one ACCEPT",
        driver: Driver::Script,
        tasks: 1_000,
        mode: "exec",
        window: 0,
        mesos: mesos(318.0, 2_400.0, 3_100.0),
        goal: Some(30.0),
    },
    Trial {
        name: "500 tasks on one shared executor, one ACCEPT",
        driver: Driver::Own,
        tasks: 500,
        mode: "exec",
        window: 0,
        mesos: mesos(550.0, 620.0, 900.0),
        goal: Some(30.0),
    },
    Trial {
        name: "1,000 tasks on one shared executor, one ACCEPT",
        driver: Driver::Own,
        tasks: 1_000,
        mode: "exec",
        window: 0,
        mesos: mesos(318.0, 2_400.0, 3_100.0),
        goal: Some(30.0),
    },
];

/// What the driver prints.
#[derive(Debug, Deserialize)]
struct Measured {
    finished: u32,
    tasks_per_s_to_finished: f64,
    running_p50_ms: f64,
    running_p99_ms: f64,
    #[serde(default)]
    bad: u32,
    #[serde(default)]
    fails: serde_json::Map<String, serde_json::Value>,
}

/// What our own driver prints; it fails when a task does.
#[derive(Debug, Deserialize)]
struct MeasuredByOwn {
    finished: u32,
    tasks_per_s_to_finished: f64,
    running: Running,
}

#[derive(Debug, Deserialize)]
struct Running {
    p50_ms: f64,
    p99_ms: f64,
}

/// A cluster that ends with this value.
struct Cluster(Child);

impl Drop for Cluster {
    fn drop(&mut self) {
        // It may have ended already. It ends its nodes when it is told to, not when it is killed.
        let pid = self.0.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let _ = self.0.wait();
    }
}

fn cluster(port: u16) -> Result<Cluster, Error> {
    let program = build_tepui()?;
    let mut command = Command::new(program);
    command
        .args(["local", "--masters=1", "--agents=1"])
        .arg("--resources=cpus:16;mem:16384;disk:16384")
        .arg(format!("--port={port}"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut cluster = Cluster(at("tepui local", command.spawn())?);
    let output = cluster.0.stdout.take();
    let mut line = String::new();
    if let Some(output) = output {
        at("tepui local", BufReader::new(output).read_line(&mut line))?;
    }
    if line.starts_with("ready ") {
        return Ok(cluster);
    }
    Err(Error(format!("the cluster did not start on port {port}")))
}

fn drive(options: &Options, trial: &Trial) -> Result<Measured, Error> {
    match trial.driver {
        Driver::Script => drive_by_script(options, trial),
        Driver::Own => drive_by_own(options, trial),
    }
}

fn drive_by_own(options: &Options, trial: &Trial) -> Result<Measured, Error> {
    let master = format!("--master=127.0.0.1:{}", options.port);
    let (tasks, window) = (trial.tasks.to_string(), trial.window.to_string());
    let measured: MeasuredByOwn = super::measure(&[
        "launch", &master, "--mode", trial.mode, "--tasks", &tasks, "--window", &window,
    ])?;
    Ok(Measured {
        finished: measured.finished,
        tasks_per_s_to_finished: measured.tasks_per_s_to_finished,
        running_p50_ms: measured.running.p50_ms,
        running_p99_ms: measured.running.p99_ms,
        bad: 0,
        fails: serde_json::Map::new(),
    })
}

fn drive_by_script(options: &Options, trial: &Trial) -> Result<Measured, Error> {
    let script = options.driver.join("launch_bench.py");
    let mut command = Command::new(&options.python);
    command
        .arg(&script)
        .arg(trial.tasks.to_string())
        .arg(trial.mode)
        .env("MPORT", options.port.to_string())
        .env("WINDOW", trial.window.to_string());
    let output = at(script.display(), command.output())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find(|line| line.starts_with('{'));
    let Some(line) = line else {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(Error(format!("{}: {text}{why}", trial.name)));
    };
    let measured: Measured = at(trial.name, serde_json::from_str(line))?;
    if measured.finished == trial.tasks && measured.bad == 0 && measured.fails.is_empty() {
        return Ok(measured);
    }
    Err(Error(format!(
        "{}: not all tasks went well: {line}",
        trial.name
    )))
}

/// Measures and writes `launch.md`.
///
/// # Errors
/// When the driver is missing or any task did not end well.
pub fn run(options: &Options, out: &Path) -> Result<(), Error> {
    let command = format!(
        "cargo run --release -p tepui-reports -- launch --runs {}",
        options.runs
    );
    let mut report = Report::new("Launch", Provenance::here(&command));
    report.text(format!(
        "One master and one agent as real processes on loopback; tasks of cpus:0.001;mem:1 \
         launched through the v1 scheduler API in JSON by the driver with which Mesos 1.12.0 was \
         measured on this kind of machine, every update acknowledged. That driver (script) and \
         its shared executor are Python on the same cores; where they take more time than the \
         cluster, the same is measured with a compiled driver and executor too (own). Medians of \
         {} runs; no task failed.",
        options.runs
    ));
    let cluster = cluster(options.port)?;
    let mut table = Table::new(&[
        "test",
        "driver",
        "tasks/s",
        "Mesos tasks/s",
        "times",
        "goal",
        "p50 ms",
        "p99 ms",
        "Mesos p50 ms",
        "Mesos p99 ms",
    ]);
    let mut bars = Vec::new();
    for trial in &TRIALS {
        let mut runs = Vec::new();
        for _ in 0..options.runs.max(1) {
            runs.push(drive(options, trial)?);
        }
        bars.extend(bar(trial, &runs));
        table.row(row(trial, &runs));
    }
    drop(cluster);
    report.table(table);
    report.plot(
        "launch",
        Plot {
            title: "Tasks launched, run and acknowledged".to_owned(),
            x: "tasks/s".to_owned(),
            y: String::new(),
            shape: Shape::Bars(bars),
        },
    );
    at(out.display(), report.write(out, "launch"))
}

fn median(runs: &[Measured], figure: fn(&Measured) -> f64) -> f64 {
    let mut figures: Vec<f64> = runs.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Two bars for each trial of many tasks.
fn bar(trial: &Trial, runs: &[Measured]) -> Vec<(String, f64)> {
    let Some(theirs) = trial.mesos.rate else {
        return Vec::new();
    };
    let name = trial.name.replace(", one ACCEPT", "");
    let who = match trial.driver {
        Driver::Script => "Tepui",
        Driver::Own => "Tepui, own driver",
    };
    let rate = median(runs, |run| run.tasks_per_s_to_finished);
    let mut bars = vec![(format!("{who}: {name}"), rate)];
    if trial.driver == Driver::Script {
        bars.push((format!("Mesos: {name}"), theirs));
    }
    bars
}

fn row(trial: &Trial, runs: &[Measured]) -> [String; 10] {
    let rate = median(runs, |run| run.tasks_per_s_to_finished);
    let text = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let Mesos {
        rate: theirs,
        p50_ms,
        p99_ms,
    } = trial.mesos;
    [
        trial.name.to_owned(),
        match trial.driver {
            Driver::Script => String::from("script"),
            Driver::Own => String::from("own"),
        },
        format!("{rate:.0}"),
        text(theirs),
        theirs.map_or_else(String::new, |theirs| format!("{:.1}", rate / theirs)),
        text(trial.goal),
        format!("{:.0}", median(runs, |run| run.running_p50_ms)),
        format!("{:.0}", median(runs, |run| run.running_p99_ms)),
        p50_ms.to_string(),
        text(p99_ms),
    ]
}
