//! How large a message may be.

/// The largest body of a request. A call that launches ten thousand tasks has about ten million
/// bytes.
pub const BODY_BYTES_MAX: usize = 64 << 20;

/// The largest record that is read from a stream of records.
pub const RECORD_BYTES_MAX: usize = 16 << 20;

/// How many messages may lie in each other.
pub const DEPTH_MAX: usize = 100;

/// How much memory the messages of one body may take. An empty message has two bytes on the wire
/// and hundreds in memory, so the body's length alone is no bound.
pub const MEMORY_BYTES_MAX: usize = 512 << 20;

/// What is left of the memory that one body may take.
#[derive(Debug)]
pub struct Budget {
    bytes_left: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Budget {
            bytes_left: MEMORY_BYTES_MAX,
        }
    }
}

impl Budget {
    /// Takes away; false when it is used up.
    #[must_use]
    pub fn spend(&mut self, bytes: usize) -> bool {
        match self.bytes_left.checked_sub(bytes) {
            Some(left) => {
                self.bytes_left = left;
                true
            }
            None => false,
        }
    }
}
