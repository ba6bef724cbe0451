//! How a handler ends the connection that it answers on, even when the other side reads nothing
//! and nobody asks the answer's body for more.

use std::sync::Arc;
use tokio::sync::Notify;

/// Ends one connection; every request that comes through it carries this.
#[derive(Clone, Debug, Default)]
pub struct Hangup(Arc<Notify>);

impl Hangup {
    /// Ends the connection at once, whatever was still to be written.
    pub fn now(&self) {
        self.0.notify_one();
    }

    /// Resolves once somebody wants the connection's end.
    pub async fn wanted(&self) {
        self.0.notified().await;
    }
}
