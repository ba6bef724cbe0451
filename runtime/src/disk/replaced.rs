//! A file that is replaced as a whole, by a thread of its own: snapshots.

use super::{DiskError, sync_folder, tried};
use serde::Serialize;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use tepui_core::durable::WriteSequence;
use tepui_core::journal::{self, Tail};
use tepui_core::wire;
use tokio::sync::Notify;

/// How many versions may wait; the machine asks for one at a time.
const WAITING_MAX: usize = 16;

/// Its one record is not to be taken for one of a journal, whose files count from 1.
const FILE: u64 = 0;

/// Writes versions of one file. After a crash there is the last durable one, or a later one.
#[derive(Debug)]
pub struct ReplacedFile {
    versions: Option<SyncSender<(u64, Vec<u8>)>>,
    durable: Arc<AtomicU64>,
    failed: Arc<Mutex<Option<DiskError>>>,
    thread: Option<JoinHandle<()>>,
}

/// What such a file held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// There is none.
    Missing,
    /// The last version's payload.
    Whole(Vec<u8>),
    /// There is one and it cannot be read.
    Damaged(String),
}

impl ReplacedFile {
    /// Opens the file and reads it. `progress` is notified when [`ReplacedFile::durable`] changes.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn open(path: &Path, progress: Arc<Notify>) -> Result<(ReplacedFile, Content), DiskError> {
        let content = read(path)?;
        let (versions, waiting) = mpsc::sync_channel(WAITING_MAX);
        let durable = Arc::new(AtomicU64::new(0));
        let failed = Arc::new(Mutex::new(None));
        let replacer = Replacer {
            path: path.to_owned(),
            durable: Arc::clone(&durable),
            failed: Arc::clone(&failed),
            progress,
        };
        let thread = thread::Builder::new()
            .name(String::from("snapshot"))
            .spawn(move || replacer.replace_until_closed(&waiting))
            .map_err(tried("cannot start a thread for", path))?;
        let file = ReplacedFile {
            versions: Some(versions),
            durable,
            failed,
            thread: Some(thread),
        };
        Ok((file, content))
    }

    /// Takes the next version.
    pub fn replace<T: Serialize>(&self, sequence: WriteSequence, value: &T) {
        let mut bytes = Vec::new();
        journal::reserve(&mut bytes, |out| wire::encode_into(value, out));
        journal::seal(&mut bytes, 0, FILE, 1, 0);
        if let Some(versions) = &self.versions {
            // A thread that ended has said why.
            let _ = versions.send((sequence.0, bytes));
        }
    }

    /// Up to which version of this run everything is on disk.
    ///
    /// # Errors
    /// Once a write failed; then nothing more becomes durable.
    pub fn durable(&self) -> Result<WriteSequence, DiskError> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        match &*failed {
            Some(error) => Err(error.clone()),
            None => Ok(WriteSequence(self.durable.load(Ordering::Acquire))),
        }
    }
}

impl Drop for ReplacedFile {
    fn drop(&mut self) {
        self.versions = None;
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the snapshot's thread does not panic");
        }
    }
}

struct Replacer {
    path: PathBuf,
    durable: Arc<AtomicU64>,
    failed: Arc<Mutex<Option<DiskError>>>,
    progress: Arc<Notify>,
}

impl Replacer {
    fn replace_until_closed(&self, waiting: &Receiver<(u64, Vec<u8>)>) {
        while let Ok(mut version) = waiting.recv() {
            // Only the latest counts.
            while let Ok(later) = waiting.try_recv() {
                version = later;
            }
            match replace(&self.path, &version.1) {
                Ok(()) => self.durable.store(version.0, Ordering::Release),
                Err(error) => {
                    *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    self.progress.notify_one();
                    return;
                }
            }
            self.progress.notify_one();
        }
    }
}

fn replace(path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    let fresh = path.with_extension("new");
    let mut file = File::create(&fresh).map_err(tried("cannot create", &fresh))?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(tried("cannot write", &fresh))?;
    fs::rename(&fresh, path).map_err(tried("cannot rename", &fresh))?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}

fn read(path: &Path) -> Result<Content, DiskError> {
    match fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Content::Missing),
        Err(error) => Err(DiskError::new("cannot read", path, &error)),
        Ok(bytes) => {
            let mut scan = journal::scan(&bytes, FILE);
            Ok(match scan.records.pop() {
                Some(record) if scan.tail == Tail::Clean && record.at == 0 => {
                    Content::Whole(record.payload)
                }
                _ => Content::Damaged(format!("{} cannot be read", path.display())),
            })
        }
    }
}
