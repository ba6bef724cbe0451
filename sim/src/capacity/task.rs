//! Tasks that want a place.

use std::sync::Arc;
use tepui_core::placement::Shape;

/// One task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Task {
    /// Its name.
    pub name: String,
    /// The application that it is an instance of: constraints hold among these. Empty: it stands
    /// alone.
    pub application: Arc<str>,
    /// The role whose reservations and quota it uses. Empty: `*`.
    pub role: Arc<str>,
    /// What it asks for.
    pub shape: Shape,
    /// What it costs to move it, in whatever unit its owner counts. 0: nobody said.
    pub cost: i64,
}
