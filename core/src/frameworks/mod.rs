//! Pure frameworks over the scheduler API: [`service`] keeps instances running, [`batch`] works
//! jobs off, [`execute`] runs one command and ends with it, [`reserver`] reserves resources and
//! makes volumes.
//!
//! They share how a task is described ([`TaskTemplate`]), how it is cut out of an offer
//! ([`Room`]), and a small language of commands that real shells and the simulator's processes
//! both understand ([`Script`]).

pub mod batch;
pub mod execute;
mod offers;
pub mod reserver;
mod room;
mod script;
pub mod service;
mod strays;
mod template;

#[cfg(test)]
mod testing;

pub use room::Room;
pub use script::{Script, ScriptError};
pub use template::TaskTemplate;
