use super::{Election, PreVoteStep, Voter};
use crate::ids::MasterId;
use crate::log::{Ballot, Config, MasterInfo, Position};
use crate::rng::Rng;
use crate::time::Time;
use alloc::string::String;
use core::time::Duration;

const LEADER: MasterId = MasterId(2);

fn config(count: u32) -> Config {
    let masters = (1..=count).map(|id| MasterInfo {
        id: MasterId(id),
        address: String::new(),
    });
    Config::new(MasterId(1), masters.collect()).unwrap()
}

fn at(ms: u64) -> Time {
    Time::ZERO + Duration::from_millis(ms)
}

fn ballot(round: u64) -> Ballot {
    Ballot {
        round,
        proposer: LEADER,
    }
}

fn election(config: &Config) -> Election {
    let rng = Rng::from_seed(1, "election");
    Election::new(at(0), config, &config.bootstrap, rng)
}

fn voter(from: u32, attempt: u64) -> Voter {
    Voter {
        from: MasterId(from),
        attempt,
        highest: ballot(3),
        begin: Position(1),
        learned_through: Position(5),
    }
}

#[test]
fn a_silent_leader_is_suspected_within_bounds_and_a_broken_link_hastens_it() {
    let config = config(3);
    let mut election = election(&config);
    assert!(election.hear(at(1000), &config, ballot(1)));
    assert!(!election.hear(at(1050), &config, ballot(1)));
    let (low, high) = (config.election_timeout_min, config.election_timeout_max);
    assert!(election.deadline() >= at(1050) + low && election.deadline() < at(1050) + high);
    assert!(election.hears_leader(at(1349), &config));
    assert!(!election.hears_leader(at(1350), &config));
    election.on_link_broken(at(1060), &config, MasterId(3));
    assert!(
        election.deadline() >= at(1050) + low,
        "that is not the leader"
    );
    election.on_link_broken(at(1060), &config, LEADER);
    assert!(!election.hears_leader(at(1060), &config));
    assert!(election.deadline() < at(1060) + config.link_broken_delay_max);
    assert!(election.suspect());
    assert!(!election.suspect(), "once is news");
    assert!(
        election.hear(at(1070), &config, ballot(1)),
        "it lives after all"
    );
    assert!(election.deadline() >= at(1070) + low);
}

#[test]
fn a_lone_master_waits_for_nobody() {
    let config = config(1);
    assert_eq!(election(&config).deadline(), at(0));
}

#[test]
fn a_quorum_of_answers_to_the_open_question_is_needed() {
    let config = config(5);
    let mut election = election(&config);
    let old = election.ask(at(0), &config);
    let attempt = election.ask(at(200), &config);
    let mut grant = |from, attempt| {
        let voter = voter(from, attempt);
        election.on_granted(&config.bootstrap, &config, Position(5), voter)
    };
    assert_eq!(grant(1, attempt), PreVoteStep::Wait);
    assert_eq!(grant(2, old), PreVoteStep::Ignored);
    assert_eq!(grant(2, attempt), PreVoteStep::Wait);
    assert_eq!(grant(2, attempt), PreVoteStep::Wait);
    assert_eq!(grant(77, attempt), PreVoteStep::Wait);
    assert_eq!(grant(3, attempt), PreVoteStep::Campaign);
    assert_eq!(election.highest(), ballot(3));
    election.close();
    let late = voter(4, attempt);
    let step = election.on_granted(&config.bootstrap, &config, Position(5), late);
    assert_eq!(step, PreVoteStep::Ignored);
}

#[test]
fn a_candidate_that_lags_far_catches_up_first() {
    let config = config(3);
    let far = config.chunk_entries_max as u64;
    for (begin, learned, expected) in [
        (1, 5 + far, PreVoteStep::Campaign),
        (1, 6 + far, PreVoteStep::CatchUp(LEADER, Position(6 + far))),
        (6, 9, PreVoteStep::Campaign),
        (7, 9, PreVoteStep::CatchUp(LEADER, Position(9))),
    ] {
        let mut election = election(&config);
        let attempt = election.ask(at(0), &config);
        let mut grant = |voter| election.on_granted(&config.bootstrap, &config, Position(5), voter);
        assert_eq!(grant(voter(1, attempt)), PreVoteStep::Wait);
        let ahead = Voter {
            begin: Position(begin),
            learned_through: Position(learned),
            ..voter(2, attempt)
        };
        assert_eq!(grant(ahead), expected, "begin {begin}, learned {learned}");
    }
}
