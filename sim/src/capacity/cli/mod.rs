//! `tepui plan`: the command line of the planner.

mod agent_order;
mod args;
mod compact;
mod fit;
mod fragmentation;
mod generate;
mod grow;
mod outputs;
mod rearrange;
mod replay;
mod source;
mod what_if;

use super::error::PlanError;
use super::parallel::in_parallel;
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
    if let Some(outputs) = arguments.command.outputs() {
        outputs.command = typed;
    }
    let result = match arguments.command {
        Command::Replay(arguments) => replay::run(&arguments, ask),
        Command::Fit(arguments) => fit::run(&arguments, ask),
        Command::Fragmentation(arguments) => fragmentation::run(&arguments, ask),
        Command::Compact(arguments) => compact::run(&arguments, ask),
        Command::Generate(arguments) => generate::run(&arguments),
        Command::Grow(arguments) => grow::run(&arguments, ask),
        Command::WhatIf(arguments) => what_if::run(&arguments, ask),
        Command::AgentOrder(arguments) => agent_order::run(&arguments, ask),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("tepui plan: {error}");
            ExitCode::from(EXIT_BAD)
        }
    }
}

/// What a command comes to.
type Done = Result<ExitCode, PlanError>;
