//! What must hold in a world of logs, seen from outside and from inside.
//!
//! The white-box checks watch that what a replica vouched for is never forgotten: promises,
//! accepted ballots and learned positions never go back within one life, restarts included.

use std::collections::{BTreeMap, BTreeSet};
use tepui_core::ids::MasterId;
use tepui_core::invariant::{self, Cost};
use tepui_core::log::invariants::INVARIANTS;
use tepui_core::log::{
    Action, Ballot, Incarnation, Message, Node, Notice, Position, Reject, Write,
};

/// What one life of a replica has said in public.
#[derive(Default)]
struct Vouched {
    ballot: Ballot,
    accepted: BTreeMap<Position, Ballot>,
}

/// A node's state before an input.
pub struct Glance {
    incarnation: Incarnation,
    promised: Ballot,
    learned_through: Position,
    begin: Position,
}

pub struct Checks {
    chosen: BTreeMap<Position, Action>,
    digests: BTreeMap<Position, Vec<u8>>,
    applied: Vec<Position>,
    vouched: BTreeMap<(usize, Incarnation), Vouched>,
    proposed: BTreeMap<(Ballot, Position), Action>,
    open: BTreeSet<u64>,
    acknowledged: BTreeMap<u64, Position>,
    elected: BTreeMap<Ballot, usize>,
    acting: Vec<Option<Ballot>>,
    /// Every life that a node ever had.
    lives: BTreeSet<(usize, Incarnation)>,
    pub seen: BTreeMap<&'static str, u64>,
}

impl Checks {
    pub fn new(count: usize) -> Checks {
        Checks {
            chosen: BTreeMap::new(),
            digests: BTreeMap::new(),
            applied: vec![Position::ZERO; count],
            vouched: BTreeMap::new(),
            proposed: BTreeMap::new(),
            open: BTreeSet::new(),
            acknowledged: BTreeMap::new(),
            elected: BTreeMap::new(),
            acting: vec![None; count],
            lives: BTreeSet::new(),
            seen: BTreeMap::new(),
        }
    }

    pub fn last_chosen(&self) -> Position {
        self.chosen.keys().next_back().copied().unwrap_or_default()
    }

    pub fn acknowledged_count(&self) -> usize {
        self.acknowledged.len()
    }

    pub fn glance(node: &Node) -> Glance {
        Glance {
            incarnation: node.incarnation(),
            promised: node.promised(),
            learned_through: node.learned_through(),
            begin: node.begin(),
        }
    }

    pub fn on_handled(&mut self, id: usize, node: &Node, before: &Glance) {
        if node.incarnation() == before.incarnation {
            assert!(
                node.promised() >= before.promised,
                "node {id}: promise went back"
            );
        }
        self.lives.insert((id, node.incarnation()));
        assert!(
            node.learned_through() >= before.learned_through,
            "node {id}: learned went back"
        );
        assert!(
            node.begin() >= before.begin,
            "node {id}: truncation went back"
        );
        let broken = invariant::check(INVARIANTS, node, Cost::Linear);
        assert!(broken.is_empty(), "node {id}: {broken:?}");
    }

    /// Only what left the node counts: everything else may be forgotten.
    pub fn on_sent(&mut self, id: usize, message: &Message) {
        match message {
            Message::Promise(promise) => {
                let key = (id, promise.incarnation);
                let vouched = self.vouched.entry(key).or_default();
                assert!(
                    promise.ballot >= vouched.ballot,
                    "node {id} promised {} after {}",
                    promise.ballot,
                    vouched.ballot
                );
                vouched.ballot = promise.ballot;
                self.check_promise(id, promise);
            }
            Message::Accepted {
                ballot,
                first,
                count,
                incarnation,
            } => {
                let vouched = self.vouched.entry((id, *incarnation)).or_default();
                assert!(
                    *ballot >= vouched.ballot,
                    "node {id} accepted at {ballot} after {}",
                    vouched.ballot
                );
                vouched.ballot = *ballot;
                for i in 0..u64::from(*count) {
                    let known = vouched.accepted.entry(first.after(i)).or_default();
                    assert!(*known <= *ballot, "node {id}: accepted went back");
                    *known = *ballot;
                }
            }
            Message::Fenced(fenced) => {
                let vouched = self.vouched.entry((id, fenced.incarnation)).or_default();
                assert!(
                    fenced.ballot >= vouched.ballot,
                    "node {id} fenced at a low ballot"
                );
                vouched.ballot = fenced.ballot;
            }
            Message::Accept {
                ballot,
                first,
                actions,
                ..
            } => {
                assert_eq!(
                    ballot.proposer,
                    MasterId(id as u32),
                    "somebody else's ballot"
                );
                for (i, action) in actions.iter().enumerate() {
                    let key = (*ballot, first.after(i as u64));
                    let known = self.proposed.entry(key).or_insert_with(|| action.clone());
                    assert_eq!(known, action, "two values at {key:?}");
                }
            }
            _ => {}
        }
    }

    /// A promise tells everything that this life accepted.
    fn check_promise(&self, id: usize, promise: &tepui_core::log::message::Promise) {
        let vouched = &self.vouched[&(id, promise.incarnation)];
        let last = promise.next.map_or(Position(u64::MAX), Position::previous);
        for (position, ballot) in vouched.accepted.range(promise.first..) {
            if *position > last || *position < promise.begin {
                continue;
            }
            if *position <= promise.learned_through {
                continue;
            }
            let told = promise
                .entries
                .iter()
                .find(|entry| entry.position == *position);
            let told = told.map(|entry| entry.ballot);
            assert!(
                told >= Some(*ballot),
                "node {id} hid {position} at {ballot} from {}: told {told:?}",
                promise.ballot
            );
        }
    }

    pub fn on_restart(&mut self, id: usize, node: &Node, log: &[Write], damaged: bool) {
        self.applied[id] = Position::ZERO;
        self.acting[id] = None;
        let known = self.lives.contains(&(id, node.incarnation()));
        assert!(
            known || damaged || log.is_empty(),
            "node {id} gave up its life for nothing"
        );
        self.lives.insert((id, node.incarnation()));
        if let Some(vouched) = self.vouched.get(&(id, node.incarnation())) {
            assert!(!damaged, "node {id} kept its life through damage");
            assert!(
                node.promised() >= vouched.ballot,
                "node {id} forgot promise {} at a restart: {}",
                vouched.ballot,
                node.promised()
            );
            for (position, ballot) in &vouched.accepted {
                if *position <= node.learned_through() {
                    continue;
                }
                let kept = node.entry(*position).map(|entry| entry.ballot);
                assert!(
                    kept >= Some(*ballot),
                    "node {id} forgot {position} at {ballot} at a restart: {kept:?}"
                );
            }
        }
        let learned = log.iter().map(|write| match write {
            Write::Accept {
                learned_through, ..
            } => *learned_through,
            Write::Learned { through } => *through,
            Write::Learn { first, actions } => first.after(actions.len() as u64 - 1),
            Write::Checkpoint(checkpoint) => checkpoint.learned_through,
            _ => Position::ZERO,
        });
        let learned = learned.max().unwrap_or_default();
        if !damaged {
            assert!(
                node.learned_through() >= learned,
                "node {id} forgot what it learned"
            );
        }
    }

    /// The world begins with everything up to `through` in a snapshot.
    pub fn forget_before(&mut self, through: Position, state: &[u8]) {
        self.digests.insert(through, state.to_vec());
    }

    pub fn on_crash(&mut self, id: usize) {
        self.acting[id] = None;
    }

    pub fn on_wiped(&mut self, id: usize) {
        self.acting[id] = None;
    }

    pub fn on_apply(
        &mut self,
        id: usize,
        position: Position,
        action: &Action,
        state: &mut Vec<u8>,
    ) {
        assert_eq!(
            position,
            self.applied[id].next(),
            "node {id}: a gap in what is applied"
        );
        self.applied[id] = position;
        let chosen = self
            .chosen
            .entry(position)
            .or_insert_with(|| action.clone());
        assert_eq!(chosen, action, "node {id}: two values at {position}");
        digest(state, action);
        let known = self
            .digests
            .entry(position)
            .or_insert_with(|| state.clone());
        assert_eq!(known, state, "node {id}: another state at {position}");
    }

    pub fn on_install(&mut self, id: usize, through: Position, state: &[u8]) {
        assert!(
            through > self.applied[id],
            "node {id}: a snapshot of the past"
        );
        self.applied[id] = through;
        let known = self.digests.get(&through).map(Vec::as_slice);
        assert_eq!(
            known,
            Some(state),
            "node {id}: a snapshot of nothing ever applied"
        );
    }

    pub fn on_elected(&mut self, id: usize, ballot: Ballot, through: Position) {
        *self.seen.entry("elected").or_default() += 1;
        let before = self.elected.insert(ballot, id);
        assert_eq!(before, None, "{ballot} elected twice");
        let newest = self
            .acknowledged
            .values()
            .max()
            .copied()
            .unwrap_or_default();
        assert!(
            through >= newest,
            "node {id} elected without acknowledged {newest}"
        );
        assert_eq!(
            through, self.applied[id],
            "node {id} acts before it has applied"
        );
        self.acting[id] = Some(ballot);
    }

    pub fn on_demoted(&mut self, id: usize, ballot: Ballot) {
        assert_eq!(
            self.acting[id],
            Some(ballot),
            "node {id} demoted from nothing"
        );
        self.acting[id] = None;
    }

    pub fn on_append(&mut self, token: u64) {
        self.open.insert(token);
    }

    /// `own` says that the leader's own disk has it.
    pub fn on_appended(&mut self, id: usize, token: u64, position: Position, own: bool) {
        assert!(self.open.remove(&token), "token {token} was answered twice");
        let ballot = self.acting[id].expect("only a leader acknowledges");
        let others = (0..self.acting.len()).filter(|other| *other != id);
        let held = others.filter(|other| {
            let lives = (*other, Incarnation(0))..=(*other, Incarnation(u64::MAX));
            let mut lives = self.vouched.range(lives);
            lives.any(|(_, vouched)| vouched.accepted.get(&position) >= Some(&ballot))
        });
        let held = held.count() + usize::from(own);
        assert!(
            held > self.acting.len() / 2,
            "node {id} acknowledged {position}, which only {held} hold"
        );
        let value = Action::Append(token.to_le_bytes().as_slice().into());
        assert_eq!(
            self.chosen.get(&position),
            Some(&value),
            "acknowledged, not chosen"
        );
        self.acknowledged.insert(token, position);
        *self.seen.entry("acknowledged").or_default() += 1;
    }

    pub fn on_rejected(&mut self, token: u64, _why: Reject) {
        assert!(self.open.remove(&token), "token {token} was answered twice");
    }

    pub fn on_notice(&mut self, notice: &Notice) {
        let name = match notice {
            Notice::HoleFilled { .. } => "hole filled",
            Notice::SnapshotInstalled { .. } => "snapshot installed",
            Notice::Fenced { .. } => "fenced",
            Notice::Truncated { .. } => "truncated",
            Notice::LateWriteIgnored { .. } => "late write",
            Notice::CaughtUp { .. } => "caught up",
            Notice::CorruptRecordRepaired { .. } => "repaired",
            Notice::VoidVoteIgnored { .. } => "void vote",
            Notice::CampaignFailed { .. } => "campaign failed",
            Notice::Campaigning { .. } => "campaign",
            Notice::Filling { .. } => "filled",
            _ => return,
        };
        *self.seen.entry(name).or_default() += 1;
    }

    /// Nothing acknowledged is missing anywhere.
    pub fn at_end(&self) {
        for (token, position) in &self.acknowledged {
            let value = Action::Append(token.to_le_bytes().as_slice().into());
            assert_eq!(
                self.chosen.get(position),
                Some(&value),
                "token {token} was lost"
            );
        }
    }
}

/// A running digest, long enough that a snapshot of it takes several pieces.
fn digest(state: &mut Vec<u8>, action: &Action) {
    state.resize(40, 0);
    let bytes = format!("{action:?}");
    for (i, byte) in bytes.bytes().enumerate() {
        let slot = &mut state[i % 40];
        *slot = slot
            .wrapping_mul(31)
            .wrapping_add(byte)
            .wrapping_add(i as u8);
    }
}
