//! Lines over plain axes, each named where it ends.

use super::sheet::{Axis, GRID, INK, MUTED, Mark, Sheet, Side, TEXT, WIDTH, shortened, width_of};
use super::{COLORS, Plot};
use plotters::style::RGBColor;

const HEIGHT: f64 = 460.0;
/// Between names at the lines' ends.
const NAME_HEIGHT: f64 = 17.0;
/// The longest name's share of the plot.
const NAME_WIDTH_MAX: f64 = 220.0;

/// One line.
#[derive(Clone, Debug)]
pub struct Curve {
    /// Written at its end.
    pub name: String,
    /// Which of the colours; a number keeps its colour in all plots. Those of the second round are
    /// dashed.
    pub color: usize,
    /// From left to right: where, and how much.
    pub points: Vec<(f64, f64)>,
    /// How low and how high it went at each point; empty where that is not known.
    pub band: Vec<(f64, f64)>,
}

/// Lines over plain axes.
#[derive(Clone, Debug)]
pub struct Curves {
    /// All of them.
    pub curves: Vec<Curve>,
    /// Whether the vertical axis begins at 0.
    pub from_zero: bool,
    /// A line that is no result: its name and its points.
    pub guide: Option<(String, Vec<(f64, f64)>)>,
}

fn color(curve: &Curve) -> RGBColor {
    COLORS[curve.color % COLORS.len()]
}

fn span(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let span = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    if span.0.is_finite() { span } else { (0.0, 1.0) }
}

impl Curves {
    pub(super) fn sheet(&self, plot: &Plot) -> Sheet {
        let mut sheet = Sheet::new(plot, HEIGHT);
        let names = self.curves.iter().map(|curve| width_of(&curve.name, TEXT));
        let widest = names.fold(0.0_f64, f64::max).min(NAME_WIDTH_MAX);
        let points = || self.curves.iter().flat_map(|curve| curve.points.iter());
        let (left, right) = (62.0, WIDTH - widest - 58.0);
        let (top, bottom) = (66.0, HEIGHT - 48.0);
        let across = span(points().map(|point| point.0));
        let across = Axis {
            low: across.0,
            high: if across.1 > across.0 {
                across.1
            } else {
                across.0 + 1.0
            },
            from: left,
            to: right,
        };
        let bands = self.curves.iter().flat_map(|curve| &curve.band);
        let bounds = bands.flat_map(|(low, high)| [*low, *high]);
        let mut up = span(points().map(|point| point.1).chain(bounds));
        if self.from_zero {
            up.0 = up.0.min(0.0);
        }
        let up = Axis::round(up, (bottom, top));
        for value in up.ticks() {
            let y = up.at(value);
            sheet.line((left, y), (right, y), GRID, 1.0);
            let text = up.text(value);
            sheet.text(&text, (left - 8.0, y), Side::Right, TEXT, MUTED);
        }
        sheet.columns(&across, (top, bottom), &plot.x);
        self.draw_guide(&mut sheet, &across, &up);
        for curve in &self.curves {
            let at = |(x, y): (f64, f64)| (across.at(x), up.at(y));
            let bounds = || curve.points.iter().zip(&curve.band);
            let highs = bounds().map(|(point, band)| at((point.0, band.1)));
            let lows = bounds().rev().map(|(point, band)| at((point.0, band.0)));
            if !curve.band.is_empty() {
                sheet.marks.push(Mark::Area {
                    corners: highs.chain(lows).collect(),
                    color: color(curve),
                });
            }
        }
        for curve in &self.curves {
            let points = curve.points.iter();
            sheet.marks.push(Mark::Line {
                points: points.map(|(x, y)| (across.at(*x), up.at(*y))).collect(),
                color: color(curve),
                width: 2.0,
                dashed: curve.color >= COLORS.len(),
            });
        }
        self.name(&mut sheet, (&across, &up), widest);
        sheet
    }

    fn draw_guide(&self, sheet: &mut Sheet, across: &Axis, up: &Axis) {
        let Some((name, points)) = &self.guide else {
            return;
        };
        let inside = |(x, y): &&(f64, f64)| {
            (across.low..=across.high).contains(x) && (up.low..=up.high).contains(y)
        };
        let points: Vec<_> = points.iter().filter(inside).collect();
        let points: Vec<_> = points
            .iter()
            .map(|(x, y)| (across.at(*x), up.at(*y)))
            .collect();
        let Some(last) = points.last() else {
            return;
        };
        // Left of the line is where no result can be.
        sheet.text(
            name,
            (last.0 - 12.0, last.1 + 9.0),
            Side::Right,
            TEXT,
            MUTED,
        );
        sheet.marks.push(Mark::Line {
            points,
            color: MUTED,
            width: 1.0,
            dashed: true,
        });
    }

    /// Writes each name at its line's end, as near as names have room.
    fn name(&self, sheet: &mut Sheet, (across, up): (&Axis, &Axis), widest: f64) {
        let ends = self.curves.iter().enumerate();
        let ends = ends.filter_map(|(index, curve)| Some((curve.points.last()?, index)));
        let mut ends: Vec<(f64, usize)> = ends.map(|(end, index)| (up.at(end.1), index)).collect();
        ends.sort_by(|left, right| left.0.total_cmp(&right.0).then(left.1.cmp(&right.1)));
        let wanted: Vec<f64> = ends.iter().map(|(y, _)| *y).collect();
        let places = spread(&wanted, NAME_HEIGHT, (up.to, up.from));
        for ((y, index), place) in ends.iter().zip(places) {
            let curve = &self.curves[*index];
            let end = across.to;
            let mark = |points, dashed, width| Mark::Line {
                points,
                color: color(curve),
                width,
                dashed,
            };
            let link = vec![(end + 3.0, *y), (end + 18.0, place)];
            sheet.marks.push(mark(link, false, 0.75));
            let sample = vec![(end + 18.0, place), (end + 40.0, place)];
            sheet
                .marks
                .push(mark(sample, curve.color >= COLORS.len(), 2.5));
            let name = shortened(&curve.name, TEXT, widest + 1.0);
            sheet.text(&name, (end + 45.0, place), Side::Left, TEXT, INK);
        }
    }
}

/// Places for labels that want to be at `wanted`, from top to bottom, none nearer to the next than
/// `apart`, within bounds as long as there is room.
fn spread(wanted: &[f64], apart: f64, (top, bottom): (f64, f64)) -> Vec<f64> {
    /// Labels that touch each other, and move together.
    struct Block {
        /// The sum of where each would have the block begin.
        sum: f64,
        count: usize,
    }
    let length = |block: &Block| apart * (block.count as f64 - 1.0);
    let begin = |block: &Block| {
        let middle = block.sum / block.count as f64;
        middle.min(bottom - length(block)).max(top)
    };
    let mut blocks: Vec<Block> = Vec::new();
    for at in wanted {
        blocks.push(Block { sum: *at, count: 1 });
        while let [.., above, below] = blocks.as_slice() {
            let next = begin(above) + length(above) + apart;
            if begin(below) >= next {
                break;
            }
            let shift = above.count as f64 * apart;
            let sum = above.sum + below.sum - shift * below.count as f64;
            let count = above.count + below.count;
            blocks.truncate(blocks.len() - 2);
            blocks.push(Block { sum, count });
        }
    }
    let places = blocks.iter().flat_map(|block| {
        let begin = begin(block);
        (0..block.count).map(move |index| begin + apart * index as f64)
    });
    places.collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Shape, sheet};
    use super::*;

    #[test]
    fn labels_keep_apart_and_inside() {
        assert_eq!(spread(&[10.0, 50.0], 5.0, (0.0, 100.0)), [10.0, 50.0]);
        assert_eq!(spread(&[10.0, 10.0], 4.0, (0.0, 100.0)), [8.0, 12.0]);
        let places = spread(&[98.0, 99.0, 99.5], 10.0, (0.0, 100.0));
        assert_eq!(places, [80.0, 90.0, 100.0]);
        let places = spread(&[0.0, 1.0, 12.0], 10.0, (0.0, 100.0));
        assert_eq!(places, [0.0, 10.0, 20.0]);
    }

    #[test]
    fn ten_lines_that_end_together_are_all_named() {
        let curve = |color: usize| Curve {
            name: format!("policy number {color}"),
            color,
            points: vec![(0.0, 0.0), (130.0, 90.0 + color as f64 / 10.0)],
            band: vec![(0.0, 0.0), (89.0, 92.0)],
        };
        let curves = Curves {
            curves: (0..10).map(curve).collect(),
            from_zero: true,
            guide: Some(("all that arrived".into(), vec![(0.0, 0.0), (80.0, 80.0)])),
        };
        let plot = Plot {
            title: "Allocated".into(),
            x: "load, %".into(),
            y: "GPUs, %".into(),
            shape: Shape::Curves(curves.clone()),
        };
        sheet::tests::check(&curves.sheet(&plot));
        let svg = plot.svg().unwrap();
        assert!((0..10).all(|n| svg.contains(&format!("policy number {n}"))));
    }
}
