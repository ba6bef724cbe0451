//! Where a machine puts its effects: a buffer that the caller owns, drained in program order.

use alloc::vec::Vec;

/// A bounded buffer of effects, reused for ever so that the steady state allocates nothing.
#[derive(Clone, Debug)]
pub struct Outbox<E> {
    items: Vec<E>,
    limit: usize,
}

impl<E> Outbox<E> {
    /// `limit` is a bound on what one input may cause; to pass it is a bug, not an overload.
    #[must_use]
    pub const fn new(limit: usize) -> Outbox<E> {
        Outbox {
            items: Vec::new(),
            limit,
        }
    }

    /// Appends one effect.
    pub fn push(&mut self, effect: E) {
        assert!(
            self.items.len() < self.limit,
            "one input caused more than {} effects",
            self.limit
        );
        self.items.push(effect);
    }

    /// Takes everything out, in order; capacity is kept.
    pub fn drain(&mut self) -> impl Iterator<Item = E> + '_ {
        self.items.drain(..)
    }

    /// What waits to be drained, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[E] {
        &self.items
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Swaps contents with a scratch vector, for owners that must drain while they borrow
    /// themselves mutably. `scratch` must be empty.
    pub fn swap_into(&mut self, scratch: &mut Vec<E>) {
        assert!(scratch.is_empty(), "effects would be lost");
        core::mem::swap(&mut self.items, scratch);
    }
}
