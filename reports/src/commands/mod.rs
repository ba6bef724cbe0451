//! One module a report.

pub mod agent_order;
pub mod allocation;
pub mod append;
pub mod failover;
pub mod launch;
pub mod mutants;
pub mod planning;
pub mod speed;
pub mod state;
pub mod swarm;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::fmt::Display;
use std::path::PathBuf;
use std::process::Command;

/// Why a report could not be made, with what to do about it.
#[derive(Debug)]
pub struct Error(pub String);

impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Error {
        Error(error.to_string())
    }
}

/// Says where an error happened.
pub(crate) fn at<T, E: Display>(place: impl Display, result: Result<T, E>) -> Result<T, Error> {
    result.map_err(|error| Error(format!("{place}: {error}")))
}

/// Where cargo builds.
pub(crate) fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from)
}

/// Builds the one binary for release and says where it is.
pub(crate) fn build_tepui() -> Result<PathBuf, Error> {
    let build = ["build", "--release", "--quiet", "-p", "tepui"];
    let status = at("cargo build", Command::new("cargo").args(build).status())?;
    if !status.success() {
        return Err(Error("tepui does not build".to_owned()));
    }
    Ok(target_folder().join("release/tepui"))
}

/// The figures of one kind of duration, as `tepui measure` writes them.
#[derive(Debug, Deserialize)]
pub(crate) struct Figures {
    pub min_ms: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

/// Runs `tepui measure` and reads what it found.
pub(crate) fn measure<T: DeserializeOwned>(arguments: &[&str]) -> Result<T, Error> {
    let program = build_tepui()?;
    let mut command = Command::new(program);
    let output = at(
        "tepui measure",
        command.arg("measure").args(arguments).output(),
    )?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(Error(format!(
            "tepui measure {}: {}",
            arguments.join(" "),
            why.trim()
        )));
    }
    at("tepui measure", serde_json::from_slice(&output.stdout))
}

/// Runs one of the Criterion benchmarks; `quick` is for a look, not for figures.
pub(crate) fn bench(name: &str, quick: bool) -> Result<(), Error> {
    let mut command = Command::new("cargo");
    command.args(["bench", "-p", "tepui-benches", "--bench", name]);
    if quick {
        command.args(["--", "--quick"]);
    }
    let status = at("cargo bench", command.status())?;
    if status.success() {
        return Ok(());
    }
    Err(Error(format!("the benchmark {name} failed")))
}
