//! The disk: an append-only journal with group commit, and files replaced as a whole.
//!
//! # Why our own file
//!
//! Measured on one disk as durable appends of 200 bytes a second with 1 and 64 writers: a
//! preallocated file of our own 11,392 and 122,364; raft-engine 10,973 and 110,866; fjall with a
//! committer thread 10,548 and 96,083; okaywal 12,115 and 63,512; redb with a committer 5,906 and
//! 37,327. None of the libraries is faster where it counts, and none says what the log must
//! know after a crash: whether bytes that cannot be read were ever acknowledged. A torn tail was
//! not, and is cut; damage before it was, and must be repaired from peers or stop the node
//! (Alagappan et al., "Protocol-Aware Recovery for Consensus-Based Storage", FAST 2018).
//!
//! # What never happens here
//!
//! A failed write or fsync is never tried again: the kernel may have marked the pages clean, so
//! that a second fsync succeeds although the bytes are gone (Rebello et al., "Can Applications
//! Recover from fsync Failures?", ATC 2020). The node ends and reads what the disk has.

pub mod replaced;
pub mod wal;

use std::fs::File;
use std::io;
use std::path::Path;
use thiserror::Error;

pub use replaced::ReplacedFile;
pub use wal::{Found, Wal};

/// What ends a node whose disk fails.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{what} {path}: {why}{remedy}")]
pub struct DiskError {
    what: &'static str,
    path: String,
    why: String,
    remedy: &'static str,
}

impl DiskError {
    fn new(what: &'static str, path: &Path, error: &io::Error) -> DiskError {
        let remedy = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "; nothing acknowledged is lost: free some space, then start it again"
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                "; choose another folder with --work_dir or let this user write there"
            }
            _ => "; nothing acknowledged is lost: check the disk, then start it again",
        };
        DiskError {
            what,
            path: path.display().to_string(),
            why: error.to_string(),
            remedy,
        }
    }
}

/// Says what was tried with which file.
fn tried<'a>(what: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> DiskError + 'a {
    move |error| DiskError::new(what, path, &error)
}

/// Makes new names in `folder`, and the lack of removed ones, durable.
fn sync_folder(folder: &Path) -> Result<(), DiskError> {
    File::open(folder)
        .and_then(|file| file.sync_all())
        .map_err(tried("cannot sync the folder", folder))
}
