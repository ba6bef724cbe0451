//! The ports of a framework that lives in one process and ends with it: nothing of it is kept on
//! disk, since nobody will come back for it.

use crate::driver::{Ended, Handle, Ports};
use crate::net::dial::{Call, dial};
use crate::net::find::Masters;
use crate::net::{Kind, Links};
use std::ops::ControlFlow;
use tepui_core::durable::WriteSequence;
use tepui_core::message::scheduler;
use tepui_core::scheduler::{Effect, Exit, FrameworkNode, Input, Logic, Notice};
use tepui_core::time::Now;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Performs a framework's effects.
#[derive(Debug)]
pub struct FrameworkPorts<F: Logic> {
    /// Where masters are found.
    pub found: Masters,
    /// Connections to masters.
    pub masters: Links<scheduler::ToMaster>,
    /// Where inputs go.
    pub node: Handle<FrameworkNode<F>>,
    /// Where notices go; dropped when nobody keeps up.
    pub notices: mpsc::Sender<Notice>,
    /// How the process is to end, once the framework said so.
    pub exit: Option<Exit>,
    /// The last connection, to see what was said last leave.
    pub last_link: Option<JoinHandle<()>>,
    /// The last record, which is as durable as it will ever be.
    pub written: WriteSequence,
    /// What the machine was told last.
    pub told: WriteSequence,
}

impl<F: Logic> FrameworkPorts<F> {
    /// Nothing has happened yet.
    #[must_use]
    pub fn new(
        found: Masters,
        node: Handle<FrameworkNode<F>>,
        notices: mpsc::Sender<Notice>,
    ) -> FrameworkPorts<F> {
        FrameworkPorts {
            found,
            masters: Links::default(),
            node,
            notices,
            exit: None,
            last_link: None,
            written: WriteSequence::default(),
            told: WriteSequence::default(),
        }
    }
}

impl<F: Logic> Ports<FrameworkNode<F>> for FrameworkPorts<F>
where
    FrameworkNode<F>: Send,
{
    fn perform(&mut self, _now: Now, effect: Effect) -> ControlFlow<Ended> {
        match effect {
            Effect::Connect { peer, address } => {
                let call = Call {
                    kind: Kind::Scheduler,
                    peer,
                    connected: |peer| Input::Connected { peer },
                    disconnected: |peer| Input::Disconnected { peer },
                    heard: |peer, message| Input::FromMaster { peer, message },
                };
                let link = dial(
                    self.found.target(address),
                    &call,
                    &self.masters,
                    self.node.clone(),
                );
                self.last_link = Some(link);
            }
            Effect::Close { peer } => self.masters.close(peer),
            Effect::ToMaster { peer, message } => self.masters.send(peer, message),
            Effect::Persist { sequence, .. } => self.written = sequence,
            Effect::Notice(notice) => {
                tracing::debug!("{notice}");
                // Notices may be dropped.
                let _ = self.notices.try_send(notice);
            }
            Effect::Exit(exit) => {
                self.exit = Some(exit);
                return ControlFlow::Break(Ended::Done);
            }
        }
        ControlFlow::Continue(())
    }

    fn persisted(&mut self) -> Result<Option<Input>, Ended> {
        if self.written <= self.told {
            return Ok(None);
        }
        self.told = self.written;
        Ok(Some(Input::Persisted { up_to: self.told }))
    }
}
