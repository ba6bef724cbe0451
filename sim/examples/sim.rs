//! The simulator by itself: what `tepui sim` is, without the rest of the binary, so that planted
//! bugs build quickly.

use std::process::ExitCode;

fn main() -> ExitCode {
    tepui_sim::cli::run(std::env::args_os().skip(1))
}
