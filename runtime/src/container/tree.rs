//! All processes of a container, wherever they hid, and their certain end.
//!
//! A container's first process leads a session of its own. Its tree is that session, everything
//! that descends from it, and orphans that bear the container's mark in their environment: a
//! daemon that forks twice and starts its own session loses its parents, not its mark. (A
//! process that scrubs its environment as well needs a control group to be found.)

use super::proc_fs::Process;
use rustix::process::Signal;
use std::collections::BTreeSet;
use std::io;
use std::thread;
use std::time::Duration;

/// How often a tree is looked through before it is given up: a fork bomb can outrun this.
const ROUNDS_MAX: usize = 400;

/// Between two looks, so that the killed have time to go.
const ROUND_PAUSE: Duration = Duration::from_millis(2);

/// To whom orphans may go: the kernel gives them to the nearest ancestor that adopts, which is
/// `me`, one of its own ancestors, or process 1.
#[must_use]
pub fn adopters(me: u32) -> Vec<u32> {
    /// More ancestors than any process has.
    const DEPTH_MAX: usize = 1_000;
    let mut found = vec![1];
    let mut next = me;
    while next > 1 && found.len() < DEPTH_MAX {
        found.push(next);
        next = Process::read(next).map_or(0, |process| process.parent);
    }
    found
}

/// What tells a container's processes from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// Its first process, the leader of its session.
    pub root: u32,
    /// When that started.
    pub root_start_ticks: u64,
    /// `NAME=value` in the environment of all its processes.
    pub marker: String,
}

impl Tree {
    /// The tree's living processes. `adopters` are those to whom orphans go.
    ///
    /// # Errors
    /// When `/proc` cannot be read.
    pub fn members(&self, adopters: &[u32]) -> io::Result<Vec<Process>> {
        let all = Process::all()?;
        Ok(self.members_of(&all, adopters))
    }

    fn members_of(&self, all: &[Process], adopters: &[u32]) -> Vec<Process> {
        // While a session has members its number is not given to a new process. So if the
        // number is somebody else's now, the session is over and another one may bear its name.
        let stranger = all
            .iter()
            .any(|p| p.pid == self.root && p.start_ticks != self.root_start_ticks);
        let mut found = BTreeSet::new();
        for process in all {
            // Before it has started its session the first process is known by its number alone.
            let ours = process.session == self.root || process.pid == self.root;
            let orphan = adopters.contains(&process.parent);
            if (ours && !stranger) || (orphan && !process.zombie && process.is_marked(&self.marker))
            {
                found.insert(process.pid);
            }
        }
        // Each pass finds at least one more generation.
        loop {
            let before = found.len();
            for process in all {
                if found.contains(&process.parent) {
                    found.insert(process.pid);
                }
            }
            if found.len() == before {
                break;
            }
        }
        let of_tree = |process: &&Process| found.contains(&process.pid) && !process.zombie;
        all.iter().filter(of_tree).copied().collect()
    }

    /// Kills all of it and returns when nothing is left but zombies. Blocks for a few ms.
    ///
    /// # Errors
    /// Says how many processes could not be killed.
    pub fn kill(&self, adopters: &[u32]) -> Result<(), String> {
        let mut left = 0;
        for round in 0..ROUNDS_MAX {
            let members = self
                .members(adopters)
                .map_err(|error| format!("cannot read /proc: {error}"))?;
            if members.is_empty() {
                return Ok(());
            }
            left = members.len();
            for process in members {
                // One that is gone meanwhile needs no signal.
                let _ = process.signal(Signal::KILL);
            }
            if round > 0 {
                thread::sleep(ROUND_PAUSE);
            }
        }
        Err(format!("{left} processes could not be killed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: u32, parent: u32, session: u32) -> Process {
        Process {
            pid,
            parent,
            session,
            zombie: false,
            start_ticks: u64::from(pid),
        }
    }

    fn tree() -> Tree {
        Tree {
            root: 10,
            root_start_ticks: 10,
            marker: String::from("TEPUI_TEST_MARK=1"),
        }
    }

    fn pids(members: &[Process]) -> Vec<u32> {
        members.iter().map(|process| process.pid).collect()
    }

    #[test]
    fn a_tree_is_its_session_and_all_that_descends_from_it() {
        let all = [
            process(30, 20, 30),
            process(40, 30, 40),
            process(20, 10, 10),
            process(10, 5, 10),
            process(50, 5, 50),
        ];
        assert_eq!(pids(&tree().members_of(&all, &[1])), [30, 40, 20, 10]);
    }

    #[test]
    fn a_session_outlives_its_leader() {
        let all = [process(20, 1, 10), process(50, 5, 50)];
        assert_eq!(pids(&tree().members_of(&all, &[1])), [20]);
    }

    #[test]
    fn a_reused_number_is_a_stranger() {
        let stranger = Process {
            start_ticks: 99,
            ..process(10, 5, 10)
        };
        let all = [stranger, process(20, 10, 10)];
        assert!(tree().members_of(&all, &[1]).is_empty());
    }
}
