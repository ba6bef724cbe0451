//! The journal of one node: appended in order, made durable in groups by a thread of its own.
//!
//! While one group is on its way to the disk the next one gathers, so that the cost of an
//! `fdatasync` is shared by all that waits for it. The file is filled with zeros beforehand:
//! to append is then to overwrite, and the file system has no metadata to write.
//!
//! A record that stands for all before it starts a new file, which gets its name only when the
//! record is on disk; then the old file goes.

use super::{DiskError, sync_folder, tried};
use serde::Serialize;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use tepui_core::durable::WriteSequence;
use tepui_core::journal::{self, ALIGN_BYTES, Tail};
use tepui_core::wire;
use tokio::sync::Notify;

/// Files are named by this and their generation.
const PREFIX: &str = "journal-";

/// The next file while it is prepared.
const SPARE: &str = "spare";

/// A file that is full grows by this.
const GROWTH_BYTES: u64 = 8 << 20;

/// How much may wait for the disk before the node has to.
const PENDING_BYTES_MAX: usize = 256 << 20;

/// What a journal held when it was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The payloads, in order, up to the first damage.
    pub payloads: Vec<Vec<u8>>,
    /// Acknowledged bytes that cannot be read: where in the file, and what is wrong.
    pub damage: Option<(u64, String)>,
    /// How many bytes of a torn tail were cut off.
    pub torn_bytes: u64,
}

/// One node's journal.
#[derive(Debug)]
pub struct Wal {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    unflushed: bool,
}

#[derive(Debug)]
struct Shared {
    pending: Mutex<Pending>,
    work: Condvar,
    room: Condvar,
    durable: AtomicU64,
    failed: Mutex<Option<DiskError>>,
    progress: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Pending {
    buffer: Vec<u8>,
    /// Where the last record starts that stands for all before it.
    starts_over: Option<usize>,
    last: u64,
    closing: bool,
}

impl Wal {
    /// Opens or creates the journal in `folder` and reads it. `initial_bytes` is how much a new
    /// file holds before it must grow. `progress` is notified when [`Wal::durable`] changes.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn open(
        folder: &Path,
        initial_bytes: u64,
        progress: Arc<Notify>,
    ) -> Result<(Wal, Found), DiskError> {
        fs::create_dir_all(folder).map_err(tried("cannot create", folder))?;
        let (writer, found) = Writer::open(folder, initial_bytes)?;
        let shared = Arc::new(Shared {
            pending: Mutex::default(),
            work: Condvar::new(),
            room: Condvar::new(),
            durable: AtomicU64::new(0),
            failed: Mutex::default(),
            progress,
        });
        let theirs = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name(String::from("journal"))
            .spawn(move || theirs.commit_until_closed(writer))
            .map_err(tried("cannot start a thread for", folder))?;
        let wal = Wal {
            shared,
            thread: Some(thread),
            unflushed: false,
        };
        Ok((wal, found))
    }

    /// Takes a write; it reaches the disk with the next [`Wal::flush`]. One that `starts_over`
    /// stands for all before it. Waits only when far too much is under way.
    pub fn append<T: Serialize>(&mut self, sequence: WriteSequence, write: &T, starts_over: bool) {
        let mut pending = self.shared.pending();
        while pending.buffer.len() > PENDING_BYTES_MAX && self.shared.failure().is_none() {
            self.shared.work.notify_one();
            pending = wait(&self.shared.room, pending);
        }
        assert!(
            sequence.0 > pending.last,
            "writes of a lane are numbered in order"
        );
        pending.last = sequence.0;
        let start = journal::reserve(&mut pending.buffer, |out| wire::encode_into(write, out));
        if starts_over {
            pending.starts_over = Some(start);
        }
        self.unflushed = true;
    }

    /// Sends what was appended on its way.
    pub fn flush(&mut self) {
        if std::mem::take(&mut self.unflushed) {
            self.shared.work.notify_one();
        }
    }

    /// Up to which write of this run everything is on disk.
    ///
    /// # Errors
    /// Once a write failed; then nothing more becomes durable.
    pub fn durable(&self) -> Result<WriteSequence, DiskError> {
        match self.shared.failure() {
            Some(error) => Err(error),
            None => Ok(WriteSequence(self.shared.durable.load(Ordering::Acquire))),
        }
    }

    /// Waits until all that was appended is durable, and ends.
    ///
    /// # Errors
    /// When a write failed.
    pub fn close(mut self) -> Result<WriteSequence, DiskError> {
        self.end();
        self.durable()
    }

    fn end(&mut self) {
        self.shared.pending().closing = true;
        self.shared.work.notify_one();
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the journal's thread does not panic");
        }
    }
}

impl Drop for Wal {
    fn drop(&mut self) {
        self.end();
    }
}

fn wait<'a, T>(condition: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condition
        .wait(guard)
        .unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failure(&self) -> Option<DiskError> {
        self.failed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn commit_until_closed(&self, mut writer: Writer) {
        let mut group = Vec::new();
        loop {
            let mut pending = self.pending();
            while pending.buffer.is_empty() && !pending.closing {
                pending = wait(&self.work, pending);
            }
            if pending.buffer.is_empty() {
                return;
            }
            group.clear();
            std::mem::swap(&mut group, &mut pending.buffer);
            let starts_over = pending.starts_over.take();
            let last = pending.last;
            drop(pending);
            self.room.notify_all();
            match writer.commit(&mut group, starts_over) {
                Ok(()) => self.durable.store(last, Ordering::Release),
                Err(error) => {
                    *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    self.room.notify_all();
                    self.progress.notify_one();
                    return;
                }
            }
            self.progress.notify_one();
        }
    }
}

/// The file and where its next record goes.
#[derive(Debug)]
struct Writer {
    folder: PathBuf,
    initial_bytes: u64,
    generation: u64,
    file: File,
    path: PathBuf,
    length: u64,
    offset: u64,
    /// The number of the last record in the file.
    number: u64,
    spare: Option<JoinHandle<Result<File, DiskError>>>,
}

impl Writer {
    fn open(folder: &Path, initial_bytes: u64) -> Result<(Writer, Found), DiskError> {
        let spare = folder.join(SPARE);
        if spare.exists() {
            fs::remove_file(&spare).map_err(tried("cannot remove", &spare))?;
        }
        let mut generations = generations(folder)?;
        let generation = generations.pop();
        for old in generations {
            // Its successor has its name, so that all of it is on disk.
            let path = file_path(folder, old);
            fs::remove_file(&path).map_err(tried("cannot remove", &path))?;
        }
        match generation {
            Some(generation) => Writer::reopen(folder, initial_bytes, generation),
            None => {
                let file = prepare(folder, initial_bytes)?;
                let mut writer = Writer {
                    folder: folder.to_owned(),
                    initial_bytes,
                    generation: 1,
                    path: spare,
                    file,
                    length: initial_bytes,
                    offset: 0,
                    number: 0,
                    spare: None,
                };
                writer.name_file()?;
                writer.prepare_spare();
                Ok((writer, Found::default()))
            }
        }
    }

    fn reopen(
        folder: &Path,
        initial_bytes: u64,
        generation: u64,
    ) -> Result<(Writer, Found), DiskError> {
        let path = file_path(folder, generation);
        let bytes = fs::read(&path).map_err(tried("cannot read", &path))?;
        let file = OpenOptions::new()
            .write(true)
            .open(&path)
            .map_err(tried("cannot open", &path))?;
        let scan = journal::scan(&bytes, generation);
        let number = scan.records.len() as u64;
        let mut found = Found::default();
        let mut offset = scan.end;
        match scan.tail {
            Tail::Clean => {}
            Tail::Torn => {
                found.torn_bytes = (scan.used - scan.end) as u64;
                write_zeros(&file, scan.end as u64, scan.used as u64)
                    .map_err(tried("cannot cut the torn tail of", &path))?;
            }
            Tail::Corrupt { at, why } => {
                let shown = path.display();
                let why = format!("record {} of {shown} cannot be read: {why}", number + 1);
                found.damage = Some((at as u64, why));
                // The damage stays as it is until a record that stands for all before it starts
                // a new file: if the node dies before then, it must be found again.
                offset = scan.used.next_multiple_of(ALIGN_BYTES);
            }
        }
        found.payloads = scan.records.into_iter().map(|r| r.payload).collect();
        // What is read now will be taken for durable; the last run may have left it in the cache.
        file.sync_all().map_err(tried("cannot sync", &path))?;
        let mut writer = Writer {
            folder: folder.to_owned(),
            initial_bytes,
            generation,
            file,
            path,
            length: bytes.len() as u64,
            offset: offset as u64,
            number,
            spare: None,
        };
        writer.prepare_spare();
        Ok((writer, found))
    }

    /// Writes one group and returns when it is on disk.
    fn commit(&mut self, group: &mut [u8], starts_over: Option<usize>) -> Result<(), DiskError> {
        let Some(start) = starts_over else {
            return self.append(group);
        };
        // What comes before is part of the record that stands for it.
        let spare = self.spare.take().map(JoinHandle::join);
        let file = match spare {
            Some(Ok(Ok(file))) => file,
            // It held nothing yet: to make it once more is not to try a write again.
            _ => prepare(&self.folder, self.initial_bytes)?,
        };
        let old = std::mem::replace(&mut self.path, self.folder.join(SPARE));
        self.file = file;
        self.length = self.initial_bytes;
        self.offset = 0;
        self.number = 0;
        self.generation += 1;
        self.append(&mut group[start..])?;
        self.name_file()?;
        fs::remove_file(&old).map_err(tried("cannot remove", &old))?;
        self.prepare_spare();
        Ok(())
    }

    fn append(&mut self, group: &mut [u8]) -> Result<(), DiskError> {
        let (mut at, durable) = (0, self.number);
        while at < group.len() {
            self.number += 1;
            at = journal::seal(group, at, self.generation, self.number, durable);
        }
        let end = self.offset + group.len() as u64;
        if end > self.length {
            let grown = end + GROWTH_BYTES;
            write_zeros(&self.file, end, grown).map_err(tried("cannot grow", &self.path))?;
            self.length = grown;
        }
        self.file
            .write_all_at(group, self.offset)
            .map_err(tried("cannot write to", &self.path))?;
        self.file
            .sync_data()
            .map_err(tried("cannot sync", &self.path))?;
        self.offset = end;
        Ok(())
    }

    /// Gives the file, all of which is on disk, the name of its generation.
    fn name_file(&mut self) -> Result<(), DiskError> {
        let path = file_path(&self.folder, self.generation);
        fs::rename(&self.path, &path).map_err(tried("cannot rename", &self.path))?;
        self.path = path;
        sync_folder(&self.folder)
    }

    fn prepare_spare(&mut self) {
        let (folder, bytes) = (self.folder.clone(), self.initial_bytes);
        let thread = thread::Builder::new().name(String::from("journal-spare"));
        // Without a thread the next file is made when it is needed.
        self.spare = thread.spawn(move || prepare(&folder, bytes)).ok();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Some(spare) = self.spare.take() {
            // A spare that could not be made is missed by nobody now.
            let _ = spare.join();
        }
    }
}

fn file_path(folder: &Path, generation: u64) -> PathBuf {
    folder.join(format!("{PREFIX}{generation:010}"))
}

/// The generations in `folder`, ascending.
fn generations(folder: &Path) -> Result<Vec<u64>, DiskError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(tried("cannot list", folder))? {
        let name = entry.map_err(tried("cannot list", folder))?.file_name();
        let digits = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        found.extend(digits.and_then(|digits| digits.parse::<u64>().ok()));
    }
    found.sort_unstable();
    Ok(found)
}

/// A file full of zeros, on disk.
fn prepare(folder: &Path, bytes: u64) -> Result<File, DiskError> {
    let path = folder.join(SPARE);
    let file = File::create(&path).map_err(tried("cannot create", &path))?;
    write_zeros(&file, 0, bytes)
        .and_then(|()| file.sync_all())
        .map_err(tried("cannot prepare", &path))?;
    Ok(file)
}

/// Zeros that are written, not only reserved: the first write into a reserved block changes the
/// file's metadata, which the next sync would have to write as well.
fn write_zeros(file: &File, mut from: u64, to: u64) -> std::io::Result<()> {
    static CHUNK: [u8; 64 << 10] = [0; 64 << 10];
    while from < to {
        let count = (to - from).min(CHUNK.len() as u64) as usize;
        file.write_all_at(&CHUNK[..count], from)?;
        from += count as u64;
    }
    Ok(())
}
