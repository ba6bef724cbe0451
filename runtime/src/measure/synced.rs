//! How long the disk itself takes to make a block durable, alone and with others at it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// How many blocks each thread writes.
const COUNT: u64 = 500;
const BLOCK_BYTES: usize = 4_096;

/// Each of so many threads writes a block of a preallocated file of its own and syncs it, all at
/// the same time, again and again. Returns how long a majority of them took each time.
pub fn by_threads(threads: usize, folder: &Path) -> io::Result<Vec<Duration>> {
    assert!(threads > 0, "somebody must write");
    let files = (0..threads)
        .map(|number| prepared(&folder.join(format!("sync-{number}"))))
        .collect::<io::Result<Vec<File>>>()?;
    let barrier = Barrier::new(threads);
    let times = thread::scope(|scope| {
        let writers: Vec<_> = files
            .iter()
            .map(|file| scope.spawn(|| write(file, &barrier)))
            .collect();
        let times = writers.into_iter().map(|writer| {
            let times = writer.join();
            times.expect("a writer does not panic")
        });
        times.collect::<io::Result<Vec<_>>>()
    })?;
    let majority = threads / 2;
    let rounds = (0..COUNT as usize).map(|round| {
        let mut round: Vec<Duration> = times.iter().map(|own| own[round]).collect();
        round.sort_unstable();
        round[majority]
    });
    Ok(rounds.collect())
}

fn prepared(path: &Path) -> io::Result<File> {
    let file = File::create(path)?;
    for n in 0..COUNT {
        file.write_all_at(&[0; BLOCK_BYTES], n * BLOCK_BYTES as u64)?;
    }
    file.sync_all()?;
    Ok(file)
}

/// Goes on after a failure, so that nobody waits for it in vain; then says so.
fn write(file: &File, barrier: &Barrier) -> io::Result<Vec<Duration>> {
    let mut times = Vec::new();
    let mut result = Ok(());
    for n in 0..COUNT {
        barrier.wait();
        let start = Instant::now();
        let written = file.write_all_at(&[1; BLOCK_BYTES], n * BLOCK_BYTES as u64);
        result = result.and(written.and_then(|()| file.sync_data()));
        times.push(start.elapsed());
    }
    result.map(|()| times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_round_of_a_majority_is_timed() {
        let folder = tempfile::tempdir().unwrap();
        for threads in [1, 3] {
            let times = by_threads(threads, folder.path()).unwrap();
            assert_eq!(times.len(), COUNT as usize);
            assert!(times.iter().all(|time| !time.is_zero()));
        }
    }

    #[test]
    fn a_disk_that_refuses_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        assert!(by_threads(3, &folder.path().join("missing")).is_err());
    }
}
