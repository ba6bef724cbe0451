//! How long a message takes. Integer arithmetic only, so that every machine draws the same run.

use crate::units::{Span, parse_duration};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::time::Duration;
use tepui_core::rng::Rng;

/// A distribution of latencies, as scenarios write it: `latency: 1ms`, or
/// `latency: { uniform: [1ms, 5ms] }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields, remote = "Self")]
pub enum Latency {
    /// Always the same.
    Constant(Span),
    /// Evenly between two bounds.
    Uniform(Span, Span),
    /// A least time plus an exponential of this mean.
    Exponential {
        /// Nothing is faster.
        least: Span,
        /// What is added on average.
        mean: Span,
    },
    /// Half are faster than `median`; a long tail, as on real networks and disks.
    Lognormal {
        /// The middle.
        median: Span,
        /// By how many per cent one standard deviation is slower than the median.
        spread_percent: u32,
    },
}

impl Latency {
    /// Always `duration`.
    #[must_use]
    pub const fn constant(duration: Duration) -> Latency {
        Latency::Constant(Span(duration))
    }

    /// Draws one.
    pub fn draw(&self, rng: &mut Rng) -> Duration {
        Duration::from_nanos(self.draw_nanos(rng))
    }

    /// Draws one, in nanoseconds.
    pub fn draw_nanos(&self, rng: &mut Rng) -> u64 {
        match *self {
            Latency::Constant(span) => nanos(span),
            Latency::Uniform(low, high) => {
                let (low, high) = (nanos(low), nanos(high));
                if high <= low {
                    low
                } else {
                    low + scale(high - low, rng.next_u64())
                }
            }
            Latency::Exponential { least, mean } => {
                // -ln(u) = -log2(u) * ln(2); ln(2) with 32 fractional bits.
                const LN_2: u64 = 2_977_044_471;
                let surprise = minus_log2(rng.next_u64());
                let factor = (u128::from(surprise) * u128::from(LN_2)) >> 32;
                let added = (u128::from(nanos(mean)) * factor) >> FRACTION_BITS;
                nanos(least).saturating_add(u64::try_from(added).unwrap_or(u64::MAX))
            }
            Latency::Lognormal {
                median,
                spread_percent,
            } => {
                // The sum of four uniforms is close enough to a normal: variance 4/12, so that
                // twice its deviation from the mean, times sqrt(3)/2, has deviation one.
                let draw = rng.next_u64();
                let sum: i64 = (0..4).map(|i| ((draw >> (16 * i)) & 0xffff) as i64).sum();
                let deviation = (sum - 2 * 0xffff) * 7_094 / 4_096;
                let step = log2_percent(spread_percent);
                let exponent = deviation * step / 65_536;
                scale_exp2(nanos(median), exponent)
            }
        }
    }
}

struct LatencyVisitor;

impl<'de> Visitor<'de> for LatencyVisitor {
    type Value = Latency;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a latency such as 1ms or { uniform: [1ms, 5ms] }")
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Latency, E> {
        let duration = parse_duration(text).map_err(E::custom)?;
        Ok(Latency::constant(duration))
    }
    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Latency, A::Error> {
        Latency::deserialize(de::value::MapAccessDeserializer::new(map))
    }
}

/// The derived form, or a single duration.
impl<'de> Deserialize<'de> for Latency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Latency, D::Error> {
        deserializer.deserialize_any(LatencyVisitor)
    }
}

fn nanos(span: Span) -> u64 {
    u64::try_from(span.0.as_nanos()).unwrap_or(u64::MAX)
}

/// `width * draw / 2^64`.
fn scale(width: u64, draw: u64) -> u64 {
    ((u128::from(width) * u128::from(draw)) >> 64) as u64
}

/// Fractional bits of logarithms.
const FRACTION_BITS: u32 = 16;

/// -log2(u / 2^64), with 16 fractional bits, at least zero and at most 64.
fn minus_log2(u: u64) -> u64 {
    let u = u.max(1);
    let zeros = u.leading_zeros();
    let mantissa = u << zeros;
    (u64::from(zeros + 1) << FRACTION_BITS) - log2_fraction(mantissa)
}

/// log2(m / 2^63) for m in [2^63, 2^64), with 16 fractional bits, by repeated squaring.
const fn log2_fraction(mantissa: u64) -> u64 {
    let mut m = mantissa as u128;
    let mut result = 0;
    let mut bit = 0;
    while bit < FRACTION_BITS {
        m = (m * m) >> 63;
        result <<= 1;
        if m >= 1 << 64 {
            m >>= 1;
            result |= 1;
        }
        bit += 1;
    }
    result
}

/// log2(1 + percent/100), with 16 fractional bits.
fn log2_percent(percent: u32) -> i64 {
    let ratio = (u128::from(percent) + 100) << 56;
    let ratio = u64::try_from(ratio / 100).expect("a spread is far below 2^8");
    let zeros = ratio.leading_zeros();
    let whole = 63 - i64::from(zeros) - 56;
    (whole << FRACTION_BITS) + log2_fraction(ratio << zeros) as i64
}

/// `value * 2^(exponent / 2^16)`.
fn scale_exp2(value: u64, exponent: i64) -> u64 {
    let whole = exponent.div_euclid(1 << FRACTION_BITS);
    let index = (exponent.rem_euclid(1 << FRACTION_BITS) >> 8) as usize;
    let scaled = (u128::from(value) * u128::from(EXP2[index])) >> 32;
    let shifted = match u32::try_from(whole) {
        Ok(up) => scaled << up.min(60),
        Err(_) => scaled >> whole.unsigned_abs().min(127),
    };
    u64::try_from(shifted).unwrap_or(u64::MAX)
}

/// 2^(i/256) with 32 fractional bits.
const EXP2: [u64; 256] = exp2_table();

const fn exp2_table() -> [u64; 256] {
    // 2^(1/256) with 62 fractional bits; the error of 255 multiplications stays below 2^-50.
    const STEP: u128 = 4_624_189_567_668_517_720;
    let mut table = [0; 256];
    let mut value: u128 = 1 << 62;
    let mut i = 0;
    while i < 256 {
        table[i] = (value >> 30) as u64;
        value = (value * STEP) >> 62;
        i += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Span {
        Span(Duration::from_millis(n))
    }

    fn sample(latency: Latency) -> Vec<u64> {
        let mut rng = Rng::from_seed(1, "latency");
        let mut all: Vec<u64> = (0..20_000).map(|_| latency.draw_nanos(&mut rng)).collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn an_exponential_has_its_mean_and_its_median() {
        let all = sample(Latency::Exponential {
            least: ms(1),
            mean: ms(10),
        });
        let mean = all.iter().sum::<u64>() / all.len() as u64;
        assert!((10_800_000..11_200_000).contains(&mean), "{mean}");
        let median = all[all.len() / 2];
        assert!((7_700_000..8_200_000).contains(&median), "{median}");
        assert!(all[0] >= 1_000_000);
    }

    #[test]
    fn a_lognormal_has_its_median_and_spread() {
        let all = sample(Latency::Lognormal {
            median: ms(10),
            spread_percent: 100,
        });
        let at = |share: usize| all[all.len() * share / 1000];
        assert!((9_500_000..10_500_000).contains(&at(500)), "{}", at(500));
        // One standard deviation above is twice the median, one below is half of it.
        assert!((18_500_000..21_500_000).contains(&at(841)), "{}", at(841));
        assert!((4_600_000..5_400_000).contains(&at(159)), "{}", at(159));
    }

    #[test]
    fn the_table_of_powers_ends_just_below_two() {
        assert_eq!(EXP2[0], 1 << 32);
        assert_eq!(EXP2[128], 6_074_000_999);
        assert!(EXP2[255] < 2 << 32);
    }

    #[test]
    fn uniform_stays_within_its_bounds() {
        let all = sample(Latency::Uniform(ms(2), ms(4)));
        assert!(all[0] >= 2_000_000 && all[all.len() - 1] < 4_000_000);
    }
}
