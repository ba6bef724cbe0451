//! The scheduler driver: a framework's side of the scheduler API as a machine. It subscribes,
//! follows the leader, fails over, acknowledges and reconciles.

use crate::ids::Peer;
use crate::message::scheduler;
use alloc::string::String;
use serde::{Deserialize, Serialize};

/// What may happen to a framework's node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Input {
    /// The deadline came.
    Tick,
    /// A connection that was asked for is open.
    Connected {
        /// Which.
        peer: Peer,
    },
    /// A connection broke, or could not be opened.
    Disconnected {
        /// Which.
        peer: Peer,
    },
    /// The master says something.
    FromMaster {
        /// On which connection.
        peer: Peer,
        /// What.
        message: scheduler::ToScheduler,
    },
}

/// What a framework's node wants done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Effect {
    /// Open a connection to a master; answered by `Connected` or `Disconnected`.
    Connect {
        /// The name of the new connection.
        peer: Peer,
        /// `host:port`.
        address: String,
    },
    /// Close a connection.
    Close {
        /// Which.
        peer: Peer,
    },
    /// Say something to the master.
    ToMaster {
        /// On which connection.
        peer: Peer,
        /// What.
        message: scheduler::ToMaster,
    },
}
