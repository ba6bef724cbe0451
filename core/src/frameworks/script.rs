//! Commands that a real shell and the simulator understand alike.
//!
//! A workload's task has to take a while and then end in some way, as a process on an agent and
//! as data in the simulator. [`Script`] is the part of the shell's language that says so:
//!
//! ```text
//! script = step *( (";" / "&&") step )
//! step   = "sleep" SECONDS | "exit" CODE | "true" | "false"
//! ```
//!
//! SECONDS may have a decimal point; `sleep infinity` never ends by itself.

use crate::model::CommandInfo;
use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;
use core::time::Duration;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How long a process runs, and how it ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    /// How long it runs; `None` is until it is killed.
    pub runs_for: Option<Duration>,
    /// Its exit status.
    pub exit_code: u8,
}

/// Why a command is more than a [`Script`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("'{step}' is not understood: only sleep SECONDS, exit CODE, true and false are")]
pub struct ScriptError {
    /// The step that is not one of ours.
    pub step: String,
}

impl Script {
    /// Runs until it is killed.
    pub const FOREVER: Script = Script {
        runs_for: None,
        exit_code: 0,
    };

    /// Ends well after `runs_for`.
    #[must_use]
    pub const fn sleep(runs_for: Duration) -> Script {
        Script {
            runs_for: Some(runs_for),
            exit_code: 0,
        }
    }

    /// Ends with `exit_code` after `runs_for`.
    #[must_use]
    pub const fn exit(runs_for: Duration, exit_code: u8) -> Script {
        Script {
            runs_for: Some(runs_for),
            exit_code,
        }
    }

    /// For a task.
    #[must_use]
    pub fn to_command(self) -> CommandInfo {
        CommandInfo::shell(&self.to_string())
    }

    /// What `command` does, where it is one of ours.
    ///
    /// # Errors
    /// Names the step that is not.
    pub fn of(command: &CommandInfo) -> Result<Script, ScriptError> {
        if command.shell {
            return Script::parse(&command.value);
        }
        // Run without a shell, as `sleep` with its arguments; the first names the program.
        let arguments = command.arguments.get(1..).unwrap_or_default().join(" ");
        Script::parse(&format!("{} {arguments}", command.value))
    }

    /// Reads the text form.
    ///
    /// # Errors
    /// Names the step that is not understood.
    pub fn parse(text: &str) -> Result<Script, ScriptError> {
        let mut script = Script::sleep(Duration::ZERO);
        for step in text.split(';').flat_map(|part| part.split("&&")) {
            let step = step.trim();
            let unknown = || ScriptError {
                step: String::from(step),
            };
            let (word, argument) = step.split_once(' ').unwrap_or((step, ""));
            let program = word.rsplit('/').next().unwrap_or(word);
            match (program, argument.trim()) {
                ("", "") => {}
                ("sleep", "infinity") => return Ok(Script::FOREVER),
                ("sleep", seconds) => {
                    let pause = parse_seconds(seconds).ok_or_else(unknown)?;
                    script.runs_for = script.runs_for.map(|before| before.saturating_add(pause));
                    script.exit_code = 0;
                }
                ("exit", code) => {
                    script.exit_code = code.parse().map_err(|_| unknown())?;
                    return Ok(script);
                }
                ("true", "") => script.exit_code = 0,
                ("false", "") => script.exit_code = 1,
                _ => return Err(unknown()),
            }
        }
        Ok(script)
    }
}

/// Decimal seconds, down to nanoseconds, without floating point.
fn parse_seconds(text: &str) -> Option<Duration> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || decimals.len() > 9 {
        return None;
    }
    let scale = 10_u32.pow(9 - decimals.len() as u32);
    let nanos = decimals.parse::<u32>().ok()? * scale;
    Some(Duration::new(whole.parse().ok()?, nanos))
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(runs_for) = self.runs_for else {
            return f.write_str("sleep infinity");
        };
        write!(f, "sleep {}", runs_for.as_secs())?;
        if runs_for.subsec_nanos() > 0 {
            let decimals = format!("{:09}", runs_for.subsec_nanos());
            write!(f, ".{}", decimals.trim_end_matches('0'))?;
        }
        if self.exit_code != 0 {
            write!(f, "; exit {}", self.exit_code)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_text_form_is_what_a_shell_would_do() {
        let ms = Duration::from_millis;
        for (text, script) in [
            ("sleep 0.5", Script::sleep(ms(500))),
            ("sleep 1 && sleep 2", Script::sleep(ms(3000))),
            ("exit 1", Script::exit(ms(0), 1)),
            ("sleep 3; exit 7", Script::exit(ms(3000), 7)),
            ("/bin/true", Script::sleep(ms(0))),
            ("false", Script::exit(ms(0), 1)),
            ("sleep infinity; exit 3", Script::FOREVER),
        ] {
            assert_eq!(Script::parse(text), Ok(script), "{text}");
        }
    }

    #[test]
    fn what_only_a_shell_understands_is_named() {
        for text in [
            "echo x",
            "sleep 1; rm x",
            "sleep 1e3",
            "exit 256",
            "sleep -1",
        ] {
            let error = Script::parse(text).unwrap_err();
            assert!(text.contains(&error.step), "{text}: {error}");
        }
    }

    #[test]
    fn a_program_without_shell_is_understood_too() {
        let command = CommandInfo {
            shell: false,
            value: String::from("/bin/sleep"),
            arguments: ["sleep", "2"].map(String::from).to_vec(),
            ..CommandInfo::default()
        };
        assert_eq!(
            Script::of(&command),
            Ok(Script::sleep(Duration::from_secs(2)))
        );
    }

    proptest! {
        #[test]
        fn every_script_reads_back(nanos in 0..u64::MAX, code in any::<u8>()) {
            let script = Script::exit(Duration::from_nanos(nanos), code);
            prop_assert_eq!(Script::of(&script.to_command()), Ok(script));
        }
    }
}
