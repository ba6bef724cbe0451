//! `tepui plan`: the command line of the planner.

mod args;
mod compact;
mod fit;
mod fragmentation;
mod outputs;
mod replay;
mod show;

use super::error::PlanError;
use args::{Arguments, Command};
use clap::Parser;
use std::ffi::OsString;
use std::process::ExitCode;

/// Bad flags or bad input; clap uses the same for bad flags.
const EXIT_BAD: u8 = 1;

/// What was wanted does not fit.
const EXIT_DOES_NOT_FIT: u8 = 2;

/// Asks a master: its `host:port` and a path, for the body of the answer.
pub type Ask<'a> = &'a dyn Fn(&str, &str) -> Result<Vec<u8>, String>;

/// Runs `tepui plan ARGS`. Masters are asked with `ask`.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>, ask: Ask<'_>) -> ExitCode {
    let name = std::iter::once(OsString::from("tepui plan"));
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let typed = outputs::command(&arguments);
    let mut arguments = match Arguments::try_parse_from(name.chain(arguments)) {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            // Help goes to standard output and is no failure.
            let code = if error.use_stderr() { EXIT_BAD } else { 0 };
            return ExitCode::from(code);
        }
    };
    arguments.command.outputs().command = typed;
    let result = match arguments.command {
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Fit(arguments) => fit::run(&arguments, ask),
        Command::Fragmentation(arguments) => fragmentation::run(&arguments),
        Command::Compact(arguments) => compact::run(&arguments),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("tepui plan: {error}");
            ExitCode::from(EXIT_BAD)
        }
    }
}

/// Runs `work` for all of `inputs` on all cores; results come in the order of the inputs.
fn in_parallel<I: Sync, O: Send>(inputs: &[I], work: impl Fn(&I) -> O + Sync) -> Vec<O> {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores.min(inputs.len()) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(input) = inputs.get(index) else {
                        return;
                    };
                    let output = work(input);
                    let mut done = done.lock().expect("no thread panicked with it");
                    done.push((index, output));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("no thread panicked with it");
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, output)| output).collect()
}

/// What a command comes to.
type Done = Result<ExitCode, PlanError>;
