//! What the processes of nodes have in common: their runtime, the signals that end them, the lock
//! on their work directory.

use super::Failure;
use super::flags::Kept;
use crate::mesos::limits;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use rustix::process::{Resource, Signal, getrlimit, set_parent_process_death_signal};
use std::fs::{self, File, OpenOptions};
use std::future::Future;
use std::path::Path;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// Runs `node` on a runtime with `threads` workers.
///
/// # Errors
/// As `node`, and when the host gives no threads.
pub fn block_on<F>(threads: usize, node: F) -> Result<ExitCode, Failure>
where
    F: Future<Output = Result<ExitCode, Failure>>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .map_err(|error| Failure::run(format!("cannot start threads: {error}")))?;
    let result = runtime.block_on(node);
    // What still waits for a silent peer must not hold up the end.
    runtime.shutdown_background();
    result
}

/// How many HTTP connections this process serves at once: as many as it was told, but never so
/// many that masters and agents find no place.
#[must_use]
pub fn http_connections() -> usize {
    let told = limits::current().connections as usize;
    match getrlimit(Resource::Nofile).current {
        Some(files) => told.min(usize::try_from(files / 2).unwrap_or(told)),
        None => told,
    }
}

/// What was asked of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// To end.
    Stop,
    /// To end for good, as Mesos' SIGUSR1 tells an agent.
    Retire,
}

/// The signals that a node listens to.
#[derive(Debug)]
pub struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    retire: tokio::signal::unix::Signal,
}

impl Signals {
    /// Starts to listen.
    ///
    /// # Errors
    /// When the host refuses.
    pub fn listen(kept: &Kept) -> Result<Signals, Failure> {
        let failed = |error: std::io::Error| Failure::run(format!("cannot hear signals: {error}"));
        let signals = Signals {
            terminate: signal(SignalKind::terminate()).map_err(failed)?,
            interrupt: signal(SignalKind::interrupt()).map_err(failed)?,
            retire: signal(SignalKind::user_defined1()).map_err(failed)?,
        };
        if kept.end_with_parent {
            set_parent_process_death_signal(Some(Signal::TERM))
                .map_err(|error| Failure::run(format!("prctl: {error}")))?;
        }
        Ok(signals)
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.terminate.recv() => Told::Stop,
            _ = self.interrupt.recv() => Told::Stop,
            _ = self.retire.recv() => Told::Retire,
        }
    }
}

/// Keeps other processes out of a work directory, for as long as it lives.
#[derive(Debug)]
pub struct WorkDirLock {
    _file: Flock<File>,
}

impl WorkDirLock {
    /// Creates the folder and takes it.
    ///
    /// # Errors
    /// When another process has it, or the disk refuses.
    pub fn take(folder: &Path) -> Result<WorkDirLock, Failure> {
        let failed = |error: &dyn std::fmt::Display| {
            let shown = folder.display();
            Failure::usage(format!(
                "--work_dir={shown} cannot be used: {error}; choose a folder that this user may \
                 write to"
            ))
        };
        fs::create_dir_all(folder).map_err(|error| failed(&error))?;
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(folder.join("lock"))
            .map_err(|error| failed(&error))?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(file) => Ok(WorkDirLock { _file: file }),
            Err((_, Errno::EWOULDBLOCK)) => Err(Failure::usage(format!(
                "--work_dir={} is in use by another process: stop it or choose another folder",
                folder.display()
            ))),
            Err((_, error)) => Err(failed(&error)),
        }
    }
}
