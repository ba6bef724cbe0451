//! Something for each position of a log, from some position on.

use std::collections::VecDeque;
use tepui_core::log::Position;

/// How many positions are remembered behind the newest.
const KEPT_MAX: usize = 1 << 18;

/// A window of positions.
#[derive(Clone, Debug)]
pub struct Positions<T> {
    first: u64,
    items: VecDeque<Option<T>>,
}

impl<T> Default for Positions<T> {
    fn default() -> Self {
        Positions {
            first: 1,
            items: VecDeque::new(),
        }
    }
}

impl<T> Positions<T> {
    /// What is known of a position.
    #[must_use]
    pub fn find(&self, position: Position) -> Option<&T> {
        let index = position.0.checked_sub(self.first)?;
        self.items.get(usize::try_from(index).ok()?)?.as_ref()
    }

    /// Sets a position; false when it lies before the window.
    pub fn set(&mut self, position: Position, item: T) -> bool {
        let Some(index) = position.0.checked_sub(self.first) else {
            return false;
        };
        let index = index as usize;
        if self.items.is_empty() && index > KEPT_MAX {
            self.first = position.0;
            self.items.push_back(Some(item));
            return true;
        }
        while self.items.len() <= index {
            self.items.push_back(None);
        }
        self.items[index] = Some(item);
        while self.items.len() > KEPT_MAX {
            self.items.pop_front();
            self.first += 1;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_forgets_from_the_front_only() {
        let mut window = Positions::default();
        assert!(window.set(Position(3), 'c') && window.set(Position(1), 'a'));
        assert_eq!(window.find(Position(2)), None);
        let far = Position(KEPT_MAX as u64 + 2);
        assert!(window.set(far, 'z'));
        let (front, kept) = (window.find(Position(1)), window.find(Position(3)));
        assert_eq!((front, kept), (None, Some(&'c')));
        assert!(!window.set(Position(1), 'b'));
    }
}
