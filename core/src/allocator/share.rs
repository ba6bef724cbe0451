//! Dominant shares, compared exactly.
//!
//! Ghodsi et al., "Dominant Resource Fairness" (NSDI 2011), section 4: a user's dominant share is
//! the largest fraction that it has of any resource; weighted DRF divides it by the user's weight.
//!
//! Shares are fractions `amount / (total * weight)`. Most comparisons are decided by a floating
//! point estimate whose error is known (a filter, as in Shewchuk, "Adaptive Precision
//! Floating-Point Arithmetic", 1997); where two estimates are too close to tell, whole numbers
//! decide. The outcome is therefore always exact, and the same on every machine.

use crate::resources::{DENSE, Quantities, Scalar};
use core::cmp::Ordering;

/// Each estimate passes through at most six roundings of relative error 2^-53, so two that differ
/// by more than 2^-48 are in their true order.
const DOUBT: f64 = 1.0 / (1_u64 << 48) as f64;

/// What the whole cluster has, with the reciprocals that make shares cheap.
#[derive(Clone, Debug, Default)]
pub(super) struct Totals {
    quantities: Quantities,
    inverse: [f64; DENSE],
}

impl Totals {
    pub(super) const fn quantities(&self) -> &Quantities {
        &self.quantities
    }

    pub(super) fn change(&mut self, more: &Quantities, less: &Quantities) {
        self.quantities.add(more);
        self.quantities.sub(less);
        for (inverse, total) in self.inverse.iter_mut().zip(self.quantities.dense()) {
            *inverse = if *total == 0 {
                0.0
            } else {
                1.0 / *total as f64
            };
        }
    }
}

/// A weighted dominant share: `amount / (total * weight)`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    estimate: f64,
    amount: i64,
    total: i64,
    weight: i64,
}

impl Share {
    /// The share of one who has nothing.
    pub(super) const fn nothing(weight: Scalar) -> Share {
        Share {
            estimate: 0.0,
            amount: 0,
            total: 1,
            weight: weight.milli(),
        }
    }

    /// The largest fraction of a total that `allocated` is, divided by `weight`. What the cluster
    /// has nothing of does not count.
    pub(super) fn of(allocated: &Quantities, totals: &Totals, weight: Scalar) -> Share {
        let estimate = |column: usize| allocated.dense()[column] as f64 * totals.inverse[column];
        let estimates: [f64; DENSE] = core::array::from_fn(estimate);
        let mut best = Share::nothing(weight);
        for (column, estimate) in estimates.into_iter().enumerate() {
            let amount = allocated.dense()[column];
            best.raise(amount, totals.quantities.dense()[column], estimate);
        }
        for (name, amount) in allocated.rest() {
            let total = totals.quantities.milli(name);
            best.raise(*amount, total, *amount as f64 / total.max(1) as f64);
        }
        best.estimate /= weight.milli() as f64;
        best
    }

    /// Takes the fraction `amount / total` if it is larger. Still unweighted.
    #[inline]
    fn raise(&mut self, amount: i64, total: i64, estimate: f64) {
        let gap = estimate - self.estimate;
        let doubt = DOUBT * estimate.max(self.estimate);
        // Nothing of what there is nothing of: both estimates and the gap are zero.
        if gap < -doubt || amount == 0 || total == 0 {
            return;
        }
        if gap > doubt || is_larger((amount, total), (self.amount, self.total)) {
            (self.amount, self.total, self.estimate) = (amount, total, estimate);
        }
    }

    /// The true order of the fractions.
    #[inline]
    pub(super) fn compare(&self, other: &Share) -> Ordering {
        let gap = self.estimate - other.estimate;
        let doubt = DOUBT * self.estimate.max(other.estimate);
        if gap > doubt {
            return Ordering::Greater;
        }
        if gap < -doubt {
            return Ordering::Less;
        }
        self.compare_exactly(other)
    }

    /// The true order, by whole numbers alone.
    #[inline]
    pub(super) fn compare_exactly(&self, other: &Share) -> Ordering {
        let fraction = self.amount == other.amount && self.total == other.total;
        if fraction && self.weight == other.weight {
            return Ordering::Equal;
        }
        self.cross_multiply(other)
    }

    /// Cross multiplication in 192 bits.
    #[inline(never)]
    fn cross_multiply(&self, other: &Share) -> Ordering {
        let ours = product(self.amount, other.total, other.weight);
        let theirs = product(other.amount, self.total, self.weight);
        ours.cmp(&theirs)
    }

    /// As a fraction, for people.
    pub(super) fn to_f64(self) -> f64 {
        self.estimate * 1000.0
    }
}

#[inline(never)]
fn is_larger(ours: (i64, i64), theirs: (i64, i64)) -> bool {
    wide(ours.0) * wide(theirs.1) > wide(theirs.0) * wide(ours.1)
}

fn wide(amount: i64) -> u128 {
    u128::try_from(amount).expect("amounts are never negative")
}

/// `a * b * c`, as its high and low 128 and 64 bits.
fn product(a: i64, b: i64, c: i64) -> (u128, u64) {
    let (ab, c) = (wide(a) * wide(b), wide(c));
    let low = (ab & u128::from(u64::MAX)) * c;
    let high = (ab >> 64) * c + (low >> 64);
    (high, low as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::Resources;
    use proptest::prelude::*;

    fn quantities(text: &str) -> Quantities {
        text.parse::<Resources>().unwrap().quantities()
    }

    fn totals(text: &str) -> Totals {
        let mut totals = Totals::default();
        totals.change(&quantities(text), &Quantities::ZERO);
        totals
    }

    #[test]
    fn the_largest_fraction_dominates() {
        let totals = totals("cpus:9;mem:18;licences:4");
        let one = Scalar::from_units(1);
        let share = |text| Share::of(&quantities(text), &totals, one);
        let (a, b) = (share("cpus:3;mem:12"), share("cpus:6;mem:2"));
        assert_eq!(a.compare(&b), Ordering::Equal);
        assert_eq!(share("licences:3").compare(&a), Ordering::Greater);
        assert_eq!(
            share("gpus:3").compare(&Share::nothing(one)),
            Ordering::Equal
        );
        let half = Share::of(&quantities("cpus:8"), &totals, Scalar::from_units(2));
        assert_eq!(half.compare(&share("cpus:4")), Ordering::Equal);
        assert_eq!(half.compare(&share("cpus:4.001")), Ordering::Less);
    }

    /// Numbers of all magnitudes, with many near misses.
    fn amount() -> impl Strategy<Value = i64> {
        prop_oneof![
            1..=9_i64,
            1..=1_000_000_i64,
            1..=i64::MAX,
            (i64::MAX - 3)..=i64::MAX
        ]
    }

    fn share(amount: i64, total: i64, weight: i64) -> Share {
        let mut share = Share::nothing(Scalar::from_milli(weight).unwrap());
        share.raise(amount, total, amount as f64 * (1.0 / total as f64));
        share.estimate /= weight as f64;
        share
    }

    proptest! {
        #[test]
        fn the_estimate_never_overrules_the_whole_numbers(
            a in amount(), t in amount(), u in amount(), near in -2..=2_i64,
            w in 1..=Scalar::MAX.milli(), v in prop_oneof![Just(1000), 1..=Scalar::MAX.milli()],
        ) {
            let ours = share(a.min(t), t, w);
            for theirs in [
                share(a.saturating_add(near).clamp(1, t), t, w),
                share(a.min(u), u, v),
                share((u128::from(a.min(t) as u64) * u128::from(u as u64) / u128::from(t as u64))
                    .max(1) as i64, u, w),
            ] {
                let exact = ours.compare_exactly(&theirs);
                prop_assert_eq!(ours.compare(&theirs), exact);
                prop_assert_eq!(theirs.compare(&ours), exact.reverse());
            }
        }
    }
}
