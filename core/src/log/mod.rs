//! The replicated log: Multi-Paxos over positions, with ballots.

mod ballot;

pub use ballot::{Ballot, Position};
