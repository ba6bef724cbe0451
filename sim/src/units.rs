//! Durations and probabilities as people write them in scenarios: `20s`, `1min30s`, `2.5%`.

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::time::Duration;

/// A duration in a scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

const UNITS: [(&str, u64); 11] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("secs", 1_000_000_000),
    ("min", 60_000_000_000),
    ("mins", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("hours", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
    ("days", 86_400_000_000_000),
];

/// Reads `text` as a sum of numbers with units.
///
/// # Errors
/// When it is not one; says what would be.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let hint = || format!("'{text}' is not a duration: write 500ms, 20s, 1.5s, 3min or 1min30s");
    let mut rest = text.trim();
    let mut nanos: u64 = 0;
    if rest.is_empty() {
        return Err(hint());
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(hint)?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let (_, scale) = UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .ok_or_else(hint)?;
        let amount = decimal(number, *scale).ok_or_else(hint)?;
        nanos = nanos.checked_add(amount).ok_or_else(hint)?;
        rest = tail.trim_start();
    }
    Ok(Duration::from_nanos(nanos))
}

/// `number * scale`, exactly, for a number with at most nine decimal places.
fn decimal(number: &str, scale: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.len() > 9 || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let digits = |text: &str| match text {
        "" => Some(0_u64),
        text => text.parse().ok(),
    };
    let part = u128::from(digits(fraction)?) * u128::from(scale)
        / 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    digits(whole)?
        .checked_mul(scale)?
        .checked_add(u64::try_from(part).ok()?)
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_duration(&text).map(Span).map_err(de::Error::custom)
    }
}

/// Seconds and their parts, as short as they can be said.
#[must_use]
pub fn show_duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    if nanos >= 120_000_000_000 && nanos.is_multiple_of(60_000_000_000) {
        format!("{}min", nanos / 60_000_000_000)
    } else if nanos >= 1_000_000_000 {
        let text = format!("{:.3}", duration.as_secs_f64());
        format!("{}s", text.trim_end_matches('0').trim_end_matches('.'))
    } else if nanos >= 1_000_000 {
        let text = format!("{:.2}", nanos as f64 / 1e6);
        format!("{}ms", text.trim_end_matches('0').trim_end_matches('.'))
    } else {
        format!("{}us", nanos / 1_000)
    }
}

/// A probability.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chance {
    per_billion: u32,
}

impl Chance {
    /// Never.
    pub const NEVER: Chance = Chance { per_billion: 0 };
    /// Always.
    pub const ALWAYS: Chance = Chance {
        per_billion: 1_000_000_000,
    };

    /// `per_million` out of a million.
    #[must_use]
    pub const fn per_million(per_million: u32) -> Chance {
        assert!(per_million <= 1_000_000, "a probability is at most 1");
        Chance {
            per_billion: per_million * 1_000,
        }
    }

    /// Out of a billion.
    #[must_use]
    pub const fn per_billion(self) -> u32 {
        self.per_billion
    }

    fn from_share(share: f64) -> Result<Chance, String> {
        if !(0.0..=1.0).contains(&share) {
            return Err(format!(
                "{share} is not a probability: write 0.01 or 1%, from 0 to 1"
            ));
        }
        Ok(Chance {
            per_billion: (share * 1e9).round() as u32,
        })
    }

    /// Draws.
    pub fn draw(self, rng: &mut tepui_core::rng::Rng) -> bool {
        // What is never asked for costs no draw.
        self.per_billion != 0 && rng.below(1_000_000_000) < u64::from(self.per_billion)
    }
}

struct ChanceVisitor;

impl Visitor<'_> for ChanceVisitor {
    type Value = Chance;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a probability such as 0.01 or 1%")
    }
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Chance, E> {
        Chance::from_share(value).map_err(E::custom)
    }
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Chance, E> {
        self.visit_f64(value as f64)
    }
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Chance, E> {
        self.visit_f64(value as f64)
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Chance, E> {
        let number = text
            .trim()
            .strip_suffix('%')
            .and_then(|n| n.trim().parse::<f64>().ok());
        match number {
            Some(percent) => self.visit_f64(percent / 100.0),
            None => Err(E::custom(format!(
                "'{text}' is not a probability: write 0.01 or 1%"
            ))),
        }
    }
}

impl<'de> Deserialize<'de> for Chance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Chance, D::Error> {
        deserializer.deserialize_any(ChanceVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_write_them() {
        let cases = [
            ("20s", 20_000_000_000),
            ("500ms", 500_000_000),
            ("1.5s", 1_500_000_000),
            ("1min30s", 90_000_000_000),
            ("3min", 180_000_000_000),
            ("2h", 7_200_000_000_000),
            ("0.000000001s", 1),
        ];
        for (text, nanos) in cases {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_nanos(nanos)),
                "{text}"
            );
        }
        for bad in [
            "",
            "20",
            "s",
            "5 parsecs",
            "-1s",
            "1..2s",
            "99999999999d",
            "1.0000000001s",
        ] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn probabilities_are_bounded() {
        assert_eq!(
            serde_json::from_str::<Chance>("0.25")
                .unwrap()
                .per_billion(),
            250_000_000
        );
        assert_eq!(
            serde_json::from_str::<Chance>("\"2.5%\"")
                .unwrap()
                .per_billion(),
            25_000_000
        );
        for bad in ["1.5", "-0.1", "\"often\"", "\"130%\""] {
            assert!(serde_json::from_str::<Chance>(bad).is_err(), "{bad}");
        }
    }
}
