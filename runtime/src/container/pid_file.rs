//! The file by which a restarted agent finds a container that still runs.
//!
//! The container's own first process writes it, before it does anything else, and an agent that
//! dies before then takes that process with it: so a container that runs always has its file.
//! It needs no fsync: after a power cut there is no process left to find.

use super::proc_fs::{self, Process};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::Path;

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PidFile {
    /// The container's first process.
    pub pid: u32,
    /// When that started, so that a reused number is not taken for it (MESOS-9501).
    pub start_ticks: u64,
    /// In which boot of the host.
    pub boot_id: String,
}

impl PidFile {
    /// About this very process.
    ///
    /// # Errors
    /// When `/proc` does not know it.
    pub fn of_this_process() -> io::Result<PidFile> {
        let process = Process::read(std::process::id())
            .ok_or_else(|| io::Error::other("/proc does not show this process"))?;
        Ok(PidFile {
            pid: process.pid,
            start_ticks: process.start_ticks,
            boot_id: proc_fs::boot_id()?,
        })
    }

    /// Replaces the file as a whole.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let fresh = path.with_extension("new");
        fs::write(&fresh, serde_json::to_vec(self)?)?;
        fs::rename(&fresh, path)
    }

    /// Reads it; `None` when there is none or it makes no sense.
    #[must_use]
    pub fn read(path: &Path) -> Option<PidFile> {
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }

    /// The process, if it is the very one that wrote the file and still runs.
    #[must_use]
    pub fn process(&self) -> Option<Process> {
        if proc_fs::boot_id().ok()? != self.boot_id {
            return None;
        }
        Process::read(self.pid)
            .filter(|process| process.start_ticks == self.start_ticks && !process.zombie)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_same_process_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c1");
        let me = PidFile::of_this_process().unwrap();
        me.write(&path).unwrap();
        assert_eq!(PidFile::read(&path), Some(me.clone()));
        assert_eq!(me.process().map(|p| p.pid), Some(std::process::id()));
        let reused = PidFile {
            start_ticks: me.start_ticks - 1,
            ..me.clone()
        };
        let rebooted = PidFile {
            boot_id: String::from("another"),
            ..me
        };
        assert!(reused.process().is_none() && rebooted.process().is_none());
        fs::write(&path, "{").unwrap();
        assert_eq!(PidFile::read(&path), None);
    }
}
