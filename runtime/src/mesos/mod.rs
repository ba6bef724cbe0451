//! Mesos' v1 API as data, and its two codecs.
//!
//! - [`v1`]: the messages, each declared once (see `declare.rs`).
//! - [`reflect`]: what the codecs know of a message.
//! - [`json`], [`protobuf`]: the codecs; [`recordio`] for streams.
//! - [`convert`]: to the core's model and back.
//! - [`limits`]: how large a message may be.
//! - [`media`]: which codec a request and its answer speak.

#[macro_use]
mod declare;

pub mod convert;
pub mod json;
pub mod limits;
pub mod media;
pub mod protobuf;
pub mod recordio;
pub mod reflect;
pub mod v1;
