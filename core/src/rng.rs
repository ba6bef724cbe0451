//! Randomness as named streams. One `u64` seeds a whole run; each machine forks a stream by name,
//! so that one more draw in one machine shifts no sibling.

use core::time::Duration;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng};

/// A ChaCha8 stream (its output is stable by contract, unlike a "standard" generator's).
#[derive(Clone, Debug)]
pub struct Rng {
    key: [u8; 32],
    stream: ChaCha8Rng,
}

impl Rng {
    /// The stream called `name` of the run that `seed` draws.
    #[must_use]
    pub fn from_seed(seed: u64, name: &str) -> Rng {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        Rng::from_key(key).fork(name)
    }

    fn from_key(key: [u8; 32]) -> Rng {
        Rng {
            key,
            stream: ChaCha8Rng::from_seed(key),
        }
    }

    /// A stream of its own, decided by this stream's key and `name` alone: neither what was drawn
    /// here before nor other forks change it.
    #[must_use]
    pub fn fork(&self, name: &str) -> Rng {
        let mut child = ChaCha8Rng::from_seed(self.key);
        // Stream 0 is the parent's own.
        child.set_stream(fnv1a(name.as_bytes()) | 1);
        let mut key = [0; 32];
        child.fill_bytes(&mut key);
        Rng::from_key(key)
    }

    /// A uniform `u64`.
    pub fn next_u64(&mut self) -> u64 {
        self.stream.next_u64()
    }

    /// Uniform in `[0, bound)`; `bound` must not be 0. Lemire's multiplication, with rejection.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "an empty range has no member to draw");
        let reject_below = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(bound);
            if product as u64 >= reject_below {
                return (product >> 64) as u64;
            }
        }
    }

    /// Uniform in `[low, high)`; `low` where the range is empty.
    pub fn between(&mut self, low: Duration, high: Duration) -> Duration {
        let nanos = |d: Duration| u64::try_from(d.as_nanos()).unwrap_or(u64::MAX);
        let (low, high) = (nanos(low), nanos(high));
        if high <= low {
            return Duration::from_nanos(low);
        }
        Duration::from_nanos(low + self.below(high - low))
    }

    /// True with probability `numerator / denominator`.
    pub fn chance(&mut self, numerator: u64, denominator: u64) -> bool {
        self.below(denominator) < numerator
    }

    /// Fisher-Yates.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = self.below(i as u64 + 1) as usize;
            items.swap(i, j);
        }
    }
}

/// FNV-1a, 64 bits: turns a stream's name into its number.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The output is part of the contract: a seed found years ago still draws the same run.
    #[test]
    fn golden_values_never_change() {
        let mut rng = Rng::from_seed(7, "allocator");
        let drawn = [rng.next_u64(), rng.below(1000), rng.below(1000)];
        let mut again = Rng::from_seed(7, "allocator");
        assert_eq!(
            drawn,
            [again.next_u64(), again.below(1000), again.below(1000)]
        );
        assert_eq!(drawn, GOLDEN);
    }

    const GOLDEN: [u64; 3] = [14_722_707_535_394_708_463, 560, 811];

    #[test]
    fn draws_of_the_parent_do_not_shift_a_fork() {
        let mut parent = Rng::from_seed(1, "parent");
        let mut before = parent.fork("child");
        parent.next_u64();
        let mut after = parent.fork("child");
        assert_eq!(before.next_u64(), after.next_u64());
        assert_ne!(
            parent.fork("child").next_u64(),
            parent.fork("sibling").next_u64()
        );
    }

    #[test]
    fn an_empty_range_of_durations_is_its_low_end() {
        let mut rng = Rng::from_seed(1, "x");
        let second = Duration::from_secs(1);
        assert_eq!(rng.between(second, second), second);
        let drawn = rng.between(second, 2 * second);
        assert!(drawn >= second && drawn < 2 * second);
    }
}
