//! Payloads in flight, kept out of the event queue so that events stay small.

/// A vector with a free list: keys are small numbers, reused.
#[derive(Debug)]
pub struct Slab<T> {
    items: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab {
            items: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> Slab<T> {
    /// Keeps `item`; the key is valid until it is taken.
    pub fn insert(&mut self, item: T) -> u32 {
        if let Some(key) = self.free.pop() {
            let slot = &mut self.items[key as usize];
            assert!(slot.is_none(), "a free slot is empty");
            *slot = Some(item);
            return key;
        }
        let key = u32::try_from(self.items.len()).expect("fewer than 2^32 payloads in flight");
        self.items.push(Some(item));
        key
    }

    /// Takes the item out.
    pub fn take(&mut self, key: u32) -> T {
        let item = self.items[key as usize]
            .take()
            .expect("every key is taken once");
        self.free.push(key);
        item
    }

    /// Looks at the item.
    #[must_use]
    pub fn peek(&self, key: u32) -> &T {
        self.items[key as usize]
            .as_ref()
            .expect("the key was not taken yet")
    }

    /// How many items are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len() - self.free.len()
    }

    /// Whether nothing is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_reused_and_items_are_not_lost() {
        let mut slab = Slab::default();
        let (a, b) = (slab.insert('a'), slab.insert('b'));
        assert_eq!(slab.take(a), 'a');
        let c = slab.insert('c');
        assert_eq!((c, slab.len()), (a, 2));
        assert_eq!((slab.take(b), slab.take(c)), ('b', 'c'));
        assert!(slab.is_empty());
    }
}
