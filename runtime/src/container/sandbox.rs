//! Where things are in an agent's work directory, laid out as Mesos lays it out.
//!
//! Identifiers were validated when they entered the process: none of them is a path.

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};
use tepui_core::agent::ContainerLaunch;
use tepui_core::ids::ContainerId;

/// An agent's work directory.
#[derive(Clone, Debug)]
pub struct WorkDir {
    root: PathBuf,
}

impl WorkDir {
    /// Creates what is missing.
    ///
    /// # Errors
    /// When a folder cannot be created.
    pub fn create(root: &Path) -> io::Result<WorkDir> {
        fs::create_dir_all(root)?;
        let root = root.canonicalize()?;
        fs::create_dir_all(root.join("slaves"))?;
        fs::create_dir_all(root.join("meta/containers"))?;
        Ok(WorkDir { root })
    }

    /// Its absolute path.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the agent's checkpoints are.
    #[must_use]
    pub fn checkpoints(&self) -> PathBuf {
        self.root.join("meta/journal")
    }

    /// Where the agent says at which address it listens.
    #[must_use]
    pub fn address_file(&self) -> PathBuf {
        self.root.join("meta/address")
    }

    /// Where living containers are listed, one file each.
    #[must_use]
    pub fn pid_files(&self) -> PathBuf {
        self.root.join("meta/containers")
    }

    /// One container's file.
    #[must_use]
    pub fn pid_file(&self, container_id: &ContainerId) -> PathBuf {
        self.pid_files().join(container_id.as_str())
    }

    /// The sandbox of one run.
    #[must_use]
    pub fn sandbox(&self, launch: &ContainerLaunch) -> PathBuf {
        self.runs(launch).join(launch.container_id.as_str())
    }

    fn runs(&self, launch: &ContainerLaunch) -> PathBuf {
        let mut path = self.root.join("slaves");
        path.push(launch.agent_id.as_str());
        path.push("frameworks");
        path.push(launch.framework_id.as_str());
        path.push("executors");
        path.push(launch.executor_id.as_str());
        path.push("runs");
        path
    }

    /// Makes the sandbox, and `latest` point to it.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn create_sandbox(&self, launch: &ContainerLaunch) -> io::Result<PathBuf> {
        let sandbox = self.sandbox(launch);
        fs::create_dir_all(&sandbox)?;
        let runs = self.runs(launch);
        let fresh = runs.join(format!(".latest-{}", launch.container_id.as_str()));
        symlink(launch.container_id.as_str(), &fresh)?;
        fs::rename(&fresh, runs.join("latest"))?;
        Ok(sandbox)
    }

    /// Opens a sandbox's file for a reader from outside. `path` is absolute, or starts at
    /// `/slaves/<agent>` or, for short, at `/frameworks`; no link in it leads out of the
    /// sandboxes.
    ///
    /// # Errors
    /// When there is no such file, or it is not below the sandboxes.
    pub fn open_for_reading(&self, agent_id: &str, path: &str) -> io::Result<File> {
        let absolute = Path::new(path);
        let relative = absolute
            .strip_prefix(&self.root)
            .or_else(|_| absolute.strip_prefix("/"))
            .unwrap_or(absolute);
        if !relative
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
        {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let relative = if relative.starts_with("frameworks") {
            Path::new("slaves").join(agent_id).join(relative)
        } else {
            relative.to_owned()
        };
        let within = relative
            .strip_prefix("slaves")
            .map_err(|_| io::Error::from(io::ErrorKind::NotFound))?;
        let folder = openat(
            CWD,
            self.root.join("slaves"),
            OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        // Tasks own their sandboxes and may put any link there: the kernel itself sees to it
        // that none of them leads out. Without NONBLOCK a named pipe would hang the reader.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = File::from(openat2(
            &folder,
            within,
            flags,
            Mode::empty(),
            ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS,
        )?);
        if !file.metadata()?.is_file() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn readers_stay_within_the_sandboxes() {
        let folder = tempfile::tempdir().unwrap();
        let work_dir = WorkDir::create(folder.path()).unwrap();
        let runs = work_dir
            .root()
            .join("slaves/a/frameworks/f/executors/e/runs");
        fs::create_dir_all(runs.join("c")).unwrap();
        fs::write(runs.join("c/stdout"), "hello").unwrap();
        fs::write(folder.path().join("secret"), "secret").unwrap();
        symlink("c", runs.join("latest")).unwrap();
        symlink("/etc/passwd", runs.join("c/absolute")).unwrap();
        symlink("../../../../../../../../secret", runs.join("c/climbing")).unwrap();

        let mut text = String::new();
        let short = "/frameworks/f/executors/e/runs/latest/stdout";
        for path in [
            short.to_owned(),
            format!("/slaves/a{short}"),
            runs.join("c/stdout").display().to_string(),
        ] {
            text.clear();
            let mut file = work_dir.open_for_reading("a", &path).unwrap();
            file.read_to_string(&mut text).unwrap();
            assert_eq!(text, "hello", "{path}");
        }
        for path in [
            "/frameworks/f/executors/e/runs/c/absolute",
            "/frameworks/f/executors/e/runs/c/climbing",
            "/frameworks/f/executors/e/runs/c",
            "/frameworks/../../../secret",
            "/secret",
            "/meta/address",
            "",
            "/",
        ] {
            assert!(work_dir.open_for_reading("a", path).is_err(), "{path}");
        }
    }
}
