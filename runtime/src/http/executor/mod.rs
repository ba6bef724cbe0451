//! Mesos' v1 executor API: `POST /api/v1/executor` on an agent.
//!
//! A subscription's answer is a stream of events that goes on until either side ends it; every
//! other call comes on a connection of its own. The machine knows neither: to it an executor is
//! one [`Peer`], here the stream, and what comes on other connections is said to be from it.

mod convert;
pub(crate) mod stream;

use crate::driver::Handle;
use crate::http::body;
use crate::http::refusal::media_headers;
use crate::http::reply::empty;
use crate::mesos::convert::executor::call_to_core;
use crate::mesos::limits;
use crate::mesos::media::{Codec, Headers, Refusal, negotiate};
use crate::mesos::v1;
use crate::mesos::v1::executor_info::Type;
use crate::net::Links;
use crate::net::listener::InboundNames;
use crate::node::book::SharedBook;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tepui_core::agent::{AgentNode, ExecutorState, Input};
use tepui_core::ids::{ContainerId, ExecutorId, FrameworkId, Peer};
use tepui_core::message::executor::{Call, Event, ToAgent};

/// What the executor API needs.
#[derive(Clone, Debug)]
pub struct ExecutorApi {
    /// The machine.
    pub node: Handle<AgentNode>,
    /// Streams of executors, native ones among them.
    pub links: Links<Event>,
    /// Names for streams.
    pub names: InboundNames,
    /// Who runs here, and as which process.
    pub book: SharedBook,
    /// Where tasks are reached.
    pub ip: IpAddr,
    /// Who listens at present.
    pub streams: Streams,
    /// How often an executor is told that the agent is still there.
    pub heartbeat: Duration,
}

/// Which stream an executor listens to.
#[derive(Clone, Debug, Default)]
pub struct Streams {
    table: Arc<Mutex<BTreeMap<Executor, (Peer, ContainerId)>>>,
}

/// An executor, by its framework's id and its own.
type Executor = (FrameworkId, ExecutorId);

impl Streams {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Executor, (Peer, ContainerId)>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stream is over, unless it was replaced already.
    fn forget(&self, executor: &Executor, peer: Peer) {
        let mut table = self.lock();
        if table
            .get(executor)
            .is_some_and(|(current, _)| *current == peer)
        {
            table.remove(executor);
        }
    }
}

/// How long a call's body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Serves one call.
pub async fn serve(State(api): State<ExecutorApi>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    if head.method != Method::POST {
        return Refusal::method("POST", head.method.as_str()).into_response();
    }
    let body = match body::read(body, limits::current().body_bytes, BODY_TIMEOUT).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let served = api.call(&head.headers, &body).await;
    served.unwrap_or_else(IntoResponse::into_response)
}

impl ExecutorApi {
    async fn call(&self, headers: &HeaderMap, body: &[u8]) -> Result<Response, Refusal> {
        let headers = media_headers(headers);
        // Only a subscription's answer has a body whose type matters.
        let request = Headers {
            accept: None,
            ..headers
        };
        let codec = negotiate(request)?.request;
        let call = codec.decode::<v1::executor::Call>(body)?;
        let called = call_to_core(&call).map_err(|error| Refusal::bad(error.0))?;
        let executor = (called.framework_id, called.executor_id);
        match called.call {
            Some(call @ Call::Subscribe { .. }) => {
                let codec = negotiate(headers)?.answer;
                self.subscribe(executor, call, codec).await
            }
            Some(call) => self.say(executor, call).await,
            None => {
                if !self.streams.lock().contains_key(&executor) {
                    self.run_of(&executor, false).await?;
                }
                Ok(empty(StatusCode::ACCEPTED))
            }
        }
    }

    async fn subscribe(
        &self,
        executor: Executor,
        call: Call,
        codec: Codec,
    ) -> Result<Response, Refusal> {
        let container_id = self.run_of(&executor, true).await?;
        let peer = self.names.next();
        let wishes = self.links.open(peer);
        self.streams
            .lock()
            .insert(executor.clone(), (peer, container_id.clone()));
        let (response, outgoing) = stream::open(codec);
        let message = self.message(&executor, container_id, call);
        let (api, mine, heartbeat) = (self.clone(), executor, self.heartbeat);
        tokio::spawn(async move {
            stream::run(wishes, outgoing, (codec, heartbeat)).await;
            api.streams.forget(&mine, peer);
            if api.links.ended(peer) {
                api.node.input(Input::Disconnected { peer }).await;
            }
        });
        if !self.node.input(Input::FromExecutor { peer, message }).await {
            return Err(ending());
        }
        Ok(response)
    }

    async fn say(&self, executor: Executor, call: Call) -> Result<Response, Refusal> {
        let listening = self.streams.lock().get(&executor).cloned();
        let (peer, container_id) = match listening {
            Some(found) => found,
            None => (self.names.next(), self.run_of(&executor, false).await?),
        };
        let message = self.message(&executor, container_id, call);
        match self.node.input(Input::FromExecutor { peer, message }).await {
            true => Ok(empty(StatusCode::ACCEPTED)),
            false => Err(ending()),
        }
    }

    fn message(&self, executor: &Executor, container_id: ContainerId, call: Call) -> ToAgent {
        self.located(ToAgent {
            framework_id: executor.0.clone(),
            executor_id: executor.1.clone(),
            container_id,
            call,
        })
    }

    /// What an executor says, with where it says that from.
    #[must_use]
    pub fn located(&self, mut message: ToAgent) -> ToAgent {
        let mut book = self.book.lock();
        if matches!(message.call, Call::Subscribe { .. }) {
            book.set_subscribed(&message.framework_id, &message.executor_id);
        }
        let entry = book.executor(&message.framework_id, &message.executor_id);
        let place = convert::Place {
            container_id: message.container_id.clone(),
            pid: entry.and_then(|entry| entry.pid),
            nests: entry.is_some_and(|entry| entry.kind == Some(Type::Default)),
            ip: self.ip,
        };
        drop(book);
        message.call = place.told_in(message.call);
        message
    }

    /// The run of an executor that may speak now.
    async fn run_of(&self, executor: &Executor, subscribes: bool) -> Result<ContainerId, Refusal> {
        let (framework_id, executor_id) = executor.clone();
        let seen = self.node.inspect(move |agent| {
            let known = agent.checkpoint().frameworks.contains_key(&framework_id);
            let run = agent.executor_run(&framework_id, &executor_id);
            let run = run.map(|(container_id, state)| (container_id.clone(), state));
            (known, run, agent.is_recovering())
        });
        match seen.await {
            None => Err(ending()),
            Some((_, _, true)) if !subscribes => {
                Err(refused(503, "Agent has not finished recovery"))
            }
            Some((false, ..)) => Err(Refusal::bad("Framework cannot be found")),
            Some((true, None, _)) => Err(Refusal::bad("Executor cannot be found")),
            Some((_, Some((container_id, state)), _)) => match state {
                ExecutorState::Registering | ExecutorState::Reregistering if !subscribes => {
                    Err(refused(403, "Executor is not subscribed"))
                }
                _ => Ok(container_id),
            },
        }
    }
}

fn ending() -> Refusal {
    refused(503, "this node is ending")
}

/// A refusal with another status than 400.
fn refused(status: u16, text: &str) -> Refusal {
    Refusal {
        status,
        text: text.to_owned(),
        allow: None,
    }
}
