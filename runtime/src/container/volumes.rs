//! Persistent volumes: folders that outlive what uses them, linked into sandboxes.

use super::fetcher::place;
use super::user::User;
use crate::mesos::v1::Resource;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use tepui_core::ids::ContainerId;

/// Where a volume's data is, as in Mesos; a role's slashes become blanks there.
///
/// # Errors
/// When its id or role cannot name a folder.
pub fn folder_of(work_dir: &Path, role: &str, id: &str) -> Result<PathBuf, String> {
    let role = role.replace('/', " ");
    for name in [role.as_str(), id] {
        // The rules of identifiers: what they allow is no path.
        ContainerId::new(name).map_err(|error| format!("volume '{id}': {error}"))?;
    }
    Ok(work_dir.join("volumes/roles").join(role).join(id))
}

/// Makes the volumes among `resources` reachable in a sandbox.
///
/// # Errors
/// Says which cannot be.
pub fn link(
    work_dir: &Path,
    sandbox: &Path,
    resources: &[Resource],
    user: &User,
) -> Result<(), String> {
    for resource in resources {
        let Some(disk) = &resource.disk else {
            continue;
        };
        let (Some(persistence), Some(volume)) = (&disk.persistence, &disk.volume) else {
            continue;
        };
        let id = persistence.id.as_deref().unwrap_or_default();
        let within = volume.container_path.as_deref().unwrap_or_default();
        let innermost = resource
            .reservations
            .last()
            .and_then(|reservation| reservation.role.as_deref());
        let role = innermost.or(resource.role.as_deref()).unwrap_or("*");
        let folder = folder_of(work_dir, role, id)?;
        make(&folder, sandbox, within, user).map_err(|error| format!("volume '{id}': {error}"))?;
    }
    Ok(())
}

fn make(folder: &Path, sandbox: &Path, within: &str, user: &User) -> Result<(), String> {
    let is_new = !folder.exists();
    fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    if is_new {
        user.give(folder)?;
    }
    let link = place(sandbox, within, user)?;
    match symlink(folder, &link) {
        // A second task of the executor uses the same volume.
        Err(error)
            if error.kind() == io::ErrorKind::AlreadyExists
                && fs::read_link(&link).is_ok_and(|target| target == folder) =>
        {
            Ok(())
        }
        result => result.map_err(|error| format!("cannot link {}: {error}", link.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_roles_never_become_paths() {
        let root = Path::new("/work");
        let found = folder_of(root, "a/b", "v1").unwrap();
        assert_eq!(found, Path::new("/work/volumes/roles/a b/v1"));
        for (role, id) in [
            ("r", "../x"),
            ("..", "v"),
            ("r", ""),
            ("r", "a/b"),
            ("", "v"),
        ] {
            assert!(folder_of(root, role, id).is_err(), "{role} {id}");
        }
    }

    #[test]
    fn data_outlives_the_sandbox() {
        let root = tempfile::tempdir().unwrap();
        let (one, two) = (root.path().join("one"), root.path().join("two"));
        let folder = folder_of(root.path(), "r", "v").unwrap();
        let user = User::default();
        for sandbox in [&one, &two] {
            fs::create_dir(sandbox).unwrap();
            make(&folder, sandbox, "data", &user).unwrap();
        }
        fs::write(one.join("data/x"), "kept").unwrap();
        fs::remove_dir_all(&one).unwrap();
        assert_eq!(fs::read_to_string(two.join("data/x")).unwrap(), "kept");
        assert!(make(&folder, &two, "../data", &user).is_err());
    }
}
