//! A report: prose, tables and plots, written as Markdown, SVG, PNG and one HTML page.

use crate::plot::Plot;
use crate::table::escape;
use crate::{Provenance, Table};
use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

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

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;\
padding:0 1rem;color:#1a1a1a;background:#fff}table{border-collapse:collapse;margin:1rem 0}\
td,th{padding:.25rem .75rem;border-bottom:1px solid #ddd;text-align:left}\
.number{text-align:right;font-variant-numeric:tabular-nums}svg{max-width:100%;height:auto}\
footer{color:#555;font-size:.85rem;margin-top:2rem}code{background:#f2f2f2;padding:.1rem .3rem}\
@media(prefers-color-scheme:dark){body{background:#161616;color:#eee}td,th{border-color:#444}\
svg{background:#fff}code{background:#333}footer{color:#aaa}}";

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
        let mut body = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => {
                    let _ = write!(markdown, "{text}\n\n");
                    let _ = writeln!(body, "<p>{}</p>", escape(text));
                }
                Part::Table(table) => {
                    let _ = writeln!(markdown, "{}", table.markdown());
                    body.push_str(&table.html());
                }
                Part::Plot { name, plot } => {
                    let svg = plot.svg().map_err(io::Error::other)?;
                    fs::write(folder.join(format!("{name}.svg")), &svg)?;
                    plot.png(&folder.join(format!("{name}.png")))
                        .map_err(io::Error::other)?;
                    let _ = write!(markdown, "![{name}]({name}.svg)\n\n");
                    let _ = writeln!(body, "{svg}");
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
        let title = escape(&self.title);
        let page = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
             <style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n{body}\
             <footer>Made by <code>{}</code> at commit {} on {}.</footer>\n</body></html>\n",
            escape(command),
            escape(commit),
            escape(machine)
        );
        fs::write(folder.join(format!("{name}.html")), page)
    }
}
