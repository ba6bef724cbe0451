//! The v1 scheduler API of the master.
//!
//! A subscription is one of the node's peers: its events come out of the core as they would over a
//! connection of our own, and the calls of its framework, each a request of its own, go in as if
//! they came through it. What may be refused without the core is refused here, in the order and
//! with the texts of the reference.

mod stream;
mod streams;

pub use stream::{CutOff, EventStream, Held};
pub use streams::{Answer, Astray, Reading, Streams};

use super::hangup::Hangup;
use super::leader::{Leader, Standing, to_leader};
use super::refusal::media_headers;
use crate::driver::Handle;
use crate::mesos::convert::scheduler::{Called, call_to_core};
use crate::mesos::limits;
use crate::mesos::media::{self, Codec, Headers, Refusal};
use crate::mesos::v1::scheduler::{Call as Wire, call::Type};
use crate::net::listener::InboundNames;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use std::time::Duration;
use tepui_core::ids::{FrameworkId, Peer};
use tepui_core::master::{Input, MasterNode};
use tepui_core::message::Reject;
use tepui_core::message::scheduler::{Call, CallId, ToMaster};

/// How long a call's body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);

/// The header that names a subscription.
const STREAM_ID: &str = "Mesos-Stream-Id";

/// What the handler needs.
#[derive(Clone, Debug)]
pub struct SchedulerHttp {
    /// The machine.
    pub node: Handle<MasterNode>,
    /// Who leads.
    pub leader: Leader,
    /// The subscriptions.
    pub streams: Streams,
    /// Names the subscriptions, in one row with the connections of our own.
    pub names: InboundNames,
}

/// The scheduler API, with and without the master's prefix.
pub fn router(api: SchedulerHttp) -> Router {
    Router::new()
        .route("/api/v1/scheduler", any(answer))
        .route("/master/api/v1/scheduler", any(answer))
        .with_state(api)
}

async fn answer(State(api): State<SchedulerHttp>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if let Some(elsewhere) = api.elsewhere(&parts) {
        return elsewhere;
    }
    let call = match read(&parts, body).await {
        Ok(call) => call,
        Err(refusal) => return refusal,
    };
    let converted = call_to_core(&call);
    // What is wrong with a call whoever makes it is said before anybody looks who does.
    if let Err(why @ Reject::Invalid(_)) = &converted {
        return refusal(why, &parts);
    }
    match call.r#type {
        Some(Type::Subscribe) => api.subscribe(&parts, converted).await,
        _ => api.call(&parts, &call, converted).await,
    }
}

/// The call, if it is one.
async fn read(parts: &Parts, body: Body) -> Result<Wire, Response> {
    if parts.method != Method::POST {
        return Err(Refusal::method("POST", parts.method.as_str()).into_response());
    }
    let accept = None;
    let headers = media_headers(&parts.headers);
    // Only some calls have an answer, and only those say what it may look like.
    let media = media::negotiate(Headers { accept, ..headers });
    let codec = media.map_err(IntoResponse::into_response)?.request;
    let body = super::body::read(body, limits::current().body_bytes, BODY_TIMEOUT).await?;
    codec.decode(&body).map_err(IntoResponse::into_response)
}

fn bad_request(why: impl Into<String>) -> Response {
    (StatusCode::BAD_REQUEST, why.into()).into_response()
}

fn stream_id(headers: &HeaderMap) -> Option<&str> {
    headers.get(STREAM_ID).map(|id| id.to_str().unwrap_or(""))
}

fn path_and_query(parts: &Parts) -> &str {
    let whole = parts.uri.path_and_query();
    whole.map_or("/", |whole| whole.as_str())
}

impl SchedulerHttp {
    fn elsewhere(&self, parts: &Parts) -> Option<Response> {
        let leader = match self.leader.standing() {
            Standing::Here => return None,
            Standing::Elsewhere(leader) => Some(leader),
            Standing::Nobody => None,
        };
        Some(to_leader(leader.as_ref(), path_and_query(parts)))
    }

    async fn subscribe(&self, parts: &Parts, call: Result<Called, Reject>) -> Response {
        let codec = match media::negotiate(media_headers(&parts.headers)) {
            Ok(media) => media.answer,
            Err(refusal) => return refusal.into_response(),
        };
        if stream_id(&parts.headers).is_some() {
            let why = "Subscribe calls should not include the 'Mesos-Stream-Id' header";
            return bad_request(why);
        }
        let peer = self.names.next();
        let hangup = parts.extensions.get::<Hangup>().cloned();
        let reading = self.streams.open(peer, hangup);
        let held = Held {
            peer,
            streams: self.streams.clone(),
            node: self.node.clone(),
        };
        let name = reading.stream_id.clone();
        let stream = EventStream::new(reading, codec, held);
        let answer = match call {
            Ok(called) => self.ask(peer, called).await,
            Err(why) => Some(Err(why)),
        };
        match answer {
            Some(Ok(())) => streaming(stream, &name, codec),
            Some(Err(why @ (Reject::NotLeading { .. } | Reject::Busy(_)))) => refusal(&why, parts),
            Some(Err(why)) => streaming(stream.refused(why.to_string()), &name, codec),
            None => super::ending(),
        }
    }

    async fn call(&self, parts: &Parts, call: &Wire, called: Result<Called, Reject>) -> Response {
        if call.r#type == Some(Type::ReconcileOperations)
            && let Err(refusal) = media::negotiate(media_headers(&parts.headers))
        {
            return refusal.into_response();
        }
        let named = call.framework_id.as_ref();
        let named = named.and_then(|id| id.value.as_deref());
        let stream_id = stream_id(&parts.headers);
        let peer = match self.find(named.unwrap_or_default(), stream_id).await {
            Ok(peer) => peer,
            Err(refusal) => return refusal,
        };
        let called = match called {
            _ if call.r#type == Some(Type::Unknown) => {
                return StatusCode::NOT_IMPLEMENTED.into_response();
            }
            Ok(called) => called,
            Err(why) => return refusal(&why, parts),
        };
        let taken = match called.call {
            Call::UpdateFramework { .. } => StatusCode::OK,
            _ => StatusCode::ACCEPTED,
        };
        match self.ask(peer, called).await {
            Some(Ok(())) => taken.into_response(),
            Some(Err(why)) => refusal(&why, parts),
            // The subscription ended before the call's turn came. If the leadership did, the call
            // looks as it would had the master died: clients know what to make of that.
            None => match self.elsewhere(parts) {
                Some(elsewhere) => hung_up(parts, elsewhere),
                None => not_subscribed(),
            },
        }
    }

    /// Brings a call to the core and waits for its answer. `None` when the subscription, or the
    /// node, ended before.
    async fn ask(&self, peer: Peer, called: Called) -> Option<Answer> {
        let Called { framework_id, call } = called;
        let refined = match &call {
            Call::Subscribe { framework, .. } | Call::UpdateFramework { framework, .. } => {
                Some(framework.capabilities.reservation_refinement)
            }
            _ => None,
        };
        let (id, answered) = self.streams.expect_answer(peer, refined)?;
        assert_ne!(id, CallId(0), "0 asks for no answer");
        let message = ToMaster {
            id,
            framework_id,
            call,
        };
        let input = Input::FromScheduler { peer, message };
        if !self.node.input(input).await {
            return None;
        }
        answered.await.ok()
    }

    /// The subscription that a call belongs to.
    async fn find(&self, named: &str, stream_id: Option<&str>) -> Result<Peer, Response> {
        let Ok(framework_id) = FrameworkId::new(named) else {
            return Err(bad_request("Framework cannot be found"));
        };
        let astray = match self.streams.route(&framework_id, stream_id) {
            Ok(peer) => return Ok(peer),
            Err(astray) => astray,
        };
        Err(match astray {
            Astray::NotHere => self.not_here(framework_id).await,
            Astray::Unnamed => {
                bad_request("All non-subscribe calls should include the 'Mesos-Stream-Id' header")
            }
            Astray::Other => bad_request(format!(
                "The stream ID '{}' included in this request didn't match the stream ID currently \
                 associated with framework ID {named}",
                stream_id.unwrap_or_default()
            )),
        })
    }

    /// Why there is no subscription over HTTP for a framework.
    async fn not_here(&self, framework_id: FrameworkId) -> Response {
        let connected = self
            .node
            .inspect(move |node| node.leading()?.is_subscribed(&framework_id));
        match connected.await {
            None => super::ending(),
            Some(None) => bad_request("Framework cannot be found"),
            Some(Some(false)) => not_subscribed(),
            Some(Some(true)) => {
                let why = "Framework is not connected via HTTP";
                (StatusCode::FORBIDDEN, why).into_response()
            }
        }
    }
}

fn hung_up(parts: &Parts, answer: Response) -> Response {
    if let Some(hangup) = parts.extensions.get::<Hangup>() {
        hangup.now();
    }
    answer
}

fn not_subscribed() -> Response {
    (StatusCode::FORBIDDEN, "Framework is not subscribed").into_response()
}

/// The answer to a call that the core refused.
fn refusal(why: &Reject, parts: &Parts) -> Response {
    let status = match why {
        Reject::NotLeading { leader } => return to_leader(leader.as_ref(), path_and_query(parts)),
        Reject::Dropped(_) => return StatusCode::ACCEPTED.into_response(),
        Reject::Invalid(_) | Reject::Refused(_) | Reject::NoSuchFramework(_) => {
            StatusCode::BAD_REQUEST
        }
        Reject::NotSubscribed(_) | Reject::Forbidden(_) => StatusCode::FORBIDDEN,
        Reject::Busy(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, why.to_string()).into_response()
}

fn streaming(stream: EventStream, name: &str, codec: Codec) -> Response {
    let headers = [
        (header::CONTENT_TYPE.as_str(), codec.media_type()),
        (STREAM_ID, name),
    ];
    (StatusCode::OK, headers, Body::new(stream)).into_response()
}
