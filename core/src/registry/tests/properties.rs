use super::*;
use crate::model::{DrainConfig, MachineId, Quota, Unavailability, Window};
use crate::outbox::Outbox;
use crate::resources::{Role, Scalar};
use crate::time::Now;
use alloc::collections::{BTreeMap, VecDeque};
use proptest::collection::vec as vec_of;
use proptest::prelude::*;

/// Few agents, so that operations meet.
const AGENTS: u64 = 6;

fn operations() -> impl Strategy<Value = Operation> {
    let leaders = (1..6u64, 1..4u32).prop_map(|(round, master)| set_leader(round, master));
    prop_oneof![12 => agent_operations(), 8 => operator_operations(), 1 => leaders]
}

/// Few roles and machines; some of what is asked for is not legal.
fn operator_operations() -> impl Strategy<Value = Operation> {
    let role = prop_oneof![Just("a"), Just("b"), Just("a/c")];
    let role = role.prop_map(|role| Role::new(role).unwrap());
    let amount = || (0..3u32).prop_map(Scalar::from_units);
    let quota = (amount(), proptest::option::of(amount())).prop_map(|(guarantee, limit)| {
        let mut quota = Quota::default();
        quota
            .guarantees
            .add_milli(&"cpus".into(), guarantee.milli());
        if let Some(limit) = limit {
            quota.limits.set("cpus", limit);
        }
        quota
    });
    let machine = || {
        (0..3u8, any::<bool>()).prop_map(|(number, loud)| MachineId {
            hostname: if loud {
                format!("HOST-{number}")
            } else {
                format!("host-{number}")
            },
            ip: String::new(),
        })
    };
    let window = (vec_of(machine(), 0..3), 0..9i64).prop_map(|(machines, start_nanos)| Window {
        machines,
        unavailability: Unavailability {
            start_nanos,
            duration_nanos: None,
        },
    });
    let agent = || (0..AGENTS).prop_map(agent_id);
    let config = any::<bool>().prop_map(|mark_gone| DrainConfig {
        max_grace_period: None,
        mark_gone,
    });
    prop_oneof![
        vec_of((role.clone(), quota), 0..3).prop_map(|quotas| Operation::UpdateQuota { quotas }),
        vec_of((role, amount()), 0..3).prop_map(|weights| Operation::UpdateWeights { weights }),
        vec_of(window, 0..3).prop_map(|windows| Operation::UpdateSchedule { windows }),
        vec_of(machine(), 0..3).prop_map(|machines| Operation::StartMaintenance { machines }),
        vec_of(machine(), 0..3).prop_map(|machines| Operation::StopMaintenance { machines }),
        (agent(), config).prop_map(|(agent_id, config)| Operation::DrainAgent { agent_id, config }),
        agent().prop_map(|agent_id| Operation::MarkDrained { agent_id }),
        agent().prop_map(|agent_id| Operation::DeactivateAgent { agent_id }),
        agent().prop_map(|agent_id| Operation::ReactivateAgent { agent_id }),
    ]
}

fn agent_operations() -> impl Strategy<Value = Operation> {
    let agent = 0..AGENTS;
    prop_oneof![
        3 => (0..AGENTS, 0..AGENTS).prop_map(|(number, nonce)| Operation::AdmitAgent {
            info: info(number),
            nonce,
        }),
        3 => (agent.clone(), 0..100i64).prop_map(|(number, at)| unreachable(number, at)),
        3 => (agent.clone(), 1..9u16).prop_map(|(number, port)| Operation::MarkReachable {
            info: info_at(number, port),
        }),
        1 => (agent.clone(), 0..100i64).prop_map(|(number, at)| gone(number, at)),
        1 => agent.clone().prop_map(remove),
        1 => (agent.clone(), 1..9u16).prop_map(|(number, port)| Operation::UpdateAgent {
            info: info_at(number, port),
        }),
        1 => (vec_of(agent.clone(), 0..3), vec_of(agent, 0..3)).prop_map(|(lost, gone)| {
            Operation::Prune {
                unreachable: lost.into_iter().map(agent_id).collect(),
                gone: gone.into_iter().map(agent_id).collect(),
            }
        }),
    ]
}

/// A record as a leader, a deposed one or a late one might append it.
#[derive(Clone, Debug)]
struct Append {
    behind: u64,
    ballot: Option<(u64, u32)>,
    operations: Vec<Operation>,
}

fn appends() -> impl Strategy<Value = Append> {
    (
        prop_oneof![6 => Just(0u64), 1 => 1..3u64],
        prop_oneof![6 => Just(None), 1 => (1..6u64, 1..4u32).prop_map(Some)],
        vec_of(operations(), 0..6),
        any::<bool>(),
    )
        .prop_map(|(behind, ballot, mut operations, records_itself)| {
            if let Some((round, master)) = ballot
                && records_itself
            {
                operations.insert(0, set_leader(round, master));
            }
            Append {
                behind,
                ballot,
                operations,
            }
        })
}

/// The records that these appends become when they are made from the state before them.
fn records(appends: Vec<Append>) -> Vec<Batch> {
    let mut registry = Registry::default();
    appends
        .into_iter()
        .map(|append| {
            let leader = registry.leader().map_or(ballot(1, 1), |l| l.ballot);
            let batch = Batch {
                expected_version: registry.version().saturating_sub(append.behind),
                ballot: append.ballot.map_or(leader, |(r, m)| ballot(r, m)),
                operations: append.operations,
            };
            registry.apply(&batch);
            batch
        })
        .collect()
}

fn replay(registry: &mut Registry, records: &[Batch]) -> Vec<Outcome> {
    records.iter().map(|batch| registry.apply(batch)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_records_keep_the_invariants(appends in vec_of(appends(), 0..24)) {
        let mut registry = Registry::default();
        let mut effective = 0;
        for batch in records(appends) {
            let before = registry.clone();
            match registry.apply(&batch) {
                Outcome::Void(_) => prop_assert_eq!(&registry, &before),
                Outcome::Effective(results) => {
                    effective += 1;
                    prop_assert_eq!(results.len(), batch.operations.len());
                }
            }
            assert_sound(&registry);
        }
        prop_assert_eq!(registry.version(), effective);
    }

    #[test]
    fn a_rejected_operation_leaves_no_trace(
        appends in vec_of(appends(), 0..12),
        operation in operations(),
    ) {
        let mut registry = led();
        replay(&mut registry, &records(appends));
        let before = registry.clone();
        if operation.apply(&mut registry).is_err() {
            prop_assert_eq!(registry, before);
        }
    }

    #[test]
    fn a_snapshot_and_the_rest_equal_everything(
        appends in vec_of(appends(), 0..24),
        cut in any::<proptest::sample::Index>(),
    ) {
        let records = records(appends);
        let cut = cut.index(records.len() + 1);
        let mut whole = Registry::default();
        let outcomes = replay(&mut whole, &records);
        let mut prefix = Registry::default();
        replay(&mut prefix, &records[..cut]);
        let mut restored = snapshot::decode(&snapshot::encode(&prefix)).unwrap();
        prop_assert_eq!(&restored, &prefix);
        prop_assert_eq!(replay(&mut restored, &records[cut..]), &outcomes[cut..]);
        prop_assert_eq!(restored, whole);
    }

    #[test]
    fn a_record_reads_back_as_it_was(append in appends(), version in any::<u64>()) {
        let batch = Batch {
            expected_version: version,
            ballot: append.ballot.map_or(Ballot::NONE, |(r, m)| ballot(r, m)),
            operations: append.operations,
        };
        prop_assert_eq!(Batch::decode(&batch.encode()).unwrap(), batch.clone());
        for operation in &batch.operations {
            let bytes = crate::wire::encode(operation);
            prop_assert_eq!(crate::wire::encoded_len(operation), bytes.len() - 2);
        }
    }

    /// Two leaders make batches from what each has applied; the log orders them in any way. Of
    /// those made from the same version at most one counts, and replicas agree on which.
    #[test]
    fn of_batches_from_one_version_only_one_counts(
        turns in vec_of((0..2usize, any::<bool>(), vec_of(agent_operations(), 0..3)), 1..30),
    ) {
        let mut log: Vec<Batch> = Vec::new();
        let mut applied = [0usize; 2];
        let mut views = [Registry::default(), Registry::default()];
        for (author, catches_up, operations) in turns {
            if catches_up {
                let unseen = &log[applied[author]..];
                replay(&mut views[author], unseen);
                applied[author] = log.len();
            }
            let me = author as u32 + 1;
            let round = 1 + applied[author] as u64;
            let mut all = vec![set_leader(round, me)];
            all.extend(operations);
            log.push(Batch {
                expected_version: views[author].version(),
                ballot: ballot(round, me),
                operations: all,
            });
        }
        let mut counted = BTreeMap::new();
        for (batch, outcome) in log.iter().zip(replay(&mut Registry::default(), &log)) {
            if matches!(outcome, Outcome::Effective(_)) {
                *counted.entry(batch.expected_version).or_insert(0) += 1;
            }
        }
        prop_assert!(counted.values().all(|count| *count == 1), "{:?}", counted);
        prop_assert!(!counted.is_empty());
    }

    /// Against a log that applies when it likes: every operation is answered once, in order, with
    /// what a registry says that is given them one by one.
    #[test]
    fn every_operation_is_answered_once_and_in_order(
        steps in vec_of(
            prop_oneof![2 => agent_operations().prop_map(Some), 1 => Just(None)],
            0..60,
        ),
        batch_operations_max in 1..5usize,
    ) {
        let config = Config { batch_operations_max, ..Config::default() };
        let mut registry = led();
        let mut registrar = Registrar::new(config, ballot(1, 1), registry.version());
        let mut fx = Outbox::new(1 << 10);
        let mut log: VecDeque<Arc<[u8]>> = VecDeque::new();
        let mut asked = Vec::new();
        let mut answered = Vec::new();
        let drain = core::iter::repeat_n(None, 60);
        for step in steps.into_iter().chain(drain) {
            match step {
                Some(operation) => {
                    asked.push(operation.clone());
                    registrar.store(Now::default(), operation, &mut fx).unwrap();
                }
                None => if let Some(record) = log.pop_front() {
                    let batch = Batch::decode(&record).unwrap();
                    let outcome = registry.apply(&batch);
                    registrar.on_applied(Now::default(), &batch, outcome, &mut fx);
                },
            }
            for effect in fx.drain() {
                match effect {
                    Effect::Store { record, operations } => {
                        prop_assert!(operations <= batch_operations_max);
                        log.push_back(record);
                    }
                    Effect::Stored { operation, result } => answered.push((operation, result)),
                    Effect::Ended(ending) => panic!("{ending}"),
                }
            }
            prop_assert!(log.len() <= 1, "one store in flight");
        }
        let mut one_by_one = led();
        let expected: Vec<_> = asked
            .into_iter()
            .map(|operation| {
                let result = operation.apply(&mut one_by_one);
                (operation, result)
            })
            .collect();
        prop_assert_eq!(answered, expected);
        prop_assert_eq!(registry.admitted(), one_by_one.admitted());
    }
}
