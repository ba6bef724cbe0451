//! Journals as bytes, wherever a fault touches bytes: the core's own format, written, damaged and
//! read back.

use super::Record;
use tepui_core::journal::{self, SECTOR_BYTES, Tail};
use tepui_core::log::Damage;
use tepui_core::rng::Rng;
use tepui_core::wire;

/// Every file has a number; there is only one here.
const FILE: u64 = 1;

/// What a restart reads.
#[derive(Debug)]
pub struct Read<W> {
    /// The records before the end or the first damage.
    pub writes: Vec<W>,
    /// The damage, if there is any.
    pub damage: Option<Damage>,
}

/// The journal of these records, each of which was durable before the next was written.
fn file_of<'a, W: Record + 'a>(writes: impl Iterator<Item = &'a W>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (number, write) in (1..).zip(writes) {
        let start = journal::reserve(&mut bytes, |out| wire::encode_into(write, out));
        journal::seal(&mut bytes, start, FILE, number, number - 1);
    }
    bytes
}

fn read<W: Record>(bytes: &[u8]) -> Read<W> {
    // Files are filled with zeros ahead of their records.
    let mut padded = bytes.to_vec();
    padded.resize((bytes.len() / SECTOR_BYTES + 2) * SECTOR_BYTES, 0);
    let scan = journal::scan(&padded, FILE);
    let payloads = scan.records.iter().map(|record| record.payload.as_slice());
    let writes = payloads
        .map(|payload| wire::decode(payload).expect("a record that checks out decodes"))
        .collect();
    let damage = match scan.tail {
        Tail::Corrupt { why, .. } => Some(Damage {
            at_bytes: scan.end as u64,
            why: why.to_string(),
        }),
        _ => None,
    };
    Read { writes, damage }
}

/// Whether these records come out of the file as they went in.
pub fn check_round_trip<W: Record>(writes: &[W]) {
    let bytes = file_of(writes.iter());
    let read = read::<W>(&bytes);
    assert_eq!(read.writes, writes, "a journal gives back what was written");
    assert_eq!(read.damage, None, "an intact journal is not damaged");
}

/// The last record was being written when the power went: some of its sectors never reached the
/// disk. It must be cut off, and nothing else.
pub fn check_torn<W: Record>(writes: &[W], last: &W, rng: &mut Rng) {
    let whole = file_of(writes.iter());
    let mut bytes = file_of(writes.iter().chain([last]));
    let first_sector = whole.len() / SECTOR_BYTES;
    let sectors = bytes.len().div_ceil(SECTOR_BYTES);
    let lost = first_sector as u64 + rng.below((sectors - first_sector) as u64);
    for sector in first_sector as u64..sectors as u64 {
        // One at least is lost; what lay in that sector before stays as it was.
        if sector == lost || rng.chance(1, 2) {
            let start = (sector as usize * SECTOR_BYTES).max(whole.len());
            let end = ((sector as usize + 1) * SECTOR_BYTES).min(bytes.len());
            bytes[start..end].fill(0);
        }
    }
    let read = read::<W>(&bytes);
    assert_eq!(
        read.writes, writes,
        "a torn record is cut, and nothing else"
    );
    assert_eq!(read.damage, None, "a torn record is no damage");
}

/// One byte of the file changes. Returns what a restart reads then.
pub fn rot<W: Record>(writes: &[W], rng: &mut Rng) -> Option<Read<W>> {
    let mut bytes = file_of(writes.iter());
    if bytes.is_empty() {
        return None;
    }
    let at = rng.below(bytes.len() as u64) as usize;
    // Never to zero: what was never written is zero, and a last byte that turned to zero is the
    // one doubt that the format leaves.
    bytes[at] = match bytes[at].wrapping_add(1 + rng.below(254) as u8) {
        0 => 0xff - bytes[at].min(0xfe),
        other => other,
    };
    let read = read::<W>(&bytes);
    assert!(
        read.damage.is_some() || read.writes == writes,
        "a byte of {} rotted at {at} and {} of {} records were read as if that were all",
        bytes.len(),
        read.writes.len(),
        writes.len()
    );
    Some(read)
}
