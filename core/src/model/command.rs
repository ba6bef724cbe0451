use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// What to run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandInfo {
    /// Whether `value` is a line for `/bin/sh -c`; otherwise it is a program, run with exactly
    /// `arguments` (the first of which is its name for itself, as in Mesos).
    pub shell: bool,
    /// The shell's line, or the program's path.
    pub value: String,
    /// Arguments where `shell` is false.
    pub arguments: Vec<String>,
    /// Variables added to the environment, in order.
    pub environment: Vec<(String, String)>,
    /// The user to run as; `None` for the framework's.
    pub user: Option<String>,
}

impl CommandInfo {
    /// A line for the shell.
    #[must_use]
    pub fn shell(line: &str) -> CommandInfo {
        CommandInfo {
            shell: true,
            value: String::from(line),
            ..CommandInfo::default()
        }
    }
}
