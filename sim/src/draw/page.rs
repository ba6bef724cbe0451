//! One self-contained page: words, tables and pictures, nothing fetched from elsewhere.

use super::Table;
use std::fmt::Write as _;

/// Pictures take the page's colours where it is dark: their paper, ink and grid are known by the
/// colours with which they are drawn.
const STYLE: &str = "\
:root{color-scheme:light dark;--paper:#fff;--ink:#1a1a1a;--muted:#555;--line:#ddd;--soft:#f3f3f3}\
@media screen and (prefers-color-scheme:dark){\
:root{--paper:#161616;--ink:#eee;--muted:#aaa;--line:#3d3d3d;--soft:#2a2a2a}}\
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;\
color:var(--ink);background:var(--paper)}\
h1{line-height:1.2}h2{margin:2.2rem 0 .5rem;line-height:1.25}\
table{border-collapse:collapse;margin:1rem 0}\
td,th{padding:.25rem .75rem;border-bottom:1px solid var(--line);text-align:left;\
vertical-align:top}\
th{vertical-align:bottom;line-height:1.25}\
.number{text-align:right;font-variant-numeric:tabular-nums}\
.short{white-space:nowrap}\
.wide{overflow-x:auto}\
figure{margin:1.2rem 0}figcaption{margin:.3rem 0;font-weight:600}\
svg{display:block;width:100%;max-width:100%;height:auto;font-family:sans-serif}\
svg rect[fill=\"#FFFFFF\"]{fill:var(--paper)}\
svg text[fill=\"#000000\"],svg text[fill=\"#1F1F1F\"]{fill:var(--ink)}\
svg text[fill=\"#5F5F5F\"]{fill:var(--muted)}\
svg [stroke=\"#000000\"],svg [stroke=\"#1F1F1F\"]{stroke:var(--ink)}\
svg [stroke=\"#DEDEDE\"]{stroke:var(--line)}\
footer{color:var(--muted);font-size:.85rem;margin-top:2rem}\
code{background:var(--soft);padding:.1rem .3rem;overflow-wrap:anywhere}\
@media print{body{margin:0;max-width:none;font-size:11pt}figure,tr{break-inside:avoid}\
h2{break-after:avoid}}";

/// A page that grows from top to bottom.
#[derive(Clone, Debug)]
pub struct Page {
    title: String,
    body: String,
}

impl Page {
    /// An empty page under its title.
    #[must_use]
    pub fn new(title: &str) -> Page {
        Page {
            title: title.to_owned(),
            body: String::new(),
        }
    }

    /// Begins a part.
    pub fn heading(&mut self, text: &str) {
        let _ = writeln!(self.body, "<h2>{}</h2>", escape(text));
    }

    /// A paragraph.
    pub fn text(&mut self, text: &str) {
        let _ = writeln!(self.body, "<p>{}</p>", escape(text));
    }

    /// What somebody typed.
    pub fn command(&mut self, text: &str) {
        let _ = writeln!(self.body, "<p><code>{}</code></p>", escape(text));
    }

    /// A table.
    pub fn table(&mut self, table: &Table) {
        let _ = writeln!(self.body, "<div class=\"wide\">\n{}</div>", table.html());
    }

    /// A picture, and a sentence that reads it; `svg` is taken as it is.
    pub fn figure(&mut self, svg: &str, reading: &str) {
        let caption = match reading {
            "" => String::new(),
            _ => format!("<figcaption>{}</figcaption>\n", escape(reading)),
        };
        let _ = writeln!(self.body, "<figure>\n{caption}{svg}</figure>");
    }

    /// The whole document; `footer` is taken as it is.
    #[must_use]
    pub fn html(&self, footer: &str) -> String {
        let title = escape(&self.title);
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
             <style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n{}\
             <footer>{footer}</footer>\n</body></html>\n",
            self.body
        )
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
