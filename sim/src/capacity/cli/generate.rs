//! `tepui plan generate`

use super::Done;
use crate::capacity::error::PlanError;
use crate::capacity::generate;
use clap::Args;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

/// The most machines or tasks that are made up.
const COUNT_MAX: u64 = 1_000_000;

#[derive(Debug, Args)]
pub(super) struct Generate {
    /// Draws all of it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many machines.
    #[arg(long, default_value_t = 60,
          value_parser = clap::value_parser!(u64).range(1..=COUNT_MAX))]
    machines: u64,
    /// How many tasks.
    #[arg(long, default_value_t = 600,
          value_parser = clap::value_parser!(u64).range(1..=COUNT_MAX))]
    tasks: u64,
    /// Where `machines.csv` and `tasks.csv` are written.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

pub(super) fn run(arguments: &Generate) -> Done {
    let folder = &arguments.out;
    let made = fs::create_dir_all(folder);
    made.map_err(|source| PlanError::file(folder, source))?;
    let lists = [
        (
            "machines.csv",
            generate::machines(arguments.seed, arguments.machines as usize),
        ),
        (
            "tasks.csv",
            generate::tasks(arguments.seed, arguments.tasks as usize),
        ),
    ];
    for (name, table) in lists {
        let path = folder.join(name);
        let written = fs::write(&path, table.csv());
        written.map_err(|source| PlanError::file(&path, source))?;
    }
    Ok(ExitCode::SUCCESS)
}
