//! Numbers and bytes in JSON.

use crate::mesos::reflect::{Kind, Scalar};
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::fmt;

/// Standard base64, its padding present or not, as Mesos reads it.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A number as it stands in JSON.
#[derive(Clone, Copy)]
pub(super) enum Number {
    /// Without a point.
    Whole(i128),
    /// With one, or with an exponent.
    Double(f64),
}

impl Number {
    /// For a field of this kind; none where it does not fit. Of a double for a whole number the
    /// part behind the point is dropped, as in Mesos.
    pub(super) fn of_kind(self, kind: Kind) -> Option<Scalar<'static>> {
        let whole = match self {
            Number::Whole(whole) => Some(whole),
            // What is larger than 128 bits ends at their bounds, which no kind takes.
            Number::Double(double) => double.is_finite().then_some(double as i128),
        };
        let double = match self {
            Number::Whole(whole) => whole as f64,
            Number::Double(double) => double,
        };
        match kind {
            Kind::F64 => Some(Scalar::F64(double)),
            Kind::I32 => fit(whole).map(Scalar::I32),
            Kind::U32 => fit(whole).map(Scalar::U32),
            Kind::I64 => fit(whole).map(Scalar::I64),
            Kind::U64 => fit(whole).map(Scalar::U64),
            _ => None,
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Whole(whole) => write!(f, "{whole}"),
            Number::Double(double) => write!(f, "{double}"),
        }
    }
}

fn fit<T: TryFrom<i128>>(whole: Option<i128>) -> Option<T> {
    T::try_from(whole?).ok()
}

/// Whether fields of this kind hold numbers.
pub(super) const fn is_number(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::F64 | Kind::I32 | Kind::U32 | Kind::I64 | Kind::U64
    )
}

/// A number that stands in a string.
pub(super) fn parse_number(text: &str, kind: Kind) -> Option<Number> {
    match text {
        "Infinity" if kind == Kind::F64 => Some(Number::Double(f64::INFINITY)),
        "-Infinity" if kind == Kind::F64 => Some(Number::Double(f64::NEG_INFINITY)),
        _ => {
            let number: serde_json::Number = serde_json::from_str(text).ok()?;
            let whole = number.as_i128().map(Number::Whole);
            whole.or_else(|| number.as_f64().map(Number::Double))
        }
    }
}
