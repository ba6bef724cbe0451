//! Which files of an agent may be read from outside, and how paths name them.
//!
//! A path is absolute, or starts with `/frameworks` for short, as in Mesos. Only what is in an
//! executor's sandbox can be named: `.../frameworks/F/executors/E/runs/C` and what is below.

use crate::container::sandbox::WorkDir;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Stat, openat2, statat};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

/// How many entries of a folder are listed.
const ENTRIES_MAX: usize = 10_000;

/// How many components a run's path has below the agent's folder.
const RUN_COMPONENTS: usize = 6;

/// One file in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// As it was asked for, with its name behind.
    pub path: String,
    /// How many names it has.
    pub links: u64,
    /// Its size in bytes.
    pub size: u64,
    /// When it was changed last, in seconds since the Unix epoch.
    pub modified: i64,
    /// Its kind and permissions.
    pub mode: u32,
    /// Whose it is.
    pub user: String,
    /// Whose group's it is.
    pub group: String,
}

/// Why a file cannot be shown.
#[derive(Debug)]
pub enum PathError {
    /// There is none, or none that may be shown.
    NotFound,
    /// It is a folder and a file was wanted.
    Folder,
    /// The host refuses.
    Failed(io::Error),
}

impl From<io::Error> for PathError {
    fn from(error: io::Error) -> PathError {
        match error.kind() {
            io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::CrossesDevices => PathError::NotFound,
            _ => PathError::Failed(error),
        }
    }
}

impl From<rustix::io::Errno> for PathError {
    fn from(error: rustix::io::Errno) -> PathError {
        match error {
            // A link that leads out of the sandboxes, or in circles, names nothing.
            rustix::io::Errno::XDEV | rustix::io::Errno::LOOP => PathError::NotFound,
            error => PathError::from(io::Error::from(error)),
        }
    }
}

/// Where `path` is below the sandboxes' folder, if it is in a sandbox.
fn within(work_dir: &WorkDir, agent_id: &str, path: &str) -> Option<PathBuf> {
    let given = Path::new(path);
    let relative = given
        .strip_prefix(work_dir.root())
        .or_else(|_| given.strip_prefix("/"))
        .unwrap_or(given);
    if !relative
        .components()
        .all(|part| matches!(part, Component::Normal(_)))
    {
        return None;
    }
    let below = match relative.strip_prefix("slaves") {
        Ok(below) => below.to_owned(),
        Err(_) if relative.starts_with("frameworks") => Path::new(agent_id).join(relative),
        Err(_) => return None,
    };
    let names: Vec<_> = below.components().map(Component::as_os_str).collect();
    let fixed = [(1, "frameworks"), (3, "executors"), (5, "runs")];
    let is_run = names.len() > RUN_COMPONENTS && fixed.iter().all(|(at, name)| names[*at] == *name);
    is_run.then_some(below)
}

fn open(
    work_dir: &WorkDir,
    agent_id: &str,
    path: &str,
    flags: OFlags,
) -> Result<OwnedFd, PathError> {
    let within = within(work_dir, agent_id, path).ok_or(PathError::NotFound)?;
    let folder = File::open(work_dir.root().join("slaves"))?;
    // Tasks own their sandboxes and may put any link there: the kernel itself sees to it that
    // none of them leads out. Without NONBLOCK a named pipe would hang the reader.
    let flags = flags | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    Ok(openat2(&folder, within, flags, Mode::empty(), resolve)?)
}

/// Opens a file.
///
/// # Errors
/// When there is none that may be read.
pub fn open_file(work_dir: &WorkDir, agent_id: &str, path: &str) -> Result<File, PathError> {
    let file = File::from(open(work_dir, agent_id, path, OFlags::RDONLY)?);
    let kind = file.metadata()?.file_type();
    match (kind.is_file(), kind.is_dir()) {
        (true, _) => Ok(file),
        (_, true) => Err(PathError::Folder),
        _ => Err(PathError::NotFound),
    }
}

/// Lists a folder, by name.
///
/// # Errors
/// When there is none that may be read.
pub fn list(work_dir: &WorkDir, agent_id: &str, path: &str) -> Result<Vec<Entry>, PathError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    let folder = open(work_dir, agent_id, path, flags)?;
    let mut found = Vec::new();
    for entry in Dir::read_from(&folder)?.take(ENTRIES_MAX) {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name == "." || name == ".." {
            continue;
        }
        // One that is gone meanwhile is not there.
        let Ok(stat) = look_at(&folder, &name) else {
            continue;
        };
        found.push(described(path, &name, &stat));
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// What a name stands for; what a link leads to, if that is in the same folder or below.
fn look_at(folder: &OwnedFd, name: &str) -> Result<Stat, rustix::io::Errno> {
    let stat = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
        return Ok(stat);
    }
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    match openat2(folder, name, flags, Mode::empty(), resolve) {
        Ok(target) => rustix::fs::fstat(&target),
        Err(_) => Ok(stat),
    }
}

fn described(path: &str, name: &str, stat: &Stat) -> Entry {
    let uid = nix::unistd::Uid::from_raw(stat.st_uid);
    let gid = nix::unistd::Gid::from_raw(stat.st_gid);
    let user = nix::unistd::User::from_uid(uid).ok().flatten();
    let group = nix::unistd::Group::from_gid(gid).ok().flatten();
    Entry {
        path: format!("{}/{name}", path.trim_end_matches('/')),
        links: stat.st_nlink,
        size: u64::try_from(stat.st_size).unwrap_or_default(),
        modified: stat.st_mtime,
        mode: stat.st_mode,
        user: user.map_or_else(|| stat.st_uid.to_string(), |user| user.name),
        group: group.map_or_else(|| stat.st_gid.to_string(), |group| group.name),
    }
}

/// A mode as `ls` shows it.
#[must_use]
pub fn mode_text(mode: u32) -> String {
    let kind = match FileType::from_raw_mode(mode) {
        FileType::Directory => 'd',
        FileType::Symlink => 'l',
        FileType::Fifo => 'p',
        FileType::Socket => 's',
        FileType::BlockDevice => 'b',
        FileType::CharacterDevice => 'c',
        _ => '-',
    };
    let mut text = String::from(kind);
    for shift in [6, 3, 0] {
        for (bit, letter) in [(4, 'r'), (2, 'w'), (1, 'x')] {
            text.push(if mode >> shift & bit == 0 {
                '-'
            } else {
                letter
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Read;
    use std::os::unix::fs::symlink;

    #[test]
    fn readers_stay_within_the_sandboxes() {
        let folder = tempfile::tempdir().unwrap();
        let work_dir = WorkDir::create(folder.path()).unwrap();
        let runs = work_dir
            .root()
            .join("slaves/a/frameworks/f/executors/e/runs");
        fs::create_dir_all(runs.join("c/deep")).unwrap();
        fs::write(runs.join("c/stdout"), "hello").unwrap();
        fs::write(folder.path().join("secret"), "secret").unwrap();
        symlink("c", runs.join("latest")).unwrap();
        symlink("deep", runs.join("c/inner")).unwrap();
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
            let mut file = open_file(&work_dir, "a", &path).unwrap();
            file.read_to_string(&mut text).unwrap();
            assert_eq!(text, "hello", "{path}");
        }
        for path in [
            "/frameworks/f/executors/e/runs/c/absolute",
            "/frameworks/f/executors/e/runs/c/climbing",
            "/frameworks/f/executors/e/runs/c",
            "/frameworks/f/executors/e/runs",
            "/frameworks/../../../secret",
            "/secret",
            "/meta/address",
            "",
            "/",
        ] {
            assert!(open_file(&work_dir, "a", path).is_err(), "{path}");
        }
        let listed = list(&work_dir, "a", "/frameworks/f/executors/e/runs/latest").unwrap();
        let shown = |entry: &Entry| {
            let name = entry.path.rsplit('/').next().unwrap().to_owned();
            (name, mode_text(entry.mode)[..1].to_owned())
        };
        let names: Vec<_> = listed.iter().map(shown).collect();
        let wanted = [
            ("absolute", "l"),
            ("climbing", "l"),
            ("deep", "d"),
            ("inner", "d"),
            ("stdout", "-"),
        ];
        let wanted = wanted.map(|(name, kind)| (name.to_owned(), kind.to_owned()));
        assert_eq!(names, wanted);
        for path in [
            "/frameworks/f/executors/e/runs",
            "/",
            "/frameworks/f/executors/e/runs/c/stdout",
        ] {
            assert!(list(&work_dir, "a", path).is_err(), "{path}");
        }
    }

    #[test]
    fn modes_read_as_in_a_listing() {
        assert_eq!(mode_text(0o100_644), "-rw-r--r--");
        assert_eq!(mode_text(0o040_755), "drwxr-xr-x");
    }
}
