//! Dense storage with indices that cannot be mistaken for those of what was there before.

use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;

/// Names one item of an [`Arena`] for as long as it is there. Never leaves the process.
pub struct Index<T> {
    slot: u32,
    generation: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Index<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Index<T> {}

impl<T> PartialEq for Index<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.slot, self.generation) == (other.slot, other.generation)
    }
}

impl<T> Eq for Index<T> {}

impl<T> PartialOrd for Index<T> {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Index<T> {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        (self.slot, self.generation).cmp(&(other.slot, other.generation))
    }
}

impl<T> fmt::Debug for Index<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}.{}", self.slot, self.generation)
    }
}

#[derive(Clone, Debug)]
struct Slot<T> {
    generation: u32,
    item: Option<T>,
}

/// Items in dense slots; a freed slot is used again first.
#[derive(Clone, Debug)]
pub(super) struct Arena<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Arena {
            slots: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> Arena<T> {
    pub(super) fn insert(&mut self, item: T) -> Index<T> {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                let slot = u32::try_from(self.slots.len()).expect("memory ends before slots do");
                self.slots.push(Slot {
                    generation: 0,
                    item: None,
                });
                slot
            }
        };
        let place = &mut self.slots[slot as usize];
        assert!(place.item.is_none(), "a free slot is empty");
        place.item = Some(item);
        Index {
            slot,
            generation: place.generation,
            of: PhantomData,
        }
    }

    pub(super) fn remove(&mut self, index: Index<T>) -> Option<T> {
        let place = self.slots.get_mut(index.slot as usize)?;
        if place.generation != index.generation {
            return None;
        }
        let item = place.item.take()?;
        place.generation = place.generation.wrapping_add(1);
        self.free.push(index.slot);
        Some(item)
    }

    pub(super) fn get(&self, index: Index<T>) -> Option<&T> {
        let place = self.slots.get(index.slot as usize)?;
        place
            .item
            .as_ref()
            .filter(|_| place.generation == index.generation)
    }

    pub(super) fn get_mut(&mut self, index: Index<T>) -> Option<&mut T> {
        let place = self.slots.get_mut(index.slot as usize)?;
        place
            .item
            .as_mut()
            .filter(|_| place.generation == index.generation)
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Index<T>, &T)> {
        self.slots.iter().enumerate().filter_map(|(slot, place)| {
            let index = Index {
                slot: slot as u32,
                generation: place.generation,
                of: PhantomData,
            };
            place.item.as_ref().map(|item| (index, item))
        })
    }
}

impl<T> core::ops::Index<Index<T>> for Arena<T> {
    type Output = T;
    fn index(&self, index: Index<T>) -> &T {
        self.get(index)
            .expect("whoever keeps an index drops it with the item")
    }
}

impl<T> core::ops::IndexMut<Index<T>> for Arena<T> {
    fn index_mut(&mut self, index: Index<T>) -> &mut T {
        self.get_mut(index)
            .expect("whoever keeps an index drops it with the item")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_never_names_what_came_after() {
        let mut arena = Arena::default();
        let first = arena.insert('a');
        assert_eq!(arena.remove(first), Some('a'));
        let second = arena.insert('b');
        assert_eq!((arena.get(first), arena.get(second)), (None, Some(&'b')));
        assert_eq!(arena.remove(first), None);
        assert_eq!(arena.len(), 1);
        assert_eq!(arena.iter().collect::<Vec<_>>(), [(second, &'b')]);
    }
}
