use super::{Notice, Write};
use crate::durable::WriteSequence;
use crate::ids::Peer;
use crate::message::scheduler;
use alloc::string::String;
use serde::{Deserialize, Serialize};

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
    /// Make a record durable; answered by `Persisted`.
    Persist {
        /// Its number.
        sequence: WriteSequence,
        /// What.
        write: Write,
    },
    /// Something worth a line in the timeline; may be dropped.
    Notice(Notice),
    /// End the process. Nothing follows.
    Exit(Exit),
}

/// Outboxes hold thousands of them.
const _: () = assert!(size_of::<Effect>() <= 128);

/// How a framework's process ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// The process' exit status.
    pub code: u8,
    /// Why, for people; empty when all went well.
    pub message: String,
}

impl Exit {
    /// All went well.
    pub const SUCCESS: Exit = Exit {
        code: 0,
        message: String::new(),
    };

    /// It could not go on.
    #[must_use]
    pub const fn failure(message: String) -> Exit {
        Exit { code: 1, message }
    }
}
