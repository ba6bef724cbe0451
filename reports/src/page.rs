//! A report: prose, tables and plots, written as Markdown, SVG, PNG and one HTML page.

use crate::Provenance;
use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};
use tepui_sim::draw::{Page, Plot, Table, escape};

enum Part {
    Text(String),
    Table(Table),
    Plot { name: String, plot: Plot },
}

/// Collected part by part, then written at once.
pub struct Report {
    title: String,
    provenance: Provenance,
    parts: Vec<Part>,
}

impl Report {
    /// An empty report.
    #[must_use]
    pub fn new(title: &str, provenance: Provenance) -> Report {
        Report {
            title: title.to_owned(),
            provenance,
            parts: Vec::new(),
        }
    }

    /// Adds a paragraph.
    pub fn text(&mut self, text: impl Into<String>) {
        self.parts.push(Part::Text(text.into()));
    }

    /// Adds a table.
    pub fn table(&mut self, table: Table) {
        self.parts.push(Part::Table(table));
    }

    /// Adds a plot, kept in files called `name`.
    pub fn plot(&mut self, name: &str, plot: Plot) {
        self.parts.push(Part::Plot {
            name: name.to_owned(),
            plot,
        });
    }

    /// Writes `NAME.md`, `NAME.html` and each plot's `.svg` and `.png` into `folder`.
    ///
    /// # Errors
    /// When a file cannot be written or a plot cannot be drawn.
    pub fn write(&self, folder: &Path, name: &str) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut markdown = format!("# {}\n\n", self.title);
        let mut page = Page::new(&self.title);
        for part in &self.parts {
            match part {
                Part::Text(text) => {
                    let _ = write!(markdown, "{text}\n\n");
                    page.text(text);
                }
                Part::Table(table) => {
                    let _ = writeln!(markdown, "{}", table.markdown());
                    page.table(table);
                }
                Part::Plot { name, plot } => {
                    let svg = plot.svg().map_err(io::Error::other)?;
                    fs::write(folder.join(format!("{name}.svg")), &svg)?;
                    plot.png(&folder.join(format!("{name}.png")))
                        .map_err(io::Error::other)?;
                    let _ = write!(markdown, "![{name}]({name}.svg)\n\n");
                    page.figure(&svg, "");
                }
            }
        }
        let Provenance {
            command,
            commit,
            machine,
        } = &self.provenance;
        let _ = writeln!(
            markdown,
            "Made by `{command}` at commit {commit} on {machine}."
        );
        fs::write(folder.join(format!("{name}.md")), markdown)?;
        let footer = format!(
            "Made by <code>{}</code> at commit {} on {}.",
            escape(command),
            escape(commit),
            escape(machine)
        );
        let page = page.html(&footer);
        fs::write(folder.join(format!("{name}.html")), page)
    }
}
