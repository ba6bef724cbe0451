//! How far a long run is, for people who wait.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;

/// A bar on standard error, where that is a terminal: `what` goes on, counted in `units`.
pub(crate) fn bar(what: &str, count: u64, units: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(count);
    let template =
        format!("{{msg}} [{{bar:40}}] {{pos}}/{{len}} {units}, {{per_sec}}, {{eta}} left");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_message(what.to_owned());
    bar
}
