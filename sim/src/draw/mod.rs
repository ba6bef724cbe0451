//! Draws plots, sets tables and makes pages, for all reports that people read.
//!
//! A plot is laid out once, and rendered as SVG for pages and as PNG for everything else. Nothing
//! here knows what the figures mean.

mod bars;
mod curves;
mod heat;
mod log;
mod page;
mod sheet;
mod spread;
mod table;

pub use bars::{Groups, Row, Stacks};
pub use curves::{Curve, Curves};
pub use heat::Heat;
pub use log::Series;
pub use page::{Page, escape};
pub use spread::{Spread, Spreading};
pub use table::{Cell, Table};

use plotters::coord::Shift;
use plotters::prelude::{
    BitMapBackend, DrawingArea, DrawingBackend, IntoDrawingArea, RGBColor, SVGBackend, WHITE,
};
use sheet::Sheet;
use std::error::Error;
use std::path::Path;

const FONT: &str = "sans-serif";

/// Told apart also by those who see few colours (Okabe and Ito).
const COLORS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(213, 94, 0),
    RGBColor(90, 90, 90),
];

/// What is drawn.
#[derive(Clone, Debug)]
pub enum Shape {
    /// Both axes logarithmic.
    Lines(Vec<Series>),
    /// One bar for each name, over a logarithmic axis.
    Bars(Vec<(String, f64)>),
    /// Lines over plain axes, named at their ends.
    Curves(Curves),
    /// Bars side by side.
    Groups(Groups),
    /// Bars of several parts.
    Stacks(Stacks),
    /// How values are spread.
    Spread(Spread),
    /// Coloured cells.
    Heat(Heat),
}

/// A plot, ready to be drawn as SVG or PNG.
#[derive(Clone, Debug)]
pub struct Plot {
    /// Above the plot.
    pub title: String,
    /// Under the horizontal axis.
    pub x: String,
    /// Beside or over the vertical axis.
    pub y: String,
    /// What is drawn.
    pub shape: Shape,
}

type Drawn = Result<(), Box<dyn Error + Send + Sync>>;

impl Plot {
    /// As text that a page can hold.
    ///
    /// # Errors
    /// When there is nothing to draw or the back end fails.
    pub fn svg(&self) -> Result<String, Box<dyn Error + Send + Sync>> {
        let (size, sheet) = self.lay_out();
        let mut text = String::new();
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        self.draw(&area, sheet)?;
        drop(area);
        Ok(text)
    }

    /// As a picture in a file.
    ///
    /// # Errors
    /// When there is nothing to draw or the file cannot be written.
    pub fn png(&self, path: &Path) -> Drawn {
        let (size, sheet) = self.lay_out();
        self.draw(&BitMapBackend::new(path, size).into_drawing_area(), sheet)
    }

    /// How large it becomes, and its marks, unless it is one that plotters lays out itself.
    fn lay_out(&self) -> ((u32, u32), Option<Sheet>) {
        sheet::register_fonts();
        let sheet = match &self.shape {
            Shape::Lines(_) | Shape::Bars(_) => return (log::SIZE, None),
            Shape::Curves(curves) => curves.sheet(self),
            Shape::Groups(groups) => groups.sheet(self),
            Shape::Stacks(stacks) => stacks.sheet(self),
            Shape::Spread(spread) => spread.sheet(self),
            Shape::Heat(heat) => heat.sheet(self),
        };
        (sheet.pixels(), Some(sheet))
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>, sheet: Option<Sheet>) -> Drawn
    where
        B::ErrorType: Send + Sync + 'static,
    {
        area.fill(&WHITE)?;
        match (&self.shape, sheet) {
            (Shape::Lines(series), _) => self.draw_lines(area, series)?,
            (Shape::Bars(bars), _) => self.draw_bars(area, bars)?,
            (_, Some(sheet)) => sheet.render(area)?,
            (_, None) => return Err("nothing is laid out".into()),
        }
        area.present()?;
        Ok(())
    }
}
