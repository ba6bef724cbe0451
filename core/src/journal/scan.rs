//! Reading a journal back, and judging how it ends.

use super::{
    ALIGN_BYTES, END_MARK, HEADER_BYTES, MAGIC, SECTOR_BYTES, body_bytes, checksum, long, mask,
    word,
};
use alloc::vec::Vec;

/// One valid record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where it starts.
    pub at: usize,
    /// What was appended.
    pub payload: Vec<u8>,
}

/// How a journal ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// Zeros follow the last record.
    Clean,
    /// What follows the last record was never wholly written: it may be cut.
    Torn,
    /// What follows was whole once and is not now: never to be cut.
    Corrupt {
        /// Where it starts.
        at: usize,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// What a journal's bytes say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// The valid records, in order, numbered from 1, up to the first that is not.
    pub records: Vec<Record>,
    /// Where the next record belongs.
    pub end: usize,
    /// Just after the last byte that is not zero; at least `end`.
    pub used: usize,
    /// How it ends.
    pub tail: Tail,
}

/// Reads the journal of `file`.
#[must_use]
pub fn scan(bytes: &[u8], file: u64) -> Scan {
    let zeros = bytes.iter().rev().take_while(|byte| **byte == 0).count();
    let used = bytes.len() - zeros;
    let mut records = Vec::new();
    let mut end = 0;
    let mut number = 1;
    while let Some(header) = valid_header(bytes, end, file).filter(|h| h.number == number) {
        let Some(body) = valid_body(bytes, end, file, &header) else {
            break;
        };
        let mut payload = body[..header.length as usize].to_vec();
        mask(&mut payload, number);
        records.push(Record { at: end, payload });
        end += HEADER_BYTES + body.len();
        number += 1;
    }
    let tail = judge(bytes, end, used, file, number);
    Scan {
        records,
        end,
        used: used.max(end),
        tail,
    }
}

struct Header {
    length: u32,
    number: u64,
    durable: u64,
    body: u32,
}

fn valid_header(bytes: &[u8], at: usize, file: u64) -> Option<Header> {
    let header = bytes.get(at..at.checked_add(HEADER_BYTES)?)?;
    if word(header, 4) != MAGIC {
        return None;
    }
    let number = long(header, 8);
    if checksum(file, number, &header[..28]) != word(header, 28) {
        return None;
    }
    Some(Header {
        length: word(header, 0),
        number,
        durable: long(header, 16).checked_sub(1)?,
        body: word(header, 24),
    })
}

fn valid_body<'a>(bytes: &'a [u8], at: usize, file: u64, header: &Header) -> Option<&'a [u8]> {
    let start = at + HEADER_BYTES;
    let body = bytes.get(start..start.checked_add(body_bytes(header.length))?)?;
    let valid = checksum(file, header.number, body) == header.body;
    valid.then_some(body)
}

/// What it means that no valid record `number` starts at `end`.
fn judge(bytes: &[u8], end: usize, used: usize, file: u64, number: u64) -> Tail {
    if used <= end {
        return Tail::Clean;
    }
    if is_vouched_for(bytes, end, used, file, number) {
        let why = "a later record says that it was durable";
        return Tail::Corrupt { at: end, why };
    }
    let Some(header) = valid_header(bytes, end, file) else {
        let stop = (end + HEADER_BYTES).min(bytes.len());
        let alone = used <= end + HEADER_BYTES;
        if alone || stop < end + HEADER_BYTES || has_unwritten_sector(bytes, end, stop) {
            return Tail::Torn;
        }
        let why = "its header is not what was written";
        return Tail::Corrupt { at: end, why };
    };
    if header.number != number {
        let why = "it is out of order";
        return Tail::Corrupt { at: end, why };
    }
    let stop = end + HEADER_BYTES + body_bytes(header.length);
    let whole = bytes
        .get(end..stop)
        .is_some_and(|all| all.last() != Some(&0));
    if !whole || has_unwritten_sector(bytes, end, stop) {
        return Tail::Torn;
    }
    let why = "its checksum does not fit, though all of it was written";
    Tail::Corrupt { at: end, why }
}

/// Whether a record after `end` testifies that record `number` was on disk.
fn is_vouched_for(bytes: &[u8], end: usize, used: usize, file: u64, number: u64) -> bool {
    let mut at = end;
    while at < used {
        if let Some(header) = valid_header(bytes, at, file)
            && header.durable >= number
            && valid_body(bytes, at, file, &header).is_some()
        {
            return true;
        }
        at += ALIGN_BYTES;
    }
    false
}

/// Whether the part of some sector that lies in `start..stop` is all zeros.
fn has_unwritten_sector(bytes: &[u8], start: usize, stop: usize) -> bool {
    let mut at = start;
    while at < stop {
        let next = (at + 1).next_multiple_of(SECTOR_BYTES).min(stop);
        if bytes[at..next].iter().all(|byte| *byte == 0) {
            return true;
        }
        at = next;
    }
    false
}

const _: () = assert!(END_MARK != 0);
