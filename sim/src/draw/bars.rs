//! Bars that lie: several beside each other for each name, or one of several parts.

use super::sheet::{
    Axis, GRID, INK, MUTED, ON_DARK, ON_LIGHT, Sheet, Side, TEXT, WIDTH, shortened, width_of,
};
use super::{COLORS, Cell, Plot};
use plotters::style::RGBColor;

/// The widest that names at the left may be.
const NAME_WIDTH_MAX: f64 = 330.0;

/// A name and its values.
#[derive(Clone, Debug)]
pub struct Row {
    /// At the left.
    pub name: String,
    /// One for each kind; none is negative.
    pub values: Vec<f64>,
}

/// Bars beside each other: for each row one of each kind.
#[derive(Clone, Debug)]
pub struct Groups {
    /// What the bars of a row are; a legend names them where there are several.
    pub kinds: Vec<String>,
    /// From top to bottom.
    pub rows: Vec<Row>,
    /// Digits after the point of the values that are written.
    pub decimals: usize,
}

/// One bar for each row, of several parts.
#[derive(Clone, Debug)]
pub struct Stacks {
    /// What the parts are.
    pub kinds: Vec<String>,
    /// From top to bottom.
    pub rows: Vec<Row>,
    /// Digits after the point of the values that are written.
    pub decimals: usize,
    /// Whether all bars are equally long: parts of a hundred.
    pub shares: bool,
}

/// A legend, names at the left, and an axis: all that both kinds have.
struct Frame {
    sheet: Sheet,
    top: f64,
    axis: Axis,
}

fn frame(plot: &Plot, kinds: &[String], rows: &[Row], row_height: f64, high: f64) -> Frame {
    let names: Vec<_> = kinds
        .iter()
        .enumerate()
        .map(|(index, kind)| (kind.clone(), COLORS[index % COLORS.len()]))
        .collect();
    let mut sheet = Sheet::new(plot, 0.0);
    let mut top = if plot.y.is_empty() { 46.0 } else { 66.0 };
    if kinds.len() > 1 {
        top = sheet.legend(&names, top);
    } else {
        top -= 6.0;
    }
    let wide = rows.iter().map(|row| width_of(&row.name, TEXT));
    let wide = wide.fold(0.0_f64, f64::max).min(NAME_WIDTH_MAX);
    let left = 16.0 + wide + 10.0;
    let bottom = top + rows.len() as f64 * row_height;
    sheet.height = bottom + 48.0;
    let axis = Axis::round((0.0, high), (left, WIDTH - 76.0));
    sheet.columns(&axis, (top, bottom), &plot.x);
    for (index, row) in rows.iter().enumerate() {
        let y = top + (index as f64 + 0.5) * row_height;
        let name = shortened(&row.name, TEXT, wide + 1.0);
        sheet.text(&name, (left - 8.0, y), Side::Right, TEXT, INK);
    }
    sheet.line((left, top), (left, bottom), MUTED, 1.0);
    Frame { sheet, top, axis }
}

/// Black or white, whichever is easier to read on a colour.
fn on(color: RGBColor) -> RGBColor {
    let RGBColor(red, green, blue) = color;
    let light = 299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue);
    if light > 128_000 { ON_LIGHT } else { ON_DARK }
}

impl Groups {
    pub(super) fn sheet(&self, plot: &Plot) -> Sheet {
        const BAR: f64 = 15.0;
        let row_height = self.kinds.len() as f64 * BAR + 9.0;
        let values = self.rows.iter().flat_map(|row| row.values.iter().copied());
        let high = values.fold(0.0, f64::max);
        let Frame {
            mut sheet,
            top,
            axis,
        } = frame(plot, &self.kinds, &self.rows, row_height, high);
        for (index, row) in self.rows.iter().enumerate() {
            let y = top + index as f64 * row_height + 4.5;
            for (kind, value) in row.values.iter().enumerate() {
                let from = (axis.from, y + kind as f64 * BAR);
                let to = (axis.at(*value), from.1 + BAR - 1.5);
                sheet.rectangle(from, to, COLORS[kind % COLORS.len()]);
                let text = Cell::number(*value, self.decimals).shown();
                let at = (to.0 + 5.0, from.1 + BAR / 2.0 - 0.5);
                sheet.text(&text, at, Side::Left, TEXT - 1.5, INK);
            }
        }
        sheet
    }
}

impl Stacks {
    pub(super) fn sheet(&self, plot: &Plot) -> Sheet {
        const BAR: f64 = 20.0;
        let sums: Vec<f64> = self
            .rows
            .iter()
            .map(|row| row.values.iter().sum())
            .collect();
        let high = match self.shares {
            true => 100.0,
            false => sums.iter().copied().fold(0.0, f64::max),
        };
        let Frame {
            mut sheet,
            top,
            axis,
        } = frame(plot, &self.kinds, &self.rows, BAR + 8.0, high);
        for (index, (row, sum)) in self.rows.iter().zip(&sums).enumerate() {
            let y = top + index as f64 * (BAR + 8.0) + 4.0;
            let scale = if self.shares && *sum > 0.0 {
                100.0 / sum
            } else {
                1.0
            };
            let mut before = 0.0;
            for (kind, value) in row.values.iter().enumerate() {
                let color = COLORS[kind % COLORS.len()];
                let (from, to) = (axis.at(before), axis.at(before + value * scale));
                before += value * scale;
                if to - from < 0.5 {
                    continue;
                }
                sheet.rectangle((from, y), (to, y + BAR), color);
                sheet.line((to, y), (to, y + BAR), ON_DARK, 0.5);
                let text = Cell::number(*value, self.decimals).shown();
                if width_of(&text, TEXT - 1.5) + 6.0 < to - from {
                    let at = (f64::midpoint(from, to), y + BAR / 2.0);
                    sheet.text(&text, at, Side::Middle, TEXT - 1.5, on(color));
                }
            }
            let text = Cell::number(*sum, self.decimals).shown();
            let at = (axis.at(before) + 6.0, y + BAR / 2.0);
            sheet.text(&text, at, Side::Left, TEXT - 1.5, INK);
        }
        sheet.line(
            (axis.from, top),
            (axis.to, top),
            GRID,
            if self.rows.is_empty() { 1.0 } else { 0.5 },
        );
        sheet
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Shape, sheet};
    use super::*;

    fn rows() -> Vec<Row> {
        let row = |name: &str, values: [f64; 3]| Row {
            name: name.into(),
            values: values.to_vec(),
        };
        vec![
            row("a", [1.0, 0.0, 5000.0]),
            row(&"a name that goes on and on ".repeat(4), [0.0, 0.0, 0.0]),
            row("b", [1200.0, 900.0, 1.0]),
        ]
    }

    fn plot(shape: Shape) -> Plot {
        Plot {
            title: "What fits".into(),
            x: "tasks".into(),
            y: String::new(),
            shape,
        }
    }

    fn kinds() -> Vec<String> {
        ["really", "by the totals", "by the moon"]
            .map(String::from)
            .to_vec()
    }

    #[test]
    fn bars_and_their_values_have_room() {
        let groups = Groups {
            kinds: kinds(),
            rows: rows(),
            decimals: 0,
        };
        let plot = plot(Shape::Groups(groups.clone()));
        sheet::tests::check(&groups.sheet(&plot));
        let svg = plot.svg().unwrap();
        assert!(svg.contains("5,000") && svg.contains("by the totals"));
    }

    #[test]
    fn parts_add_up() {
        for shares in [false, true] {
            let stacks = Stacks {
                kinds: kinds(),
                rows: rows(),
                decimals: 1,
                shares,
            };
            let plot = plot(Shape::Stacks(stacks.clone()));
            sheet::tests::check(&stacks.sheet(&plot));
            assert!(plot.svg().unwrap().contains("2,101.0"));
        }
    }
}
