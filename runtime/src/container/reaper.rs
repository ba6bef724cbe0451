//! Waits for children: those that were asked for, and the orphans that fall to this process
//! because it is a "child subreaper". Without it a container's orphans would stay zombies under
//! whoever is process 1.

use rustix::process::{Pid, WaitOptions, WaitStatus, set_child_subreaper, wait};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// Exit code, or 128 + signal.
pub type ExitStatus = i32;

/// Reaps every child of this process. There must be one at most, and nothing else may wait for
/// children.
#[derive(Clone, Debug)]
pub struct Reaper {
    waiting: Arc<Mutex<BTreeMap<u32, oneshot::Sender<ExitStatus>>>>,
}

/// A child under way.
#[derive(Debug)]
pub struct Child {
    /// Its number.
    pub pid: u32,
    /// Its end.
    pub exited: oneshot::Receiver<ExitStatus>,
}

impl Reaper {
    /// Makes this process the adopter of its descendants' orphans and starts to reap.
    ///
    /// # Errors
    /// When the host refuses.
    pub fn start() -> io::Result<Reaper> {
        set_child_subreaper(Some(Pid::INIT))?;
        let mut children = signal(SignalKind::child())?;
        let reaper = Reaper {
            waiting: Arc::default(),
        };
        let reaping = reaper.clone();
        tokio::spawn(async move {
            // One signal may stand for many children.
            while children.recv().await.is_some() {
                reaping.reap();
            }
        });
        Ok(reaper)
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<u32, oneshot::Sender<ExitStatus>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a child. Blocks for about a millisecond.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        // Under the lock, so that the child's end is not met before anybody waits for it.
        let mut waiting = self.waiting();
        let pid = command.spawn()?.id();
        let (end, exited) = oneshot::channel();
        waiting.insert(pid, end);
        Ok(Child { pid, exited })
    }

    /// Whether this process has adopted any orphan. One that has none has nothing left of a
    /// child whose end it has seen, and need not look through all processes of the host for it.
    #[must_use]
    pub fn has_orphans(&self) -> bool {
        // Under the lock no child is on its way in or out.
        let mut waiting = self.waiting();
        Reaper::reap_into(&mut waiting);
        let known = |pid: &str| pid.parse().is_ok_and(|pid: u32| waiting.contains_key(&pid));
        let Ok(threads) = fs::read_dir("/proc/self/task") else {
            return true;
        };
        threads.flatten().any(|thread| {
            // A thread that ended meanwhile left its children to another.
            let children = fs::read_to_string(thread.path().join("children"));
            let children = children.unwrap_or_default();
            children.split_ascii_whitespace().any(|pid| !known(pid))
        })
    }

    fn reap(&self) {
        Reaper::reap_into(&mut self.waiting());
    }

    fn reap_into(waiting: &mut BTreeMap<u32, oneshot::Sender<ExitStatus>>) {
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            let pid = pid.as_raw_nonzero().get().unsigned_abs();
            let ended = waiting.remove(&pid);
            if let (Some(ended), Some(status)) = (ended, exit_status(status)) {
                // Whoever started it may not care for its end.
                let _ = ended.send(status);
            }
        }
    }
}

fn exit_status(status: WaitStatus) -> Option<ExitStatus> {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Some(code),
        (None, Some(signal)) => Some(128 + signal),
        (None, None) => None,
    }
}
