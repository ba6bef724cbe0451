//! What `/proc` says of processes.

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::fs;
use std::io;

/// One process, told from any later one that gets the same number by when it started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its parent.
    pub parent: u32,
    /// Its session.
    pub session: u32,
    /// Whether it is over and only waits to be reaped.
    pub zombie: bool,
    /// When it started, in clock ticks since the host's boot.
    pub start_ticks: u64,
}

impl Process {
    /// Reads `/proc/<pid>/stat`; `None` when there is no such process.
    #[must_use]
    pub fn read(pid: u32) -> Option<Process> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        Process::parse(pid, &text)
    }

    /// The command's name may hold blanks and brackets, so that fields count from the last one.
    fn parse(pid: u32, text: &str) -> Option<Process> {
        let (_, after_name) = text.rsplit_once(')')?;
        let fields: Vec<&str> = after_name.split_ascii_whitespace().collect();
        // Field 3 of proc(5) is the first after the name.
        let field = |number: usize| fields.get(number - 3).copied();
        Some(Process {
            pid,
            zombie: matches!(field(3)?, "Z" | "X"),
            parent: field(4)?.parse().ok()?,
            session: field(6)?.parse().ok()?,
            start_ticks: field(22)?.parse().ok()?,
        })
    }

    /// Every process that can be seen.
    ///
    /// # Errors
    /// When `/proc` cannot be listed.
    pub fn all() -> io::Result<Vec<Process>> {
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let pid = name.to_str().and_then(|name| name.parse().ok());
            found.extend(pid.and_then(Process::read));
        }
        Ok(found)
    }

    /// The variable `name` that it was started with, as `NAME=value`.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<Vec<u8>> {
        let environment = fs::read(format!("/proc/{}/environ", self.pid)).unwrap_or_default();
        let mut variables = environment.split(|byte| *byte == 0);
        let named = |variable: &&[u8]| {
            let value = variable.strip_prefix(name.as_bytes());
            value.is_some_and(|value| value.starts_with(b"="))
        };
        variables.find(named).map(<[u8]>::to_vec)
    }

    /// Signals exactly this process, never a later one with its number. False when it is gone.
    #[must_use]
    pub fn signal(&self, signal: Signal) -> bool {
        let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) else {
            return false;
        };
        // The descriptor pins the process: what is checked after opening stays true.
        let Ok(descriptor) = pidfd_open(pid, PidfdFlags::empty()) else {
            return false;
        };
        let same = Process::read(self.pid).is_some_and(|now| now.start_ticks == self.start_ticks);
        same && pidfd_send_signal(&descriptor, signal).is_ok()
    }
}

/// Names this boot of the host: process numbers of another one mean nothing.
///
/// # Errors
/// When the kernel does not say.
pub fn boot_id() -> io::Result<String> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_blanks_shifts_no_field() {
        let text = "42 (a) b (c)) S 7 42 9 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 987654 1 1";
        let process = Process::parse(42, text).unwrap();
        assert_eq!((process.parent, process.session), (7, 9));
        assert_eq!((process.start_ticks, process.zombie), (987_654, false));
        assert!(Process::parse(42, "42 (cut").is_none());
        assert!(Process::parse(42, "42 (cut) S 1 2").is_none());
    }

    #[test]
    fn this_process_is_found_and_a_stranger_with_its_number_is_not_signalled() {
        let me = Process::read(std::process::id()).unwrap();
        assert!(Process::all().unwrap().contains(&me));
        let stranger = Process {
            start_ticks: me.start_ticks + 1,
            ..me
        };
        assert!(!stranger.signal(Signal::KILL), "still alive to say so");
    }
}
