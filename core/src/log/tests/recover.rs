use super::*;
use crate::log::effect::Fatal;
use crate::log::node::Node;
use crate::log::write::{Damage, Recovered, Snapshot, Write};
use crate::rng::Rng;
use crate::time::Now;

fn restart(count: u32, recovered: Recovered) -> (Node, Vec<Effect>) {
    let mut fx = Outbox::new(1000);
    let rng = Rng::from_seed(3, "restart");
    let node = Node::recover(config(count), rng, recovered, Now::default(), &mut fx);
    let effects = fx.drain().collect();
    (node, effects)
}

fn voting(more: Vec<Write>) -> Vec<Write> {
    let mut writes = alloc::vec![Write::Standing {
        incarnation: Incarnation(5),
        status: Status::Voting,
    }];
    writes.extend(more);
    writes
}

fn accept(first: u64, learned: u64, texts: &[&str]) -> Write {
    Write::Accept {
        ballot: ballot(2, PEER),
        first: Position(first),
        learned_through: Position(learned),
        actions: values(texts),
    }
}

fn snapshot(through: u64) -> Snapshot {
    Snapshot {
        through: Position(through),
        membership: membership(3),
        state: Arc::from(&b"state"[..]),
    }
}

#[test]
fn an_empty_disk_gets_a_life_before_anything_else() {
    let (node, effects) = restart(3, Recovered::default());
    assert_eq!(node.status(), Status::Empty);
    assert_ne!(node.incarnation(), Incarnation::default());
    let standing = Write::Standing {
        incarnation: node.incarnation(),
        status: Status::Empty,
    };
    assert!(matches!(&effects[..], [Effect::Persist { write, .. }] if *write == standing));
}

#[test]
fn promises_votes_and_what_was_learned_come_back() {
    let writes = voting(alloc::vec![
        accept(1, 0, &["a", "b"]),
        Write::Promise {
            ballot: ballot(4, OTHER),
        },
        Write::Learned {
            through: Position(1),
        },
        accept(5, 1, &["e"]),
        Write::Fence {
            ballot: ballot(3, PEER),
            joiner: OTHER,
            life: life(3, 1, 33),
        },
    ]);
    let (node, effects) = restart(
        3,
        Recovered {
            writes,
            ..Recovered::default()
        },
    );
    assert_eq!(
        (node.status(), node.incarnation()),
        (Status::Voting, Incarnation(5))
    );
    assert_eq!(node.promised(), ballot(4, OTHER));
    assert_eq!(
        (node.learned_through(), node.end()),
        (Position(1), Position(5))
    );
    assert_eq!(node.entry(Position(5)).unwrap().action, value("e"));
    assert_eq!(node.entry(Position(3)), None);
    assert_eq!(node.lives().life(OTHER), Some(life(3, 1, 33)));
    let applied = Effect::Apply {
        position: Position(1),
        action: value("a"),
    };
    assert_eq!(effects, [applied]);
}

#[test]
fn a_snapshot_beyond_the_journal_replaces_what_it_covers() {
    let writes = voting(alloc::vec![accept(1, 0, &["a", "b", "c", "d"])]);
    let (node, effects) = restart(
        3,
        Recovered {
            writes,
            snapshot: Some(snapshot(3)),
            damage: None,
        },
    );
    assert_eq!(
        (node.begin(), node.learned_through()),
        (Position(4), Position(3))
    );
    assert_eq!(node.entry(Position(4)).unwrap().action, value("d"));
    let installed = Effect::InstallSnapshot {
        through: Position(3),
        state: Arc::from(&b"state"[..]),
    };
    assert_eq!(effects[0], installed);
    // What is written next builds on the snapshot, and says so: a second restart finds no hole.
    let Effect::Persist { write, .. } = &effects[1] else {
        panic!("a checkpoint comes first: {effects:?}");
    };
    let writes = alloc::vec![write.clone(), accept(6, 3, &["f"])];
    let again = Recovered {
        writes,
        snapshot: Some(snapshot(3)),
        damage: None,
    };
    let (node, effects) = restart(3, again);
    assert_eq!(
        (node.status(), node.incarnation()),
        (Status::Voting, Incarnation(5))
    );
    assert_eq!((node.begin(), node.end()), (Position(4), Position(6)));
    assert_eq!(effects.len(), 1);
}

fn joins_anew(node: &Node, effects: &[Effect]) {
    assert_eq!(node.status(), Status::Recovering);
    assert_ne!(node.incarnation(), Incarnation(5));
    assert_eq!(node.promised(), Ballot::NONE);
    let checkpoints = effects.iter().filter(|effect| match effect {
        Effect::Persist { write, .. } => write.is_checkpoint(),
        _ => false,
    });
    assert_eq!(checkpoints.count(), 1, "the damaged file is given up");
}

#[test]
fn damage_costs_the_votes_and_nothing_that_is_learned() {
    let writes = voting(alloc::vec![accept(1, 0, &["a", "b"]), accept(3, 1, &["c"])]);
    let damage = Some(Damage {
        at_bytes: 77,
        why: String::from("rot"),
    });
    let recovered = Recovered {
        writes,
        snapshot: None,
        damage,
    };
    let (node, effects) = restart(3, recovered.clone());
    joins_anew(&node, &effects);
    assert_eq!(
        (node.learned_through(), node.end()),
        (Position(1), Position(1))
    );
    let (node, effects) = restart(1, recovered);
    assert!(node.is_halted());
    let why = String::from("rot");
    let fatal = Fatal::Unrepairable { at_bytes: 77, why };
    assert_eq!(effects.last(), Some(&Effect::Halt(fatal)));
}

#[test]
fn a_journal_that_contradicts_itself_is_damage() {
    let hole = voting(alloc::vec![accept(5, 3, &["e"])]);
    let (node, effects) = restart(
        3,
        Recovered {
            writes: hole,
            ..Recovered::default()
        },
    );
    joins_anew(&node, &effects);
    let strange = voting(alloc::vec![Write::Snapshot(alloc::boxed::Box::new(
        snapshot(3)
    ))]);
    let (node, effects) = restart(
        3,
        Recovered {
            writes: strange,
            ..Recovered::default()
        },
    );
    joins_anew(&node, &effects);
}

#[test]
fn a_truncated_journal_without_its_snapshot_starts_over() {
    let checkpoint = Write::Checkpoint(alloc::boxed::Box::new(crate::log::Checkpoint {
        incarnation: Incarnation(5),
        status: Status::Voting,
        promised: ballot(4, OTHER),
        lives: Default::default(),
        begin: Position(10),
        learned_through: Position(10),
        entries: alloc::vec![Some((ballot(2, PEER), value("j")))],
    }));
    let recovered = Recovered {
        writes: alloc::vec![checkpoint],
        snapshot: Some(snapshot(9)),
        damage: None,
    };
    let (node, _) = restart(3, recovered.clone());
    assert_eq!(
        (node.status(), node.learned_through()),
        (Status::Voting, Position(10))
    );
    for snapshot in [None, Some(snapshot(8))] {
        let (node, effects) = restart(
            3,
            Recovered {
                snapshot: snapshot.clone(),
                ..recovered.clone()
            },
        );
        joins_anew(&node, &effects);
        let kept = snapshot.map_or(Position::ZERO, |snapshot| snapshot.through);
        assert_eq!(node.learned_through(), kept);
    }
}
