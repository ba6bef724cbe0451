//! One table, four renderings.

use super::escape;
use std::fmt::Write as _;

/// Names that are not longer stay on one line of a page.
const UNBROKEN_MAX: usize = 24;

/// What stands in a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Words.
    Text(String),
    /// A number, and how many digits after the point of it are shown.
    Number {
        /// How much.
        value: f64,
        /// Digits after the point.
        decimals: usize,
    },
}

impl Cell {
    /// A number.
    #[must_use]
    pub fn number(value: f64, decimals: usize) -> Cell {
        Cell::Number { value, decimals }
    }

    /// As people read it: thousands apart.
    #[must_use]
    pub fn shown(&self) -> String {
        let plain = self.plain();
        let Cell::Number { .. } = self else {
            return plain;
        };
        let (sign, digits) = match plain.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", plain.as_str()),
        };
        let (whole, rest) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
        let mut text = sign.to_owned();
        for (place, digit) in whole.chars().enumerate() {
            if place > 0 && (whole.len() - place).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        text + rest
    }

    /// As programs read it.
    #[must_use]
    pub fn plain(&self) -> String {
        match self {
            Cell::Text(text) => text.clone(),
            Cell::Number { value, decimals } => {
                let text = format!("{value:.decimals$}");
                // Nothing is less than nothing by so little that it is not shown.
                let is_zero = text.chars().all(|c| matches!(c, '-' | '0' | '.'));
                match is_zero {
                    true => text.trim_start_matches('-').to_owned(),
                    false => text,
                }
            }
        }
    }

    fn reads_as_number(&self) -> bool {
        match self {
            // A number, perhaps with its unit; what goes on is a name that begins with a number.
            Cell::Text(text) => {
                text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
                    && text.split_whitespace().count() <= 2
            }
            Cell::Number { .. } => true,
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell::Text(text)
    }
}

impl From<usize> for Cell {
    fn from(count: usize) -> Cell {
        Cell::number(count as f64, 0)
    }
}

impl From<i64> for Cell {
    fn from(count: i64) -> Cell {
        Cell::number(count as f64, 0)
    }
}

/// Rows under headers. Columns whose cells read as numbers are set flush right.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    headers: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// An empty table.
    #[must_use]
    pub fn new<H: Into<String> + Clone>(headers: &[H]) -> Table {
        Table {
            headers: headers.iter().map(|h| h.clone().into()).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row, which must have a cell for each header.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl Into<Cell>>) {
        let row: Vec<Cell> = cells.into_iter().map(Into::into).collect();
        assert_eq!(row.len(), self.headers.len(), "a cell for each header");
        self.rows.push(row);
    }

    /// Whether it has no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// For README files.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = format!("| {} |\n|", self.headers.join(" | "));
        for column in 0..self.headers.len() {
            text.push_str(if self.is_numeric(column) {
                "---:|"
            } else {
                "---|"
            });
        }
        text.push('\n');
        for row in &self.rows {
            let cells: Vec<String> = row.iter().map(Cell::shown).collect();
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
        text
    }

    /// For terminals.
    #[must_use]
    pub fn plain(&self) -> String {
        let rows = self.rows.iter();
        let rows = rows.map(|row| row.iter().map(Cell::shown).collect());
        let rows: Vec<Vec<String>> = std::iter::once(self.headers.clone()).chain(rows).collect();
        let width = |column: usize| {
            rows.iter()
                .map(move |row| row[column].chars().count())
                .max()
        };
        let columns = 0..self.headers.len();
        let widths: Vec<usize> = columns.map(|column| width(column).unwrap_or(0)).collect();
        let mut text = String::new();
        for row in &rows {
            let mut line = String::new();
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                line += if column > 0 { "  " } else { "" };
                line += &match self.is_numeric(column) {
                    false => format!("{cell:<width$}"),
                    true => format!("{cell:>width$}"),
                };
            }
            text += line.trim_end();
            text.push('\n');
        }
        text
    }

    /// For spreadsheets (RFC 4180).
    #[must_use]
    pub fn csv(&self) -> String {
        let line = |cells: Vec<String>| cells.join(",") + "\r\n";
        let header = line(self.headers.iter().map(|cell| csv_cell(cell)).collect());
        let rows = self.rows.iter();
        let rows = rows.map(|row| line(row.iter().map(|cell| csv_cell(&cell.plain())).collect()));
        header + &rows.collect::<String>()
    }

    /// For pages; every cell is escaped.
    #[must_use]
    pub fn html(&self) -> String {
        let class = |column| match self.is_numeric(column) {
            true => " class=\"number\"",
            false => "",
        };
        let mut text = "<table>\n<thead><tr>".to_owned();
        for (column, header) in self.headers.iter().enumerate() {
            let _ = write!(text, "<th{}>{}</th>", class(column), escape(header));
        }
        text.push_str("</tr></thead>\n<tbody>\n");
        for row in &self.rows {
            text.push_str("<tr>");
            for (column, cell) in row.iter().enumerate() {
                let shown = cell.shown();
                let class = match class(column) {
                    "" if shown.chars().count() <= UNBROKEN_MAX => " class=\"short\"",
                    class => class,
                };
                let _ = write!(text, "<td{class}>{}</td>", escape(&shown));
            }
            text.push_str("</tr>\n");
        }
        text.push_str("</tbody>\n</table>\n");
        text
    }

    fn is_numeric(&self, column: usize) -> bool {
        !self.rows.is_empty() && self.rows.iter().all(|row| row[column].reads_as_number())
    }
}

fn csv_cell(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["what", "ms"]);
        table.row(["a, \"b\"", "12.5"]);
        table.row(["<c>", "3"]);
        table
    }

    #[test]
    fn numbers_are_set_flush_right() {
        assert_eq!(
            table().markdown(),
            "| what | ms |\n|---|---:|\n| a, \"b\" | 12.5 |\n| <c> | 3 |\n"
        );
    }

    #[test]
    fn csv_quotes_what_it_must() {
        assert_eq!(
            table().csv(),
            "what,ms\r\n\"a, \"\"b\"\"\",12.5\r\n<c>,3\r\n"
        );
    }

    #[test]
    fn html_is_escaped() {
        assert!(
            table()
                .html()
                .contains("<td class=\"short\">&lt;c&gt;</td><td class=\"number\">3</td>")
        );
    }

    #[test]
    fn numbers_are_shown_with_their_thousands_apart() {
        let shown = |value, decimals| Cell::number(value, decimals).shown();
        assert_eq!(shown(1_234_567.0, 0), "1,234,567");
        assert_eq!(shown(-1_234.567, 2), "-1,234.57");
        assert_eq!(shown(999.0, 1), "999.0");
        assert_eq!(shown(-0.001, 2), "0.00");
        assert_eq!(Cell::from("12345").shown(), "12345");
        let mut table = Table::new(&["n"]);
        table.row([12_345_usize]);
        assert_eq!(table.csv(), "n\r\n12345\r\n");
        assert_eq!(table.plain(), "     n\n12,345\n");
    }
}
