//! Ordered connections, as TCP gives them: what is sent arrives in order or not at all; under a
//! partition it waits and the connection breaks in the end; a side may believe in a connection
//! that is long dead.

use crate::node::NodeIndex;
use crate::time::SimTime;
use std::collections::VecDeque;
use tepui_core::ids::Peer;

/// Names a connection for as long as it exists; stale keys are recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConnectionKey {
    slot: u32,
    generation: u32,
}

impl ConnectionKey {
    /// The name under which the accepting side knows it: never reused within a run, and greater
    /// than those of all connections before it, as drivers number what they accept.
    #[must_use]
    pub fn inbound(self) -> Peer {
        Peer::Inbound((u64::from(self.generation) << 32) | u64::from(self.slot))
    }

    /// The key behind a name made by [`Self::inbound`].
    #[must_use]
    pub fn of_inbound(name: u64) -> ConnectionKey {
        ConnectionKey {
            slot: name as u32,
            generation: (name >> 32) as u32,
        }
    }
}

/// One of the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Who asked for the connection.
    Opener,
    /// Who accepted it.
    Acceptor,
}

impl Side {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Side {
        match self {
            Side::Opener => Side::Acceptor,
            Side::Acceptor => Side::Opener,
        }
    }
}

/// One side's view.
#[derive(Clone, Copy, Debug)]
pub struct End {
    /// Whose.
    pub node: NodeIndex,
    /// The name by which that node knows the connection.
    pub peer: Peer,
    /// Whether that node believes in the connection.
    pub open: bool,
}

/// What is under way from one side to the other.
#[derive(Debug, Default)]
pub struct Lane {
    /// Nothing sent later may arrive earlier than this.
    pub last_arrival: SimTime,
    /// What arrived at a wall: it waits, in order, until the wall falls.
    pub held: VecDeque<u32>,
    /// Counts stalls, so that an old time-out does not break a new one.
    pub stall: u16,
}

/// A connection.
#[derive(Debug)]
pub struct Connection {
    /// Opener, acceptor.
    pub ends: [End; 2],
    /// From the opener, from the acceptor.
    pub lanes: [Lane; 2],
    /// Whether it stays within one host, where nothing is cut, lost or slow.
    pub local: bool,
}

impl Connection {
    /// A side's end.
    #[must_use]
    pub fn end(&self, side: Side) -> &End {
        &self.ends[side as usize]
    }

    /// What that side sent.
    pub fn lane(&mut self, from: Side) -> &mut Lane {
        &mut self.lanes[from as usize]
    }
}

#[derive(Debug)]
struct Slot {
    generation: u32,
    connection: Option<Connection>,
}

/// All connections of a run.
#[derive(Debug, Default)]
pub struct Connections {
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// How many were ever opened: the generation of the last one.
    opened: u32,
    /// Those that hold something back, to be tried again when a wall falls.
    stalled: Vec<ConnectionKey>,
}

impl Connections {
    /// A new connection of `opener`, who calls it `peer`, to `acceptor`.
    pub fn open(
        &mut self,
        opener: NodeIndex,
        peer: Peer,
        acceptor: NodeIndex,
        local: bool,
    ) -> ConnectionKey {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot {
                generation: 0,
                connection: None,
            });
            (self.slots.len() - 1) as u32
        });
        let entry = &mut self.slots[slot as usize];
        self.opened += 1;
        entry.generation = self.opened;
        let key = ConnectionKey {
            slot,
            generation: entry.generation,
        };
        let end = |node, peer| End {
            node,
            peer,
            open: true,
        };
        entry.connection = Some(Connection {
            ends: [end(opener, peer), end(acceptor, key.inbound())],
            lanes: [Lane::default(), Lane::default()],
            local,
        });
        key
    }

    /// The connection, unless both sides have given it up.
    #[inline]
    pub fn find(&mut self, key: ConnectionKey) -> Option<&mut Connection> {
        let slot = self.slots.get_mut(key.slot as usize)?;
        if slot.generation != key.generation {
            return None;
        }
        slot.connection.as_mut()
    }

    /// A side stops believing in it. Returns the payloads that nobody will get, once both sides
    /// have given up and the connection is gone.
    pub fn close(&mut self, key: ConnectionKey, side: Side) -> Option<Vec<u32>> {
        let connection = self.find(key)?;
        connection.ends[side as usize].open = false;
        if connection.ends[side.other() as usize].open {
            return None;
        }
        let slot = &mut self.slots[key.slot as usize];
        let connection = slot.connection.take().expect("found above");
        self.free.push(key.slot);
        let [a, b] = connection.lanes;
        Some(a.held.into_iter().chain(b.held).collect())
    }

    /// Remembers that something is held back here.
    pub fn mark_stalled(&mut self, key: ConnectionKey) {
        self.stalled.push(key);
    }

    /// Takes the list of those that hold something back.
    pub fn take_stalled(&mut self) -> Vec<ConnectionKey> {
        std::mem::take(&mut self.stalled)
    }

    /// Every connection that one of its sides believes in.
    pub fn keys(&self) -> impl Iterator<Item = ConnectionKey> + '_ {
        let indexed = self.slots.iter().enumerate();
        indexed.filter_map(|(slot, entry)| {
            entry.connection.as_ref().map(|_| ConnectionKey {
                slot: slot as u32,
                generation: entry.generation,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reused_slot_has_a_new_name() {
        let mut all = Connections::default();
        let one = all.open(NodeIndex(1), Peer::Outbound(0), NodeIndex(0), false);
        assert!(all.close(one, Side::Opener).is_none());
        assert!(all.find(one).is_some(), "the acceptor still believes");
        all.find(one)
            .unwrap()
            .lane(Side::Acceptor)
            .held
            .push_back(7);
        assert_eq!(all.close(one, Side::Acceptor), Some(vec![7]));
        let two = all.open(NodeIndex(1), Peer::Outbound(1), NodeIndex(0), false);
        assert!(all.find(one).is_none());
        assert!(
            one.inbound() < two.inbound(),
            "later ones have greater names"
        );
        let Peer::Inbound(name) = two.inbound() else {
            panic!("inbound")
        };
        assert_eq!(ConnectionKey::of_inbound(name), two);
    }
}
