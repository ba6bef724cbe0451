//! Structured logs, on standard error or in a file.

use super::Failure;
use super::flags::Logging;
use std::fs::OpenOptions;
use std::io::IsTerminal;
use std::sync::Mutex;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

/// Sets up logging for the whole process; `name` is the log file's name.
///
/// # Errors
/// When the log file cannot be opened.
pub fn start(flags: &Logging, name: &str) -> Result<(), Failure> {
    let level = match flags.logging_level.to_ascii_uppercase().as_str() {
        "DEBUG" => LevelFilter::DEBUG,
        "INFO" => LevelFilter::INFO,
        "WARNING" => LevelFilter::WARN,
        _ => LevelFilter::ERROR,
    };
    let mut colours = std::io::stderr().is_terminal();
    let writer = match &flags.log_dir {
        None => BoxMakeWriter::new(std::io::stderr),
        Some(folder) => {
            let path = folder.join(format!("{name}.log"));
            let file = std::fs::create_dir_all(folder)
                .and_then(|()| OpenOptions::new().create(true).append(true).open(&path))
                .map_err(|error| {
                    Failure::usage(format!(
                        "--log_dir: cannot open {}: {error}",
                        path.display()
                    ))
                })?;
            colours = false;
            BoxMakeWriter::new(Mutex::new(file))
        }
    };
    let builder = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(writer)
        .with_ansi(colours)
        .with_target(false);
    // A second start (in tests, which share a process) keeps the first one's settings.
    let _ = match flags.logging_format.as_str() {
        "json" => builder.json().try_init(),
        _ => builder.try_init(),
    };
    Ok(())
}
