//! Whose account a program runs under.

use nix::unistd::{Gid, Uid, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// An account of the host; by default this process's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    ids: Option<(Uid, Gid)>,
}

impl User {
    /// The account of that name. Only root may take on another's: for anybody else, and where no
    /// name is given, it is this process's own.
    ///
    /// # Errors
    /// When there is no such account.
    pub fn named(name: Option<&str>) -> Result<User, String> {
        let name = name.filter(|name| !name.is_empty() && *name != "root");
        let Some(name) = name.filter(|_| nix::unistd::geteuid().is_root()) else {
            return Ok(User::default());
        };
        match nix::unistd::User::from_name(name) {
            Ok(Some(found)) => Ok(User {
                ids: Some((found.uid, found.gid)),
            }),
            Ok(None) => Err(format!("there is no user '{name}' on this host")),
            Err(error) => Err(format!("cannot look up user '{name}': {error}")),
        }
    }

    /// Makes `command` run under it.
    pub fn become_in(&self, command: &mut Command) {
        if let Some((uid, gid)) = self.ids {
            command.uid(uid.as_raw()).gid(gid.as_raw());
        }
    }

    /// Makes it the owner of a file or folder.
    ///
    /// # Errors
    /// When the host refuses.
    pub fn give(&self, path: &Path) -> Result<(), String> {
        let Some((uid, gid)) = self.ids else {
            return Ok(());
        };
        chown(path, Some(uid), Some(gid))
            .map_err(|error| format!("cannot give {} to its user: {error}", path.display()))
    }
}
