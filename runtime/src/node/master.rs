//! The master's ports.

use crate::disk::{ReplacedFile, Wal};
use crate::driver::{Ended, Handle, Ports};
use crate::http::leader::Leader;
use crate::http::operator::{Events, Requests};
use crate::http::scheduler::Streams;
use crate::net::connection::{Stream, converse};
use crate::net::framing::FrameError;
use crate::net::masters::MasterLinks;
use crate::net::{Kind, Links};
use crate::node::counters::Counters;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use tepui_core::durable::WriteSequence;
use tepui_core::ids::{FrameworkId, MasterId, Peer};
use tepui_core::log::{self, Lane};
use tepui_core::master::{Effect, Input, MasterNode, Notice};
use tepui_core::message::{agent, scheduler};
use tepui_core::time::Now;
use tokio::sync::{Notify, mpsc};

/// What wakes the link to each master.
pub type Wakers = Arc<Mutex<BTreeMap<MasterId, Arc<Notify>>>>;

/// Performs a master's effects.
#[derive(Debug)]
pub struct MasterPorts {
    /// The log lane.
    pub journal: Wal,
    /// The snapshot lane.
    pub snapshot: ReplacedFile,
    /// Links to the other masters.
    pub masters: MasterLinks<log::Message>,
    /// What wakes them.
    pub wakers: Wakers,
    /// Connections of agents.
    pub agents: Links<agent::ToAgent>,
    /// Connections of schedulers.
    pub schedulers: Links<scheduler::ToScheduler>,
    /// Subscriptions of schedulers over HTTP.
    pub streams: Streams,
    /// Who leads, for those who serve.
    pub leader: Leader,
    /// Operators that wait for an answer.
    pub requests: Requests,
    /// Those who listen to what happens.
    pub events: Events,
    /// What is counted.
    pub counters: Counters,
    /// What the machine was told last of the log lane.
    pub told_log: WriteSequence,
    /// What the machine was told last of the snapshot lane.
    pub told_snapshot: WriteSequence,
}

impl Ports<MasterNode> for MasterPorts {
    fn perform(&mut self, now: Now, effect: Effect) -> ControlFlow<Ended> {
        match effect {
            Effect::ToMaster { to, message } => self.masters.send(to, message),
            Effect::ToAgent { peer, message } => {
                self.counters.told_agent(&message);
                self.agents.send(peer, message);
            }
            Effect::ToScheduler { peer, message } => {
                self.counters.told_scheduler(peer, &message);
                let greeted = greeted(&message).cloned();
                match self.streams.send(peer, message) {
                    Some(message) => self.schedulers.send(peer, message),
                    None => {
                        if let Some(framework_id) = greeted {
                            self.counters.book().frameworks.greeted(&framework_id);
                        }
                    }
                }
            }
            Effect::Close { peer } => {
                self.agents.close(peer);
                self.schedulers.close(peer);
                self.streams.close(peer);
            }
            Effect::Persist {
                lane: Lane::Log,
                sequence,
                write,
            } => {
                let starts_over = write.is_checkpoint();
                self.journal.append(sequence, &write, starts_over);
            }
            Effect::Persist {
                lane: Lane::Snapshot,
                sequence,
                write,
            } => self.snapshot.replace(sequence, &write),
            Effect::Membership(members) => {
                let members = members.iter();
                self.masters
                    .keep(members.map(|member| (member.id, member.address.clone())));
                *self.wakers.lock().unwrap_or_else(PoisonError::into_inner) = self.masters.wakers();
            }
            Effect::Notice(notice) => {
                tell(&notice);
                self.counters.noticed(now, &notice);
                self.events.noticed(&notice);
            }
            Effect::ToOperator { id, answer } => self.requests.answer(id, answer),
            Effect::Halt(fatal) => {
                let why = describe(&fatal);
                return ControlFlow::Break(Ended::Failed(why));
            }
        }
        ControlFlow::Continue(())
    }

    fn flush(&mut self) {
        self.journal.flush();
    }

    fn heard(&mut self, now: Now, input: &Input) {
        self.counters.heard(now, input);
    }

    fn observe(&mut self, machine: &MasterNode) {
        self.counters.settle(machine);
        self.leader.observe(machine);
        self.events.observe(machine);
    }

    fn persisted(&mut self) -> Result<Option<Input>, Ended> {
        let failed = |error: crate::disk::DiskError| Ended::Failed(error.to_string());
        let up_to = self.journal.durable().map_err(failed)?;
        if up_to > self.told_log {
            self.told_log = up_to;
            let lane = Lane::Log;
            return Ok(Some(Input::Persisted { lane, up_to }));
        }
        let up_to = self.snapshot.durable().map_err(failed)?;
        if up_to > self.told_snapshot {
            self.told_snapshot = up_to;
            let lane = Lane::Snapshot;
            return Ok(Some(Input::Persisted { lane, up_to }));
        }
        Ok(None)
    }
}

/// The framework whose stream begins with this.
fn greeted(message: &scheduler::ToScheduler) -> Option<&FrameworkId> {
    match message {
        scheduler::ToScheduler::Event(scheduler::Event::Subscribed { framework_id, .. }) => {
            Some(framework_id)
        }
        _ => None,
    }
}

fn describe(fatal: &log::Fatal) -> String {
    match fatal {
        log::Fatal::Unrepairable { at_bytes, why } => format!(
            "the journal is damaged at byte {at_bytes} ({why}) and no other master can repair it: \
             restore --work_dir from a copy"
        ),
        log::Fatal::Unreadable { position, why } => format!(
            "what was learned at position {position} cannot be read ({why}): this build may be \
             older than the cluster's; upgrade it"
        ),
        log::Fatal::Diverged { position, from } => format!(
            "{from} learned another value at position {position}: a disk lies; stop the cluster \
             and compare the masters' work directories"
        ),
    }
}

fn tell(notice: &Notice) {
    match notice {
        Notice::Elected { .. }
        | Notice::Leading { .. }
        | Notice::LeaderChanged { .. }
        | Notice::Log(log::Notice::StatusChanged { .. } | log::Notice::SnapshotInstalled { .. })
        | Notice::Cluster(_) => tracing::info!("{notice}"),
        Notice::Demoted { .. }
        | Notice::RegistrarEnded { .. }
        | Notice::SteppingDown { .. }
        | Notice::OperationRejected { .. }
        | Notice::Log(
            log::Notice::Suspecting { .. }
            | log::Notice::Joining { .. }
            | log::Notice::CorruptRecordRepaired { .. },
        ) => tracing::warn!("{notice}"),
        _ => tracing::debug!("{notice}"),
    }
}

/// What the tasks around a master share.
#[derive(Clone, Debug)]
pub struct MasterPeers {
    /// The machine.
    pub node: Handle<MasterNode>,
    /// Connections of agents.
    pub agents: Links<agent::ToAgent>,
    /// Connections of schedulers.
    pub schedulers: Links<scheduler::ToScheduler>,
    /// What wakes the links to other masters.
    pub wakers: Wakers,
}

impl MasterPeers {
    /// Serves one native connection until it ends.
    pub async fn serve(&self, kind: Kind, peer: Peer, stream: Stream) {
        let told = match kind {
            Kind::Master(from) => {
                self.hear_master(from, stream).await;
                return;
            }
            Kind::Executor => {
                tracing::warn!("refused an executor: it belongs to an agent");
                return;
            }
            Kind::Agent => {
                let wishes = self.agents.open(peer);
                let heard = |message| Input::FromAgent { peer, message };
                let ended = converse(stream, wishes, &self.node, heard).await;
                tracing::debug!(?peer, ?ended, "an agent's connection is over");
                self.agents.ended(peer)
            }
            Kind::Scheduler => {
                let wishes = self.schedulers.open(peer);
                let heard = |message| Input::FromScheduler { peer, message };
                let ended = converse(stream, wishes, &self.node, heard).await;
                tracing::debug!(?peer, ?ended, "a scheduler's connection is over");
                self.schedulers.ended(peer)
            }
        };
        if told {
            self.node.input(Input::Disconnected { peer }).await;
        }
    }

    /// A master that links to this one lives: no reason to wait before linking to it again.
    fn wake(&self, master: MasterId) {
        let wakers = self.wakers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waker) = wakers.get(&master) {
            waker.notify_one();
        }
    }

    /// Reads what another master writes; the answers take this master's own link.
    async fn hear_master(&self, from: MasterId, mut stream: Stream) {
        self.wake(from);
        let ended = loop {
            match stream.reader.next::<log::Message>().await {
                Ok(Some(message)) => {
                    if !self.node.input(Input::FromMaster { from, message }).await {
                        return;
                    }
                }
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        if let Some(error @ (FrameError::Checksum | FrameError::Decode(_))) = ended {
            tracing::warn!(%from, %error, "closed a master's link");
        }
        self.node.input(Input::LinkBroken { with: from }).await;
    }
}

/// Tells the machine of its own links that broke, until the node ends.
pub async fn forward_broken(mut broken: mpsc::Receiver<MasterId>, node: Handle<MasterNode>) {
    while let Some(with) = broken.recv().await {
        if !node.input(Input::LinkBroken { with }).await {
            return;
        }
    }
}
