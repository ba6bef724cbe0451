//! Who might lead: failure detection by heartbeats, a pre-vote, and the leader's lease.
//!
//! Nothing here is needed for safety; ballots see to that ([`crate::log`]). It decides when a
//! master campaigns, and when a leader stops. The pre-vote (Ongaro, "Consensus: Bridging Theory
//! and Practice", section 9.6) is refused by everybody who hears a live leader, so that a master
//! that returns, or is cut from the leader alone, disturbs nobody.

mod lease;
mod suspicion;

pub use lease::Lease;
pub use suspicion::{Election, PreVoteStep, Voter};

#[cfg(test)]
mod tests;
