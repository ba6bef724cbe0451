//! Calls about resource providers. There is no kind of them here: none can be added, and what is
//! asked of one that is not there ends as it does in Mesos.

use super::operator::{inner, invalid};
use crate::http::reply::empty;
use crate::mesos::media::Refusal;
use crate::mesos::v1::ResourceProviderInfo;
use crate::mesos::v1::agent::Call;
use crate::mesos::v1::agent::call::Type;
use axum::http::StatusCode;
use axum::response::Response;

/// Serves one call.
///
/// # Errors
/// In Mesos' words.
pub(super) fn serve(kind: Type, call: Call) -> Result<Response, Refusal> {
    let field = kind.name().to_lowercase();
    match kind {
        Type::AddResourceProviderConfig => {
            let part = inner(call.add_resource_provider_config, &field)?;
            Err(unknown(&part.info.unwrap_or_default(), &field))
        }
        Type::UpdateResourceProviderConfig => {
            let part = inner(call.update_resource_provider_config, &field)?;
            Err(unknown(&part.info.unwrap_or_default(), &field))
        }
        Type::RemoveResourceProviderConfig => {
            inner(call.remove_resource_provider_config, &field)?;
            Ok(empty(StatusCode::OK))
        }
        _ => {
            inner(call.mark_resource_provider_gone, &field)?;
            Ok(empty(StatusCode::OK))
        }
    }
}

fn unknown(info: &ResourceProviderInfo, field: &str) -> Refusal {
    if info.id.is_some() {
        return invalid(&format!("Expecting '{field}.info.id' to be unset"));
    }
    let kind = info.r#type.clone().unwrap_or_default();
    let name = info.name.clone().unwrap_or_default();
    Refusal::bad(format!(
        "Failed to validate resource provider config with type '{kind}' and name '{name}': \
         Unknown local resource provider type '{kind}'"
    ))
}
