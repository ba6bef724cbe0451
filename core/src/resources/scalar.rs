//! Fixed-point amounts.

use alloc::string::{String, ToString};
use core::fmt;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why something is not an amount.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ScalarError {
    /// Not digits with an optional decimal point.
    #[error("'{0}' is not an amount: write digits, such as 4 or 0.5")]
    Malformed(String),
    /// Less than nothing.
    #[error("{0} is negative: an amount is at least 0")]
    Negative(String),
    /// More than [`Scalar::MAX`].
    #[error("{0} is too much: an amount is at most {max}", max = Scalar::MAX)]
    Large(String),
}

/// A non-negative amount in thousandths, as Mesos counts: `llround(x * 1000)`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "i64", into = "i64")]
pub struct Scalar(i64);

impl Scalar {
    /// Nothing.
    pub const ZERO: Scalar = Scalar(0);
    /// A million million units. The bound leaves room for sums over thousands of agents in 64
    /// bits; a larger figure is a mistake (MESOS-10008: a quota of 1e18 overflowed).
    pub const MAX: Scalar = Scalar(1_000_000_000_000_000);

    /// From thousandths.
    ///
    /// # Errors
    /// When they are negative or more than [`Scalar::MAX`].
    pub fn from_milli(milli: i64) -> Result<Scalar, ScalarError> {
        if milli < 0 {
            return Err(ScalarError::Negative(milli_text(milli)));
        }
        if milli > Scalar::MAX.0 {
            return Err(ScalarError::Large(milli_text(milli)));
        }
        Ok(Scalar(milli))
    }

    /// From whole units, of which every 32-bit figure fits.
    #[must_use]
    pub const fn from_units(units: u32) -> Scalar {
        Scalar(units as i64 * 1000)
    }

    /// From a floating-point number, as JSON carries amounts; rounds half away from zero.
    ///
    /// # Errors
    /// When it is not finite, negative or too large.
    pub fn from_f64(units: f64) -> Result<Scalar, ScalarError> {
        if !units.is_finite() {
            return Err(ScalarError::Malformed(units.to_string()));
        }
        let milli = units * 1000.0;
        if milli > Scalar::MAX.0 as f64 {
            return Err(ScalarError::Large(units.to_string()));
        }
        // Below 2^53 the whole part converts without loss, so the remainder is exact.
        let whole = milli as i64;
        let rest = milli - whole as f64;
        if milli <= -0.5 {
            return Err(ScalarError::Negative(units.to_string()));
        }
        Scalar::from_milli(whole.max(0) + i64::from(rest >= 0.5))
    }

    /// From decimal text, never by way of floating point; further decimals round half up.
    ///
    /// # Errors
    /// When it is not digits with an optional point, or too large.
    pub fn parse(text: &str) -> Result<Scalar, ScalarError> {
        let malformed = || ScalarError::Malformed(text.to_string());
        if let Some(rest) = text.strip_prefix('-') {
            let amount = Scalar::parse(rest).map_err(|_| malformed())?;
            return match amount {
                Scalar::ZERO => Ok(amount),
                _ => Err(ScalarError::Negative(text.to_string())),
            };
        }
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(decimals) {
            return Err(malformed());
        }
        let large = || ScalarError::Large(text.to_string());
        let mut milli: i64 = whole.parse().map_err(|_| large())?;
        let mut places = decimals.bytes().map(|b| i64::from(b - b'0'));
        for _ in 0..3 {
            let digit = places.next().unwrap_or(0);
            milli = milli
                .checked_mul(10)
                .and_then(|milli| milli.checked_add(digit))
                .ok_or_else(large)?;
        }
        let round = i64::from(places.next().unwrap_or(0) >= 5);
        Scalar::from_milli(milli.saturating_add(round)).map_err(|_| large())
    }

    /// In thousandths.
    #[must_use]
    pub const fn milli(self) -> i64 {
        self.0
    }

    /// For JSON and people.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// Whether this is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum; none beyond [`Scalar::MAX`].
    #[must_use]
    pub fn checked_add(self, other: Scalar) -> Option<Scalar> {
        let sum = self.0.checked_add(other.0)?;
        (sum <= Scalar::MAX.0).then_some(Scalar(sum))
    }

    /// The difference; none below zero.
    #[must_use]
    pub fn checked_sub(self, other: Scalar) -> Option<Scalar> {
        (other.0 <= self.0).then(|| Scalar(self.0 - other.0))
    }

    /// The sum, at most [`Scalar::MAX`].
    #[must_use]
    pub fn saturating_add(self, other: Scalar) -> Scalar {
        self.checked_add(other).unwrap_or(Scalar::MAX)
    }

    /// The difference, at least nothing.
    #[must_use]
    pub fn saturating_sub(self, other: Scalar) -> Scalar {
        self.checked_sub(other).unwrap_or(Scalar::ZERO)
    }

    /// As often as `times`; none beyond [`Scalar::MAX`].
    #[must_use]
    pub fn checked_mul(self, times: u32) -> Option<Scalar> {
        let product = self.0.checked_mul(i64::from(times))?;
        (product <= Scalar::MAX.0).then_some(Scalar(product))
    }
}

/// Thousandths as decimal text, without needless zeros.
pub(super) fn milli_text(milli: i64) -> String {
    let sign = if milli < 0 { "-" } else { "" };
    let (units, thousandths) = (milli.unsigned_abs() / 1000, milli.unsigned_abs() % 1000);
    if thousandths == 0 {
        return alloc::format!("{sign}{units}");
    }
    let decimals = alloc::format!("{thousandths:03}");
    alloc::format!("{sign}{units}.{}", decimals.trim_end_matches('0'))
}

impl TryFrom<i64> for Scalar {
    type Error = ScalarError;
    fn try_from(milli: i64) -> Result<Scalar, ScalarError> {
        Scalar::from_milli(milli)
    }
}

impl From<Scalar> for i64 {
    fn from(scalar: Scalar) -> i64 {
        scalar.0
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&milli_text(self.0))
    }
}
