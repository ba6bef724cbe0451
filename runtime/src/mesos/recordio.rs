//! RecordIO: each record behind its length in decimal digits and a newline.

use thiserror::Error;

/// The longest length that is read: the digits of 2^64.
const HEADER_BYTES_MAX: usize = 20;

/// The record as it stands in a stream.
#[must_use]
pub fn encode(record: &[u8]) -> Vec<u8> {
    let mut out = format!("{}\n", record.len()).into_bytes();
    out.extend_from_slice(record);
    out
}

/// Why a stream cannot be read any further.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RecordError {
    /// No length where one should be.
    #[error("Failed to decode length '{0}'")]
    Length(String),
    /// Longer than the reader wants.
    #[error("A record of {length} bytes is too long: at most {limit}")]
    Long {
        /// What the stream says.
        length: u64,
        /// What the reader said.
        limit: usize,
    },
    /// It failed before.
    #[error("Decoder is in a FAILED state")]
    Failed,
}

/// Takes records out of a stream that comes in pieces.
#[derive(Debug)]
pub struct Decoder {
    limit: usize,
    state: State,
    buffer: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Header,
    Record { length: usize },
    Failed,
}

impl Decoder {
    /// One that refuses records of more than `limit` bytes.
    #[must_use]
    pub const fn new(limit: usize) -> Decoder {
        Decoder {
            limit,
            state: State::Header,
            buffer: Vec::new(),
        }
    }

    /// The records that end in `piece`, in order.
    ///
    /// # Errors
    /// When the stream is no RecordIO or a record is too long; then, and ever after.
    pub fn decode(&mut self, mut piece: &[u8]) -> Result<Vec<Vec<u8>>, RecordError> {
        let mut records = Vec::new();
        while !piece.is_empty() {
            match self.state {
                State::Failed => return Err(RecordError::Failed),
                State::Header => piece = self.header(piece)?,
                State::Record { length } => {
                    let wanted = length - self.buffer.len();
                    let (taken, rest) = piece.split_at(wanted.min(piece.len()));
                    self.buffer.extend_from_slice(taken);
                    piece = rest;
                }
            }
            if self.state
                == (State::Record {
                    length: self.buffer.len(),
                })
            {
                records.push(std::mem::take(&mut self.buffer));
                self.state = State::Header;
            }
        }
        Ok(records)
    }

    /// Whether the stream may end here: not in the middle of a record.
    #[must_use]
    pub fn is_between_records(&self) -> bool {
        self.state == State::Header && self.buffer.is_empty()
    }

    /// Reads of a length what is there; returns what is behind it.
    fn header<'a>(&mut self, piece: &'a [u8]) -> Result<&'a [u8], RecordError> {
        let end = piece.iter().position(|byte| *byte == b'\n');
        let digits = &piece[..end.unwrap_or(piece.len())];
        let room = HEADER_BYTES_MAX - self.buffer.len();
        self.buffer
            .extend_from_slice(&digits[..digits.len().min(room)]);
        if digits.len() > room || !self.buffer.iter().all(u8::is_ascii_digit) {
            return Err(self.fail_at_length());
        }
        let Some(end) = end else { return Ok(&[]) };
        let text = std::str::from_utf8(&self.buffer).unwrap_or_default();
        let Ok(length) = text.parse::<u64>() else {
            return Err(self.fail_at_length());
        };
        self.buffer.clear();
        match usize::try_from(length) {
            Ok(length) if length <= self.limit => self.state = State::Record { length },
            _ => {
                self.state = State::Failed;
                let limit = self.limit;
                return Err(RecordError::Long { length, limit });
            }
        }
        Ok(&piece[end + 1..])
    }

    fn fail_at_length(&mut self) -> RecordError {
        self.state = State::Failed;
        let text = String::from_utf8_lossy(&self.buffer).into_owned();
        self.buffer.clear();
        RecordError::Length(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_out_however_the_stream_is_cut() {
        let records: [&[u8]; 4] = [b"one", b"", b"3\n3\n", &[b'x'; 300]];
        let stream: Vec<u8> = records.iter().flat_map(|record| encode(record)).collect();
        for size in 1..stream.len() {
            let mut decoder = Decoder::new(300);
            let mut found = Vec::new();
            for piece in stream.chunks(size) {
                found.extend(decoder.decode(piece).unwrap());
            }
            assert_eq!(found, records, "pieces of {size}");
            assert!(decoder.is_between_records());
        }
    }

    #[test]
    fn a_stream_that_is_none_is_refused_for_good() {
        let bad: [&[u8]; 5] = [b"x", b"-1\n", b"\n", b" 3\nabc", b"123456789012345678901"];
        for bytes in bad {
            let mut decoder = Decoder::new(300);
            assert!(matches!(decoder.decode(bytes), Err(RecordError::Length(_))));
            assert_eq!(decoder.decode(b"1\na"), Err(RecordError::Failed));
        }
    }

    #[test]
    fn a_record_that_is_too_long_is_refused_before_it_is_kept() {
        let mut decoder = Decoder::new(300);
        let (length, limit) = (301, 300);
        let long = RecordError::Long { length, limit };
        assert_eq!(decoder.decode(b"301\n"), Err(long));
        assert!(Decoder::new(300).decode(b"99999999999999999999\n").is_err());
    }
}
