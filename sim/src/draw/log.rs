//! Over logarithmic axes: lines, and bars.

use super::{COLORS, Drawn, FONT, Plot};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// How large these are drawn.
pub(super) const SIZE: (u32, u32) = (900, 480);

/// One line: its name and its points.
#[derive(Clone, Debug)]
pub struct Series {
    /// Shown in the legend.
    pub name: String,
    /// From left to right; all values above 0.
    pub points: Vec<(f64, f64)>,
}

impl Plot {
    pub(super) fn draw_lines<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, Shift>,
        series: &[Series],
    ) -> Drawn
    where
        B::ErrorType: Send + Sync + 'static,
    {
        let points = || series.iter().flat_map(|s| s.points.iter().copied());
        let (x, y) = (range(points().map(|p| p.0))?, range(points().map(|p| p.1))?);
        let mut chart = ChartBuilder::on(area)
            .caption(&self.title, (FONT, 22))
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(80)
            .build_cartesian_2d((x.0..x.1).log_scale(), (y.0..y.1).log_scale())?;
        chart
            .configure_mesh()
            .x_desc(&self.x)
            .y_desc(&self.y)
            .label_style((FONT, 14))
            .axis_desc_style((FONT, 15))
            .light_line_style(WHITE)
            .x_label_formatter(&|value| short(*value))
            .y_label_formatter(&|value| short(*value))
            .draw()?;
        for (index, line) in series.iter().enumerate() {
            let color = COLORS[index % COLORS.len()];
            chart
                .draw_series(LineSeries::new(
                    line.points.iter().copied(),
                    color.stroke_width(2),
                ))?
                .label(&line.name)
                .legend(move |(x, y)| {
                    PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2))
                });
            chart.draw_series(
                line.points
                    .iter()
                    .map(|point| Circle::new(*point, 3, color.filled())),
            )?;
        }
        chart
            .configure_series_labels()
            .position(emptiest_corner(series, x, y))
            .label_font((FONT, 14))
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK.mix(0.3))
            .draw()?;
        Ok(())
    }

    pub(super) fn draw_bars<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, Shift>,
        bars: &[(String, f64)],
    ) -> Drawn
    where
        B::ErrorType: Send + Sync + 'static,
    {
        let x = range(bars.iter().map(|bar| bar.1))?;
        let rows = bars.len();
        let widest = bars.iter().map(|bar| bar.0.len()).max().unwrap_or(0) as u32;
        let mut chart = ChartBuilder::on(area)
            .caption(&self.title, (FONT, 22))
            .margin(12)
            .margin_right(30)
            .x_label_area_size(44)
            .y_label_area_size((widest * 8 + 20).min(380))
            .build_cartesian_2d((x.0..x.1).log_scale(), -0.5..rows as f64 - 0.5)?;
        // Bars are centred on whole numbers, the first on top.
        let name = |at: &f64| {
            let row = (at.fract() == 0.0)
                .then(|| rows.checked_sub(1 + *at as usize))
                .flatten();
            row.map_or(String::new(), |row| bars[row].0.clone())
        };
        chart
            .configure_mesh()
            .disable_y_mesh()
            .y_labels(rows + 2)
            .x_desc(&self.x)
            .label_style((FONT, 14))
            .axis_desc_style((FONT, 15))
            .light_line_style(WHITE)
            .x_label_formatter(&|value| short(*value))
            .y_label_formatter(&name)
            .draw()?;
        let middle = |index: usize| (rows - 1 - index) as f64;
        let owners = owners(bars);
        chart.draw_series(bars.iter().enumerate().map(|(index, (name, value))| {
            let place = owners.iter().position(|known| *known == owner(name));
            let color = COLORS[place.unwrap_or(0) % COLORS.len()];
            let corners = [(x.0, middle(index) - 0.32), (*value, middle(index) + 0.32)];
            Rectangle::new(corners, color.filled())
        }))?;
        chart.draw_series(bars.iter().enumerate().map(|(index, (_, value))| {
            // Behind the bar's end, or inside where it leaves no room.
            let far = (value / x.0).ln() > 0.92 * (x.1 / x.0).ln();
            let (at, color) = if far {
                (x.0 * 1.05, &WHITE)
            } else {
                (value * 1.03, &BLACK)
            };
            let style = TextStyle::from((FONT, 14))
                .color(color)
                .pos(Pos::new(HPos::Left, VPos::Center));
            Text::new(short(*value), (at, middle(index)), style)
        }))?;
        Ok(())
    }
}

/// The corner where a legend hides least of the lines.
fn emptiest_corner(series: &[Series], x: (f64, f64), y: (f64, f64)) -> SeriesLabelPosition {
    /// How much of the plot a legend covers, across and down.
    const COVERED: (f64, f64) = (0.4, 0.4);
    /// How closely lines are looked at.
    const STEPS: u32 = 20;
    let share = |value: f64, (low, high): (f64, f64)| (value / low).ln() / (high / low).ln();
    let mut crowds = [0; 4];
    for pair in series.iter().flat_map(|line| line.points.windows(2)) {
        let [from, to] = [pair[0], pair[1]].map(|point| (share(point.0, x), share(point.1, y)));
        for step in 0..=STEPS {
            let way = f64::from(step) / f64::from(STEPS);
            let (across, up) = (
                from.0 + way * (to.0 - from.0),
                from.1 + way * (to.1 - from.1),
            );
            let (left, right) = (across < COVERED.0, across > 1.0 - COVERED.0);
            let (bottom, top) = (up < COVERED.1, up > 1.0 - COVERED.1);
            let corners = [left && top, right && top, left && bottom, right && bottom];
            for (crowd, is_in) in crowds.iter_mut().zip(corners) {
                *crowd += u32::from(is_in);
            }
        }
    }
    let corners = [
        SeriesLabelPosition::UpperLeft,
        SeriesLabelPosition::UpperRight,
        SeriesLabelPosition::LowerLeft,
        SeriesLabelPosition::LowerRight,
    ];
    let emptiest = crowds
        .into_iter()
        .zip(corners)
        .min_by_key(|(crowd, _)| *crowd);
    emptiest.map_or(SeriesLabelPosition::UpperLeft, |(_, corner)| corner)
}

/// Whose bar it is: what its name says before the first comma. Bars of one owner share a colour.
fn owner(name: &str) -> &str {
    name.split(',').next().unwrap_or(name)
}

/// Everybody, by first appearance; ourselves first, so that we look alike in all plots.
fn owners(bars: &[(String, f64)]) -> Vec<&str> {
    let mut owners = vec!["Tepui"];
    for (name, _) in bars {
        if !owners.contains(&owner(name)) {
            owners.push(owner(name));
        }
    }
    owners
}

/// From a whole power of ten below the least value to one above the greatest.
fn range(values: impl Iterator<Item = f64>) -> Result<(f64, f64), String> {
    let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
    for value in values {
        if value <= 0.0 || !value.is_finite() {
            return Err(format!("{value} has no place on a logarithmic axis"));
        }
        (low, high) = (low.min(value), high.max(value));
    }
    if high == 0.0 {
        return Err("there is nothing to draw".to_owned());
    }
    let low = 10_f64.powf(low.log10().floor());
    Ok((low, 10_f64.powf(high.log10().ceil()).max(low * 10.0)))
}

/// Few digits: `12k`, `0.05`.
fn short(value: f64) -> String {
    match value {
        v if v >= 1e6 => format!("{}M", three_digits(v / 1e6)),
        v if v >= 1e3 => format!("{}k", three_digits(v / 1e3)),
        v => format!("{}", three_digits(v)),
    }
}

fn three_digits(value: f64) -> f64 {
    let step = 10_f64.powf(value.abs().log10().floor() - 2.0);
    // Dividing by a power of ten that is itself exact avoids tails such as 0.30000000000000004.
    if step < 1.0 {
        (value / step).round() / (1.0 / step).round()
    } else {
        (value / step).round() * step
    }
}

#[cfg(test)]
mod tests {
    use super::super::Shape;
    use super::*;

    fn plot(shape: Shape) -> Plot {
        Plot {
            title: "t".into(),
            x: "agents".into(),
            y: "ms".into(),
            shape,
        }
    }

    #[test]
    fn lines_and_bars_are_drawn_with_their_names() {
        let series = Series {
            name: "ours".into(),
            points: vec![(1.0, 2.0), (10.0, 30.0)],
        };
        let svg = plot(Shape::Lines(vec![series])).svg().unwrap();
        assert!(svg.contains("ours") && svg.contains("agents"));
        let svg = plot(Shape::Bars(vec![("a".into(), 2.0), ("b".into(), 30.0)]))
            .svg()
            .unwrap();
        assert!(svg.contains("<rect"));
    }

    #[test]
    fn a_legend_keeps_out_of_the_lines_way() {
        let line = |points| Series {
            name: "n".into(),
            points,
        };
        let whole = (1.0, 100.0);
        let rising = line(vec![(1.0, 1.0), (100.0, 100.0)]);
        let high = line(vec![(1.0, 90.0), (10.0, 90.0)]);
        let corner = emptiest_corner(&[rising, high], whole, whole);
        assert!(matches!(corner, SeriesLabelPosition::LowerRight));
    }

    #[test]
    fn bars_of_one_owner_share_a_colour() {
        let bars = [("etcd, 1", 2.0), ("Tepui, 1", 3.0), ("Tepui, 2", 4.0)];
        let bars: Vec<_> = bars.map(|(name, rate)| (name.to_owned(), rate)).to_vec();
        assert_eq!(owners(&bars), ["Tepui", "etcd"]);
        let svg = plot(Shape::Bars(bars)).svg().unwrap();
        assert_eq!(svg.matches("fill=\"#0072B2\"").count(), 2);
        assert_eq!(svg.matches("fill=\"#E69F00\"").count(), 1);
    }

    #[test]
    fn what_has_no_place_on_the_axis_is_an_error() {
        assert!(plot(Shape::Bars(vec![("a".into(), 0.0)])).svg().is_err());
        assert!(plot(Shape::Bars(vec![])).svg().is_err());
    }
}
