//! The input and output of a container that goes through the agent.

use std::io::pipe;
use std::os::fd::OwnedFd;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::sync::{Semaphore, broadcast, mpsc};

/// How many pieces wait for a listener; one that falls further behind loses some.
const PIECES_MAX: usize = 1_024;

/// How long a piece is at most.
const PIECE_BYTES: usize = 16 << 10;

/// Which output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Its standard output.
    Stdout,
    /// Its standard error.
    Stderr,
}

/// One piece of output.
pub type Piece = (Output, Arc<[u8]>);

/// A container's input and output.
#[derive(Clone, Debug)]
pub struct Session {
    input: Arc<Mutex<Option<mpsc::Sender<Vec<u8>>>>>,
    output: Arc<Mutex<Option<broadcast::Sender<Piece>>>>,
    /// Holds output back until somebody listens.
    listened: Arc<Semaphore>,
}

impl Session {
    /// Connects a program that is about to start. Needs a runtime around it.
    ///
    /// # Errors
    /// When the host has no more pipes.
    pub fn connect(command: &mut Command) -> Result<Session, String> {
        let failed = |error: std::io::Error| format!("cannot make a pipe: {error}");
        let (stdin, input) = pipe().map_err(failed)?;
        let (out, stdout) = pipe().map_err(failed)?;
        let (err, stderr) = pipe().map_err(failed)?;
        command.stdin(stdin).stdout(stdout).stderr(stderr);
        let input = Sender::from_owned_fd(OwnedFd::from(input)).map_err(failed)?;
        let out = Receiver::from_owned_fd(OwnedFd::from(out)).map_err(failed)?;
        let err = Receiver::from_owned_fd(OwnedFd::from(err)).map_err(failed)?;
        let (input_sender, input_pieces) = mpsc::channel(PIECES_MAX);
        let (output_sender, _) = broadcast::channel(PIECES_MAX);
        let session = Session {
            input: Arc::new(Mutex::new(Some(input_sender))),
            output: Arc::new(Mutex::new(Some(output_sender.clone()))),
            listened: Arc::new(Semaphore::new(0)),
        };
        tokio::spawn(write(input, input_pieces));
        let listened = Arc::clone(&session.listened);
        let output = Arc::clone(&session.output);
        tokio::spawn(async move {
            // What nobody hears would be lost.
            let _ = listened.acquire().await;
            let stdout = read(out, Output::Stdout, output_sender.clone());
            let stderr = read(err, Output::Stderr, output_sender);
            tokio::join!(stdout, stderr);
            output.lock().unwrap_or_else(PoisonError::into_inner).take();
        });
        Ok(session)
    }

    /// What comes out of it from now on; `None` when that is over.
    #[must_use]
    pub fn listen(&self) -> Option<broadcast::Receiver<Piece>> {
        let output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        let receiver = output.as_ref().map(broadcast::Sender::subscribe);
        self.listened.add_permits(1);
        receiver
    }

    /// Where its input goes; `None` when that is closed.
    #[must_use]
    pub fn input(&self) -> Option<mpsc::Sender<Vec<u8>>> {
        let input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        input.clone()
    }

    /// Closes its input.
    pub fn end_input(&self) {
        self.input
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
    }
}

async fn write(mut input: Sender, mut pieces: mpsc::Receiver<Vec<u8>>) {
    while let Some(piece) = pieces.recv().await {
        // The program may not read any more.
        if input.write_all(&piece).await.is_err() {
            return;
        }
    }
}

async fn read(mut from: Receiver, output: Output, to: broadcast::Sender<Piece>) {
    let mut bytes = vec![0; PIECE_BYTES];
    while let Ok(count) = from.read(&mut bytes).await {
        if count == 0 {
            return;
        }
        // Without listeners the program goes on all the same.
        let _ = to.send((output, Arc::from(&bytes[..count])));
    }
}
