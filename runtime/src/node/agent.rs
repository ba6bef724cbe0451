//! The agent's ports.

use crate::container::Containers;
use crate::container::launch::Report;
use crate::disk::Wal;
use crate::driver::{Ended, Handle, Ports};
use crate::http::executor::ExecutorApi;
use crate::net::connection::{Stream, converse};
use crate::net::dial::{Call, dial};
use crate::net::find::Masters;
use crate::net::{Kind, Links};
use crate::node::book::SharedBook;
use crate::node::direct;
use std::ops::ControlFlow;
use tepui_core::agent::{AgentNode, Effect, Input, Notice, Write};
use tepui_core::durable::WriteSequence;
use tepui_core::ids::Peer;
use tepui_core::message::agent;
use tepui_core::time::Now;
use tokio::sync::mpsc;

/// Performs an agent's effects.
#[derive(Debug)]
pub struct AgentPorts {
    /// Its checkpoints.
    pub journal: Wal,
    /// Its containers.
    pub containers: Containers,
    /// Where masters are found.
    pub found: Masters,
    /// Connections to masters.
    pub masters: Links<agent::ToMaster>,
    /// Executors, however they are connected.
    pub api: ExecutorApi,
    /// Where inputs go.
    pub node: Handle<AgentNode>,
    /// What the machine was told last.
    pub told: WriteSequence,
    /// What people may ask of.
    pub book: SharedBook,
}

impl Ports<AgentNode> for AgentPorts {
    fn perform(&mut self, _now: Now, effect: Effect) -> ControlFlow<Ended> {
        match effect {
            Effect::Connect { peer, address } => {
                let call = Call {
                    kind: Kind::Agent,
                    peer,
                    connected: |peer| Input::Connected { peer },
                    disconnected: |peer| Input::Disconnected { peer },
                    heard: |peer, message| Input::FromMaster { peer, message },
                };
                // The task ends with its connection; nobody waits for it.
                let target = self.found.target(address);
                drop(dial(target, &call, &self.masters, self.node.clone()));
            }
            Effect::Close { peer } => match peer {
                Peer::Outbound(_) => self.masters.close(peer),
                Peer::Inbound(_) => self.api.links.close(peer),
            },
            Effect::ToMaster { peer, message } => self.masters.send(peer, message),
            Effect::ToExecutor { peer, event } => self.api.links.send(peer, event),
            Effect::Launch(launch) if direct::is_direct(&launch) => {
                direct::launch(launch, self.containers.clone(), self.api.clone());
            }
            Effect::Launch(launch) => self.containers.launch(launch),
            Effect::Destroy { container_id } => self.containers.destroy(&container_id),
            Effect::WipeVolumes { volumes } => self.containers.wipe(&volumes),
            Effect::Persist { sequence, write } => {
                self.book.lock().apply(&write);
                let starts_over = matches!(write, Write::Snapshot(_));
                self.journal.append(sequence, &write, starts_over);
            }
            Effect::Notice(notice) => tell(&notice),
            Effect::Exit => return ControlFlow::Break(Ended::Done),
            Effect::Halt(fatal) => return ControlFlow::Break(Ended::Failed(fatal.to_string())),
        }
        ControlFlow::Continue(())
    }

    fn flush(&mut self) {
        self.journal.flush();
    }

    fn persisted(&mut self) -> Result<Option<Input>, Ended> {
        let durable = self.journal.durable();
        let up_to = durable.map_err(|error| Ended::Failed(error.to_string()))?;
        if up_to <= self.told {
            return Ok(None);
        }
        self.told = up_to;
        Ok(Some(Input::Persisted { up_to }))
    }
}

fn tell(notice: &Notice) {
    match notice {
        Notice::Probe(_) => tracing::debug!("{notice}"),
        Notice::Refused { .. } | Notice::StaleLeader { .. } | Notice::LostMaster(_) => {
            tracing::warn!("{notice}");
        }
        _ => tracing::info!("{notice}"),
    }
}

/// Serves one executor's connection until it ends.
pub async fn serve_executor(peer: Peer, stream: Stream, api: ExecutorApi) {
    let (executors, node) = (api.links.clone(), api.node.clone());
    let wishes = executors.open(peer);
    let heard = |message| {
        let message = api.located(message);
        Input::FromExecutor { peer, message }
    };
    let ended = converse(stream, wishes, &node, heard).await;
    tracing::debug!(?peer, ?ended, "an executor's connection is over");
    if executors.ended(peer) {
        node.input(Input::Disconnected { peer }).await;
    }
}

/// Brings what is told of containers to the machine, until the node ends.
pub async fn forward_reports(mut reports: mpsc::Receiver<Report>, node: Handle<AgentNode>) {
    while let Some(report) = reports.recv().await {
        let input = match report {
            Report::Started { container_id, pid } => Input::ContainerStarted { container_id, pid },
            Report::Exited {
                container_id,
                status,
                message,
            } => Input::ContainerExited {
                container_id,
                status,
                message,
            },
        };
        if !node.input(input).await {
            return;
        }
    }
}
