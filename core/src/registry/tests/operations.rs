use super::*;

#[test]
fn an_agent_goes_through_every_standing() {
    let mut registry = led();
    let standing = |registry: &Registry| registry.standing(&agent_id(1));
    assert_eq!(standing(&registry), AgentStanding::Unknown);
    assert_eq!(run(&mut registry, &[admit(1)]), [Ok(())]);
    assert_eq!(standing(&registry), AgentStanding::Admitted);
    assert_eq!(run(&mut registry, &[unreachable(1, 7)]), [Ok(())]);
    assert_eq!(standing(&registry), AgentStanding::Unreachable(Wall(7)));
    assert_eq!(run(&mut registry, &[reachable(1)]), [Ok(())]);
    assert_eq!(standing(&registry), AgentStanding::Admitted);
    assert_eq!(run(&mut registry, &[gone(1, 9)]), [Ok(())]);
    assert_eq!(standing(&registry), AgentStanding::Gone(Wall(9)));
    let refused = Err(Reject::Gone(agent_id(1)));
    let operations = [
        admit(1),
        unreachable(1, 9),
        reachable(1),
        gone(1, 10),
        remove(1),
    ];
    assert_eq!(run(&mut registry, &operations), vec![refused; 5]);
    assert_eq!(standing(&registry), AgentStanding::Gone(Wall(9)));
    assert_sound(&registry);
}

/// A duplicate of a first registration, under whatever new id, must not be admitted twice, not
/// even after the agent was unreachable in between.
#[test]
fn one_registration_gets_one_id() {
    let mut registry = led();
    run(&mut registry, &[admit(1)]);
    let again = Operation::AdmitAgent {
        info: info(2),
        nonce: 1_001,
    };
    let refused = Err(Reject::AlreadyAdmitted(agent_id(1)));
    assert_eq!(
        run(&mut registry, core::slice::from_ref(&again)),
        core::slice::from_ref(&refused)
    );
    run(&mut registry, &[unreachable(1, 0)]);
    assert_eq!(run(&mut registry, core::slice::from_ref(&again)), [refused]);
    assert_eq!(registry.registered_as(1_001), Some(&agent_id(1)));
    run(&mut registry, &[reachable(1), remove(1)]);
    assert_eq!(registry.registered_as(1_001), None);
    assert_eq!(run(&mut registry, &[again]), [Ok(())]);
    assert_sound(&registry);
}

#[test]
fn a_rejected_operation_changes_nothing_and_hinders_no_other() {
    let mut registry = led();
    let results = run(&mut registry, &[admit(1), unreachable(2, 0), admit(3)]);
    assert_eq!(
        results,
        [Ok(()), Err(Reject::NotAdmitted(agent_id(2))), Ok(())]
    );
    assert_eq!(registry.admitted().len(), 2);
    assert_eq!(registry.version(), 2);
}

#[test]
fn an_agent_without_an_id_is_refused() {
    let mut registry = led();
    let mut nameless = (*info(1)).clone();
    nameless.id = None;
    let info = Arc::new(nameless);
    let operations = [
        Operation::AdmitAgent {
            info: info.clone(),
            nonce: 1,
        },
        Operation::MarkReachable { info: info.clone() },
        Operation::UpdateAgent { info },
    ];
    assert_eq!(run(&mut registry, &operations), vec![Err(Reject::NoId); 3]);
}

#[test]
fn an_update_keeps_the_first_registration() {
    let mut registry = led();
    let update = Operation::UpdateAgent {
        info: info_at(1, 6000),
    };
    assert_eq!(
        run(&mut registry, core::slice::from_ref(&update)),
        [Err(Reject::NotAdmitted(agent_id(1)))]
    );
    assert_eq!(run(&mut registry, &[admit(1), update]), [Ok(()), Ok(())]);
    let admission = &registry.admitted()[&agent_id(1)];
    assert_eq!((admission.info.port, admission.nonce), (6000, Some(1_001)));
}

/// Mesos takes a forgotten agent back under its own id.
#[test]
fn a_forgotten_agent_may_return() {
    let mut registry = led();
    assert_eq!(run(&mut registry, &[reachable(5)]), [Ok(())]);
    assert_eq!(
        run(&mut registry, &[reachable(5)]),
        [Err(Reject::AlreadyAdmitted(agent_id(5)))]
    );
    assert_eq!(registry.admitted()[&agent_id(5)].nonce, None);
    assert_sound(&registry);
}

#[test]
fn leaders_only_follow_lower_ballots() {
    let mut registry = led();
    let stale = run(&mut registry, &[set_leader(1, 1)]);
    let (ballot, current) = (ballot(1, 1), ballot(1, 1));
    assert_eq!(stale, [Err(Reject::StaleLeader { ballot, current })]);
    let mut foreign = set_leader(9, 2);
    if let Operation::SetLeader { ballot, .. } = &mut foreign {
        ballot.proposer = MasterId(3);
    }
    assert!(matches!(
        run(&mut registry, &[foreign])[..],
        [Err(Reject::ForeignBallot { .. })]
    ));
}

/// Only the leader of record changes the registry, even with the right version.
#[test]
fn a_batch_of_anybody_else_is_void() {
    let mut registry = Registry::default();
    let batch = |expected_version, ballot, operations| Batch {
        expected_version,
        ballot,
        operations,
    };
    let before = registry.clone();
    let void = |ballot| Outcome::Void(Void::NotLeader { ballot });
    let nobody = batch(0, ballot(1, 1), vec![admit(1)]);
    assert_eq!(registry.apply(&nobody), void(ballot(1, 1)));
    let mixed = batch(0, ballot(1, 1), vec![set_leader(2, 2), admit(1)]);
    assert_eq!(registry.apply(&mixed), void(ballot(1, 1)));
    let late = batch(0, ballot(1, 1), vec![admit(1), set_leader(1, 1)]);
    assert_eq!(registry.apply(&late), void(ballot(1, 1)));
    assert_eq!(registry, before);

    let mut registry = led();
    let second = batch(1, ballot(2, 2), vec![set_leader(2, 2), admit(1)]);
    assert!(matches!(registry.apply(&second), Outcome::Effective(_)));
    let before = registry.clone();
    let deposed = batch(2, ballot(1, 1), vec![admit(2)]);
    assert_eq!(registry.apply(&deposed), void(ballot(1, 1)));
    let stale = batch(1, ballot(2, 2), vec![admit(2)]);
    assert_eq!(
        registry.apply(&stale),
        Outcome::Void(Void::Version {
            expected: 1,
            found: 2
        })
    );
    assert_eq!(registry, before);
}

#[test]
fn the_oldest_are_forgotten_by_age_and_by_count() {
    let mut registry = led();
    let config = Config {
        gc_age_max: core::time::Duration::from_millis(100),
        gc_count_max: 2,
        ..Config::default()
    };
    for number in 0..4 {
        run(
            &mut registry,
            &[admit(number), unreachable(number, 10 - number as i64)],
        );
    }
    run(&mut registry, &[admit(9), gone(9, 50)]);
    // The two oldest are beyond the count; nobody is beyond the age.
    let expected = Operation::Prune {
        unreachable: vec![agent_id(3), agent_id(2)],
        gone: Vec::new(),
    };
    assert_eq!(registry.prunable(Wall(20), &config), Some(expected.clone()));
    assert_eq!(run(&mut registry, &[expected]), [Ok(())]);
    assert_eq!(registry.prunable(Wall(109), &config), None);
    let expected = Operation::Prune {
        unreachable: vec![agent_id(1)],
        gone: Vec::new(),
    };
    assert_eq!(registry.prunable(Wall(110), &config), Some(expected));
    let all = registry.prunable(Wall(1_000), &config).unwrap();
    run(&mut registry, &[all]);
    assert_eq!(registry.standing(&agent_id(9)), AgentStanding::Unknown);
    assert_eq!(registry.unreachable().len(), 0);
    assert_sound(&registry);
    // A wall clock that was set back makes nobody old.
    assert_eq!(registry.prunable(Wall(i64::MIN), &config), None);
}

#[test]
fn a_prune_fits_a_batch_however_much_there_is() {
    let mut registry = led();
    let config = Config {
        gc_count_max: 0,
        ..Config::default()
    };
    let many: Vec<Operation> = (0..3_000)
        .flat_map(|number| [admit(number), unreachable(number, 0)])
        .collect();
    run(&mut registry, &many);
    let mut rounds = 0;
    while let Some(prune) = registry.prunable(Wall(0), &config) {
        assert!(crate::wire::encoded_len(&prune) < config.batch_bytes_max);
        run(&mut registry, &[prune]);
        rounds += 1;
        assert!(rounds <= 6, "each round forgets as many as fit");
    }
    assert_eq!(registry.unreachable().len(), 0);
}

/// A prune made before an agent came back must not take it away.
#[test]
fn a_prune_passes_over_those_that_returned() {
    let mut registry = led();
    run(&mut registry, &[admit(1), unreachable(1, 0), reachable(1)]);
    let prune = Operation::Prune {
        unreachable: vec![agent_id(1)],
        gone: vec![agent_id(1)],
    };
    assert_eq!(run(&mut registry, &[prune]), [Ok(())]);
    assert_eq!(registry.standing(&agent_id(1)), AgentStanding::Admitted);
}

#[test]
fn operations_have_names_and_agents() {
    let named: Vec<(&str, Option<AgentId>)> = [admit(1), unreachable(1, 0), set_leader(1, 1)]
        .iter()
        .map(|operation| (operation.name(), operation.agent_id().cloned()))
        .collect();
    let one = Some(agent_id(1));
    assert_eq!(
        named,
        [
            ("admit-agent", one.clone()),
            ("mark-unreachable", one),
            ("set-leader", None)
        ]
    );
}
