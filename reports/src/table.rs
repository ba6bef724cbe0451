//! One table, three renderings.

use std::fmt::Write as _;

/// Rows under headers. Cells are text; those that read as numbers are set flush right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    headers: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table.
    #[must_use]
    pub fn new(headers: &[&str]) -> Table {
        Table {
            headers: headers.iter().map(|h| (*h).to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row, which must have a cell for each header.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        let row: Vec<String> = cells.into_iter().map(Into::into).collect();
        assert_eq!(row.len(), self.headers.len(), "a cell for each header");
        self.rows.push(row);
    }

    /// For README files and terminals.
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
            let _ = writeln!(text, "| {} |", row.join(" | "));
        }
        text
    }

    /// For spreadsheets (RFC 4180).
    #[must_use]
    pub fn csv(&self) -> String {
        let line = |cells: &Vec<String>| {
            let cells: Vec<_> = cells.iter().map(|cell| csv_cell(cell)).collect();
            cells.join(",") + "\r\n"
        };
        line(&self.headers) + &self.rows.iter().map(line).collect::<String>()
    }

    /// For pages; every cell is escaped.
    #[must_use]
    pub fn html(&self) -> String {
        let mut text = "<table>\n<thead><tr>".to_owned();
        for header in &self.headers {
            let _ = write!(text, "<th>{}</th>", escape(header));
        }
        text.push_str("</tr></thead>\n<tbody>\n");
        for row in &self.rows {
            text.push_str("<tr>");
            for (column, cell) in row.iter().enumerate() {
                let class = if self.is_numeric(column) {
                    " class=\"number\""
                } else {
                    ""
                };
                let _ = write!(text, "<td{class}>{}</td>", escape(cell));
            }
            text.push_str("</tr>\n");
        }
        text.push_str("</tbody>\n</table>\n");
        text
    }

    fn is_numeric(&self, column: usize) -> bool {
        let starts_with_digit =
            |row: &Vec<String>| row[column].starts_with(|c: char| c.is_ascii_digit() || c == '-');
        !self.rows.is_empty() && self.rows.iter().all(starts_with_digit)
    }
}

fn csv_cell(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

/// Makes text harmless inside HTML.
#[must_use]
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
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
                .contains("<td>&lt;c&gt;</td><td class=\"number\">3</td>")
        );
    }
}
