//! Calls about containers: started, waited for, killed, removed, attached to.

mod call;

use super::operator::{encoded, inner, invalid, refused};
use super::{AgentHttp, model};
use crate::container::nested::{Name, NestedError, Wanted};
use crate::container::session::{Output, Piece, Session};
use crate::http::executor::stream;
use crate::http::records::Records;
use crate::mesos::limits;
use crate::mesos::media::{Codec, Media, Refusal};
use crate::mesos::recordio::{self, Decoder};
use crate::mesos::v1;
use crate::mesos::v1::agent::call::{Type, attach_container_input};
use crate::mesos::v1::agent::process_io::{self, data};
use crate::mesos::v1::agent::{Call, ProcessIo, Response as Answer, response};
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use std::path::PathBuf;
use tepui_core::ids::ContainerId;
use tepui_core::model::CommandInfo;
use tokio::sync::{broadcast, mpsc};

use crate::http::reply::empty;
use call::{Part, name_of, part};

fn shown(name: &[String]) -> String {
    name.join(".")
}

fn refusal(error: NestedError, name: &[String]) -> Refusal {
    let id = shown(name);
    match error {
        NestedError::Unknown => {
            let text = format!("Container {id} cannot be found");
            refused(StatusCode::NOT_FOUND, text)
        }
        NestedError::Exists => refused(StatusCode::ACCEPTED, ""),
        NestedError::Running => {
            let text = format!("Container {id} has not terminated yet");
            refused(StatusCode::INTERNAL_SERVER_ERROR, text)
        }
        NestedError::Failed(why) => Refusal::bad(why),
    }
}

/// Serves one call.
pub(super) async fn serve(
    agent: &AgentHttp,
    kind: Type,
    call: Call,
    media: Media,
) -> Result<Response, Refusal> {
    if kind == Type::AttachContainerInput {
        let text = "Expecting 'Content-Type' of application/recordio for ATTACH_CONTAINER_INPUT";
        return Err(refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
    }
    let part = part(kind, call)?;
    let name = part.name.clone();
    match kind {
        Type::LaunchNestedContainer | Type::LaunchContainer => {
            launch(agent, &name, part, false).await?;
            Ok(empty(StatusCode::OK))
        }
        Type::LaunchNestedContainerSession => {
            launch(agent, &name, part, true).await?;
            let session = agent.nested.session(&name);
            let session = session.map_err(|error| refusal(error, &name))?;
            Ok(output(agent, &session, media, Some(name)))
        }
        Type::AttachContainerOutput => {
            let session = agent.nested.session(&name);
            let session = session.map_err(|error| refusal(error, &name))?;
            Ok(output(agent, &session, media, None))
        }
        Type::WaitNestedContainer | Type::WaitContainer => wait(agent, kind, &name, media).await,
        Type::KillNestedContainer | Type::KillContainer => {
            kill(agent, &name, part.signal.unwrap_or(9)).await?;
            Ok(empty(StatusCode::OK))
        }
        _ => match agent.nested.remove(&name) {
            // What is gone needs no removal.
            Ok(()) | Err(NestedError::Unknown) => Ok(empty(StatusCode::OK)),
            Err(error) => Err(refusal(error, &name)),
        },
    }
}

async fn launch(agent: &AgentHttp, name: &Name, part: Part, session: bool) -> Result<(), Refusal> {
    let (around, user) = match name.split_last() {
        Some((_, around)) if !around.is_empty() => {
            let found = parent(agent, around).ok_or_else(|| {
                let text = format!("Unable to locate container {}", shown(around));
                Refusal::bad(text)
            })?;
            (Some(found.0), found.1)
        }
        _ => (None, String::new()),
    };
    let command = part.command.unwrap_or_default();
    let environment = command.environment.unwrap_or_default().variables;
    let pairs = environment
        .into_iter()
        .filter_map(|v| Some((v.name?, v.value.unwrap_or_default())));
    let wanted = Wanted {
        name: name.clone(),
        around,
        command: CommandInfo {
            shell: command.shell.unwrap_or(true),
            value: command.value.unwrap_or_default(),
            arguments: command.arguments,
            environment: pairs.collect(),
            user: command.user,
        },
        user,
        session,
    };
    let nested = agent.nested.clone();
    let launching = tokio::task::spawn_blocking(move || nested.launch(&wanted));
    let launched = launching.await;
    let launched = launched.unwrap_or_else(|panic| Err(NestedError::Failed(panic.to_string())));
    launched.map_err(|error| refusal(error, name))
}

/// The sandbox and the user of a container that another is to be nested into.
fn parent(agent: &AgentHttp, name: &[String]) -> Option<(PathBuf, String)> {
    let book = agent.book.lock();
    let executors = book.frameworks.iter().flat_map(|(id, framework)| {
        framework
            .executors
            .values()
            .map(move |e| (id, framework, e))
    });
    let mut executors = executors
        .filter(|(_, _, e)| Some(e.container_id.as_str()) == name.first().map(String::as_str));
    let Some((framework_id, framework, executor)) = executors.next() else {
        drop(book);
        // One that stands alone may have others in it.
        return agent
            .nested
            .sandbox(name)
            .map(|sandbox| (sandbox, String::new()));
    };
    let own = executor.info.command.user.clone();
    let user = own.or_else(|| framework.info.as_ref().map(|info| info.user.clone()));
    let root = agent.work_dir.root();
    let sandbox = model::directory(root, book.agent_id.as_ref(), framework_id, executor);
    match name.len() {
        1 => Some((PathBuf::from(sandbox), user.unwrap_or_default())),
        _ => {
            // A container of this API's own, or that of a task of the executor's.
            let of_task = || {
                let own = PathBuf::from(&sandbox).join("containers").join(&name[1]);
                (name.len() == 2 && own.is_dir()).then_some(own)
            };
            let inner = agent.nested.sandbox(name).or_else(of_task)?;
            Some((inner, user.unwrap_or_default()))
        }
    }
}

/// Kills one of those here, or an executor's.
async fn kill(agent: &AgentHttp, name: &Name, signal: i32) -> Result<(), Refusal> {
    let unknown = || {
        let id = shown(name);
        let text = format!("Container '{id}' cannot be found (or is already killed)");
        refused(StatusCode::NOT_FOUND, text)
    };
    match agent.nested.kill(name, signal) {
        Err(NestedError::Unknown) if name.len() == 1 => {}
        Err(NestedError::Unknown) => return Err(unknown()),
        result => return result.map_err(|error| refusal(error, name)),
    }
    let id = ContainerId::new(&name[0]).map_err(|_| unknown())?;
    match agent.executors.signal(&id, signal) {
        true => Ok(()),
        false => Err(unknown()),
    }
}

async fn wait(
    agent: &AgentHttp,
    kind: Type,
    name: &Name,
    media: Media,
) -> Result<Response, Refusal> {
    let status = agent.nested.wait(name).await;
    let status = status.map_err(|error| refusal(error, name))?;
    // As the host's own wait() says it: a signal's number, or an exit code in the second byte.
    let raw = if status > 128 {
        status - 128
    } else {
        status << 8
    };
    let mut answer = Answer::default();
    if kind == Type::WaitContainer {
        answer.r#type = Some(response::Type::WaitContainer);
        answer.wait_container = Some(response::WaitContainer {
            exit_status: Some(raw),
            ..response::WaitContainer::default()
        });
    } else {
        answer.r#type = Some(response::Type::WaitNestedContainer);
        answer.wait_nested_container = Some(response::WaitNestedContainer {
            exit_status: Some(raw),
            ..response::WaitNestedContainer::default()
        });
    }
    Ok(encoded(media.answer, &answer))
}

/// An answer that carries a container's output for as long as there is some. A container that
/// was started for this answer ends with it.
fn output(agent: &AgentHttp, session: &Session, media: Media, own: Option<Name>) -> Response {
    let (sender, records) = stream::channel();
    if let Some(pieces) = session.listen() {
        let agent = agent.clone();
        tokio::spawn(async move {
            forward(pieces, sender, media.answer).await;
            if let Some(name) = own {
                // It is over, or nobody listens any more.
                let _ = agent.nested.kill(&name, 9);
            }
        });
    }
    let mut response = Response::new(Body::new(Records::new(records)));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(media.answer_type()),
    );
    if media.answer_streams {
        let kind = HeaderValue::from_static(media.answer.media_type());
        headers.insert("Message-Content-Type", kind);
    }
    response
}

async fn forward(
    mut pieces: broadcast::Receiver<Piece>,
    sender: mpsc::Sender<Bytes>,
    codec: Codec,
) {
    loop {
        let piece = tokio::select! {
            () = sender.closed() => return,
            piece = pieces.recv() => piece,
        };
        let (output, bytes) = match piece {
            Ok(piece) => piece,
            // A listener that is too slow misses something.
            Err(broadcast::error::RecvError::Lagged(_)) => continue,
            Err(broadcast::error::RecvError::Closed) => return,
        };
        let kind = match output {
            Output::Stdout => data::Type::Stdout,
            Output::Stderr => data::Type::Stderr,
        };
        let message = ProcessIo {
            r#type: Some(process_io::Type::Data),
            data: Some(process_io::Data {
                r#type: Some(kind),
                data: Some(bytes.to_vec()),
            }),
            ..ProcessIo::default()
        };
        let record = recordio::encode(&codec.encode(&message));
        if sender.send(record.into()).await.is_err() {
            return;
        }
    }
}

/// Serves `ATTACH_CONTAINER_INPUT`: the first record names the container, the others are its
/// input, until an empty one or the end.
pub(super) async fn attach_input(agent: &AgentHttp, media: Media, body: Body) -> Response {
    match attach(agent, media.request, body).await {
        Ok(()) => empty(StatusCode::OK),
        Err(refusal) => refusal.into_response(),
    }
}

async fn attach(agent: &AgentHttp, codec: Codec, mut body: Body) -> Result<(), Refusal> {
    let mut decoder = Decoder::new(limits::current().record_bytes);
    let mut session: Option<Session> = None;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Refusal::bad(format!("broken body: {error}")))?;
        let Ok(piece) = frame.into_data() else {
            continue;
        };
        let records = decoder.decode(&piece);
        for record in records.map_err(|error| Refusal::bad(error.to_string()))? {
            let call: Call = codec.decode(&record)?;
            if call.r#type != Some(Type::AttachContainerInput) {
                let text = "Streaming request is only supported for ATTACH_CONTAINER_INPUT call";
                return Err(refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
            }
            let attach = inner(call.attach_container_input, "attach_container_input")?;
            match &session {
                None => session = Some(begin(agent, &attach)?),
                Some(session) => feed(session, attach).await?,
            }
        }
    }
    if let Some(session) = session {
        session.end_input();
    }
    Ok(())
}

fn begin(
    agent: &AgentHttp,
    attach: &v1::agent::call::AttachContainerInput,
) -> Result<Session, Refusal> {
    if attach.r#type != Some(attach_container_input::Type::ContainerId) {
        return Err(invalid(
            "Expecting 'attach_container_input.type' to be CONTAINER_ID",
        ));
    }
    let id = attach.container_id.as_ref();
    let id =
        id.ok_or_else(|| invalid("Expecting 'attach_container_input.container_id' to be present"))?;
    let name = name_of(id, "attach_container_input", false)?;
    let session = agent.nested.session(&name);
    session.map_err(|error| refusal(error, &name))
}

/// Passes one record on. A heartbeat or a new window's size is taken and does nothing: there are
/// no terminals here.
async fn feed(
    session: &Session,
    attach: v1::agent::call::AttachContainerInput,
) -> Result<(), Refusal> {
    if attach.r#type != Some(attach_container_input::Type::ProcessIo) {
        return Err(invalid(
            "Expecting 'attach_container_input.type' to be PROCESS_IO",
        ));
    }
    let Some(data) = attach.process_io.and_then(|io| io.data) else {
        return Ok(());
    };
    let bytes = data.data.unwrap_or_default();
    if bytes.is_empty() {
        session.end_input();
        return Ok(());
    }
    let Some(input) = session.input() else {
        return Err(Refusal::bad("the container's input is closed"));
    };
    let sent = input.send(bytes).await;
    sent.map_err(|_| Refusal::bad("the container does not read its input any more"))
}
