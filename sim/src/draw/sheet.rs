//! What a plot is laid out on: marks at places, in units that are half a pixel wide at least.

use super::{Drawn, FONT, Plot};
use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontStyle, register_font};
use std::sync::Once;

/// All plots are that wide.
pub(super) const WIDTH: f64 = 900.0;

/// Pixels of a unit: pictures stay sharp where they are shown larger.
const SCALE: f64 = 2.0;

/// Text and lines that matter. Pages show it light where they are dark.
pub(super) const INK: RGBColor = RGBColor(31, 31, 31);
/// What only helps to read.
pub(super) const MUTED: RGBColor = RGBColor(95, 95, 95);
/// Grids.
pub(super) const GRID: RGBColor = RGBColor(222, 222, 222);
/// Inside of bars and cells; these keep their colours in the dark, and so does this.
pub(super) const ON_DARK: RGBColor = RGBColor(254, 254, 254);
/// The same on light cells.
pub(super) const ON_LIGHT: RGBColor = RGBColor(30, 30, 31);

/// Font sizes.
pub(super) const TITLE: f64 = 17.0;
pub(super) const TEXT: f64 = 12.5;

/// Which of its sides text is held by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Middle,
    Right,
}

/// One thing that is drawn.
#[derive(Clone, Debug)]
pub(super) enum Mark {
    Line {
        points: Vec<(f64, f64)>,
        color: RGBColor,
        width: f64,
        dashed: bool,
    },
    Area {
        corners: Vec<(f64, f64)>,
        color: RGBColor,
    },
    Box {
        from: (f64, f64),
        to: (f64, f64),
        color: RGBColor,
    },
    Dot {
        at: (f64, f64),
        radius: f64,
        color: RGBColor,
    },
    /// Its middle is as high as `at`.
    Text {
        text: String,
        at: (f64, f64),
        side: Side,
        size: f64,
        color: RGBColor,
    },
}

/// A plot's marks.
#[derive(Clone, Debug)]
pub(super) struct Sheet {
    pub(super) height: f64,
    pub(super) marks: Vec<Mark>,
}

/// Makes the one font known with which everything is measured and drawn.
pub(super) fn register_fonts() {
    static FONTS: Once = Once::new();
    FONTS.call_once(|| {
        // A second registration of the same bytes would be harmless; failing is a bug.
        assert!(register_font(FONT, FontStyle::Normal, dejavu::sans::regular()).is_ok());
    });
}

/// How wide a text is, in units.
pub(super) fn width_of(text: &str, size: f64) -> f64 {
    register_fonts();
    let size = size * SCALE;
    match (FONT, size).into_font().box_size(text) {
        Ok((width, _)) => f64::from(width) / SCALE,
        // Without a font nobody can measure: a letter is about half as wide as high.
        Err(_) => 0.6 * size / SCALE * text.chars().count() as f64,
    }
}

/// A text that is not wider than that: its end is cut off.
pub(super) fn shortened(text: &str, size: f64, width: f64) -> String {
    if width_of(text, size) <= width {
        return text.to_owned();
    }
    let mut kept: Vec<char> = text.chars().collect();
    while kept.pop().is_some() {
        let short = kept.iter().collect::<String>() + "…";
        if width_of(&short, size) <= width {
            return short;
        }
    }
    String::new()
}

impl Sheet {
    /// With the title of a plot on top, and what its vertical axis means under it.
    pub(super) fn new(plot: &Plot, height: f64) -> Sheet {
        let mut sheet = Sheet {
            height,
            marks: Vec::new(),
        };
        let title = shortened(&plot.title, TITLE, WIDTH - 32.0);
        sheet.text(&title, (16.0, 22.0), Side::Left, TITLE, INK);
        let y = shortened(&plot.y, TEXT, WIDTH - 32.0);
        sheet.text(&y, (16.0, 44.0), Side::Left, TEXT, MUTED);
        sheet
    }

    pub(super) fn text(
        &mut self,
        text: &str,
        at: (f64, f64),
        side: Side,
        size: f64,
        color: RGBColor,
    ) {
        if text.is_empty() {
            return;
        }
        self.marks.push(Mark::Text {
            text: text.to_owned(),
            at,
            side,
            size,
            color,
        });
    }

    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), color: RGBColor, width: f64) {
        self.marks.push(Mark::Line {
            points: vec![from, to],
            color,
            width,
            dashed: false,
        });
    }

    pub(super) fn rectangle(&mut self, from: (f64, f64), to: (f64, f64), color: RGBColor) {
        self.marks.push(Mark::Box { from, to, color });
    }

    /// Coloured squares with names, from left to right, on as many lines as it takes; the height
    /// under them.
    pub(super) fn legend(&mut self, names: &[(String, RGBColor)], top: f64) -> f64 {
        let (mut x, mut y) = (16.0, top);
        for (name, color) in names {
            let wide = 20.0 + width_of(name, TEXT) + 22.0;
            if x > 16.0 && x + wide > WIDTH {
                (x, y) = (16.0, y + 20.0);
            }
            self.rectangle((x, y - 6.0), (x + 12.0, y + 6.0), *color);
            self.text(name, (x + 18.0, y), Side::Left, TEXT, INK);
            x += wide;
        }
        y + 18.0
    }

    /// A vertical line for each value of a horizontal axis, the value under it.
    pub(super) fn columns(&mut self, axis: &Axis, (top, bottom): (f64, f64), name: &str) {
        for value in axis.ticks() {
            let x = axis.at(value);
            self.line((x, top), (x, bottom), GRID, 1.0);
            let text = axis.text(value);
            self.text(&text, (x, bottom + 13.0), Side::Middle, TEXT, MUTED);
        }
        let middle = f64::midpoint(axis.from, axis.to);
        self.text(name, (middle, bottom + 33.0), Side::Middle, TEXT, MUTED);
    }

    /// How large it becomes.
    pub(super) fn pixels(&self) -> (u32, u32) {
        ((WIDTH * SCALE) as u32, (self.height * SCALE).ceil() as u32)
    }

    /// Draws all of it.
    pub(super) fn render<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Drawn
    where
        B::ErrorType: Send + Sync + 'static,
    {
        let px = |value: f64| (value * SCALE).round() as i32;
        let at = |(x, y): (f64, f64)| (px(x), px(y));
        for mark in &self.marks {
            match mark {
                Mark::Line {
                    points,
                    color,
                    width,
                    dashed,
                } => {
                    let points = points.iter().map(|point| at(*point));
                    let style = color.stroke_width(px(*width) as u32);
                    if *dashed {
                        area.draw(&DashedPathElement::new(points, 14, 7, style))?;
                    } else {
                        area.draw(&PathElement::new(points.collect::<Vec<_>>(), style))?;
                    }
                }
                Mark::Area { corners, color } => {
                    let corners: Vec<_> = corners.iter().map(|corner| at(*corner)).collect();
                    area.draw(&Polygon::new(corners, color.mix(0.14)))?;
                }
                Mark::Box { from, to, color } => {
                    area.draw(&Rectangle::new([at(*from), at(*to)], color.filled()))?;
                }
                Mark::Dot {
                    at: middle,
                    radius,
                    color,
                } => area.draw(&Circle::new(at(*middle), px(*radius), color.filled()))?,
                Mark::Text {
                    text,
                    at: place,
                    side,
                    size,
                    color,
                } => {
                    let side = match side {
                        Side::Left => HPos::Left,
                        Side::Middle => HPos::Center,
                        Side::Right => HPos::Right,
                    };
                    let style = TextStyle::from((FONT, size * SCALE))
                        .color(color)
                        .pos(Pos::new(side, VPos::Center));
                    area.draw(&Text::new(text.as_str(), at(*place), style))?;
                }
            }
        }
        Ok(())
    }
}

/// A plain axis.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    /// The values at its two ends.
    pub(super) low: f64,
    pub(super) high: f64,
    /// Where these are drawn.
    pub(super) from: f64,
    pub(super) to: f64,
}

impl Axis {
    /// From a round number to a round number.
    pub(super) fn round((low, high): (f64, f64), (from, to): (f64, f64)) -> Axis {
        let high = if high > low { high } else { low + 1.0 };
        let step = step((high - low) / 5.0);
        Axis {
            low: (low / step).floor() * step,
            high: (high / step).ceil() * step,
            from,
            to,
        }
    }

    /// Where a value is drawn.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        self.from + share * (self.to - self.from)
    }

    fn step(&self) -> f64 {
        step((self.high - self.low) / 5.0)
    }

    /// Round values on it.
    pub(super) fn ticks(&self) -> Vec<f64> {
        let step = self.step();
        let first = (self.low / step - 1e-9).ceil() as i64;
        let last = (self.high / step + 1e-9).floor() as i64;
        (first..=last).map(|tick| tick as f64 * step).collect()
    }

    /// A value as it is written beside it.
    pub(super) fn text(&self, value: f64) -> String {
        let decimals = (-self.step().log10().floor()).max(0.0) as usize;
        super::Cell::number(value, decimals).shown()
    }
}

/// 1, 2 or 5 times a power of ten: the least that is not less.
fn step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let times = [1.0, 2.0, 5.0, 10.0];
    let times = times.into_iter().find(|t| t * power >= least * 0.999_999);
    power * times.unwrap_or(10.0)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Fails when a text leaves the sheet or lies over another.
    pub(in super::super) fn check(sheet: &Sheet) {
        let mut boxes: Vec<(&str, [f64; 4])> = Vec::new();
        for mark in &sheet.marks {
            let Mark::Text {
                text,
                at,
                side,
                size,
                ..
            } = mark
            else {
                continue;
            };
            let wide = width_of(text, *size);
            let left = match side {
                Side::Left => at.0,
                Side::Middle => at.0 - wide / 2.0,
                Side::Right => at.0 - wide,
            };
            // Letters are about 0.8 of the font's size high.
            let own = [left, at.1 - 0.4 * size, left + wide, at.1 + 0.4 * size];
            let inside =
                own[0] >= 0.0 && own[1] >= 0.0 && own[2] <= WIDTH && own[3] <= sheet.height;
            assert!(inside, "{text:?} is cut off: {own:?}");
            for (other, place) in &boxes {
                let apart = own[0] >= place[2]
                    || own[2] <= place[0]
                    || own[1] >= place[3]
                    || own[3] <= place[1];
                assert!(apart, "{text:?} {own:?} lies over {other:?} {place:?}");
            }
            boxes.push((text, own));
        }
    }

    #[test]
    fn axes_have_round_values() {
        let axis = Axis::round((3.0, 97.0), (0.0, 100.0));
        assert_eq!((axis.low, axis.high), (0.0, 100.0));
        assert_eq!(axis.ticks(), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        assert_eq!(axis.text(20.0), "20");
        assert!((axis.at(50.0) - 50.0).abs() < 1e-9);
        let axis = Axis::round((0.0, 0.3), (0.0, 1.0));
        assert_eq!(axis.text(axis.ticks()[1]), "0.1");
        let axis = Axis::round((5.0, 5.0), (0.0, 1.0));
        assert!(axis.ticks().len() > 2);
    }

    #[test]
    fn text_is_cut_to_what_there_is_room_for() {
        assert_eq!(shortened("short", TEXT, 500.0), "short");
        let cut = shortened("a very long name of something", TEXT, 60.0);
        assert!(cut.ends_with('…') && width_of(&cut, TEXT) <= 60.0);
    }
}
