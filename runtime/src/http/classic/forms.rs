//! What operators change through the classic endpoints: forms and JSON bodies, each asked of the
//! node as its call of the v1 API would be.

use super::tasks::List;
use crate::http::master::MasterHttp;
use crate::http::operator::{calls, settings};
use crate::http::reply::{Parameters, json, method_not_allowed};
use crate::http::{body, ending, leader::to_leader};
use crate::mesos::json::{self as codec, JsonError, Shown};
use crate::mesos::limits;
use crate::mesos::media::Refusal;
use crate::mesos::v1;
use crate::mesos::v1::quota::QuotaRequest;
use axum::extract::{Request as Asked, State};
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use std::time::Duration;
use tepui_core::message::operator::Request;
use tepui_core::model::ResourceOperation;
use tepui_core::registry::OperatorState;

/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// One request to an endpoint of the leader.
struct Form {
    method: Method,
    /// The path, with what is asked of it.
    whole: String,
    path: String,
    asked: Parameters,
    body: Vec<u8>,
}

/// Reads a request, if this master leads and the endpoint has the method.
async fn form(master: &MasterHttp, asked: Asked, allowed: &[&str]) -> Result<Form, Response> {
    let (head, body) = asked.into_parts();
    let whole = head.uri.path_and_query();
    let whole = whole.map_or("/", |whole| whole.as_str()).to_owned();
    if let Some(elsewhere) = master.elsewhere(&whole) {
        return Err(elsewhere);
    }
    if !allowed.contains(&head.method.as_str()) {
        return Err(method_not_allowed(&head.method, allowed));
    }
    let body = body::read(body, limits::current().body_bytes, BODY_TIMEOUT).await?;
    Ok(Form {
        method: head.method,
        whole,
        path: head.uri.path().to_owned(),
        asked: Parameters::read(head.uri.query().unwrap_or_default()),
        body: body.to_vec(),
    })
}

impl Form {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Asks the node for what the body means.
    async fn ask(&self, master: &MasterHttp, meant: Result<Request, Refusal>) -> Response {
        match meant {
            Ok(request) => master.ask(request, &self.whole).await,
            Err(refused) => refused.into_response(),
        }
    }

    /// Shows what operators have set.
    async fn show(
        &self,
        master: &MasterHttp,
        page: impl FnOnce(&OperatorState, Option<&str>) -> Response,
    ) -> Response {
        let read = master.node.inspect(|node| {
            node.leading()?;
            Some(node.registry().operator().clone())
        });
        match read.await {
            None => ending(),
            Some(None) => to_leader(None, &self.whole),
            Some(Some(state)) => page(&state, self.asked.jsonp()),
        }
    }
}

/// `/quota`, `/quota/{role}`
pub async fn quota(State(master): State<MasterHttp>, asked: Asked) -> Response {
    let form = match form(&master, asked, &["GET", "POST", "DELETE"]).await {
        Ok(form) => form,
        Err(refused) => return refused,
    };
    match form.method {
        Method::POST => {
            let meant = match codec::decode::<QuotaRequest>(&form.body) {
                Ok(request) => calls::set_quota(&request),
                Err(error) => {
                    let body = form.text();
                    Err(Refusal::bad(format!(
                        "Failed to parse set quota request JSON '{body}': {error}"
                    )))
                }
            };
            form.ask(&master, meant).await
        }
        Method::DELETE => {
            let meant = role_of(&form.path).map(|role| Request::RemoveQuota {
                role,
                path: Some(form.path.clone()),
            });
            form.ask(&master, meant).await
        }
        _ => {
            let page = |state: &OperatorState, jsonp: Option<&str>| {
                json(&Shown(&settings::quotas(state)), jsonp)
            };
            form.show(&master, page).await
        }
    }
}

/// The role that a path names after the endpoint.
fn role_of(path: &str) -> Result<String, Refusal> {
    let role = path.split_once("/quota/").map(|(_, role)| role);
    role.map(str::to_owned).ok_or_else(|| {
        Refusal::bad(format!(
            "Failed to remove quota for path '{path}': Expecting 'quota/<role>'"
        ))
    })
}

/// `/weights`
pub async fn weights(State(master): State<MasterHttp>, asked: Asked) -> Response {
    let form = match form(&master, asked, &["GET", "PUT"]).await {
        Ok(form) => form,
        Err(refused) => return refused,
    };
    if form.method == Method::PUT {
        let meant = match codec::decode_list::<v1::WeightInfo>(&form.body) {
            Ok(weights) => Ok(calls::update_weights(&weights)),
            Err(error) => {
                let body = form.text();
                Err(Refusal::bad(format!(
                    "Failed to parse update weights request JSON '{body}': {error}"
                )))
            }
        };
        return form.ask(&master, meant).await;
    }
    let page =
        |state: &OperatorState, jsonp: Option<&str>| json(&List(&settings::weights(state)), jsonp);
    form.show(&master, page).await
}

fn unreadable(error: &JsonError) -> Refusal {
    Refusal::bad(error.to_string())
}

/// `/maintenance/schedule`
pub async fn schedule(State(master): State<MasterHttp>, asked: Asked) -> Response {
    let form = match form(&master, asked, &["GET", "POST"]).await {
        Ok(form) => form,
        Err(refused) => return refused,
    };
    if form.method == Method::POST {
        let meant = codec::decode::<v1::maintenance::Schedule>(&form.body);
        let meant = meant.map(|schedule| calls::schedule(&schedule));
        return form
            .ask(&master, meant.map_err(|error| unreadable(&error)))
            .await;
    }
    let page = |state: &OperatorState, jsonp: Option<&str>| {
        json(&Shown(&settings::schedule(state)), jsonp)
    };
    form.show(&master, page).await
}

/// `/maintenance/status`
pub async fn machines(State(master): State<MasterHttp>, asked: Asked) -> Response {
    let form = match form(&master, asked, &["GET"]).await {
        Ok(form) => form,
        Err(refused) => return refused,
    };
    let read = master
        .node
        .inspect(|node| Some(node.leading()?.maintenance_status()));
    match read.await {
        None => ending(),
        Some(None) => to_leader(None, &form.whole),
        Some(Some(status)) => json(&Shown(&settings::machines(&status)), form.asked.jsonp()),
    }
}

/// `/machine/down`
pub async fn machine_down(State(master): State<MasterHttp>, asked: Asked) -> Response {
    let form = match form(&master, asked, &["POST"]).await {
        Ok(form) => form,
        Err(refused) => return refused,
    };
    let meant = codec::decode_list::<v1::MachineId>(&form.body);
    let meant = meant.map(|machines| Request::StartMaintenance {
        machines: machines.iter().map(settings::machine_to_core).collect(),
    });
    form.ask(&master, meant.map_err(|error| unreadable(&error)))
        .await
}

/// `/machine/up`
pub async fn machine_up(State(master): State<MasterHttp>, asked: Asked) -> Response {
    let form = match form(&master, asked, &["POST"]).await {
        Ok(form) => form,
        Err(refused) => return refused,
    };
    let meant = codec::decode_list::<v1::MachineId>(&form.body);
    let meant = meant.map(|machines| Request::StopMaintenance {
        machines: machines.iter().map(settings::machine_to_core).collect(),
    });
    form.ask(&master, meant.map_err(|error| unreadable(&error)))
        .await
}

/// `/teardown`
pub async fn teardown(State(master): State<MasterHttp>, asked: Asked) -> Response {
    let form = match form(&master, asked, &["POST"]).await {
        Ok(form) => form,
        Err(refused) => return refused,
    };
    let values = Parameters::read(&form.text());
    let meant = field(&values, "frameworkId").and_then(|id| {
        let id = v1::FrameworkId {
            value: Some(id.to_owned()),
        };
        calls::teardown(Some(&id))
    });
    form.ask(&master, meant).await
}

fn field<'a>(values: &'a Parameters, name: &str) -> Result<&'a str, Refusal> {
    values.get(name).ok_or_else(|| {
        Refusal::bad(format!(
            "Missing '{name}' query parameter in the request body"
        ))
    })
}

/// `/reserve`, `/unreserve`, `/create-volumes`, `/destroy-volumes`
pub async fn operation(State(master): State<MasterHttp>, asked: Asked) -> Response {
    let form = match form(&master, asked, &["POST"]).await {
        Ok(form) => form,
        Err(refused) => return refused,
    };
    let meant = operation_of(&form.path, &Parameters::read(&form.text()));
    form.ask(&master, meant).await
}

fn operation_of(path: &str, values: &Parameters) -> Result<Request, Refusal> {
    let id = v1::AgentId {
        value: Some(field(values, "slaveId")?.to_owned()),
    };
    let list = |name: &str| {
        let list = codec::decode_list::<v1::Resource>(field(values, name)?.as_bytes());
        let list = list.map_err(|error| {
            Refusal::bad(format!(
                "Error in parsing '{name}' query parameter in the request body: {error}"
            ))
        })?;
        calls::read_resources(&list)
    };
    let operation = match path.rsplit('/').next().unwrap_or_default() {
        "reserve" => {
            let source = match values.get("source") {
                Some(_) => list("source")?,
                None => tepui_core::resources::Resources::EMPTY,
            };
            let resources = list("resources")?;
            ResourceOperation::Reserve { source, resources }
        }
        "unreserve" => ResourceOperation::Unreserve {
            resources: list("resources")?,
        },
        "create-volumes" => ResourceOperation::Create {
            volumes: list("volumes")?,
        },
        _ => ResourceOperation::Destroy {
            volumes: list("volumes")?,
        },
    };
    calls::operate(Some(&id), operation)
}
