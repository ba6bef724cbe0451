//! Frames: how `wire` envelopes follow each other on a stream.
//!
//! A native connection opens with the preface and a [`Hello`]. Every frame is
//! `length: u32 LE | crc32: u32 LE | envelope`. TCP's own checksum misses one corrupt segment in
//! some ten million (Stone and Partridge, SIGCOMM 2000); a wrong bit in a ballot is not worth
//! the four bytes saved.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io;
use std::time::Duration;
use tepui_core::ids::MasterId;
use tepui_core::wire::{self, DecodeError};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};

/// How a native connection opens: a name that no HTTP method shares, and the protocol's version.
pub const PREFACE: [u8; 8] = *b"TEPUI\0\0\x01";

/// How much of the preface tells it from HTTP.
pub const PREFACE_NAME_BYTES: usize = 5;

/// The longest envelope. A re-registration with 100,000 tasks takes some 40 MB.
pub const FRAME_BYTES_MAX: usize = 64 << 20;

/// How long the other side may take to say who it is.
pub const HELLO_TIMEOUT: Duration = Duration::from_secs(10);

const HEADER_BYTES: usize = 8;

/// How much is read at once.
const READ_BYTES: usize = 64 << 10;

/// Why a stream of frames ended early.
#[derive(Debug, Error)]
pub enum FrameError {
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    /// The stream ended within a frame.
    #[error("the stream ended within a frame")]
    Cut,
    /// Longer than allowed.
    #[error("a frame of {0} bytes is too long: at most {FRAME_BYTES_MAX}")]
    Long(usize),
    /// The bytes changed on their way.
    #[error("a frame's checksum does not match")]
    Checksum,
    /// The envelope is not what it should be.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The preface is of another protocol or version.
    #[error("the preface is not that of this version: upgrade the older side first")]
    Preface,
    /// Nothing came for too long.
    #[error("nothing was said within {} s", HELLO_TIMEOUT.as_secs())]
    Silent,
}

/// What the side that opens a native connection says first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// What it is.
    pub kind: Kind,
}

/// What is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Another master.
    Master(MasterId),
    /// An agent, to a master.
    Agent,
    /// A scheduler, to a master.
    Scheduler,
    /// An executor, to its agent.
    Executor,
}

/// Appends one frame with `value` in it.
///
/// # Errors
/// When it is too long; the buffer is left as it was.
pub fn encode_frame<T: Serialize>(value: &T, buffer: &mut Vec<u8>) -> Result<(), FrameError> {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; HEADER_BYTES]);
    wire::encode_into(value, buffer);
    let body = start + HEADER_BYTES;
    let length = buffer.len() - body;
    if length > FRAME_BYTES_MAX {
        buffer.truncate(start);
        return Err(FrameError::Long(length));
    }
    let checksum = crc32fast::hash(&buffer[body..]);
    buffer[start..start + 4].copy_from_slice(&(length as u32).to_le_bytes());
    buffer[start + 4..body].copy_from_slice(&checksum.to_le_bytes());
    Ok(())
}

/// The first bytes of a native connection of this kind.
#[must_use]
pub fn opening(kind: Kind) -> Vec<u8> {
    let mut bytes = PREFACE.to_vec();
    encode_frame(&Hello { kind }, &mut bytes).expect("a hello is short");
    bytes
}

/// Reads frames. Memory grows with what arrived, not with what a header claims.
#[derive(Debug)]
pub struct FrameReader<R> {
    stream: R,
    buffer: Vec<u8>,
    start: usize,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    /// Nothing is read yet.
    pub fn new(stream: R) -> FrameReader<R> {
        FrameReader {
            stream,
            buffer: Vec::new(),
            start: 0,
        }
    }

    /// Reads the preface and the hello.
    ///
    /// # Errors
    /// When they do not come in time or are not ours.
    pub async fn hello(&mut self) -> Result<Hello, FrameError> {
        let opening = async {
            while self.waiting().len() < PREFACE.len() {
                if !self.fill().await? {
                    return Err(FrameError::Cut);
                }
            }
            if !self.waiting().starts_with(&PREFACE) {
                return Err(FrameError::Preface);
            }
            self.start += PREFACE.len();
            self.next().await?.ok_or(FrameError::Cut)
        };
        tokio::time::timeout(HELLO_TIMEOUT, opening)
            .await
            .unwrap_or(Err(FrameError::Silent))
    }

    /// The next message; `None` when the stream ended between two frames.
    ///
    /// # Errors
    /// When the connection broke or says something else.
    pub async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FrameError> {
        loop {
            if let Some(value) = self.parse()? {
                return Ok(Some(value));
            }
            if !self.fill().await? {
                return match self.waiting() {
                    [] => Ok(None),
                    _ => Err(FrameError::Cut),
                };
            }
        }
    }

    fn waiting(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    fn parse<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FrameError> {
        let Some((header, rest)) = self.waiting().split_first_chunk::<HEADER_BYTES>() else {
            return Ok(None);
        };
        let word = |at: usize| {
            u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
        };
        let (length, checksum) = (word(0) as usize, word(4));
        if length > FRAME_BYTES_MAX {
            return Err(FrameError::Long(length));
        }
        let Some(body) = rest.get(..length) else {
            return Ok(None);
        };
        if crc32fast::hash(body) != checksum {
            return Err(FrameError::Checksum);
        }
        let value = wire::decode(body)?;
        self.start += HEADER_BYTES + length;
        Ok(Some(value))
    }

    async fn fill(&mut self) -> Result<bool, FrameError> {
        self.buffer.drain(..self.start);
        self.start = 0;
        // One large frame must not keep its memory for the life of the connection.
        if self.buffer.len() < READ_BYTES && self.buffer.capacity() > 4 * READ_BYTES {
            self.buffer.shrink_to(2 * READ_BYTES);
        }
        self.buffer.reserve(READ_BYTES);
        let count = self.stream.read_buf(&mut self.buffer).await?;
        Ok(count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames() -> Vec<u8> {
        let mut bytes = opening(Kind::Master(MasterId(7)));
        for text in ["one", "two"] {
            encode_frame(&text, &mut bytes).unwrap();
        }
        bytes
    }

    #[tokio::test]
    async fn frames_come_out_as_they_went_in_however_they_are_cut() {
        let bytes = frames();
        let (mut near, far) = tokio::io::duplex(3);
        tokio::spawn(async move {
            tokio::io::AsyncWriteExt::write_all(&mut near, &bytes)
                .await
                .unwrap();
        });
        let mut reader = FrameReader::new(far);
        let hello = reader.hello().await.unwrap();
        assert_eq!(hello.kind, Kind::Master(MasterId(7)));
        assert_eq!(
            reader.next::<String>().await.unwrap().as_deref(),
            Some("one")
        );
        assert_eq!(
            reader.next::<String>().await.unwrap().as_deref(),
            Some("two")
        );
        assert!(reader.next::<String>().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn every_cut_and_every_flipped_bit_is_noticed() {
        let whole = frames();
        for end in 0..whole.len() {
            let mut reader = FrameReader::new(&whole[..end]);
            let read = async {
                reader.hello().await?;
                while reader.next::<String>().await?.is_some() {}
                Ok::<_, FrameError>(())
            };
            let clean_ends = [whole.len() - 2 * 14, whole.len() - 14];
            assert_eq!(
                read.await.is_ok(),
                clean_ends.contains(&end),
                "cut at {end}"
            );
        }
        let mut changed = whole.clone();
        for bit in 0..whole.len() * 8 {
            changed[bit / 8] ^= 1 << (bit % 8);
            let mut reader = FrameReader::new(&changed[..]);
            let read = async {
                reader.hello().await?;
                while reader.next::<String>().await?.is_some() {}
                Ok::<_, FrameError>(())
            };
            assert!(read.await.is_err(), "bit {bit}");
            changed[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[tokio::test]
    async fn a_boastful_header_takes_no_memory() {
        let mut bytes = PREFACE.to_vec();
        bytes.extend_from_slice(&u32::MAX.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        let mut reader = FrameReader::new(&bytes[..]);
        assert!(matches!(reader.hello().await, Err(FrameError::Long(_))));
    }
}
