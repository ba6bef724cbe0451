use super::*;
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

const FILE: u64 = 0x7e91;

/// Records of the given lengths in a file of zeros; each batch testifies for those before it.
fn journal(batches: &[Vec<usize>], spare: usize) -> (Vec<u8>, Vec<usize>, Vec<Vec<u8>>) {
    let (mut bytes, mut starts, mut payloads) = (Vec::new(), Vec::new(), Vec::new());
    let mut number = 0;
    for batch in batches {
        let durable = number;
        for length in batch {
            number += 1;
            starts.push(bytes.len());
            // Mostly zeros, which must not be taken for "never written".
            let mut payload = vec![0; *length];
            if let Some(first) = payload.first_mut() {
                *first = number as u8;
            }
            append(&mut bytes, FILE, number, durable, &payload);
            payloads.push(payload);
        }
    }
    starts.push(bytes.len());
    bytes.resize(bytes.len() + spare, 0);
    (bytes, starts, payloads)
}

fn payloads(scan: &Scan) -> Vec<Vec<u8>> {
    scan.records.iter().map(|r| r.payload.clone()).collect()
}

#[test]
fn a_whole_journal_reads_back() {
    let (bytes, starts, written) = journal(&[vec![0, 7, 8], vec![600], vec![1]], 100);
    let scan = scan(&bytes, FILE);
    assert_eq!(payloads(&scan), written);
    assert_eq!(
        (scan.end, scan.used, scan.tail),
        (starts[5], starts[5], Tail::Clean)
    );
    let empty = super::scan(&[0; 64], FILE);
    assert_eq!((empty.end, empty.tail), (0, Tail::Clean));
}

#[test]
fn a_journal_cut_at_any_byte_is_torn_there_and_never_corrupt() {
    let (bytes, starts, written) = journal(&[vec![3, 700], vec![40], vec![9, 20]], 64);
    for cut in 0..bytes.len() {
        let whole = starts[1..].iter().filter(|end| **end <= cut).count();
        let mut zeroed = bytes.clone();
        zeroed[cut..].fill(0);
        for (how, torn) in [("zeroed", &zeroed[..]), ("shortened", &bytes[..cut])] {
            let scan = scan(torn, FILE);
            assert_eq!(payloads(&scan), written[..whole], "{how} at {cut}");
            assert!(
                matches!(scan.tail, Tail::Clean | Tail::Torn),
                "{how} at {cut}: {:?}",
                scan.tail
            );
        }
    }
}

#[test]
fn a_flipped_bit_anywhere_is_corruption_and_never_served_or_cut() {
    let (bytes, starts, written) = journal(&[vec![3, 520], vec![40], vec![9, 20]], 64);
    for bit in 0..starts[5] * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let record = starts[1..].iter().filter(|end| **end <= bit / 8).count();
        let scan = scan(&flipped, FILE);
        assert_eq!(payloads(&scan), written[..record], "bit {bit}");
        assert!(
            matches!(scan.tail, Tail::Corrupt { at, .. } if at == starts[record]),
            "bit {bit}: {:?}",
            scan.tail
        );
    }
}

/// Some sectors of a group of records reach the disk and others do not, in any combination.
#[test]
fn a_group_of_which_only_some_sectors_were_written_is_torn() {
    let (bytes, starts, written) = journal(&[vec![100], vec![300, 900, 200]], 512);
    let (base, end) = (starts[1], starts[4]);
    let sectors = end.div_ceil(SECTOR_BYTES);
    for kept in 0..1_u32 << sectors {
        let mut torn = bytes.clone();
        for sector in 0..sectors {
            if kept & (1 << sector) == 0 {
                let from = (sector * SECTOR_BYTES).max(base);
                torn[from..((sector + 1) * SECTOR_BYTES).max(from)].fill(0);
            }
        }
        let scan = scan(&torn, FILE);
        let count = scan.records.len();
        assert!(count >= 1);
        assert_eq!(payloads(&scan), written[..count]);
        assert!(
            matches!(scan.tail, Tail::Clean | Tail::Torn),
            "sectors {kept:b}: {:?}",
            scan.tail
        );
    }
}

#[test]
fn records_of_another_file_are_not_taken() {
    let (mut bytes, starts, _) = journal(&[vec![10], vec![10], vec![10]], 0);
    let mut fresh = Vec::new();
    append(&mut fresh, FILE + 1, 1, 0, &[1; 10]);
    bytes[..starts[1]].copy_from_slice(&fresh);
    let scan = scan(&bytes, FILE + 1);
    assert_eq!(payloads(&scan), vec![vec![1; 10]]);
    assert_ne!(scan.tail, Tail::Clean);
}

/// A record that an earlier crash tore is overwritten; the rest was set to zero, as the driver
/// must.
#[test]
fn a_cut_tail_is_written_over() {
    let (mut bytes, starts, _) = journal(&[vec![10], vec![600]], 256);
    bytes[starts[1] + 512..].fill(0);
    let torn = scan(&bytes, FILE);
    assert_eq!((torn.tail, torn.end), (Tail::Torn, starts[1]));
    bytes[torn.end..torn.used].fill(0);
    let mut next = Vec::new();
    append(&mut next, FILE, 2, 1, &[7; 20]);
    bytes[torn.end..torn.end + next.len()].copy_from_slice(&next);
    let scan = scan(&bytes, FILE);
    assert_eq!((scan.records.len(), scan.tail), (2, Tail::Clean));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    /// Any damage at all: no panic, and only a prefix of what was written is served.
    #[test]
    fn whatever_happens_only_a_prefix_is_served(
        lengths in prop::collection::vec(prop::collection::vec(0_usize..700, 1..4), 1..5),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let (mut bytes, _, written) = journal(&lengths, 64);
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let cut = cut.index(bytes.len() + 1);
        bytes.truncate(cut.max(bytes.len() / 2));
        let scan = scan(&bytes, FILE);
        prop_assert_eq!(payloads(&scan), &written[..scan.records.len()]);
        prop_assert!(scan.end <= scan.used.max(scan.end) && scan.used <= bytes.len().max(scan.end));
    }

    /// Bytes from nowhere are no records.
    #[test]
    fn noise_is_never_a_record(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(scan(&bytes, FILE).records.is_empty());
    }
}
