use super::*;
use crate::log::fences::{Fences, Joining};
use crate::log::life::Lives;
use crate::log::message::Fenced;

fn fenced(joiner: MasterId, life: Life) -> Fenced {
    Fenced {
        ballot: ballot(4, ME),
        joiner,
        life,
        incarnation: Incarnation(1),
        lives: Lives::default(),
    }
}

fn join(fences: &mut Fences, joiner: MasterId, incarnation: u64) -> Joining {
    let incarnation = Incarnation(incarnation);
    fences.on_join(
        &membership(5),
        ballot(4, ME),
        joiner,
        incarnation,
        Time::ZERO,
    )
}

#[test]
fn a_life_is_granted_once_a_quorum_of_others_has_recorded_it() {
    let masters = membership(5);
    let joiner = MasterId(5);
    let mut fences = Fences::default();
    let Joining::Fence(life) = join(&mut fences, joiner, 50) else {
        panic!("a first join is fenced in");
    };
    assert_eq!(join(&mut fences, joiner, 50), Joining::Wait);
    let mut answer = fenced(joiner, life);
    assert!(!fences.on_fenced(&masters, ME, &answer));
    assert!(!fences.on_fenced(&masters, ME, &answer), "twice is once");
    assert!(
        !fences.on_fenced(&masters, joiner, &answer),
        "not by itself"
    );
    assert!(!fences.on_fenced(&masters, PEER, &answer));
    assert!(fences.grant(joiner, ballot(4, ME), Position(3)).is_none());
    answer.lives.record(PEER, super::life(2, 1, 22));
    assert!(fences.on_fenced(&masters, OTHER, &answer));
    assert_eq!(join(&mut fences, joiner, 50), Joining::Granted);
    let grant = fences.grant(joiner, ballot(4, ME), Position(3)).unwrap();
    assert_eq!(
        (grant.incarnation, grant.end),
        (Incarnation(50), Position(3))
    );
    assert_eq!(grant.lives.life(PEER), Some(super::life(2, 1, 22)));
    assert_eq!(fences.resend_at(), None);
}

#[test]
fn another_life_of_the_same_master_begins_anew_with_a_later_stamp() {
    let masters = membership(5);
    let joiner = MasterId(5);
    let mut fences = Fences::default();
    let Joining::Fence(first) = join(&mut fences, joiner, 50) else {
        panic!("fenced in");
    };
    assert!(!fences.on_fenced(&masters, ME, &fenced(joiner, first)));
    let Joining::Fence(second) = join(&mut fences, joiner, 51) else {
        panic!("a new life is fenced in anew");
    };
    assert!(second.fenced > first.fenced);
    for id in [1, 2, 3] {
        assert!(!fences.on_fenced(&masters, MasterId(id), &fenced(joiner, first)));
    }
}

/// f556a55f0: a second disk is lost while the first is being replaced. What the second recorded
/// for the first went with its disk.
#[test]
fn a_joiner_takes_back_what_it_recorded_for_others() {
    let masters = membership(5);
    let (a, b) = (MasterId(4), MasterId(5));
    let mut fences = Fences::default();
    let Joining::Fence(of_a) = join(&mut fences, a, 40) else {
        panic!("fenced in");
    };
    assert!(!fences.on_fenced(&masters, ME, &fenced(a, of_a)));
    assert!(!fences.on_fenced(&masters, b, &fenced(a, of_a)));
    assert!(matches!(join(&mut fences, b, 50), Joining::Fence(_)));
    assert!(!fences.on_fenced(&masters, PEER, &fenced(a, of_a)));
    assert!(fences.on_fenced(&masters, OTHER, &fenced(a, of_a)));
}
