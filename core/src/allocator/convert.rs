//! Operations on resources: what an agent has becomes something else of the same amounts.

use super::agent::Agent;
use super::{AgentIndex, Allocator, AllocatorError, FrameworkIndex};
use crate::resources::{Conversion, ConversionError, Quantities, Resources, Role};

impl Allocator {
    /// Converts what `holder` was offered, or, without one, what is free. The agent's total
    /// changes with it.
    ///
    /// # Errors
    /// When either is unknown, or what is to be converted is not all there.
    pub fn convert(
        &mut self,
        agent: AgentIndex,
        holder: Option<(FrameworkIndex, &Role)>,
        conversions: &[Conversion],
    ) -> Result<(), AllocatorError> {
        let slot = self.agent_slot(agent)?;
        match holder {
            Some((framework, role)) => {
                self.framework_slot(framework)?;
                self.convert_held(slot, framework, role, conversions)?;
            }
            None => self.agents.at_mut(slot).convert_free(conversions)?,
        }
        self.note_reservations(slot);
        self.touch(slot);
        self.urgent = true;
        Ok(())
    }

    fn convert_held(
        &mut self,
        slot: u32,
        framework: FrameworkIndex,
        role: &Role,
        conversions: &[Conversion],
    ) -> Result<(), AllocatorError> {
        let (mut consumed, mut converted) = (Quantities::ZERO, Quantities::ZERO);
        for step in conversions {
            consumed.add(&step.consumed.exclusive().quantities());
            converted.add(&step.converted.exclusive().quantities());
        }
        // What is shared is nobody's share, so that who holds a volume that becomes shared, or
        // does not stay so, is charged anew.
        let client = self.client_for(framework, role);
        let generation = self.clients.generation(client);
        let entry = self.agents.at_mut(slot);
        let done = if entry.holds(client, generation, &consumed) {
            entry.convert_allocated(conversions)
        } else {
            Err(AllocatorError::NotHeld(entry.ledger.id.clone()))
        };
        if done.is_err() {
            self.drop_if_idle(client);
            return done;
        }
        if consumed != converted {
            let node = self.clients.at(client).node;
            let entry = self.agents.at_mut(slot);
            entry.release(client, generation, &consumed);
            entry.hold(client, generation, &converted);
            self.tree.discharge(node, &consumed);
            self.tree.charge(node, &converted);
        }
        Ok(())
    }
}

impl Agent {
    /// Converts what is in someone's hands.
    fn convert_allocated(&mut self, conversions: &[Conversion]) -> Result<(), AllocatorError> {
        let total = self.ledger.total.apply(conversions)?;
        let mut shared = self.ledger.shared.clone();
        for step in conversions {
            shared = shared.checked_sub(&step.consumed.shared())?;
            shared = shared.checked_add(&step.converted.shared())?;
        }
        let exclusive = self.free.exclusive();
        if !total.contains(&exclusive) {
            // It was free, or beyond what the agent has.
            return Err(AllocatorError::NotHeld(self.ledger.id.clone()));
        }
        let free = exclusive.checked_add(&total.shared())?;
        self.settle(total, free, shared);
        Ok(())
    }

    /// Converts what is in nobody's hands.
    fn convert_free(&mut self, conversions: &[Conversion]) -> Result<(), AllocatorError> {
        let total = self.ledger.total.apply(conversions)?;
        let free = self.free.apply(conversions)?;
        for step in conversions {
            let mut items = step.consumed.iter();
            if let Some(item) = items.find(|item| self.ledger.shared.find(&item.kind).is_some()) {
                let text = alloc::format!("{item}");
                return Err(ConversionError::Copies(text).into());
            }
        }
        let shared = self.ledger.shared.clone();
        self.settle(total, free, shared);
        Ok(())
    }

    fn settle(&mut self, total: Resources, free: Resources, shared: Resources) {
        let quantities = total.quantities();
        assert_eq!(
            quantities, self.ledger.total_quantities,
            "what resources are changes, how much there is does not"
        );
        self.ledger.total = total;
        self.ledger.shared = shared;
        self.peculiar = self.peculiar.with_total(&self.ledger.total);
        self.free_quantities = free.exclusive().quantities();
        self.free = free;
        self.version += 1;
    }
}
