//! The v1 operator API of an agent: `POST /api/v1`.

use super::AgentHttp;
use super::containers;
use super::paths::PathError;
use super::{convert, lists, metrics, providers};
use crate::http::file_query::{Portion, READ_BYTES_MAX};
use crate::http::refusal::media_headers;
use crate::http::reply::empty;
use crate::http::{body, ending, version};
use crate::mesos::convert::time;
use crate::mesos::limits;
use crate::mesos::media::{Codec, Media, Refusal, negotiate_streaming};
use crate::mesos::v1;
use crate::mesos::v1::agent::{Call, Response as Answer, call, call::Type, response};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::time::Duration;

/// How long a call's body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Serves one call.
pub async fn serve(State(agent): State<AgentHttp>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    if head.method != Method::POST {
        return Refusal::method("POST", head.method.as_str()).into_response();
    }
    let media = match negotiate_streaming(media_headers(&head.headers)) {
        Ok(media) => media,
        Err(refusal) => return refusal.into_response(),
    };
    if media.request_streams {
        return containers::attach_input(&agent, media, body).await;
    }
    let body = match body::read(body, limits::current().body_bytes, BODY_TIMEOUT).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let answered = match media.request.decode::<Call>(&body) {
        Ok(call) => answer(&agent, call, media).await,
        Err(refusal) => Err(refusal),
    };
    answered.unwrap_or_else(IntoResponse::into_response)
}

/// A refusal of a call that is not what it should be.
pub(super) fn invalid(text: &str) -> Refusal {
    Refusal::bad(format!("Failed to validate agent::Call: {text}"))
}

pub(super) fn refused(status: StatusCode, text: impl Into<String>) -> Refusal {
    Refusal {
        status: status.as_u16(),
        text: text.into(),
        allow: None,
    }
}

/// What stands in a call under the name of its type.
pub(super) fn inner<T>(part: Option<T>, name: &str) -> Result<T, Refusal> {
    part.ok_or_else(|| invalid(&format!("Expecting '{name}' to be present")))
}

async fn answer(agent: &AgentHttp, call: Call, media: Media) -> Result<Response, Refusal> {
    let kind = call
        .r#type
        .ok_or_else(|| invalid("Expecting 'type' to be present"))?;
    if media.answer_streams
        && !matches!(
            kind,
            Type::LaunchNestedContainerSession | Type::AttachContainerOutput
        )
    {
        let text = format!(
            "Streaming response is not supported for {} call",
            kind.name()
        );
        return Err(refused(StatusCode::NOT_ACCEPTABLE, text));
    }
    match kind {
        Type::SetLoggingLevel => set_logging_level(agent, call).await,
        Type::LaunchNestedContainer
        | Type::WaitNestedContainer
        | Type::KillNestedContainer
        | Type::RemoveNestedContainer
        | Type::LaunchNestedContainerSession
        | Type::AttachContainerInput
        | Type::AttachContainerOutput
        | Type::LaunchContainer
        | Type::WaitContainer
        | Type::KillContainer
        | Type::RemoveContainer => containers::serve(agent, kind, call, media).await,
        Type::AddResourceProviderConfig
        | Type::UpdateResourceProviderConfig
        | Type::RemoveResourceProviderConfig
        | Type::MarkResourceProviderGone => providers::serve(kind, call),
        // There is no store of images to prune.
        Type::PruneImages => Ok(empty(StatusCode::OK)),
        Type::Unknown => Err(refused(StatusCode::NOT_IMPLEMENTED, "")),
        _ => Ok(encoded(media.answer, &read(agent, kind, call).await?)),
    }
}

/// An answer that is one message.
pub(super) fn encoded(codec: Codec, answer: &Answer) -> Response {
    let kind = [(header::CONTENT_TYPE, codec.media_type())];
    let body = codec.encode(answer);
    (kind, body).into_response()
}

/// Calls that change nothing.
async fn read(agent: &AgentHttp, kind: Type, call: Call) -> Result<Answer, Refusal> {
    let mut answer = Answer::default();
    let answered = match kind {
        Type::GetHealth => {
            answer.get_health = Some(response::GetHealth {
                healthy: Some(true),
            });
            response::Type::GetHealth
        }
        Type::GetFlags => {
            let flags = agent.flags.iter().map(|(name, value)| v1::Flag {
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
        Type::GetMetrics => {
            inner(call.get_metrics, "get_metrics")?;
            let metrics = metrics::all(agent)
                .await
                .into_iter()
                .map(|(name, value)| v1::Metric {
                    name: Some(name),
                    value: Some(value),
                });
            answer.get_metrics = Some(response::GetMetrics {
                metrics: metrics.collect(),
            });
            response::Type::GetMetrics
        }
        Type::GetLoggingLevel => {
            let level = Some(agent.logging.level());
            answer.get_logging_level = Some(response::GetLoggingLevel { level });
            response::Type::GetLoggingLevel
        }
        Type::ListFiles => {
            answer.list_files = Some(list_files(agent, call).await?);
            response::Type::ListFiles
        }
        Type::ReadFile => {
            answer.read_file = Some(read_file(agent, call).await?);
            response::Type::ReadFile
        }
        Type::GetOperations => {
            answer.get_operations = Some(response::GetOperations::default());
            response::Type::GetOperations
        }
        Type::GetResourceProviders => {
            answer.get_resource_providers = Some(response::GetResourceProviders::default());
            response::Type::GetResourceProviders
        }
        Type::GetAgent => {
            answer.get_agent = Some(get_agent(agent).await);
            response::Type::GetAgent
        }
        _ => return state(agent, kind, call.get_containers).await,
    };
    answer.r#type = Some(answered);
    Ok(answer)
}

async fn get_agent(agent: &AgentHttp) -> response::GetAgent {
    let drain = agent
        .node
        .inspect(tepui_core::agent::AgentNode::drain)
        .await
        .flatten();
    let book = agent.book.lock();
    let id = book.agent_id.as_ref();
    response::GetAgent {
        agent_info: book.info.as_ref().map(|info| convert::agent(info, id)),
        drain_config: drain.map(|drain| convert::drain_config(&drain)),
        estimated_drain_start_time: drain.map(|drain| time::wall_to_v1(drain.since)),
    }
}

/// Calls that read what runs here.
async fn state(
    agent: &AgentHttp,
    kind: Type,
    asked: Option<call::GetContainers>,
) -> Result<Answer, Refusal> {
    let book = agent.book.lock().clone();
    let agent = agent.clone();
    let building = tokio::task::spawn_blocking(move || {
        let mut answer = Answer::default();
        let answered = match kind {
            Type::GetState => {
                answer.get_state = Some(response::GetState {
                    get_tasks: Some(lists::tasks(&book)),
                    get_executors: Some(lists::executors(&book)),
                    get_frameworks: Some(lists::frameworks(&book)),
                });
                response::Type::GetState
            }
            Type::GetTasks => {
                answer.get_tasks = Some(lists::tasks(&book));
                response::Type::GetTasks
            }
            Type::GetExecutors => {
                answer.get_executors = Some(lists::executors(&book));
                response::Type::GetExecutors
            }
            Type::GetFrameworks => {
                answer.get_frameworks = Some(lists::frameworks(&book));
                response::Type::GetFrameworks
            }
            Type::GetContainers => {
                let asked = asked.unwrap_or_default();
                let list = lists::containers(&agent, &book, &asked);
                // As Mesos: of nothing, not even an empty list.
                answer.get_containers = (!list.containers.is_empty()).then_some(list);
                response::Type::GetContainers
            }
            _ => return Err(refused(StatusCode::NOT_IMPLEMENTED, "")),
        };
        answer.r#type = Some(answered);
        Ok(answer)
    });
    building
        .await
        .unwrap_or_else(|_| Err(refused(ending().status(), "this node is ending")))
}

async fn set_logging_level(agent: &AgentHttp, call: Call) -> Result<Response, Refusal> {
    let wanted = inner(call.set_logging_level, "set_logging_level")?;
    let level = wanted.level.unwrap_or_default();
    let nanoseconds = wanted.duration.and_then(|duration| duration.nanoseconds);
    let nanoseconds = u64::try_from(nanoseconds.unwrap_or_default()).unwrap_or_default();
    let duration = Duration::from_nanos(nanoseconds);
    agent.logging.set(level, duration);
    Ok(empty(StatusCode::OK))
}

fn path_refusal(error: &PathError) -> Refusal {
    match error {
        PathError::NotFound => refused(StatusCode::NOT_FOUND, ""),
        PathError::Folder => Refusal::bad("Cannot read a directory.\n"),
        PathError::Failed(error) => {
            refused(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}.\n"))
        }
    }
}

async fn list_files(agent: &AgentHttp, call: Call) -> Result<response::ListFiles, Refusal> {
    let path = inner(call.list_files, "list_files")?
        .path
        .unwrap_or_default();
    let listed = agent.list(path).await;
    let entries = listed.map_err(|error| path_refusal(&error))?;
    let file_infos = entries.into_iter().map(|entry| v1::FileInfo {
        path: Some(entry.path),
        nlink: i32::try_from(entry.links).ok(),
        size: Some(entry.size),
        mtime: Some(v1::TimeInfo {
            nanoseconds: Some(entry.modified.saturating_mul(1_000_000_000)),
        }),
        mode: Some(entry.mode),
        uid: Some(entry.user),
        gid: Some(entry.group),
    });
    Ok(response::ListFiles {
        file_infos: file_infos.collect(),
    })
}

async fn read_file(agent: &AgentHttp, call: Call) -> Result<response::ReadFile, Refusal> {
    let wanted = inner(call.read_file, "read_file")?;
    let portion = Portion {
        offset: wanted.offset,
        length: wanted.length.unwrap_or(READ_BYTES_MAX).min(READ_BYTES_MAX),
    };
    let read = agent
        .portion(wanted.path.unwrap_or_default(), portion)
        .await;
    let (data, size) = read.map_err(|error| path_refusal(&error))?;
    Ok(response::ReadFile {
        size: Some(size),
        data: Some(data),
    })
}
