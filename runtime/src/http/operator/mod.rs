//! The v1 operator API of a master: `POST /api/v1`.
//!
//! Reads are made from one moment's view of the node and written on a thread of their own. Writes
//! are asked of the node, which answers once they are durable.

pub mod calls;
pub mod document;
pub mod events;
pub mod lists;
pub mod requests;
pub mod settings;
mod stream;

pub use events::Events;
pub use requests::{Outcome, Requests};

use super::cluster::Cluster;
use super::file_query::{Portion, READ_BYTES_MAX};
use super::leader::to_leader;
use super::master::MasterHttp;
use super::refusal::media_headers;
use super::reply::{empty, text};
use super::{body, classic, ending, version};
use crate::mesos::convert::agent::master_to_v1;
use crate::mesos::convert::time::wall_to_seconds;
use crate::mesos::limits;
use crate::mesos::media::{self, Codec, Headers, Refusal};
use crate::mesos::v1;
use crate::mesos::v1::master::{Call, Response as Answer, call, call::Type, response};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use document::Document;
use std::time::Duration;
use tepui_core::master::Input;
use tepui_core::master::leading::MaintenanceStatus;
use tepui_core::message::operator;
use tepui_core::registry::OperatorState;

/// How long a call's body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// The v1 operator API, under each of its names.
pub fn router(master: MasterHttp) -> Router {
    let mut router = Router::new();
    for prefix in ["", "/master"] {
        for name in ["/api/v1", "/api/v1/", "/api/v1/operator"] {
            router = router.route(&format!("{prefix}{name}"), any(serve));
        }
    }
    router.with_state(master)
}

async fn serve(State(master): State<MasterHttp>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let path = path_and_query(&head);
    if let Some(elsewhere) = master.elsewhere(path) {
        return elsewhere;
    }
    match read(&head, body).await {
        Err(refused) => refused,
        Ok((call, kind)) => match media::negotiate(media_headers(&head.headers)) {
            Err(refusal) => refusal.into_response(),
            Ok(media) => answer(&master, &head, call, kind, media.answer).await,
        },
    }
}

fn path_and_query(head: &Parts) -> &str {
    head.uri
        .path_and_query()
        .map_or("/", |whole| whole.as_str())
}

/// The call, if it is one. What its answer may look like is asked after that, as in Mesos.
async fn read(head: &Parts, body: Body) -> Result<(Call, Type), Response> {
    if head.method != Method::POST {
        return Err(Refusal::method("POST", head.method.as_str()).into_response());
    }
    let headers = Headers {
        accept: None,
        ..media_headers(&head.headers)
    };
    let media = media::negotiate(headers).map_err(IntoResponse::into_response)?;
    let body = body::read(body, limits::current().body_bytes, BODY_TIMEOUT).await?;
    let call: Call = media
        .request
        .decode(&body)
        .map_err(IntoResponse::into_response)?;
    let kind = calls::check(&call).map_err(IntoResponse::into_response)?;
    Ok((call, kind))
}

async fn answer(
    master: &MasterHttp,
    head: &Parts,
    call: Call,
    kind: Type,
    codec: Codec,
) -> Response {
    match calls::request(&call) {
        Err(refusal) => return refusal.into_response(),
        Ok(Some(request)) => return master.ask(request, path_and_query(head)).await,
        Ok(None) => {}
    }
    match kind {
        Type::Unknown => empty(StatusCode::NOT_IMPLEMENTED),
        Type::Subscribe => stream::subscribe(master, head, codec).await,
        Type::SetLoggingLevel => set_logging_level(master, call),
        // A master has no folder to show.
        Type::ListFiles => text(StatusCode::NOT_FOUND, ""),
        Type::ReadFile => read_file(master, call, codec).await,
        Type::GetHealth | Type::GetFlags | Type::GetVersion | Type::GetLoggingLevel => {
            encoded(codec, &of_process(master, kind))
        }
        Type::GetMetrics => metrics(master, codec).await,
        Type::GetMaster
        | Type::GetWeights
        | Type::GetQuota
        | Type::GetMaintenanceSchedule
        | Type::GetMaintenanceStatus => of_settings(master, head, kind, codec).await,
        _ => of_cluster(master, head, kind, codec).await,
    }
}

fn encoded(codec: Codec, answer: &Answer) -> Response {
    written(codec, codec.encode(answer))
}

fn written(codec: Codec, body: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, codec.media_type())], body).into_response()
}

async fn read_file(master: &MasterHttp, call: Call, codec: Codec) -> Response {
    let wanted = call.read_file.unwrap_or_default();
    let path = wanted.path.unwrap_or_default();
    let portion = Portion {
        offset: wanted.offset,
        length: wanted.length.unwrap_or(READ_BYTES_MAX).min(READ_BYTES_MAX),
    };
    match classic::files::portion(master, &path, portion).await {
        Err(refused) => refused,
        Ok((data, size)) => {
            let read_file = response::ReadFile {
                size: Some(size),
                data: Some(data),
            };
            let answer = Answer {
                r#type: Some(response::Type::ReadFile),
                read_file: Some(read_file),
                ..Answer::default()
            };
            encoded(codec, &answer)
        }
    }
}

/// Reads that concern the process alone.
fn of_process(master: &MasterHttp, kind: Type) -> Answer {
    let mut answer = Answer::default();
    answer.r#type = Some(match kind {
        Type::GetFlags => {
            let flags = master.about.flags.iter().map(|(name, value)| v1::Flag {
                name: Some(name.clone()),
                value: Some(value.clone()),
            });
            answer.get_flags = Some(response::GetFlags {
                flags: flags.collect(),
            });
            response::Type::GetFlags
        }
        Type::GetVersion => {
            let version_info = Some(version::info());
            answer.get_version = Some(response::GetVersion { version_info });
            response::Type::GetVersion
        }
        Type::GetLoggingLevel => {
            let level = Some(master.logging.level());
            answer.get_logging_level = Some(response::GetLoggingLevel { level });
            response::Type::GetLoggingLevel
        }
        _ => {
            let healthy = Some(true);
            answer.get_health = Some(response::GetHealth { healthy });
            response::Type::GetHealth
        }
    });
    answer
}

fn set_logging_level(master: &MasterHttp, call: Call) -> Response {
    let wanted: call::SetLoggingLevel = call.set_logging_level.unwrap_or_default();
    let nanoseconds = wanted.duration.and_then(|duration| duration.nanoseconds);
    let nanoseconds = u64::try_from(nanoseconds.unwrap_or_default()).unwrap_or_default();
    let level = wanted.level.unwrap_or_default();
    master.logging.set(level, Duration::from_nanos(nanoseconds));
    empty(StatusCode::OK)
}

async fn metrics(master: &MasterHttp, codec: Codec) -> Response {
    let Some(metrics) = classic::metrics::all(master).await else {
        return ending();
    };
    let metrics = metrics.into_iter().map(|(name, value)| v1::Metric {
        name: Some(name),
        value: Some(value),
    });
    let answer = Answer {
        r#type: Some(response::Type::GetMetrics),
        get_metrics: Some(response::GetMetrics {
            metrics: metrics.collect(),
        }),
        ..Answer::default()
    };
    encoded(codec, &answer)
}

/// Reads of what operators have set, and of the leader itself.
async fn of_settings(master: &MasterHttp, head: &Parts, kind: Type, codec: Codec) -> Response {
    let start_time = master.about.started_at;
    let read = master.node.inspect(move |node| {
        let leading = node.leading()?;
        let about_leader = response::GetMaster {
            master_info: Some(master_to_v1(leading.me())),
            start_time: Some(start_time),
            elected_time: Some(wall_to_seconds(leading.elected_at())),
        };
        let status = leading.maintenance_status();
        Some((about_leader, node.registry().operator().clone(), status))
    });
    match read.await {
        None => ending(),
        Some(None) => to_leader(None, path_and_query(head)),
        Some(Some((leader, state, status))) => {
            encoded(codec, &setting(kind, leader, &state, &status))
        }
    }
}

fn setting(
    kind: Type,
    leader: response::GetMaster,
    state: &OperatorState,
    status: &MaintenanceStatus,
) -> Answer {
    let mut answer = Answer::default();
    answer.r#type = Some(match kind {
        Type::GetWeights => {
            let weight_infos = settings::weights(state);
            if !weight_infos.is_empty() {
                answer.get_weights = Some(response::GetWeights { weight_infos });
            }
            response::Type::GetWeights
        }
        Type::GetQuota => {
            let status = Some(settings::quotas(state));
            answer.get_quota = Some(response::GetQuota { status });
            response::Type::GetQuota
        }
        Type::GetMaintenanceSchedule => {
            let schedule = Some(settings::schedule(state));
            answer.get_maintenance_schedule = Some(response::GetMaintenanceSchedule { schedule });
            response::Type::GetMaintenanceSchedule
        }
        Type::GetMaintenanceStatus => {
            let status = Some(settings::machines(status));
            answer.get_maintenance_status = Some(response::GetMaintenanceStatus { status });
            response::Type::GetMaintenanceStatus
        }
        _ => {
            answer.get_master = Some(leader);
            response::Type::GetMaster
        }
    });
    answer
}

/// Reads of agents, frameworks and what they run.
async fn of_cluster(master: &MasterHttp, head: &Parts, kind: Type, codec: Codec) -> Response {
    let taken = match master.snapshot(path_and_query(head)).await {
        Ok(taken) => taken,
        Err(elsewhere) => return elsewhere,
    };
    let writing = tokio::task::spawn_blocking(move || {
        let cluster = taken.sums();
        match list(kind) {
            Some(list) => written(codec, write_list(codec, list, &cluster)),
            None => empty(StatusCode::NOT_IMPLEMENTED),
        }
    });
    writing.await.unwrap_or_else(|_| ending())
}

/// A list's answer: its type, and the name and number of its part.
type List = (response::Type, (&'static str, u32));

fn list(kind: Type) -> Option<List> {
    use response::Type as T;
    Some(match kind {
        Type::GetState => (T::GetState, ("get_state", 9)),
        Type::GetAgents => (T::GetAgents, ("get_agents", 10)),
        Type::GetFrameworks => (T::GetFrameworks, ("get_frameworks", 11)),
        Type::GetExecutors => (T::GetExecutors, ("get_executors", 12)),
        Type::GetOperations => (T::GetOperations, ("get_operations", 20)),
        Type::GetTasks => (T::GetTasks, ("get_tasks", 13)),
        Type::GetRoles => (T::GetRoles, ("get_roles", 14)),
        _ => return None,
    })
}

fn write_list(codec: Codec, list: List, cluster: &Cluster) -> Vec<u8> {
    let (kind, field) = list;
    Document::write(codec, |document| {
        document.enumeration(("type", 1), (kind.name(), kind as i32));
        document.part(field, |part| match kind {
            response::Type::GetState => lists::state(cluster, part),
            response::Type::GetAgents => lists::agents(cluster, part),
            response::Type::GetFrameworks => lists::frameworks(cluster, part),
            response::Type::GetExecutors => lists::executors(cluster, part),
            response::Type::GetTasks => lists::tasks(cluster, part),
            response::Type::GetRoles => {
                part.list(("roles", 1), lists::roles(cluster).into_iter());
            }
            _ => {}
        });
    })
}

impl MasterHttp {
    /// Asks the node for a change and waits until it is durable, or refused.
    pub async fn ask(&self, request: operator::Request, path_and_query: &str) -> Response {
        let Some(mut expected) = self.requests.expect_answer() else {
            let why = "Too many requests wait; try again";
            return text(StatusCode::SERVICE_UNAVAILABLE, why);
        };
        let id = expected.id;
        if !self.node.input(Input::Operator { id, request }).await {
            return ending();
        }
        match expected.answered().await {
            None => ending(),
            Some(Ok(operator::Answer::Done)) => empty(StatusCode::OK),
            Some(Ok(operator::Answer::Accepted)) => empty(StatusCode::ACCEPTED),
            Some(Err(operator::Refusal::NotLeading { leader })) => {
                to_leader(leader.as_ref(), path_and_query)
            }
            Some(Err(why)) => {
                let status = StatusCode::from_u16(why.status());
                let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                text(status, why.to_string())
            }
        }
    }
}
