//! Coloured cells: the darker, the more.

use super::sheet::{INK, MUTED, ON_DARK, ON_LIGHT, Sheet, Side, TEXT, WIDTH, shortened, width_of};
use super::{Cell, Plot};
use plotters::style::RGBColor;

/// From nothing to all: light to dark, so that it can be told apart without colours too (after
/// Harrower and Brewer, "ColorBrewer.org", 2003: YlOrBr).
const RAMP: [RGBColor; 6] = [
    RGBColor(255, 255, 229),
    RGBColor(254, 227, 145),
    RGBColor(254, 153, 41),
    RGBColor(217, 95, 14),
    RGBColor(153, 52, 4),
    RGBColor(84, 22, 4),
];

/// Where there is nothing to measure.
const NOTHING: RGBColor = RGBColor(236, 236, 238);

/// Coloured cells.
#[derive(Clone, Debug)]
pub struct Heat {
    /// Names at the left.
    pub rows: Vec<String>,
    /// Names on top, where cells are wide enough for them; else their number is told by `x`.
    pub columns: Vec<String>,
    /// Row by row, from 0 to 1; nothing where there is nothing to measure.
    pub cells: Vec<Vec<Option<f64>>>,
    /// What the darkest colour means.
    pub most: String,
}

fn color(share: f64) -> RGBColor {
    let last = RAMP.len() - 1;
    let at = share.clamp(0.0, 1.0) * last as f64;
    let step = (at.floor() as usize).min(last - 1);
    let (RGBColor(r0, g0, b0), RGBColor(r1, g1, b1)) = (RAMP[step], RAMP[step + 1]);
    let part = at - step as f64;
    let mix = |from: u8, to: u8| (f64::from(from) + part * (f64::from(to) - f64::from(from))) as u8;
    RGBColor(mix(r0, r1), mix(g0, g1), mix(b0, b1))
}

impl Heat {
    /// Whether cells are wide enough for text.
    fn is_wide(&self) -> bool {
        self.columns.len() <= 12
    }

    pub(super) fn sheet(&self, plot: &Plot) -> Sheet {
        let mut sheet = Sheet::new(plot, 0.0);
        let top = self.legend(&mut sheet, if plot.y.is_empty() { 46.0 } else { 68.0 });
        let widest = self.rows.iter().map(|row| width_of(row, TEXT));
        let widest = widest.fold(0.0_f64, f64::max).min(260.0);
        let left = 16.0 + widest + 12.0;
        let row_height = if self.is_wide() { 24.0 } else { 34.0 };
        let names = if self.is_wide() { 22.0 } else { 0.0 };
        let top = top + names;
        let wide = (WIDTH - 24.0 - left) / self.columns.len().max(1) as f64;
        let wide = wide.min(130.0);
        for (index, (name, cells)) in self.rows.iter().zip(&self.cells).enumerate() {
            let y = top + index as f64 * row_height;
            let middle = y + row_height / 2.0;
            let name = shortened(name, TEXT, widest + 1.0);
            sheet.text(&name, (left - 8.0, middle), Side::Right, TEXT, INK);
            self.row(&mut sheet, cells, (left, y), (wide, row_height - 2.0));
        }
        if self.is_wide() {
            for (index, name) in self.columns.iter().enumerate() {
                let name = shortened(name, TEXT, wide - 4.0);
                let x = left + (index as f64 + 0.5) * wide;
                sheet.text(&name, (x, top - 11.0), Side::Middle, TEXT, INK);
            }
        }
        let bottom = top + self.rows.len() as f64 * row_height;
        let middle = left + self.columns.len() as f64 * wide / 2.0;
        let half = (middle - 16.0).min(WIDTH - 16.0 - middle);
        let x = shortened(&plot.x, TEXT, 2.0 * half);
        sheet.text(&x, (middle, bottom + 14.0), Side::Middle, TEXT, MUTED);
        sheet.height = bottom + if plot.x.is_empty() { 16.0 } else { 34.0 };
        sheet
    }

    /// Cells of one row; neighbours of one colour become one.
    fn row(
        &self,
        sheet: &mut Sheet,
        cells: &[Option<f64>],
        (left, top): (f64, f64),
        (wide, high): (f64, f64),
    ) {
        let colors: Vec<RGBColor> = cells.iter().map(|c| c.map_or(NOTHING, color)).collect();
        let gap = if self.is_wide() { 2.0 } else { 0.0 };
        let mut begin = 0;
        while begin < colors.len() {
            let same = colors[begin..].iter().take_while(|c| **c == colors[begin]);
            let end = if self.is_wide() {
                begin + 1
            } else {
                begin + same.count()
            };
            let from = (left + begin as f64 * wide, top);
            let to = (left + end as f64 * wide - gap, top + high);
            sheet.rectangle(from, to, colors[begin]);
            begin = end;
        }
        if !self.is_wide() {
            return;
        }
        for (index, cell) in cells.iter().enumerate() {
            let text = match cell {
                Some(share) => Cell::number(100.0 * share, 0).shown() + " %",
                None => "–".to_owned(),
            };
            let dark = cell.is_some_and(|share| share > 0.5);
            let at = (left + (index as f64 + 0.5) * wide - 1.0, top + high / 2.0);
            let text_color = if dark { ON_DARK } else { ON_LIGHT };
            sheet.text(&text, at, Side::Middle, TEXT - 0.5, text_color);
        }
    }

    /// The ramp with its ends named; the height under it.
    fn legend(&self, sheet: &mut Sheet, top: f64) -> f64 {
        const STEPS: u32 = 24;
        sheet.text("0 %", (16.0, top), Side::Left, TEXT, MUTED);
        let left = 16.0 + width_of("0 %", TEXT) + 8.0;
        for step in 0..STEPS {
            let share = f64::from(step) / f64::from(STEPS - 1);
            let x = left + 6.0 * f64::from(step);
            sheet.rectangle((x, top - 6.0), (x + 6.0, top + 6.0), color(share));
        }
        let right = left + 6.0 * f64::from(STEPS) + 8.0;
        sheet.text(&self.most, (right, top), Side::Left, TEXT, MUTED);
        if self.cells.iter().flatten().any(Option::is_none) {
            let x = right + width_of(&self.most, TEXT) + 24.0;
            sheet.rectangle((x, top - 6.0), (x + 12.0, top + 6.0), NOTHING);
            let text = "there is none";
            sheet.text(text, (x + 18.0, top), Side::Left, TEXT, MUTED);
        }
        top + 20.0
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Shape, sheet};
    use super::*;

    fn plot(heat: &Heat) -> Plot {
        Plot {
            title: "What is idle".into(),
            x: "machines".into(),
            y: "share".into(),
            shape: Shape::Heat(heat.clone()),
        }
    }

    #[test]
    fn few_cells_say_their_values() {
        let heat = Heat {
            rows: vec!["rack r1".into(), "rack r2".into()],
            columns: vec!["cpus".into(), "GPUs".into()],
            cells: vec![vec![Some(0.25), Some(1.0)], vec![None, Some(0.0)]],
            most: "100 %".into(),
        };
        let plot = plot(&heat);
        sheet::tests::check(&heat.sheet(&plot));
        let svg = plot.svg().unwrap();
        assert!(svg.contains("25 %") && svg.contains("there is none"));
    }

    #[test]
    fn many_cells_of_one_colour_become_one() {
        let heat = Heat {
            rows: vec!["cpus".into()],
            columns: vec![String::new(); 300],
            cells: vec![vec![Some(0.5); 300]],
            most: "100 %".into(),
        };
        let drawn = heat.sheet(&plot(&heat));
        sheet::tests::check(&drawn);
        assert!(drawn.marks.len() < 40);
    }

    #[test]
    fn colours_grow_darker() {
        let light = |share: f64| {
            let RGBColor(red, green, blue) = color(share);
            u32::from(red) + u32::from(green) + u32::from(blue)
        };
        assert!((0..10).all(|n| light(f64::from(n) / 10.0) > light(f64::from(n + 1) / 10.0)));
    }
}
