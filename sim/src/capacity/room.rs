//! What is left on one machine of which something is reserved, for each role.

use super::amounts::Amounts;
use super::machine::Machine;
use std::sync::Arc;

/// A machine's reservations, and what is used of them.
#[derive(Clone, Debug)]
pub(super) struct Room {
    /// By role, sorted: a role is behind those above it.
    parts: Vec<Part>,
    /// What is reserved for nobody.
    open: Amounts,
    /// What roles use for which nothing is reserved here.
    taken: Amounts,
    /// What is left of `open`.
    left: Amounts,
}

#[derive(Clone, Debug)]
struct Part {
    /// The number of its role.
    role: u32,
    /// The nearest role above that has a part too.
    above: Option<usize>,
    reserved: Amounts,
    /// What the role, and those below it that have no part, use.
    used: Amounts,
    /// What is left of the reserved.
    left: Amounts,
}

impl Room {
    /// Nothing is used of it; `names` are all roles for which something is reserved anywhere.
    pub(super) fn new(machine: &Machine, names: &[Arc<str>]) -> Room {
        let mut parts: Vec<Part> = Vec::new();
        let mut open = Amounts::of_capacity(&machine.capacity);
        for (role, reserved) in &machine.reserved {
            open -= *reserved;
            let role = names.binary_search(role).expect("all names are there");
            let is_above =
                |part: &Part| super::roles::covers(&names[part.role as usize], &names[role]);
            parts.push(Part {
                role: role as u32,
                above: parts.iter().rposition(is_above),
                reserved: *reserved,
                used: Amounts::default(),
                left: *reserved,
            });
        }
        Room {
            parts,
            open,
            taken: Amounts::default(),
            left: open,
        }
    }

    /// What the roles of a chain, the nearest first, may use in all.
    pub(super) fn available(&self, chain: &[u32]) -> Amounts {
        let mut sum = self.reserved_left(chain);
        sum += self.left;
        sum
    }

    /// What of that is reserved.
    pub(super) fn reserved_left(&self, chain: &[u32]) -> Amounts {
        let mut sum = Amounts::default();
        for part in self.parts.iter().filter(|part| chain.contains(&part.role)) {
            sum += part.left;
        }
        sum
    }

    /// The nearest role of a chain uses more.
    pub(super) fn add(&mut self, chain: &[u32], amounts: &Amounts) {
        *self.user(chain) += *amounts;
        self.settle();
    }

    /// It uses less.
    pub(super) fn remove(&mut self, chain: &[u32], amounts: &Amounts) {
        *self.user(chain) -= *amounts;
        self.settle();
    }

    fn user(&mut self, chain: &[u32]) -> &mut Amounts {
        let place = |role: &u32| self.parts.iter().position(|part| part.role == *role);
        match chain.iter().find_map(place) {
            Some(part) => &mut self.parts[part].used,
            None => &mut self.taken,
        }
    }

    /// Lets what is used flow: into the role's own part, then into those above it, then into what
    /// is reserved for nobody.
    fn settle(&mut self) {
        let mut inflow = vec![Amounts::default(); self.parts.len()];
        self.left = self.open;
        self.left -= self.taken;
        for index in (0..self.parts.len()).rev() {
            let part = &mut self.parts[index];
            let mut beyond = part.used;
            beyond += inflow[index];
            let held = beyond.min(&part.reserved);
            part.left = part.reserved;
            part.left -= held;
            beyond -= held;
            match part.above {
                Some(above) => inflow[above] += beyond,
                None => self.left -= beyond,
            }
        }
    }
}
