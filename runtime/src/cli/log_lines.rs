//! Where log lines go: to a file or standard error, many with one write where many come at once.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;
use tracing_subscriber::fmt::MakeWriter;

/// How long a line waits for others. A write for each line would cost a busy node more than most
/// of what it logs.
const WAIT: Duration = Duration::from_millis(2);

/// When nobody waits any longer: whoever logs more writes all of it.
const WAITING_BYTES_MAX: usize = 1 << 20;

/// Lines on their way. Clones share them.
#[derive(Clone)]
pub(super) struct LogLines {
    shared: Arc<Shared>,
}

struct Shared {
    waiting: Mutex<Vec<u8>>,
    first: Condvar,
    /// Locked after `waiting`, so that lines stay in order.
    target: Mutex<Box<dyn Write + Send>>,
}

impl LogLines {
    /// Lines for `target`, which a thread of its own writes as long as the process lives.
    ///
    /// # Errors
    /// When there can be no more threads.
    pub(super) fn start(target: Box<dyn Write + Send>) -> io::Result<LogLines> {
        let lines = LogLines {
            shared: Arc::new(Shared {
                waiting: Mutex::default(),
                first: Condvar::new(),
                target: Mutex::new(target),
            }),
        };
        let written = lines.clone();
        thread::Builder::new()
            .name(String::from("log"))
            .spawn(move || written.write_for_ever())?;
        Ok(lines)
    }

    /// Writes what waits.
    pub(super) fn flush(&self) {
        self.write(self.waiting());
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<u8>> {
        let waiting = self.shared.waiting.lock();
        waiting.unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, mut waiting: MutexGuard<'_, Vec<u8>>) {
        let target = self.shared.target.lock();
        let mut target = target.unwrap_or_else(PoisonError::into_inner);
        let lines = std::mem::take(&mut *waiting);
        drop(waiting);
        // Nobody is left to be told of a log that cannot be written.
        let _ = target.write_all(&lines);
    }

    fn write_for_ever(&self) {
        loop {
            let empty = |waiting: &mut Vec<u8>| waiting.is_empty();
            let waiting = self.shared.first.wait_while(self.waiting(), empty);
            drop(waiting.unwrap_or_else(PoisonError::into_inner));
            thread::sleep(WAIT);
            self.flush();
        }
    }
}

impl Write for LogLines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut waiting = self.waiting();
        if waiting.is_empty() {
            self.shared.first.notify_one();
        }
        waiting.extend_from_slice(line);
        if waiting.len() > WAITING_BYTES_MAX {
            LogLines::write(self, waiting);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogLines {
    type Writer = LogLines;

    fn make_writer(&'a self) -> LogLines {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn lines_come_whole_in_order_and_all_of_them() {
        let (mut reader, writer) = io::pipe().unwrap();
        let lines = LogLines::start(Box::new(writer)).unwrap();
        let numbers = 0..100_000;
        let expected: String = numbers.clone().map(|n| format!("{n}\n")).collect();
        let mut mine = lines.clone();
        let length = expected.len();
        let reading = thread::spawn(move || {
            let mut read = vec![0; length];
            reader.read_exact(&mut read).map(|()| read)
        });
        for number in numbers {
            mine.write_all(format!("{number}\n").as_bytes()).unwrap();
        }
        lines.flush();
        let read = reading.join().unwrap().unwrap();
        assert!(read == expected.as_bytes(), "lines are missing or mixed");
    }
}
