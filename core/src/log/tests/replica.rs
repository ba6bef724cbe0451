use super::*;
use crate::log::effect::Fatal;
use crate::log::write::Write;

#[test]
fn an_acceptance_leaves_only_once_it_is_durable_and_is_a_promise() {
    let mut around = Around::new();
    let mut replica = voter(&mut around);
    let config = config(3);
    let seven = ballot(7, PEER);
    let raised = replica.on_accept(
        PEER,
        seven,
        Position(1),
        &values(&["a", "b"]),
        &config,
        &mut around.out(),
    );
    assert_eq!(raised, Ok(true));
    assert_eq!(replica.promised, seven);
    let written = around.fx.as_slice().to_vec();
    assert!(matches!(
        written[..],
        [Effect::Persist {
            write: Write::Accept { .. },
            ..
        }]
    ));
    sync(&mut replica, &mut around);
    let accepted = Message::Accepted {
        ballot: seven,
        first: Position(1),
        count: 2,
        incarnation: Incarnation(7),
    };
    assert_eq!(around.sent(), [(PEER, accepted)]);
    // Hazard R1: a lower ballot, though nothing was ever prepared at seven.
    let six = ballot(6, OTHER);
    let low = replica.on_accept(
        OTHER,
        six,
        Position(1),
        &values(&["x"]),
        &config,
        &mut around.out(),
    );
    assert_eq!(low, Ok(false));
    let nack = Message::Nack {
        ballot: six,
        promised: seven,
    };
    assert_eq!(around.sent(), [(OTHER, nack)]);
    assert_eq!(replica.entries.at(Position(1)).unwrap().action, value("a"));
}

#[test]
fn a_promise_comes_in_chunks_and_may_be_asked_again() {
    let mut around = Around::new();
    let mut replica = voter(&mut around);
    let mut config = config(3);
    config.chunk_entries_max = 2;
    let actions = values(&["a", "b", "c"]);
    let mut out = around.out();
    let accepted = replica.on_accept(ME, ballot(1, ME), Position(4), &actions, &config, &mut out);
    assert_eq!(accepted, Ok(true));
    assert!(replica.on_prepare(PEER, ballot(2, PEER), Position(1), &config, &mut out));
    assert!(!replica.on_prepare(PEER, ballot(2, PEER), Position(6), &config, &mut out));
    assert!(!replica.on_prepare(OTHER, ballot(1, OTHER), Position(1), &config, &mut out));
    sync(&mut replica, &mut around);
    let promises: Vec<_> = around
        .sent()
        .into_iter()
        .filter_map(|(to, message)| match message {
            Message::Promise(promise) => {
                let positions: Vec<u64> = promise.entries.iter().map(|e| e.position.0).collect();
                Some((to, positions, promise.next, promise.end))
            }
            _ => None,
        })
        .collect();
    let end = Position(6);
    let expected = [
        (PEER, alloc::vec![4, 5], Some(Position(6)), end),
        (PEER, alloc::vec![6], None, end),
    ];
    assert_eq!(promises, expected);
}

#[test]
fn what_is_learned_stays_whatever_arrives() {
    let mut around = Around::new();
    let mut replica = voter(&mut around);
    let config = config(3);
    let (two, three) = (ballot(2, PEER), ballot(3, OTHER));
    let first = Position(1);
    let mut out = around.out();
    let accepted = replica.on_accept(PEER, two, first, &values(&["a"]), &config, &mut out);
    assert_eq!(accepted, Ok(true));
    assert!(replica.learn(two, first, &mut out));
    sync(&mut replica, &mut around);
    around.fx.drain().for_each(drop);
    // The same value late, even at a higher ballot: answered, and only the promise is written.
    let mut out = around.out();
    let late = replica.on_accept(OTHER, three, first, &values(&["a"]), &config, &mut out);
    assert_eq!(late, Ok(true));
    let ignored = Notice::LateWriteIgnored { position: first };
    assert!(is_notice(&around.fx.as_slice()[0], &ignored));
    assert_eq!(replica.learned_through, first);
    assert_eq!(replica.entries.at(first).unwrap().ballot, two);
    // Another value: somebody's disk or mind is broken.
    let mut out = around.out();
    let other = replica.on_accept(OTHER, three, first, &values(&["b"]), &config, &mut out);
    let diverged = Fatal::Diverged {
        position: first,
        from: OTHER,
    };
    assert_eq!(other, Err(diverged));
    assert_eq!(replica.entries.at(first).unwrap().action, value("a"));
}

#[test]
fn only_what_was_accepted_at_the_leaders_ballot_is_learned_by_its_word() {
    let mut around = Around::new();
    let mut replica = voter(&mut around);
    let config = config(3);
    let (two, three) = (ballot(2, PEER), ballot(3, OTHER));
    let mut out = around.out();
    let old = replica.on_accept(PEER, two, Position(1), &values(&["a"]), &config, &mut out);
    let new = replica.on_accept(
        OTHER,
        three,
        Position(2),
        &values(&["b"]),
        &config,
        &mut out,
    );
    assert_eq!((old, new), (Ok(true), Ok(true)));
    assert!(!replica.learn(three, Position(2), &mut out));
    assert_eq!(replica.learned_through, Position::ZERO);
    replica.learn_fetched(Position(1), &values(&["z"]), &mut out);
    assert!(replica.learn(three, Position(2), &mut out));
    let applied: Vec<_> = around
        .fx
        .drain()
        .filter_map(|effect| match effect {
            Effect::Apply { position, action } => Some((position.0, action)),
            _ => None,
        })
        .collect();
    assert_eq!(applied, [(1, value("z")), (2, value("b"))]);
}

#[test]
fn a_write_too_far_ahead_or_to_a_replica_without_a_vote_is_not_answered() {
    let mut around = Around::new();
    let mut replica = voter(&mut around);
    let config = config(3);
    let one = ballot(1, PEER);
    let far = Position(config.gap_max + 1);
    let mut out = around.out();
    let accepted = replica.on_accept(PEER, one, far, &values(&["a"]), &config, &mut out);
    assert_eq!(accepted, Ok(false));
    let mut empty = Replica::new(Incarnation(8), membership(3));
    let accepted = empty.on_accept(PEER, one, Position(1), &values(&["a"]), &config, &mut out);
    assert_eq!(accepted, Ok(false));
    assert!(!empty.on_prepare(PEER, one, Position(1), &config, &mut out));
    assert!(!empty.on_fence(PEER, one, OTHER, life(1, 1, 9), &mut out));
    assert!(around.fx.is_empty(), "{:?}", around.fx.as_slice());
}

#[test]
fn a_new_life_keeps_what_is_learned_and_none_of_the_votes() {
    let mut around = Around::new();
    let mut replica = voter(&mut around);
    let config = config(3);
    let two = ballot(2, PEER);
    let mut out = around.out();
    let actions = values(&["a", "b"]);
    let accepted = replica.on_accept(PEER, two, Position(1), &actions, &config, &mut out);
    assert_eq!(accepted, Ok(true));
    assert!(replica.learn(two, Position(1), &mut out));
    replica.begin_anew(Incarnation(8), &mut out);
    assert_eq!(replica.status, Status::Recovering);
    assert_eq!(replica.promised, Ballot::NONE);
    assert_eq!(replica.end(), Position(1));
    assert_eq!(
        replica.entries.at(Position(1)).unwrap().ballot,
        Ballot::NONE
    );
    sync(&mut replica, &mut around);
    let mut out = around.out();
    replica.join(ballot(5, OTHER), &Default::default(), &mut out);
    assert_eq!(
        replica.status,
        Status::Recovering,
        "not before it is durable"
    );
    sync(&mut replica, &mut around);
    assert_eq!(replica.status, Status::Voting);
    assert_eq!(replica.promised, ballot(5, OTHER));
}
