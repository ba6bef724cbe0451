//! The journal at every crash point.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tepui_core::durable::WriteSequence;
use tepui_core::journal;
use tepui_core::wire;
use tepui_runtime::disk::replaced::Content;
use tepui_runtime::disk::{Found, ReplacedFile, Wal};
use tokio::sync::Notify;

const SMALL: u64 = 4 << 10;

fn open(folder: &Path) -> (Wal, Found) {
    Wal::open(folder, SMALL, Arc::new(Notify::new())).unwrap()
}

fn texts(found: &Found) -> Vec<String> {
    let decode = |payload: &Vec<u8>| wire::decode(payload).unwrap();
    found.payloads.iter().map(decode).collect()
}

fn journals(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with("journal-")
        })
        .collect();
    paths.sort();
    paths
}

/// Writes each text as a group of its own.
fn write(folder: &Path, list: &[&str]) {
    let (mut wal, _) = open(folder);
    for (n, text) in list.iter().enumerate() {
        wal.append(WriteSequence(n as u64 + 1), text, text.starts_with("all"));
        wal.flush();
        while wal.durable().unwrap().0 < n as u64 + 1 {
            std::thread::yield_now();
        }
    }
    assert_eq!(wal.close().unwrap().0, list.len() as u64);
}

#[test]
fn what_was_acknowledged_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (_, found) = open(folder.path());
    assert_eq!(found, Found::default());
    write(folder.path(), &["a", "b"]);
    write(folder.path(), &["c"]);
    let (_, found) = open(folder.path());
    assert_eq!(texts(&found), ["a", "b", "c"]);
    assert_eq!((found.damage, found.torn_bytes), (None, 0));
}

#[test]
fn a_group_is_acknowledged_as_a_whole_and_the_file_grows() {
    let folder = tempfile::tempdir().unwrap();
    let (mut wal, _) = open(folder.path());
    let long = "x".repeat(100);
    for n in 1..=1_000 {
        wal.append(WriteSequence(n), &long, false);
        if n % 10 == 0 {
            wal.flush();
        }
    }
    assert_eq!(wal.close().unwrap().0, 1_000);
    let (_, found) = open(folder.path());
    assert_eq!(found.payloads.len(), 1_000);
    assert_eq!(found.damage, None);
}

#[test]
fn a_record_that_stands_for_all_before_it_starts_a_new_file() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &["a", "b", "all 1", "c", "all 2", "d"]);
    assert_eq!(journals(folder.path()).len(), 1, "old files go");
    let (_, found) = open(folder.path());
    assert_eq!(texts(&found), ["all 2", "d"]);
}

#[test]
fn one_that_comes_within_a_group_takes_the_place_of_what_came_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let (mut wal, _) = open(folder.path());
    for (n, text) in ["a", "all 1", "b"].iter().enumerate() {
        wal.append(WriteSequence(n as u64 + 1), text, text.starts_with("all"));
    }
    assert_eq!(wal.close().unwrap(), WriteSequence(3));
    assert_eq!(texts(&open(folder.path()).1), ["all 1", "b"]);
}

#[test]
fn a_crash_at_any_byte_of_the_last_group_loses_only_that_group() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &["first", "second"]);
    let path = journals(folder.path()).remove(0);
    let before = fs::read(&path).unwrap();
    write(folder.path(), &["third"]);
    let after = fs::read(&path).unwrap();
    let changed: Vec<_> = (0..after.len())
        .filter(|at| before[*at] != after[*at])
        .collect();
    for cut in changed {
        let mut torn = after.clone();
        torn[cut..].copy_from_slice(&before[cut..]);
        fs::write(&path, &torn).unwrap();
        let (mut wal, found) = open(folder.path());
        assert_eq!(texts(&found), ["first", "second"], "cut at {cut}");
        assert_eq!(found.damage, None, "cut at {cut}");
        // What is written after a torn tail is read back, and no ghost of the tail is.
        wal.append(WriteSequence(1), &"fourth", false);
        wal.close().unwrap();
        let (_, found) = open(folder.path());
        assert_eq!(texts(&found), ["first", "second", "fourth"], "cut at {cut}");
    }
}

#[test]
fn damage_in_the_middle_is_reported_at_every_start_until_a_new_file_replaces_it() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &["first", "second", "third"]);
    let path = journals(folder.path()).remove(0);
    let scan = journal::scan(&fs::read(&path).unwrap(), 1);
    let at = scan.records[1].at + journal::HEADER_BYTES + 3;
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(b"\0", at as u64).unwrap();

    let (mut wal, found) = open(folder.path());
    assert_eq!(texts(&found), ["first"]);
    let (at_bytes, why) = found.damage.unwrap();
    assert!(
        (at_bytes as usize) < at && why.contains("record 2"),
        "{why}"
    );
    wal.append(WriteSequence(1), &"more", false);
    wal.close().unwrap();

    let (mut wal, found) = open(folder.path());
    assert!(found.damage.is_some(), "still there after a crash");
    wal.append(WriteSequence(1), &"all", true);
    wal.close().unwrap();
    let (_, found) = open(folder.path());
    assert_eq!(
        (texts(&found), found.damage),
        (vec![String::from("all")], None)
    );
}

#[test]
fn a_new_file_without_its_name_does_not_count() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &["a"]);
    fs::write(folder.path().join("spare"), b"half a record").unwrap();
    assert_eq!(texts(&open(folder.path()).1), ["a"]);
}

#[test]
fn a_disk_that_refuses_is_named_and_nothing_is_acknowledged() {
    let error = Wal::open(Path::new("/proc/no"), SMALL, Arc::new(Notify::new())).unwrap_err();
    assert!(error.to_string().contains("/proc/no"), "{error}");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapshot");
    let (file, _) = ReplacedFile::open(&path, Arc::new(Notify::new())).unwrap();
    folder.close().unwrap();
    file.replace(WriteSequence(1), &"lost");
    let error = loop {
        match file.durable() {
            Ok(durable) => assert_eq!(durable, WriteSequence(0)),
            Err(error) => break error.to_string(),
        }
    };
    assert!(
        error.contains("cannot create") && error.contains("snapshot.new"),
        "{error}"
    );
    file.replace(WriteSequence(2), &"never tried again");
}

#[test]
fn a_replaced_file_is_one_version_or_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapshot");
    let (file, content) = ReplacedFile::open(&path, Arc::new(Notify::new())).unwrap();
    assert_eq!(content, Content::Missing);
    for n in 1..=3 {
        file.replace(WriteSequence(n), &format!("version {n}"));
    }
    while file.durable().unwrap() < WriteSequence(3) {
        std::thread::yield_now();
    }
    drop(file);
    let (_, content) = ReplacedFile::open(&path, Arc::new(Notify::new())).unwrap();
    let Content::Whole(payload) = content else {
        panic!("{content:?}");
    };
    assert_eq!(wire::decode::<String>(&payload).unwrap(), "version 3");

    let mut bytes = fs::read(&path).unwrap();
    for at in 0..bytes.len() {
        bytes[at] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let (_, content) = ReplacedFile::open(&path, Arc::new(Notify::new())).unwrap();
        assert!(matches!(content, Content::Damaged(_)), "byte {at}");
        bytes[at] ^= 1;
    }
}
