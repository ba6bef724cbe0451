//! How large a message may be.

use clap::Args;
use std::sync::OnceLock;

/// What operators may set; the defaults are those of a process that was told nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Args)]
pub struct Limits {
    /// The largest body of a request, in bytes. A call that launches ten thousand tasks has about
    /// ten million.
    #[arg(long = "max_request_bytes", env = "TEPUI_MAX_REQUEST_BYTES",
          default_value_t = Limits::DEFAULT.body_bytes)]
    pub body_bytes: usize,
    /// How many bytes the bodies of all requests at once may have; further requests are answered
    /// with 503.
    #[arg(long = "max_requests_bytes", env = "TEPUI_MAX_REQUESTS_BYTES",
          default_value_t = Limits::DEFAULT.bodies_bytes)]
    pub bodies_bytes: usize,
    /// The largest head of a request, with the target and all headers, in bytes.
    #[arg(long = "max_request_head_bytes", env = "TEPUI_MAX_REQUEST_HEAD_BYTES",
          default_value_t = Limits::DEFAULT.head_bytes,
          value_parser = head_bytes)]
    pub head_bytes: usize,
    /// The largest record of a stream that is read, in bytes.
    #[arg(long = "max_record_bytes", env = "TEPUI_MAX_RECORD_BYTES",
          default_value_t = Limits::DEFAULT.record_bytes)]
    pub record_bytes: usize,
    /// How many bytes may wait for a reader of events before it is cut off.
    #[arg(long = "max_stream_backlog_bytes", env = "TEPUI_MAX_STREAM_BACKLOG_BYTES",
          default_value_t = Limits::DEFAULT.backlog_bytes)]
    pub backlog_bytes: usize,
    /// How many HTTP connections there may be; a further one takes the place of that which was
    /// silent for longest.
    #[arg(long = "max_http_connections", env = "TEPUI_MAX_HTTP_CONNECTIONS",
          default_value_t = Limits::DEFAULT.connections,
          value_parser = clap::value_parser!(u32).range(1..))]
    pub connections: u32,
}

impl Limits {
    /// Those of a process that was told nothing.
    pub const DEFAULT: Limits = Limits {
        body_bytes: 64 << 20,
        bodies_bytes: 512 << 20,
        head_bytes: 256 << 10,
        record_bytes: 16 << 20,
        backlog_bytes: 64 << 20,
        connections: 16_384,
    };
}

/// The reader of heads needs this much room.
const HEAD_BYTES_MIN: usize = 8 << 10;

fn head_bytes(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(bytes) if bytes >= HEAD_BYTES_MIN => Ok(bytes),
        _ => Err(format!(
            "'{text}' must be a number from {HEAD_BYTES_MIN} on"
        )),
    }
}

static SET: OnceLock<Limits> = OnceLock::new();

/// Sets this process' limits, once, before anything is served.
pub fn set(limits: Limits) {
    // A second call would change what has been promised; none is made.
    let _ = SET.set(limits);
}

/// This process' limits.
#[must_use]
pub fn current() -> Limits {
    SET.get().copied().unwrap_or(Limits::DEFAULT)
}

/// How many messages may lie in each other.
pub const DEPTH_MAX: usize = 100;

/// How much memory the messages of one body may take. An empty message has two bytes on the wire
/// and hundreds in memory, so the body's length alone is no bound.
pub const MEMORY_BYTES_MAX: usize = 256 << 20;

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
