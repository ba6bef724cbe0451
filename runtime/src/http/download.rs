//! Whole files as answers, read bit by bit as the client takes them.

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use std::fs::File;
use std::future::Future;
use std::io::{self, Read, Seek, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::task::JoinHandle;

/// How much is read at once.
const STEP_BYTES: u64 = 256 << 10;

/// The file as it is from `from` on, under this name.
///
/// # Errors
/// When the host refuses.
pub fn answer(mut file: File, from: u64, name: &str) -> io::Result<Response> {
    let size = file.metadata()?.len();
    let from = file.seek(SeekFrom::Start(from.min(size)))?;
    let body = FileBody {
        left_bytes: size - from,
        state: State::Idle(file),
    };
    let mut answer = Response::new(Body::new(body));
    let headers = answer.headers_mut();
    let kind = HeaderValue::from_static("application/octet-stream");
    headers.insert(header::CONTENT_TYPE, kind);
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename={name}")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(answer)
}

struct FileBody {
    left_bytes: u64,
    state: State,
}

enum State {
    Idle(File),
    Reading(JoinHandle<io::Result<(File, Vec<u8>)>>),
    Ended,
}

fn step(mut file: File, bytes: u64) -> io::Result<(File, Vec<u8>)> {
    let mut read = Vec::new();
    Read::by_ref(&mut file).take(bytes).read_to_end(&mut read)?;
    match read.is_empty() {
        // As much was promised as there was; who is promised more must not believe it has all.
        true => Err(io::ErrorKind::UnexpectedEof.into()),
        false => Ok((file, read)),
    }
}

impl HttpBody for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.left_bytes == 0 {
            return Poll::Ready(None);
        }
        let mut reading = match std::mem::replace(&mut self.state, State::Ended) {
            State::Ended => return Poll::Ready(None),
            State::Reading(reading) => reading,
            State::Idle(file) => {
                let bytes = self.left_bytes.min(STEP_BYTES);
                tokio::task::spawn_blocking(move || step(file, bytes))
            }
        };
        let Poll::Ready(read) = Pin::new(&mut reading).poll(context) else {
            self.state = State::Reading(reading);
            return Poll::Pending;
        };
        let (file, bytes) = match read.map_err(io::Error::other).and_then(|read| read) {
            Err(error) => return Poll::Ready(Some(Err(error))),
            Ok(read) => read,
        };
        self.state = State::Idle(file);
        self.left_bytes = self.left_bytes.saturating_sub(bytes.len() as u64);
        Poll::Ready(Some(Ok(Frame::data(bytes.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.left_bytes == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use std::io::Write;

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[tokio::test]
    async fn a_file_of_many_steps_is_sent_whole() {
        let length = 3 * STEP_BYTES as usize + 7;
        let bytes: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
        for from in [0, 5, length as u64, length as u64 + 9] {
            let answer = answer(file(&bytes), from, "core").unwrap();
            let named = &answer.headers()[header::CONTENT_DISPOSITION];
            assert_eq!(named, "attachment; filename=core");
            let rest = &bytes[(from as usize).min(length)..];
            assert_eq!(answer.body().size_hint().exact(), Some(rest.len() as u64));
            let sent = answer.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(sent, rest);
        }
    }

    #[tokio::test]
    async fn a_file_that_shrinks_meanwhile_is_not_taken_for_a_whole_one() {
        let shrinking = file(&[1; 100]);
        let other = shrinking.try_clone().unwrap();
        let answer = answer(shrinking, 0, "log").unwrap();
        other.set_len(0).unwrap();
        assert!(answer.into_body().collect().await.is_err());
    }
}
