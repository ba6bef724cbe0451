//! The bytes of a journal: records one after another in a file of zeros.
//!
//! After a crash a journal's last records may be *torn*: some of their sectors never reached the
//! disk. Nobody was told that they were durable, so they are cut. A record may also be
//! *corrupt*: it was whole once and is not any more. It may have held a promise that others rely
//! on, so it must never be cut as if it had not been (Alagappan et al., "Protocol-Aware Recovery
//! for Consensus-Based Storage", FAST 2018, section 3.2). The two are told apart so:
//!
//! - Every sector of a record that was ever written holds something: no word of the header is
//!   zero, the payload is masked, and the last byte is a mark. A sector still zero, or a missing
//!   end mark, means torn.
//! - A record carries the number of the last one that was durable when it was written. Whatever
//!   a later record calls durable was whole: unreadable, it is corrupt.
//! - Otherwise, with all its sectors written, it is corrupt.
//!
//! One doubt is left: a last record of which a whole sector turned to zeros looks torn.
//!
//! The driver's part: a file is filled with zeros before use, records are appended in the order
//! of their numbers, and before anything is appended after a torn tail, the bytes from
//! [`Scan::end`] to [`Scan::used`] are set to zero and synced.

mod scan;

pub use scan::{Record, Scan, Tail, scan};

use alloc::vec::Vec;

/// Before each payload.
pub const HEADER_BYTES: usize = 32;

/// Records start at multiples of this.
pub const ALIGN_BYTES: usize = 8;

/// What a disk writes whole or not at all.
pub const SECTOR_BYTES: usize = 512;

/// Opens every record.
const MAGIC: u32 = u32::from_le_bytes(*b"TPJ1");

/// The last byte of every record.
const END_MARK: u8 = 0x5a;

/// Between a payload and the end mark.
const FILL: u8 = 0xff;

/// Appends one record. `file` names the file, so that records of another file that once used
/// the same blocks are never taken for its own; `number` counts from 1 in each file; `durable`
/// is the last number known to be on disk.
pub fn append(buffer: &mut Vec<u8>, file: u64, number: u64, durable: u64, payload: &[u8]) {
    let start = reserve(buffer, |out| out.extend_from_slice(payload));
    seal(buffer, start, file, number, durable);
}

/// Appends a record whose header is filled in later by [`seal`]. Returns where it starts.
pub fn reserve(buffer: &mut Vec<u8>, payload: impl FnOnce(&mut Vec<u8>)) -> usize {
    let start = buffer.len();
    assert_eq!(start % ALIGN_BYTES, 0, "records are aligned");
    buffer.resize(start + HEADER_BYTES, 0);
    payload(buffer);
    let length = buffer.len() - start - HEADER_BYTES;
    let length = u32::try_from(length).expect("a record is shorter than 4 GiB");
    buffer.resize(start + HEADER_BYTES + body_bytes(length) - 1, FILL);
    buffer.push(END_MARK);
    buffer[start..start + 4].copy_from_slice(&length.to_le_bytes());
    start
}

/// Fills in the header of the record at `start`, and masks its payload. Returns where the next
/// one starts.
pub fn seal(buffer: &mut [u8], start: usize, file: u64, number: u64, durable: u64) -> usize {
    assert!(number > 0, "records are numbered from 1");
    assert!(
        durable < number,
        "a record is not durable before it is written"
    );
    let length = word(buffer, start);
    let end = start + HEADER_BYTES + body_bytes(length);
    mask(
        &mut buffer[start + HEADER_BYTES..][..length as usize],
        number,
    );
    let body = checksum(file, number, &buffer[start + HEADER_BYTES..end]);
    let header = &mut buffer[start..start + HEADER_BYTES];
    header[4..8].copy_from_slice(&MAGIC.to_le_bytes());
    header[8..16].copy_from_slice(&number.to_le_bytes());
    // Plus one, so that no word of a header is zero.
    header[16..24].copy_from_slice(&(durable + 1).to_le_bytes());
    header[24..28].copy_from_slice(&body.to_le_bytes());
    let own = checksum(file, number, &header[..28]);
    header[28..32].copy_from_slice(&own.to_le_bytes());
    end
}

/// The payload, the fill and the end mark.
fn body_bytes(length: u32) -> usize {
    (length as usize + 1).next_multiple_of(ALIGN_BYTES)
}

/// Seeded with what makes this record this one.
fn checksum(file: u64, number: u64, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&file.to_le_bytes());
    hasher.update(&number.to_le_bytes());
    hasher.update(bytes);
    hasher.finalize()
}

/// Combines the payload with a stream that its number decides; twice is not at all. Zeros that
/// were meant become something else than zeros that were never written.
fn mask(payload: &mut [u8], number: u64) {
    let mut state = number;
    for chunk in payload.chunks_mut(8) {
        let key = split_mix(&mut state).to_le_bytes();
        for (byte, key) in chunk.iter_mut().zip(key) {
            *byte ^= key;
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn word(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(word)
}

fn long(bytes: &[u8], at: usize) -> u64 {
    let mut long = [0; 8];
    long.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(long)
}

#[cfg(test)]
mod tests;
