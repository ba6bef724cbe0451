//! Figures in sentences.

use crate::draw::Cell;

/// With thousands apart.
pub(super) fn number(value: f64, decimals: usize) -> String {
    Cell::number(value, decimals).shown()
}

/// A count, with thousands apart.
pub(super) fn count(count: usize) -> String {
    Cell::from(count).shown()
}

/// A count and what is counted: the plural unless it is one.
pub(super) fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A part of a whole, in percent; 0 of nothing.
pub(super) fn percent(part: f64, whole: f64) -> f64 {
    if whole > 0.0 {
        100.0 * part / whole
    } else {
        0.0
    }
}

/// The mean; 0 of nothing.
pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}
