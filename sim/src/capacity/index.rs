//! The best machine for each shape of task, kept rather than searched for.
//!
//! A placement changes one machine. So each shape has a tournament tree over all machines (Knuth,
//! The Art of Computer Programming 3, 5.4.1), in the order in which ties go, and looks again only
//! at the machines that changed since a task of that shape came last: the cost of an arrival is a
//! few scores instead of one for every machine.

/// Which machine wins for one shape.
#[derive(Clone, Debug)]
pub struct Tournament {
    /// A binary heap's layout: the root is 1, leaves begin at `leaves`.
    best: Vec<i64>,
    leaves: usize,
    /// How much of the list of changes was seen.
    seen: usize,
}

/// Where nothing fits.
pub const NOWHERE: i64 = i64::MIN;

impl Tournament {
    /// For so many machines, none of which was looked at.
    #[must_use]
    pub fn new(machines: usize) -> Tournament {
        let leaves = machines.next_power_of_two();
        Tournament {
            best: vec![NOWHERE; 2 * leaves],
            leaves,
            seen: usize::MAX,
        }
    }

    /// Brings it up to date: `score` is asked for all machines that changed. `changes` are all
    /// changes ever, each by the place of its machine; `marks` has a mark for each place, none of
    /// which was ever `mark`.
    pub fn update(
        &mut self,
        changes: &[u32],
        (marks, mark): (&mut [u64], u64),
        mut score: impl FnMut(usize) -> i64,
    ) {
        if self.seen == usize::MAX {
            for place in 0..marks.len() {
                self.best[self.leaves + place] = score(place);
            }
            for node in (1..self.leaves).rev() {
                self.best[node] = self.best[2 * node].max(self.best[2 * node + 1]);
            }
        } else {
            for place in &changes[self.seen..] {
                let place = *place as usize;
                if marks[place] != mark {
                    marks[place] = mark;
                    self.set(place, score(place));
                }
            }
        }
        self.seen = changes.len();
    }

    fn set(&mut self, place: usize, score: i64) {
        let mut node = self.leaves + place;
        if self.best[node] == score {
            return;
        }
        self.best[node] = score;
        while node > 1 {
            node /= 2;
            let best = self.best[2 * node].max(self.best[2 * node + 1]);
            if self.best[node] == best {
                return;
            }
            self.best[node] = best;
        }
    }

    /// The first place with the highest score.
    #[must_use]
    pub fn winner(&self) -> Option<usize> {
        self.winner_below(1)
    }

    /// The first place but this one with the highest score, and that score.
    #[must_use]
    pub fn winner_but(&self, place: usize) -> Option<(usize, i64)> {
        let mut best = NOWHERE;
        let mut found = None;
        let mut node = self.leaves + place;
        while node > 1 {
            let beside = node ^ 1;
            // Subtrees to the left hold earlier places, and those found so far are nearer.
            let earlier = beside < node;
            if self.best[beside] > best || earlier && self.best[beside] == best {
                best = self.best[beside];
                found = Some(beside);
            }
            node /= 2;
        }
        let place = self.winner_below(found?)?;
        Some((place, best))
    }

    fn winner_below(&self, mut node: usize) -> Option<usize> {
        if self.best[node] == NOWHERE {
            return None;
        }
        while node < self.leaves {
            node = if self.best[2 * node] == self.best[node] {
                2 * node
            } else {
                2 * node + 1
            };
        }
        Some(node - self.leaves)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_best_wins() {
        let mut scores = [1, 5, 5, NOWHERE, 2];
        let mut marks = [0; 5];
        let mut tree = Tournament::new(5);
        tree.update(&[], (&mut marks, 1), |place| scores[place]);
        assert_eq!(tree.winner(), Some(1));
        let but = [0, 1, 2, 3, 4].map(|place| tree.winner_but(place).unwrap());
        assert_eq!(but, [(1, 5), (2, 5), (1, 5), (1, 5), (1, 5)]);
        scores[1] = NOWHERE;
        scores[3] = 5;
        tree.update(&[1, 3, 1], (&mut marks, 2), |place| scores[place]);
        assert_eq!(tree.winner(), Some(2));
        scores.fill(NOWHERE);
        tree.update(&[1, 3, 1, 0, 2, 3, 4], (&mut marks, 3), |place| {
            scores[place]
        });
        assert_eq!(tree.winner(), None);
    }
}
