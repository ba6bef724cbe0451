//! Growing sets of small numbers, one bit each.

use alloc::vec::Vec;

/// A set of slot numbers. Bits beyond the end are clear.
#[derive(Clone, Debug, Default)]
pub(super) struct Bits {
    words: Vec<u64>,
}

impl Bits {
    pub(super) const fn new() -> Bits {
        Bits { words: Vec::new() }
    }

    pub(super) fn has(&self, at: u32) -> bool {
        let word = self.words.get(at as usize / 64);
        word.is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    /// Adds `at`; says whether it was new.
    pub(super) fn set(&mut self, at: u32) -> bool {
        let (word, bit) = (at as usize / 64, 1_u64 << (at % 64));
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        let new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        new
    }

    /// Removes `at`; says whether it was there.
    pub(super) fn unset(&mut self, at: u32) -> bool {
        let bit = 1_u64 << (at % 64);
        let Some(word) = self.words.get_mut(at as usize / 64) else {
            return false;
        };
        let was = *word & bit != 0;
        *word &= !bit;
        was
    }

    pub(super) fn put(&mut self, at: u32, value: bool) {
        if value {
            self.set(at);
        } else {
            self.unset(at);
        }
    }

    /// Removes everything, keeps the room.
    pub(super) fn clear(&mut self) {
        self.words.fill(0);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    pub(super) fn count(&self) -> u32 {
        self.words.iter().map(|word| word.count_ones()).sum()
    }

    pub(super) fn copy_from(&mut self, other: &Bits) {
        self.words.clear();
        self.words.extend_from_slice(&other.words);
    }

    pub(super) fn add_all(&mut self, other: &Bits) {
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        for (ours, theirs) in self.words.iter_mut().zip(&other.words) {
            *ours |= theirs;
        }
    }

    pub(super) fn remove_all(&mut self, other: &Bits) {
        for (ours, theirs) in self.words.iter_mut().zip(&other.words) {
            *ours &= !theirs;
        }
    }

    pub(super) fn retain_all(&mut self, other: &Bits) {
        for (at, ours) in self.words.iter_mut().enumerate() {
            *ours &= other.words.get(at).copied().unwrap_or(0);
        }
    }

    pub(super) fn meets(&self, other: &Bits) -> bool {
        let mut pairs = self.words.iter().zip(&other.words);
        pairs.any(|(ours, theirs)| ours & theirs != 0)
    }

    /// Lowest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let words = self.words.iter().enumerate();
        words.flat_map(|(at, word)| {
            let mut rest = *word;
            core::iter::from_fn(move || {
                let bit = rest.trailing_zeros();
                (rest != 0).then(|| {
                    rest &= rest - 1;
                    at as u32 * 64 + bit
                })
            })
        })
    }
}

/// The same members, whatever the room.
impl PartialEq for Bits {
    fn eq(&self, other: &Bits) -> bool {
        self.iter().eq(other.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_out_in_order() {
        let mut bits = Bits::new();
        for at in [700, 3, 64, 63] {
            assert!(bits.set(at) && !bits.set(at));
        }
        assert!(bits.iter().eq([3, 63, 64, 700]));
        assert!(bits.unset(64) && !bits.unset(64) && !bits.unset(9_999));
        let mut other = Bits::new();
        other.set(3);
        assert!(bits.meets(&other) && bits.count() == 3);
        bits.remove_all(&other);
        assert!(bits.iter().eq([63, 700]) && !bits.meets(&other));
        other.add_all(&bits);
        other.retain_all(&bits);
        assert!(other == bits && !other.is_empty());
        other.clear();
        assert!(other.is_empty());
    }
}
