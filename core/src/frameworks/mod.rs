//! Pure frameworks over the scheduler API: [`execute`] runs one command and ends with it.
//!
//! They share how a task is described ([`TaskTemplate`]), how it is cut out of an offer
//! ([`Room`]), and a small language of commands that real shells and the simulator's processes
//! both understand ([`Script`]).

pub mod execute;
mod room;
mod script;
mod template;

#[cfg(test)]
#[allow(dead_code)]
mod testing;

pub use room::Room;
pub use script::{Script, ScriptError};
pub use template::TaskTemplate;
