//! Answers in fewer bytes for clients that say they can read them, and requests in fewer bytes.

use super::ending;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Request, header};
use axum::response::Response;
use flate2::Compression;
use flate2::write::{GzDecoder, GzEncoder};
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame};
use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

const GZIP: HeaderValue = HeaderValue::from_static("gzip");

/// Shorter answers are sent as they are, as Mesos does.
const COMPRESSED_BYTES_MIN: u64 = 1_024;

/// Longer answers are compressed on a thread of their own.
const AT_ONCE_BYTES_MAX: usize = 16 << 10;

/// How much is decompressed at once. A byte becomes a thousand at most.
const STEP_BYTES: usize = 4 << 10;

/// Whether the client reads gzip: it says so, or that it reads anything.
#[must_use]
pub fn is_read(headers: &HeaderMap) -> bool {
    let said = headers.get_all(header::ACCEPT_ENCODING);
    let said: Vec<&str> = said
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    let codings = || said.iter().flat_map(|value| value.split(','));
    let weight = |wanted: &str| {
        codings().find_map(|coding| {
            let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
            let weight = parameters.trim().strip_prefix("q=");
            let weight = weight.map_or(Some(1.0), |weight| weight.trim().parse::<f32>().ok());
            let is_meant = name.trim().eq_ignore_ascii_case(wanted);
            is_meant.then_some(weight.unwrap_or(0.0))
        })
    };
    weight("gzip").or_else(|| weight("*")).unwrap_or(0.0) > 0.0
}

/// The answer in fewer bytes; streams stay as they are.
pub async fn compress(answer: Response) -> Response {
    let length = answer.body().size_hint().exact().unwrap_or(0);
    // Files to be kept are read as they are sent, never whole.
    let as_it_is = [header::CONTENT_ENCODING, header::CONTENT_DISPOSITION];
    let as_it_is = as_it_is
        .iter()
        .any(|name| answer.headers().contains_key(name));
    if length < COMPRESSED_BYTES_MIN || as_it_is {
        return answer;
    }
    let (mut head, body) = answer.into_parts();
    let Ok(whole) = body.collect().await else {
        return ending();
    };
    let whole = whole.to_bytes();
    let compressed = match whole.len() <= AT_ONCE_BYTES_MAX {
        true => compressed(&whole),
        false => match tokio::task::spawn_blocking(move || compressed(&whole)).await {
            Ok(compressed) => compressed,
            Err(_) => return ending(),
        },
    };
    head.headers.remove(header::CONTENT_LENGTH);
    head.headers.insert(header::CONTENT_ENCODING, GZIP);
    Response::from_parts(head, Body::from(compressed))
}

fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.expect("memory takes whatever is written")
}

/// The request with its body as it was before the client compressed it.
#[must_use]
pub fn decompress<B>(request: Request<B>) -> Request<Body>
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<axum::BoxError>,
{
    let coding = request.headers().get(header::CONTENT_ENCODING);
    if coding.is_none_or(|coding| coding != GZIP) {
        return request.map(Body::new);
    }
    let (mut head, body) = request.into_parts();
    head.headers.remove(header::CONTENT_ENCODING);
    head.headers.remove(header::CONTENT_LENGTH);
    let decompressing = Decompressing {
        body,
        waiting: Bytes::new(),
        decoder: Some(GzDecoder::new(Vec::new())),
    };
    Request::from_parts(head, Body::new(decompressing))
}

/// A body that is decompressed bit by bit, so that whoever bounds it need not hold all of it.
struct Decompressing<B> {
    body: B,
    waiting: Bytes,
    /// Nothing after the end.
    decoder: Option<GzDecoder<Vec<u8>>>,
}

impl<B> HttpBody for Decompressing<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<axum::BoxError>,
{
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let this = &mut *self;
        loop {
            let Some(decoder) = &mut this.decoder else {
                return Poll::Ready(None);
            };
            let done: io::Result<Vec<u8>> = if this.waiting.is_empty() {
                match ready!(Pin::new(&mut this.body).poll_frame(context)) {
                    Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                    Some(Ok(frame)) => {
                        this.waiting = frame.into_data().unwrap_or_default();
                        continue;
                    }
                    None => match this.decoder.take() {
                        Some(decoder) => decoder.finish(),
                        None => return Poll::Ready(None),
                    },
                }
            } else {
                let step = this.waiting.split_to(this.waiting.len().min(STEP_BYTES));
                let written = decoder.write_all(&step);
                written.map(|()| std::mem::take(decoder.get_mut()))
            };
            match done {
                Err(error) => {
                    this.decoder = None;
                    return Poll::Ready(Some(Err(error.into())));
                }
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => return Poll::Ready(Some(Ok(Frame::data(bytes.into())))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::body;
    use axum::http::StatusCode;
    use std::time::Duration;

    fn accepting(text: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(text));
        is_read(&headers)
    }

    #[test]
    fn a_client_says_whether_it_reads_gzip() {
        assert!(!is_read(&HeaderMap::new()));
        for yes in ["gzip", "deflate, GZIP;q=0.5", "*", "identity;q=0, * ; q=1"] {
            assert!(accepting(yes), "{yes}");
        }
        for no in [
            "",
            "identity",
            "gzip;q=0",
            "gzip;q=0.0, *",
            "*;q=0",
            "gzip;q=x",
        ] {
            assert!(!accepting(no), "{no}");
        }
    }

    async fn read(bytes: Vec<u8>, bytes_max: usize) -> Result<Bytes, Response> {
        let request = Request::builder().header(header::CONTENT_ENCODING, "gzip");
        let request = request.body(Body::from(bytes)).unwrap();
        let body = decompress(request).into_body();
        body::read(body, bytes_max, Duration::from_secs(60)).await
    }

    #[tokio::test]
    async fn what_is_compressed_is_read_as_it_was() {
        for length in [1_023, 1_024, 100_000] {
            let text = "abcdefg ".repeat(length).into_bytes();
            let mut answer = Response::new(Body::from(text[..length].to_vec()));
            answer = compress(answer).await;
            let is_short = length < 1_024;
            assert_eq!(
                answer.headers().get(header::CONTENT_ENCODING).is_none(),
                is_short
            );
            let sent = answer.into_body().collect().await.unwrap().to_bytes();
            if !is_short {
                assert!(sent.len() < length / 2);
                assert_eq!(read(sent.to_vec(), length).await.unwrap(), text[..length]);
            }
        }
    }

    #[tokio::test]
    async fn a_small_body_that_would_become_a_huge_one_is_refused() {
        let bomb = compressed(&vec![0; 64 << 20]);
        assert!(bomb.len() < 1 << 20);
        let refused = read(bomb, 1 << 20).await.unwrap_err();
        assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
        for bad in [
            b"no gzip at all".to_vec(),
            compressed(b"cut off")[..12].to_vec(),
        ] {
            let refused = read(bad, 1 << 20).await.unwrap_err();
            assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
        }
    }
}
