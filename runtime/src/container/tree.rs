//! All processes of a container, wherever they hid, and their certain end.
//!
//! A container's first process leads a session of its own. Its tree is that session, everything
//! that descends from it, and orphans that bear the container's mark in their environment: a
//! daemon that forks twice and starts its own session loses its parents, not its mark. (A
//! process that scrubs its environment as well needs a control group to be found.)

use super::proc_fs::Process;
use rustix::process::Signal;
use std::collections::{BTreeMap, BTreeSet};
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
    /// Kills all of it and returns when nothing is left but zombies. Blocks for a few ms.
    /// `adopters` are those to whom orphans go.
    ///
    /// # Errors
    /// Says how many processes could not be killed.
    pub fn kill(&self, adopters: &[u32]) -> Result<(), String> {
        let mut left = 0;
        for round in 0..ROUNDS_MAX {
            let all = Process::all().map_err(|error| format!("cannot read /proc: {error}"))?;
            left = Look::new(all, adopters).kill(self);
            if left == 0 {
                return Ok(());
            }
            if round > 0 {
                thread::sleep(ROUND_PAUSE);
            }
        }
        Err(format!("{left} processes could not be killed"))
    }
}

/// All processes of the host at one moment, arranged so that the members of many trees are found
/// in it at little cost each.
#[derive(Debug)]
pub struct Look {
    all: Vec<Process>,
    by_number: BTreeMap<u32, usize>,
    by_session: BTreeMap<u32, Vec<usize>>,
    by_parent: BTreeMap<u32, Vec<usize>>,
    orphans: Vec<usize>,
    /// Orphans by their mark, once anybody asked for one.
    marked: Option<BTreeMap<Vec<u8>, Vec<usize>>>,
}

impl Look {
    /// Arranges `all`. `adopters` are those to whom orphans go.
    #[must_use]
    pub fn new(all: Vec<Process>, adopters: &[u32]) -> Look {
        let mut look = Look {
            all: Vec::new(),
            by_number: BTreeMap::new(),
            by_session: BTreeMap::new(),
            by_parent: BTreeMap::new(),
            orphans: Vec::new(),
            marked: None,
        };
        for (place, process) in all.iter().enumerate() {
            look.by_number.insert(process.pid, place);
            let sessions = look.by_session.entry(process.session);
            sessions.or_default().push(place);
            let children = look.by_parent.entry(process.parent);
            children.or_default().push(place);
            if adopters.contains(&process.parent) && !process.zombie {
                look.orphans.push(place);
            }
        }
        look.all = all;
        look
    }

    /// The tree's living processes.
    pub fn members(&mut self, tree: &Tree) -> Vec<Process> {
        let root = self.by_number.get(&tree.root).copied();
        // While a session has members its number is not given to a new process. So if the
        // number is somebody else's now, the session is over and another one may bear its name.
        let stranger =
            root.is_some_and(|place| self.all[place].start_ticks != tree.root_start_ticks);
        let mut reached = self.marked(&tree.marker);
        if !stranger {
            // Before it has started its session the first process is known by its number alone.
            reached.extend(root);
            reached.extend(self.by_session.get(&tree.root).into_iter().flatten());
        }
        let mut found = BTreeSet::new();
        while let Some(place) = reached.pop() {
            if found.insert(place) {
                let children = self.by_parent.get(&self.all[place].pid);
                reached.extend(children.into_iter().flatten());
            }
        }
        let living = found.into_iter().map(|place| self.all[place]);
        living.filter(|process| !process.zombie).collect()
    }

    /// Kills the tree's living processes and says how many there were.
    pub fn kill(&mut self, tree: &Tree) -> usize {
        let members = self.members(tree);
        for process in &members {
            // One that is gone meanwhile needs no signal.
            let _ = process.signal(Signal::KILL);
        }
        members.len()
    }

    /// The orphans with this mark, `NAME=value`; all marks have the same name.
    fn marked(&mut self, marker: &str) -> Vec<usize> {
        let Some((name, _)) = marker.split_once('=') else {
            return Vec::new();
        };
        let marked = self.marked.get_or_insert_with(|| {
            let mut marked: BTreeMap<Vec<u8>, Vec<usize>> = BTreeMap::new();
            for place in &self.orphans {
                if let Some(mark) = self.all[*place].variable(name) {
                    marked.entry(mark).or_default().push(*place);
                }
            }
            marked
        });
        let of_tree = marked.get(marker.as_bytes());
        of_tree.cloned().unwrap_or_default()
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

    fn members(all: &[Process], tree: &Tree) -> Vec<u32> {
        let members = Look::new(all.to_vec(), &[1]).members(tree);
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
        assert_eq!(members(&all, &tree()), [30, 40, 20, 10]);
    }

    #[test]
    fn a_session_outlives_its_leader() {
        let all = [process(20, 1, 10), process(50, 5, 50)];
        assert_eq!(members(&all, &tree()), [20]);
    }

    #[test]
    fn a_reused_number_is_a_stranger() {
        let stranger = Process {
            start_ticks: 99,
            ..process(10, 5, 10)
        };
        let all = [stranger, process(20, 10, 10)];
        assert!(members(&all, &tree()).is_empty());
    }
}
