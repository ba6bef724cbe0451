//! Streams of records, in pieces of any size.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tepui_runtime::mesos::recordio::{Decoder, RecordError, encode};

const LIMIT: usize = 4096;

fn records(bytes: &[u8], piece: usize) -> (Vec<Vec<u8>>, Option<RecordError>) {
    let mut decoder = Decoder::new(LIMIT);
    let mut found = Vec::new();
    for piece in bytes.chunks(piece) {
        match decoder.decode(piece) {
            Ok(records) => found.extend(records),
            Err(error) => return (found, Some(error)),
        }
    }
    (found, None)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((first, stream)) = bytes.split_first() else {
        return;
    };
    let (single, failed) = records(stream, 1);
    let (cut, cut_failed) = records(stream, usize::from(*first).max(1));
    // Records of the piece in which a stream breaks are lost with it.
    assert!(single.starts_with(&cut));
    assert_eq!(failed.is_some(), cut_failed.is_some());
    assert!(failed.is_some() || single == cut);
    assert!(single.iter().all(|record| record.len() <= LIMIT));
    let again: Vec<u8> = single.iter().flat_map(|record| encode(record)).collect();
    assert_eq!(records(&again, 7), (single, None));
});
