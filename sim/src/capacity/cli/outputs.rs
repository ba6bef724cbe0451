//! Where a report is written, besides what is printed.

use crate::capacity::error::PlanError;
use crate::capacity::report::{Origin, Report};
use clap::Args;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

/// Files that a report can be written to.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Outputs {
    /// Write a page with pictures and tables that needs nothing else.
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    html: Option<PathBuf>,
    /// Write all figures as comma-separated values, each table into a file in this folder.
    #[arg(long, value_name = "FOLDER", help_heading = "Reports")]
    csv: Option<PathBuf>,
    /// Write each picture as PNG into this folder.
    #[arg(long, value_name = "FOLDER", help_heading = "Reports")]
    png: Option<PathBuf>,
    /// What was typed.
    #[arg(skip)]
    pub(super) command: String,
}

impl Outputs {
    /// Whether any file is to be written.
    pub(super) fn are_wanted(&self) -> bool {
        self.html.is_some() || self.csv.is_some() || self.png.is_some()
    }

    /// Writes what was asked for; the report is only made then.
    pub(super) fn write(
        &self,
        inputs: Vec<(String, String)>,
        report: impl FnOnce() -> Report,
    ) -> Result<(), PlanError> {
        if !self.are_wanted() {
            return Ok(());
        }
        let report = report();
        if let Some(path) = &self.html {
            let origin = Origin {
                command: self.command.clone(),
                inputs,
            };
            let written = fs::write(path, report.html(&origin)?);
            written.map_err(|source| PlanError::file(path, source))?;
        }
        if let Some(folder) = &self.csv {
            report.write_csv(folder)?;
        }
        match &self.png {
            Some(folder) => report.write_png(folder),
            None => Ok(()),
        }
    }
}

/// Flags that say where results go, not what they are.
const WHERE_TO: [&str; 3] = ["--html", "--csv", "--png"];

/// What was typed, as it can be typed again; where reports go is left out, so that a report does
/// not depend on where it lies.
pub(super) fn command(arguments: &[OsString]) -> String {
    let mut text = "tepui plan".to_owned();
    let mut arguments = arguments.iter().map(|a| a.to_string_lossy());
    while let Some(argument) = arguments.next() {
        let flag = argument.split('=').next().unwrap_or_default();
        if WHERE_TO.contains(&flag) {
            if !argument.contains('=') {
                arguments.next();
            }
            continue;
        }
        text.push(' ');
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./,:=*+@%".contains(c);
        if !argument.is_empty() && argument.chars().all(is_plain) && !argument.contains('*') {
            text += &argument;
        } else {
            text += &format!("'{}'", argument.replace('\'', "'\\''"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_typed_again_wherever_its_report_went() {
        let typed = [
            "fit", "--html", "a.html", "--role", "*", "--csv=x", "--shape", "cpus=1", "it's",
        ];
        let typed: Vec<OsString> = typed.iter().map(OsString::from).collect();
        let expected = r"tepui plan fit --role '*' --shape cpus=1 'it'\''s'";
        assert_eq!(command(&typed), expected);
    }
}
