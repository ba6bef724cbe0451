//! Structured logs, on standard error or in a file.

use super::Failure;
use super::flags::Logging;
use super::log_lines::LogLines;
use std::fs::OpenOptions;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, reload};

/// What is logged to, from the first start on.
static LINES: OnceLock<LogLines> = OnceLock::new();

/// Writes what was logged and not yet written.
pub fn flush() {
    if let Some(lines) = LINES.get() {
        lines.flush();
    }
}

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
    let target: Box<dyn Write + Send> = match &flags.log_dir {
        None => Box::new(std::io::stderr()),
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
            Box::new(file)
        }
    };
    let writer = LogLines::start(target).map_err(|error| Failure::run(error.to_string()))?;
    let (filter, handle) = reload::Layer::new(level);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(writer.clone())
        .with_ansi(colours)
        .with_target(false);
    let lines = match flags.logging_format.as_str() {
        "json" => lines.json().boxed(),
        _ => lines.boxed(),
    };
    // A second start (in tests, which share a process) keeps the first one's settings.
    if tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .try_init()
        .is_ok()
    {
        let _ = CHANGEABLE.set((level, handle));
        let _ = LINES.set(writer);
    }
    Ok(())
}

type Changeable = (LevelFilter, reload::Handle<LevelFilter, Registry>);

/// How much is logged, to be changed while the process runs.
static CHANGEABLE: OnceLock<Changeable> = OnceLock::new();

/// How much more than usual is logged, as Mesos counts it: 0 is what the flags say.
#[derive(Clone, Debug, Default)]
pub struct Verbosity {
    level: Arc<AtomicU32>,
    changes: Arc<AtomicU64>,
}

impl Verbosity {
    /// The present level.
    #[must_use]
    pub fn level(&self) -> u32 {
        self.level.load(Ordering::Relaxed)
    }

    /// Logs more for a while.
    pub fn set(&self, level: u32, duration: Duration) {
        let change = self.changes.fetch_add(1, Ordering::Relaxed) + 1;
        self.change_to(level);
        let later = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(duration).await;
            // A later change has its own end.
            if later.changes.load(Ordering::Relaxed) == change {
                later.change_to(0);
            }
        });
    }

    fn change_to(&self, level: u32) {
        self.level.store(level, Ordering::Relaxed);
        let Some((usual, handle)) = CHANGEABLE.get() else {
            return;
        };
        let filter = match level {
            0 => *usual,
            1 | 2 => (*usual).max(LevelFilter::DEBUG),
            _ => LevelFilter::TRACE,
        };
        // The layer lives as long as the process.
        let _ = handle.modify(|current| *current = filter);
    }
}
