//! Ids.

use super::ConvertError;
use crate::mesos::v1;
use tepui_core::ids::{
    AgentId, ContainerId, ExecutorId, FrameworkId, OfferId, OperationId, TaskId, UpdateId,
};

macro_rules! id {
    ($core:ident, $v1:ident, $to_core:ident, $to_v1:ident) => {
        #[doc = concat!("An [`", stringify!($core), "`], which must be there.")]
        ///
        /// # Errors
        /// When it is not, or is not an id.
        pub fn $to_core(id: Option<&v1::$v1>) -> Result<$core, ConvertError> {
            let text = id.and_then(|id| id.value.as_deref()).unwrap_or_default();
            $core::new(text).map_err(|error| {
                ConvertError::new(format!("{} '{text}': {error}", stringify!($v1)))
            })
        }

        #[doc = concat!("See [`", stringify!($to_core), "`].")]
        #[must_use]
        pub fn $to_v1(id: &$core) -> v1::$v1 {
            // Of all ids, those of containers have a second field.
            #[allow(clippy::field_reassign_with_default)]
            let mut out = v1::$v1::default();
            out.value = Some(id.as_str().to_owned());
            out
        }
    };
}

id!(AgentId, AgentId, agent_id, agent_id_to_v1);
id!(FrameworkId, FrameworkId, framework_id, framework_id_to_v1);
id!(ExecutorId, ExecutorId, executor_id, executor_id_to_v1);
id!(TaskId, TaskId, task_id, task_id_to_v1);
id!(OfferId, OfferId, offer_id, offer_id_to_v1);
id!(OperationId, OperationId, operation_id, operation_id_to_v1);
id!(ContainerId, ContainerId, container_id, container_id_to_v1);

/// An id that need not be there; one that is empty is as good as none.
///
/// # Errors
/// When it is there but is not an id.
pub fn optional<V, T>(
    id: Option<&V>,
    value: impl Fn(&V) -> Option<&str>,
    convert: impl Fn(Option<&V>) -> Result<T, ConvertError>,
) -> Result<Option<T>, ConvertError> {
    match id.and_then(value) {
        None | Some("") => Ok(None),
        Some(_) => convert(id).map(Some),
    }
}

/// An agent's id, if there is one.
///
/// # Errors
/// When it is there but is not an id.
pub fn optional_agent_id(id: Option<&v1::AgentId>) -> Result<Option<AgentId>, ConvertError> {
    optional(id, |id| id.value.as_deref(), agent_id)
}

/// A framework's id, if there is one.
///
/// # Errors
/// When it is there but is not an id.
pub fn optional_framework_id(
    id: Option<&v1::FrameworkId>,
) -> Result<Option<FrameworkId>, ConvertError> {
    optional(id, |id| id.value.as_deref(), framework_id)
}

/// An executor's id, if there is one.
///
/// # Errors
/// When it is there but is not an id.
pub fn optional_executor_id(
    id: Option<&v1::ExecutorId>,
) -> Result<Option<ExecutorId>, ConvertError> {
    optional(id, |id| id.value.as_deref(), executor_id)
}

/// An operation's id, if there is one.
///
/// # Errors
/// When it is there but is not an id.
pub fn optional_operation_id(
    id: Option<&v1::OperationId>,
) -> Result<Option<OperationId>, ConvertError> {
    optional(id, |id| id.value.as_deref(), operation_id)
}

/// The sixteen bytes of a UUID.
///
/// # Errors
/// When there are fewer or more.
pub fn update_id(bytes: Option<&[u8]>) -> Result<UpdateId, ConvertError> {
    let bytes = <[u8; 16]>::try_from(bytes.unwrap_or_default());
    bytes
        .map(UpdateId)
        .map_err(|_| ConvertError::new("Not a valid UUID"))
}
