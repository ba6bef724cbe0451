//! Brings the files that a task or an executor asks for into its sandbox, before it starts.
//!
//! A file comes from a path of this host, `file://`, `http://`, or whatever `curl` can get. Host
//! files are copied, and archives taken apart, by programs that run as the sandbox's user: nobody
//! gets at what is not theirs through a fetch.

use super::download::{self, GetError};
use super::reaper::Reaper;
use super::user::User;
use crate::mesos::v1::command_info::Uri;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// How long one file may take.
const FETCH_TIMEOUT: Duration = Duration::from_secs(600);

/// The largest file that is fetched.
const FILE_BYTES_MAX: u64 = 16 << 30;

/// How archives are told and taken apart.
const ARCHIVES: [(&str, &[&str]); 9] = [
    (".tar", &["tar", "-xf"]),
    (".tar.gz", &["tar", "-xzf"]),
    (".tgz", &["tar", "-xzf"]),
    (".tar.bz2", &["tar", "-xjf"]),
    (".tbz2", &["tar", "-xjf"]),
    (".tar.xz", &["tar", "-xJf"]),
    (".txz", &["tar", "-xJf"]),
    (".zip", &["unzip", "-o", "-q"]),
    (".gz", &["gzip", "-dfk"]),
];

/// Fetches into one sandbox.
#[derive(Clone, Debug)]
pub struct Fetcher {
    /// Waits for the programs that it runs.
    pub reaper: Reaper,
    /// Where files go.
    pub sandbox: PathBuf,
    /// Whose they are.
    pub user: Arc<User>,
}

impl Fetcher {
    /// Fetches all, one after another. Blocks, on a thread that is not the runtime's own.
    ///
    /// # Errors
    /// Says which could not be fetched and why; what was fetched before stays.
    pub fn fetch(&self, uris: &[Uri]) -> Result<(), String> {
        for uri in uris {
            let value = uri.value.as_deref().unwrap_or_default();
            self.fetch_one(uri, value)
                .map_err(|error| format!("Failed to fetch '{value}': {error}"))?;
        }
        Ok(())
    }

    fn fetch_one(&self, uri: &Uri, value: &str) -> Result<(), String> {
        let name = match uri.output_file.as_deref().filter(|name| !name.is_empty()) {
            Some(name) => name,
            None => base_name(value).ok_or("it names no file")?,
        };
        let target = place(&self.sandbox, name, &self.user)?;
        if fs::symlink_metadata(&target).is_ok_and(|found| found.is_symlink()) {
            return Err(format!("{} is a link", target.display()));
        }
        match value.split_once("://") {
            None if value.starts_with('/') => self.copy(Path::new(value), &target)?,
            None => return Err(String::from("a path must be absolute")),
            Some(("file", rest)) => {
                let path = rest.strip_prefix("localhost").unwrap_or(rest);
                self.copy(Path::new(path), &target)?;
            }
            Some(("http", _)) => self.download(value, &target)?,
            Some(("https" | "ftp" | "ftps", _)) => self.curl(value, &target)?,
            Some((scheme, _)) => {
                return Err(format!("there is no way to fetch '{scheme}' here"));
            }
        }
        if uri.executable == Some(true) {
            return make_executable(&target);
        }
        if uri.extract.unwrap_or(true) {
            return self.extract(&target);
        }
        Ok(())
    }

    fn copy(&self, from: &Path, target: &Path) -> Result<(), String> {
        if from.is_dir() {
            return Err(String::from("it is a folder"));
        }
        let mut command = Command::new("cp");
        command.arg("-T").arg("--").arg(from).arg(target);
        self.run(command)
    }

    fn download(&self, url: &str, target: &Path) -> Result<(), String> {
        let created = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
            .open(target)
            .map_err(describe(target))?;
        self.user.give(target)?;
        match download::get(url, created, FILE_BYTES_MAX, FETCH_TIMEOUT) {
            Ok(()) => Ok(()),
            Err(GetError::Elsewhere(url)) => self.curl(&url, target),
            Err(GetError::Failed(error)) => Err(error),
        }
    }

    /// For what needs more than plain HTTP.
    fn curl(&self, url: &str, target: &Path) -> Result<(), String> {
        let mut command = Command::new("curl");
        command
            .args([
                "-sS",
                "-f",
                "-L",
                "--proto",
                "=http,https,ftp,ftps",
                "--max-time",
            ])
            .arg(FETCH_TIMEOUT.as_secs().to_string())
            .arg("-o")
            .arg(target)
            .arg("--")
            .arg(url);
        self.run(command)
    }

    /// Takes an archive apart, in the sandbox; anything else is left as it is.
    fn extract(&self, target: &Path) -> Result<(), String> {
        let name = target
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        // The longest ending that fits: `.tar.gz` is more than `.gz`.
        let fitting = ARCHIVES.iter().filter(|(ending, _)| name.ends_with(ending));
        let Some((_, program)) = fitting.max_by_key(|(ending, _)| ending.len()) else {
            return Ok(());
        };
        let mut command = Command::new(program[0]);
        command.args(&program[1..]).arg(target);
        self.run(command)
    }

    /// Runs one of the host's programs in the sandbox, as its user. What it has to say goes to
    /// the sandbox's `stderr`, as in Mesos.
    fn run(&self, mut command: Command) -> Result<(), String> {
        let program = command.get_program().to_string_lossy().into_owned();
        let path = self.sandbox.join("stderr");
        let said = OpenOptions::new().create(true).append(true).open(&path);
        self.user.become_in(&mut command);
        command
            .current_dir(&self.sandbox)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(said.map_err(describe(&path))?);
        let started = self.reaper.spawn(&mut command);
        let child = started.map_err(|error| format!("cannot run {program}: {error}"))?;
        match child.exited.blocking_recv() {
            Ok(0) => Ok(()),
            Ok(status) => Err(format!("{program} ended with status {status}")),
            Err(_) => Err(format!("{program} ended; its status is not known")),
        }
    }
}

/// The last part of a path or an address.
fn base_name(value: &str) -> Option<&str> {
    let path = match value.split_once("://") {
        None => value,
        Some((scheme, rest)) => {
            let (_, path) = rest.split_once('/')?;
            match scheme {
                "http" | "https" => path.split(['?', '#']).next().unwrap_or_default(),
                _ => path,
            }
        }
    };
    let name = path.rsplit('/').next().unwrap_or_default();
    (!matches!(name, "" | "." | "..")).then_some(name)
}

/// Where a file goes: below the sandbox, in folders that are made where they are missing and
/// are no links that an earlier archive brought.
pub(super) fn place(sandbox: &Path, name: &str, user: &User) -> Result<PathBuf, String> {
    let relative = Path::new(name);
    let parts: Vec<Component<'_>> = relative.components().collect();
    let plain = |part: &Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    if parts.is_empty() || !parts.iter().all(plain) || name.ends_with('/') {
        return Err(format!("'{name}' does not name a file in the sandbox"));
    }
    let mut target = sandbox.to_owned();
    for (index, part) in parts.iter().enumerate() {
        target.push(part);
        if index + 1 == parts.len() {
            break;
        }
        match fs::symlink_metadata(&target) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Err(format!("{} is no folder", target.display())),
            Err(_) => {
                fs::create_dir(&target).map_err(describe(&target))?;
                user.give(&target)?;
            }
        }
    }
    Ok(target)
}

fn describe(path: &Path) -> impl Fn(std::io::Error) -> String {
    let shown = path.display().to_string();
    move |error| format!("{shown}: {error}")
}

fn make_executable(target: &Path) -> Result<(), String> {
    let mode = fs::metadata(target)
        .map_err(describe(target))?
        .permissions()
        .mode();
    let permissions = fs::Permissions::from_mode(mode | 0o111);
    fs::set_permissions(target, permissions).map_err(describe(target))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_go_into_the_sandbox_and_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = folder.path();
        let user = User::default();
        let placed = place(sandbox, "a/b/c.txt", &user).unwrap();
        assert_eq!(placed, sandbox.join("a/b/c.txt"));
        std::os::unix::fs::symlink("/etc", sandbox.join("link")).unwrap();
        for bad in ["", "/etc/x", "../x", "a/../../x", "a/", "link/x"] {
            assert!(place(sandbox, bad, &user).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_file_keeps_its_name() {
        let names = [
            ("/a/b.tgz", Some("b.tgz")),
            ("http://h/a/b.zip?x=/y", Some("b.zip")),
            ("file:///a/b", Some("b")),
            ("http://h", None),
            ("http://h/", None),
            ("/a/..", None),
        ];
        for (value, name) in names {
            assert_eq!(base_name(value), name, "{value}");
        }
    }
}
