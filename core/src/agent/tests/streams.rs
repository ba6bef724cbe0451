//! Status update streams against a lossy road: what the executor was acknowledged arrives, in
//! order, at least once.

use super::bench::{status, update_id};
use crate::agent::updates::{Acknowledged, PENDING_MAX, Stream, Verdict};
use crate::model::TaskState;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    /// The executor says something; ids come from a small set, so that some repeat.
    Say(usize, u8),
    /// The head is sent and arrives, and its acknowledgement too.
    Deliver,
    /// It arrives, but the acknowledgement is lost.
    DeliverUnacknowledged,
    /// An acknowledgement of something else arrives.
    Stray(u8),
    /// The agent restarts: the stream goes through bytes.
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..14_usize, any::<u8>()).prop_map(|(state, id)| Step::Say(state, id)),
        3 => Just(Step::Deliver),
        2 => Just(Step::DeliverUnacknowledged),
        1 => any::<u8>().prop_map(Step::Stray),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #[test]
    fn what_was_taken_arrives_in_order_and_terminal_is_last(
        steps in prop::collection::vec(step(), 0..200)
    ) {
        let mut stream = Stream::default();
        let mut taken = Vec::new();
        let mut arrived: Vec<(u8, TaskState)> = Vec::new();
        let mut acknowledged = BTreeSet::new();
        let mut ended = false;
        for step in steps {
            match step {
                Step::Say(state, id) => {
                    let said = status("t", TaskState::ALL[state], id);
                    let before = stream.clone();
                    let known = taken.iter().any(|(taken, _)| *taken == id);
                    match stream.receive(&said) {
                        Verdict::New => {
                            prop_assert!(!known);
                            prop_assert!(before.latest().may_become(said.state));
                            taken.push((id, said.state));
                        }
                        verdict => {
                            prop_assert_eq!(&stream, &before, "{:?}", verdict);
                            prop_assert_eq!(known && verdict != Verdict::Malformed,
                                verdict == Verdict::Repeated);
                        }
                    }
                }
                Step::Deliver | Step::DeliverUnacknowledged => {
                    let Some(head) = stream.head().cloned() else { continue };
                    let id = head.update_id.unwrap().0[0];
                    prop_assert!(!acknowledged.contains(&id), "sent after its acknowledgement");
                    if arrived.last().is_none_or(|(last, _)| *last != id) {
                        arrived.push((id, head.state));
                    }
                    if matches!(step, Step::Deliver) {
                        acknowledged.insert(id);
                        let done = stream.acknowledge(update_id(id));
                        prop_assert_ne!(done, Acknowledged::Ignored);
                        ended |= done == Acknowledged::Ended;
                    }
                }
                Step::Stray(id) => {
                    let before = stream.clone();
                    if before.head().and_then(|head| head.update_id) != Some(update_id(id)) {
                        prop_assert_eq!(stream.acknowledge(update_id(id)), Acknowledged::Ignored);
                        prop_assert_eq!(&stream, &before);
                    }
                }
                Step::Restart => {
                    let bytes = crate::wire::encode(&stream);
                    stream = crate::wire::decode(&bytes).unwrap();
                }
            }
            prop_assert_eq!(stream.latest(),
                taken.last().map_or(TaskState::Staging, |(_, state)| *state));
        }
        // What is left arrives in the end.
        while let Some(head) = stream.head().cloned() {
            let id = head.update_id.unwrap().0[0];
            if arrived.last().is_none_or(|(last, _)| *last != id) {
                arrived.push((id, head.state));
            }
            ended |= stream.acknowledge(update_id(id)) == Acknowledged::Ended;
        }
        prop_assert_eq!(&arrived, &taken, "all, once each, in order");
        let terminal = taken.iter().position(|(_, state)| state.is_terminal());
        prop_assert!(terminal.is_none_or(|place| place + 1 == taken.len()));
        prop_assert_eq!(ended, terminal.is_some());
    }
}

#[test]
fn a_full_stream_still_takes_the_end() {
    let mut stream = Stream::default();
    let mut rng = crate::rng::Rng::from_seed(1, "updates");
    let mut say = |stream: &mut Stream, state| {
        let mut said = crate::model::TaskStatus::clone(&status("t", state, 0));
        said.update_id = Some(crate::ids::UpdateId::draw(&mut rng));
        stream.receive(&alloc::sync::Arc::new(said))
    };
    for _ in 0..PENDING_MAX {
        assert_eq!(say(&mut stream, TaskState::Running), Verdict::New);
    }
    assert_eq!(say(&mut stream, TaskState::Running), Verdict::Full);
    assert_eq!(say(&mut stream, TaskState::Failed), Verdict::New);
    assert_eq!(stream.latest(), TaskState::Failed);
}
