//! The books of one agent.

use super::AllocatorError;
use super::filter::Filters;
use super::quota::Counted;
use super::takes::{Peculiar, Takes};
use crate::ids::AgentId;
use crate::resources::{Quantities, Resource, Resources, Role};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// The client that is charged for what a removed client still holds.
pub(super) const NOBODY: u32 = u32::MAX;

/// So much is in the hands of one client, offered or in use.
#[derive(Clone, Debug)]
pub(super) struct Holder {
    pub(super) client: u32,
    /// The client's slot may have been given to another; then nobody is charged.
    pub(super) generation: u32,
    pub(super) held: Quantities,
}

/// An agent. At any moment `total + deficit == free + allocated`, shared volumes left out: of
/// those, one copy of each is always free.
#[derive(Clone, Debug)]
pub(super) struct Agent {
    pub(super) free: Resources,
    /// Shared volumes left out.
    pub(super) free_quantities: Quantities,
    pub(super) holders: Vec<Holder>,
    pub(super) filters: Filters,
    /// Counts the changes of [`Agent::free`].
    pub(super) version: u64,
    /// Takes part in allocation.
    pub(super) active: bool,
    pub(super) peculiar: Peculiar,
    /// Slots of the roles that parts of the total are reserved for.
    pub(super) reserved: Box<[u32]>,
    /// What a cycle does not look at, kept away so that it looks at three cache lines an agent.
    pub(super) ledger: Box<Ledger>,
}

const _: () = assert!(size_of::<Agent>() <= 184);

/// The rest of an agent's books.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    pub(super) id: AgentId,
    pub(super) total: Resources,
    pub(super) total_quantities: Quantities,
    /// What is allocated beyond the total, after the total shrank or tasks came back with more.
    pub(super) deficit: Resources,
    /// What of it is in the sums of quota; none while no role has quota.
    pub(super) counted: Option<Box<Counted>>,
    /// The copies of shared volumes that are in anyone's hands.
    pub(super) shared: Resources,
}

impl Agent {
    pub(super) fn new(id: AgentId, total: Resources) -> Agent {
        let quantities = total.quantities();
        Agent {
            free: total.clone(),
            free_quantities: total.exclusive().quantities(),
            holders: Vec::new(),
            filters: Filters::default(),
            version: 0,
            active: true,
            peculiar: Peculiar::default().with_total(&total),
            reserved: Box::default(),
            ledger: Box::new(Ledger {
                id,
                total,
                total_quantities: quantities,
                deficit: Resources::EMPTY,
                counted: None,
                shared: Resources::EMPTY,
            }),
        }
    }

    /// What is in anyone's hands, exactly; shared volumes left out.
    pub(super) fn allocated(&self) -> Resources {
        let total = self.ledger.total.exclusive();
        let all = total.checked_add(&self.ledger.deficit);
        let rest = all.and_then(|all| all.checked_sub(&self.free.exclusive()));
        rest.expect("total + deficit == free + allocated, at any moment")
    }

    /// Books `total` and `allocated` anew; what of `allocated` the total does not have becomes a
    /// deficit.
    pub(super) fn rebook(&mut self, total: Resources, allocated: &Resources) {
        assert!(!allocated.has_shared(), "what is shared is counted apart");
        let covered = total.intersection(allocated);
        let free = total.checked_sub(&covered);
        let deficit = allocated.checked_sub(&covered);
        self.free = free.expect("an intersection lies within both").single();
        self.ledger.deficit = deficit.expect("an intersection lies within both");
        self.free_quantities = self.free.exclusive().quantities();
        self.ledger.total_quantities = total.quantities();
        self.peculiar = self.peculiar.with_total(&total);
        self.ledger.total = total;
        self.version += 1;
    }

    /// Puts `resources` into the hands of a client.
    pub(super) fn take(&mut self, resources: &Resources) -> Result<(), AllocatorError> {
        let shared = resources.shared();
        if !self.free.contains_single(&shared) {
            return Err(AllocatorError::NotHeld(self.ledger.id.clone()));
        }
        let copies = self.ledger.shared.checked_add(&shared)?;
        self.free = self.free.checked_sub(&resources.exclusive())?;
        self.ledger.shared = copies;
        self.free_quantities = self.free.exclusive().quantities();
        self.version += 1;
        Ok(())
    }

    /// Takes all that may be offered to `role`, and that its framework takes, out of what is free.
    pub(super) fn take_for(&mut self, role: &Role, takes: Takes) -> (Resources, Quantities) {
        self.version += 1;
        if self.peculiar.items {
            let wanted =
                |item: &Resource| item.kind.is_allocatable_to(role) && takes.takes(&item.kind);
            let taken = self.free.filter(wanted);
            self.free = self.free.filter(|item| item.kind.shared || !wanted(item));
            let copies = self.ledger.shared.checked_add(&taken.shared());
            self.ledger.shared = copies.expect("copies of one volume add up");
            self.free_quantities = self.free.exclusive().quantities();
            let quantities = taken.exclusive().quantities();
            return (taken, quantities);
        }
        if self.reserved.is_empty() {
            let all = core::mem::take(&mut self.free);
            return (all, core::mem::take(&mut self.free_quantities));
        }
        let taken = self.free.split_off_allocatable(role);
        let quantities = taken.quantities();
        self.free_quantities.sub(&quantities);
        (taken, quantities)
    }

    /// Books `more` as held by a client.
    pub(super) fn hold(&mut self, client: u32, generation: u32, more: &Quantities) {
        if more.is_zero() {
            return;
        }
        match self.holder(client, generation) {
            Some(at) => self.holders[at].held.add(more),
            None => self.holders.push(Holder {
                client,
                generation,
                held: more.clone(),
            }),
        }
    }

    fn holder(&self, client: u32, generation: u32) -> Option<usize> {
        let mut holders = self.holders.iter();
        holders.position(|holder| (holder.client, holder.generation) == (client, generation))
    }

    /// Whether a client holds at least `less`.
    pub(super) fn holds(&self, client: u32, generation: u32, less: &Quantities) -> bool {
        let at = self.holder(client, generation);
        less.is_zero() || at.is_some_and(|at| self.holders[at].held.contains(less))
    }

    /// Books `less` as no longer held by a client that holds it.
    pub(super) fn release(&mut self, client: u32, generation: u32, less: &Quantities) {
        if less.is_zero() {
            return;
        }
        let at = self
            .holder(client, generation)
            .expect("checked by the caller");
        self.holders[at].held.sub(less);
        if self.holders[at].held.is_zero() {
            self.holders.swap_remove(at);
        }
    }

    /// Makes `resources`, which were in someone's hands, free, or takes them off the deficit.
    /// Nothing changes when they cannot have been.
    pub(super) fn put_back(
        &mut self,
        resources: &Resources,
        quantities: &Quantities,
    ) -> Result<(), AllocatorError> {
        let copies = resources.shared();
        let copies = self.ledger.shared.checked_sub(&copies)?;
        let resources = resources.exclusive();
        if !self.ledger.deficit.is_empty() {
            let owed = self.ledger.deficit.intersection(&resources);
            let free = self.free.checked_add(&resources.checked_sub(&owed)?)?;
            self.check_total(&free)?;
            self.ledger.deficit = self.ledger.deficit.checked_sub(&owed)?;
            self.free_quantities = free.exclusive().quantities();
            self.free = free;
        } else if self.free.is_empty() {
            self.check_total(&resources)?;
            self.free = resources;
            self.free_quantities.clone_from(quantities);
        } else {
            let free = self.free.checked_add(&resources)?;
            self.check_total(&free)?;
            self.free = free;
            self.free_quantities.add(quantities);
        }
        self.ledger.shared = copies;
        self.version += 1;
        Ok(())
    }

    fn check_total(&self, free: &Resources) -> Result<(), AllocatorError> {
        if self.ledger.total.contains(free) {
            return Ok(());
        }
        Err(AllocatorError::NotHeld(self.ledger.id.clone()))
    }

    /// Books what clients that are no more still hold (their tasks end one by one) as nobody's.
    pub(super) fn orphan(&mut self, is_live: impl Fn(u32, u32) -> bool) {
        let mut orphaned = Quantities::ZERO;
        self.holders.retain(|holder| {
            let live = is_live(holder.client, holder.generation);
            if !live {
                orphaned.add(&holder.held);
            }
            live
        });
        self.hold(NOBODY, 0, &orphaned);
    }
}
