//! The moves that free the most for the least: cost against benefit.
//!
//! What is wanted (fewer fragments, empty machines, room for one shape) is a sum over machines, so
//! a move's benefit is what it adds to the worth of two of them. The search is greedy: of the
//! groups of tasks that could leave one machine, each going where it does the most good, the one
//! with the best benefit for its cost goes next. A group is more than one task where the first of
//! them bring nothing by themselves: a machine is empty only when the last one has left. Groups
//! are looked at again only when they come up (as in Minoux, "Accelerated greedy algorithms for
//! maximizing submodular set functions", 1978); the sums here are not submodular, so all are
//! looked at once more before the search ends.
//!
//! No task is moved twice, and each has room where it goes while it still runs where it was.

mod board;

use super::moves::{Move, Terms, carry_out};
use super::occupied::Occupied;
use super::parallel::in_parallel;
use super::rules::Demand;
use super::snapshot::Snapshot;
use board::{Board, Try};
use std::cmp::Ordering;
use tepui_core::placement::{Measure, Shape, WHOLE_GPU_MILLI};

/// How many machines are looked at on one copy of the cluster.
const SEEN_TOGETHER: usize = 128;

/// The most tasks that leave a machine together.
const GROUP_MAX: usize = 64;

/// What is to be gained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// Fewer fragments, by the measure of Weng et al.
    Fragments,
    /// Machines without tasks.
    Machines,
    /// Room for more tasks of a shape.
    Headroom(Shape),
}

impl Goal {
    /// How much of what the search counts is one of what people count: a GPU, a machine, a task.
    #[must_use]
    pub fn unit(&self, measure: &Measure) -> i64 {
        match self {
            Goal::Fragments => measure.count.max(1) * i64::from(WHOLE_GPU_MILLI),
            Goal::Machines | Goal::Headroom(_) => 1,
        }
    }
}

/// How far to go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// At most so many moves.
    pub moves: usize,
    /// Each group must bring at least so much, in [`Goal::unit`], for each unit of its cost.
    pub min_benefit: f64,
}

/// Tasks that leave one machine together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// In this order.
    pub moves: Vec<Move>,
    /// What they bring, in parts of [`Goal::unit`].
    pub benefit: i64,
    /// What they cost.
    pub cost: i64,
}

/// What a cluster is like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// The fragments, in milli times the typical tasks' count.
    pub f_count: i64,
    /// What of all GPUs is idle.
    pub idle_gpu_milli: i64,
    /// Machines without tasks.
    pub empty_machines: usize,
    /// How many more tasks of the wanted shape fit, if one is wanted.
    pub headroom: Option<i64>,
}

impl Figures {
    /// Of a cluster.
    #[must_use]
    pub fn of(snapshot: &Snapshot, measure: &Measure, goal: &Goal) -> Figures {
        let free = snapshot.free();
        let mut used = vec![false; free.len()];
        for running in &snapshot.running {
            used[running.machine] = true;
        }
        Figures {
            f_count: free.iter().map(|free| measure.of(free)).sum(),
            idle_gpu_milli: free.iter().map(|free| free.gpu_milli).sum(),
            empty_machines: used.iter().filter(|used| !**used).count(),
            headroom: match goal {
                Goal::Headroom(shape) => {
                    let demand = Demand {
                        shape: *shape,
                        ..Demand::default()
                    };
                    let occupied = Occupied::of(snapshot);
                    Some(occupied.fit_more(&occupied.tenant(&demand)))
                }
                _ => None,
            },
        }
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defragmented {
    /// In the order in which they are carried out.
    pub groups: Vec<Group>,
    /// Without the moves.
    pub before: Figures,
    /// With all of them.
    pub after: Figures,
}

impl Defragmented {
    /// All moves, in order.
    pub fn moves(&self) -> impl Iterator<Item = &Move> {
        self.groups.iter().flat_map(|group| &group.moves)
    }

    /// What they cost together.
    #[must_use]
    pub fn cost(&self) -> i64 {
        self.groups.iter().map(|group| group.cost).sum()
    }

    /// What they bring together.
    #[must_use]
    pub fn benefit(&self) -> i64 {
        self.groups.iter().map(|group| group.benefit).sum()
    }
}

/// Finds moves.
///
/// # Panics
/// When a move that was found cannot be carried out: that would be a mistake here.
#[must_use]
pub fn defragment(
    snapshot: &Snapshot,
    terms: &Terms,
    measure: &Measure,
    goal: Goal,
    limits: Limits,
) -> Defragmented {
    let workload = snapshot.workload();
    let mut search = Search {
        board: Board::new(snapshot, &workload, terms, (measure, goal)),
        seen: Vec::new(),
        left: limits.moves,
    };
    let least = limits.min_benefit * goal.unit(measure) as f64;
    let enough =
        |group: &Tries| group.benefit > 0 && group.benefit as f64 >= least * group.cost as f64;
    let mut groups = Vec::new();
    search.see_all();
    let mut all_new = true;
    while search.left > 0 {
        let Some(tries) = search.best().filter(enough) else {
            if all_new {
                break;
            }
            search.see_all();
            all_new = true;
            continue;
        };
        all_new = false;
        groups.push(search.take(&tries));
    }
    let moves: Vec<Move> = groups
        .iter()
        .flat_map(|group: &Group| group.moves.clone())
        .collect();
    let after = carry_out(snapshot, &moves).expect("each move was tried on the board");
    Defragmented {
        groups,
        before: Figures::of(snapshot, measure, &goal),
        after: Figures::of(&after, measure, &goal),
    }
}

/// Tasks that could leave one machine.
#[derive(Clone, Debug)]
struct Tries {
    tries: Vec<Try>,
    benefit: i64,
    cost: i64,
}

impl Tries {
    /// By benefit for cost; among equals the cheaper one is better.
    fn compare(&self, other: &Tries) -> Ordering {
        let product = |benefit: i64, cost: i64| i128::from(benefit) * i128::from(cost);
        let (ours, theirs) = (
            product(self.benefit, other.cost),
            product(other.benefit, self.cost),
        );
        ours.cmp(&theirs).then(other.cost.cmp(&self.cost))
    }
}

struct Search<'a> {
    board: Board<'a>,
    /// The best group of each machine when it was last looked at.
    seen: Vec<Option<Tries>>,
    /// How many moves may still be made.
    left: usize,
}

impl Search<'_> {
    fn see_all(&mut self) {
        let count = self.board.order.len();
        let starts: Vec<usize> = (0..count).step_by(SEEN_TOGETHER).collect();
        let (board, left) = (&self.board, self.left);
        let seen = in_parallel(&starts, |start| {
            let mut board = board.clone();
            let places = *start..(start + SEEN_TOGETHER).min(count);
            places
                .map(|place| best_group(&mut board, place, left))
                .collect::<Vec<_>>()
        });
        self.seen = seen.into_iter().flatten().collect();
    }

    /// The best group that is still the best when it is looked at again; among equals that of the
    /// machine on which the least runs.
    fn best(&mut self) -> Option<Tries> {
        let mut new = vec![false; self.seen.len()];
        loop {
            let seen = self.seen.iter().enumerate();
            let seen = seen.filter_map(|(place, tries)| Some((place, tries.as_ref()?)));
            let best =
                seen.max_by(|(left, one), (right, other)| one.compare(other).then(left.cmp(right)));
            let (place, tries) = best?;
            if new[place] {
                return Some(tries.clone());
            }
            new[place] = true;
            self.seen[place] = best_group(&mut self.board, place, self.left);
        }
    }

    fn take(&mut self, tries: &Tries) -> Group {
        for tried in &tries.tries {
            self.board.apply(tried);
        }
        self.left -= tries.tries.len();
        Group {
            moves: tries
                .tries
                .iter()
                .map(|tried| self.board.as_move(tried))
                .collect(),
            benefit: tries.benefit,
            cost: tries.cost,
        }
    }
}

/// The group of at most `most` tasks of one machine that brings the most for its cost, if it brings
/// anything. The board is as before afterwards.
fn best_group(board: &mut Board<'_>, place: usize, most: usize) -> Option<Tries> {
    let mut now = Tries {
        tries: Vec::new(),
        benefit: 0,
        cost: 0,
    };
    let mut best: Option<Tries> = None;
    while now.tries.len() < most.min(GROUP_MAX) {
        let Some(tried) = best_next(board, place) else {
            break;
        };
        board.apply(&tried);
        now.tries.push(tried);
        now.benefit += tried.benefit;
        now.cost += tried.cost;
        let better = |best: &Tries| now.compare(best) == Ordering::Greater;
        if now.benefit > 0 && best.as_ref().is_none_or(better) {
            best = Some(now.clone());
        }
    }
    for tried in now.tries.iter().rev() {
        board.take_back(tried);
    }
    best
}

/// The task that had best leave a machine next.
fn best_next(board: &mut Board<'_>, place: usize) -> Option<Try> {
    let mut best: Option<(Try, i64)> = None;
    for task in board.kinds_left(place) {
        let Some(tried) = board.best_move(task, place) else {
            continue;
        };
        let near = board.nearness(&tried);
        let by_cost = |value: i64, other: &Try| i128::from(value) * i128::from(other.cost);
        let better = best.as_ref().is_none_or(|(other, other_near)| {
            let ours = (by_cost(tried.benefit, other), by_cost(near, other));
            let theirs = (by_cost(other.benefit, &tried), by_cost(*other_near, &tried));
            ours > theirs
        });
        if better {
            best = Some((tried, near));
        }
    }
    best.map(|(tried, _)| tried)
}
