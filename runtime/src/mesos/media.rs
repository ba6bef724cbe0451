//! Which codec a request speaks, and which one its answer shall speak.

use super::json;
use super::limits;
use super::protobuf;
use super::reflect::Message;
use thiserror::Error;

/// The media type of JSON.
pub const JSON: &str = "application/json";
/// The media type of protobuf.
pub const PROTOBUF: &str = "application/x-protobuf";
/// The media type of a stream of records, each of the type that another header names.
pub const RECORDIO: &str = "application/recordio";
/// Names the type of the records of a request.
pub const MESSAGE_CONTENT_TYPE: &str = "Message-Content-Type";
/// Names the type of records that an answer may have.
pub const MESSAGE_ACCEPT: &str = "Message-Accept";

/// How one message is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// As JSON.
    Json,
    /// As protobuf.
    Protobuf,
}

impl Codec {
    /// Its media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Codec::Json => JSON,
            Codec::Protobuf => PROTOBUF,
        }
    }

    /// The bytes of `message`.
    #[must_use]
    pub fn encode<M: Message>(self, message: &M) -> Vec<u8> {
        match self {
            Codec::Json => json::encode(message),
            Codec::Protobuf => protobuf::encode(message),
        }
    }

    /// The message in `bytes`.
    ///
    /// # Errors
    /// 413 when they are too many, 400 when they are no such message.
    pub fn decode<M: Message>(self, bytes: &[u8]) -> Result<M, Refusal> {
        if bytes.len() > limits::current().body_bytes {
            return Err(Refusal::too_large());
        }
        match self {
            Codec::Json => json::decode(bytes).map_err(|error| Refusal::bad(error.to_string())),
            Codec::Protobuf => protobuf::decode(bytes).map_err(|_| {
                let name = M::NAME;
                Refusal::bad(format!("Failed to parse body into {name} protobuf"))
            }),
        }
    }

    fn of(media_type: &str) -> Option<Codec> {
        match media_type {
            JSON => Some(Codec::Json),
            PROTOBUF => Some(Codec::Protobuf),
            _ => None,
        }
    }
}

/// A "no" with its HTTP status, in Mesos' words.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{text}")]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub text: String,
    /// The value of `Allow`, with status 405.
    pub allow: Option<&'static str>,
}

impl Refusal {
    fn new(status: u16, text: impl Into<String>) -> Refusal {
        Refusal {
            status,
            text: text.into(),
            allow: None,
        }
    }

    /// 400: the request makes no sense.
    #[must_use]
    pub fn bad(text: impl Into<String>) -> Refusal {
        Refusal::new(400, text)
    }

    /// 413: the body is longer than [`limits::Limits::body_bytes`].
    #[must_use]
    pub fn too_large() -> Refusal {
        let text = format!(
            "The body is too long: at most {} bytes",
            limits::current().body_bytes
        );
        Refusal::new(413, text)
    }

    /// 405: the call is made with another method.
    #[must_use]
    pub fn method(allowed: &'static str, received: &str) -> Refusal {
        let text = format!(
            "405 Method Not Allowed. Expecting one of {{ '{allowed}' }}, but received '{received}'."
        );
        Refusal {
            allow: Some(allowed),
            ..Refusal::new(405, text)
        }
    }
}

/// The headers of a request that say how it and its answer are written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Headers<'a> {
    /// `Content-Type`
    pub content_type: Option<&'a str>,
    /// `Accept`
    pub accept: Option<&'a str>,
    /// `Message-Content-Type`
    pub message_content_type: Option<&'a str>,
    /// `Message-Accept`
    pub message_accept: Option<&'a str>,
}

/// How a request and its answer are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Media {
    /// The call, or each of its records.
    pub request: Codec,
    /// Whether the body is a stream of records, of which the first is the call.
    pub request_streams: bool,
    /// The answer, or each of its records.
    pub answer: Codec,
    /// Whether an answer that is a stream says so with [`RECORDIO`] as its media type.
    pub answer_streams: bool,
}

impl Media {
    /// The value of `Content-Type` of the answer.
    #[must_use]
    pub const fn answer_type(self) -> &'static str {
        match self.answer_streams {
            true => RECORDIO,
            false => self.answer.media_type(),
        }
    }
}

/// How a call to a master, or of an executor, is written.
///
/// # Errors
/// 400 or 415.
pub fn request_codec(headers: Headers<'_>) -> Result<Codec, Refusal> {
    match headers.content_type {
        None => Err(Refusal::bad("Expecting 'Content-Type' to be present")),
        Some(media_type) => Codec::of(media_type).ok_or_else(|| {
            let text = format!("Expecting 'Content-Type' of {JSON} or {PROTOBUF}");
            Refusal::new(415, text)
        }),
    }
}

/// How the answer to such a call is written. Mesos asks only where there is an answer: of
/// schedulers' and executors' calls, SUBSCRIBE.
///
/// # Errors
/// 406.
pub fn answer_codec(headers: Headers<'_>) -> Result<Codec, Refusal> {
    accepted(headers.accept).ok_or_else(|| {
        let text = format!("Expecting 'Accept' to allow '{PROTOBUF}' or '{JSON}'");
        Refusal::new(406, text)
    })
}

/// For masters: one message each way. What the answer's stream looks like follows from the call,
/// not from the headers.
///
/// # Errors
/// 400, 415 or 406.
pub fn negotiate(headers: Headers<'_>) -> Result<Media, Refusal> {
    Ok(Media {
        request: request_codec(headers)?,
        request_streams: false,
        answer: answer_codec(headers)?,
        answer_streams: false,
    })
}

/// For agents, whose calls may be streams of records, and so may be their answers.
///
/// # Errors
/// 400, 415 or 406.
pub fn negotiate_streaming(headers: Headers<'_>) -> Result<Media, Refusal> {
    let (request, request_streams) = streaming_request(headers)?;
    let (answer, answer_streams) = match accepted(headers.accept) {
        Some(answer) => (answer, false),
        None if accepts(headers.accept, RECORDIO) => {
            let answer = accepted(headers.message_accept).ok_or_else(|| {
                let text = format!("Expecting '{MESSAGE_ACCEPT}' to allow {JSON} or {PROTOBUF}");
                Refusal::new(406, text)
            })?;
            (answer, true)
        }
        None => {
            let text = format!("Expecting 'Accept' to allow {JSON} or {PROTOBUF} or {RECORDIO}");
            return Err(Refusal::new(406, text));
        }
    };
    if !answer_streams && headers.message_accept.is_some() {
        let text =
            format!("Expecting '{MESSAGE_ACCEPT}' to be not set for non-streaming responses");
        return Err(Refusal::new(406, text));
    }
    Ok(Media {
        request,
        request_streams,
        answer,
        answer_streams,
    })
}

fn streaming_request(headers: Headers<'_>) -> Result<(Codec, bool), Refusal> {
    let Some(content_type) = headers.content_type else {
        return Err(Refusal::bad("Expecting 'Content-Type' to be present"));
    };
    if content_type == RECORDIO {
        let Some(media_type) = headers.message_content_type else {
            let text =
                format!("Expecting '{MESSAGE_CONTENT_TYPE}' to be set for streaming requests");
            return Err(Refusal::bad(text));
        };
        let codec = Codec::of(media_type).ok_or_else(|| {
            let text = format!("Expecting '{MESSAGE_CONTENT_TYPE}' of {JSON} or {PROTOBUF}");
            Refusal::new(415, text)
        })?;
        return Ok((codec, true));
    }
    let codec = Codec::of(content_type).ok_or_else(|| {
        let text = format!("Expecting 'Content-Type' of {JSON} or {PROTOBUF} or {RECORDIO}");
        Refusal::new(415, text)
    })?;
    if headers.message_content_type.is_some() {
        let text =
            format!("Expecting '{MESSAGE_CONTENT_TYPE}' to be not set for non-streaming requests");
        return Err(Refusal::new(415, text));
    }
    Ok((codec, false))
}

/// JSON where that is accepted, otherwise protobuf.
fn accepted(header: Option<&str>) -> Option<Codec> {
    [Codec::Json, Codec::Protobuf]
        .into_iter()
        .find(|codec| accepts(header, codec.media_type()))
}

/// Whether an `Accept` header allows `media_type`; without one everything is allowed. Weights are
/// not compared, as in Mesos; a weight of zero is a "no".
#[must_use]
pub fn accepts(header: Option<&str>, media_type: &str) -> bool {
    let Some(header) = header else { return true };
    header.split(',').any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let range = parts.next().unwrap_or_default();
        let refused = parts.any(|part| {
            let weight = part.strip_prefix("q=");
            weight.is_some_and(|weight| weight.trim().parse() == Ok(0.0))
        });
        let folder = range.strip_suffix("/*");
        let within = |folder: &str| media_type.split('/').next() == Some(folder);
        let named = range == media_type || range == "*/*" || folder.is_some_and(within);
        named && !refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers<'a>(content_type: &'a str, accept: &'a str) -> Headers<'a> {
        Headers {
            content_type: (!content_type.is_empty()).then_some(content_type),
            accept: (!accept.is_empty()).then_some(accept),
            ..Headers::default()
        }
    }

    #[test]
    fn refusals_say_what_mesos_says() {
        let of = |content_type, accept| {
            let refusal = negotiate(headers(content_type, accept)).unwrap_err();
            (refusal.status, refusal.text)
        };
        let types = "Expecting 'Content-Type' of application/json or application/x-protobuf";
        let charset = "application/json; charset=utf-8";
        assert_eq!(of(charset, ""), (415, types.to_owned()));
        assert_eq!(of("text/plain", "text/html"), (415, types.to_owned()));
        let present = "Expecting 'Content-Type' to be present";
        assert_eq!(of("", ""), (400, present.to_owned()));
        let allow = "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'";
        assert_eq!(of(JSON, "text/html"), (406, allow.to_owned()));
        let method = Refusal::method("POST", "GET");
        let text = "405 Method Not Allowed. Expecting one of { 'POST' }, but received 'GET'.";
        assert_eq!((method.status, method.text.as_str()), (405, text));
    }

    #[test]
    fn json_is_preferred_where_both_are_accepted() {
        for accept in [
            "",
            "*/*",
            "application/*",
            "text/html, application/json;q=0.1",
        ] {
            let media = negotiate(headers(PROTOBUF, accept)).unwrap();
            assert_eq!(media.request, Codec::Protobuf);
            assert_eq!(media.answer, Codec::Json, "{accept}");
        }
        let both = "application/json;q=0, application/x-protobuf";
        assert_eq!(
            negotiate(headers(JSON, both)).unwrap().answer,
            Codec::Protobuf
        );
    }

    #[test]
    fn records_need_their_own_type() {
        let stream = Headers {
            content_type: Some(RECORDIO),
            accept: Some(RECORDIO),
            ..Headers::default()
        };
        assert_eq!(negotiate_streaming(stream).unwrap_err().status, 400);
        let stream = Headers {
            message_content_type: Some(PROTOBUF),
            message_accept: Some(PROTOBUF),
            ..stream
        };
        let media = negotiate_streaming(stream).unwrap();
        assert_eq!(
            (media.request, media.request_streams),
            (Codec::Protobuf, true)
        );
        assert_eq!(
            (media.answer, media.answer_type()),
            (Codec::Protobuf, RECORDIO)
        );
        let plain = Headers {
            content_type: Some(JSON),
            accept: Some(JSON),
            ..stream
        };
        assert_eq!(negotiate_streaming(plain).unwrap_err().status, 415);
        let plain = Headers {
            message_content_type: None,
            ..plain
        };
        assert_eq!(negotiate_streaming(plain).unwrap_err().status, 406);
    }
}
