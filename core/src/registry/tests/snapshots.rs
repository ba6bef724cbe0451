use super::*;
use crate::wire::DecodeError;

fn full() -> Registry {
    let mut registry = led();
    run(&mut registry, &[admit(1), admit(2), admit(3), reachable(4)]);
    run(&mut registry, &[unreachable(2, 5), gone(3, 6)]);
    registry
}

#[test]
fn a_snapshot_gives_back_the_whole_registry() {
    for registry in [Registry::default(), led(), full()] {
        let bytes = snapshot::encode(&registry);
        assert_eq!(snapshot::decode(&bytes), Ok(registry));
    }
}

#[test]
fn a_cut_or_foreign_snapshot_is_refused_at_every_byte() {
    let bytes = snapshot::encode(&full());
    for cut in 0..bytes.len() {
        assert!(snapshot::decode(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    let mut newer = bytes.to_vec();
    newer[0] ^= 0xff;
    assert!(matches!(
        snapshot::decode(&newer),
        Err(snapshot::SnapshotError::Decode(DecodeError::Version { .. }))
    ));
}

/// What no sequence of operations leads to is not let in through a snapshot.
#[test]
fn an_impossible_snapshot_is_refused() {
    let mut twice = full();
    twice.gone.insert(agent_id(1), Wall(0));
    assert_eq!(
        snapshot::decode(&snapshot::encode(&twice)),
        Err(snapshot::SnapshotError::Twice(agent_id(1)))
    );
    let mut same_nonce = full();
    let admission = Admission {
        info: info(7),
        nonce: Some(1_001),
    };
    same_nonce.admitted.insert(agent_id(7), Arc::new(admission));
    assert_eq!(
        snapshot::decode(&snapshot::encode(&same_nonce)),
        Err(snapshot::SnapshotError::Twice(agent_id(7)))
    );
    let mut nameless = full();
    let mut info = (*info(8)).clone();
    info.id = None;
    let admission = Admission {
        info: Arc::new(info),
        nonce: None,
    };
    nameless.admitted.insert(agent_id(8), Arc::new(admission));
    assert_eq!(
        snapshot::decode(&snapshot::encode(&nameless)),
        Err(snapshot::SnapshotError::NoId)
    );
    let mut leaderless = full();
    leaderless.leader = None;
    assert_eq!(
        snapshot::decode(&snapshot::encode(&leaderless)),
        Err(snapshot::SnapshotError::Leaderless(3))
    );
}

#[test]
fn a_clone_shares_descriptions() {
    let registry = full();
    let copy = registry.clone();
    let at = |registry: &Registry| Arc::as_ptr(&registry.admitted()[&agent_id(1)]);
    assert_eq!(at(&registry), at(&copy));
}

#[test]
fn every_invariant_can_fail() {
    type Damage = fn(&mut Registry);
    let broken: [(&str, Damage); 4] = [
        ("registry.version-counts-batches", |r| r.version = 0),
        ("registry.agent-sets-disjoint", |r| {
            r.gone.insert(agent_id(1), Wall(0));
        }),
        ("registry.agents-under-their-ids", |r| {
            let admission = r.admitted[&agent_id(1)].clone();
            r.registrations.clear();
            r.admitted.clear();
            r.unreachable.clear();
            r.registrations.insert(1_001, agent_id(1));
            r.admitted.insert(agent_id(9), admission);
        }),
        ("registry.one-id-per-registration", |r| {
            r.registrations.insert(77, agent_id(1));
        }),
    ];
    for (id, damage) in broken {
        let mut registry = full();
        damage(&mut registry);
        let found: Vec<&str> = invariant::check(INVARIANTS, &registry, Cost::Linear)
            .iter()
            .map(|violation| violation.invariant)
            .collect();
        assert_eq!(found, [id]);
    }
}

#[test]
fn messages_for_people_say_what_to_do() {
    let text: String = format!("{}", snapshot::SnapshotError::NoId);
    assert!(text.contains("without an id"));
}
