//! The records of a journal: how they are told from each other, from zeros and from damage.
//!
//! A record is `length: u32 | crc32: u32 | number: u64 | durable: u64 | payload`, little-endian,
//! padded to 8 bytes. Numbers count from the file's first record without gaps. `durable` is the
//! last number that was known to be on disk when the record was written, so that a later record
//! testifies that an unreadable earlier one had been acknowledged.

/// Before each payload.
pub const HEADER_BYTES: usize = 24;

const ALIGN: usize = 8;

/// What a journal's bytes say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// Where the payloads are, in order.
    pub payloads: Vec<std::ops::Range<usize>>,
    /// Where the next record would start.
    pub end: usize,
    /// Just after the last byte that is not zero, aligned.
    pub used: usize,
    /// The number of the first record that was acknowledged and cannot be read, if any.
    pub damaged: Option<u64>,
}

/// Appends a record whose header is yet to be filled in by [`seal`]. Returns where it starts.
pub fn reserve(buffer: &mut Vec<u8>, payload: impl FnOnce(&mut Vec<u8>)) -> usize {
    let start = buffer.len();
    debug_assert_eq!(start % ALIGN, 0, "records are padded");
    buffer.resize(start + HEADER_BYTES, 0);
    payload(buffer);
    let length = buffer.len() - start - HEADER_BYTES;
    let length = u32::try_from(length).expect("a record is shorter than 4 GiB");
    buffer[start..start + 4].copy_from_slice(&length.to_le_bytes());
    buffer.resize(buffer.len().next_multiple_of(ALIGN), 0);
    start
}

/// Fills in the header of the record at `start`. Returns where the next one starts.
pub fn seal(buffer: &mut [u8], start: usize, number: u64, durable: u64) -> usize {
    assert!(
        durable < number,
        "a record cannot be durable before it is written"
    );
    buffer[start + 8..start + 16].copy_from_slice(&number.to_le_bytes());
    buffer[start + 16..start + 24].copy_from_slice(&durable.to_le_bytes());
    let length = word(buffer, start) as usize;
    let end = start + HEADER_BYTES + length;
    let checksum = checksum(length, &buffer[start + 8..end]);
    buffer[start + 4..start + 8].copy_from_slice(&checksum.to_le_bytes());
    end.next_multiple_of(ALIGN)
}

/// Reads a whole journal.
#[must_use]
pub fn scan(bytes: &[u8]) -> Scan {
    let mut scan = Scan::default();
    let mut number = 1;
    while let Some(record) = parse(bytes, scan.end) {
        if record.number != number {
            break;
        }
        scan.payloads.push(record.payload);
        scan.end = record.end;
        number += 1;
    }
    let zeros = bytes.iter().rev().take_while(|byte| **byte == 0).count();
    scan.used = (bytes.len() - zeros).next_multiple_of(ALIGN).max(scan.end);
    // Does anything that follows testify that the record which should be here was acknowledged?
    let mut at = scan.end;
    while at < scan.used {
        if parse(bytes, at).is_some_and(|later| later.durable >= number) {
            scan.damaged = Some(number);
            break;
        }
        at += ALIGN;
    }
    scan
}

struct Parsed {
    number: u64,
    durable: u64,
    payload: std::ops::Range<usize>,
    end: usize,
}

fn parse(bytes: &[u8], start: usize) -> Option<Parsed> {
    let header = bytes.get(start..start.checked_add(HEADER_BYTES)?)?;
    let length = word(header, 0) as usize;
    let (number, durable) = (long(header, 8), long(header, 16));
    // Zeros are no record: numbers start at 1.
    if number == 0 || durable >= number {
        return None;
    }
    let payload = start + HEADER_BYTES..(start + HEADER_BYTES).checked_add(length)?;
    let body = bytes.get(start + 8..payload.end)?;
    if checksum(length, body) != word(header, 4) {
        return None;
    }
    Some(Parsed {
        number,
        durable,
        end: payload.end.next_multiple_of(ALIGN),
        payload,
    })
}

fn checksum(length: usize, body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&(length as u32).to_le_bytes());
    hasher.update(body);
    hasher.finalize()
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn long(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three batches: {1, 2}, {3}, {4, 5}; each testifies for those before it.
    fn journal() -> (Vec<u8>, Vec<usize>) {
        let mut bytes = Vec::new();
        let mut starts = Vec::new();
        for (number, durable) in [(1, 0), (2, 0), (3, 2), (4, 3), (5, 3)] {
            let text = "x".repeat(number as usize * 5);
            let start = reserve(&mut bytes, |out| out.extend_from_slice(text.as_bytes()));
            seal(&mut bytes, start, number, durable);
            starts.push(start);
        }
        starts.push(bytes.len());
        bytes.resize(bytes.len() + 64, 0);
        (bytes, starts)
    }

    #[test]
    fn a_whole_journal_reads_back() {
        let (bytes, starts) = journal();
        let scan = scan(&bytes);
        let lengths: Vec<_> = scan.payloads.iter().map(ExactSizeIterator::len).collect();
        assert_eq!(lengths, [5, 10, 15, 20, 25]);
        assert_eq!((scan.end, scan.damaged), (starts[5], None));
    }

    #[test]
    fn a_journal_cut_at_any_byte_is_torn_never_damaged() {
        let (bytes, starts) = journal();
        for cut in 0..starts[5] {
            let mut torn = bytes.clone();
            torn[cut..].fill(0);
            let whole = starts[1..].iter().filter(|end| **end <= cut).count();
            let scan = scan(&torn);
            // The padding of a record is zero anyway.
            assert!(scan.payloads.len() >= whole, "cut at {cut}");
            assert_eq!(scan.damaged, None, "cut at {cut}");
        }
    }

    #[test]
    fn a_flipped_byte_is_damage_where_a_later_record_testifies_and_a_torn_tail_elsewhere() {
        let (bytes, starts) = journal();
        for (record, start) in starts[..5].iter().enumerate() {
            for at in *start..*start + HEADER_BYTES {
                let mut flipped = bytes.clone();
                flipped[at] ^= 0x40;
                let scan = scan(&flipped);
                assert_eq!(scan.payloads.len(), record, "byte {at}");
                let testified = (record < 3).then_some(record as u64 + 1);
                assert_eq!(scan.damaged, testified, "byte {at} of record {record}");
            }
        }
    }
}
