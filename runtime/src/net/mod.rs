//! The network: one port for everything. A connection that opens with our preface speaks frames
//! of `wire` envelopes; anything else is HTTP.

pub mod connection;
pub mod dial;
pub mod find;
pub mod framing;
pub mod links;
pub mod listener;
pub mod masters;

pub use connection::{Conversation, converse};
pub use framing::{FrameError, FrameReader, Hello, Kind};
pub use links::Links;
