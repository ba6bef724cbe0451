//! What people are shown of a plan: words, tables and pictures, on one page that needs nothing
//! else; and the same figures as comma-separated values, and the pictures as PNG.
//!
//! A report is made of results alone: the same results give the same bytes. Each picture carries
//! a sentence that reads it, made from the figures.

pub mod agent_order;
pub mod compact;
pub mod fit;
pub mod fragmentation;
pub mod grow;
pub mod rearrange;
pub mod replay;
pub mod what_if;
mod words;

use super::error::PlanError;
use crate::draw::{Page, Plot, Table};
use std::fs;
use std::path::Path;

/// A picture.
#[derive(Clone, Debug)]
pub struct Figure {
    /// Its file, without the ending.
    pub name: String,
    /// What it shows, in a sentence.
    pub reading: String,
    /// Itself.
    pub plot: Plot,
}

/// One part of a report: what it says, then its pictures, then its tables.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// Above it.
    pub heading: String,
    /// Paragraphs.
    pub text: Vec<String>,
    /// Pictures.
    pub figures: Vec<Figure>,
    /// Tables.
    pub tables: Vec<Table>,
}

/// A report.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What it is about.
    pub title: String,
    /// What it comes to, in a few sentences.
    pub summary: Vec<String>,
    /// The rest.
    pub parts: Vec<Part>,
    /// All figures, by the names of their files: columns are called as in JSON.
    pub data: Vec<(String, Table)>,
}

/// Where a report comes from.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// What was typed.
    pub command: String,
    /// Each input, and what was found there.
    pub inputs: Vec<(String, String)>,
}

impl Report {
    /// The page.
    ///
    /// # Errors
    /// When a picture cannot be drawn.
    pub fn html(&self, origin: &Origin) -> Result<String, PlanError> {
        let mut page = Page::new(&self.title);
        for text in &self.summary {
            page.text(text);
        }
        for part in &self.parts {
            page.heading(&part.heading);
            for text in &part.text {
                page.text(text);
            }
            for figure in &part.figures {
                let svg = figure.plot.svg().map_err(|e| undrawn(&figure.name, &e))?;
                page.figure(&svg, &figure.reading);
            }
            for table in &part.tables {
                page.table(table);
            }
        }
        page.heading("Where this comes from");
        page.command(&origin.command);
        let mut inputs = Table::new(&["input", "what it holds"]);
        for (name, holds) in &origin.inputs {
            inputs.row([name.as_str(), holds]);
        }
        if !inputs.is_empty() {
            page.table(&inputs);
        }
        Ok(page.html("Made by tepui plan. The same inputs and seeds give the same page."))
    }

    /// Writes each table into a file of its own.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write_csv(&self, folder: &Path) -> Result<(), PlanError> {
        let made = fs::create_dir_all(folder);
        made.map_err(|source| PlanError::file(folder, source))?;
        for (name, table) in &self.data {
            let path = folder.join(format!("{name}.csv"));
            let written = fs::write(&path, table.csv());
            written.map_err(|source| PlanError::file(&path, source))?;
        }
        Ok(())
    }

    /// Writes each picture into a file of its own.
    ///
    /// # Errors
    /// When a picture cannot be drawn or written.
    pub fn write_png(&self, folder: &Path) -> Result<(), PlanError> {
        let made = fs::create_dir_all(folder);
        made.map_err(|source| PlanError::file(folder, source))?;
        for figure in self.parts.iter().flat_map(|part| &part.figures) {
            let path = folder.join(format!("{}.png", figure.name));
            let drawn = figure.plot.png(&path);
            drawn.map_err(|error| undrawn(&path.display().to_string(), &error))?;
        }
        Ok(())
    }
}

fn undrawn(what: &str, why: &dyn std::fmt::Display) -> PlanError {
    PlanError::Mismatch(format!("{what} cannot be drawn: {why}"))
}
