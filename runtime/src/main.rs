//! The one binary, `tepui`: masters, agents, executors, the simulator and the tools around them.

use std::process::ExitCode;

fn main() -> ExitCode {
    tepui_runtime::cli::main()
}
