//! `tepui sim`: the command line of the simulator.

mod args;
mod cpu;
mod json;
mod print;
mod seeds;

use args::{Arguments, Command, RunArguments};
use clap::Parser;
use std::ffi::OsString;
use std::process::ExitCode;

/// Runs `tepui sim ARGS`.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let name = std::iter::once(OsString::from("tepui sim"));
    match Arguments::try_parse_from(name.chain(arguments)) {
        Ok(Arguments {
            command: Command::Run(arguments),
        }) => run_scenarios(&arguments),
        Err(error) => {
            // Help goes to standard output and is no failure.
            let code = u8::try_from(error.exit_code()).unwrap_or(args::EXIT_BAD);
            let _ = error.print();
            ExitCode::from(code)
        }
    }
}

fn run_scenarios(arguments: &RunArguments) -> ExitCode {
    match seeds::run_all(arguments) {
        Ok(worst) => ExitCode::from(args::exit_code(worst)),
        Err(message) => {
            eprintln!("tepui sim: {message}");
            ExitCode::from(args::EXIT_BAD)
        }
    }
}
