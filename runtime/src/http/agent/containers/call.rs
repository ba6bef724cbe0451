//! What calls about containers name, with the checks that Mesos' agents make of it.

use super::super::operator::{inner, invalid, refused};
use crate::container::nested::Name;
use crate::mesos::media::Refusal;
use crate::mesos::v1;
use crate::mesos::v1::agent::Call;
use crate::mesos::v1::agent::call::Type;
use axum::http::StatusCode;

/// Deeper nesting than anybody needs.
const DEPTH_MAX: usize = 16;

/// The longest name that can be part of a path.
const ID_BYTES_MAX: usize = 255;

/// What a call names, as the part of it that its type stands for.
pub(super) struct Part {
    pub(super) name: Name,
    pub(super) command: Option<v1::CommandInfo>,
    pub(super) signal: Option<i32>,
}

/// Reads it.
///
/// # Errors
/// When it is not there, or is none of what Mesos takes.
pub(super) fn part(kind: Type, call: Call) -> Result<Part, Refusal> {
    let field = kind.name().to_lowercase();
    let (id, command, signal) = inside(kind, call, &field)?;
    let nested = field.contains("nested");
    let name = name_of(&id.unwrap_or_default(), &field, nested)?;
    Ok(Part {
        name,
        command,
        signal,
    })
}

type Inside = (
    Option<v1::ContainerId>,
    Option<v1::CommandInfo>,
    Option<i32>,
);

fn inside(kind: Type, call: Call, field: &str) -> Result<Inside, Refusal> {
    Ok(match kind {
        Type::LaunchNestedContainer => {
            let own = inner(call.launch_nested_container, field)?;
            (own.container_id, own.command, None)
        }
        Type::LaunchNestedContainerSession => {
            let own = inner(call.launch_nested_container_session, field)?;
            (own.container_id, own.command, None)
        }
        Type::LaunchContainer => {
            let own = inner(call.launch_container, field)?;
            (own.container_id, own.command, None)
        }
        Type::WaitNestedContainer => {
            let own = inner(call.wait_nested_container, field)?;
            (own.container_id, None, None)
        }
        Type::WaitContainer => (inner(call.wait_container, field)?.container_id, None, None),
        Type::KillNestedContainer => {
            let own = inner(call.kill_nested_container, field)?;
            (own.container_id, None, own.signal)
        }
        Type::KillContainer => {
            let own = inner(call.kill_container, field)?;
            (own.container_id, None, own.signal)
        }
        Type::RemoveNestedContainer => {
            let own = inner(call.remove_nested_container, field)?;
            (own.container_id, None, None)
        }
        Type::RemoveContainer => {
            let own = inner(call.remove_container, field)?;
            (own.container_id, None, None)
        }
        Type::AttachContainerOutput => {
            let own = inner(call.attach_container_output, field)?;
            (own.container_id, None, None)
        }
        _ => return Err(refused(StatusCode::NOT_IMPLEMENTED, "")),
    })
}

/// A container's name, outermost first. `field` is where in the call it stands.
///
/// # Errors
/// When it is none.
pub(super) fn name_of(id: &v1::ContainerId, field: &str, nested: bool) -> Result<Name, Refusal> {
    let mut name = Vec::new();
    let mut next = Some(id);
    while let Some(id) = next {
        let value = id.value.clone().unwrap_or_default();
        let problem = match name.len() {
            DEPTH_MAX => Some(String::from("containers are nested too deep")),
            _ => problem(&value),
        };
        if let Some(problem) = problem {
            let around = "'ContainerID.parent' is invalid: ".repeat(name.len());
            let text = format!("'{field}.container_id' is invalid: {around}{problem}");
            return Err(invalid(&text));
        }
        name.push(value);
        next = id.parent.as_deref();
    }
    name.reverse();
    if nested && name.len() == 1 {
        let text = format!("Expecting '{field}.container_id.parent' to be present");
        return Err(invalid(&text));
    }
    Ok(name)
}

/// Why something is no container's id.
fn problem(id: &str) -> Option<String> {
    let never = |c: char| c.is_ascii_control() || c == '/' || c == '\\';
    if id.is_empty() {
        Some(String::from("ID must not be empty"))
    } else if id.len() > ID_BYTES_MAX {
        let text = format!("ID must not be greater than {ID_BYTES_MAX} characters");
        Some(text)
    } else if id == "." || id == ".." {
        Some(format!("'{id}' is disallowed"))
    } else if id.contains(never) {
        Some(format!("'{id}' contains invalid characters"))
    } else if id.contains(|c: char| c == '.' || c.is_whitespace()) {
        let text = format!("'ContainerID.value' '{id}' contains invalid characters");
        Some(text)
    } else {
        None
    }
}
