//! What a framework says that it understands: nothing else is offered to it (Mesos' framework
//! capabilities `GPU_RESOURCES`, `REGION_AWARE`, `REVOCABLE_RESOURCES`, `SHARED_RESOURCES` and
//! `RESERVATION_REFINEMENT`).

use super::agent::Agent;
use super::bits::Bits;
use super::{AgentIndex, Allocator, AllocatorError, FrameworkIndex};
use crate::model::Capabilities;
use crate::resources::{ResourceKind, Resources};

/// What a framework takes besides plain resources of its own region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "five independent wishes")]
pub struct Takes {
    /// Agents with GPUs.
    pub gpus: bool,
    /// Agents of other regions.
    pub remote: bool,
    /// Resources that may be taken back at any time.
    pub revocable: bool,
    /// Volumes that several tasks use at once.
    pub shared: bool,
    /// Reservations that refine others.
    pub refined: bool,
}

impl Takes {
    /// Whatever there is.
    pub const EVERYTHING: Takes = Takes {
        gpus: true,
        remote: true,
        revocable: true,
        shared: true,
        refined: true,
    };

    /// What a framework with these capabilities takes.
    #[must_use]
    pub const fn of(capabilities: &Capabilities) -> Takes {
        Takes {
            gpus: capabilities.gpu_resources,
            remote: capabilities.region_aware,
            revocable: capabilities.revocable_resources,
            shared: capabilities.shared_resources,
            refined: capabilities.reservation_refinement,
        }
    }

    /// Whether it takes a resource of this kind.
    #[must_use]
    pub fn takes(self, kind: &ResourceKind) -> bool {
        (self.revocable || !kind.revocable)
            && (self.shared || !kind.shared)
            && (self.refined || kind.reservations.len() <= 1)
    }

    /// Whether it takes anything of an agent.
    pub(super) const fn takes_of(self, agent: &Agent) -> bool {
        (self.gpus || !agent.peculiar.gpus) && (self.remote || !agent.peculiar.remote)
    }
}

/// Why some framework may not be offered all that an agent has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Peculiar {
    /// It has GPUs.
    pub(super) gpus: bool,
    /// It stands in another region than the masters.
    pub(super) remote: bool,
    /// It has resources that not everybody takes.
    pub(super) items: bool,
}

impl Peculiar {
    pub(super) const fn is_none(self) -> bool {
        !(self.gpus || self.remote || self.items)
    }

    /// The same, for an agent that has `total` now.
    pub(super) fn with_total(self, total: &Resources) -> Peculiar {
        let plain = Takes {
            revocable: false,
            shared: false,
            refined: false,
            ..Takes::EVERYTHING
        };
        Peculiar {
            gpus: !total.scalar("gpus").is_zero(),
            items: total.iter().any(|item| !plain.takes(&item.kind)),
            ..self
        }
    }
}

/// The clients that take peculiar agents.
#[derive(Clone, Debug)]
pub(super) struct Takers {
    pub(super) gpus: Bits,
    pub(super) remote: Bits,
}

impl Takers {
    pub(super) const fn new() -> Takers {
        Takers {
            gpus: Bits::new(),
            remote: Bits::new(),
        }
    }

    /// A client is there, and takes this; or takes nothing since it is no more.
    pub(super) fn note(&mut self, client: u32, takes: Option<Takes>) {
        self.gpus.put(client, takes.is_some_and(|takes| takes.gpus));
        self.remote
            .put(client, takes.is_some_and(|takes| takes.remote));
    }
}

impl Allocator {
    /// Offers a framework nothing but what it takes. Before this is said it takes everything.
    ///
    /// # Errors
    /// When it is unknown.
    pub fn set_takes(
        &mut self,
        framework: FrameworkIndex,
        takes: Takes,
    ) -> Result<(), AllocatorError> {
        let slot = self.framework_slot(framework)?;
        let entry = self.frameworks.at_mut(slot);
        if entry.takes == takes {
            return Ok(());
        }
        entry.takes = takes;
        for (_, client) in entry.clients.clone() {
            self.takers.note(client, Some(takes));
            if self.active.has(client) {
                self.wake(client);
            }
        }
        Ok(())
    }

    /// Says whether an agent stands in another region than the masters.
    ///
    /// # Errors
    /// When it is unknown.
    pub fn set_agent_remote(
        &mut self,
        agent: AgentIndex,
        remote: bool,
    ) -> Result<(), AllocatorError> {
        let slot = self.agent_slot(agent)?;
        if self.agents.at(slot).peculiar.remote != remote {
            self.agents.at_mut(slot).peculiar.remote = remote;
            self.touch(slot);
        }
        Ok(())
    }

    /// Takes out of `clients` all that take nothing of an agent.
    pub(super) fn retain_takers(&self, slot: u32, clients: &mut Bits) {
        let peculiar = self.agents.at(slot).peculiar;
        if peculiar.gpus {
            clients.retain_all(&self.takers.gpus);
        }
        if peculiar.remote {
            clients.retain_all(&self.takers.remote);
        }
    }
}
