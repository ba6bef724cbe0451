//! Standard output, which whoever reads it may close before all is said: `tepui plan fit | head`.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};
use std::process::exit;

/// What a shell shows of a process that a closed pipe ended.
const EXIT_UNREAD: i32 = 128 + 13;

/// The disk that the output goes to is full, or the like.
const EXIT_UNWRITTEN: i32 = 1;

/// Writes a text as it is.
pub fn text(text: Arguments<'_>) {
    match io::stdout().lock().write_fmt(text) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => exit(EXIT_UNREAD),
        Err(error) => {
            eprintln!("tepui: cannot write the output: {error}");
            exit(EXIT_UNWRITTEN);
        }
    }
}

/// As `println!`; the process ends quietly where nobody reads any more.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::say::text(format_args!("{}\n", format_args!($($text)*)))
    };
}

/// As `print!`, likewise.
macro_rules! say_part {
    ($($text:tt)*) => { $crate::say::text(format_args!($($text)*)) };
}

pub(crate) use {say, say_part};
