//! Persistent volumes: folders that outlive the tasks that use them, laid out as Mesos lays them
//! out.

use super::fetcher::place;
use super::user::User;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use tepui_core::resources::{DiskSourceKind, Resource, Resources};

/// Where a volume's data is; nothing that is no volume, or that lies on a device of its own.
fn folder(root: &Path, item: &Resource) -> Option<PathBuf> {
    let volume = item.kind.volume()?;
    let role = item.kind.reserved_role()?;
    let source = item
        .kind
        .disk
        .as_ref()
        .and_then(|disk| disk.source.as_ref());
    let root = match source {
        None => root.to_owned(),
        Some(source) => match (source.kind, source.root.as_deref()) {
            (DiskSourceKind::Path, Some(path)) => PathBuf::from(path),
            // Whole devices are not given out by the agent's flags.
            _ => return None,
        },
    };
    // Roles and ids were validated when they entered the process: neither leads upwards. The
    // parts of a role are one folder's name, as in Mesos.
    let mut path = root.join("volumes/roles");
    path.push(role.as_str().replace('/', " "));
    path.push(&*volume.id);
    Some(path)
}

/// Deletes whatever is in these volumes: they are new, or no more. They are empty at once; the
/// disk is freed later, since that may take long.
///
/// # Errors
/// When the disk refuses.
pub fn wipe(root: &Path, volumes: &Resources) -> io::Result<()> {
    static DOOMED: AtomicU64 = AtomicU64::new(0);
    for folder in volumes.iter().filter_map(|item| folder(root, item)) {
        let Some(parent) = folder.parent().filter(|_| folder.exists()) else {
            continue;
        };
        // Only a volume of just this name could be met there, and then the disk refuses.
        let number = DOOMED.fetch_add(1, Ordering::Relaxed);
        let doomed = parent.join(format!(".doomed:{}:{number}", std::process::id()));
        fs::rename(&folder, &doomed)?;
        std::thread::spawn(move || {
            if let Err(error) = fs::remove_dir_all(&doomed) {
                tracing::error!("cannot delete {}: {error}", doomed.display());
            }
        });
    }
    Ok(())
}

/// Makes the volumes among `resources` reachable in a sandbox, each where its description says.
///
/// # Errors
/// When a volume wants to be outside of the sandbox, or the disk refuses.
pub fn link(root: &Path, sandbox: &Path, resources: &Resources, user: &User) -> Result<(), String> {
    for item in resources {
        let Some((folder, volume)) = folder(root, item).zip(item.kind.volume()) else {
            continue;
        };
        make(&folder, sandbox, &volume.container_path, user)
            .map_err(|error| format!("volume '{}': {error}", volume.id))?;
    }
    Ok(())
}

fn make(folder: &Path, sandbox: &Path, within: &str, user: &User) -> Result<(), String> {
    if !folder.exists() {
        fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        user.give(folder)?;
    }
    let link = place(sandbox, within.trim_end_matches('/'), user)?;
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
    use tepui_core::resources::{Disk, Reservation, Role, Volume};

    fn volume(id: &str, path: &str) -> Resources {
        let space: Resources = "disk:10".parse().unwrap();
        Resources::new(space.iter().map(|item| {
            let mut item = item.clone();
            let role = Role::new("web/a").unwrap();
            item.kind.reservations.push(Reservation::fixed(role));
            let volume = Some(Volume::new(id, path));
            item.kind.disk = Some(Disk {
                volume,
                source: None,
            });
            item
        }))
        .unwrap()
    }

    #[test]
    fn a_volume_outlives_the_sandbox_that_it_appears_in() {
        let root = tempfile::tempdir().unwrap();
        let [one, two] = ["one", "two"].map(|name| root.path().join(name));
        for sandbox in [&one, &two] {
            fs::create_dir(sandbox).unwrap();
            link(
                root.path(),
                sandbox,
                &volume("v", "data/deep"),
                &User::default(),
            )
            .unwrap();
        }
        fs::write(one.join("data/deep/file"), "kept").unwrap();
        fs::remove_dir_all(&one).unwrap();
        let kept = fs::read_to_string(two.join("data/deep/file"));
        assert_eq!(kept.unwrap(), "kept");
        wipe(root.path(), &volume("v", "elsewhere")).unwrap();
        assert!(!two.join("data/deep/file").exists());
        wipe(root.path(), &volume("never", "made")).unwrap();
    }

    #[test]
    fn no_volume_leads_out_of_the_sandbox() {
        let root = tempfile::tempdir().unwrap();
        for path in ["/etc", "../x", "a/../../x"] {
            assert!(
                link(
                    root.path(),
                    root.path(),
                    &volume("v", path),
                    &User::default()
                )
                .is_err()
            );
        }
    }
}
