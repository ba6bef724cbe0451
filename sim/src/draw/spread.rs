//! How values are spread: a dot for each, the median and a high percentile marked.

use super::sheet::{Axis, INK, MUTED, Mark, Sheet, Side, TEXT, WIDTH, shortened, width_of};
use super::{COLORS, Plot};

/// How values are spread.
#[derive(Clone, Debug)]
pub struct Spread {
    /// From top to bottom.
    pub rows: Vec<Spreading>,
    /// The name of the percentile that is marked: `p90`.
    pub percentile: String,
}

/// The values of one name.
#[derive(Clone, Debug)]
pub struct Spreading {
    /// At the left.
    pub name: String,
    /// All of them.
    pub values: Vec<f64>,
    /// Of these values.
    pub median: f64,
    /// The percentile that is marked.
    pub high: f64,
    /// Written at the right.
    pub note: String,
}

const ROW: f64 = 34.0;

impl Spread {
    pub(super) fn sheet(&self, plot: &Plot) -> Sheet {
        let mut sheet = Sheet::new(plot, 0.0);
        let top = if plot.y.is_empty() { 46.0 } else { 66.0 };
        let legend = [
            ("one try".to_owned(), COLORS[4]),
            ("median".to_owned(), COLORS[0]),
            (self.percentile.clone(), COLORS[5]),
        ];
        let top = sheet.legend(&legend, top);
        let widest = |texts: &mut dyn Iterator<Item = &String>| {
            texts.map(|text| width_of(text, TEXT)).fold(0.0, f64::max)
        };
        let names = widest(&mut self.rows.iter().map(|row| &row.name)).min(240.0);
        let notes = widest(&mut self.rows.iter().map(|row| &row.note)).min(260.0);
        let (left, right) = (16.0 + names + 14.0, WIDTH - notes - 40.0);
        let bottom = top + self.rows.len() as f64 * ROW;
        sheet.height = bottom + 48.0;
        let values = || self.rows.iter().flat_map(|row| row.values.iter().copied());
        let low = values().fold(f64::INFINITY, f64::min).min(1e18);
        let high = values().fold(0.0, f64::max);
        let axis = Axis::round((low, high), (left, right));
        sheet.columns(&axis, (top, bottom), &plot.x);
        for (index, row) in self.rows.iter().enumerate() {
            let y = top + (index as f64 + 0.5) * ROW;
            let name = shortened(&row.name, TEXT, names + 1.0);
            sheet.text(&name, (left - 8.0, y), Side::Right, TEXT, INK);
            sheet.line((left, y), (right, y), MUTED, 0.5);
            for value in &row.values {
                sheet.marks.push(Mark::Dot {
                    at: (axis.at(*value), y),
                    radius: 4.0,
                    color: COLORS[4],
                });
            }
            for (value, color) in [(row.median, COLORS[0]), (row.high, COLORS[5])] {
                let x = axis.at(value);
                sheet.rectangle((x - 1.5, y - 11.0), (x + 1.5, y + 11.0), color);
            }
            let note = shortened(&row.note, TEXT, notes + 1.0);
            sheet.text(&note, (right + 14.0, y), Side::Left, TEXT, INK);
        }
        sheet
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Shape, sheet};
    use super::*;

    #[test]
    fn tries_and_their_marks_have_room() {
        let row = |name: &str, values: &[f64]| Spreading {
            name: name.into(),
            values: values.to_vec(),
            median: values[0],
            high: values[values.len() - 1],
            note: "1,204: 20.9 % saved".into(),
        };
        let spread = Spread {
            rows: vec![row("FGD", &[7.0, 8.0, 9.0]), row("Random", &[11.0])],
            percentile: "90th percentile".into(),
        };
        let plot = Plot {
            title: "Machines".into(),
            x: "machines".into(),
            y: String::new(),
            shape: Shape::Spread(spread.clone()),
        };
        sheet::tests::check(&spread.sheet(&plot));
        assert!(plot.svg().unwrap().contains("20.9 % saved"));
    }
}
