//! The whole surface that drivers see.
//!
//! The contract, kept by the simulator and by the runtime alike:
//!
//! - **(a)** [`Machine::handle`] never blocks and reads neither clock, entropy nor environment.
//! - **(b)** `now.mono` never goes backwards; an early or repeated tick does nothing.
//! - **(c)** Effects of one lane or one peer run in order, across lanes and peers in any order;
//!   a crash may lose any suffix of each.
//! - **(d)** A `Persisted` input means durable on disk. A failed write is never reported as
//!   written: the driver ends the node instead.
//! - **(e)** After a restart a machine is rebuilt only from what was acknowledged as durable,
//!   plus possibly more.
//! - **(f)** The same seed and the same inputs give byte-identical effects.

use crate::outbox::Outbox;
use crate::time::{Now, Time};

/// A pure state machine: inputs in, effects out, one deadline.
pub trait Machine {
    /// What may happen to it; serialisable, so that every run can be recorded.
    type Input;
    /// What it wants done; comparable data, never a closure or a channel.
    type Effect;

    /// Handles one input and pushes the effects, in the order in which they are meant.
    fn handle(&mut self, now: Now, input: Self::Input, fx: &mut Outbox<Self::Effect>);

    /// When the driver is next to hand in a tick; `None` while nothing is timed. The driver keeps
    /// one sleep a node and reads this again after every input.
    fn deadline(&self) -> Option<Time>;
}
