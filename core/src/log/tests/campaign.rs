use super::*;
use crate::log::campaign::{Campaign, Step};
use crate::log::life::Lives;
use crate::log::message::{Promise, PromisedEntry};

fn campaign(first: u64) -> Campaign {
    let first = Position(first);
    Campaign::new(ballot(9, ME), first, Time::ZERO, Time::MAX)
}

fn promise(first: u64, entries: &[(u64, u64, &str)]) -> Promise {
    let entries = entries.iter().map(|(position, round, text)| PromisedEntry {
        position: Position(*position),
        ballot: ballot(*round, PEER),
        action: value(text),
    });
    let entries: Vec<PromisedEntry> = entries.collect();
    let end = entries
        .last()
        .map_or(Position::ZERO, |entry| entry.position);
    Promise {
        ballot: ballot(9, ME),
        first: Position(first),
        next: None,
        begin: Position(1),
        learned_through: Position::ZERO,
        end,
        incarnation: Incarnation(1),
        lives: Lives::default(),
        entries,
    }
}

#[test]
fn learned_beats_every_ballot_and_the_highest_ballot_beats_the_rest() {
    let config = config(3);
    let mut campaign = campaign(1);
    let mut mine = promise(1, &[(1, 3, "a"), (2, 3, "old"), (5, 8, "tail")]);
    mine.learned_through = Position(1);
    let theirs = promise(1, &[(1, 7, "a"), (2, 4, "new")]);
    assert_eq!(
        campaign.on_promise(&config.bootstrap, &config, ME, mine),
        Step::Wait
    );
    let step = campaign.on_promise(&config.bootstrap, &config, PEER, theirs);
    assert_eq!(step, Step::Ready);
    let plan = campaign.plan();
    let expected = [
        Some(value("a")),
        Some(value("new")),
        None,
        None,
        Some(value("tail")),
    ];
    assert_eq!(plan, expected);
}

#[test]
fn neither_duplicates_nor_half_an_answer_nor_a_stranger_make_a_quorum() {
    let config = config(5);
    let mut campaign = campaign(1);
    let mut step = |from, promise| campaign.on_promise(&config.bootstrap, &config, from, promise);
    assert_eq!(step(ME, promise(1, &[])), Step::Wait);
    assert_eq!(step(ME, promise(1, &[])), Step::Ignored);
    let mut half = promise(1, &[(1, 2, "a")]);
    half.next = Some(Position(2));
    assert_eq!(step(PEER, half.clone()), Step::More(Position(2)));
    assert_eq!(step(PEER, half), Step::Ignored);
    assert_eq!(step(MasterId(77), promise(1, &[])), Step::Wait);
    assert_eq!(step(OTHER, promise(1, &[])), Step::Wait);
    assert_eq!(step(PEER, promise(2, &[(2, 2, "b")])), Step::Ready);
}

#[test]
fn the_own_promise_is_one_of_them() {
    let config = config(3);
    let mut campaign = campaign(1);
    let mut step = |from| campaign.on_promise(&config.bootstrap, &config, from, promise(1, &[]));
    assert_eq!(step(PEER), Step::Wait);
    assert_eq!(step(OTHER), Step::Wait);
    assert_eq!(step(ME), Step::Ready);
}

/// The hole that fencing alone leaves: the promise of a life that ended is taken back by whoever
/// recorded the new one, in either order of arrival.
#[test]
fn a_promise_by_a_void_life_does_not_count() {
    let config = config(3);
    for old_first in [true, false] {
        let mut campaign = campaign(1);
        let mut step = |from, p| campaign.on_promise(&config.bootstrap, &config, from, p);
        let old = promise(1, &[]);
        let mut knows = promise(1, &[]);
        knows.incarnation = Incarnation(2);
        knows.lives.record(PEER, life(4, 1, 99));
        if old_first {
            assert_eq!(step(PEER, old), Step::Wait);
            assert_eq!(step(ME, knows), Step::Wait);
        } else {
            assert_eq!(step(ME, knows), Step::Wait);
            assert_eq!(step(PEER, old), Step::Wait);
        }
        assert_eq!(step(OTHER, promise(1, &[])), Step::Ready);
    }
}

#[test]
fn a_promise_that_cannot_help_is_told_from_one_that_makes_no_sense() {
    let config = config(3);
    let mut campaign = campaign(5);
    let mut step = |promise| campaign.on_promise(&config.bootstrap, &config, PEER, promise);
    let mut truncated = promise(5, &[]);
    truncated.begin = Position(6);
    assert_eq!(step(truncated), Step::Behind);
    let mut backwards = promise(5, &[]);
    backwards.next = Some(Position(5));
    assert_eq!(step(backwards), Step::Ignored);
    let mut endless = promise(5, &[]);
    endless.end = Position(u64::MAX);
    assert_eq!(step(endless), Step::Ignored);
    let mut other = promise(5, &[]);
    other.ballot = ballot(8, ME);
    assert_eq!(step(other), Step::Ignored);
}
