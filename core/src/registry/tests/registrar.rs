use super::*;
use crate::outbox::Outbox;
use crate::time::{Now, Time};
use core::time::Duration;

struct Fixture {
    registrar: Registrar,
    registry: Registry,
    fx: Outbox<Effect>,
    now: Now,
}

impl Fixture {
    fn new(config: Config) -> Fixture {
        let registry = led();
        Fixture {
            registrar: Registrar::new(config, ballot(1, 1), registry.version()),
            registry,
            fx: Outbox::new(1 << 16),
            now: Now::default(),
        }
    }

    fn store(&mut self, operation: Operation) -> Result<(), Refused> {
        self.registrar.store(self.now, operation, &mut self.fx)
    }

    fn effects(&mut self) -> Vec<Effect> {
        assert_eq!(
            invariant::check(REGISTRAR_INVARIANTS, &self.registrar, Cost::Constant),
            Vec::new()
        );
        self.fx.drain().collect()
    }

    /// The only record that waits for the log.
    fn record(&mut self) -> Batch {
        match &self.effects()[..] {
            [Effect::Store { record, .. }] => Batch::decode(record).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    fn apply(&mut self, batch: &Batch) {
        let outcome = self.registry.apply(batch);
        self.registrar
            .on_applied(self.now, batch, outcome, &mut self.fx);
    }
}

#[test]
fn what_comes_while_a_batch_is_in_flight_forms_the_next() {
    let mut t = Fixture::new(Config::default());
    t.store(admit(1)).unwrap();
    let first = t.record();
    assert_eq!((first.expected_version, first.operations.len()), (1, 1));
    t.store(admit(2)).unwrap();
    t.store(unreachable(1, 3)).unwrap();
    t.store(unreachable(9, 3)).unwrap();
    assert_eq!(t.effects(), []);
    assert_eq!(t.registrar.pending(), 4);

    t.apply(&first);
    let effects = t.effects();
    let [
        stored,
        Effect::Store {
            record,
            operations: 3,
        },
    ] = &effects[..]
    else {
        panic!("{effects:?}");
    };
    assert_eq!(
        *stored,
        Effect::Stored {
            operation: admit(1),
            result: Ok(())
        }
    );
    let second = Batch::decode(record).unwrap();
    assert_eq!(second.expected_version, 2);
    t.apply(&second);
    let results: Vec<bool> = t
        .effects()
        .iter()
        .map(|effect| matches!(effect, Effect::Stored { result: Ok(()), .. }))
        .collect();
    assert_eq!(results, [true, true, false]);
    assert_eq!((t.registrar.pending(), t.registrar.deadline()), (0, None));
}

#[test]
fn a_timeout_ends_it_for_good() {
    let mut t = Fixture::new(Config::default());
    t.store(admit(1)).unwrap();
    let batch = t.record();
    t.store(admit(2)).unwrap();
    t.now.mono = Time::ZERO + Duration::from_secs(20);
    assert_eq!(t.registrar.deadline(), Some(t.now.mono));
    t.registrar.tick(t.now, &mut t.fx);
    assert_eq!(t.effects(), [Effect::Ended(Ending::Timeout)]);
    // The write lands after all: nobody acts on it.
    t.apply(&batch);
    t.registrar.tick(t.now, &mut t.fx);
    assert_eq!(t.effects(), []);
    assert_eq!(t.store(admit(3)), Err(Refused::Ended));
    assert_eq!(t.registry.admitted().len(), 1);
}

#[test]
fn an_early_tick_does_nothing() {
    let mut t = Fixture::new(Config::default());
    t.registrar.tick(t.now, &mut t.fx);
    t.store(admit(1)).unwrap();
    t.now.mono = Time::from_nanos(19_999_999_999);
    t.registrar.tick(t.now, &mut t.fx);
    assert!(matches!(t.effects()[..], [Effect::Store { .. }]));
}

#[test]
fn a_refusal_by_the_log_ends_it() {
    let mut t = Fixture::new(Config::default());
    t.registrar.on_refused(&mut t.fx);
    assert_eq!(t.effects(), [], "nothing was in flight");
    t.store(admit(1)).unwrap();
    t.record();
    t.registrar.on_refused(&mut t.fx);
    assert_eq!(t.effects(), [Effect::Ended(Ending::Refused)]);
    t.registrar.on_refused(&mut t.fx);
    t.registrar.on_replaced(9, &mut t.fx);
    assert_eq!(t.effects(), []);
}

#[test]
fn another_leader_ends_it() {
    let mut t = Fixture::new(Config::default());
    t.store(admit(1)).unwrap();
    let ours = t.record();
    let theirs = Batch {
        expected_version: 1,
        ballot: ballot(2, 2),
        operations: vec![set_leader(2, 2)],
    };
    t.apply(&theirs);
    assert_eq!(
        t.effects(),
        [Effect::Ended(Ending::Overtaken { version: 2 })]
    );
    t.apply(&ours);
    assert_eq!(t.effects(), []);
    assert_eq!(t.registry.admitted().len(), 0);
}

#[test]
fn a_void_batch_ends_its_own_registrar_only() {
    let mut t = Fixture::new(Config::default());
    t.store(admit(1)).unwrap();
    let ours = t.record();
    let deposed = Batch {
        ballot: ballot(0, 3),
        ..ours.clone()
    };
    t.apply(&deposed);
    assert_eq!(t.effects(), []);
    // The registry is ahead of the registrar, which cannot be by any legal history.
    run(&mut t.registry, &[admit(5)]);
    t.apply(&ours);
    let void = Void::Version {
        expected: 1,
        found: 2,
    };
    assert_eq!(t.effects(), [Effect::Ended(Ending::Void(void))]);
}

#[test]
fn a_snapshot_from_elsewhere_ends_it() {
    let mut t = Fixture::new(Config::default());
    t.registrar.on_replaced(7, &mut t.fx);
    assert_eq!(
        t.effects(),
        [Effect::Ended(Ending::Overtaken { version: 7 })]
    );
    assert!(t.registrar.has_ended());
}

#[test]
fn the_queue_and_the_batches_are_bounded() {
    let config = Config {
        operations_queued_max: 3,
        batch_operations_max: 2,
        ..Config::default()
    };
    let mut t = Fixture::new(config);
    for number in 0..4 {
        t.store(admit(number)).unwrap();
    }
    assert_eq!(t.store(admit(4)), Err(Refused::Busy(3)));
    let first = t.record();
    t.apply(&first);
    let effects = t.effects();
    assert!(matches!(
        effects[..],
        [Effect::Stored { .. }, Effect::Store { operations: 2, .. }]
    ));
}

#[test]
fn batches_are_bounded_in_bytes_and_an_operation_must_fit_one() {
    let bytes = crate::wire::encoded_len(&admit(1));
    let config = Config {
        batch_bytes_max: 2 * bytes,
        ..Config::default()
    };
    let mut t = Fixture::new(config);
    let large = Operation::Prune {
        unreachable: (0..bytes as u64).map(agent_id).collect(),
        gone: Vec::new(),
    };
    assert!(matches!(t.store(large), Err(Refused::Large { .. })));
    for number in 0..4 {
        t.store(admit(number)).unwrap();
    }
    let first = t.record();
    assert_eq!(first.operations.len(), 1);
    t.apply(&first);
    assert!(matches!(
        t.effects()[..],
        [Effect::Stored { .. }, Effect::Store { operations: 2, .. }]
    ));
}
